"""Slash commands: requests that people type in comments, and their answers. One file for each command."""
