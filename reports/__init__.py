"""Unasked posts as values: sticky comment, alerts, standup, summary, and the content of the check."""
