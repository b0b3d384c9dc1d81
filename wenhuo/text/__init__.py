"""What is done to a text by itself: cleaning, keys to compare it by, segmentation into words."""
