"""`/sprint retro action:…`: actions become issues, and the next retrospective checks them."""

from datetime import UTC, datetime, timedelta

import pytest

from commands.messages.retro_actions import earlier_actions_text
from sprints.calendar import Calendar
from sprints.retro_actions import ActionState, RetroAction, select_earlier_actions, select_own_actions
from tests.support.builders import Box, at
from tests.support.changes import tick_box
from tests.support.clock import Clock
from tests.support.running import Bot
from tests.support.sprints import make_next_sprint, make_sprint


async def list_actions(bot: Bot) -> list[dict[str, object]]:
    issues = await bot.github.call("GET", f"/repos/{bot.repo}/issues?state=all&labels=retro-action")
    return sorted(issues, key=lambda issue: int(issue["number"]))


async def test_an_action_becomes_an_issue_outside_the_sprint(bot: Bot) -> None:
    number = await make_sprint(bot)
    comment = await bot.say(
        number, '/sprint retro action:"Split stories above 8 points" owner:@bob', as_user="bob"
    )

    (action,) = await list_actions(bot)
    assert action["title"] == "Split stories above 8 points"
    assert action["milestone"] is None
    assert [person["login"] for person in action["assignees"]] == ["bob"]  # type: ignore[attr-defined]
    assert f"Decided in the retrospective of Sprint 12: #{number}." in str(action["body"])
    (answer,) = await bot.answers(number)
    assert answer.startswith(
        "**Action from Sprint 12:** Split stories above 8 points, for `bob`. The next `/sprint retro` checks "
        f"whether it is done.\n\nOpened: #{action['number']}."
    )
    assert bot.reactions(comment) == ["eyes", "+1"]

    await bot.say(number, "/sprint retro", as_user="bob")
    evidence = (await bot.answers(number))[-1]
    assert f"**Actions**\n- #{action['number']} – open since " in evidence
    # The answer about the action is another comment, so that votes on the evidence keep their text.
    assert len(await bot.answers(number)) == 2


async def test_several_actions_are_shown_first(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, '/sprint retro action:"Split stories","Pair on reviews"')

    (answer,) = await bot.answers(number)
    assert "### Open 2 actions from Sprint 12?" in answer
    assert "- Split stories\n- Pair on reviews\n\n`/agile undo` will not close the new issu" in answer
    assert await list_actions(bot) == []

    await tick_box(bot, number)
    first, second = await list_actions(bot)
    assert [first["title"], second["title"]] == ["Split stories", "Pair on reviews"]
    (answer,) = await bot.answers(number)
    assert f"Opened: #{first['number']}, #{second['number']}." in answer


async def test_the_same_action_is_not_opened_twice(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, '/sprint retro action:"Split stories"')
    (action,) = await list_actions(bot)
    await bot.say(number, '/sprint retro action:"split  Stories" new:yes')

    assert len(await list_actions(bot)) == 1
    assert f"#{action['number']} is already an action from Sprint 12." in (await bot.answers(number))[-1]

    await bot.say(number, '/sprint retro action:"Split stories","Pair" confirm:yes')
    assert [issue["title"] for issue in await list_actions(bot)] == ["Split stories", "Pair"]
    assert f"Already decided: #{action['number']}." in (await bot.answers(number))[-1]


async def test_the_next_retrospective_begins_with_them(bot: Bot, clock: Clock) -> None:
    number = await make_sprint(bot)
    milestone = await make_next_sprint(bot)
    later = (await bot.github.create_issue(bot.repo, "Later", milestone=milestone))["number"]
    labelled = (await bot.github.create_issue(bot.repo, "By hand", labels=["retro-action"]))["number"]
    titles = ("Split stories", "Pair", "Mob", "Demo")
    listed = ",".join(f'"{title}"' for title in titles)
    await bot.rest()
    await bot.say(number, f"/sprint retro action:{listed} confirm:yes")
    numbers = {str(issue["title"]): int(str(issue["number"])) for issue in await list_actions(bot)}
    await bot.github.close_issue(bot.repo, numbers["Pair"])
    await bot.github.update_issue(bot.repo, numbers["Mob"], state="closed", state_reason="not_planned")
    await bot.github.trigger("issues", "deleted", bot.repo, number=numbers["Demo"])
    await bot.rest()
    clock.now = datetime.now(UTC) + timedelta(days=11)
    await bot.say(later, "/sprint retro")

    answer = (await bot.answers(later))[-1]
    head, _, rest = answer.partition("**Actions from Sprint 12**\n")
    assert head == "### Sprint 13 · for the retrospective · so far\n\n"
    lines = rest.partition("\n\n")[0].splitlines()
    assert lines[0].startswith(f"- #{numbers['Split stories']} – open since ")
    assert lines[1].startswith(f"- #{numbers['Pair']} – done on ")
    assert lines[2].startswith(f"- #{numbers['Mob']} – closed as not planned on ")
    assert lines[3] == f"- #{numbers['Demo']} – deleted or moved"
    assert f"**Other actions**\n- #{labelled} – open since " in answer
    assert "**Actions**" not in answer


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("owner:@bob", "`owner` goes with an action: `/sprint retro action:"),
        ('action:" "', "`action` is empty"),
        ('action:"Split" owner:@mallory', "`mallory` is not a collaborator here"),
        (f'action:"{"x" * 257}"', "is too long. A title can have up to 256 characters."),
        (
            f"action:{','.join(f'{n}' for n in range(11))}",
            "You named 11 actions. You can name up to 10 at once.",
        ),
    ],
)
async def test_what_cannot_be_opened(bot: Bot, text: str, words: str) -> None:
    number = await make_sprint(bot)
    await bot.say(number, f"/sprint retro {text}")

    (answer,) = await bot.answers(number)
    assert words in answer
    assert await list_actions(bot) == []


async def test_who_may_not(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, '/sprint retro action:"Split stories"', as_user="carol")

    (answer,) = await bot.answers(number)
    assert "`/sprint retro` needs the write role; yours is triage." in answer
    assert await list_actions(bot) == []


async def test_in_the_list_they_have_their_titles(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, '/sprint retro action:"Split @all stories"')
    (action,) = await list_actions(bot)
    await bot.say(number, "/sprint retro")

    answer = (await bot.answers(number, has_titles=True))[-1]
    assert f"- [#{action['number']} Split @\u200ball stories](" in answer


def test_of_the_last_sprint_all_are_checked_and_of_those_before_what_is_open() -> None:
    first, second, third = (
        Box(f"11-{day:02}", milestone=500 + n, start=f"11-{day:02}", due=f"2026-11-{day + 4:02}").sprint()
        for n, day in enumerate((2, 9, 16))
    )
    actions = [
        RetroAction(n, f"Action {n}", milestone, state, at("11-05"))
        for n, milestone, state in (
            (1, 500, ActionState.DONE),
            (2, 500, ActionState.OPEN),
            (3, 501, ActionState.DONE),
            (4, 502, ActionState.OPEN),
            (5, None, ActionState.DONE),
        )
    ]
    groups = select_earlier_actions(actions, [third, first, second], third)

    assert [(group.sprint, [action.number for action in group.actions]) for group in groups] == [
        (second, [3]),
        (first, [2]),
    ]
    assert [action.number for action in select_own_actions(actions, third)] == [4]
    (labelled,) = select_earlier_actions(actions, [first, second, third], first)
    assert (labelled.sprint, [action.number for action in labelled.actions]) == (None, [5])
    assert earlier_actions_text((), Calendar()) == ""
