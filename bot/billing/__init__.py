"""Billing: the doors, GitHub Marketplace and Stripe kept up with, and what an account may use."""
