"""Pages that need no network, no script and no other file: sections, pictures and words in one style."""
