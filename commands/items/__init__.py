"""Commands on a single issue or pull request."""
