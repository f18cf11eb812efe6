"""Plans, purchases and entitlements. Billing is not built yet; until then every feature is on."""
