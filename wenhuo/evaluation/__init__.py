"""What all candidates say about the same rows, and the page that shows it."""
