"""Bytes to batches of rows, whatever kind of file they come in."""
