"""`/sprint plan` counts the days that people can work, and scales the usual velocity by them."""

import json

from tests.support.clock import Clock
from tests.support.past import ask_command, record_past
from tests.support.repository_settings import replace_settings
from tests.support.running import Bot
from tests.support.special_sprints import make_overload_past

# Runs from Monday 16 to Friday 20 November 2026, after five sprints of a week.
PLAN = '/sprint plan "Sprint 25"'
BOB_AWAY = {"from": "2026-11-19", "to": "2026-11-21", "person": "Bob"}


async def plan(bot: Bot, clock: Clock, load: int = 24, **settings: object) -> str:
    number = await record_past(bot, clock, *make_overload_past(load))
    await replace_settings(bot, json.dumps(settings))
    return await ask_command(bot, number, PLAN)


async def test_absences_and_shares_scale_the_median(bot: Bot, clock: Clock) -> None:
    text = await plan(bot, clock, people={"alice": "100%", "bob": "60%"}, days_off=[BOB_AWAY])

    assert (
        "**Capacity:** 2 people, 6.8 of usually 8 person-days. 85 % of your median of 27 points is "
        "**22.95 points**; 24 points planned, 1.05 more. Away: `bob` 2 days."
    ) in text
    assert "| Median at 85 % capacity | 22.95 | 2.55 |" in text
    assert (
        "| `alice` | 100 % | 5 | 0 | 5 |\n| `bob` | 60 % | 5 | 2 | 1.8 |\n| **All** |  |  |  | **6.8** |"
        in text
    )
    # The verdict compares with the median, as before.
    assert "**It fits:** 24 points planned, 3 points less than the median" in text


async def test_an_absence_of_one_person_leaves_the_team_s_days_as_they_are(bot: Bot, clock: Clock) -> None:
    text = await plan(bot, clock, people={"alice": "100%", "bob": "60%"}, days_off=[BOB_AWAY])

    assert "16 Nov 2026 – 20 Nov 2026 · 5 working days" in text


async def test_a_day_off_of_the_team_is_nobody_s_absence(bot: Bot, clock: Clock) -> None:
    text = await plan(bot, clock, people={"alice": 100}, days_off=[{"from": "2026-11-20"}])

    assert "**Capacity:** 1 person, 4 of usually 5 person-days. 80 % of your median" in text
    assert "Away" not in text.partition("<details>")[0]


async def test_people_of_teams_count_with_all_of_their_time(bot: Bot, clock: Clock) -> None:
    teams = {
        "checkout": {"people": ["alice", "bob", "dependabot[bot]"]},
        "platform": {"people": ["carol", "Bob"]},
    }
    text = await plan(bot, clock, teams=teams)

    assert "**Capacity:** 3 people, 15 person-days, as usual." in text
    assert "capacity |" not in text


async def test_past_absences_make_the_usual_capacity(bot: Bot, clock: Clock) -> None:
    """In the median of the last five sprints, bob was away for a day of two."""
    away = [{"from": f"2026-{day}", "person": "bob"} for day in ("10-14", "10-21", "10-28")]
    text = await plan(bot, clock, people={"alice": "100%", "bob": "100%"}, days_off=away)

    assert "**Capacity:** 2 people, 10 of usually 9 person-days. About 111 % of your median" in text


async def test_who_is_away_is_named_where_the_team_is_not_known(bot: Bot, clock: Clock) -> None:
    text = await plan(bot, clock, days_off=[BOB_AWAY])

    assert "Away: `bob` 2 days. To see what that leaves, list everyone in the setting `people`:" in text
    assert "Capacity" not in text


async def test_without_people_nothing_is_said_of_capacity(bot: Bot, clock: Clock) -> None:
    text = await plan(bot, clock)

    assert "apacity" not in text
    assert "Away" not in text


async def test_a_change_of_people_says_who_counts_and_that_others_do_not(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock, *make_overload_past(24))
    answer = await ask_command(bot, number, "/agile config set people.bob 50%")
    assert "**1 person counts in the capacity of `/sprint plan` now:** `bob` 50 %." in answer
    assert "People who aren't listed don't count, so list everyone: `/agile config set people." in answer
    answer = await ask_command(bot, number, "/agile config set people.alice 100%")
    assert "**2 people count in the capacity of `/sprint plan` now:** `alice` 100 %, `bob` 50 %." in answer
    answer = await ask_command(bot, number, "/agile config set people default")
    assert "Nobody is listed, so `/sprint plan` shows no capacity." in answer
