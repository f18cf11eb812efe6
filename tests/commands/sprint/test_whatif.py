"""`/whatif` comes true: what it says is what `/forecast` says once the change has been made."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from commands.messages.forecast import finish_sentence
from sprints.forecast import Forecast
from sprints.outlook import Outlook
from tests.support.builders import Box, Card
from tests.support.changes import query_database
from tests.support.checks import find_check, open_pull_request
from tests.support.clock import Clock
from tests.support.past import ask_command, record_events
from tests.support.running import Bot
from tests.support.shared_sprints import plan_sprint, share_sprints

CHANCE = r"(more than 9 in 10|less than 1 in 10|\d in 10)"
Change = Callable[["Team"], Awaitable[Any]]


def day(offset: int) -> str:
    """A day so many days from today."""
    return f"{datetime.now(UTC).date() + timedelta(days=offset)}"


class Team:
    """A team with nine sprints behind it and one that runs; all asked at the same moment."""

    def __init__(self, bot: Bot, clock: Clock, chances: list[float]) -> None:
        self.bot, self.clock, self._chances = bot, clock, chances
        self.milestone = self.thread = self.large = self.small = self.unestimated = 0

    async def prepare(self) -> "Team":
        made = await self.bot.github.create_milestone(
            self.bot.repo, "Now", due_on=f"{day(9)}T07:00:00Z", description=f"Start: {day(-4)}"
        )
        self.milestone = made["number"]
        self.thread = await self.issue(None, milestone=None)
        self.large, self.small = await self.issue(5), await self.issue(2)
        self.unestimated = await self.issue(None)
        await self.bot.github.close_issue(self.bot.repo, await self.issue(3))
        await self.bot.rest()
        await self._record_past()
        # All that happens within the test has happened before this moment.
        self.clock.now = datetime.now(UTC) + timedelta(minutes=2)
        return self

    async def issue(self, points: int | None, milestone: int | None = -1) -> int:
        labels = [] if points is None else [f"points: {points}"]
        home = self.milestone if milestone == -1 else milestone
        made = await self.bot.github.create_issue(self.bot.repo, "Card", labels=labels, milestone=home)
        return int(made["number"])

    async def leave(self, number: int) -> None:
        await self.bot.github.update_issue(self.bot.repo, number, milestone=None)

    async def ask(self, text: str) -> str:
        answer = await ask_command(self.bot, self.thread, text)
        await self.bot.rest()
        return answer

    async def what_if(self, change: str) -> float:
        """The chance that `/whatif` tells, to the digit."""
        self._chances.clear()
        answer = await self.ask(f"/whatif {change}")
        assert self._chances, answer
        return round(self._chances[-1], 5)

    async def forecast(self) -> tuple[float, str]:
        """The chance that `/forecast` keeps to be graded, and its words."""
        words = await self.ask("/forecast")
        return (await self.kept(), words)

    async def kept(self) -> float:
        rows = await query_database(self.bot, "select chance from forecasts order by id desc limit 1")
        return float(rows[0].chance)

    async def _record_past(self) -> None:
        number, today = 5000, datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        for n in range(9):
            start = today - timedelta(days=20 + 14 * n)
            box = Box(start - timedelta(days=3), milestone=7000 + n, number=100 + n, title=f"Past {n}")
            box.edited(
                start - timedelta(days=2),
                description=f"Start: {start.date()}",
                due=f"{start.date() + timedelta(days=13)}",
            )
            events = list[Any](box.events)
            for i in range(6):
                number += 1
                card = Card(number).opened(start - timedelta(days=2), f"points: {1 + i}")
                card.joined(start - timedelta(days=1), 7000 + n)
                if i < 2 + n % 5:
                    card.closed(start + timedelta(days=2 * i + 1, hours=10))
                events += card.events
            await record_events(self.bot, *events)


@pytest.fixture
async def team(bot: Bot, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Team:
    """The team, and the chances behind the words of `/whatif`."""
    chances = list[float]()

    def noted(before: float, after: float, by: str, *, is_empty: bool) -> str:
        chances[:] = [before, after]
        return finish_sentence(before, after, by, is_empty=is_empty)

    monkeypatch.setattr("commands.messages.whatif.finish_sentence", noted)
    return await Team(bot, clock, chances).prepare()


async def taken_out(team: Team) -> None:
    await team.ask(f"/sprint remove #{team.large}")


async def both_taken_out(team: Team) -> None:
    await team.leave(team.large)
    await team.leave(team.unestimated)


async def one_added(team: Team) -> None:
    await team.issue(5)


async def two_added(team: Team) -> None:
    await team.issue(3)
    await team.issue(3)


async def due_later(team: Team) -> None:
    await team.bot.github.update_milestone(team.bot.repo, team.milestone, due_on=f"{day(16)}T07:00:00Z")


async def two_days_off(team: Team) -> None:
    days = [day(n) for n in range(9, 0, -1) if (datetime.now(UTC) + timedelta(days=n)).weekday() < 5]
    await team.ask(f"/calendar add {days[1]}..{days[0]}")


async def all_at_once(team: Team) -> None:
    await team.leave(team.small)
    await team.issue(8)
    await due_later(team)
    days = [day(n) for n in range(16, 0, -1) if (datetime.now(UTC) + timedelta(days=n)).weekday() < 5]
    await team.ask(f"/calendar add {days[0]}")


@pytest.mark.parametrize(
    ("question", "change"),
    [
        ("drop:#{large}", taken_out),
        ("drop:#{large},#{unestimated}", both_taken_out),
        ("add:5", one_added),
        ("add:2x3", two_added),
        ("due:{later}", due_later),
        ("days-off:2", two_days_off),
        ("drop:#{small} add:8 due:{later} days-off:1", all_at_once),
    ],
)
async def test_what_is_stated_comes_true(team: Team, question: str, change: Change) -> None:
    typed = question.format(**vars(team), later=day(16))
    assumed = await team.what_if(typed)
    await change(team)
    await team.bot.rest()

    chance, words = await team.forecast()

    assert chance == assumed, words


async def test_taking_out_the_last_sub_issue_makes_its_parent_count(team: Team) -> None:
    github, parent = team.bot.github, await team.issue(8)
    await github.trigger("sub_issues", "added", team.bot.repo, parent=parent, child=team.small)
    await team.bot.rest()
    answer = await team.ask(f"/whatif drop:#{team.small}")
    assert f"#{parent} then counts on its own, because no other item covers it any more." in answer
    covered = await team.ask(f"/whatif drop:#{parent}")
    assert f"#{parent} is already covered by #{team.small}, so taking it out would change nothing." in covered
    assumed = await team.what_if(f"drop:#{team.small}")
    await team.leave(team.small)
    await team.bot.rest()

    assert (await team.forecast())[0] == assumed


async def test_the_advice_comes_true_when_it_is_taken(team: Team) -> None:
    _, words = await team.forecast()
    advice = re.search(rf"Taking out (#\d+(?: and #\d+)*), [a-z ]+, would make it {CHANCE}\.", words)
    assert advice, words
    for number in re.findall(r"\d+", advice[1]):
        await team.leave(int(number))
    await team.bot.rest()

    _, after = await team.forecast()

    assert re.search(rf"\*\*{advice[2]}\*\* chance that the remaining", after, re.IGNORECASE), (words, after)


async def test_the_check_of_a_pull_request_comes_true_when_it_is_merged(team: Team) -> None:
    bot = team.bot
    pull = await open_pull_request(bot, body=f"Closes #{team.large}")
    table = (await find_check(bot, pull["head"]["sha"]))["output"]["summary"]
    row = re.search(rf"Chance to finish by [^|]+\| {CHANCE} \| \*\*{CHANCE}\*\*", table)
    assert row, table
    _, before = await team.forecast()
    assert re.search(rf"\*\*{row[1]}\*\* chance that the remaining", before, re.IGNORECASE)
    await bot.github.close_issue(bot.repo, team.large)
    await bot.rest()

    _, after = await team.forecast()

    assert re.search(rf"\*\*{row[2]}\*\* chance that the remaining", after, re.IGNORECASE)


async def test_an_item_of_another_repository_of_the_sprint_can_be_taken_out(team: Team) -> None:
    bot = team.bot
    other = str((await bot.github.create_repository(name=f"{bot.repository['name']}-pay"))["full_name"])
    (there,) = await plan_sprint(bot, other, "now", ("Refunds", "points: 8"))
    await share_sprints(bot, bot.repo, other)
    assumed = await team.what_if(f"drop:{other.upper()}#{there},#{team.small}")
    await bot.github.update_issue(other, there, milestone=None)
    await team.leave(team.small)
    await bot.rest()

    assert (await team.forecast())[0] == assumed


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("add:2x3", "with 2 more items of 3 points: the chance to finish by"),
        ("add:2×3", "with 2 more items of 3 points: the chance to finish by"),
        ("add:1X3", "with one more item of 3 points"),
        ("add:8", "with one more item of 8 points"),
        ("add:0x5", "`add` must be one size up to 9,999, such as `8` or `0.5`, or up to 100 items"),
        ("add:101x5", "`add` must be one size up to 9,999"),
        ("add:2x", "`add` must be one size up to 9,999"),
        (
            "days-off:0",
            "so `days-off:` can be from 1 to ",
        ),
        (
            "days-off:99",
            "so `days-off:` can be from 1 to ",
        ),
        (
            "days-off:1000",
            "so `days-off:` can be from 1 to ",
        ),
        ("due:2020-01-01", "`due:2020-01-01` is in the past. Use today or a later day."),
        ("due:{due}", "Now is due on "),
        ("drop:{repo}#{large}", "without #"),
        ("drop:acme/a_b_#7", "`acme/a_b_#7` is not open in Now, so taking it out would change nothing."),
        ("drop:#99999", "#99999 is not open in Now, so taking it out would change nothing."),
        (
            "drop:#{large},#{small},#{unestimated}",
            "**nothing is left open**. Until now, the chance is ",
        ),
        ('add:1 milestone:"Past 0"', 'so its numbers are final. `/sprint report for:"Past 0"` shows them.'),
    ],
)
async def test_what_is_asked_is_stated_again_or_refused_in_words(
    team: Team, question: str, words: str
) -> None:
    typed = question.format(**vars(team), due=day(9), repo=team.bot.repo)

    assert words in await team.ask(f"/whatif {typed}")


async def test_where_items_are_counted_a_bare_number_is_items(team: Team) -> None:
    for number in (team.large, team.small):
        await team.bot.github.update_issue(team.bot.repo, number, labels=[])
    await team.bot.rest()

    assert "with 3 more items: the chance to finish by" in await team.ask("/whatif add:3")
    assert "takes whole numbers up to 999" in await team.ask("/whatif add:0.5")


async def test_without_a_due_date_only_one_can_be_tried(team: Team) -> None:
    await team.bot.github.update_milestone(team.bot.repo, team.milestone, due_on=None)
    await team.bot.rest()

    assert "Now has no due date, so there is no chance to compare." in await team.ask("/whatif add:3")
    answer = await team.ask(f"/whatif due:{day(9)}")
    assert re.search(
        rf"the chance to finish is \*\*{CHANCE}\*\*\. Until now, it has no due date to compare with\.", answer
    )


async def test_in_an_empty_sprint_nothing_was_certain_before(team: Team) -> None:
    """It said "certain → 7 in 10", and `/forecast` expected about 0 items."""
    await team.bot.github.create_milestone(
        team.bot.repo, "Next", due_on=f"{day(23)}T07:00:00Z", description=f"Start: {day(10)}"
    )
    await team.bot.rest()

    forecast = await team.ask('/forecast milestone:"Next"')
    assert forecast.endswith('**Nothing is in it yet.** Run `/sprint add for:"Next"` in an issue to add it.')
    answer = await team.ask('/whatif add:2x5 milestone:"Next"')
    assert re.search(
        rf"with 2 more items of 5 points: the chance to finish by [^*]+ is \*\*{CHANCE}\*\*\. "
        r"Until now, nothing is in it\. It has not started;",
        answer,
    )
    assert "with 2 working days off: nothing is in it yet." in await team.ask(
        '/whatif days-off:2 milestone:"Next"'
    )


async def test_no_whole_forecast_is_made(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of them held the event loop for 167 ms in a long sprint, and only their chances were told."""

    def forecast(_: Outlook) -> Forecast:
        raise AssertionError("only chances are told")

    monkeypatch.setattr(Outlook, "forecast", forecast)

    assert "the chance to finish" in await team.ask("/whatif add:8")


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        (0.2, 0.3, "the chance to finish by Fri goes from 2 in 10 to **3 in 10**."),
        (0.2, 0.21, "the chance to finish by Fri stays at **2 in 10**."),
        (0.2, 1.0, "**nothing is left open**. Until now, the chance is 2 in 10."),
        (0.2, 0.0, "**no working days are left**. Until now, the chance is 2 in 10."),
        (1.0, 0.7, "the chance to finish by Fri is **7 in 10**. Until now, all that is in it is done."),
        (0.0, 0.7, "the chance to finish by Fri is **7 in 10**. Until now, no working days are left."),
        (None, 0.7, "the chance to finish by Fri is **7 in 10**. Until now, it has no due date to compare with."),
        (None, 1.0, "**nothing is left open**. Until now, it has no due date to compare with."),
        (1.0, 1.0, "nothing is left open, as before."),
        (0.0, 0.0, "no working days are left, as before."),
        (0.0, 1.0, "**nothing is left open**. Until now, no working days are left."),
    ],
)  # fmt: skip
def test_the_change_of_the_chance_is_a_sentence(before: float | None, after: float, sentence: str) -> None:
    assert finish_sentence(before, after, " by Fri") == sentence
