"""The settings file of a team: its text, its rules and what is wrong with it."""
