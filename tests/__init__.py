"""Tests enter by the front door: real payloads over HTTP, a real PostgreSQL, a stand-in GitHub."""
