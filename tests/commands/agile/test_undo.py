"""`/agile undo` and `/agile audit`: changes by commands and their reversal."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from commands.framework.changes import (
    ChangeSetting,
    CreateMilestone,
    EditMilestone,
    MoveItem,
    OpenIssue,
    ProposeFile,
    RecordFact,
    Relabel,
    Resync,
    SetBlocked,
    Step,
    encode_steps,
)
from commands.messages.audit import audit_card
from commands.messages.change_steps import Titles, step_text
from sprints.calendar import Calendar
from storage.changes import AuditEntry
from tests.support.changes import box_line, have_milestones, query_database, tick_box
from tests.support.conversations import ask_bot, create_thread
from tests.support.repository_settings import push_settings_file
from tests.support.running import Bot, wait_until
from tests.support.sprints import make_sprint

TITLES: Titles = {1: "Sprint 1", 2: "Sprint | 2"}


async def evacuated(bot: Bot, as_user: str = "alice") -> int:
    """Two items were taken out of their sprint by one command."""
    number = await make_sprint(bot)
    await bot.say(number, f"/evacuate #{number} #{number + 2} confirm:yes", as_user=as_user)
    assert await have_milestones(bot, number, number + 2) == [False, False]
    return number


@pytest.mark.usefixtures("evacuate_command")
async def test_it_is_shown_first_and_taken_back_when_the_box_is_ticked(bot: Bot) -> None:
    number = await evacuated(bot)
    answer = await ask_bot(bot, number, "/agile undo")
    assert answer.startswith(f"### Undo `/evacuate #{number} #{number + 2}`?")
    assert f"- #{number + 2}: no milestone → Sprint 12\n- #{number}: no milestone → Sprint 12" in answer
    assert box_line(answer)
    assert await have_milestones(bot, number, number + 2) == [False, False]

    await tick_box(bot, number)
    assert await have_milestones(bot, number, number + 2) == [True, True]
    assert "Undone: " in (await bot.answers(number))[-1]
    states = await query_database(bot, "select state, undoes from changes order by id")
    assert [row.state for row in states] == ["undone", "applied"]
    answer = await ask_bot(bot, number, "/agile undo new:yes")
    assert "There is nothing to undo" in answer


@pytest.mark.usefixtures("evacuate_command")
async def test_what_has_moved_on_stays(bot: Bot) -> None:
    number = await evacuated(bot)
    milestone = await bot.github.create_milestone(bot.repo, "Sprint 13")
    await bot.github.update_issue(bot.repo, number, milestone=milestone["number"])
    await bot.rest()
    answer = await ask_bot(bot, number, "/agile undo confirm:yes")

    assert f"- #{number + 2} is in Sprint 12 again." in answer
    assert f"This stays:\n\n- #{number}: Sprint 12 → no milestone – it has changed again since then" in answer
    assert (await bot.github.issue(bot.repo, number))["milestone"]["title"] == "Sprint 13"
    assert (await bot.github.issue(bot.repo, number + 2))["milestone"]["title"] == "Sprint 12"


@pytest.mark.usefixtures("evacuate_command")
async def test_if_all_has_moved_on_it_is_refused_in_words(bot: Bot) -> None:
    number = await evacuated(bot)
    milestone = await bot.github.create_milestone(bot.repo, "Sprint 13")
    for entry in (number, number + 2):
        await bot.github.update_issue(bot.repo, entry, milestone=milestone["number"])
    await bot.rest()
    comment = await bot.say(number, "/agile undo")

    assert bot.reactions(comment) == ["eyes", "confused"]
    answer = (await bot.answers(number))[-1]
    assert f"cannot be undone:\n\n- #{number + 2}: Sprint 12 → no milestone – it has changed" in answer


@pytest.mark.usefixtures("evacuate_command")
async def test_who_ran_it_may_and_maintainers_and_nobody_else(bot: Bot) -> None:
    number = await evacuated(bot, as_user="bob")
    answer = await ask_bot(bot, number, "/agile undo", as_user="carol")
    assert "was run by `bob`. They can undo it, or anyone with the maintain role." in answer
    assert "### Undo" in await ask_bot(bot, number, "/agile undo", as_user="bob")
    await bot.say(number, "/agile undo confirm:yes", as_user="alice")
    assert await have_milestones(bot, number, number + 2) == [True, True]


@pytest.mark.usefixtures("evacuate_command")
async def test_it_need_not_wait_for_github_to_tell_of_the_change(bot: Bot) -> None:
    number = await make_sprint(bot)
    async with bot.github.muted():
        comment = await bot.github.comment(bot.repo, number, "Something")
    delivery = next(delivery for delivery in reversed(bot.github.deliveries) if delivery.event == "issues")
    payload = {
        key: delivery.payload[key]
        for key in ("issue", "repository", "organization", "installation", "sender")
    }
    await asyncio.sleep(1.1)  # What is told of a second may have come before or after what was done in it.
    for n, typed in enumerate((f"/evacuate #{number} #{number + 2} confirm:yes", "/agile undo confirm:yes")):
        data = {**comment, "id": comment["id"] + n, "body": typed}
        async with bot.github.muted():
            await bot.deliver("issue_comment", {**payload, "action": "created", "comment": data})
            await bot.rest()

    assert await have_milestones(bot, number, number + 2) == [True, True]


async def test_a_closed_sprint_is_opened_again_with_all_that_was_in_it(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/sprint close confirm:yes")
    closed = await bot.github.call("GET", f"/repos/{bot.repo}/milestones?state=all")
    assert [item["state"] for item in closed] == ["closed"]
    answer = await ask_bot(bot, number, "/agile undo confirm:yes")

    assert f"- #{number} and #{number + 2} are in Sprint 12 again.\n- Sprint 12 is open again." in answer
    now = await bot.github.call("GET", f"/repos/{bot.repo}/milestones?state=all")
    assert [(entry["state"], entry["open_issues"] + entry["closed_issues"]) for entry in now] == [("open", 3)]


# The log


@pytest.mark.usefixtures("evacuate_command")
async def test_the_log_tells_who_changed_what(bot: Bot) -> None:
    number = await make_sprint(bot)
    assert "No command has changed anything" in await ask_bot(bot, number, "/agile audit")
    await bot.say(number, "/estimate 8", as_user="carol")
    await bot.say(number, f"/evacuate #{number} #{number + 2} confirm:yes", as_user="bob")
    answer = await ask_bot(bot, number, "/agile audit last:2 new:yes")

    rows = [line for line in answer.splitlines() if line.startswith("| ")][2:]
    assert len(rows) == 2
    assert rows[0].endswith(
        f"| `bob` | `/evacuate #{number} #{number + 2}` | #{number + 2}: Sprint 12 → no milestone |"
    )
    answer = await ask_bot(bot, number, "/agile audit new:yes")
    assert f"| `carol` | `/estimate 8` | #{number}: `points: 5` → `points: 8` |" in answer


@pytest.mark.parametrize(
    ("typed", "expected"), [("last:500", "Use a number up to 100."), ("last:x", "a whole number")]
)
async def test_too_much_is_refused(bot: Bot, typed: str, expected: str) -> None:
    assert expected in await ask_bot(bot, await create_thread(bot), f"/agile audit {typed}")


async def test_the_log_is_for_admins(bot: Bot) -> None:
    answer = await ask_bot(bot, await create_thread(bot), "/agile audit", as_user="bob")
    assert "`/agile audit` needs the admin role; yours is write." in answer


def test_an_entry_of_a_kind_that_is_gone_is_reported_by_what_it_was_about() -> None:
    at = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
    card = audit_card(
        [AuditEntry("bob", "/old `way` | x", "#7", {"step": {"type": "Gone"}}, at)], {}, Calendar()
    )
    assert "| 23 Nov 2026, 09:30 UTC | `bob` | `/old 'way' \\| x` | \\#\u200b7 |" in card


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (MoveItem(3, 1, 2), "#3: Sprint 1 → Sprint \\| 2"),
        (MoveItem(3, None, 9), "#3: no milestone → milestone 9"),
        (Relabel(3, ("a",), ()), "#3: `a` → no label"),
        (
            EditMilestone(1, {"due_on": None}, {"due_on": "2026-12-01"}),
            "Sprint 1: due date none → “2026-12-01”",
        ),
        (CreateMilestone("Sprint 3"), "new milestone “Sprint 3”"),
        (OpenIssue("Do @all"), "new issue “Do @\u200ball”"),
        (SetBlocked(3, 4), "#3 is blocked by #4"),
        (SetBlocked(3, 4, is_blocked=False), "#3 is no longer blocked by #4"),
        (RecordFact(3, "started"), "#3: started"),
        (
            ChangeSetting("roles", {"a": "read", "b": "read"}, {"a": "read"}),
            "setting `roles`: `{b: read}` → nothing",
        ),
        (ChangeSetting("timezone", None, "UTC"), "setting `timezone`: nothing → `UTC`"),
        (ProposeFile("a", "b", "c", "Settings", "d"), "pull request “Settings”"),
        (Resync(), "running sprints compared with GitHub"),
        (Resync(is_whole=True), "history imported from GitHub again"),
    ],
)
def test_change_step_is_described_in_words(step: Step, expected: str) -> None:
    assert step_text(step, TITLES) == expected


@pytest.mark.parametrize(
    "step", [MoveItem(3, 1, 2), Relabel(3, ("a",), ("b",)), EditMilestone(1, {"state": "open"}, {"state": "closed"}), ChangeSetting("a", 1, 2), SetBlocked(3, 4)]
)  # fmt: skip
def test_undone_twice_is_done(step: Any) -> None:
    assert step.invert() != step
    assert encode_steps([step.invert().invert()]) == encode_steps([step])


# Who may, now


async def roles_now(bot: Bot, monkeypatch: pytest.MonkeyPatch, **roles: str | None) -> None:
    """From now on GitHub says this of these people; None is said of who is no collaborator any more."""
    usual = {**bot.github.roles["*"], **roles}
    now = {login: role for login, role in usual.items() if role is not None}
    monkeypatch.setattr(bot.github, "roles", {"*": now})


@pytest.mark.usefixtures("evacuate_command")
@pytest.mark.parametrize("role", ["triage", "read", None])
@pytest.mark.parametrize("typed", ["/agile undo", "/agile undo confirm:yes"])
async def test_who_ran_it_needs_its_role_now(
    bot: Bot, monkeypatch: pytest.MonkeyPatch, role: str | None, typed: str
) -> None:
    number = await evacuated(bot, as_user="bob")
    await roles_now(bot, monkeypatch, bob=role)
    comment = await bot.say(number, typed, as_user="bob")

    assert await have_milestones(bot, number, number + 2) == [False, False]
    assert bot.reactions(comment) == ["eyes", "confused"]
    answer = (await bot.answers(number))[-1]
    assert "### Undo" not in answer
    expected = "needs the write role" if role else "is for collaborators of this repository"
    assert expected in answer


@pytest.mark.usefixtures("evacuate_command")
async def test_where_anybody_may_read_who_was_removed_takes_nothing_back(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/agile config set public read")
    await bot.say(number, f"/evacuate #{number} #{number + 2} confirm:yes", as_user="bob")
    await roles_now(bot, monkeypatch, bob=None)
    answer = await ask_bot(bot, number, "/agile undo confirm:yes", as_user="bob")

    assert "You can only undo commands that you may run yourself. `/evacuate` needs the write role" in answer
    assert await have_milestones(bot, number, number + 2) == [False, False]


async def states(bot: Bot) -> list[str]:
    """Whether the milestones are open or closed, as GitHub has it."""
    milestones = await bot.github.call("GET", f"/repos/{bot.repo}/milestones?state=all")
    return [milestone["state"] for milestone in milestones]


async def test_the_team_s_own_rule_for_the_command_holds_for_its_undoing(bot: Bot) -> None:
    number = await make_sprint(bot)
    await push_settings_file(bot, "commands:\n  sprint close: {role: write}\n")
    await bot.say(number, "/sprint close confirm:yes", as_user="bob")
    assert await states(bot) == ["closed"]
    await push_settings_file(bot, "commands:\n  sprint close: {role: admin}\n")
    answer = await ask_bot(bot, number, "/agile undo", as_user="bob")
    assert "`/sprint close` needs the admin role; yours is write." in answer
    await push_settings_file(bot, "commands:\n  sprint close: {role: admin, users: [bob]}\n")
    await bot.say(number, "/agile undo confirm:yes", as_user="bob")
    assert await states(bot) == ["open"]


async def test_a_maintainer_takes_back_only_what_they_may_run(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await make_sprint(bot)
    await push_settings_file(bot, "commands:\n  sprint close: {role: admin}\n")
    await bot.say(number, "/sprint close confirm:yes")
    await roles_now(bot, monkeypatch, bob="maintain")
    answer = await ask_bot(bot, number, "/agile undo confirm:yes", as_user="bob")
    assert "needs the admin role; yours is maintain." in answer
    assert await states(bot) == ["closed"]


@pytest.mark.usefixtures("evacuate_command")
async def test_who_may_run_it_but_neither_ran_it_nor_maintains_takes_nothing_back(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await evacuated(bot)
    await roles_now(bot, monkeypatch, carol="write")
    assert "was run by `alice`." in await ask_bot(bot, number, "/agile undo confirm:yes", as_user="carol")
    assert await have_milestones(bot, number, number + 2) == [False, False]


@pytest.mark.usefixtures("evacuate_command")
async def test_a_box_is_judged_by_the_role_at_the_tick(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    number = await make_sprint(bot)
    await bot.say(number, f"/evacuate #{number} #{number + 2}", as_user="bob")
    await roles_now(bot, monkeypatch, bob="read")
    await tick_box(bot, number, as_user="bob")
    assert await have_milestones(bot, number, number + 2) == [True, True]
    assert "`/evacuate` needs the write role; yours is read." in (await bot.answers(number))[-1]


@pytest.mark.usefixtures("evacuate_command")
async def test_what_was_interrupted_is_not_gone_on_with_for_who_may_not_any_more(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await make_sprint(bot)
    bot.github.fail_next("PATCH", f"/repos/{bot.repo}/issues/{number + 2}", status=502)
    await bot.github.comment(
        bot.repo, number, f"/evacuate #{number} #{number + 2} confirm:yes", as_user="bob"
    )
    await bot.github.wait_for_webhooks()

    async def is_interrupted() -> bool:
        return any(call.status == 502 and bot.repo in call.path for call in bot.github.requests)

    await wait_until(is_interrupted)
    await roles_now(bot, monkeypatch, bob=None)

    async def is_said() -> bool:
        return len(await bot.answers(number)) == 1

    await wait_until(is_said)
    await bot.rest()
    assert await have_milestones(bot, number, number + 2) == [False, True]
    (answer,) = await bot.answers(number)
    assert "` stopped partway: `/evacuate` is for collaborators of this repository." in answer
    assert "Whatever it had already changed stays changed." in answer
    (change,) = await query_database(bot, "select state, note from changes")
    assert change.state == "interrupted"
    assert change.note.startswith("`/evacuate` is for collaborators")
    (entry,) = await query_database(bot, "select actor, target from audit_log")
    assert (entry.actor, entry.target) == ("bob", "interrupted")
    assert "| interrupted |" in await ask_bot(bot, number, "/agile audit")
