"""What is kept, and how: PostgreSQL, one transaction at a time, one tenant at a time."""
