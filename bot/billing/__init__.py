"""Billing: purchases through GitHub Marketplace and Stripe, and each account's entitlements."""
