"""What a cell says: times, numbers, thumbs, opinions."""
