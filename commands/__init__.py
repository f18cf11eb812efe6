"""Slash commands: what people type in comments, and what they get back. One file for each command."""
