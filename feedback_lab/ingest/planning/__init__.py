"""Which column is which field: suggested, said, saved, checked."""
