"""The demo company: a deterministic generator, so that every page is alive."""
