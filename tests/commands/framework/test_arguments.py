"""Arguments of commands, and errors that point at the unknown part."""

import contextlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.framework.arguments import Argument, ArgumentKind, Arguments, parse_arguments, split_words
from commands.framework.errors import UserError

ACCEPTED = (
    Argument("name", ArgumentKind.TEXT, "the title", is_positional=True),
    Argument("by", ArgumentKind.CHOICE, "the unit", choices=("points", "count")),
    Argument("as-of", ArgumentKind.DATE, "the day"),
    Argument("new", ArgumentKind.FLAG, "a new comment"),
)


def given_to(line: str) -> Arguments:
    return parse_arguments(line, split_words(line, len("/go")), ACCEPTED)


def complaint(line: str) -> str:
    with pytest.raises(UserError) as problem:
        given_to(line)
    return str(problem.value)


def test_nothing_is_needed() -> None:
    nothing = given_to("/go")

    assert (nothing.text("name"), nothing.text("by"), nothing.date("as-of")) == (None, None, None)
    assert not nothing.flag("new")


def test_all_at_once_in_any_order() -> None:
    values = given_to('/go as-of:2026-11-20  by:count\t"Sprint 12" new:yes')

    assert values.text("name") == "Sprint 12"
    assert values.text("by") == "count"
    assert values.date("as-of") == date(2026, 11, 20)
    assert values.flag("new")


@pytest.mark.parametrize(
    "quoted", ['"Sprint 12"', "“Sprint 12”", "„Sprint 12“", "”Sprint 12”", '" Sprint 12 "']
)
def test_quotes_of_all_kinds_hold_several_words(quoted: str) -> None:
    assert given_to(f"/go {quoted}").text("name") == "Sprint 12"


@pytest.mark.parametrize("line", ["/go BY:Count", "/go By:COUNT", '/go by:"count"', "/go by:“count”"])
def test_names_and_choices_are_known_in_any_case_and_quoted(line: str) -> None:
    assert given_to(line).text("by") == "count"


def test_a_quoted_text_may_look_like_an_argument() -> None:
    assert given_to('/go "by:count"').text("name") == "by:count"


@pytest.mark.parametrize(("typed", "flag"), [("yes", True), ("YES", True), ("no", False)])
def test_a_flag_is_yes_or_no(typed: str, flag: bool) -> None:
    assert given_to(f"/go new:{typed}").flag("new") is flag


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ('/go "Sprint 12', 'The quotation never ends: `/go 👉"Sprint 12👈`'),
        ("/go Sprint 12", "I do not know this argument: `/go Sprint 👉12👈`"),
        ("/go foo:bar", "I do not know this argument: `/go 👉foo:bar👈`"),
        ("/go by:count by:points", "`by` is given twice: `/go by:count 👉by:points👈`"),
        ('/go ""', '`name` is empty: `/go 👉""👈`'),
        ('/go by:"  "', '`by` is empty: `/go 👉by:"  "👈`'),
        ("/go by:hours", "`by` must be `points` or `count`: `/go 👉by:hours👈`"),
        ("/go as-of:yesterday", "`as-of` must be a date such as `2026-12-01`: `/go 👉as-of:yesterday👈`"),
        ("/go as-of:0001-01-01", "`0001-01-01` is too far away. Use a date from 2000 to 2100."),
        ("/go as-of:9999-12-31", "`9999-12-31` is too far away. Use a date from 2000 to 2100."),
        ("/go as-of:2101-01-01", "`2101-01-01` is too far away. Use a date from 2000 to 2100."),
        ("/go as-of:2026-02-30", "`as-of` must be a date such as `2026-12-01`: `/go 👉as-of:2026-02-30👈`"),
        ("/go new:maybe", "`new` must be `yes` or `no`: `/go 👉new:maybe👈`"),
    ],
)
def test_an_error_points_at_the_place(line: str, text: str) -> None:
    assert complaint(line).startswith(text)


def test_an_unknown_argument_is_answered_with_those_that_are_known() -> None:
    known_items = '`"name"`, `by:points|count`, `as-of:date`, `new:yes`'

    assert complaint("/go foo:bar").endswith(f"This command takes {known_items}.")


def test_what_was_typed_cannot_leave_the_code_in_which_it_is_shown() -> None:
    assert complaint("/go a `@acme/team`").count("`@") == 0


@given(st.text(max_size=80))
def test_any_line_is_read_or_refused_in_words(text: str) -> None:
    line = "/go " + " ".join(text.splitlines())
    with contextlib.suppress(UserError):
        given_to(line)


@pytest.mark.parametrize(
    ("argument", "syntax"),
    list(zip(ACCEPTED, ['["name"]', "[by:points\\|count]", "[as-of:date]", "[new:yes]"], strict=True)),
)
def test_an_argument_says_how_it_is_written(argument: Argument, syntax: str) -> None:
    assert argument.syntax == syntax
