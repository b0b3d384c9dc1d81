"""The parts of a corpus, in the order in which they are named everywhere."""

SPLITS = ("train", "validation", "test")

UNDIVIDED = "undivided"
"""What the rows without a split are called in counts."""
