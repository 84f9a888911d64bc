"""Who they are, what we know of them, where they stand."""
