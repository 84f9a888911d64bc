"""Are we still right: the annual review of every customer with a line (B2.4)."""
