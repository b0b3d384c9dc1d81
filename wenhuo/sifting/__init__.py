"""Which rows are fit for training and measuring: corrections, copies, contradictions, leaks. See ``cleansing``."""
