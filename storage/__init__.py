"""Storage in PostgreSQL: stores whose methods work within one transaction of one tenant."""
