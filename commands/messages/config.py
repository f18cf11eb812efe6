"""The texts of `/agile config`: the effective settings with their sources, and the effect of a file."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from commands.formatting.wording import code, counted, folded, footer, table
from commands.messages.setting_changes import shorten_both
from commands.settings.file import PATH, SettingsFile, load_schema
from commands.settings.text import format_yaml
from storage.settings_files import SettingOrigins, StoredSettingsFile

_MOST_SHOWN = 100
# A setting with its values before and after a change; None stands for a missing value.
Difference = tuple[str, Any, Any]


@dataclass(frozen=True, slots=True)
class SettingsSource:
    """One source of settings, with its name for people."""

    words: str
    settings: Mapping[str, Any]


def setting_sources(origins: SettingOrigins) -> tuple[SettingsSource, ...]:
    """All sources of settings, the one with the highest precedence first."""
    return (
        SettingsSource("a command", origins.from_commands),
        SettingsSource("the repository's file", origins.repository.settings),
        SettingsSource("the operator, for this repository", origins.operator_here),
        SettingsSource("the organization's file", origins.organization.settings),
        SettingsSource("the operator", origins.operator),
    )


def settings_text(origins: SettingOrigins) -> str:
    """The effective settings with their sources; those at their default are folded."""
    rows, unset = list[tuple[str, ...]](), list[tuple[str, ...]]()
    for key, rule in load_schema()["properties"].items():
        setters = [source for source in setting_sources(origins) if key in source.settings]
        if not setters:
            unset.append((f"`{key}`", rule["title"], _default(rule)))
            continue
        hidden = f"; overrides {setters[1].words}" if len(setters) > 1 else ""
        rows.append((f"`{key}`", _value(setters[0].settings[key]), f"{setters[0].words}{hidden}"))
    parts = [_warning(origins)]
    if rows:
        parts.append(table(("Setting", "Value", "Set by"), rows, numbers_from=3))
    else:
        parts.append("Nothing is set here, so all defaults apply.")
    if unset:
        default_rows = table(("Setting", "What", "Default"), unset, numbers_from=3)
        parts.append(folded(f"{counted(len(unset), 'setting')} at the default value", default_rows))
    parts.append(
        footer(
            f"set it in a file: `{PATH}`",
            "or by command: `/agile config set timezone Europe/Berlin`",
            "`/agile roles` shows who may run what",
        )
    )
    return "\n\n".join(part for part in parts if part)


def _warning(origins: SettingOrigins) -> str:
    """Warnings about a settings file that is invalid or cannot be seen any more."""
    files = (("repository", origins.repository), ("organization", origins.organization))
    wrong = [
        f"> [!WARNING]\n> The latest version of the {where}'s `{PATH}` is invalid:\n"
        + "\n".join(f"> - {problem}" for problem in file.problems)
        + f"\n>\n> {in_force_text(file.wrong, file.settings)}"
        for where, file in files
        if file.problems
    ]
    unseen = [f"> [!NOTE]\n> {out_of_sight_text(where)}" for where, file in files if file.is_out_of_sight]
    return "\n\n".join([*wrong, *unseen])


def in_force_text(
    wrong: Sequence[str],
    settings: Mapping[str, Any],
    contradicted: Collection[str] = (),
    *,
    is_proposed: bool = False,
) -> str:
    """Say which settings of an invalid file are in force: `settings`, where the `wrong` ones have problems.

    Without any `wrong` ones the whole file is unreadable. The last good values of the `contradicted` ones
    are not in force, because other settings of the file contradict them. With `is_proposed`, which settings
    would be in force if the file were merged.
    """
    if not wrong:
        return _nothing_in_force(settings, is_proposed=is_proposed)
    others = ", ".join(code(key) for key in settings if key not in wrong)
    ours = [key for key in wrong if key in load_schema()["properties"]]
    kept = [key for key in ours if key in settings]
    ignored = [code(key) for key in ours if key not in settings]
    if not others:
        parts = ["The file sets nothing else."]
    elif is_proposed:
        parts = [f"After the merge, all other settings in the file would apply: {others}."]
    else:
        parts = [f"All other settings in the file apply: {others}."]
    if kept:
        parts.append(_kept_text({key: settings[key] for key in kept}, is_proposed=is_proposed))
    if ignored:
        are = "would be" if is_proposed else "is" if len(ignored) == 1 else "are"
        parts.append(f"{', '.join(ignored)} {are} ignored.")
    parts += [
        f"The last valid value of {code(key)} "
        f"{'would no longer apply' if is_proposed else 'no longer applies'}, because other settings in the "
        "file contradict it."
        for key in contradicted
    ]
    return " ".join(parts)


def _kept_text(kept: Mapping[str, Any], *, is_proposed: bool) -> str:
    """Say which invalid settings keep their last valid values."""
    if len(kept) == 1:
        ((key, value),) = kept.items()
        return (
            f"{code(key)} {'would keep' if is_proposed else 'keeps'} its last valid value, {_value(value)}."
        )
    values = ", ".join(f"{code(key)} ({_value(value)})" for key, value in kept.items())
    return f"These {'would keep' if is_proposed else 'keep'} their last valid values: {values}."


def _nothing_in_force(settings: Mapping[str, Any], *, is_proposed: bool) -> str:
    """Say what applies instead of an unreadable file: `settings` of its last good version, or defaults."""
    nothing = "After the merge, nothing in it would apply." if is_proposed else "Nothing in it applies."
    names = ", ".join(code(key) for key in settings)
    if names:
        apply = "would still apply" if is_proposed else "still apply"
        return f"{nothing} The last valid settings {apply}: {names}."
    use = "would use" if is_proposed else "use"
    return f"{nothing} There is no earlier valid version, so I {use} the defaults and what is set elsewhere."


def in_force_text_with(read: SettingsFile, before: Mapping[str, Any], *, is_proposed: bool = False) -> str:
    """Say which settings are in force with an invalid file, where `before` was in force."""
    settings, contradicted = read.in_force_after(before), read.contradicted_after(before)
    return in_force_text(read.wrong, settings, contradicted, is_proposed=is_proposed)


def out_of_sight_text(where: str) -> str:
    """The warning that a file cannot be seen any more. `where` is `repository` or `organization`."""
    repository = "its repository `.github`" if where == "organization" else "the repository"
    return (
        f"I can no longer read the {where}'s `{PATH}`: {repository} was deleted, or the App lost access to "
        "it. Its last valid settings still apply. To change them, give the App access again."
    )


def invalid_file_text(read: SettingsFile, kept: StoredSettingsFile, where: str, *, is_proposed: bool) -> str:
    """The problems of a file that replaces `kept`. `is_proposed` means that it is not merged yet."""
    lines = "\n".join(f"- {problem}" for problem in read.problems)
    head = f"**{counted(len(read.problems), 'problem')} in `{PATH}`** {where}:"
    outcome = in_force_text_with(read, kept.settings, is_proposed=is_proposed)
    return f"{head}\n\n{lines}\n\n{outcome}"


def valid_file_text(
    settings: Mapping[str, Any], kept: StoredSettingsFile, where: str, *, is_proposed: bool
) -> str:
    """The confirmation of a valid file, with the settings that it changes against `kept`."""
    head = f"`{PATH}` {where} is valid."
    rows = differences(kept.settings, settings)
    if not rows:
        return f"{head} It changes nothing."
    moment = "After the merge, it would change" if is_proposed else "It was just pushed and will change"
    return f"{head} {moment}:\n\n{diff_table(rows)}"


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """List the settings that differ."""
    keys = [*before, *(key for key in after if key not in before)]
    return [(key, before.get(key), after.get(key)) for key in keys if before.get(key) != after.get(key)]


def diff_table(rows: Sequence[Difference], *, is_done: bool = False) -> str:
    """A table of settings before and after a change. `is_done` chooses the past for its headings."""
    cells = [(f"`{key}`", *_both_values(before, after)) for key, before, after in rows]
    heads = ("Before", "Now") if is_done else ("Now", "After")
    return table(("Setting", *heads), cells, numbers_from=3)


def no_file_text() -> str:
    """Explain how to begin a settings file."""
    return (
        f"There is no `{PATH}` here, so the defaults and what you set by command apply. The file could look "
        "like this:\n\n```yaml\ntimezone: Europe/Berlin\nworking_days: [mon, tue, wed, thu, fri]\n"
        "sizes: {S: 1, M: 3, L: 8}\n```"
    )


def _value(value: object) -> str:
    return "the default" if value is None else code(format_yaml(value, _MOST_SHOWN))


def _both_values(before: object, after: object) -> tuple[str, str]:
    """Two values for a table; of long ones, only what differs. A missing value is the default."""
    old, new = shorten_both(before, after, _MOST_SHOWN)
    return old or ("the default" if before is None else "–"), new or ("the default" if after is None else "–")


def _default(rule: Mapping[str, Any]) -> str:
    if rule["default"] in (None, [], {}):
        return "none" if rule["default"] is not None else "depends on whether the repository is public"
    return code(format_yaml(rule["default"], _MOST_SHOWN))
