"""A corpus held against expectations and against its last version. See ``suite``."""
