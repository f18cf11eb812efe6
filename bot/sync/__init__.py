"""Keeping up with GitHub where webhooks do not tell everything: backfill, reconciliation, redelivery."""
