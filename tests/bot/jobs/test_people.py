"""People are told from bots by GitHub's id and type, in seats, figures and answers."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from bot.services import Services
from sprints.calendar import Calendar
from sprints.flows import build_flows
from sprints.model import sort_events
from sprints.rules import Rules
from sprints.team import build_team_days, list_people
from sprints.wip import list_owners
from storage.installations import Installations, SeenLogin
from storage.projects import Projects
from storage.pull_requests import PullRequests
from storage.seats import Seats
from storage.timeline import Timeline
from tests.support.running import WebhookClient, rows
from tests.support.webhooks import ISSUE_OPENED, only_tenant_id, record_deliveries

Json = dict[str, Any]
NOW = datetime(2026, 11, 10, 12, tzinfo=UTC)
MILESTONE = {
    "id": 70,
    "number": 1,
    "title": "Sprint 1",
    "description": "Start: 2026-11-02",
    "created_at": "2026-11-01T08:00:00Z",
    "due_on": "2026-11-13T07:00:00Z",
}
ALICE = {"id": 1, "login": "alice", "type": "User"}
COPILOT = {"id": 198982749, "login": "Copilot", "type": "Bot"}
DEPENDABOT = {"id": 49699333, "login": "dependabot[bot]", "type": "Bot"}
GHOST = {"id": 10137, "login": "ghost", "type": "User"}
WEB_FLOW = {"id": 19864447, "login": "web-flow", "type": "User"}


def event(number: int, action: str, sender: Json, day: int, **changes: Any) -> tuple[str, Json]:
    """Something happens to a planned issue of a private repository."""
    data = ISSUE_OPENED["issue"] | {
        "id": number,
        "node_id": f"I_{number}",
        "number": number,
        "created_at": "2026-11-02T09:00:00Z",
        "updated_at": f"2026-11-{day:02}T10:00:00Z",
        "milestone": MILESTONE,
        "user": changes.pop("user", ALICE),
    }
    named = {name: changes.pop(name) for name in ("assignee",) if name in changes}
    repository = ISSUE_OPENED["repository"] | {"private": True}
    return "issues", ISSUE_OPENED | named | {
        "action": action,
        "sender": sender,
        "repository": repository,
        "issue": data | changes,
    }


def closed(number: int, sender: Json, day: int, **changes: Any) -> tuple[str, Json]:
    at = f"2026-11-{day:02}T10:00:00Z"
    return event(number, "closed", sender, day, state="closed", closed_at=at, **changes)


async def seats(base: Services) -> list[str]:
    async with base.database.tenant(await only_tenant_id(base)) as opened:
        people = await Seats(opened).active_people(NOW, 30)
        assert sorted(await Seats(opened).by_seniority(people)) == sorted(people)
        return people


async def known(base: Services) -> Mapping[str, Any]:
    """The items' histories, by node id, as every number is made of them."""
    async with base.database.tenant(await only_tenant_id(base)) as opened:
        (project,) = await Projects(opened).active()
        return await Timeline(opened).items(project.id)


@pytest.mark.parametrize("nobody", [COPILOT, DEPENDABOT, GHOST, WEB_FLOW], ids=lambda user: user["login"])
async def test_bots_take_no_seat_and_no_part(
    base: Services, webhook_client: WebhookClient, nobody: Json
) -> None:
    events = [
        event(1, "opened", ALICE, 2),
        event(1, "assigned", ALICE, 3, assignee=nobody, assignees=[nobody]),
        closed(1, nobody, 4, assignees=[nobody]),
    ]
    await record_deliveries(base, webhook_client, events)

    assert await seats(base) == ["alice"]
    histories = await known(base)
    flows = build_flows(histories, NOW, Rules(Calendar()))
    assert [list_owners(flow) for flow in flows] == [set()]
    days = build_team_days(flows, (), NOW, Calendar(), NOW.date() - timedelta(days=9), NOW.date())
    assert list_people(days) == frozenset()
    assert sum(day.total.issues_closed for day in days) == 1


async def test_old_facts_know_copilot_by_its_login_alone(
    base: Services, webhook_client: WebhookClient
) -> None:
    await record_deliveries(base, webhook_client, [event(1, "opened", ALICE, 2)])
    await rows(
        base,
        "insert into timeline (organization_id, project_id, item, kind, event, at, actor, source, milestone_id, "
        "after) select organization_id, project_id, item, kind, 'edited', at + interval '1 hour', 'Copilot', "
        "source, milestone_id, after from timeline where event = 'opened' returning 1",
        await only_tenant_id(base),
    )

    assert await seats(base) == ["alice"]


async def test_a_person_with_another_login_is_the_same_person(
    base: Services, webhook_client: WebhookClient
) -> None:
    renamed = ALICE | {"login": "alice-new"}
    await record_deliveries(
        base, webhook_client, [event(1, "opened", ALICE, 2), event(2, "opened", ALICE, 3)]
    )
    await record_deliveries(base, webhook_client, [closed(1, renamed, 6, assignees=[ALICE], user=renamed)])

    assert await seats(base) == ["alice-new"]
    histories = await known(base)
    assert {entry.actor for history in histories.values() for entry in history} == {"alice-new"}
    assert [entry.snapshot.author for entry in sort_events(histories["I_2"])] == ["alice-new"]
    assert sort_events(histories["I_1"])[-1].snapshot.assignees == ("alice-new",)


async def test_both_logins_may_come_at_once_and_in_any_case(
    base: Services, webhook_client: WebhookClient
) -> None:
    logins = ("alice", "Alice", "alice-new", "Alice-New")
    events = [
        event(n, "opened", ALICE | {"login": login}, 2 + n, user=ALICE | {"login": login})
        for n, login in enumerate(logins, 1)
    ]
    for n, (_, data) in enumerate(events):  # At one moment, either would do: workers share a tenant's events.
        data["issue"]["created_at"] = f"2026-11-02T09:00:0{n}Z"
    await record_deliveries(base, webhook_client, events)

    assert await seats(base) == ["Alice-New"]


async def test_a_login_that_somebody_else_took_over_is_theirs_from_then_on(
    base: Services, webhook_client: WebhookClient
) -> None:
    newcomer = {"id": 2, "login": "alice", "type": "User"}
    await record_deliveries(base, webhook_client, [event(1, "opened", ALICE, 2)])
    await record_deliveries(base, webhook_client, [event(2, "opened", ALICE | {"login": "alicia"}, 3)])
    late = datetime.now(UTC) + timedelta(days=2)
    moved = event(3, "opened", newcomer, 5, user=newcomer)
    moved[1]["issue"] |= {"created_at": late.isoformat(), "updated_at": late.isoformat()}
    await record_deliveries(base, webhook_client, [moved])

    histories = await known(base)
    assert [sort_events(histories[f"I_{n}"])[0].actor for n in (1, 2, 3)] == ["alicia", "alicia", "alice"]


async def test_who_is_only_assigned_is_known_by_id_too(base: Services, webhook_client: WebhookClient) -> None:
    bob, bobby = ({"id": 9, "login": login, "type": "User"} for login in ("bob", "bobby"))
    await record_deliveries(base, webhook_client, [closed(1, ALICE, 3, assignees=[bob])])
    await record_deliveries(base, webhook_client, [closed(2, ALICE, 4, assignees=[bobby])])

    flows = build_flows(await known(base), NOW, Rules(Calendar()))
    assert {flow.assignee_at_done for flow in flows} == {"bobby"}


async def test_reviewers_and_authors_of_pull_requests_are_reported_by_their_present_logins(
    base: Services, webhook_client: WebhookClient
) -> None:
    bob = {"id": 9, "login": "bob", "type": "User"}
    review = {
        "action": "submitted",
        "review": {"id": 5, "state": "approved", "user": bob, "submitted_at": "2026-11-05T10:00:00Z"},
        "pull_request": {
            "number": 3,
            "node_id": "PR_3",
            "user": ALICE,
            "updated_at": "2026-11-05T10:00:00Z",
        },
        "repository": ISSUE_OPENED["repository"],
        "installation": ISSUE_OPENED["installation"],
        "sender": bob,
    }
    await record_deliveries(
        base, webhook_client, [event(1, "opened", ALICE, 2), ("pull_request_review", review)]
    )
    async with base.database.tenant(await only_tenant_id(base)) as opened:
        await Installations(opened).record_people([SeenLogin(1, "alicia", NOW), SeenLogin(9, "bobby", NOW)])
        (project,) = await Projects(opened).active()
        (result,) = await PullRequests(opened, project.id).reviews(NOW - timedelta(days=30))
    assert (result.details["author"], result.details["reviewer"], result.actor) == (
        "alicia",
        "bobby",
        "bobby",
    )


def stories(seed: int, *, may_return: bool) -> tuple[list[tuple[int, Json]], dict[int, str]]:
    """Deeds of five people who rename themselves and take over logins, and their logins in the end.

    Unless it `may_return`, nobody takes a login that was theirs before.
    """
    random = Random(seed)
    logins = {person: f"Login-{person}" for person in range(1, 6)}
    had = {person: {login} for person, login in logins.items()}
    deeds = list[tuple[int, Json]]()
    for _ in range(60):
        person = random.choice(list(logins))
        if random.random() < 0.4:
            free = {f"Login-{n}" for n in range(1, 9)} - set(logins.values())
            if not may_return:
                free -= had[person]
            if free:
                logins[person] = random.choice(sorted(free))
                had[person].add(logins[person])
        deeds.append((person, {"id": person, "login": logins[person], "type": "User"}))
    seen = {person: str(sender["login"]) for person, sender in deeds}
    return deeds, seen


@pytest.mark.parametrize("seed", range(6))
async def test_each_deed_is_its_person_s_whatever_logins_change_hands(
    base: Services, webhook_client: WebhookClient, seed: int
) -> None:
    """In order whatever happens, and in any order if nobody gets an old login back."""
    is_in_order = seed % 2 == 0
    deeds, seen = stories(seed, may_return=is_in_order)
    events = []
    for number, (_, sender) in enumerate(deeds, 1):
        at = (NOW - timedelta(days=2) + timedelta(minutes=number)).isoformat()
        event_of_deed = event(number, "opened", sender, 5, user=sender, assignees=[sender])
        event_of_deed[1]["issue"] |= {"created_at": at, "updated_at": at}
        events.append(event_of_deed)
    if not is_in_order:
        Random(seed).shuffle(events)
    for start in range(0, len(events), 7):
        await record_deliveries(base, webhook_client, events[start : start + 7])

    histories = await known(base)
    shown = {number: sort_events(histories[f"I_{number}"])[0] for number, _ in enumerate(deeds, 1)}
    expected = {number: seen[person] for number, (person, _) in enumerate(deeds, 1)}
    assert {number: fact.actor for number, fact in shown.items()} == expected
    assert {number: fact.snapshot.assignees for number, fact in shown.items()} == {
        number: (login,) for number, login in expected.items()
    }
    assert await seats(base) == sorted(set(expected.values()))


def at_day(day: int, number: int, sender: Json) -> tuple[str, Json]:
    """An issue that somebody opens on a day."""
    at = f"2026-11-{day:02}T10:00:00Z"
    return event(number, "opened", sender, day, user=sender, created_at=at)


BOB = {"id": 2, "login": "bob", "type": "User"}


async def test_a_login_that_is_taken_before_we_notice_is_the_taker_s(
    base: Services, webhook_client: WebhookClient
) -> None:
    await record_deliveries(
        base, webhook_client, [at_day(2, 1, ALICE), at_day(3, 2, BOB), at_day(4, 3, ALICE | {"login": "bob"})]
    )
    await record_deliveries(base, webhook_client, [at_day(5, 4, BOB | {"login": "robert"})])

    assert await openers(base, 4) == ["bob", "robert", "bob", "robert"]
    assert await seats(base) == ["bob", "robert"]


async def test_an_event_that_comes_late_brings_no_old_login_back(
    base: Services, webhook_client: WebhookClient
) -> None:
    await record_deliveries(
        base, webhook_client, [at_day(3, 1, ALICE), at_day(5, 2, ALICE | {"login": "alicia"})]
    )
    await record_deliveries(base, webhook_client, [at_day(4, 3, ALICE), at_day(2, 4, ALICE)])
    assert await openers(base, 4) == ["alicia"] * 4

    newcomer = {"id": 3, "login": "alice", "type": "User"}
    await record_deliveries(base, webhook_client, [at_day(6, 5, newcomer)])
    assert await openers(base, 5) == [*["alicia"] * 4, "alice"]
    assert await seats(base) == ["alice", "alicia"]


async def test_what_github_is_asked_about_the_past_names_people_as_they_are_called_now(
    base: Services, webhook_client: WebhookClient
) -> None:
    """A backfill tells what alice did of old by the login that bob had then."""
    events = [at_day(2, 1, ALICE), at_day(3, 2, BOB), at_day(4, 3, BOB | {"login": "robert"})]
    await record_deliveries(base, webhook_client, [*events, at_day(5, 4, ALICE | {"login": "bob"})])
    await rows(
        base,
        "insert into timeline (organization_id, project_id, item, kind, event, at, actor, source, milestone_id, "
        "after) select organization_id, project_id, item, kind, 'edited', at, 'bob', 'backfill', milestone_id, "
        "after from timeline where item = 'I_1' and event = 'opened' returning 1",
        await only_tenant_id(base),
    )

    assert await openers(base, 4) == ["bob", "robert", "robert", "bob"]
    assert {entry.actor for entry in (await known(base))["I_1"]} == {"bob"}


async def openers(base: Services, count: int) -> list[str | None]:
    """Who opened each of the first issues."""
    histories = await known(base)
    return [
        next(fact.actor for fact in histories[f"I_{number}"] if fact.event == "opened")
        for number in range(1, count + 1)
    ]
