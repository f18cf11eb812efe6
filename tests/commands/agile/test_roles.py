"""`/agile roles`: required roles, and roles that an admin sets for commands."""

import pytest

from commands.agile.help import all_commands
from commands.framework.permissions import Level, Requirement
from commands.messages.help import HelpEntry
from commands.messages.roles import roles_card
from tests.support.changes import query_database
from tests.support.conversations import ask_bot, create_thread
from tests.support.repository_settings import load_settings, push_settings_file
from tests.support.running import Bot


async def test_a_given_role_lets_run_more_until_it_is_taken_back(bot: Bot) -> None:
    number = await create_thread(bot)
    assert "needs the maintain role; yours is triage" in await ask_bot(
        bot, number, "/agile pause", as_user="carol"
    )
    answer = await ask_bot(bot, number, "/agile roles grant @carol maintain")
    assert answer.startswith(
        "`carol` may now run commands that need the **maintain** role. Their role on GitHub is still triage."
    )
    assert (await load_settings(bot))["roles"] == {"carol": "maintain"}
    comment = await bot.say(number, "/agile resume", as_user="carol")
    assert bot.reactions(comment) == ["eyes", "+1"]

    await bot.say(number, "/agile roles revoke @carol")
    assert (await load_settings(bot))["roles"] == {}
    comment = await bot.say(number, "/agile pause", as_user="carol")
    assert bot.reactions(comment) == ["eyes", "confused"]
    audit = await query_database(
        bot, "select actor, target, details from audit_log where target = 'roles' order by id"
    )
    assert [(row.actor, row.target) for row in audit] == [("alice", "roles"), ("alice", "roles")]
    assert audit[1].details["step"]["before"] == {"carol": "maintain"}


async def test_it_lists_who_may_do_what(bot: Bot) -> None:
    number = await create_thread(bot)
    await push_settings_file(
        bot, "commands:\n  estimate: {role: write, teams: [leads], users: ['@author']}\n"
    )
    await bot.say(number, "/agile roles grant @dave triage")
    answer = await ask_bot(bot, number, "/agile roles")

    assert "| Role | May run |" in answer
    (admins,) = [line for line in answer.splitlines() if line.startswith("| Admin |")]
    assert "`/agile audit`" in admins
    assert "`/agile roles`" in admins
    assert "`/agile pause`" not in admins
    row = "| `/estimate` | the write role or a higher one, the team `leads`, whoever opened the thread | triage |"
    assert row in answer
    assert "| `dave` | triage |" in answer


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("grant", "Please name a person, for example `/agile roles grant @carol maintain`."),
        ("revoke", "Please name a person, for example `/agile roles revoke @carol`."),
        ("grant @carol", "Please name a role: `read`, `triage`, `write`, `maintain`, or `admin`."),
        ("grant @carol boss", "`role` must be `read` or `triage` or"),
        ("grant @mallory admin", "`mallory` is not a collaborator of this repository"),
        ("grant @bob triage", "`bob` already has the write role on GitHub."),
        ("revoke @bob", "`bob` has no role for commands to revoke"),
        ("promote @bob", "`action` must be `grant` or `revoke`"),
    ],
)
async def test_invalid_role_is_refused_with_a_reason(bot: Bot, typed: str, expected: str) -> None:
    assert expected in await ask_bot(bot, await create_thread(bot), f"/agile roles {typed}")
    assert not await query_database(bot, "select 1 from audit_log")


async def test_only_admins_give_roles(bot: Bot) -> None:
    answer = await ask_bot(bot, await create_thread(bot), "/agile roles grant @bob admin", as_user="bob")
    assert (
        "`/agile roles` needs the admin role; yours is write. Please ask anyone with the admin role" in answer
    )
    assert await load_settings(bot) == {}


async def test_a_file_cannot_give_roles(bot: Bot) -> None:
    await create_thread(bot)
    await push_settings_file(bot, "roles: {bob: admin}\n")
    settings = await load_settings(bot)
    assert "roles" not in settings
    assert settings["problems"][0].startswith("line 1: there is no setting `roles`")


def test_without_anything_given_it_says_so() -> None:
    entries = [
        HelpEntry(entry, f"/{entry.name}", Requirement(entry.level), is_allowed=True)
        for entry in all_commands()
    ]
    card = roles_card(entries, {})
    assert "Nobody has an additional role" in card
    assert "Changed by your team" not in card
    assert all(entry.spelled in card for entry in entries)
    assert roles_card([entries[0]], {}).count("| Read |") == (entries[0].need.level is Level.READ)
