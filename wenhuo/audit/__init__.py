"""Looking at a data set through a linear model: rows whose label may be wrong, and what leaks do to a score."""
