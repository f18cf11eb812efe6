"""What is said unasked, as values: sticky comment, alerts, standup, summary, and the card of the check."""
