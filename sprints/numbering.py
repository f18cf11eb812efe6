"""What an item is called: by its number, or by repository and number where a sprint spans repositories."""

# An item's number in the repository from which it is looked at, or `owner/name#12` in another one.
Number = int | str


def number_in(repository: str, number: int) -> Number:
    """What an item of a repository (`owner/name`, or empty for the one that is looked from) is called."""
    return f"{repository}#{number}" if repository else number


def ref(number: Number) -> str:
    """As GitHub links it: `#12`, or `owner/name#12`."""
    return f"#{number}" if isinstance(number, int) else number


def place(number: Number) -> tuple[str, int]:
    """Its repository (empty: the one that is looked from) and its number there: items are sorted by this."""
    if isinstance(number, str):
        repository, _, digits = number.rpartition("#")
        return repository, int(digits)
    return "", number


def seen_from(number: Number, there: str, here: str) -> Number:
    """What an item that is called so in the repository `there` is called in the repository `here`."""
    repository, digits = place(number)
    repository = repository or there
    return number_in("" if repository == here else repository, digits)


def own(number: Number) -> int:
    """The number of an item of the repository that is looked from. Raises TypeError for another's."""
    if isinstance(number, str):
        raise TypeError(f"{number} is an item of another repository")
    return number
