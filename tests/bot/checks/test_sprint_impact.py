"""The check “Sprint impact”, from a pull request's webhook to the check run on its commit."""

import itertools
from collections.abc import Sequence

import pytest

from storage.job_types import PressJob
from storage.jobs import Jobs
from tests.support.changes import query_database
from tests.support.checks import (
    Json,
    button_identifiers,
    deliver_pull_request_event,
    find_check,
    get_sprint_number,
    list_check_writes,
    open_pull_request,
    press_button,
    repository_event,
    run_check_job,
)
from tests.support.repository_settings import push_settings_file, set_setting
from tests.support.running import Bot, query_as_administrator
from tests.support.sprints import make_sprint

_SHAS = itertools.count(1)


def new_sha() -> str:
    """A commit that nobody else has."""
    return f"{next(_SHAS):040x}"


async def issue(bot: Bot, title: str = "Elsewhere", labels: Sequence[str] = ()) -> int:
    """An issue outside of the sprint."""
    made = await bot.github.create_issue(bot.repo, title, labels=labels)
    await bot.rest()
    return int(made["number"])


async def test_a_request_for_a_review_queues_no_check(bot: Bot) -> None:
    """Neither of its pull request nor of the others: no check shows who is asked."""
    number = await make_sprint(bot)
    pull = await open_pull_request(bot, body=f"Closes #{number}")
    query_as_administrator(bot.base, "delete from procrastinate_jobs where status = 'todo'")
    waiting = "select task_name from procrastinate_jobs where status = 'todo'"
    for action in ("review_requested", "review_request_removed"):
        await bot.github.trigger("pull_request", action, bot.repo, number=pull["number"], reviewer="carol")
    await bot.rest()
    stored = await query_database(bot, "select event from timeline where kind = 'review_request'")
    assert len(stored) == 2
    assert query_as_administrator(bot.base, waiting) == []

    await bot.github.update_issue(bot.repo, number, title="Card")
    await bot.rest()
    assert query_as_administrator(bot.base, waiting)


# What it says


async def test_it_says_which_item_is_finished_and_what_is_left_then(bot: Bot) -> None:
    number = await make_sprint(bot)
    pull = await open_pull_request(bot, body=f"Closes #{number}")

    run = await find_check(bot, pull["head"]["sha"])
    assert run["status"] == "completed"
    assert run["conclusion"] == "neutral"
    assert run["output"]["title"] == f"Finishes #{number}: 2 → 1 item left in Sprint 12"
    assert (
        f"Merging this finishes **#{number}** Card form (5 points) of **Sprint 12**."
        in run["output"]["summary"]
    )
    assert "| Left to do | 2 of 3 items | **1 of 3 items** |" in run["output"]["summary"]
    assert run["actions"] == []
    (image,) = run["images"]
    assert image["alt"].startswith("Burndown: 2 of 3 items remain")
    assert image["image_url"].endswith(".png")


async def test_it_is_edited_in_place_and_only_if_something_has_changed(bot: Bot) -> None:
    number = await make_sprint(bot)
    pull = await open_pull_request(bot)
    head = pull["head"]["sha"]
    first = await find_check(bot, head)
    assert first["output"]["title"] == "Unplanned: closes no item of Sprint 12"
    assert button_identifiers(first) == [
        f"add:{await get_sprint_number(bot)}",
        f"aside:{await get_sprint_number(bot)}",
    ]

    await bot.github.update_issue(bot.repo, pull["number"], title="Pay by card, at last")
    await bot.rest()
    assert len(list_check_writes(bot)) == 1

    await bot.github.update_issue(bot.repo, pull["number"], body=f"Fixes #{number}")
    await bot.rest()
    now = await find_check(bot, head)
    assert now["id"] == first["id"]
    assert now["output"]["title"].startswith(f"Finishes #{number}:")
    assert [method for method, _ in list_check_writes(bot)] == ["POST", "PATCH"]


async def test_each_head_has_a_check_and_only_the_current_one_changes(bot: Bot) -> None:
    number = await make_sprint(bot)
    pull = await open_pull_request(bot)
    old, new = pull["head"]["sha"], new_sha()
    head = pull["head"] | {"sha": new}
    await deliver_pull_request_event(
        bot, "synchronize", pull, head=head, before=old, additions=30, deletions=10, changed_files=3
    )
    assert "| Size | 40 lines in 3 files |" in (await find_check(bot, new))["output"]["summary"]

    await deliver_pull_request_event(bot, "edited", pull, head=head, body=f"Closes #{number}")
    assert (await find_check(bot, new))["output"]["title"].startswith("Finishes")
    assert (await find_check(bot, old))["output"]["title"].startswith("Unplanned")


async def test_the_name_of_a_branch_says_what_is_worked_on(bot: Bot) -> None:
    number = await make_sprint(bot)
    pull = await open_pull_request(bot, head=f"feature/{number}-card-form")

    run = await find_check(bot, pull["head"]["sha"])
    assert run["output"]["title"] == f"Works on #{number} of Sprint 12 without closing it"
    assert "| Sprint 12 | Now | Once done |" in run["output"]["summary"]
    assert button_identifiers(run) == [f"link:{number}"]
    assert run["actions"][0]["label"] == f"Link #{number}"
    assert f"“Closes #{number}”" in run["actions"][0]["description"]


async def test_issues_that_people_linked_without_words_count(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GitHub tells of such links by GraphQL alone."""
    number = await make_sprint(bot)

    async def graphql(*_: object, **__: object) -> Json:
        nodes = [{"number": number, "repository": {"nameWithOwner": bot.repo}}]
        nodes += [{"number": 2, "repository": {"nameWithOwner": "acme/elsewhere"}}]
        return {"repository": {"pullRequest": {"closingIssuesReferences": {"nodes": nodes}}}}

    monkeypatch.setattr("bot.github.client.Installation.graphql", graphql)
    pull = await open_pull_request(bot)
    head = pull["head"]["sha"]
    assert (await find_check(bot, head))["output"]["title"].startswith(f"Finishes #{number}:")

    # What is known by it is known without asking again, too.
    await run_check_job(bot)
    assert (await find_check(bot, head))["output"]["title"].startswith(f"Finishes #{number}:")
    assert len(list_check_writes(bot)) == 1


async def test_a_review_and_a_draft_are_reported(bot: Bot) -> None:
    await make_sprint(bot)
    pull = await open_pull_request(bot)
    head = pull["head"]["sha"]
    assert "| First review | waiting since" in (await find_check(bot, head))["output"]["summary"]

    await deliver_pull_request_event(bot, "converted_to_draft", pull, draft=True)
    run = await find_check(bot, head)
    assert "none yet (draft)" in run["output"]["summary"]
    assert run["conclusion"] == "neutral"

    await deliver_pull_request_event(bot, "ready_for_review", pull)
    await bot.github.trigger(
        "pull_request_review", "submitted", bot.repo, number=pull["number"], as_user="bob"
    )
    await bot.rest()
    assert "| First review | after less than an hour |" in (await find_check(bot, head))["output"]["summary"]


async def test_when_the_sprint_moves_the_others_follow(bot: Bot) -> None:
    number = await make_sprint(bot)
    pull = await open_pull_request(bot, body=f"Closes #{number}")
    head = pull["head"]["sha"]
    await bot.github.update_issue(bot.repo, number + 2, milestone=None)
    await bot.rest()
    waiting = query_as_administrator(
        bot.base,
        "select scheduled_at from procrastinate_jobs "
        "where task_name = 'run_later' and args ->> 'task' = 'check' and status = 'todo'",
    )
    assert len(waiting) == 1
    assert (await find_check(bot, head))["output"]["title"].endswith("2 → 1 item left in Sprint 12")

    await run_check_job(bot)
    assert "→ 0 " in (await find_check(bot, head))["output"]["title"]
    before = len(list_check_writes(bot))
    await run_check_job(bot)
    assert len(list_check_writes(bot)) == before


async def test_a_private_repository_links_no_picture(bot: Bot) -> None:
    bot.repository = await bot.github.create_repository(name=f"private-{new_sha()[-6:]}", private=True)
    number = await make_sprint(bot)
    pull = await open_pull_request(bot, body=f"Closes #{number}")

    run = await find_check(bot, pull["head"]["sha"])
    assert run["images"] == []
    assert "<summary>Burndown of the last days, in items</summary>" in run["output"]["summary"]

    await set_setting(bot, "charts", "image")
    await run_check_job(bot)
    run = await find_check(bot, pull["head"]["sha"])
    assert len(run["images"]) == 1
    assert "<details>" not in run["output"]["summary"]


async def test_a_repository_without_sprints_hears_nothing(bot: Bot) -> None:
    pull = await open_pull_request(bot)

    assert await bot.github.check_runs(bot.repo, pull["head"]["sha"]) == []


async def test_one_that_is_closed_hears_nothing_more(bot: Bot) -> None:
    number = await make_sprint(bot)
    pull = await open_pull_request(bot)
    await deliver_pull_request_event(
        bot, "closed", pull, state="closed", merged=True, merged_at="2026-11-20T10:00:00Z"
    )
    await bot.github.update_issue(bot.repo, number + 2, milestone=None)
    await run_check_job(bot)

    assert len(list_check_writes(bot)) == 1


async def test_two_pull_requests_of_one_commit_share_a_check(bot: Bot) -> None:
    """It speaks of the one that reaches the default branch."""
    number = await make_sprint(bot)
    pull = await open_pull_request(bot, body=f"Closes #{number}")
    head = pull["head"]
    other = await open_pull_request(bot, "The same for the release", head="other")
    await deliver_pull_request_event(bot, "edited", other, head=head, base=other["base"] | {"ref": "release"})

    assert (await find_check(bot, head["sha"]))["output"]["title"].startswith(f"Finishes #{number}")


# Forks


async def test_a_fork_s_commit_is_known_by_its_sha(bot: Bot) -> None:
    await make_sprint(bot)
    pull = await open_pull_request(bot)
    sha = new_sha()
    fork = {"id": 999, "node_id": "R_fork", "full_name": "mallory/shop", "default_branch": "main"}
    await deliver_pull_request_event(bot, "synchronize", pull, head=pull["head"] | {"sha": sha, "repo": fork})
    run = await find_check(bot, sha)
    assert run["output"]["title"] == "Unplanned: closes no item of Sprint 12"

    await press_button(bot, sha, button_identifiers(run)[0])
    # The stand-in's webhook tells of the branch as it is there.
    assert (await bot.github.issue(bot.repo, pull["number"]))["milestone"] is not None


async def test_a_commit_that_no_webhook_told_of_is_asked_for(bot: Bot) -> None:
    number = await make_sprint(bot)
    async with bot.github.muted():
        pull = await bot.github.open_pull_request(
            bot.repo, "Card form", body=f"Closes #{number}", head="work"
        )
    head = pull["head"]["sha"]
    payload = await repository_event(bot, "rerequested") | {
        "check_suite": {"head_sha": head, "pull_requests": []}
    }
    await bot.deliver("check_suite", payload)
    await bot.rest()

    assert (await find_check(bot, head))["output"]["title"].startswith(f"Finishes #{number}")


# Re-run


async def test_a_re_run_is_reported_even_if_it_says_the_same(bot: Bot) -> None:
    number = await make_sprint(bot)
    pull = await open_pull_request(bot, body=f"Closes #{number}")
    head = pull["head"]["sha"]
    before = await find_check(bot, head)
    await bot.github.call("POST", f"/repos/{bot.repo}/check-runs/{before['id']}/rerequest")
    await bot.rest()

    after = await find_check(bot, head)
    assert after["id"] == before["id"]
    assert (after["status"], after["conclusion"]) == ("completed", "neutral")
    assert after["output"] == before["output"]

    await deliver_pull_request_event(bot, "closed", pull, state="closed")
    await bot.github.call("POST", f"/repos/{bot.repo}/check-runs/{before['id']}/rerequest")
    await bot.rest()
    assert (await find_check(bot, head))["status"] == "completed"


# Buttons


async def test_add_to_sprint_adds_the_pull_request_and_is_audited(bot: Bot) -> None:
    await make_sprint(bot)
    pull = await open_pull_request(bot)
    head = pull["head"]["sha"]
    await press_button(bot, head, f"add:{await get_sprint_number(bot)}", as_user="carol")

    number = pull["number"]
    assert (await bot.github.issue(bot.repo, number))["milestone"]["title"] == "Sprint 12"
    run = await find_check(bot, head)
    assert run["output"]["title"] == "Part of the sprint: 3 → 2 items left in Sprint 12"
    assert "`carol` pressed “Add to sprint” on" in run["output"]["summary"]
    assert f"#{number} is now in Sprint 12." in run["output"]["summary"]
    assert button_identifiers(run) == [f"aside:{await get_sprint_number(bot)}"]
    (entry,) = await query_database(bot, "select actor, action, target from audit_log")
    assert tuple(entry) == ("carol", "button “Add to sprint”", f"#{number}")

    await press_button(bot, head, button_identifiers(run)[0])
    assert (await bot.github.issue(bot.repo, number))["milestone"] is None
    run = await find_check(bot, head)
    assert run["output"]["title"] == "Not for Sprint 12, according to alice"
    assert button_identifiers(run) == [f"add:{await get_sprint_number(bot)}"]


async def test_add_to_sprint_adds_the_issue_that_it_closes(bot: Bot) -> None:
    await make_sprint(bot)
    outside = await issue(bot, "Refunds", ["points: 3"])
    pull = await open_pull_request(bot, body=f"Closes #{outside}")
    head = pull["head"]["sha"]
    run = await find_check(bot, head)
    assert run["output"]["title"] == f"Unplanned: closes #{outside}, which is not in Sprint 12"
    assert run["actions"][0]["description"] == f"Adds #{outside} to Sprint 12"

    await press_button(bot, head, button_identifiers(run)[0])
    assert (await bot.github.issue(bot.repo, outside))["milestone"]["title"] == "Sprint 12"
    assert (await bot.github.issue(bot.repo, pull["number"]))["milestone"] is None
    assert (await find_check(bot, head))["output"]["title"].startswith(f"Finishes #{outside}:")


async def test_link_writes_the_words_that_github_follows(bot: Bot) -> None:
    number = await make_sprint(bot)
    pull = await open_pull_request(bot, body=f"Part of #{number}, see there.")
    head = pull["head"]["sha"]
    run = await find_check(bot, head)
    assert run["output"]["title"] == f"Unplanned: mentions #{number} of Sprint 12 but does not close it"
    assert button_identifiers(run)[0] == f"link:{number}"

    await press_button(bot, head, f"link:{number}")
    body = (await bot.github.issue(bot.repo, pull["number"]))["body"]
    assert body == f"Part of #{number}, see there.\n\nCloses #{number}"
    run = await find_check(bot, head)
    assert run["output"]["title"].startswith(f"Finishes #{number}:")
    assert button_identifiers(run) == []

    await press_button(bot, head, f"link:{number}")
    assert (await bot.github.issue(bot.repo, pull["number"]))["body"] == body
    assert "Things have changed in the meantime" in (await find_check(bot, head))["output"]["summary"]


async def test_not_this_sprint_is_remembered_and_can_be_undone(bot: Bot) -> None:
    await make_sprint(bot)
    pull = await open_pull_request(bot)
    head, sprint = pull["head"]["sha"], await get_sprint_number(bot)
    await press_button(bot, head, f"aside:{sprint}")
    run = await find_check(bot, head)
    assert run["output"]["title"] == "Not for Sprint 12, according to alice"
    assert button_identifiers(run) == [f"add:{sprint}"]

    await press_button(bot, head, f"add:{sprint}")
    assert (await find_check(bot, head))["output"]["title"].startswith("Part of the sprint")


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ("dave", "This button needs the triage role, and they have the read role."),
        ("mallory", "they have no role here."),
    ],
)
async def test_press_without_permission_is_refused(bot: Bot, who: str, expected: str) -> None:
    await make_sprint(bot)
    pull = await open_pull_request(bot)
    head = pull["head"]["sha"]
    await press_button(bot, head, f"add:{await get_sprint_number(bot)}", as_user=who)

    assert (await bot.github.issue(bot.repo, pull["number"]))["milestone"] is None
    assert expected in (await find_check(bot, head))["output"]["summary"]
    assert not await query_database(bot, "select 1 from audit_log")


async def test_a_team_s_rule_for_the_command_holds_for_the_button(bot: Bot) -> None:
    await make_sprint(bot)
    await set_setting(bot, "commands", {"sprint add": {"role": "maintain"}})
    pull = await open_pull_request(bot)
    await press_button(bot, pull["head"]["sha"], f"add:{await get_sprint_number(bot)}", as_user="carol")

    summary = (await find_check(bot, pull["head"]["sha"]))["output"]["summary"]
    assert "This button needs the maintain role, and they have the triage role." in summary


async def test_refused_write_is_reported(bot: Bot) -> None:
    await make_sprint(bot)
    pull = await open_pull_request(bot)
    bot.github.fail_next("PATCH", f"/repos/{bot.repo}/issues/{pull['number']}", status=422)
    await press_button(bot, pull["head"]["sha"], f"add:{await get_sprint_number(bot)}")

    summary = (await find_check(bot, pull["head"]["sha"]))["output"]["summary"]
    assert "**Not done:** `alice` pressed" in summary
    assert "GitHub would not let me add" in summary


@pytest.mark.parametrize(
    "identifier", ["", "add", "add:", "add:99", "add:x", "link:0", "aside:77", "drop:1", "add:١"]
)
async def test_a_button_that_there_is_not_does_nothing(bot: Bot, identifier: str) -> None:
    await make_sprint(bot)
    pull = await open_pull_request(bot)
    await press_button(bot, pull["head"]["sha"], identifier)

    assert (await bot.github.issue(bot.repo, pull["number"]))["milestone"] is None
    assert not await query_database(bot, "select 1 from audit_log")
    assert "so nothing was done" in (await find_check(bot, pull["head"]["sha"]))["output"]["summary"]


async def test_a_press_that_is_delivered_twice_is_done_once(bot: Bot) -> None:
    await make_sprint(bot)
    pull = await open_pull_request(bot)
    await press_button(bot, pull["head"]["sha"], f"aside:{await get_sprint_number(bot)}")
    (event,) = await query_database(bot, "select id, organization_id from github_events where event_type = 'check_run'")  # fmt: skip
    (project,) = await query_database(bot, "select id from projects")
    async with bot.base.database.unscoped() as connection:
        await Jobs().defer(
            connection,
            PressJob(organization_id=event.organization_id, event_id=event.id, project_id=project.id),
        )
    await bot.rest()

    assert len(await query_database(bot, "select 1 from audit_log")) == 1
    assert len(await query_database(bot, "select 1 from timeline where kind = 'button'")) == 1


async def test_a_press_while_github_is_away_is_done_when_it_is_back(bot: Bot) -> None:
    await make_sprint(bot)
    pull = await open_pull_request(bot)
    head, number = pull["head"]["sha"], pull["number"]
    bot.github.fail_next("PATCH", f"/repos/{bot.repo}/issues/{number}", status=502)
    await press_button(bot, head, f"add:{await get_sprint_number(bot)}")
    # The job that waits is run now, as it would be in a while.
    (job,) = query_as_administrator(
        bot.base,
        "select args -> 'arguments' as arguments from procrastinate_jobs"
        " where task_name = 'run_later' and args ->> 'task' = 'press'",
    )
    async with bot.base.database.unscoped() as connection:
        await Jobs().defer(connection, PressJob(**job.arguments))
    await bot.rest()

    assert (await bot.github.issue(bot.repo, number))["milestone"]["title"] == "Sprint 12"
    assert (await find_check(bot, head))["output"]["title"].startswith("Part of the sprint")
    assert len(await query_database(bot, "select 1 from audit_log")) == 1


# Settings


async def test_check_can_be_disabled(bot: Bot) -> None:
    await make_sprint(bot)
    await set_setting(bot, "checks", "off")
    pull = await open_pull_request(bot)

    assert await bot.github.check_runs(bot.repo, pull["head"]["sha"]) == []


async def test_check_fails_only_if_configured(bot: Bot) -> None:
    number = await make_sprint(bot)
    await push_settings_file(bot, "checks: {require_sprint_item: true}\n")
    pull = await open_pull_request(bot)
    head = pull["head"]["sha"]
    run = await find_check(bot, head)
    assert run["conclusion"] == "failure"
    assert (
        "This repository requires every pull request to belong to a sprint item" in run["output"]["summary"]
    )

    await deliver_pull_request_event(bot, "converted_to_draft", pull, draft=True)
    assert (await find_check(bot, head))["conclusion"] == "neutral"

    await bot.github.update_issue(bot.repo, pull["number"], body=f"Closes #{number}")
    await bot.rest()
    run = await find_check(bot, head)
    assert run["conclusion"] == "success"
    assert run["output"]["title"].startswith("Finishes")

    await bot.github.update_issue(bot.repo, pull["number"], body="")
    await bot.rest()
    await press_button(bot, head, f"aside:{await get_sprint_number(bot)}")
    assert (await find_check(bot, head))["conclusion"] == "neutral"


@pytest.mark.parametrize(
    ("login", "beside", "conclusion"),
    [
        ("dependabot[bot]", "", "neutral"),
        ("renovate[bot]", "", "neutral"),
        ("github-actions[bot]", "", "neutral"),
        ("Copilot", "", "neutral"),
        ("Copilot", ", exempt_bots: false", "failure"),
    ],
)
async def test_bots_are_exempt_unless_the_settings_say_otherwise(
    bot: Bot, login: str, beside: str, conclusion: str
) -> None:
    await make_sprint(bot)
    await push_settings_file(bot, f"checks: {{require_sprint_item: true{beside}}}\n")
    pull = await open_pull_request(bot)
    head = pull["head"]["sha"]
    assert (await find_check(bot, head))["conclusion"] == "failure"

    await deliver_pull_request_event(bot, "edited", pull, user={"id": 77, "login": login, "type": "Bot"})
    run = await find_check(bot, head)
    assert run["conclusion"] == conclusion
    is_exempt = "Pull requests by bots are exempt." in run["output"]["summary"]
    assert is_exempt == (conclusion == "neutral")


async def test_an_account_that_the_team_lists_as_a_bot_is_exempt_in_any_case(bot: Bot) -> None:
    await make_sprint(bot)
    await push_settings_file(bot, "checks: {require_sprint_item: true}\nbots: [ALICE]\n")
    pull = await open_pull_request(bot)

    assert (await find_check(bot, pull["head"]["sha"]))["conclusion"] == "neutral"


# Bad days


async def test_without_the_permission_nothing_else_suffers(bot: Bot) -> None:
    number = await make_sprint(bot)
    bot.github.fail_next("POST", f"/repos/{bot.repo}/check-runs", status=403)
    pull = await open_pull_request(bot)
    assert await bot.github.check_runs(bot.repo, pull["head"]["sha"]) == []

    await bot.say(number, "/sprint status")
    assert await bot.answers(number)
