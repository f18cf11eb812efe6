"""The texts that people read: pure functions from values to Markdown."""
