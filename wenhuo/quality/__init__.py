"""What a corpus is worth: measures, expectations, duplicates, and a report that a person can read."""
