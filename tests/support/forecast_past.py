"""Ten weekly sprints as a past for forecasts."""

from datetime import timedelta

from sprints.model import Event
from storage.projects import Projects
from storage.recorder import Recorder, TimelineRow
from tests.support.builders import Box, Card, at
from tests.support.changes import query_database
from tests.support.clock import Clock
from tests.support.running import Bot

MONDAYS = ["09-07", "09-14", "09-21", "09-28", "10-05", "10-12", "10-19", "10-26", "11-02"]


NOW = at("2026-11-11 12:00")


async def record_forecast_past(bot: Bot, clock: Clock, *, done: int = 4, open_items: int = 1) -> int:
    """Nine weekly sprints with 5 items of 2 points of which 4 were done, and one that runs; the first open
    item's number is returned.
    """
    first = await bot.github.create_issue(bot.repo, "A card to ask in")
    await bot.rest()
    (tenant,) = [row[0] for row in await query_database(bot, "select organization_id from projects")]
    boxes, cards = list[Box](), list[Card]()
    number = 1000
    for n, monday in enumerate([*MONDAYS, "11-09"], start=1):
        start = at(f"2026-{monday}")
        friday = (start + timedelta(days=4)).date().isoformat()
        box = Box(start - timedelta(days=3), milestone=7000 + n, number=n, title=f"Week {n}", start=f"{start:%m-%d}", due=friday)  # fmt: skip
        boxes.append(box)
        for i in range(5):
            number += 1
            card = Card(number).opened(start - timedelta(days=2), "points: 2")
            card = card.joined(start - timedelta(days=1), 7000 + n)
            if i < done and start + timedelta(days=i, hours=10) < NOW:
                card = card.closed(start + timedelta(days=i, hours=10))
            cards.append(card)
    async with bot.base.database.tenant(tenant) as tenant_scope:
        (project,) = await Projects(tenant_scope).active()
        facts: list[Event] = [
            *(event for box in boxes for event in box.events),
            *(event for card in cards for event in card.events),
        ]
        await Recorder(tenant_scope).record([TimelineRow(project.id, event) for event in facts])
    clock.now = NOW
    return int(first["number"])


async def ask_for_forecast(bot: Bot, number: int, text: str) -> str:
    """Run a command and return the bot's last answer, without its marker."""
    await bot.say(number, f"{text} new:yes")
    return (await bot.answers(number))[-1].partition("<!-- agile-github-suite")[0]
