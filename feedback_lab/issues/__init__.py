"""Issues: what negative comments have in common, computed (clustering), put into words (naming) and kept over time."""
