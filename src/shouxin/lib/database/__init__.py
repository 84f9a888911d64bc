"""PostgreSQL as Django knows it, except that the embedded server is started by whoever connects first."""
