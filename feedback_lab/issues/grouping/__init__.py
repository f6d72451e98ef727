"""Numbers and words: clusters of comments, their parts, their titles."""
