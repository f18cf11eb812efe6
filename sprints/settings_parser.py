"""Parses the settings of a team from JSON (docs/settings.md describes each key).

Parsing is lenient: a malformed value has its default and never raises, because a typo in a settings file must
not stop all numbers. Problems are reported where a file is read, in `commands/settings/`.
"""

from collections.abc import Iterator, Mapping
from datetime import date, time
from decimal import Decimal, InvalidOperation
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sprints.cadence import Cadence, parse_period
from sprints.calendar import MONDAY_TO_FRIDAY, Calendar, is_in_range
from sprints.estimates import Estimates
from sprints.late import parse_credits
from sprints.quiet import QuietHours, QuietRules
from sprints.rules import MOST_DAYS_OFF, STARTED_LABELS, DaysOff, Rules, list_dates
from sprints.team_settings import (
    ENDANGERED,
    NO_ALERTS,
    AlertThresholds,
    CheckSettings,
    CommandRule,
    CommandSettings,
    SummaryPlace,
    TeamSettings,
    Tracking,
)
from sprints.wip import MOST_LIMIT, Team, WipLimits

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MOST_POINTS = 10_000


def parse_settings(raw: Mapping[str, object]) -> TeamSettings:
    """Parse all settings of a repository. Unknown keys are ignored."""
    periods = _days_off(raw.get("days_off"))
    days_off = tuple(period for period in periods if not period.person)
    return TeamSettings(
        rules=_rules(raw, days_off),
        days_off=days_off,
        absences=tuple(period for period in periods if period.person),
        shares=_shares(raw.get("people")),
        cadence=_cadence(raw.get("cadence")),
        teams=_teams(raw.get("teams")),
        wip_limits=_wip_limits(raw.get("wip")),
        alerts=_alerts(raw.get("alerts")),
        quiet=QuietRules(_quiet_threads(raw.get("quiet")), _quiet_hours(raw.get("quiet_hours"))),
        is_paused=raw.get("paused") is True,
        standup_at=_standup_time(raw.get("standup")),
        tracking=_tracking(raw.get("tracking")),
        tracking_threads=_tracking_threads(raw.get("threads")),
        summaries=_summaries(raw.get("summaries")),
        checks=_checks(raw.get("checks")),
        charts=_charts(raw.get("charts")),
        locale=_text(raw.get("locale")),
        late_credits=parse_credits(raw.get("late")),
        goal_verdicts={number: str(verdict) for number, verdict in _numbered(raw.get("goals"))},
        commands=_command_settings(raw),
    )


def parse_shared_repositories(raw: Mapping[str, object]) -> tuple[str, ...]:
    """Parse the names, in lower case, of the owner's repositories that share sprints.

    Needed whenever a repository is loaded, so it does not parse the other settings.
    """
    return tuple(str(name).lower() for name in _list(_mapping(raw.get("sprints")).get("repositories")))


def _rules(raw: Mapping[str, object], days_off: tuple[DaysOff, ...]) -> Rules:
    holidays = _holidays(raw.get("holidays")) | list_dates(days_off)
    return Rules(
        Calendar(_zones(raw.get("timezone")), _weekdays(raw.get("working_days")), holidays),
        Estimates(
            _sizes(raw.get("sizes")),
            tuple(_texts(raw.get("estimate_labels"))),
            _lower_texts(raw.get("done_labels")),
        ),
        _lower_texts(raw.get("started_labels")) or STARTED_LABELS,
    )


def _zones(value: object) -> tuple[tuple[date, ZoneInfo], ...]:
    """A zone's name, or a list of `{"from": day, "zone": name}` of a team that has moved."""
    entries = value if isinstance(value, list) else [{"zone": value}]
    zones = [
        (_day(entry.get("from")) or date.min, zone)
        for entry in entries
        if isinstance(entry, dict) and (zone := _zone(entry.get("zone")))
    ]
    return tuple(sorted(zones, key=lambda since_and_zone: since_and_zone[0])) or (
        (date.min, ZoneInfo("UTC")),
    )


def _zone(name: object) -> ZoneInfo | None:
    try:
        return ZoneInfo(str(name)) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _weekdays(value: object) -> frozenset[int]:
    names = {text[:3].lower() for text in _texts(value)}
    return frozenset(n for n, name in enumerate(_WEEKDAYS) if name in names) or MONDAY_TO_FRIDAY


def _holidays(value: object) -> frozenset[date]:
    days = [_day(item) for item in _list(value)]
    return frozenset(day for day in days if day and is_in_range(day))


def _days_off(value: object) -> tuple[DaysOff, ...]:
    """The periods of `[{"from": day, "to": day, "name": text, "person": login}]`, the earliest first.

    Left out is a period that ends before it begins, is longer than a year, or lies outside of the years that
    can be computed with.
    """
    periods = []
    for entry in _list(value):
        if not isinstance(entry, dict) or (first := _day(entry.get("from"))) is None:
            continue
        last = _day(entry.get("to", entry["from"]))
        if last and 0 <= (last - first).days < MOST_DAYS_OFF and is_in_range(first) and is_in_range(last):
            person = _text(entry.get("person")).lower()
            periods.append(DaysOff(first, last, str(entry.get("name") or ""), person))
    return tuple(sorted(periods, key=lambda period: (period.first, period.last, period.name, period.person)))


def _shares(value: object) -> dict[str, Decimal]:
    """The parts of their time by login, in lower case, of `{"alice": "100%", "bob": 60}`."""
    shares = {str(login).lower(): _percent(share) for login, share in _mapping(value).items()}
    return {login: share for login, share in shares.items() if share is not None}


def _percent(value: object) -> Decimal | None:
    """Parse `60%`, or the number 60, as 0.6."""
    number = _integer(value.removesuffix("%")) if isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= 100:
        return None
    return Decimal(number) / 100


def _cadence(value: object) -> Cadence | None:
    """`2 weeks`, or `{"every": "2 weeks", "starts": "mon"}`."""
    entries = {"every": value} if isinstance(value, str) else _mapping(value)
    days, starts = parse_period(entries.get("every")), _text(entries.get("starts"))[:3].lower()
    if days is None:
        return None
    return Cadence(days, _WEEKDAYS.index(starts) if starts in _WEEKDAYS else None)


def _sizes(value: object) -> dict[str, Decimal]:
    sizes = dict[str, Decimal]()
    for name, number in _mapping(value).items():
        try:
            points = Decimal(str(number))
        except InvalidOperation:
            continue
        if points.is_finite() and 0 <= points < _MOST_POINTS:
            sizes[str(name).upper()] = points
    return sizes


def _teams(value: object) -> tuple[Team, ...]:
    """The teams of `{slug: {"labels": […], "people": […]}}`, sorted by slug."""
    entries = ((str(slug).lower(), _mapping(entry)) for slug, entry in _mapping(value).items())
    teams = (
        Team(slug, _lower_texts(entry.get("labels")), _lower_texts(entry.get("people")))
        for slug, entry in entries
    )
    return tuple(sorted(teams, key=lambda team: team.slug))


def _wip_limits(value: object) -> WipLimits:
    """The limits of `{"limit": 5, "teams": {"checkout": 3}}`."""
    entries = _mapping(value)
    limits = {str(slug): _limit(number) for slug, number in _mapping(entries.get("teams")).items()}
    by_team = {slug: limit for slug, limit in limits.items() if limit is not None}
    return WipLimits(_limit(entries.get("limit")), by_team)


def _limit(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 < value <= MOST_LIMIT else None


def _alerts(value: object) -> AlertThresholds:
    """`off`, or a threshold for each alert; `forecast` is in tenths there."""
    if _is_off(value):
        return NO_ALERTS
    entries, default = _mapping(value), AlertThresholds()
    tenths = _threshold(entries.get("forecast"), ENDANGERED * 10, 10)
    return AlertThresholds(
        scope=_whole_threshold(entries.get("scope"), default.scope, 1000),
        forecast=None if tenths is None else tenths / 10,
        blocked=_whole_threshold(entries.get("blocked"), default.blocked, 100),
        half_way=not _is_off(entries.get("half_way")),
        days_left=_whole_threshold(entries.get("days_left"), default.days_left, 30),
    )


def _is_off(value: object) -> bool:
    return value is False or (isinstance(value, str) and value.strip().lower() in {"off", "no", "false"})


def _threshold(value: object, default: float, most: float) -> float | None:
    if _is_off(value):
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= most:
        return float(value)
    return default


def _whole_threshold(value: object, default: int | None, most: int) -> int | None:
    threshold = _threshold(value, float(default or 0), most)
    return None if threshold is None else max(int(threshold), 1)


def _quiet_threads(value: object) -> dict[int, date]:
    """The first day that is not quiet for each thread of `{"7": "on", "8": "2026-12-01"}`, or `date.max`."""
    threads = dict[int, date]()
    for number, state in _numbered(value):
        end = date.max if state is True or state == "on" else _day(state)
        if end is not None:
            threads[number] = end
    return threads


def _quiet_hours(value: object) -> QuietHours | None:
    entries = _mapping(value)
    begin, end = _time(entries.get("from")), _time(entries.get("until"))
    return None if begin is None or end is None or begin == end else QuietHours(begin, end)


def _standup_time(value: object) -> time | None:
    return _time(value) if isinstance(value, str) else None


def _tracking(value: object) -> Tracking:
    """A thread's number, with or without `#`, `issue` or `off`."""
    if isinstance(value, str) and value.removeprefix("#").isdecimal():
        value = _integer(value.removeprefix("#"))
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    if value is False or value == "off":
        return "off"
    return "issue" if value == "issue" else None


def _tracking_threads(value: object) -> dict[int, int]:
    return {
        milestone: thread
        for milestone, thread in _numbered(value)
        if isinstance(thread, int) and not isinstance(thread, bool)
    }


def _summaries(value: object) -> SummaryPlace:
    match value:
        case False | "off":
            return "off"
        case "issue":
            return "issue"
        case "release":
            return "release"
        case _:
            return "tracking"


def _checks(value: object) -> CheckSettings:
    entries = _mapping(value)
    return CheckSettings(
        is_off=value == "off",
        exempts_bots=entries.get("exempt_bots") is not False,
        requires_sprint_item=entries.get("require_sprint_item") is True,
    )


def _charts(value: object) -> Literal["image", "mermaid"] | None:
    if value == "image":
        return "image"
    return "mermaid" if value == "mermaid" else None


def _command_settings(raw: Mapping[str, object]) -> CommandSettings:
    entries = _mapping(raw.get("commands"))
    rules = {name: _command_rule(entry) for name, entry in entries.items() if isinstance(entry, Mapping)}
    return CommandSettings(
        rules=rules,
        has_short_forms=entries.get("short") is not False,
        roles={str(login).lower(): str(role or "") for login, role in _mapping(raw.get("roles")).items()},
        bots=_lower_texts(raw.get("bots")),
        answers_strangers=raw.get("strangers") != "silence",
        is_public_readable=raw.get("public") == "read",
    )


def _command_rule(entry: Mapping[str, object]) -> CommandRule:
    has_short_form, name = entry.get("short"), entry.get("name")
    return CommandRule(
        role=str(entry.get("role") or "").lower(),
        teams=_lower_texts(entry.get("teams")),
        users=_lower_texts(entry.get("users")),
        has_short_form=has_short_form if isinstance(has_short_form, bool) else None,
        name=name if isinstance(name, str) else None,
    )


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: object) -> list[str]:
    return [item for item in _list(value) if isinstance(item, str)]


def _lower_texts(value: object) -> frozenset[str]:
    return frozenset(text.lower() for text in _texts(value))


def _numbered(value: object) -> Iterator[tuple[int, object]]:
    """The entries of a mapping that are by the number of a thread or the id of a milestone."""
    for key, entry in _mapping(value).items():
        number = _integer(key)
        if number is not None and str(number) == key:
            yield number, entry


def _integer(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None


def _time(value: object) -> time | None:
    """A local time of day such as 9:30; a time zone in it is ignored."""
    try:
        return time.fromisoformat(str(value).zfill(5)).replace(tzinfo=None) if value else None
    except ValueError:
        return None
