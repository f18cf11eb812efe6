"""Problems that no schema can express: well-formed values that make no sense or contradict others."""

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from commands.formatting.wording import code
from commands.settings.yaml_document import Document, Json, Path_, Problem
from sprints.calendar import FIRST_DAY, LAST_DAY, is_in_range
from sprints.rules import MOST_DAYS_OFF


def find_contradictions(document: Document, settings: Json, commands: Collection[str]) -> Iterator[Problem]:
    """Find contradictions in settings that match the schema. `commands` are the names of all commands."""
    yield from _check_commands(document, settings.get("commands", {}), commands)
    yield from _check_teams(document, settings)
    yield from _check_zones(document, settings.get("timezone"))
    yield from _check_holidays(document, settings.get("holidays", ()))
    yield from _check_days_off(document, settings.get("days_off", ()))
    yield from _check_quiet_hours(document, settings.get("quiet_hours"))
    yield from _check_sizes(document, settings.get("sizes", {}))
    yield from _check_labels(document, settings)


def _check_commands(document: Document, rules_of: Json, commands: Collection[str]) -> Iterator[Problem]:
    verbs = {name.split()[0] for name in commands}
    names = dict[str, str]()
    for command, rules in rules_of.items():
        if not isinstance(rules, Mapping):
            continue
        path = ("commands", command)
        if command not in commands and command not in verbs:
            close = difflib.get_close_matches(command.lower(), [*commands, *verbs], n=1)
            hint = f"; did you mean `{close[0]}`?" if close else ""
            yield document.problem(path, f"there is no command {code(command)}{hint}")
        elif command not in commands and set(rules) - {"short"}:
            some = ", ".join(f"`{name}`" for name in sorted(commands) if name.split()[0] == command)
            yield document.problem(path, f"`{command}` alone is not a command; use one of {some}")
        elif command not in verbs and "short" in rules:
            first = command.split()[0]
            text = f"`short` applies to every command that begins with `/{first}`, so put it under `{first}`"
            yield document.problem((*path, "short"), text)
        if (name := rules.get("name")) is not None:
            if name in verbs:
                yield document.problem((*path, "name"), f"{code(name)} is the name of another command")
            elif name in names:
                text = f"{code(name)} is already the name of {code(names[name])}"
                yield document.problem((*path, "name"), text)
            names[name] = command


def _check_teams(document: Document, settings: Json) -> Iterator[Problem]:
    teams = settings.get("teams")
    for slug in settings.get("wip", {}).get("teams", {}):
        if teams is not None and slug not in teams:
            path = ("wip", "teams", slug)
            yield document.problem(path, f"{code(slug)} is not one of the `teams` in this file")
    owners = dict[str, str]()
    for slug, team in (teams or {}).items():
        for label in team.get("labels", ()):
            if label.lower() in owners and owners[label.lower()] != slug:
                text = f"the label {code(label)} already belongs to the team {code(owners[label.lower()])}"
                yield document.problem(("teams", slug, "labels"), text)
            owners.setdefault(label.lower(), slug)


def _check_zones(document: Document, zones: object) -> Iterator[Problem]:
    """Each zone but the first needs a first day, and no two share one."""
    if not isinstance(zones, list):
        return
    starts = dict[str, int]()
    for n, zone in enumerate(zones):
        first, path = zone.get("from"), ("timezone", n)
        if first is None and n > 0:
            text = "each zone except the first needs the day on which it begins"
            yield document.problem(path, f"`timezone.from` is missing; {text}")
        elif first is not None and not is_in_range(date.fromisoformat(first)):
            yield document.problem((*path, "from"), f"`timezone.from` {_OUT_OF_RANGE}, not {code(first)}")
        elif first in starts:
            yield document.problem(
                (*path, "from"), f"two zones begin on {code(first)}, so keep only one of them"
            )
        if first is not None:
            starts.setdefault(first, n)


_OUT_OF_RANGE = f"must be a day from {FIRST_DAY.year} to {LAST_DAY.year}"


def _check_holidays(document: Document, days: Sequence[str]) -> Iterator[Problem]:
    yield from _find_repeated(document, ("holidays",), days)
    for n, day in enumerate(days):
        if not is_in_range(date.fromisoformat(day)):
            yield document.problem(("holidays", n), f"`holidays` {_OUT_OF_RANGE}, not {code(day)}")


def _check_days_off(document: Document, stretches: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    for n, stretch in enumerate(stretches):
        path, first = ("days_off", n), date.fromisoformat(stretch["from"])
        last = date.fromisoformat(stretch.get("to", stretch["from"]))
        if not (is_in_range(first) and is_in_range(last)):
            yield document.problem(path, f"`days_off` {_OUT_OF_RANGE}")
        elif last < first:
            text = f"`days_off` ends on {code(stretch['to'])}, before it begins on {code(stretch['from'])}"
            yield document.problem((*path, "to"), f"{text}; `from` is the first day and `to` the last")
        elif (last - first).days >= MOST_DAYS_OFF:
            yield document.problem((*path, "to"), f"`days_off` can last up to {MOST_DAYS_OFF} days")


def _check_quiet_hours(document: Document, hours: Mapping[str, str] | None) -> Iterator[Problem]:
    if hours and hours["from"] == hours["until"]:
        text = (
            f"`quiet_hours` begin and end at {hours['from']}, so they have no effect; use two different times"
        )
        yield document.problem(("quiet_hours", "until"), f"{text}, or remove them")


def _check_sizes(document: Document, sizes: Mapping[str, object]) -> Iterator[Problem]:
    """Find sizes that differ only in case."""
    sizes_by_key = dict[str, str]()
    for size in sizes:
        if (first := sizes_by_key.setdefault(size.upper(), size)) != size:
            text = f"{code(size)} is the same size as {code(first)}, so keep only one of them"
            yield document.problem(("sizes", size), text)


def _check_labels(document: Document, settings: Json) -> Iterator[Problem]:
    """Find labels with two meanings, and labels, people and teams that are listed twice."""
    contradictory = find_ambiguous_labels(settings)
    for n, label in enumerate(settings.get("done_labels", ())):
        if label.lower() in contradictory:
            text = f"the label {code(label)} cannot mean done, because in `started_labels` it means started"
            yield document.problem(("done_labels", n), text)
    for key in ("started_labels", "done_labels", "estimate_labels", "bots"):
        yield from _find_repeated(document, (key,), settings.get(key, ()))
    for slug, team in settings.get("teams", {}).items():
        for key in ("labels", "people"):
            yield from _find_repeated(document, ("teams", slug, key), team.get(key, ()))
    for command, rules in settings.get("commands", {}).items():
        if isinstance(rules, Mapping):
            for key in ("teams", "users"):
                yield from _find_repeated(document, ("commands", command, key), rules.get(key, ()))


def find_ambiguous_labels(settings: Json) -> set[str]:
    """The labels, in lower case, that mean both done and started."""
    done, started = (settings.get(key) or () for key in ("done_labels", "started_labels"))
    return {label.lower() for label in done} & {label.lower() for label in started}


def _find_repeated(document: Document, path: Path_, texts: Sequence[str]) -> Iterator[Problem]:
    earlier = set[str]()
    for n, text in enumerate(texts):
        if text.lower() in earlier:
            yield document.problem((*path, n), f"{code(text)} is listed twice")
        earlier.add(text.lower())
