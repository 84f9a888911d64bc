"""The policy as Python: plain values in, a decision with all its reasons out. No clock, no settings, no I/O."""
