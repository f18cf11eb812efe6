"""The tools for working on the project."""
