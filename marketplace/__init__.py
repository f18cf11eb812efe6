"""Plans, purchases and entitlements. See docs/billing.md."""
