"""Commands on one issue or pull request."""
