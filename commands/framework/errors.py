"""The error that is shown to the person who typed a command."""


class UserError(Exception):
    """A mistake in a command. Its text is Markdown: the mistake, and the text to write instead."""
