"""A shaky clip made steady: the same moments from a smooth path, or from one place."""
