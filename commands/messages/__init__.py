"""What people read: pure functions from values to Markdown."""
