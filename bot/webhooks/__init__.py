"""HTTP endpoints that machines call: webhooks of GitHub, its Marketplace and Stripe, and chart pictures."""
