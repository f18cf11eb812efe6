"""The error that is shown to the person who typed a command."""


class UserError(Exception):
    """A mistake in a command. Its text is Markdown: what is wrong, and what to write instead."""
