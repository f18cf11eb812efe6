"""`/team load`: by state, against limits, and never of fewer than three people."""

import re

from hypothesis import given, settings

from commands.messages.team_load import team_load_text
from commands.team.load import measure_load
from sprints.reviews import list_review_waits
from sprints.wip import Team
from sprints.work import RepositoryWork
from tests.support.builders import at
from tests.support.flow_cards import FlowCard, Repository, calendar, flows, repositories
from tests.support.repository_settings import replace_settings
from tests.support.running import Bot
from tests.support.sprints import make_sprint
from tests.support.sprints_strategies import NOWS

NOW = at("11-23 10:30")


def work(*cards: FlowCard) -> RepositoryWork:
    return RepositoryWork(tuple(flows(*cards, as_of="11-23 10:30").values()), NOW, calendar())


async def share_out(bot: Bot, number: int, *people: str) -> None:
    await bot.github.update_issue(bot.repo, number, assignees=list(people))
    await bot.rest()


async def test_it_tells_the_load_by_state(bot: Bot) -> None:
    number = await make_sprint(bot)
    await replace_settings(bot, '{"wip": {"limit": 3}}')
    await share_out(bot, number, "alice", "bob", "carol")
    await bot.say(number + 2, '/blocked reason:"no keys"')
    comment = await bot.say(number, "/team load", as_user="dave")

    (answer,) = await bot.answers(number)
    assert "1 item is in progress; the limit is 3." in answer
    assert "| In progress | 1 | 0 | 5 | 0 |" in answer
    assert "| Not started | 1 | 1 | 0 | 1 |" in answer
    assert "| **Open** | **2** | **1** | **5** | **1** |" in answer
    assert f"- #{number + 2} – for less than an hour, no keys" in answer
    assert not any(name in answer for name in ("alice", "bob", "carol"))
    assert bot.reactions(comment) == ["eyes", "+1"]


async def test_of_fewer_than_three_people_nothing_is_reported(bot: Bot) -> None:
    number = await make_sprint(bot)
    await share_out(bot, number, "alice", "bob")
    comment = await bot.say(number, "/team load")

    (answer,) = await bot.answers(number)
    assert "I show a team's figures only for 3 people or more" in answer
    assert "Here I know of 2. `/my` shows your own work." in answer
    assert bot.reactions(comment) == ["eyes", "confused"]


async def test_strangers_are_refused_and_words_pointed_at(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/team load", as_user="mallory")
    assert "`/team load` is for collaborators" in (await bot.answers(number))[0]
    await bot.say(number, "/team load @bob")
    assert "This argument does not exist: `/team load 👉@bob👈`" in (await bot.answers(number))[-1]


def test_a_team_that_is_too_small_is_named_without_a_figure() -> None:
    cards = [FlowCard(n).opened("11-01").assigned("11-20", who) for n, who in enumerate("abcd", start=1)]
    here = work(*cards)
    big, small = Team("pay", people=frozenset("abc")), Team("ops", people=frozenset("d"))
    loads = [
        measure_load(
            [flow for flow in here.flows if set(flow.assignees) & team.people], (), here, most=2, team=team
        )
        for team in (big, small)
    ]
    text = team_load_text(measure_load(here.flows, (), here, most=None), loads, here)

    assert "| pay | **3** | 2 | 0 | 0 | 3 | 0 |" in text
    assert "| ops" not in text
    assert "fewer than 3 people in them: ops." in text


def test_the_paused_and_the_reviews_are_reported() -> None:
    cards = [
        FlowCard(1).opened("11-01", "points: 2").assigned("11-02").paused("11-20"),
        FlowCard(2).proposed("11-20", 1, author="bob"),
    ]
    here = work(*cards)
    waits = list_review_waits(here.flows, (), NOW)
    text = team_load_text(measure_load(here.flows, waits, here, most=None), [], here)

    assert "| Paused | 1 | 0 | 2 | 0 |" in text
    assert "**Waiting for review (1)**\n\n- #2 – for 3 days" in text


@settings(deadline=None)
@given(repositories(), NOWS)
def test_every_row_adds_up_to_what_is_open(repository: Repository, now: object) -> None:
    as_of = at(now)  # type: ignore[arg-type]
    here = RepositoryWork(repository.flows(as_of), as_of, repository.rules.calendar)
    text = team_load_text(measure_load(here.flows, (), here, most=None), [], here)
    rows = [
        [float(cell) for cell in re.findall(r"\| \**([\d.]+)\**(?= \|)", line)]
        for line in text.splitlines()
        if line.startswith(("| In progress", "| Paused", "| Not started", "| **Open**"))
    ]

    assert len(rows) == 4
    assert [sum(column) for column in zip(*rows[:3], strict=True)] == rows[3]
    assert rows[3][0] == sum(flow.is_open and not flow.is_covered for flow in here.flows)
