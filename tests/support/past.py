"""A team's past for commands that look back: told to the bot's timeline as webhooks would have told it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sprints.model import ActivityEvent, Event, ItemEvent, MilestoneEvent
from storage.projects import Projects
from storage.recorder import Recorder, TimelineRow
from tests.support.builders import Box, Card, at
from tests.support.changes import query_database
from tests.support.clock import Clock
from tests.support.flow_cards import FlowCard
from tests.support.running import Bot

NOW = at("2026-11-18 12:00")  # A Wednesday, the third day of Sprint 24.
_FIRST_MONDAY = at("2026-10-19")


async def record_events(bot: Bot, *events: Event) -> None:
    """Record events on the timeline of the bot's own repository, which must exist already."""
    (tenant,) = [row[0] for row in await query_database(bot, "select organization_id from projects")]
    async with bot.base.database.tenant(tenant) as tenant_scope:
        (project,) = await Projects(tenant_scope).active()
        await Recorder(tenant_scope).record([TimelineRow(project.id, fact) for fact in events])


async def record_past(bot: Bot, clock: Clock, boxes: Sequence[Box] = (), cards: Sequence[Card] = ()) -> int:
    """Set the clock to `NOW` and record a past, by default the usual one. Returns an issue to ask in."""
    clock.now = NOW  # Before the bot hears of the repository, so that it has not known it for years.
    issue = await bot.github.create_issue(bot.repo, "A card to ask in")
    await bot.rest()
    if not boxes and not cards:
        boxes, cards = usual_past()
    milestones: list[MilestoneEvent] = [event for box in boxes for event in box.events]
    items: list[ItemEvent] = [event for card in cards for event in card.events]
    await record_events(bot, *milestones, *items)
    return int(issue["number"])


def usual_past(first_monday: datetime = _FIRST_MONDAY) -> tuple[list[Box], list[Card]]:
    """Four sprints of a week and one that runs. The second did one of four items; its rest was carried over.

    Each item is worth 3 points and assigned on Monday; item k of a sprint is done on day k, at noon.
    """
    boxes, cards = list[Box](), list[Card]()
    for n in range(5):
        monday = first_monday + timedelta(weeks=n)
        boxes.append(make_sprint_box(monday, 20 + n))
        for k in range(4):
            card = FlowCard(1000 + 10 * n + k, actor="alice").opened(monday - timedelta(days=2), "points: 3")
            card.joined(monday - timedelta(days=1), 7020 + n).assigned(monday + timedelta(hours=9), "bob")
            if k < count_done(n):
                card.closed(monday + timedelta(days=k, hours=12))
            elif n < 4:
                card.moved(monday + timedelta(days=7), 7020 + n, 7021 + n)
                card.closed(monday + timedelta(days=8 if k < 3 else 20, hours=12))
            cards.append(card)
    return boxes, cards


def count_done(sprint: int) -> int:
    """Count how many of a sprint's own four items were done before `NOW` or its end."""
    return (4, 1, 4, 4, 2)[sprint]


def make_sprint_box(monday: datetime, number: int) -> Box:
    """Make a sprint from a Monday to its Friday."""
    friday = (monday + timedelta(days=4)).date().isoformat()
    box = Box(
        monday - timedelta(days=3),
        milestone=7000 + number,
        number=number,
        title=f"Sprint {number}",
        start=f"{monday:%m-%d}",
        due=friday,
    )
    box.events = [replace(event, actor="alice") for event in box.events]
    return box


async def ask_command(bot: Bot, number: int, text: str, as_user: str = "alice") -> str:
    """Run a command and return the bot's answer, without its marker."""
    before = await bot.answers(number)
    await bot.say(number, f"{text} new:yes", as_user=as_user)
    # What goes wrong is told by editing the last such comment, whose invisible marker changes.
    (answer,) = [answer for answer in await bot.answers(number) if answer not in before]
    return answer.partition("\n\n<!-- agile-github-suite")[0]


def make_push(when: str, login: str, commits: int) -> ActivityEvent:
    """Make a push to the default branch."""
    return ActivityEvent(
        "push", f"{login}-{when}", "pushed", at(when), f"push-{login}-{when}", {"commits": {login: commits}}
    )
