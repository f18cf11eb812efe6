"""The settings file of a team: its text, its rules and its problems."""
