"""Near-duplicates in a corpus of any size: folded texts, sketches, candidates, and true similarity. See ``search``."""
