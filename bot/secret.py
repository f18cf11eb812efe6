"""Values that must not show."""


class Secret:
    """A value that never shows when it is printed, logged or part of an exception."""

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"
