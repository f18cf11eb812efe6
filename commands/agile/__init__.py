"""Commands on the app itself, help and explanations."""
