"""Commands on the team's calendar of working days."""
