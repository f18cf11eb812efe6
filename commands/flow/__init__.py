"""Commands on the flow of work."""
