"""The one write path for what comes in: readers, mapping, rows, load, undo."""
