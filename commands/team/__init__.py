"""Commands on the work of a team."""
