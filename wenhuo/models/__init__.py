"""Models and their folders: what is stored, what is loaded, how a text becomes probabilities."""
