"""The composition root: the only room that reads the environment, the clock, and talks to GitHub."""
