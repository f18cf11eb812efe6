"""What no schema can tell of settings: well-formed values that make no sense, or contradict others."""

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from commands.formatting.wording import code
from commands.settings.yaml_document import Document, Json, Path_, Problem
from sprints.calendar import FIRST_DAY, LAST_DAY, is_in_range
from sprints.rules import MOST_DAYS_OFF


def find_contradictions(document: Document, settings: Json, commands: Collection[str]) -> Iterator[Problem]:
    """Of settings that the schema has nothing against. `commands` are the names of all commands."""
    yield from _commands(document, settings.get("commands", {}), commands)
    yield from _teams(document, settings)
    yield from _zones(document, settings.get("timezone"))
    yield from _holidays(document, settings.get("holidays", ()))
    yield from _days_off(document, settings.get("days_off", ()))
    yield from _quiet_hours(document, settings.get("quiet_hours"))
    yield from _sizes(document, settings.get("sizes", {}))
    yield from _labels(document, settings)


def _commands(document: Document, rules_of: Json, commands: Collection[str]) -> Iterator[Problem]:
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
            yield document.problem(path, f"`{command}` alone is no command; there are {some}")
        elif command not in verbs and "short" in rules:
            first = command.split()[0]
            text = f"`short` holds for all that begins with `/{first}`; put it under `{first}`"
            yield document.problem((*path, "short"), text)
        if (name := rules.get("name")) is not None:
            if name in verbs:
                yield document.problem((*path, "name"), f"{code(name)} is the name of another command")
            elif name in names:
                text = f"{code(name)} is the name of {code(names[name])} already"
                yield document.problem((*path, "name"), text)
            names[name] = command


def _teams(document: Document, settings: Json) -> Iterator[Problem]:
    teams = settings.get("teams")
    for slug in settings.get("wip", {}).get("teams", {}):
        if teams is not None and slug not in teams:
            path = ("wip", "teams", slug)
            yield document.problem(path, f"{code(slug)} is no team of `teams` in this file")
    owners = dict[str, str]()
    for slug, team in (teams or {}).items():
        for label in team.get("labels", ()):
            if label.lower() in owners and owners[label.lower()] != slug:
                text = f"the label {code(label)} is that of the team {code(owners[label.lower()])} already"
                yield document.problem(("teams", slug, "labels"), text)
            owners.setdefault(label.lower(), slug)


def _zones(document: Document, zones: object) -> Iterator[Problem]:
    """All but the first have a first day, each another one."""
    if not isinstance(zones, list):
        return
    seen = dict[str, int]()
    for n, zone in enumerate(zones):
        first, path = zone.get("from"), ("timezone", n)
        if first is None and n > 0:
            text = "each zone but the first needs `from`, the day on which it begins"
            yield document.problem(path, f"`timezone.from` is missing; {text}")
        elif first is not None and not is_in_range(date.fromisoformat(first)):
            yield document.problem((*path, "from"), f"`timezone.from` {_OUT_OF_RANGE}, not {code(first)}")
        elif first in seen:
            yield document.problem((*path, "from"), f"two zones begin on {code(first)}; keep one of them")
        if first is not None:
            seen.setdefault(first, n)


_OUT_OF_RANGE = f"must be a day from {FIRST_DAY.year} to {LAST_DAY.year}"


def _holidays(document: Document, days: Sequence[str]) -> Iterator[Problem]:
    yield from _repeated(document, ("holidays",), days)
    for n, day in enumerate(days):
        if not is_in_range(date.fromisoformat(day)):
            yield document.problem(("holidays", n), f"`holidays` {_OUT_OF_RANGE}, not {code(day)}")


def _days_off(document: Document, stretches: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    for n, stretch in enumerate(stretches):
        path, first = ("days_off", n), date.fromisoformat(stretch["from"])
        last = date.fromisoformat(stretch.get("to", stretch["from"]))
        if not (is_in_range(first) and is_in_range(last)):
            yield document.problem(path, f"`days_off` {_OUT_OF_RANGE}")
        elif last < first:
            text = f"`days_off` ends on {code(stretch['to'])}, before it begins on {code(stretch['from'])}"
            yield document.problem((*path, "to"), f"{text}; `from` is the first day, `to` the last")
        elif (last - first).days >= MOST_DAYS_OFF:
            yield document.problem((*path, "to"), f"`days_off` lasts longer than {MOST_DAYS_OFF} days")


def _quiet_hours(document: Document, hours: Mapping[str, str] | None) -> Iterator[Problem]:
    if hours and hours["from"] == hours["until"]:
        text = f"`quiet_hours` begin and end at {hours['from']}, so no hour is quiet; leave them out, or give"
        yield document.problem(("quiet_hours", "until"), f"{text} two different times")


def _sizes(document: Document, sizes: Mapping[str, object]) -> Iterator[Problem]:
    """Upper and lower case make no difference."""
    seen = dict[str, str]()
    for size in sizes:
        if (first := seen.setdefault(size.upper(), size)) != size:
            text = f"{code(size)} is the same size as {code(first)}; keep one of them"
            yield document.problem(("sizes", size), text)


def _labels(document: Document, settings: Json) -> Iterator[Problem]:
    """A label says one thing."""
    contradictory = find_ambiguous_labels(settings)
    for n, label in enumerate(settings.get("done_labels", ())):
        if label.lower() in contradictory:
            text = f"the label {code(label)} cannot say done, because in `started_labels` it says begun"
            yield document.problem(("done_labels", n), text)
    for key in ("started_labels", "done_labels", "estimate_labels", "bots"):
        yield from _repeated(document, (key,), settings.get(key, ()))
    for slug, team in settings.get("teams", {}).items():
        for key in ("labels", "people"):
            yield from _repeated(document, ("teams", slug, key), team.get(key, ()))
    for command, rules in settings.get("commands", {}).items():
        if isinstance(rules, Mapping):
            for key in ("teams", "users"):
                yield from _repeated(document, ("commands", command, key), rules.get(key, ()))


def find_ambiguous_labels(settings: Json) -> set[str]:
    """The labels, in lower case, by which an item would be both done and begun."""
    done, started = (settings.get(key) or () for key in ("done_labels", "started_labels"))
    return {label.lower() for label in done} & {label.lower() for label in started}


def _repeated(document: Document, path: Path_, texts: Sequence[str]) -> Iterator[Problem]:
    seen = set[str]()
    for n, text in enumerate(texts):
        if text.lower() in seen:
            yield document.problem((*path, n), f"{code(text)} is listed twice")
        seen.add(text.lower())
