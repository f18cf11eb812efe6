"""What the handlers make of webhooks."""
