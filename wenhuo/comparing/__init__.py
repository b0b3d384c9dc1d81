"""Two models on the same rows: figures with intervals, their difference, and the texts that change sides."""
