"""Synchronisation with GitHub beyond webhooks: backfill, reconciliation, redelivery and settings files."""
