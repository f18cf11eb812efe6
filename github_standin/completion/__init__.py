"""Adds to bodies and payloads of emulate what GitHub's contain: App, past times, sub-issue counts."""
