"""Arguments of commands: how they are read in all the ways in which people write them."""

import contextlib
import time
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import commands
from commands.formatting.foreign_text import is_blank
from commands.framework.argument_parser import InputError, parse_arguments
from commands.framework.arguments import Argument, ArgumentKind, Arguments, ItemCount
from commands.framework.errors import Fault
from commands.framework.input_settings import InputSettings
from commands.framework.registry import Command, load_commands
from commands.framework.words import quote

TODAY = date(2026, 11, 25)  # A Wednesday.
TEAM = InputSettings(TODAY, None, {"S": Decimal(2), "XL": Decimal(8)}, "acme/shop")
COMMANDS = {command.name: command for command in load_commands(commands)}
ACCEPTED = (
    Argument("name", ArgumentKind.TEXT, "the title", is_positional=True),
    Argument("by", ArgumentKind.CHOICE, "the unit", choices=("points", "count")),
    Argument("as-of", ArgumentKind.DATE, "the day", is_past=True),
    Argument("new", ArgumentKind.FLAG, "a new comment"),
)


def given_to(line: str) -> Arguments:
    return parse_arguments(line, len("/go"), ACCEPTED, TEAM)


def read(line: str) -> Arguments:
    """Read a line as the command whose name it begins with."""
    name = max((name for name in COMMANDS if f"{line} ".startswith(f"/{name} ")), key=len)
    return parse_arguments(line, len(name) + 1, COMMANDS[name].accepted, TEAM)


def complaint(line: str) -> tuple[Fault, str]:
    """The fault of a line, and the part that is wrong."""
    with pytest.raises(InputError) as problem:
        read(line)
    return problem.value.fault, line[problem.value.start : problem.value.end]


def points(line: str) -> tuple[Decimal | None, tuple[int, ...]]:
    arguments = read(line)
    estimate = arguments.estimate("points")
    assert estimate is not None
    return estimate.points, arguments.numbers("item")


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
    "quoted",
    [
        '"Sprint 12"',
        "“Sprint 12”",
        "„Sprint 12“",
        "”Sprint 12”",
        '" Sprint 12 "',
        "«Sprint 12»",
        "»Sprint 12«",
        "'Sprint 12'",
        "‘Sprint 12’",
        "‚Sprint 12‘",
        "‹Sprint 12›",
        "「Sprint 12」",
        "`Sprint 12`",
        "Sprint 12",
    ],
)
def test_quotes_of_all_kinds_hold_several_words_and_none_is_needed(quoted: str) -> None:
    assert given_to(f"/go {quoted}").text("name") == "Sprint 12"
    assert given_to(f"/go {quoted} by:count").text("by") == "count"


@pytest.mark.parametrize(
    "line",
    [
        "/go BY:Count",
        "/go By:COUNT",
        '/go by:"count"',
        "/go by:“count”",
        "/go by: count",
        "/go by=count",
        "/go by : count",
        "/go --by count",
        "/go --by=count",
        "/go by:count.",
        "/go —by count",
        "/go by：count",
    ],
)
def test_names_and_choices_are_known_in_any_spelling(line: str) -> None:
    assert given_to(line).text("by") == "count"


def test_a_quoted_text_may_look_like_an_argument() -> None:
    assert given_to('/go "by:count"').text("name") == "by:count"


@pytest.mark.parametrize(
    ("typed", "flag"),
    [
        ("new:yes", True),
        ("new:YES", True),
        ("new:no", False),
        ("new:y", True),
        ("new:true", True),
        ("new:on", True),
        ("--new", True),
        ("—new", True),
        ("new: yes", True),
        ("new:off", False),
    ],
)
def test_a_flag_is_yes_or_no(typed: str, flag: bool) -> None:
    assert given_to(f"/go {typed}").flag("new") is flag


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("/estimate 5", (5, ())),
        ("/estimate 5 points", (5, ())),
        ("/estimate 5pts.", (5, ())),
        ("/estimate ½", (Decimal("0.5"), ())),
        ("/estimate 1½ points", (Decimal("1.5"), ())),
        ("/estimate 1/2", (Decimal("0.5"), ())),
        ("/estimate .5", (Decimal("0.5"), ())),
        ("/estimate 0,5", (Decimal("0.5"), ())),
        ("/estimate ５", (5, ())),
        ("/estimate #70 5", (5, (70,))),
        ("/estimate 5 #70", (5, (70,))),
        ("/estimate 5 points for #70", (5, (70,))),
        ("/estimate https://github.com/acme/shop/issues/70 xl!", (8, (70,))),
        ("/estimate acme/shop#70 XL", (8, (70,))),
        ("/estimate points:5 item:#70", (5, (70,))),
        ("/estimate none", (None, ())),
    ],
)
def test_an_estimate_is_read_as_people_write_it(line: str, expected: tuple[Decimal, tuple[int, ...]]) -> None:
    assert points(line) == expected


@pytest.mark.parametrize(
    ("line", "items", "sprint"),
    [
        ("/sprint add 71", (71,), None),
        ("/sprint add #71, #72 and 73", (71, 72, 73), None),
        ("/sprint add https://github.com/Acme/Shop/pull/71#discussion_r1", (71,), None),
        ("/sprint add https://ghe.example:8443/acme/shop/issues/71?x=1.", (71,), None),
        ("/sprint add GH-71 to Sprint 25", (71,), "Sprint 25"),
        ("/sprint add #71 “Sprint 25”", (71,), "Sprint 25"),
        ("/sprint add milestone: Sprint 25 #71", (71,), "Sprint 25"),
        ("/sprint add issues #71 & #72 for:25", (71, 72), "25"),
    ],
)
def test_items_are_read_as_people_write_them(line: str, items: tuple[int, ...], sprint: str | None) -> None:
    assert (read(line).numbers("items"), read(line).text("sprint")) == (items, sprint)


@pytest.mark.parametrize(
    ("line", "by", "reason"),
    [
        ("/blocked by #70", (70,), None),
        ("/blocked #70", (70,), None),
        ("/blocked by #70 and #71", (70, 71), None),
        ("/blocked by: #70 reason: waits for the API", (70,), "waits for the API"),
        ("/blocked waiting for legal", (), "waiting for legal"),
        ("/blocked by the legal team", (), "by the legal team"),
        ("/blocked --reason «no account»", (), "no account"),
    ],
)
def test_a_block_names_items_or_a_reason(line: str, by: tuple[int, ...], reason: str | None) -> None:
    assert (read(line).numbers("by"), read(line).text("reason")) == (by, reason)


@pytest.mark.parametrize(
    ("line", "goal"),
    [
        ("/sprint goal Ship Apple Pay", "Ship Apple Pay"),
        ("/sprint goal „Ship Apple Pay“", "Ship Apple Pay"),
        ("/sprint goal Don't ship 'it' before \"all\"", "Don't ship 'it' before \"all\""),
        ("/sprint goal Checkout: pay by card.", "Checkout: pay by card."),
        ("/sprint goal met", "met"),
    ],
)
def test_a_free_text_needs_no_quotation_marks(line: str, goal: str) -> None:
    assert read(line).text("goal") == goal


SPRINT_COMMANDS = [
    command
    for command in COMMANDS.values()
    if any(
        argument.name == "sprint" and argument.kind is ArgumentKind.SPRINT for argument in command.accepted
    )
]


def test_a_sprint_can_be_named_in_every_command_about_one() -> None:
    names = {command.name for command in SPRINT_COMMANDS}

    assert names >= {"burndown", "burnup", "cfd", "forecast", "risk", "summary", "whatif", "aging", "explain"}
    assert names >= {
        f"sprint {name}" for name in ("status", "scope", "report", "retro", "close", "add", "plan")
    }


@pytest.mark.parametrize("command", SPRINT_COMMANDS, ids=[command.name for command in SPRINT_COMMANDS])
@pytest.mark.parametrize("spelling", ['sprint:"Sprint 23"', 'for:"Sprint 23"', "milestone: Sprint 23"])
def test_a_sprint_has_the_same_names_everywhere(command: Command, spelling: str) -> None:
    line = f"/{command.name} {'x ' if command.name == 'sprint goal' else ''}{spelling}"

    assert read(line).text("sprint") == "Sprint 23"


@pytest.mark.parametrize(
    "name", [c.name for c in SPRINT_COMMANDS if c.name not in {"sprint goal", "explain"}]
)
@pytest.mark.parametrize("spelling", ['"Sprint 23"', "Sprint 23", "for Sprint 23"])
def test_a_sprint_needs_no_name_and_no_quotation_marks(name: str, spelling: str) -> None:
    assert read(f"/{name} {spelling}").text("sprint") == "Sprint 23"


@pytest.mark.parametrize(
    ("line", "day"),
    [
        ("/sprint start Sprint 26 due: 2026-12-16", date(2026, 12, 16)),
        ("/sprint start Sprint 26 due=2026-12-16", date(2026, 12, 16)),
        ('/sprint start "Sprint 26" due:"next friday"', date(2026, 11, 27)),
        ("/sprint start Sprint 26 due:next friday goal:Ship it", date(2026, 11, 27)),
        ("/sprint start Sprint 26 due in 2 weeks", date(2026, 12, 9)),
        ("/sprint start Sprint 26 due: Nov 27, 2026 --confirm", date(2026, 11, 27)),
        ("/sprint start Sprint 26 due:25.11.", date(2026, 11, 25)),
        ("/sprint start Sprint 26 due:2026–12–16.", date(2026, 12, 16)),
    ],
)
def test_a_date_may_have_several_words(line: str, day: date) -> None:
    arguments = read(line)

    assert (arguments.text("name"), arguments.date("due")) == ("Sprint 26", day)
    is_iso = "2026-12-16" in line
    assert len(arguments.dates_read) == (0 if is_iso or "2026–12–16" in line else 1)


@pytest.mark.parametrize(
    ("line", "fault", "place"),
    [
        ('/sprint goal "Ship', Fault.ENDLESS_QUOTATION, '"Ship'),
        ('/sprint goal "Ship" it', Fault.UNKNOWN, "it"),
        ("/sprint status foo:bar", Fault.UNKNOWN, "foo:bar"),
        ("/sprint goal Ship it milestnoe:x", Fault.UNKNOWN, "milestnoe:x"),
        ("/sprint status by:count by:points", Fault.GIVEN_TWICE, "by:points"),
        ('/sprint goal ""', Fault.EMPTY, '""'),
        ("/sprint status by:", Fault.EMPTY, "by:"),
        ("/sprint status by:hours", Fault.INVALID, "by:hours"),
        ("/sprint status as-of:someday soon", Fault.INVALID, "as-of:someday soon"),
        ("/sprint status as-of:2026-02-30", Fault.INVALID, "as-of:2026-02-30"),
        ("/sprint status as-of:9999-12-31", Fault.TOO_FAR, "as-of:9999-12-31"),
        ("/sprint status new:maybe", Fault.INVALID, "new:maybe"),
        ("/forecast when:50000000", Fault.INVALID, "when:50000000"),
        ("/forecast by:01/02", Fault.AMBIGUOUS, "by:01/02"),
        ("/estimate", Fault.MISSING, ""),
        ("/estimate five", Fault.INVALID, "five"),
        ("/estimate 5 70", Fault.UNKNOWN, "70"),
        ("/estimate 1000000", Fault.TOO_LARGE, "1000000"),
        ("/estimate -5", Fault.NEGATIVE, "-5"),
        ("/estimate 5.555", Fault.TOO_PRECISE, "5.555"),
        ("/estimate 1,000", Fault.AMBIGUOUS, "1,000"),
        ("/sprint add #x", Fault.INVALID, "#x"),
        ("/sprint add #71 #x", Fault.INVALID, "#x"),
        ("/blocked by:foo", Fault.INVALID, "by:foo"),
        ("/calendar add winter break", Fault.INVALID, "winter"),
    ],
)
def test_an_error_points_at_the_place(line: str, fault: Fault, place: str) -> None:
    assert complaint(line) == (fault, place)


WORDS = st.one_of(
    st.sampled_from(
        [
            "due:",
            "by",
            "for",
            "#71",
            "71",
            '"Sprint 23"',
            "next",
            "friday",
            "11/12",
            "25.11.",
            "—",
            "confirm",
            "½",
            "to",
            "5",
            "points",
            "'",
            "“",
            "«x",
            "by:",
            "due=2026-12-16",
            "--due",
            "and",
            ",",
            ".",
            "as-of:",
            "last",
            "1,000",
            "2x5",
            "\u200b",
            "none",
        ]
    ),
    st.text(max_size=12),
)


@given(st.sampled_from(sorted(COMMANDS)), st.lists(WORDS, max_size=8))
@settings(deadline=None)
def test_any_line_is_read_or_refused_with_a_place(name: str, words: list[str]) -> None:
    line = f"/{name} " + " ".join(" ".join(words).splitlines())
    try:
        notes, fault = parse_arguments(line, len(name) + 1, COMMANDS[name].accepted, TEAM).dates_read, None
    except InputError as problem:
        notes, fault = (), problem
    if fault:
        assert 0 <= fault.start <= fault.end <= len(line)
        is_ambiguous = fault.fault is Fault.AMBIGUOUS
        assert not is_ambiguous or len([reading for reading in fault.readings if reading.sense]) > 1
    assert all(2000 <= note.first.year <= note.last.year <= 2100 for note in notes)


QUOTATION_MARKS = "\"“”„‟＂'‘’‚‛«»‹›「」『』`"
TITLES = st.text(
    st.one_of(st.characters(), st.sampled_from(f"{QUOTATION_MARKS} ,:a")), min_size=1, max_size=40
)


@given(TITLES.map(lambda text: " ".join(text.split())))
@example(QUOTATION_MARKS)
@example('"')
@example('""')
@example('say "yes" «now»')
@example('"both» ends"')
def test_a_quoted_title_is_read_as_it_was(title: str) -> None:
    if is_blank(title):  # GitHub has no such titles.
        return
    quoted = quote(title)
    assert given_to(f"/go {quoted}").text("name") == title

    values = given_to(f"/go by:count name:{quoted} new:yes")
    assert (values.text("name"), values.text("by"), values.flag("new")) == (title, "count", True)


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ('"say ""yes"" now"', 'say "yes" now'),
        ("“say ””yes”” now“", "say ”yes” now"),
        ('"""yes"""', '"yes"'),
        ('"yes" by:count', "yes"),
    ],
)
def test_a_mark_that_is_written_twice_within_a_quotation_stands_for_itself(typed: str, text: str) -> None:
    assert given_to(f"/go {typed}").text("name") == text


@pytest.mark.parametrize(
    "piece",
    [
        "due ",
        "due: ",
        "by ",
        "' ",
        "'a ",
        "« ",
        '"a" ',
        "#1 ",
        "a:b ",
        "ab:c ",
        "11/12 ",
        "1/",
        "in 2 ",
        "and ",
        "a",
        "— ",
        "`",
        "confirm ",
        "drop and ",
        "last ",
        "1,",
        ".",
        "to ",
        "Dec 24-",
        "24.12.-",
        "for for ",
    ],
)
@pytest.mark.parametrize(
    "name", ["sprint start", "whatif", "calendar add", "blocked", "sprint close", "estimate"]
)
def test_the_longest_line_is_read_in_no_time(name: str, piece: str) -> None:
    line = f"/{name} {piece * 8_000}"[:8_000]

    def measure() -> float:
        begun = time.thread_time()
        with contextlib.suppress(InputError):
            parse_arguments(line, len(name) + 1, COMMANDS[name].accepted, TEAM)
        return time.thread_time() - begun

    # The second time because of the garbage collector, which may have to look at what all tests have left.
    assert min(measure(), measure()) < 0.2


@pytest.mark.parametrize(
    ("argument", "syntax"),
    list(zip(ACCEPTED, ['["name"]', "[by:points\\|count]", "[as-of:date]", "[new:yes]"], strict=True)),
)
def test_an_argument_says_how_it_is_written(argument: Argument, syntax: str) -> None:
    assert argument.syntax == syntax


_PAST = {("agile resync", "since"), ("explain", "from"), ("explain", "to"), ("start", "since")}
_PAST |= {("sprint scope", "as-of"), ("sprint status", "as-of")}
_FUTURE = {("agile quiet", "until"), ("forecast", "by"), ("whatif", "due")}
_FUTURE |= {("sprint start", "due"), ("sprint start", "start")}


def test_each_date_is_declared_to_be_of_the_past_or_to_come() -> None:
    dates = {
        (command.name, argument.name): argument.is_past
        for command in COMMANDS.values()
        for argument in command.accepted
        if argument.kind is ArgumentKind.DATE
    }

    assert dates == dict.fromkeys(_PAST, True) | dict.fromkeys(_FUTURE, False)


@given(
    st.sampled_from(sorted(_PAST)),
    st.dates(TODAY.replace(year=TODAY.year - 1, day=26), TODAY),
    st.sampled_from(["{day}.{month}.", "{day} {name}", "{name} {day}", "{day}. {name}."]),
    st.sampled_from([":", ": ", "=", " "]),
)
def test_a_day_of_the_past_without_a_year_is_the_latest_such_day(
    argument: tuple[str, str], day: date, form: str, mark: str
) -> None:
    command, name = argument
    written = form.format(day=day.day, month=day.month, name=f"{day:%b}")
    if (day.month, day.day) == (2, 29):
        return
    about = " scope" if command == "explain" else ""

    assert read(f"/{command}{about} {name}{mark}{written}").date(name) == day


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("/start yesterday", "since", date(2026, 11, 24)),
        ("/start 20.11.", "since", date(2026, 11, 20)),
        ("/start friday", "since", date(2026, 11, 20)),
        ("/start since friday", "since", date(2026, 11, 20)),
        ("/agile resync 1 Dec", "since", date(2025, 12, 1)),
        ("/agile quiet friday", "until", date(2026, 11, 27)),
        ("/velocity 5", "last", 5),
        ("/velocity count", "by", "count"),
    ],
)
def test_a_value_that_one_argument_can_take_needs_no_name(line: str, name: str, value: object) -> None:
    arguments = read(line)

    assert arguments.values == {name: value}
    assert len(arguments.dates_read) == isinstance(value, date)


def offered(line: str) -> list[str]:
    """What a text that can be read in several ways may mean."""
    with pytest.raises(InputError) as problem:
        read(line)
    assert problem.value.fault is Fault.AMBIGUOUS
    return [reading.value for reading in problem.value.readings]


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("/sprint start next friday", ["due:2026-11-27", "start:2026-11-27", '"next friday"']),
        (
            "/sprint start Sprint 25 in 2 weeks",
            ['"Sprint 25" due:2026-12-09', '"Sprint 25" start:2026-12-09', '"Sprint 25 in 2 weeks"'],
        ),
        (
            "/sprint start Sprint 25 until 16 Dec",
            ['"Sprint 25" due:2026-12-16', '"Sprint 25" start:2026-12-16', '"Sprint 25 until 16 Dec"'],
        ),
        (
            '/sprint start "Sprint 25" goal:Ship it due friday',
            ['"Ship it" due:friday', '"Ship it due friday"'],
        ),
        ("/blocked waiting for #9", ['"waiting for #9" #9', '"waiting for #9"']),
    ],
)
def test_a_text_that_ends_with_another_value_is_asked_about(line: str, values: list[str]) -> None:
    assert offered(line) == values


@pytest.mark.parametrize(
    ("line", "name", "text"),
    [
        ('/sprint start "next friday"', "name", "next friday"),
        ("/sprint start Release 2.12", "name", "Release 2.12"),
        ("/sprint start Sprint 25 in 2 weeks due:2026-12-16", "name", "Sprint 25 in 2 weeks"),
        ("/sprint start Sprint 25", "name", "Sprint 25"),
        ("/sprint goal Ship it by Friday", "goal", "Ship it by Friday"),
        ("/blocked #9 waiting for #9", "reason", "waiting for #9"),
        ("/pause until friday", "reason", "until friday"),
    ],
)
def test_a_text_that_nothing_else_claims_is_not_asked_about(line: str, name: str, text: str) -> None:
    assert read(line).text(name) == text


@given(st.dates(TODAY, TODAY.replace(year=2027)), st.sampled_from(["%d %b %Y", "%Y-%m-%d", "%b %d, %Y"]))
def test_no_title_swallows_a_date(day: date, form: str) -> None:
    values = offered(f"/sprint start Sprint 25 {day.strftime(form)}")

    assert values[:2] == [f'"Sprint 25" due:{day}', f'"Sprint 25" start:{day}']
    for value in values[:2]:
        assert read(f"/sprint start {value}").text("name") == "Sprint 25"


@pytest.mark.parametrize("name", ["as of", "As of", "asof", "as_of", "as-of", "as of:", "as of ="])
def test_a_name_with_a_hyphen_may_have_a_blank(name: str) -> None:
    arguments = read(f"/sprint status Sprint 24 {name} yesterday")

    assert arguments.values == {"sprint": "Sprint 24", "as-of": date(2026, 11, 24)}


def test_items_need_no_size() -> None:
    assert read("/whatif add:3 items").batch("add") == ItemCount(None, 3)
    assert read("/whatif add 3 items of 5 points").batch("add") == ItemCount(Decimal(5), 3)
    assert read("/whatif days off 3").number("days-off") == 3
