"""Webhooks: emulate's repaired, those that emulate lacks, and their delivery to the bot."""
