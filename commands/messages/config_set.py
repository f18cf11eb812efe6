"""The texts of `/agile config set`: a changed or proposed setting, and what is wrong with a value."""

from collections.abc import Iterable, Sequence

from commands.formatting.foreign_text import inert
from commands.formatting.wording import code, person, plain
from commands.messages.config import Difference, diff_table
from commands.settings.file import PATH

SET_BOTH_TIMES = "Set both times at once, for example `/agile config set quiet_hours 18:00-08:00`."
UNREADABLE_FILE = f"`{PATH}` cannot be read. Run `/agile config validate` and fix it first."
UNCHANGEABLE_FILE = (
    f"I cannot change `{PATH}` safely, because of the way it is written. Please edit it yourself."
)
IS_IN_FILE_ALREADY = f"`{PATH}` sets this value already."


def account_setting_text(key: str) -> str:
    """Refuse a setting that only the whole account has."""
    return f"`{key}` applies to the whole organization. Set it in the organization's repository `.github`."


def admin_setting_text(key: str) -> str:
    """Refuse a command that would change who may do what."""
    return (
        f"`{key}` controls who may do what, so only an admin can set it by command. Anyone can propose it in "
        f"`{PATH}`."
    )


def unset_text(key: str) -> str:
    """Confirm that a command no longer sets a setting."""
    return f"`{key}` is no longer set by command. The settings file or the default applies."


def changed_text(difference: Difference) -> str:
    """Confirm a change that is in force."""
    return f"This applies from now on:\n\n{diff_table([difference], is_done=True)}"


def unchanged_text(key: str) -> str:
    """Say that a command would set the value that it has set before."""
    return f"`{key}` has this value already."


def proposal_title(shown: str) -> str:
    """The title of the pull request that proposes a setting."""
    return inert(f"Change settings: {shown}")


def proposal_body(asker: str, thread: int, difference: Difference) -> str:
    """The description of the pull request that proposes a setting."""
    return (
        f"{person(asker)} requested this change in #{thread}.\n\n{diff_table([difference])}\n\n"
        "It applies as soon as this pull request is merged."
    )


def proposed_text(title: str, difference: Difference) -> str:
    """Confirm that a pull request proposes a setting."""
    return (
        f"This repository has a settings file, so I opened the pull request “{plain(title)}” to change "
        f"`{PATH}`. The change applies as soon as you merge it.\n\n{diff_table([difference])}"
    )


def unknown_setting_text(key: str, names: Iterable[str]) -> str:
    """Name the settings that there are, instead of an unknown one."""
    return f"There is no setting “{plain(key)}”. The settings are {_list_codes(names)}."


def unknown_part_text(name: str, path: Sequence[str], parts: Iterable[str]) -> str:
    """Name the parts of a setting, instead of an unknown one."""
    around, shown = code(".".join(path)), _list_codes(parts)
    if not shown:
        return f"{around} has no parts, so there is no {code(name)} in it."
    return f"There is no {code(name)} in {around}. You can set {shown}."


def only_in_file_text(path: Sequence[str]) -> str:
    """Refuse a setting that is too complex for a command."""
    return f"{code('.'.join(path))} is too complex for a command. Please set it in `{PATH}`."


def mapping_text(path: Sequence[str], example: str) -> str:
    """Refuse a single value for a setting with several parts."""
    key = ".".join(path)
    such_as = f", such as {code(example)}" if example else ""
    return f"{code(key)} has several parts{such_as}. Name the part to set: {code(f'{key}.…')}."


def invalid_times_text(text: str) -> str:
    """Refuse quiet hours that are not two times."""
    return f"{code(text)} is not a range of times. {SET_BOTH_TIMES}"


def _list_codes(names: Iterable[str]) -> str:
    return ", ".join(code(name) for name in names)
