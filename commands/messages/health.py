"""The text of `/agile health`: findings that need attention, then the figures."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from charts.reading import whole
from commands.formatting.foreign_text import one_line
from commands.formatting.wording import code, counted, format_moment, plain, table
from commands.framework.ports import Health
from commands.messages.completeness import GAP_REASONS, span_text
from commands.messages.config import in_force_text, out_of_sight_text
from commands.settings.file import PATH
from sprints.calendar import Calendar
from sprints.gaps import EventGap, select_unread
from storage.account_status import AccountStatus
from storage.settings_files import StoredSettingsFile

# The share of GitHub's hourly limit below which answers may soon have to wait.
_LOW = 0.1
_MANY_WAITING = 100
_MOST_GAPS = 3


@dataclass(frozen=True, slots=True)
class SharingHealth:
    """The repositories that share their sprints, the leading one first, and configured ones that do not."""

    shared: tuple[str, ...]
    missing: tuple[str, ...]
    is_mixed: bool = False


@dataclass(frozen=True, slots=True)
class HealthFacts:
    """The facts behind the health card.

    `files` are the repository's and the organization's settings files. `gaps` are the spans in which
    events did not arrive, the oldest first.
    """

    status: AccountStatus
    health: Health
    files: tuple[StoredSettingsFile, StoredSettingsFile]
    synced_at: datetime | None
    other_bots: tuple[str, ...]
    calendar: Calendar
    sharing: SharingHealth | None = None
    gaps: tuple[EventGap, ...] = ()


def health_card(facts: HealthFacts) -> str:
    """The verdict, the findings that need attention, and the figures."""
    findings = list(_findings(facts))
    if findings:
        verb = "needs" if len(findings) == 1 else "need"
        parts = [f"**{counted(len(findings), 'thing')} {verb} attention:**", _bullets(findings)]
        if closing := _acceptance_sentence(facts.health):
            parts.append(closing)
    elif facts.gaps:
        parts = [
            "**All is well.** I fetched the events that had not arrived, and nothing needs your attention."
        ]
    else:
        parts = ["**All is well.** Every event arrived and was processed, and nothing needs your attention."]
    parts.append(table(("What", "Status"), _rows(facts), numbers_from=2))
    return "\n\n".join(parts)


def _bullets(findings: Sequence[str]) -> str:
    return "\n".join(f"- {finding}" for finding in findings)


def _findings(facts: HealthFacts) -> Iterator[str]:
    status, health = facts.status, facts.health
    yield from _grants(health)
    for where, file in zip(("repository", "organization"), facts.files, strict=True):
        yield from _file(where, file)
    if facts.sharing and facts.sharing.missing:
        yield _not_shared_finding(facts.sharing)
    yield from (_gap_finding(gap, facts) for gap in select_unread(facts.gaps))
    if status.missed:
        sent = _sent_text(min(status.missed), max(status.missed), facts)
        yield (
            f"{counted(len(status.missed), 'event')} {sent} did not arrive. I keep asking GitHub for missing "
            "events for 3 days. To compare the running sprints with GitHub now, run `/agile resync`."
        )
    if status.lost:
        sent = _sent_text(status.lost[0].delivered_at, status.lost[-1].delivered_at, facts)
        kinds = Counter(delivery.event for delivery in status.lost)
        counts = ", ".join(f"{count} {code(kind)}" for kind, count in sorted(kinds.items()))
        verb = "is" if len(status.lost) == 1 else "are"
        yield (
            f"{counted(len(status.lost), 'event')} {sent} {verb} lost: {counts}. GitHub no longer delivers "
            "such old events, and has no other record of these. If a command got no answer, run it again."
        )
    if status.parked:
        yield (
            f"I could not process {counted(status.parked, 'event')} because of a bug, which has been logged. "
            "`/agile resync` restores what the running sprints missed."
        )
    if status.refused:
        yield f"In the last 7 days, GitHub rejected {counted(status.refused, 'answer')} of mine."
    if status.waiting > _MANY_WAITING:
        yield f"{whole(status.waiting)} events are waiting to be processed, so answers may be late."
    if health.limit and health.remaining < health.limit * _LOW:
        yield (
            f"GitHub allows only {counted(health.remaining, 'more request')} until "
            f"{_at(health.resets_at, facts)}. When none are left, answers wait until then."
        )


def _file(where: str, file: StoredSettingsFile) -> Iterator[str]:
    if file.problems:
        yield (
            f"The {where}'s `{PATH}` has {counted(len(file.problems), 'problem')}: {file.problems[0]}"
            f"{'; …' if len(file.problems) > 1 else '.'} {in_force_text(file.wrong, file.settings)}"
        )
    if file.is_out_of_sight:
        yield out_of_sight_text(where)


def _grants(health: Health) -> Iterator[str]:
    for name, purpose in health.missing.items():
        yield f"The permission `{name}` is missing. It lets the App {purpose}."
    for name, purpose in health.missing_events.items():
        yield f"GitHub doesn't send the `{name}` event. It lets the App {purpose}."


def _acceptance_sentence(health: Health) -> str:
    """Say who must grant the App its missing permissions, and where. Empty if none is missing."""
    lacking = {*health.missing, *health.missing_events}
    kinds = (("permissions", health.missing), ("events", health.missing_events))
    lacking_text = f"the missing {' and '.join(kind for kind, names in kinds if names)}"
    sentences = []
    if lacking & set(health.unrequested):
        # An owner can accept only what the App itself requests.
        sentences.append(f"The people who run the App must first add {lacking_text} to it.")
        lacking_text = "the rest"
    if lacking - set(health.unrequested):
        owner = one_line(f"{health.owner[0].upper()}{health.owner[1:]}")
        where = f"on [its page on GitHub]({health.url})" if health.url else "on GitHub, under “GitHub Apps”"
        sentences.append(f"{plain(owner)} must accept {lacking_text} {where}.")
    return " ".join(sentences)


def _rows(facts: HealthFacts) -> Iterator[tuple[str, str]]:
    status, health = facts.status, facts.health
    newest = status.newest
    yield "Last event", f"{plain(newest[0])}, {_at(newest[1], facts)}" if newest else "none yet"
    yield "Events waiting", whole(status.waiting)
    yield "Events missed", _missed(facts)
    if facts.gaps:
        yield "Gaps in events", "; ".join(_gap_text(gap, facts) for gap in facts.gaps[-_MOST_GAPS:])
    yield "History of this repository", _past(facts)
    yield "Comparison with GitHub", _comparison(facts)
    yield (
        "Requests to GitHub left",
        f"{whole(health.remaining)} of {whole(health.limit)}, until {_at(health.resets_at, facts)}",
    )
    not_granted = len(health.missing) + len(health.missing_events)
    yield "Permissions", f"{not_granted} missing" if not_granted else "all granted"
    yield "Settings", _settings(facts.files)
    if facts.sharing and facts.sharing.shared:
        names = [plain(name) for name in facts.sharing.shared]
        yield "Repositories that share sprints", f"{', '.join(names)} (led by {names[0]})"
    if facts.other_bots:
        yield "Other bots", "Prow (found by its files): I leave its commands, such as `/help`, to it"


def _missed(facts: HealthFacts) -> str:
    if select_unread(facts.gaps):
        return "not known yet"
    expected, lost = len(facts.status.missed), len(facts.status.lost)
    return f"{whole(expected)}, and {whole(lost)} lost" if lost else whole(expected)


def _gap_finding(gap: EventGap, facts: HealthFacts) -> str:
    span, cause = span_text(gap, facts.calendar), GAP_REASONS[gap.cause]
    if gap.ended_at is None:
        return (
            f"I have received no events {span}, because {cause}. Numbers are incomplete. When events arrive "
            "again, I will fetch what happened in the meantime."
        )
    if facts.status.is_backfilling:
        remedy = "I am importing this repository's history again. Until that is done, numbers are incomplete."
    else:
        remedy = (
            "Numbers are incomplete until I have imported this repository's history again, which I try every "
            "day. To do it now, run "
            f"`/agile resync since:{facts.calendar.day_of(gap.began_at).isoformat()}`."
        )
    return f"I received no events {span}, because {cause}. {remedy}"


def _gap_text(gap: EventGap, facts: HealthFacts) -> str:
    state = "filled in" if gap.is_read_again else "not filled in yet"
    return f"{span_text(gap, facts.calendar)}: {GAP_REASONS[gap.cause]}; {state}"


def _not_shared_finding(sharing: SharingHealth) -> str:
    if sharing.is_mixed:
        return (
            "The organization's file lists public and private repositories that share sprints. I don't "
            "combine them, because everyone could see what is private. List only public or only private "
            "repositories."
        )
    names = ", ".join(code(name) for name in sharing.missing)
    return (
        f"The organization's file lists {names} as sharing sprints, but the App has no access there. Install "
        "the App there, or correct the name."
    )


def _past(facts: HealthFacts) -> str:
    if facts.status.is_backfilling:
        return "importing now"
    return f"imported on {_at(facts.synced_at, facts)}" if facts.synced_at else "not imported yet"


def _comparison(facts: HealthFacts) -> str:
    status = facts.status
    corrections = counted(status.corrections, "correction")
    if status.is_comparing:
        return f"running now; {corrections} so far"
    following = f"; next on {_at(status.next_comparison, facts)}" if status.next_comparison else ""
    return f"{corrections} so far{following}"


def _settings(files: tuple[StoredSettingsFile, StoredSettingsFile]) -> str:
    names = [
        f"the {where}'s file"
        for where, file in zip(("repository", "organization"), files, strict=True)
        if file.sha is not None
    ]
    return " and ".join(names) or "no file"


def _sent_text(first: datetime, last: datetime, facts: HealthFacts) -> str:
    """Say when events were sent: at a moment, or between two."""
    if first == last:
        return f"sent on {_at(first, facts)}"
    return f"sent between {_at(first, facts)} and {_at(last, facts)}"


def _at(at: datetime, facts: HealthFacts) -> str:
    return format_moment(facts.calendar.local(at))
