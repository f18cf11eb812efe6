"""`/split`: parts are opened below their parent once somebody agrees."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.framework.errors import UserError
from commands.items.split import MOST_PARTS, parse_parts
from commands.messages.split import NewSubIssue, split_effect_text
from sprints.estimates import DEFAULT_ESTIMATES, Estimates
from tests.support.changes import tick_box
from tests.support.items import list_sub_issues
from tests.support.running import Bot
from tests.support.sprints import make_sprint

SIZES = Estimates({"M": Decimal(3)})


async def test_the_parts_are_shown_first_and_opened_when_agreed_to(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, '/split into:"Form fields","Check digits" points:3,2', as_user="bob")

    (answer,) = await bot.answers(number)
    assert f"### Open 2 sub-issues of #{number}?" in answer
    assert "- Form fields (3 points)\n- Check digits (2 points)" in answer
    assert "the parts have 5 points, as before." in answer
    assert await list_sub_issues(bot, number) == []

    await tick_box(bot, number)
    parts = await list_sub_issues(bot, number)
    assert [part["title"] for part in parts] == ["Form fields", "Check digits"]
    assert [[label["name"] for label in part["labels"]] for part in parts] == [["points: 3"], ["points: 2"]]
    assert {part["milestone"]["title"] for part in parts} == {"Sprint 12"}
    (answer,) = await bot.answers(number)
    assert f"**#{number} is split:** Form fields (3 points), Check digits (2 points)." in answer


async def test_the_sprint_counts_the_parts_instead_of_the_parent(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, '/split into:"Form fields","Check digits" points:3,4 confirm:yes')
    await bot.say(number, "/sprint status by:points")

    assert any("3 of 10 points done" in answer for answer in await bot.answers(number))


async def test_without_points_the_parts_have_no_label(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, '/split into:"Form fields","Check digits" confirm:yes')

    assert [part["labels"] for part in await list_sub_issues(bot, number)] == [[], []]
    (answer,) = await bot.answers(number)
    assert "Until they are estimated, the sprint's scope is smaller by that amount." in answer


@pytest.mark.parametrize(
    ("comment", "why"),
    [
        ("/split", "`into:"),
        ('/split into:"A"," "', "A part has no title."),
        ('/split into:"A","a"', "Two parts have the same title"),
        (
            '/split into:"A","B" points:3',
            "1 estimate for 2 parts: `points` needs one for each, such as `points:3,5`.",
        ),
        ('/split into:"A","B" points:3,many', "“many” is not a valid estimate."),
    ],
)
async def test_invalid_input_is_refused_with_valid_examples(bot: Bot, comment: str, why: str) -> None:
    number = await make_sprint(bot)
    await bot.say(number, comment)

    assert why in (await bot.answers(number))[0]
    assert await list_sub_issues(bot, number) == []


async def test_a_pull_request_has_no_parts(bot: Bot) -> None:
    await make_sprint(bot)
    pull = (await bot.github.open_pull_request(bot.repo, "Cards"))["number"]
    await bot.rest()
    await bot.say(pull, '/split into:"A","B"')
    assert f"#{pull} is a pull request, and only issues have sub-issues." in (await bot.answers(pull))[0]


async def test_who_may_not_write_may_not_split(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, '/split into:"A","B"', as_user="carol")
    assert "`/split` needs the write role; yours is triage." in (await bot.answers(number))[0]


# The parts and what becomes of the parent


def test_parts_may_have_sizes_for_estimates() -> None:
    assert parse_parts(("A", " B  b "), "m,0.5", SIZES) == (
        NewSubIssue("A", Decimal(3)),
        NewSubIssue("B b", Decimal("0.5")),
    )


def test_too_many_parts_and_too_long_titles_are_refused() -> None:
    with pytest.raises(UserError, match=r"You named 21 parts\. You can name up to 20\."):
        parse_parts([str(n) for n in range(MOST_PARTS + 1)], None, DEFAULT_ESTIMATES)
    with pytest.raises(UserError, match="A title can have up to 256 characters"):
        parse_parts(["x" * 257], None, DEFAULT_ESTIMATES)


@pytest.mark.parametrize(
    ("before", "points", "is_in_milestone", "expected"),
    [
        (None, [None, None], True, "count instead of it."),
        (
            Decimal(5),
            [None, None],
            False,
            "Its own estimate of 5 points is left out, and the parts have no estimate yet.",
        ),
        (Decimal(5), [Decimal(3), Decimal(2)], True, "the parts have 5 points, as before."),
        (Decimal(5), [Decimal(3), Decimal(5)], True, "the parts have 8 points, where it had 5 points."),
    ],
)
def test_what_becomes_of_the_estimate_is_stated(
    before: Decimal | None, points: list[Decimal | None], is_in_milestone: bool, expected: str
) -> None:
    parts = [NewSubIssue(str(n), entry) for n, entry in enumerate(points)]
    assert split_effect_text(before, parts, is_in_milestone=is_in_milestone).endswith(expected)


@given(
    st.lists(st.text(max_size=30), min_size=1, max_size=25),
    st.none() | st.text("0123456789,.mM ", max_size=12),
)
def test_parts_are_as_many_as_were_named_or_it_is_stated_why_not(
    titles: list[str], points: str | None
) -> None:
    try:
        parts = parse_parts(titles, points, SIZES)
    except UserError:
        return
    assert [part.title for part in parts] == [" ".join(title.split()) for title in titles]
    assert all((part.points is None) == (points is None) for part in parts)
