"""Training: the same seeds and inputs give the same bytes on a CPU, killed and resumed or not."""
