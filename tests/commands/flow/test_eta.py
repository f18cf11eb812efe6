"""`/eta`: how old an item is, how unusual that is, and when others of its age were done."""

from datetime import timedelta

from commands.messages.eta import eta_text
from sprints.expectation import measure_past
from sprints.work import RepositoryWork
from tests.support.builders import at
from tests.support.flow_cards import FlowCard, calendar, flows
from tests.support.running import Bot
from tests.support.sprints import make_sprint

NOW = at("11-23 10:30")
# Twenty items that took 1 to 20 days.
PAST = [
    FlowCard(100 + n).opened("10-01").started("10-20 09:00").closed(at("10-20 12:00") + timedelta(days=n))
    for n in range(20)
]


def text(card: FlowCard, *others: FlowCard, past: list[FlowCard] = PAST) -> str:
    cards = [card, *others, *past]
    result = tuple(flows(*cards, as_of="11-23 10:30").values())
    work = RepositoryWork(result, NOW, calendar())
    flow = work.flow(1)
    assert flow is not None
    return eta_text(flow, measure_past(result, NOW, calendar()), work)


async def test_too_few_items_expect_nothing_and_say_so(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/start")
    comment = await bot.say(number, "/eta", as_user="dave")

    answer = (await bot.answers(number))[-1]
    assert f"**#{number} is in its 1st day** (since today). A prediction needs 10 items" in answer
    assert "Cycle times of 0 items done, all recorded history · left out: 1 not started" in answer
    assert bot.reactions(comment) == ["eyes", "+1"]


async def test_of_work_that_others_tell_they_are_asked(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, '/split into:"A","B" confirm:yes')
    await bot.say(number, "/eta")
    assert (
        f"The work of #{number} is counted through its sub-issues. Run `/eta` there."
        in (await bot.answers(number))[-1]
    )


async def test_strangers_are_refused_and_words_pointed_at(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/eta", as_user="mallory")
    assert "`/eta` is for collaborators" in (await bot.answers(number))[0]
    await bot.say(number, "/eta soon")
    assert "This argument does not exist: `/eta 👉soon👈`" in (await bot.answers(number))[-1]


def test_an_item_of_usual_age_has_the_level_and_the_dates_ahead() -> None:
    data = text(FlowCard(1).opened("11-01").started("11-18"))

    assert "**#1 is in its 6th day** (since Wed 18 Nov): nothing unusual. 30 % of the items" in data
    assert "85 % of the items are done by their 17th day: for this one, that is Fri 4 Dec." in data
    assert (
        "Of the 14 that took longer, half were done by their 13th day and 85 % by their 18th: "
        "for this one **Mon 30 Nov** and **Mon 7 Dec**."
    ) in data
    assert "Cycle times of 20 items done, the last 90 days" in data


def test_one_that_is_older_than_the_level_is_stated_to_be() -> None:
    data = text(FlowCard(1).opened("11-01").started("11-05"))

    assert "**#1 is in its 19th day** (since Thu 5 Nov): unusually long. 95 % of the items" in data
    assert "it is 2 days past that." in data
    assert "Only 1 item took longer: too few to predict when it will be done." in data


def test_between_the_median_and_the_level_it_is_longer_than_most() -> None:
    assert "longer than most. 60 %" in text(FlowCard(1).opened("11-01").started("11-12"))
    assert "by their 17th day: for this one, that is today." in text(
        FlowCard(1).opened("11-01").started("11-07")
    )


def test_what_nothing_took_longer_than_has_no_date() -> None:
    assert "None of them took longer" in text(FlowCard(1).opened("10-01").started("10-02"))


def test_one_that_is_not_started_hears_what_is_usual() -> None:
    data = text(FlowCard(1).opened("11-01"))
    assert "**#1 is not started**, so it has no age yet." in data
    assert "half of the items were done within 10 days, 85 % within 17 days." in data


def test_one_that_is_done_hears_how_long_it_took() -> None:
    assert "#1 is done. It took 3 days;" in text(FlowCard(1).opened("11-01").started("11-02").closed("11-04"))
    assert "but I don't know when it was started" in text(FlowCard(1).opened("11-01").closed("11-04"))
    assert "#1 was dropped on 4 Nov 2026." in text(FlowCard(1).opened("11-01").dropped("11-04"))


def test_what_held_it_up_is_reported_beside_its_age() -> None:
    other = FlowCard(9).opened("11-01")
    card = (
        FlowCard(1).opened("11-01").blocked("11-02", other).started("11-10").blocked("11-20", reason="keys")
    )
    data = text(card.paused("11-21"), other)

    assert "**Blocked:** by #9 and keys." in data
    assert "It was blocked for 13 days of that time." in data
    assert "It has been paused since Sat 21 Nov, but its age keeps counting" in data


def test_a_start_without_a_date_is_at_least_so_old() -> None:
    card = FlowCard(1).opened("11-01").assigned("11-02").commented("11-20").first_seen(2)
    assert "**#1 is at least in its 4th day**" in text(card)
