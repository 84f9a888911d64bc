"""Getting paid: the daily run, the work list, notices, downgrades."""
