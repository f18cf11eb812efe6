"""The one kind of failure that is written for the person who typed."""


class UserError(Exception):
    """Its text is Markdown: what was wrong, and what would be right."""
