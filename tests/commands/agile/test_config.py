"""`/agile config`: effective settings and their sources, validation, and changes."""

import base64
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from commands.agile.config_set import read_value
from commands.framework.errors import UserError
from commands.messages.config import differences, settings_text
from commands.settings.file import PATH, load_schema, parse_values
from commands.settings.text import change_setting, format_yaml, write_setting
from storage.settings_files import SettingOrigins, StoredSettingsFile
from tests.support.changes import query_database
from tests.support.conversations import ask_bot, create_thread
from tests.support.repository_settings import load_settings, push_settings_file
from tests.support.running import Bot, wait_until

# What holds


async def test_without_anything_all_defaults_hold(bot: Bot) -> None:
    answer = await ask_bot(bot, await create_thread(bot), "/agile config")

    assert answer.startswith("Nothing is set here, so all defaults apply.")
    assert f"<summary>{len(load_schema()['properties'])} settings at the default value</summary>" in answer
    assert "| `timezone` | The team's time zone | `UTC` |" in answer


async def test_every_setting_has_its_source(bot: Bot) -> None:
    number = await create_thread(bot)
    await push_settings_file(bot, "timezone: Europe/Berlin\ncharts: mermaid\n")
    await bot.say(number, "/agile quiet on")
    answer = await ask_bot(bot, number, "/agile config show", as_user="dave")

    assert "| `timezone` | `Europe/Berlin` | the repository's file |" in answer
    assert "| `charts` | `mermaid` | the repository's file |" in answer
    assert "quiet" not in answer.replace("quiet_hours", "").split("<details>")[0]


async def test_problems_of_the_newest_file_are_reported(bot: Bot) -> None:
    number = await create_thread(bot)
    await push_settings_file(bot, "ai: true\n")
    await push_settings_file(bot, "ai: perhaps\n")
    answer = await ask_bot(bot, number, "/agile config")

    assert answer.startswith(
        "> [!WARNING]\n> The latest version of the repository's `.github/agile.yml` is invalid"
    )
    assert "> - line 1: `ai` must be `true` or `false`, not “perhaps”" in answer
    assert "> The file sets nothing else. `ai` keeps its last valid value, `true`." in answer
    assert "| `ai` | `true` | the repository's file |" in answer


def test_what_wins_hides_what_does_not() -> None:
    origins = SettingOrigins(
        {"timezone": "UTC"},
        StoredSettingsFile({"timezone": "Asia/Tokyo"}),
        {},
        StoredSettingsFile(),
        {"timezone": "Europe/Berlin"},
    )
    data = settings_text(origins)

    assert "| `timezone` | `Europe/Berlin` | a command; overrides the organization's file |" in data


# Whether it is good


async def test_a_missing_file_is_stated_and_how_to_begin(bot: Bot) -> None:
    answer = await ask_bot(bot, await create_thread(bot), "/agile config validate")
    assert "There is no `.github/agile.yml` here" in answer
    assert parse_values(answer.partition("```yaml\n")[2].partition("```")[0])


async def test_a_good_and_a_bad_file(bot: Bot) -> None:
    number = await create_thread(bot)
    await push_settings_file(bot, "ai: true\n")
    assert "on the default branch is valid. It changes nothing." in await ask_bot(
        bot, number, "/agile config validate"
    )
    await push_settings_file(bot, "ai: true\ntimezon: UTC\n")
    answer = await ask_bot(bot, number, "/agile config validate")
    assert answer.startswith("**1 problem in `.github/agile.yml`** on the default branch:")
    assert "- line 2: there is no setting `timezon`; did you mean `timezone`?" in answer


async def test_in_a_pull_request_it_is_the_file_as_it_would_be(bot: Bot) -> None:
    number = await create_thread(bot)
    await push_settings_file(bot, "# Ours\ntimezone: Europe/Berlin\n")
    answer = await ask_bot(bot, number, "/agile config set ai true")
    assert "so I opened the pull request “Change settings: ai = true”" in answer
    assert await load_settings(bot) == {"timezone": "Europe/Berlin"}

    (pull,) = await bot.github.call("GET", f"/repos/{bot.repo}/pulls")
    assert pull["title"] == "Change settings: ai = true"
    assert f"`alice` requested this change in #{number}." in pull["body"]
    await bot.github.call("PATCH", f"/repos/{bot.repo}/pulls/{pull['number']}", {"state": "closed"})
    data = {"title": "Ours", "head": pull["head"]["ref"], "base": "main", "body": "/agile config validate"}
    pull = await bot.github.call("POST", f"/repos/{bot.repo}/pulls", data)
    await bot.rest()
    (answer,) = await bot.answers(pull["number"])
    assert f"in #{pull['number']} is valid. After the merge, it would change:" in answer
    assert "| `ai` | the default | `true` |" in answer

    data = await bot.github.call("GET", f"/repos/{bot.repo}/contents/{PATH}?ref={pull['head']['ref']}")
    text = base64.b64decode(data["content"]).decode()
    assert text == "# Ours\ntimezone: Europe/Berlin\nai: true\n"
    await push_settings_file(bot, text)
    assert await load_settings(bot) == {"timezone": "Europe/Berlin", "ai": True}


async def test_what_is_wrong_in_a_pull_request_is_not_said_to_be_in_force(bot: Bot) -> None:
    await push_settings_file(bot, "timezone: Europe/Berlin\nwip: {limit: 3}\n")
    proposed = "timezone: Asia/Tokyo\nwip: {limit: many}\ntracking: #42\n"
    pull, answer = await validate_proposed(bot, proposed)
    assert answer.startswith(f"**2 problems in `.github/agile.yml`** in #{pull}:")
    assert answer.endswith(
        "After the merge, all other settings in the file would apply: `timezone`. `wip` would keep its last valid value, `{limit: 3}`. `tracking` would be ignored."
    )
    _, answer = await validate_proposed(bot, "timezone: [")
    assert answer.endswith(
        "After the merge, nothing in it would apply. The last valid settings would still apply: `wip`, `timezone`."
    )


async def validate_proposed(bot: Bot, text: str) -> tuple[int, str]:
    """A pull request whose settings file is `text`, and what is said of it there."""
    branch = f"settings-{len(text)}"
    main = await bot.github.call("GET", f"/repos/{bot.repo}/git/ref/heads/main")
    ref = {"ref": f"refs/heads/{branch}", "sha": main["object"]["sha"]}
    await bot.github.call("POST", f"/repos/{bot.repo}/git/refs", ref)
    await bot.github.put_file(bot.repo, PATH, text, branch=branch)
    fields = {"title": "Ours", "head": branch, "base": "main", "body": "/agile config validate"}
    pull = await bot.github.call("POST", f"/repos/{bot.repo}/pulls", fields)
    await bot.rest()
    (answer,) = await bot.answers(pull["number"])
    # The invisible marker ends it.
    return int(pull["number"]), answer.partition("\n\n<!--")[0]


async def test_what_is_wrong_already_is_not_right_when_it_is_set(bot: Bot) -> None:
    number = await create_thread(bot)
    await push_settings_file(bot, "wip: {limit: many}\n")
    answer = await ask_bot(bot, number, "/agile config set wip.limit many")
    assert "`wip.limit` must be" in answer
    assert "this value already" not in answer
    await push_settings_file(bot, "wip: {limit: 3}\n")
    answer = await ask_bot(bot, number, "/agile config set wip.limit 3")
    assert "`.github/agile.yml` sets this value already." in answer


@pytest.mark.parametrize("typed", ["18:00-08:00", "18:00–08:00", '"18:00 - 08:00"'])
async def test_quiet_hours_are_set_by_one_command(bot: Bot, typed: str) -> None:
    await ask_bot(bot, await create_thread(bot), f"/agile config set quiet_hours {typed}")
    assert (await load_settings(bot))["quiet_hours"] == {"from": "18:00", "until": "08:00"}


async def test_a_text_of_two_words_needs_no_quotation_marks(bot: Bot) -> None:
    number = await create_thread(bot)
    await bot.say(number, "/agile config set cadence 2 weeks")
    await bot.say(number, "/agile config set people.bob 60%")

    settings = await load_settings(bot)
    assert (settings["cadence"], settings["people"]) == ("2 weeks", {"bob": "60%"})


async def test_one_time_of_quiet_hours_changes_where_there_are_both(bot: Bot) -> None:
    number = await create_thread(bot)
    await bot.say(number, "/agile config set quiet_hours 18:00-08:00")
    await bot.say(number, "/agile config set quiet_hours.from 19:00")
    assert (await load_settings(bot))["quiet_hours"] == {"from": "19:00", "until": "08:00"}


async def test_a_command_mends_what_is_wrong_in_the_file(bot: Bot) -> None:
    number = await create_thread(bot)
    await push_settings_file(bot, "# Ours\r\ntracking: #42\r\nai: perhaps  # soon\r\n")
    answer = await ask_bot(bot, number, "/agile config set ai true")
    assert "so I opened the pull request “Change settings: ai = true”" in answer
    (pull,) = await bot.github.call("GET", f"/repos/{bot.repo}/pulls")
    there = await bot.github.call("GET", f"/repos/{bot.repo}/contents/{PATH}?ref={pull['head']['ref']}")
    assert base64.b64decode(there["content"]) == b"# Ours\r\ntracking: #42\r\nai: true  # soon\r\n"


async def test_a_try_that_dies_while_proposing_is_taken_up(bot: Bot) -> None:
    number = await create_thread(bot)
    await push_settings_file(bot, "timezone: Europe/Berlin\n")
    bot.github.fail_next("POST", f"/repos/{bot.repo}/pulls", status=502, after_effect=True)
    await bot.say(number, "/agile config set ai true")

    async def is_answered() -> bool:
        return bool(await bot.answers(number))

    await wait_until(is_answered)
    await bot.rest()
    assert "I opened the pull request" in (await bot.answers(number))[-1]
    assert len(await bot.github.call("GET", f"/repos/{bot.repo}/pulls")) == 1


async def test_without_the_permission_it_is_stated_who_can_help(restricted_bot: Bot) -> None:
    bot = restricted_bot
    number = await create_thread(bot)
    await push_settings_file(bot, "timezone: Europe/Berlin\n")
    answer = await ask_bot(bot, number, "/agile config set ai true")

    assert "GitHub would not let me propose `ai`" in answer
    assert "`/agile health` tells what an owner must grant" in answer


# Changed by command


async def test_setting_without_a_file_is_stored_and_removed(bot: Bot) -> None:
    number = await create_thread(bot)
    comment = await bot.say(number, "/agile config set timezone Europe/Berlin")

    assert bot.reactions(comment) == ["eyes", "+1"]
    assert await load_settings(bot) == {"timezone": "Europe/Berlin"}
    assert "| `timezone` | the default | `Europe/Berlin` |" in (await bot.answers(number))[-1]
    await bot.say(number, "/agile config set sizes.M 3\n/agile config set sizes.L 8")
    assert (await load_settings(bot))["sizes"] == {"M": 3, "L": 8}
    await bot.say(number, "/agile config set sizes.M default\n/agile config set timezone default")
    assert await load_settings(bot) == {"sizes": {"L": 8}}
    (first, *_) = await query_database(bot, "select actor, action, target from audit_log order by id")
    assert tuple(first) == ("alice", "/agile config set timezone Europe/Berlin", "timezone")


async def test_what_a_command_has_set_stays_a_command_s(bot: Bot) -> None:
    number = await create_thread(bot)
    await bot.say(number, "/agile config set timezone Europe/Berlin")
    await push_settings_file(bot, "timezone: Asia/Tokyo\n")
    assert (await load_settings(bot))["timezone"] == "Europe/Berlin"
    answer = await ask_bot(bot, number, "/agile config set timezone default")

    assert "`timezone` is no longer set by command" in answer
    assert (await load_settings(bot))["timezone"] == "Asia/Tokyo"


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("timezone Berlin", "`timezone` must be an IANA time zone such as `Europe/Berlin`"),
        ("timezon UTC", "There is no setting “timezon”. The settings are `timezone`,"),
        ("sizes.M lots", "`sizes.M` must be a number of points from 0 to 9999, not “lots”."),
        ("wip.most 3", "There is no `most` in `wip`. You can set `limit`, `teams`."),
        ("sizes 3", "`sizes` has several parts, such as `{S: 1, M: 3, L: 8}`. Name the part to set"),
        ("working_days mon,someday", "`working_days` must list days such as `mon` or `tue`, not “someday”."),
        ("commands.estmate.role write", "There is no command `estmate`; did you mean `estimate`?"),
        ("days_off 2026-12-24", "`days_off` is too complex for a command. Please set it in `.github/agile.yml`."),
        ("sprints.repositories a,b", "`sprints` applies to the whole organization"),
        ("timezone", '`"value"` is missing'),
        ("quiet_hours evening", "`evening` is not a range of times. Set both times at once, for example"),
        ("quiet_hours 18:00-8am", "`quiet_hours.until` must be"),
        (
            "quiet_hours.from 18:00",
            "`quiet_hours.until` is missing. Set both times at once, for example `/agile config set quiet_hours",
        ),
    ],
)  # fmt: skip
async def test_invalid_setting_is_refused_with_a_reason(bot: Bot, typed: str, expected: str) -> None:
    number = await create_thread(bot)
    comment = await bot.say(number, f"/agile config set {typed}")

    assert bot.reactions(comment) == ["eyes", "confused"]
    assert expected in (await bot.answers(number))[-1]
    assert await load_settings(bot) == {}


async def test_who_may_not_set_is_reported_who_may(bot: Bot) -> None:
    number = await create_thread(bot)
    answer = await ask_bot(bot, number, "/agile config set ai true", as_user="bob")
    assert "`/agile config set` needs the maintain role; yours is write." in answer


async def test_what_settles_who_may_is_for_admins(bot: Bot) -> None:
    number = await create_thread(bot)
    bot.github.roles = {**bot.github.roles, bot.repo: {"alice": "admin", "bob": "maintain"}}
    typed = '/agile config set "commands.agile roles.role" maintain'
    answer = await ask_bot(bot, number, typed, as_user="bob")

    assert "`commands` controls who may do what, so only an admin can set it by command." in answer
    assert await load_settings(bot) == {}
    await bot.say(number, typed)
    assert await load_settings(bot) == {"commands": {"agile roles": {"role": "maintain"}}}


# Texts


_TEXT = """# Our rules
timezone: Europe/Berlin  # where most of us are

# Days
holidays:
  - 2026-12-24   # Christmas
  - 2026-12-25
# Points
sizes: {S: 1,
  M: 3}
"""


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("ai", True, f"{_TEXT}ai: true\n"),
        ("timezone", "Asia/Tokyo", _TEXT.replace("Europe/Berlin  #", "Asia/Tokyo  #")),
        ("timezone", None, _TEXT.replace("timezone: Europe/Berlin  # where most of us are\n", "")),
        (
            "holidays",
            ["2027-01-01"],
            _TEXT.replace(
                "holidays:\n  - 2026-12-24   # Christmas\n  - 2026-12-25\n",
                "# Christmas\nholidays:\n  - 2027-01-01\n",
            ),
        ),
        (
            "holidays",
            ["2026-12-24", "2027-01-01"],
            _TEXT.replace("  - 2026-12-25\n", "  - 2027-01-01\n"),
        ),
        ("sizes", {"S": 1, "M": 3, "L": 8}, _TEXT.replace("M: 3}", "M: 3, L: 8}")),
        ("sizes", {"S": 1, "M": 5}, _TEXT.replace("M: 3}", "M: 5}")),
        ("sizes", {"S": 2}, _TEXT.replace("{S: 1,\n  M: 3}", "{S: 2}")),
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_setting_changes_and_all_else_stays(key: str, value: object, expected: str, line_end: str) -> None:
    text = _TEXT.replace("\n", line_end)
    assert write_setting(text, key, value) == expected.replace("\n", line_end)


_NESTED = """wip:
  # ours
  limit: 5  # five
  teams:
    a: 3 # three
"""


@pytest.mark.parametrize(
    "value",
    [
        {"limit": 6},
        {"limit": 5, "teams": {"a": 3, "b": 1}},
        {"teams": {"a": 2}},
        {"limit": 5, "teams": {"c": 4}},
    ],
)
def test_no_comment_of_a_setting_is_lost(value: dict[str, Any]) -> None:
    new = write_setting(_NESTED, "wip", value)
    assert new is not None
    assert all(comment in new for comment in ("# ours", "# five", "# three"))


def test_a_setting_that_is_wrong_can_be_mended() -> None:
    assert write_setting("ai: &x true # why\ncharts: image\n", "ai", False) == (
        "# why\nai: false\ncharts: image\n"
    )
    # Which of the two is meant nobody can tell.
    assert write_setting("ai: true\nai: false\n", "ai", True) is None


@pytest.mark.parametrize("text", ["", "# Later\n", "ai: true", "---\nai: true\n"])
def test_a_file_that_says_little_can_be_changed(text: str) -> None:
    new = write_setting(text, "timezone", "Asia/Tokyo")
    assert new is not None
    assert parse_values(new)["timezone"] == "Asia/Tokyo"
    assert text.strip() in new


def test_a_file_in_braces_is_left_alone() -> None:
    assert write_setting("{ai: true}", "timezone", "Asia/Tokyo") is None


_SCALARS = (
    st.booleans() | st.integers(0, 99) | st.text(st.characters(categories=["L", "N", "P", "Zs"]), max_size=9)
)
_VALUES = st.one_of(
    _SCALARS, st.lists(_SCALARS, max_size=3), st.dictionaries(st.sampled_from("abc"), _SCALARS, max_size=3)
)


@given(
    st.dictionaries(st.sampled_from(["ai", "bots", "sizes"]), _VALUES, max_size=3),
    st.sampled_from(["ai", "wip"]),
    _VALUES,
)
def test_whatever_is_changed_is_that_and_nothing_else(
    before: dict[str, Any], key: str, value: object
) -> None:
    text = yaml.safe_dump(before, allow_unicode=True)
    if parse_values(text) != before:  # What older readers quote otherwise.
        return
    new = write_setting(text, key, value)
    assert new is None or parse_values(new) == {**before, key: value}


@pytest.mark.parametrize(
    ("value", "text"),
    [("2026-12-24", "2026-12-24"), (["mon"], "[mon]"), ("true", "'true'"), (True, "true"), (None, "null"),
     ({"S": 1}, "{S: 1}"), ("18:00", "'18:00'"), ("a: b", "'a: b'")],
)  # fmt: skip
def test_values_are_shown_as_a_file_has_them(value: object, text: str) -> None:
    assert format_yaml(value) == text


def test_a_long_value_is_cut() -> None:
    assert format_yaml(["mon"] * 100, 20) == "[mon, mon, mon, mon…"


def test_deep_values_are_changed_and_taken_away() -> None:
    settings = {"sizes": {"S": 1}, "commands": {"short": False}}
    assert change_setting(settings, ("sizes", "M"), 3) == {"S": 1, "M": 3}
    assert change_setting(settings, ("sizes", "S"), None) is None
    assert change_setting(settings, ("commands", "estimate", "role"), "write") == {
        "short": False,
        "estimate": {"role": "write"},
    }
    assert change_setting(settings, ("ai",), True) is True
    assert change_setting(settings, ("wip", "teams", "a"), None) is None
    assert settings == {"sizes": {"S": 1}, "commands": {"short": False}}


@pytest.mark.parametrize(
    ("path", "typed", "value"),
    [(("ai",), ("yes",), True), (("ai",), ("maybe",), "maybe"), (("holidays",), ("2026-12-24",), ["2026-12-24"]),
     (("sizes", "M"), ("0.5",), 0.5), (("wip", "limit"), ("5",), 5), (("charts",), ("mermaid",), "mermaid"),
     (("timezone",), ("Europe/Berlin",), "Europe/Berlin"), (("checks",), ("off",), "off"),
     (("checks", "require_sprint_item"), ("yes",), True), (("alerts", "half_way"), ("off",), "off"),
     (("alerts", "half_way"), ("no",), False), (("tracking",), ("42",), 42), (("tracking",), ("#42",), "#42"),
     (("commands", "sprint close", "users"), ("alice", "@author"), ["alice", "@author"])],
)  # fmt: skip
def test_what_is_typed_is_read_as_the_setting_asks(
    path: tuple[str, ...], typed: tuple[str, ...], value: object
) -> None:
    assert read_value(path, typed) == value


def test_a_number_is_read_where_it_is_one_of_several_forms(monkeypatch: pytest.MonkeyPatch) -> None:
    forms = {"anyOf": [{"enum": ["off"]}, {"type": "integer"}]}
    data = {**load_schema(), "properties": {**load_schema()["properties"], "any": forms}}
    monkeypatch.setattr("commands.agile.config_set.load_schema", lambda: data)
    assert read_value(("any",), ("42",)) == 42
    assert read_value(("any",), ("off",)) == "off"


def test_a_mapping_cannot_be_typed() -> None:
    with pytest.raises(UserError):
        read_value(("commands", "estimate"), ("x",))


def test_differences_name_what_was_taken_away_too() -> None:
    assert differences({"a": 1, "b": 2}, {"a": 1, "c": 3}) == [("b", 2, None), ("c", None, 3)]
