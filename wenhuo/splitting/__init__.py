"""Train, validation and test: the publisher's, or by hash, stable when rows are added. See ``division``."""
