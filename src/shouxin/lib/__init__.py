"""Helpers without business: embedded PostgreSQL, environment, imports, lists, letters."""
