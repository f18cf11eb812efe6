"""Repositories, items and timelines, built from webhooks: the data behind GraphQL and what emulate lacks."""
