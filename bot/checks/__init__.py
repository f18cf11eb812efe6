"""The check run “Sprint impact” on pull requests and merge groups."""
