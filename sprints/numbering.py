"""The names of items: their number, or repository and number where a sprint spans repositories."""

# The number of an item of the current repository, or `owner/name#12` for an item of another one.
Number = int | str


def qualify_number(repository: str, number: int) -> Number:
    """Name an item of a repository (`owner/name`, or empty for the current one)."""
    return f"{repository}#{number}" if repository else number


def ref(number: Number) -> str:
    """Format an item's name as GitHub links it: `#12`, or `owner/name#12`."""
    return f"#{number}" if isinstance(number, int) else number


def split_number(number: Number) -> tuple[str, int]:
    """Split an item's name into its repository (empty: the current one) and its number; also the sort key."""
    if isinstance(number, str):
        repository, _, digits = number.rpartition("#")
        return repository, int(digits)
    return "", number


def translate_number(number: Number, source: str, target: str) -> Number:
    """Convert an item's name in the repository `source` to its name in the repository `target`."""
    repository, digits = split_number(number)
    repository = repository or source
    return qualify_number("" if repository == target else repository, digits)


def local_number(number: Number) -> int:
    """Return the number of an item of the current repository. Raises TypeError for another repository's."""
    if isinstance(number, str):
        raise TypeError(f"{number} is an item of another repository")
    return number
