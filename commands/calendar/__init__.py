"""Commands on the days on which a team works."""
