"""Backfill: a repository's history from before the installation, or from a gap in its events."""
