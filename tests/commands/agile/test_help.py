"""`/help`: available commands, permissions and syntax."""

import re
from datetime import date

import pytest

from commands.agile.help import all_commands
from commands.framework.permissions import Level, Policy, Requirement
from commands.messages.help import FAMILIES, command_text, help_overview, who_may_text
from commands.messages.help_suggestions import HelpSituation
from sprints.settings_parser import parse_settings
from tests.support.conversations import ask_bot, create_thread
from tests.support.help_pages import make_entries, suggested_in
from tests.support.repository_settings import push_settings_file
from tests.support.running import Bot
from tests.support.sprints import make_sprint


async def test_it_shows_what_fits_here_and_folds_all_commands_by_family(bot: Bot) -> None:
    number = await create_thread(bot)
    answer = await ask_bot(bot, number, "/help", as_user="carol")
    first, _, folded = answer.partition("<details>")

    assert first.startswith(
        "### What you can do here\n\n"
        "There is no sprint here yet. Write a command on a line of its own, for example:\n\n"
        "- `/estimate 5`: sets how much work this item is, in points\n"
        "- `/start`: says that work on this item begins, or goes on after a pause\n"
    )
    assert len(suggested_in(answer)) == 8
    assert (
        "| `/estimate points [#1]` | Sets how much work this item is, in points<br>`/estimate 5` | triage |"
        in folded
    )
    assert re.search(
        r"^\| `/agile pause` \| Stops all answers.+ \| \*\*needs maintain\*\* \|$", folded, re.MULTILINE
    )
    assert re.findall(r"<summary>(.+?): \d+ commands?</summary>", answer) == list(FAMILIES.values())


@pytest.mark.parametrize("typed", ["/agile help", "/agile"])
async def test_it_answers_to_our_own_name(bot: Bot, typed: str) -> None:
    answer = await ask_bot(bot, await create_thread(bot), typed)
    assert answer.startswith("### What you can do here")


@pytest.mark.parametrize("typed", ["/help sprint close", "/help /sprint close", "/agile help sprint close"])
async def test_one_command_has_a_page(bot: Bot, typed: str) -> None:
    answer = await ask_bot(bot, await create_thread(bot), typed, as_user="bob")

    assert answer.startswith("### `/sprint close`\n\nEnds the sprint")
    assert (
        "**Who may run it:** the maintain role or a higher one. You may not run it: your role here is write."
        in answer
    )
    assert "- `/sprint close to:backlog late:2d`" in answer
    assert "with a box to confirm it" in answer


@pytest.mark.parametrize(
    ("typed", "heading", "listed", "missing"),
    [
        ("/help sprint", "Sprints", "`/sprint status ", "`/estimate"),
        ("/help Sprints", "Sprints", "`/burndown", "`/velocity"),
        ("/help items", "Items", "`/estimate", "`/sprint"),
        ("/help flow", "Flow", "`/velocity", "`/sprint"),
        ("/help team", "Team", "`/standup [team:text]`", "`/sprint"),
        ("/help calendar", "Calendar", "`/calendar add", "`/sprint"),
        ("/help agile", "About the bot", "`/agile pause`", "`/standup"),
        ("/help about the bot", "About the bot", "`/agile pause`", "`/standup"),
        ("/help wip", "Flow", "`/wip limit", "`/velocity"),
    ],
)
async def test_a_family_or_a_first_word_lists_its_commands(
    bot: Bot, typed: str, heading: str, listed: str, missing: str
) -> None:
    answer = await ask_bot(bot, await create_thread(bot), typed)
    assert answer.startswith(f"### {heading}\n\n| Command |")
    assert listed in answer
    assert missing not in answer.partition("<sub>")[0]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("/help sprint stauts", "There is no command “sprint stauts”. Did you mean `/help sprint status`?"),
        ("/help xyzzyxyzzy", "There is no command “xyzzyxyzzy”. `/help` lists all commands."),
    ],
)
async def test_unknown_topic_is_reported(bot: Bot, typed: str, expected: str) -> None:
    number = await create_thread(bot)
    comment = await bot.say(number, typed)
    assert bot.reactions(comment) == ["eyes", "confused"]
    assert expected in (await bot.answers(number))[-1]


async def test_it_is_not_for_strangers(bot: Bot) -> None:
    answer = await ask_bot(bot, await create_thread(bot), "/help", as_user="mallory")
    assert "`/help` is for collaborators of this repository." in answer


# As the team has settled it


async def test_renamed_and_switched_off_forms_work_as_help_says(bot: Bot) -> None:
    number = await make_sprint(bot)
    await push_settings_file(bot, "commands:\n  estimate: {name: effort}\n  sprint: {short: false}\n")
    answer = await ask_bot(bot, number, "/help")
    assert "| `/effort points [#1]` |" in answer
    assert "`/agile sprint status " in answer
    assert "`/sprint status" not in answer

    comment = await bot.say(number, "/effort 8")
    assert bot.reactions(comment) == ["eyes", "+1"]
    assert [label["name"] for label in (await bot.github.issue(bot.repo, number))["labels"]] == ["points: 8"]
    comment = await bot.say(number, "/agile effort 3")
    assert bot.reactions(comment) == ["eyes", "+1"]
    comment = await bot.say(number, "/sprint status")
    assert bot.reactions(comment) == []
    comment = await bot.say(number, "/agile sprint status")
    assert bot.reactions(comment) == ["eyes", "+1"]
    page = await ask_bot(bot, number, "/help effort new:yes")
    assert page.startswith("### `/effort`")
    assert "- `/effort 0.5`" in page


async def test_without_short_forms_only_our_own_name_is_ours(bot: Bot) -> None:
    number = await create_thread(bot)
    await push_settings_file(bot, "commands: {short: false}\n")
    for typed in ("/help", "/estimate 5", "/sprint status"):
        assert bot.reactions(await bot.say(number, typed)) == []
    assert "`/agile estimate " in await ask_bot(bot, number, "/agile help")


async def test_a_role_of_the_team_s_holds(bot: Bot) -> None:
    number = await create_thread(bot)
    await push_settings_file(
        bot, "commands:\n  estimate: {role: maintain, users: [dave, '@author'], teams: [leads]}\n"
    )
    refused = await bot.say(number, "/estimate 5", as_user="bob")
    assert bot.reactions(refused) == ["eyes", "confused"]
    assert bot.reactions(await bot.say(number, "/estimate 5", as_user="dave")) == ["eyes", "+1"]
    bot.github.teams["leads"] = {"bob"}
    assert bot.reactions(await bot.say(number, "/estimate 8", as_user="bob")) == ["eyes", "+1"]
    page = await ask_bot(bot, number, "/help estimate", as_user="carol")
    assert "the maintain role or a higher one, the team `leads`, `dave`, whoever opened the thread" in page
    assert "You may not run it: your role here is triage." in page
    del bot.github.teams["leads"]


async def test_bots_that_are_listed_count_and_our_own_comments_never(bot: Bot) -> None:
    number = await create_thread(bot)
    await push_settings_file(bot, f'bots: ["release-drafter[bot]", "{bot.github.bot_login}"]\npublic: read\n')
    payload = await _comment_of_a_bot(bot, number, "release-drafter[bot]", "/help")
    assert await _answers_to(bot, number, payload) == 1
    ours = f"/help\n\n<!-- agile-github-suite:{'0' * 8}/0 -->"
    payload = await _comment_of_a_bot(bot, number, bot.github.bot_login, ours)
    assert await _answers_to(bot, number, payload) == 0
    payload = await _comment_of_a_bot(bot, number, "other[bot]", "/help new:yes")
    assert await _answers_to(bot, number, payload) == 0


async def _comment_of_a_bot(bot: Bot, number: int, login: str, body: str) -> dict[str, object]:
    """A delivery as GitHub tells of an App's comment."""
    comment = await bot.github.comment(bot.repo, number, "Nothing for anybody")
    await bot.rest()
    delivery = next(
        delivery for delivery in reversed(bot.github.deliveries) if delivery.event == "issue_comment"
    )
    sender = {**delivery.payload["sender"], "login": login, "type": "Bot"}
    data = {**delivery.payload["comment"], "id": comment["id"], "body": body, "user": sender}
    return {**delivery.payload, "comment": data, "sender": sender}


async def _answers_to(bot: Bot, number: int, payload: dict[str, object]) -> int:
    before = len(await bot.answers(number))
    await bot.deliver("issue_comment", payload)
    await bot.rest()
    return len(await bot.answers(number)) - before


# Words

HERE = HelpSituation(7, date(2026, 11, 18))


def test_every_command_stands_on_the_page_once() -> None:
    page = help_overview(make_entries(Level.ADMIN), HERE)
    assert "**needs" not in page
    for command in all_commands():
        assert page.count(f"| `/{command.syntax.lstrip('/')}` |") == 1


@pytest.mark.parametrize("level", [level for level in Level if level is not Level.NONE])
def test_what_needs_another_role_is_marked_with_it(level: Level) -> None:
    page = help_overview(make_entries(level), HERE)
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert len(rows) == len(all_commands())
    assert len([row for row in rows if "**needs " not in row]) == sum(
        command.level <= level for command in all_commands()
    )


@pytest.mark.parametrize("command", all_commands(), ids=[command.name for command in all_commands()])
def test_every_page_names_all_arguments_and_examples(command: object) -> None:
    (entry,) = [entry for entry in make_entries(Level.READ) if entry.command is command]
    page = command_text(entry, Level.READ)
    assert all(f"| `{argument.syntax}` |" in page for argument in entry.command.accepted)
    assert all(f"- `{example}`" in page for example in entry.command.examples)


def test_who_may_is_stated_in_words() -> None:
    assert who_may_text(Requirement(Level.ADMIN)) == "the admin role"
    need = Requirement(Level.WRITE, frozenset({"leads"}), frozenset({"alice", "@author"}))
    assert (
        who_may_text(need)
        == "the write role or a higher one, the team `leads`, `alice`, whoever opened the thread"
    )


@pytest.mark.parametrize(
    ("settings", "spelled"),
    [
        ({}, "/estimate"),
        ({"short": False}, "/agile estimate"),
        ({"estimate": {"short": False}}, "/agile estimate"),
        ({"estimate": {"name": "effort"}}, "/effort"),
        ({"estimate": {"name": "effort", "short": False}}, "/agile effort"),
        ({"short": False, "estimate": {"short": True}}, "/agile estimate"),
    ],
)
def test_a_command_is_written_as_settled(settings: dict[str, object], spelled: str) -> None:
    assert Policy(parse_settings({"commands": settings})).spell("estimate") == spelled


def test_words_of_other_bots_need_our_name() -> None:
    policy = Policy(parse_settings({}), ("help",))
    assert policy.spell("help") == "/agile help"
    assert policy.spell("agile health") == "/agile health"
    assert Policy(parse_settings({"commands": {"help": {"short": True}}}), ("help",)).spell("help") == "/help"
