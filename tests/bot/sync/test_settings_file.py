"""The settings file: its schema, and how it is read, stored and validated."""

import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.sync.settings_file import PROW_VERBS, command_names, settings_check_run
from commands.settings.file import (
    MOST_BYTES,
    PATH,
    Problem,
    SettingsFile,
    check_settings,
    check_settings_file,
    load_schema,
    parse_scalar,
)
from handlers.delivery import Delivery
from handlers.push import detect_settings_change
from sprints.cadence import Cadence
from sprints.settings_parser import parse_settings
from storage.job_types import ReadSettingsJob
from storage.jobs import Jobs
from tests.support.repository_settings import load_settings, push_settings_file
from tests.support.running import Bot, rows

NAMES = command_names()
CADENCE = (
    "must be from 1 to 8 weeks such as `2 weeks`, a mapping such as `{every: 2 weeks, starts: mon}`, or `off`"
)
ZONES = load_schema()["properties"]["timezone"]["errorMessage"]


def problems(text: str, *, is_organization: bool = False) -> list[str]:
    settings = check_settings_file(text.encode(), NAMES, is_organization=is_organization)
    assert {problem.key for problem in settings.problems} - {"", "?"} <= set(settings.wrong)
    assert not set(settings.wrong) & settings.settings.keys()
    assert not (settings.is_unreadable and settings.settings)
    return [str(problem) for problem in settings.problems]


# What it may say


def test_a_whole_file_is_read() -> None:
    text = """
# Our team
timezone: [{zone: Europe/Berlin}, {from: 2026-12-01, zone: Asia/Tokyo}]
working_days: [mon, tue, wed, thu]
holidays:
  - 2026-12-25
days_off: [{from: 2026-12-28, to: 2026-12-30, name: Rest}, {from: 2026-12-10, person: bob}]
people: {alice: 100%, bob: 60}
cadence: {every: 2 weeks, starts: monday}
locale: de-CH
sizes: {S: 1, M: 2.5}
estimate_labels: ["effort {points}", "T {size}"]
started_labels: [doing]
done_labels: [verified]
wip: {limit: 5, teams: {checkout: 3}}
teams: {checkout: {labels: ["team: checkout"], people: [alice]}}
charts: mermaid
checks: {require_sprint_item: true}
commands:
  short: false
  sprint goal: {role: write, teams: [leads], users: [alice, "@author"]}
  estimate: {name: points, short: true}
bots: ["release-drafter[bot]"]
strangers: silence
public: read
quiet_hours: {from: 18:00, until: 08:00}
tracking: issue
alerts: {scope: 50, forecast: off, half_way: false}
summaries: issue
standup: 09:30
ai: true
sprints: {repositories: [webshop, payments]}
billing: {repository: office}
"""
    settings = check_settings_file(text.encode(), NAMES, is_organization=True)

    assert settings.problems == ()
    assert set(settings.settings) == set(load_schema()["properties"])
    assert settings.settings["quiet_hours"] == {"from": "18:00", "until": "08:00"}
    rules = parse_settings(settings.settings).rules
    assert str(rules.calendar.zone_of(date(2026, 12, 1))) == "Asia/Tokyo"
    assert rules.estimates.points_of("T m") == rules.estimates.points_of("effort 2.5")
    team = parse_settings(settings.settings)
    assert (team.cadence, team.shares["bob"]) == (Cadence(14, starts=0), Decimal("0.6"))
    assert [(off.first.day, off.person) for off in team.absences] == [(10, "bob")]
    off = sorted(day.isoformat() for day in rules.calendar.holidays)
    assert off == ["2026-12-25", "2026-12-28", "2026-12-29", "2026-12-30"]


@pytest.mark.parametrize(
    "value",
    ["on", "office", "{}", "{repository: acme/office}", "{repository: ''}", "{owner: acme}", "[office]"],
)
def test_who_hears_of_money_is_a_repository_of_the_account_or_off(value: str) -> None:
    read = check_settings_file(f"billing: {value}\n".encode(), NAMES, is_organization=True)
    assert (read.settings, read.wrong) == ({}, ("billing",))


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n", "{}"])
def test_an_empty_file_settles_nothing(text: str) -> None:
    assert check_settings_file(text.encode(), NAMES) == check_settings_file(b"", NAMES)
    assert problems(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "\n\ntimezone: Berlin",
            f"line 3: `timezone` {ZONES}, not “Berlin”",
        ),
        (
            "timezone:\n- zone: Europe/Berlin\n- from: 2026-13-01\n  zone: Asia/Tokyo",
            "line 3: `timezone.from` must be a date such as `2026-12-01`, not “2026-13-01”",
        ),
        ("timezon: UTC", "line 1: there is no setting `timezon`; did you mean `timezone`?"),
        (
            "quiet_hours: {from: 18:00, until: 08:00, not: x}",
            "line 1: there is no setting `not` in `quiet_hours`; use one of `from`, `until`",
        ),
        ("quiet_hours: {from: 18:00}", "line 1: `quiet_hours.until` is missing"),
        (f"bots: [{', '.join(f'b{n}' for n in range(51))}]", "line 1: `bots` has more than 50 entries"),
        (
            "holidays:\n  - 2026-12-24\n  - 2026-02-30",
            "line 3: `holidays` must list dates such as `2026-12-25`, not “2026-02-30”",
        ),
        (
            "locale: klingon",
            (
                "line 1: `locale` must be a supported locale, such as `en`, `en-US`, `de`, `de-CH` or `fr`, "
                "not “klingon”"
            ),
        ),
        (
            "cadence: 9 weeks",
            f"line 1: `cadence` {CADENCE}, not “9 weeks”",
        ),
        (
            "cadence: {every: 2 weeks, starts: someday}",
            "line 1: `cadence.starts` must be a day of the week such as `mon`, not “someday”",
        ),
        ("cadence: {starts: mon}", f'line 1: `cadence` {CADENCE}, not “{{"starts": "mon"}}”'),
        ("people: {bob: 120%}", "line 1: `people.bob` must be a share from 0% to 100%, such as `60%`, not “120%”"),
        ('people: {"@bob": 60%}', "line 1: `people.@bob` must be a login without `@`, such as `alice`, not “@\u200bbob”"),
        (
            'days_off: [{from: 2026-12-24, person: "@bob"}]',
            "line 1: `days_off.person` must be a login without `@`, such as `alice`, not “@\u200bbob”",
        ),
        ("alerts: {half_weg: true}", "line 1: there is no setting `half_weg` in `alerts`; did you mean `half_way`?"),
        ("ai: yes", "line 1: `ai` must be `true` or `false`, not “yes”"),
        ("sizes:\n  S: 1\n  M: lots", "line 3: `sizes.M` must be a number of points from 0 to 9999, not “lots”"),
        (
            "- timezone",
            "line 1: the file must be a mapping of settings to values, such as `timezone: Europe/Berlin`",
        ),
        (
            "charts: &a image\n",
            "line 1: references (`&name`, `*name`) are not supported; write the value out",
        ),
        ("ai: !!python/object:os.system x", "line 1: tags such as `!name` are not supported"),
        ("ai: true\ncharts: image\nai: false", "line 3: `ai` is set twice, first on line 1"),
        ("ai: true\n---\nai: true", "line 2: a second document begins here, but a settings file can have only one"),
        ("wip:\n\tlimit: 5", "line 2: this is not valid YAML: indent with spaces, not with tabs"),
        (
            "ai: a: b",
            "line 1: this is not valid YAML: there is a colon too many, or the indentation is wrong; put text with a colon in quotation marks",
        ),
        ("holidays: [2026-12-24", "line 2: this is not valid YAML: a bracket or brace is not closed, or a comma is missing"),
        ('bots: ["a\\0b"]', "line 1: text must be a single line of printable characters"),
        ("? [a]\n: b", "line 1: the name of a setting must be plain text"),
        ("[" * 5000, "line 1: the settings are nested too deeply"),
        ("commands: {estmate: {role: admin}}", "line 1: there is no command `estmate`; did you mean `estimate`?"),
        (
            "commands:\n  sprint status: {short: false}",
            "line 2: `short` applies to every command that begins with `/sprint`, so put it under `sprint`",
        ),
        ("commands: {estimate: {name: sprint}}", "line 1: `sprint` is the name of another command"),
        (
            "commands:\n  estimate: {name: pts}\n  sprint status: {name: pts}",
            "line 3: `pts` is already the name of `estimate`",
        ),
        (
            "sprints: {repositories: [a, b]}",
            "line 1: `sprints` belongs in the organization's file, in its repository `.github`",
        ),
        ("billing: off", "line 1: `billing` belongs in the organization's file, in its repository `.github`"),
        (
            "charts: image\nbilling: {repository: office}",
            "line 2: `billing` belongs in the organization's file, in its repository `.github`",
        ),
        (
            "teams: {a: {people: [bob]}}\nwip: {teams: {b: 3}}",
            "line 2: `b` is not one of the `teams` in this file",
        ),
        (
            "tracking: #42",
            (
                "line 1: `tracking` is empty, because `#` begins a comment in YAML; it must be `start`, `issue`, "
                '`off`, or the number of an issue, such as `42` or `"#42"`. Put text that contains `#` in quotation marks'
            ),
        ),
        (
            "ai:",
            (
                "line 1: `ai` is empty; it must be `true` or `false`. Remove the line if you don't need it"
            ),
        ),
        (
            "days_off:\n- from: 2026-12-24\n  to: 2026-12-20",
            (
                "line 3: `days_off` ends on `2026-12-20`, before it begins on `2026-12-24`; `from` is the first "
                "day and `to` the last"
            ),
        ),
        (
            "days_off: [{from: 2026-01-01, to: 2027-06-01}]",
            "line 1: `days_off` can last up to 366 days",
        ),
        ("holidays: [1926-12-25]", "line 1: `holidays` must be a day from 2000 to 2100, not `1926-12-25`"),
        ("holidays: [2026-12-25, 2026-12-25]", "line 1: `2026-12-25` is listed twice"),
        (
            "timezone:\n- zone: Europe/Berlin\n- zone: Asia/Tokyo",
            (
                "line 3: `timezone.from` is missing; each zone except the first needs the day on which it begins"
            ),
        ),
        (
            "timezone: [{zone: UTC, from: 2026-12-01}, {zone: Asia/Tokyo, from: 2026-12-01}]",
            "line 1: two zones begin on `2026-12-01`, so keep only one of them",
        ),
        (
            "quiet_hours: {from: 08:00, until: 08:00}",
            (
                "line 1: `quiet_hours` begin and end at 08:00, so they have no effect; use two different times, or remove them"
            ),
        ),
        ("sizes: {m: 1, M: 3}", "line 1: `M` is the same size as `m`, so keep only one of them"),
        (
            "started_labels: [doing]\ndone_labels: [Doing]",
            "line 2: the label `Doing` cannot mean done, because in `started_labels` it means started",
        ),
        (
            "teams: {a: {labels: [x]}, b: {labels: [X]}}",
            "line 1: the label `X` already belongs to the team `a`",
        ),
        ("bots: [alice, Alice]", "line 1: `Alice` is listed twice"),
        (
            "done_labels: [5]",
            (
                "line 1: `done_labels` must list label names of at most 50 characters, not “5”; put it in quotation marks if it is text"
            ),
        ),
        (
            "started_labels: [doing, #wip]\nai: true",
            (
                "line 1: this is not valid YAML: a bracket or brace is not closed, or a comma is missing; `#` begins a "
                "comment, so put text that contains `#` in quotation marks"
            ),
        ),
        ("bots: *b", "line 1: references (`&name`, `*name`) are not supported; write the value out"),
        ("ai: !!str true", "line 1: tags such as `!name` are not supported"),
        ("!!str ai: true", "line 1: tags such as `!name` are not supported"),
        ("TIMEZONE: UTC", "line 1: there is no setting `TIMEZONE`; did you mean `timezone`?"),
    ],
)  # fmt: skip
def test_each_mistake_is_reported_with_line_and_fix(text: str, expected: str) -> None:
    assert problems(text) == [expected]


@pytest.mark.parametrize(
    "wrong",
    ["ai: !!bool yes", "ai: &a true", "ai: 1", "ai:", "aI: true", "? [x]\n: y", "ai: true\nai: false",
     "days_off: [{from: 2026-12-24, to: 2026-12-20}]", "sprints: {repositories: [a, b]}", "billing: off", 'bots: ["a\\0b"]',
     "!!str ai: true", "wip: {limit: {limit: 5}}", "commands: {nothing: {role: read}}"],
)  # fmt: skip
def test_what_is_wrong_costs_that_setting_alone(wrong: str) -> None:
    good = {"timezone": "Asia/Tokyo", "charts": "mermaid"}
    read = check_settings_file(f"timezone: Asia/Tokyo\n{wrong}\ncharts: mermaid\n".encode(), NAMES)
    assert read.settings == good
    assert len(read.problems) == 1
    before = {"timezone": "UTC", "ai": True, "sizes": {"S": 1}}
    kept = {"ai": True} if read.wrong == ("ai",) else {}
    assert read.in_force_after(before) == good | kept


_PAGE = Path("docs/settings.md").read_text()
_EXAMPLES = [
    example
    for block in re.findall(r"```yaml\n(.*?)```", _PAGE, re.DOTALL)
    for example in block.split("# or\n")
]


@pytest.mark.parametrize("example", _EXAMPLES, ids=range(len(_EXAMPLES)))
def test_every_example_of_the_page_is_good(example: str) -> None:
    assert len(_EXAMPLES) > 24
    read = check_settings_file(example.encode(), NAMES, is_organization=True)
    assert (read.problems, bool(read.settings)) == ((), True)


@pytest.mark.parametrize("line", ["scope", "forecast", "blocked", "half_way", "days_left"])
def test_every_alert_can_be_off_as_the_page_promises(line: str) -> None:
    read = check_settings_file(f"alerts: {{{line}: off}}".encode(), NAMES)
    assert read.problems == ()
    assert not getattr(parse_settings(read.settings).alerts, line)


def test_a_part_of_a_command_s_name_has_no_rules() -> None:
    (problem,) = problems("commands: {sprint: {role: read}}")
    assert problem.startswith("line 1: `sprint` alone is not a command; use one of `sprint ")


def test_a_bomb_is_refused_before_it_grows() -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n"
        for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    result = problems(bomb)
    assert result[0] == "line 1: references (`&name`, `*name`) are not supported; write the value out"
    assert len(result) == 9
    assert check_settings_file(bomb.encode(), NAMES).settings == {}


def test_a_huge_file_and_one_that_is_no_text_are_refused() -> None:
    assert problems("#" * (MOST_BYTES + 1)) == ["the file is larger than 32 KB"]
    settings = check_settings_file(b"ai: true\n# caf\xe9", NAMES)
    assert [str(problem) for problem in settings.problems] == ["line 2: the file must be text in UTF-8"]


def test_many_problems_are_cut_and_counted() -> None:
    data = problems("\n".join(f"unknown{n:02}: 1" for n in range(30)))
    assert len(data) == 21
    assert data[-1] == "and 10 more"


@given(st.one_of(st.text(max_size=200), st.binary(max_size=200)))
def test_nothing_that_somebody_commits_raises(content: str | bytes) -> None:
    raw = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    settings = check_settings_file(raw, NAMES)
    assert not (settings.is_unreadable and settings.settings)
    assert bool(settings.problems) == bool(settings.wrong or settings.is_unreadable)
    # What is left is good by itself.
    assert not check_settings(settings.settings, NAMES)


_KEYS = st.sampled_from([*load_schema()["properties"], "other"])
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(_KEYS, _VALUES, max_size=5))
def test_a_file_of_any_values_is_good_or_told_of(payload: dict[str, Any]) -> None:
    text = yaml.safe_dump(payload, allow_unicode=True)
    settings = check_settings_file(text.encode("utf-8", "replace"), NAMES)
    assert all(str(problem) and "\n" not in problem.text for problem in settings.problems)
    parse_settings(settings.settings)
    assert not check_settings(settings.settings, NAMES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("5", 5), ("-1", -1), ("0.5", 0.5), (".5", 0.5), ("true", True), ("~", None), ("", None), ("yes", "yes"),
     ("18:00", "18:00"), ("2026-12-24", "2026-12-24"), ("1e999", "1e999"), ("9" * 99, "9" * 99), ("on", "on")],
)  # fmt: skip
def test_words_mean_what_editors_show(text: str, expected: object) -> None:
    assert parse_scalar(text) == expected
    assert type(parse_scalar(text)) is type(expected)


# The schema itself


def _schemas(data: Any, path: str = "") -> list[tuple[str, dict[str, Any]]]:
    """All schemas within one that check something."""
    result = []
    if isinstance(data, dict):
        if {"type", "enum", "pattern", "format"} & data.keys() and path.rpartition(".")[2] != "properties":
            result.append((path, data))
        for key, value in data.items():
            if key not in {"examples", "default"}:
                result += _schemas(value, f"{path}.{key}")
    elif isinstance(data, list):
        for n, value in enumerate(data):
            result += _schemas(value, f"{path}[{n}]")
    return result


def test_whatever_is_checked_has_words_for_what_would_be_right() -> None:
    checked = _schemas(load_schema())
    assert len(checked) > 30
    assert [path for path, entry in checked if not entry.get("errorMessage", "").startswith("must ")] == []


@pytest.mark.parametrize("key", list(load_schema()["properties"]))
def test_every_setting_is_explained_and_its_examples_are_good(key: str) -> None:
    data = load_schema()["properties"][key]
    assert data["title"]
    assert data["description"]
    assert "default" in data
    for example in data["examples"]:
        assert check_settings({key: example}, [*NAMES, "sprint close", "estimate"]) == ()


# Read, kept and complained about


async def checks(bot: Bot, commit: str, repo: str = "") -> list[tuple[str, str]]:
    """The conclusion and title of each check run of ours on a commit."""
    runs = await bot.github.call("GET", f"/repos/{repo or bot.repo}/commits/{commit}/check-runs")
    assert all(run["name"] == "Agile settings" for run in runs["check_runs"])
    return [(run["conclusion"], run["output"]["title"]) for run in runs["check_runs"]]


async def test_a_push_that_changes_the_file_puts_it_in_force(bot: Bot) -> None:
    commit = await push_settings_file(bot, "timezone: Europe/Berlin\n")

    assert await load_settings(bot) == {"timezone": "Europe/Berlin"}
    assert await checks(bot, commit) == []
    await bot.github.delete_file(bot.repo, PATH)
    await bot.rest()
    assert await load_settings(bot) == {}


async def test_what_is_wrong_is_reported_on_the_commit_and_costs_that_setting(bot: Bot) -> None:
    await push_settings_file(bot, "timezone: Europe/Berlin\n")
    bad = await push_settings_file(bot, "timezone: Berlin\nai: true\n")

    settings = await load_settings(bot)
    assert settings["timezone"] == "Europe/Berlin"
    assert settings["ai"] is True
    assert await checks(bot, bad) == [("failure", f"1 problem in {PATH}")]
    (run,) = await bot.github.check_runs(bot.repo, bad)
    assert (
        "All other settings in the file apply: `ai`. `timezone` keeps its last valid value, `Europe/Berlin`."
        in run["output"]["summary"]
    )
    # Another push says nothing again.
    other = await push_settings_file(bot, "alice\n", "OWNERS")
    assert await checks(bot, other) == []
    assert len(await checks(bot, bad)) == 1

    good = await push_settings_file(bot, "timezone: Europe/Berlin\nai: true\n")
    assert await load_settings(bot) == {"timezone": "Europe/Berlin", "ai": True}
    assert await checks(bot, good) == [("success", "The settings are good")]
    still_good = await push_settings_file(bot, "ai: true\n")
    assert await checks(bot, still_good) == []


async def test_taking_back_what_was_wrong_is_reported_too(bot: Bot) -> None:
    await push_settings_file(bot, "ai: true\n")
    await push_settings_file(bot, "ai: maybe\n")
    again = await push_settings_file(bot, "ai: true\n")

    assert await checks(bot, again) == [("success", "The settings are good")]
    assert await load_settings(bot) == {"ai": True}


@pytest.mark.parametrize(
    ("ref", "commits", "forced", "is_read"),
    [
        ("refs/heads/main", [{"added": [PATH]}], False, True),
        ("refs/heads/main", [{"modified": ["a"]}, {"removed": [PATH]}], False, True),
        ("refs/heads/main", [{"added": ["OWNERS"]}], False, True),
        ("refs/heads/main", [{"added": [".prow/jobs.yaml"]}], False, True),
        ("refs/heads/main", [{"added": ["docs/OWNERS", "x/.github/agile.yml"]}], False, False),
        ("refs/heads/main", [], True, True),
        ("refs/heads/main", [{}] * 2048, False, True),
        ("refs/heads/main", [], False, False),
        ("refs/heads/other", [{"added": [PATH]}], True, False),
    ],
)
def test_pushes_that_may_change_the_settings(
    ref: str, commits: list[dict[str, Any]], *, forced: bool, is_read: bool
) -> None:
    repository = {"id": 1, "full_name": "acme/shop", "default_branch": "main"}
    payload = {"ref": ref, "after": "c0ffee", "repository": repository, "commits": commits, "forced": forced}
    delivery = Delivery("1", "push", None, json.dumps(payload).encode(), datetime.now(UTC))
    assert bool(list(detect_settings_change(delivery))) == is_read


async def test_other_pushes_read_nothing(bot: Bot) -> None:
    await push_settings_file(bot, "# Shop\n", "README.md")

    assert not [request for request in bot.github.requests if "/contents/" in request.path and bot.repo in request.path and request.who != "alice"]  # fmt: skip


async def test_the_organization_s_file_is_the_default(bot: Bot) -> None:
    made = await bot.github.create_repository(name=".github")
    everywhere = str(made["full_name"])
    await push_settings_file(bot, "charts: mermaid\n")
    await push_settings_file(bot, "timezone: Asia/Tokyo\ncharts: image\n", repo=everywhere)

    assert await load_settings(bot) == {"timezone": "Asia/Tokyo", "charts": "mermaid"}
    bad = await push_settings_file(bot, "timezone: Tokyo\n", repo=everywhere)
    assert (await load_settings(bot))["timezone"] == "Asia/Tokyo"
    assert await checks(bot, bad, everywhere) == [("failure", f"1 problem in {PATH}")]
    await bot.github.call("DELETE", f"/repos/{everywhere}")


async def test_a_file_that_an_older_version_put_out_of_force_is_read_again(bot: Bot) -> None:
    bad = await push_settings_file(bot, "ai: maybe\ncharts: mermaid\n")
    (organization,) = await rows(bot.base, "select * from all_tenants()")
    old = """update projects set file = '{"problems": ["line 1: `ai` must be `true` or `false`, not “maybe”"]}'
        where file ? 'problems' returning id"""
    assert await rows(bot.base, old, organization[0])
    assert "charts" not in await load_settings(bot)
    async with bot.base.database.unscoped() as connection:
        await Jobs().defer(connection, ReadSettingsJob(organization_id=organization[0]))
    await bot.rest()

    assert (await load_settings(bot))["charts"] == "mermaid"
    assert len([request for request in bot.github.requests if (request[0], request[1]) == ("POST", f"/repos/{bot.repo}/check-runs")]) == 1  # fmt: skip
    assert await checks(bot, bad) == [("failure", f"1 problem in {PATH}")]


async def test_a_file_that_cannot_be_read_leaves_all_as_it_was(bot: Bot) -> None:
    await push_settings_file(bot, "ai: true\ntimezone: Asia/Tokyo\n")
    bad = await push_settings_file(bot, "ai: [\ntimezone: UTC\n")
    settings = await load_settings(bot)
    assert (settings["ai"], settings["timezone"]) == (True, "Asia/Tokyo")
    (run,) = await bot.github.check_runs(bot.repo, bad)
    assert (
        "Nothing in it applies. The last valid settings still apply: `ai`, `timezone`."
        in run["output"]["summary"]
    )


@pytest.mark.parametrize(
    ("before", "after", "labels"),
    [
        (
            "done_labels: [shipped]",
            "done_labels: [shipped, doing]\nstarted_labels: [doing, shipped]",
            {"started_labels": ["doing", "shipped"]},
        ),
        (
            "started_labels: [shipped]",
            "started_labels: 7\ndone_labels: [Shipped]",
            {"done_labels": ["Shipped"]},
        ),
    ],
)
async def test_a_last_good_value_that_the_file_contradicts_does_not_stay(
    bot: Bot, before: str, after: str, labels: dict[str, list[str]]
) -> None:
    await push_settings_file(bot, f"{before}\nai: true\n")
    bad = await push_settings_file(bot, f"{after}\nai: 7\n")
    settings = await load_settings(bot)
    kept = {key: value for key, value in settings.items() if key in {"done_labels", "started_labels", "ai"}}
    assert kept == labels | {"ai": True}
    (run,) = await bot.github.check_runs(bot.repo, bad)
    wrong = before.partition(":")[0]
    assert f"The last valid value of `{wrong}` no longer applies" in run["output"]["summary"]
    assert "`ai` keeps its last valid value, `true`" in run["output"]["summary"]


async def test_a_setting_without_a_last_good_value_is_as_if_it_were_not_there(bot: Bot) -> None:
    bad = await push_settings_file(bot, "tracking: #42\nalerts: {half_way: off}\ntimezon: UTC\n")
    settings = await load_settings(bot)
    assert settings["alerts"] == {"half_way": "off"}
    assert "tracking" not in settings
    (run,) = await bot.github.check_runs(bot.repo, bad)
    assert "`tracking` is empty, because `#` begins a comment in YAML" in run["output"]["summary"]
    assert "`tracking` is ignored." in run["output"]["summary"]
    # Mended, it is good again, also if only the wrong line was changed.
    good = await push_settings_file(bot, 'tracking: "#42"\nalerts: {half_way: off}\n')
    assert await checks(bot, good) == [("success", "The settings are good")]
    assert (await load_settings(bot))["tracking"] == "#42"


@pytest.mark.parametrize("away", ["gone", "hidden"])
async def test_the_organization_s_file_out_of_sight_stays_in_force(bot: Bot, away: str) -> None:
    made = await bot.github.create_repository(name=".github")
    everywhere = str(made["full_name"])
    await push_settings_file(bot, "# Ours\n")
    await push_settings_file(bot, "timezone: Asia/Tokyo\n", repo=everywhere)
    if away == "gone":
        await bot.github.call("DELETE", f"/repos/{everywhere}")
    else:
        bot.github.fail_next("GET", f"/repos/{everywhere}/contents/", status=404, times=2)
    (organization,) = await rows(bot.base, "select * from all_tenants()")
    async with bot.base.database.unscoped() as connection:
        await Jobs().defer(connection, ReadSettingsJob(organization_id=organization[0]))
    await bot.rest()

    assert await load_settings(bot) == {"timezone": "Asia/Tokyo"}
    number = int((await bot.github.create_issue(bot.repo, "Pay by card"))["number"])
    await bot.say(number, "/agile health\n/agile config\n/agile config validate")
    for answer in await bot.answers(number):
        assert "I can no longer read the organization's `.github/agile.yml`" in answer
        assert "Its last valid settings still apply." in answer
    if away == "gone":
        return
    # Seen again, it is as it was; and who deletes the file there ends its settings.
    async with bot.base.database.unscoped() as connection:
        await Jobs().defer(connection, ReadSettingsJob(organization_id=organization[0]))
    await bot.rest()
    await bot.say(number, "/agile health")
    assert "out of sight" not in (await bot.answers(number))[0]
    await bot.github.delete_file(everywhere, PATH)
    await bot.rest()
    assert await load_settings(bot) == {}
    await bot.github.call("DELETE", f"/repos/{everywhere}")


async def test_a_repository_that_is_added_has_its_file_read(bot: Bot) -> None:
    async with bot.github.muted():
        await bot.github.put_file(bot.repo, PATH, "ai: true\n")
    await bot.github.trigger("installation_repositories", "added", bot.repo)
    await bot.rest()

    assert await load_settings(bot) == {"ai": True}


async def test_what_no_push_told_is_found_by_the_clock(bot: Bot) -> None:
    await push_settings_file(bot, "ai: true\n")
    async with bot.github.muted():
        await bot.github.put_file(bot.repo, PATH, "ai: false\n")
    (organization,) = await rows(bot.base, "select * from all_tenants()")
    async with bot.base.database.unscoped() as connection:
        await Jobs().defer(connection, ReadSettingsJob(organization_id=organization[0]))
    await bot.rest()

    assert await load_settings(bot) == {"ai": False}


async def test_when_github_is_away_it_is_read_later(bot: Bot) -> None:
    await push_settings_file(bot, "ai: false\n")
    bot.github.fail_next("GET", f"/repos/{bot.repo}/contents/", status=502, times=3)
    await push_settings_file(bot, "ai: true\n")
    waiting = await rows(
        bot.base,
        "select 1 from procrastinate_jobs where task_name = 'read_settings' and status = 'todo' "
        "and scheduled_at is not null",
    )

    assert waiting
    assert await load_settings(bot) == {"ai": False}


async def test_without_the_permission_for_checks_it_is_kept_nevertheless(bot: Bot) -> None:
    bot.github.fail_next("POST", f"/repos/{bot.repo}/check-runs", status=403)
    commit = await push_settings_file(bot, "ai: maybe\n")

    assert (await load_settings(bot))["problems"] == ["line 1: `ai` must be `true` or `false`, not “maybe”"]
    assert await checks(bot, commit) == []


async def test_words_of_other_bots_are_left_to_them(bot: Bot) -> None:
    issue = await bot.github.create_issue(bot.repo, "Pay by card")
    await push_settings_file(bot, "approvers: [alice]\n", "OWNERS")
    comment = await bot.say(issue["number"], "/help")

    assert bot.reactions(comment) == []
    comment = await bot.say(issue["number"], "/agile estimate 5")
    assert bot.reactions(comment) == ["eyes", "+1"]
    assert {verb for verb in PROW_VERBS if verb in {name.split()[0] for name in NAMES}} <= {"help"}

    await bot.github.delete_file(bot.repo, "OWNERS")
    await bot.rest()
    (organization,) = await rows(bot.base, "select * from all_tenants()")
    (project,) = await rows(
        bot.base, "select other_bots from projects where github_repo = :name", organization[0], name=bot.repo
    )
    assert project.other_bots == []


def test_the_check_run_points_at_the_lines() -> None:
    wrong = "`ai` must be `true` or `false`, not “may\\_be”"
    read = SettingsFile({}, (Problem(7, wrong, "ai"), Problem(0, "And 3 more.")), ("ai",))
    data = settings_check_run("c0ffee", read, {"ai": True})

    assert data["conclusion"] == "failure"
    assert data["output"]["title"] == f"2 problems in {PATH}"
    assert "- line 7: `ai` must be" in data["output"]["summary"]
    assert "may\\_be" in data["output"]["summary"]
    assert [annotation["start_line"] for annotation in data["output"]["annotations"]] == [7, 1]
    # Lines of files are annotated in plain text.
    assert data["output"]["annotations"][0]["message"] == "`ai` must be `true` or `false`, not “may_be”"


@pytest.mark.parametrize("number", [2**31, 99_999_999_999])
def test_a_number_that_no_issue_can_have_is_refused(number: int) -> None:
    (problem,) = problems(f"tracking: {number}\n")
    assert "the number of an issue" in problem
