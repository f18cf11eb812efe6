"""Which lines are ours, and what was meant by the ones that are misspelled."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

import commands
from commands.framework.command_finder import CommandFinder, split_name
from commands.framework.permissions import Policy
from commands.framework.registry import Command, load_commands
from commands.framework.spelling import find_distance
from sprints.settings_parser import parse_settings
from tests.support.dispatching import make_request

COMMANDS = load_commands(commands)
FINDER = CommandFinder(COMMANDS)
POLICY = Policy(parse_settings({}))
# Commands of Prow, GitLab, Dependabot, Bors, Renovate, Slack and others.
FOREIGN = [
    "approve",
    "assign",
    "unassign",
    "cc",
    "uncc",
    "hold",
    "unhold",
    "lgtm",
    "merge",
    "retest",
    "test",
    "ok-to-test",
    "close",
    "reopen",
    "label",
    "remove-label",
    "kind",
    "area",
    "sig",
    "priority",
    "triage",
    "lifecycle",
    "milestone",
    "cherrypick",
    "cherry-pick",
    "release-note",
    "retitle",
    "lock",
    "unlock",
    "skip",
    "override",
    "deploy",
    "rollback",
    "build",
    "rebase",
    "squash",
    "rerun",
    "run",
    "ci",
    "shrug",
    "tableflip",
    "woof",
    "meow",
    "bark",
    "pony",
    "joke",
    "dog",
    "spend",
    "time-tracking",
    "title",
    "todo",
    "done",
    "subscribe",
    "unsubscribe",
    "due",
    "remove-due-date",
    "weight",
    "epic",
    "confidential",
    "copy",
    "duplicate",
    "move",
    "relate",
    "react",
    "award",
    "wip-draft",
    "draft",
    "ready",
    "ignore",
    "unignore",
    "recreate",
    "azp",
    "backport",
    "bors",
    "try",
    "delegate",
    "ping",
    "invite",
    "remind",
    "feed",
    "giphy",
    "poll",
    "topic",
    "who",
    "me",
    "msg",
    "archive",
    "leave",
    "status",
    "away",
    "dnd",
    "search",
    "shortcuts",
    "review",
    "request-review",
    "publish",
    "preview",
    "version",
    "format",
    "lint",
    "update",
    "upgrade",
    "sync",
    "refresh",
    "generate",
    "check",
    "verify",
]
PATHS = (
    "/usr/bin",
    "/home/x",
    "/api/v1",
    "/estimate/5",
    "/burndwon/x",
    "/velocty.png",
    "/forcasts/2026",
    "/tmp",
    "/etc/hosts",
)


def is_ours(line: str, policy: Policy = POLICY) -> bool:
    return bool(FINDER.select_lines(make_request(line), policy))


@pytest.mark.parametrize("word", FOREIGN)
@pytest.mark.parametrize("rest", ["", " #12", " @bob please"])
def test_commands_of_others_are_met_with_silence(word: str, rest: str) -> None:
    assert not is_ours(f"/{word}{rest}")


@pytest.mark.parametrize("path", PATHS)
def test_paths_are_met_with_silence(path: str) -> None:
    assert not is_ours(path)
    assert not is_ours(f"{path} is where it lies")


@pytest.mark.parametrize(
    "line",
    ["/burndwon", "/velocty", "/forcast by:friday", "/estimte 5", "/standpu", "/throughptu", "/sprnt status"],
)
def test_a_slip_in_a_long_name_is_ours_but_not_where_other_bots_are(line: str) -> None:
    assert is_ours(line)
    beside_others = Policy(parse_settings({}), other_bots=("lgtm",))
    assert is_ours(line, beside_others) is (line == "/sprnt status")


@pytest.mark.parametrize("verb", sorted({command.words[0] for command in COMMANDS if len(command.words) > 1}))
def test_a_command_that_writes_is_suggested_only_for_a_synonym_or_a_slip(verb: str) -> None:
    """Every second word that is neither leads to a command that reads, or to none."""
    declared = {synonym for each in COMMANDS for synonym in each.synonyms}
    for vague in ("x", "stuff", "it", "all", "info", "something else", "edit", "now"):
        words = f"{verb} {vague}"
        suggestion = FINDER.suggest(words.split())
        assert suggestion is None or not suggestion.command.is_changing or words in declared


def test_no_synonym_is_a_command_and_none_is_declared_twice() -> None:
    synonyms = [synonym for command in COMMANDS for synonym in command.synonyms]

    assert len(set(synonyms)) == len(synonyms)
    assert not set(synonyms) & {command.name for command in COMMANDS}


@pytest.mark.parametrize("command", COMMANDS, ids=[command.name for command in COMMANDS])
def test_each_synonym_leads_to_its_command(command: Command) -> None:
    for synonym in command.synonyms:
        suggestion = FINDER.suggest(split_name(f"/{synonym}"))
        assert suggestion is not None
        assert suggestion.command is command


@given(st.text("abcdefgh", min_size=4, max_size=10), st.data())
def test_swapped_neighbours_are_one_slip(word: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(word) - 2))
    swapped = f"{word[:place]}{word[place + 1]}{word[place]}{word[place + 2 :]}"

    assert find_distance(swapped, word) == (0 if swapped == word else 1)
    assert find_distance(word, word) == 0


def test_misspelled_lines_are_compared_in_no_time() -> None:
    request = make_request(*["/burndwxx somethang"] * 3_000)
    begun = time.thread_time()
    FINDER.select_lines(request, POLICY)

    assert time.thread_time() - begun < 0.1


@given(st.sampled_from(COMMANDS), st.sampled_from(["", "-", "_"]), st.booleans())
def test_a_name_of_several_words_in_one_is_ours_and_the_command_is_asked_about(
    command: Command, joint: str, is_named: bool
) -> None:
    words = ["agile", *command.words] if is_named and command.words[0] != "agile" else command.words
    if len(words) == 1:
        return
    line = f"/{joint.join(words)} by:count"

    assert FINDER.select_lines(make_request(line), POLICY)
    suggestion = FINDER.suggest(split_name(line))
    assert suggestion is not None
    # `/agilepause` is `/agile pause`, and not the long form of `/pause`.
    is_another = " ".join(words) in {other.name for other in COMMANDS}
    expected = " ".join(words) if is_another else command.name
    assert (suggestion.command.name, suggestion.words) == (expected, 1)


@pytest.mark.parametrize("line", ["/undo", "/goal Ship it", "/capacity", "/sprint-bot run", "/goal-met"])
def test_what_may_be_the_command_of_another_bot_stays_unanswered(line: str) -> None:
    assert not FINDER.select_lines(make_request(line), POLICY)


def test_a_name_in_one_word_is_not_ours_where_the_short_form_is_not() -> None:
    policy = Policy(parse_settings({"commands": {"sprint": {"short": False}}}))

    assert not FINDER.select_lines(make_request("/sprint-status"), policy)
    assert FINDER.select_lines(make_request("/agile-sprint-status"), policy)
