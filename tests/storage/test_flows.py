"""The stored projections of items against the fold over all of their events."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from bot.services import Services
from sprints.flow import Flow
from sprints.flows import build_flows
from sprints.model import Event, ItemEvent, LabelEvent
from storage.database import Tenant
from storage.deliveries import ReceivedDelivery, receive_deliveries
from storage.flows import Flows
from storage.installations import Installations, SeenLogin
from storage.item_projections import ItemProjections
from storage.projects import Project, Projects, RepositoryName
from storage.recorder import Recorder, TimelineRow
from storage.timeline import Timeline
from tests.support.builders import at, next_delivery
from tests.support.flow_cards import FlowCard, Repository, repositories
from tests.support.sprints_strategies import NOWS
from tests.support.webhooks import only_tenant_id

LATER = at("2027-12-31")


@pytest.fixture
async def organization(base: Services) -> int:
    """A tenant without repositories."""
    delivery = ReceivedDelivery("first", "issues", "opened", 1001, 1, "acme", "Organization", 1, b"sealed")
    async with base.database.autocommit() as connection:
        await receive_deliveries(connection, [delivery], [b"1"])
    return await only_tenant_id(base)


def named(card: FlowCard, node_id: str) -> FlowCard:
    """A card with a node id of its own. Call it before anything happens to the card."""
    card.id = node_id
    return card


async def new_project(tenant: Tenant, name: str = "acme/shop") -> Project:
    projects = Projects(tenant)
    node_id = f"R_{name}_{next_delivery()}"
    await tenant.connection.execute(text("update projects set github_repo = null"))
    project_id = await projects.remember(RepositoryName(node_id, name, False, None, at("01-01")))
    project = await projects.get(project_id)
    assert project is not None
    return project


async def record(tenant: Tenant, project: Project, events: Sequence[Event]) -> None:
    await Recorder(tenant).record([TimelineRow(project.id, event) for event in events])


async def read_all(tenant: Tenant, project: Project, as_of: datetime) -> tuple[Flow, ...]:
    """All flows, read through the projections."""
    return await Flows(tenant, project).active(at("2000-01-01"), as_of)


async def fold_all(tenant: Tenant, project: Project, as_of: datetime) -> tuple[Flow, ...]:
    """All flows, folded from the whole history."""
    timeline = Timeline(tenant)
    events, labels = await timeline.items(project.id), await timeline.labels(project.id)
    return build_flows(events, as_of, project.rules, labels)


def named_apart(repository: Repository, prefix: str) -> list[ItemEvent]:
    """The repository's events, with node ids that no other example has."""

    def own(name: str | None) -> str | None:
        return f"{prefix}{name}" if name and name.startswith("item-") else name

    return [
        replace(event, item=f"{prefix}{event.item}", named=own(event.named), delivery=next_delivery())
        for events in repository.items.values()
        for event in events
    ]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(repository=repositories(7), now=NOWS, since=NOWS, seed=st.integers(0, 10**6))
async def test_what_is_read_by_an_index_is_what_the_whole_history_says(
    base: Services, organization: int, repository: Repository, now: datetime, since: datetime, seed: int
) -> None:
    events = named_apart(repository, next_delivery())
    random.Random(seed).shuffle(events)
    async with base.database.tenant(organization) as tenant:
        project = await new_project(tenant)
        for first in range(0, len(events), 3):
            await record(tenant, project, events[first : first + 3])
        whole = await fold_all(tenant, project, now)
        flows = Flows(tenant, project)

        assert await read_all(tenant, project, now) == whole
        assert await flows.moved(at("2000-01-01"), now) == whole
        some = [flow for flow in whole if flow.is_open]
        active = await flows.active(since, now)
        assert set(some) <= set(active) <= set(whole)
        touched = {event.item for event in events if since <= event.at < now}
        assert [flow.item for flow in await flows.moved(since, now)] == [
            flow.item for flow in whole if flow.item in touched
        ]
        for flow in whole:
            assert flow in await flows.of_items([flow.item], now)
            assert flow in await flows.of_numbers([flow.number], now)
        done = sorted((flow.done_at, flow.item) for flow in whole if flow.done_at)
        assert sorted((flow.done_at, flow.item) for flow in await flows.last_done(100, now)) == done
        assert [flow.done_at for flow in await flows.last_done(2, now)] == [at for at, _ in done[-2:]]
        projections = ItemProjections(tenant, Timeline(tenant))
        assert await projections.find_differences(project.id, project.rules, 100) == []


async def test_other_rules_are_in_force_at_once_and_are_then_stored(
    base: Services, organization: int
) -> None:
    card = FlowCard(1).opened("11-02", "size: M").labeled("11-03", "active")
    async with base.database.tenant(organization) as tenant:
        project = await new_project(tenant)
        await record(tenant, project, card.events)
        before = await read_all(tenant, project, LATER)
        await Projects(tenant).set_command_setting(project.id, "sizes", {"M": 3})
        await Projects(tenant).set_command_setting(project.id, "started_labels", ["active"])
    assert before[0].points is None
    async with base.database.tenant(organization) as tenant:
        changed = await Projects(tenant).get(project.id)
        assert changed is not None
        (flow,) = await read_all(tenant, changed, LATER)
        assert flow in await fold_all(tenant, changed, LATER)
        assert await due_projects(base) == [(organization, project.id)]
        projections = ItemProjections(tenant, Timeline(tenant))
        assert await projections.refresh_stale(project.id, changed.rules, 10) == 1
        assert await projections.refresh_stale(project.id, changed.rules, 10) == 0
    assert await due_projects(base) == []


async def due_projects(base: Services) -> list[tuple[int, int]]:
    async with base.database.unscoped() as connection:
        result = await connection.execute(text("select * from projects_with_projections_due(10)"))
        return [(row[0], row[1]) for row in result]


async def test_a_label_that_is_renamed_for_all_items_changes_them_all(
    base: Services, organization: int
) -> None:
    cards = [FlowCard(number).opened("11-02", "big") for number in (1, 2)]
    other = FlowCard(3).opened("11-02", "small")
    rename = LabelEvent("LA_1", "edited", at("11-05"), next_delivery(), "big", "points: 8")
    async with base.database.tenant(organization) as tenant:
        project = await new_project(tenant)
        await record(tenant, project, [event for card in (*cards, other) for event in card.events])
        await record(tenant, project, [rename])
        flows = await read_all(tenant, project, LATER)
        assert flows == await fold_all(tenant, project, LATER)
        assert [flow.points for flow in flows] == [8, 8, None]
        earlier = at("11-04")
        assert await read_all(tenant, project, earlier) == await fold_all(tenant, project, earlier)
        projections = ItemProjections(tenant, Timeline(tenant))
        assert await projections.refresh_stale(project.id, project.rules, 10) == 2
        assert await read_all(tenant, project, LATER) == flows


async def test_two_transactions_with_events_of_one_item_lose_none(base: Services, organization: int) -> None:
    """The second one waits for the first, and sees its events."""
    card = FlowCard(1).opened("11-02").assigned("11-03").closed("11-05")
    opened, assigned, closed = card.events
    async with base.database.tenant(organization) as tenant:
        project = await new_project(tenant)
        await record(tenant, project, [opened])

    async def record_in_parallel(event: ItemEvent, hold: asyncio.Event, begun: asyncio.Event) -> None:
        async with base.database.tenant(organization) as tenant:
            await record(tenant, project, [event])
            begun.set()
            await hold.wait()

    hold, begun = asyncio.Event(), asyncio.Event()
    first = asyncio.create_task(record_in_parallel(assigned, hold, begun))
    await begun.wait()
    free = asyncio.Event()
    free.set()
    second = asyncio.create_task(record_in_parallel(closed, free, asyncio.Event()))
    await asyncio.sleep(0.2)
    assert not second.done()
    hold.set()
    await asyncio.gather(first, second)
    async with base.database.tenant(organization) as tenant:
        (flow,) = await read_all(tenant, project, LATER)
        assert (flow.started_at, flow.done_at) == (at("11-03"), at("11-05"))


async def test_an_item_keeps_its_age_when_it_is_transferred_within_the_account(
    base: Services, organization: int
) -> None:
    """Also when its old events arrive after the new ones."""
    old = named(FlowCard(1), "I_old").opened("11-02").assigned("11-03")
    moved = replace(old.events[-1], event="transferred", at=at("11-10"), named="I_new", delivery="m")
    new = named(FlowCard(7), "I_new").opened("11-10")
    arrived = replace(new.events[0], named="I_old")
    async with base.database.tenant(organization) as tenant:
        source = await new_project(tenant, "acme/old")
        target = await new_project(tenant, "acme/new")
        await record(tenant, target, [arrived])
        (alone,) = await read_all(tenant, target, LATER)
        await record(tenant, source, [*old.events, moved])
        (flow,) = await read_all(tenant, target, LATER)
    assert alone.created_at == at("11-10")
    assert (flow.created_at, flow.started_at) == (at("11-02"), at("11-03"))


async def test_an_item_that_blocks_from_another_repository_stops_when_it_is_closed(
    base: Services, organization: int
) -> None:
    blocker = named(FlowCard(5), "I_blocker").opened("11-01").closed("11-08")
    blocked = named(FlowCard(1), "I_blocked").opened("11-02").blocked("11-03", by=blocker)
    async with base.database.tenant(organization) as tenant:
        elsewhere = await new_project(tenant, "acme/elsewhere")
        here = await new_project(tenant, "acme/here")
        await record(tenant, elsewhere, blocker.events)
        await record(tenant, here, blocked.events)
        (flow,) = await read_all(tenant, here, LATER)
        (earlier,) = await read_all(tenant, here, at("11-05"))
    assert [block.span.until for block in flow.blocks] == [at("11-08")]
    assert [block.span.until for block in earlier.blocks] == [None]


async def test_a_difference_is_found(base: Services, organization: int) -> None:
    card = FlowCard(1).opened("11-02")
    async with base.database.tenant(organization) as tenant:
        project = await new_project(tenant)
        await record(tenant, project, card.events)
        forged = "update item_projections set projection = replace(projection::text, 'Card', 'Cart')::json"
        await tenant.connection.execute(text(forged))
        projections = ItemProjections(tenant, Timeline(tenant))
        (difference,) = await projections.find_differences(project.id, project.rules, 10)
    assert difference.item == card.id


async def test_a_label_that_is_renamed_again_changes_the_items_that_had_its_first_name(
    base: Services, organization: int
) -> None:
    card = FlowCard(1).opened("11-02", "A")
    async with base.database.tenant(organization) as tenant:
        project = await new_project(tenant)
        await record(tenant, project, card.events)
        await record(tenant, project, [renamed("A", "B", "11-05")])
        await ItemProjections(tenant, Timeline(tenant)).refresh_stale(project.id, project.rules, 10)
        await record(tenant, project, [renamed("B", "points: 8", "11-06")])
        (flow,) = await read_all(tenant, project, LATER)
    assert flow.points == 8


def renamed(before: str, after: str, when: str) -> LabelEvent:
    return LabelEvent("LA_1", "edited", at(when), next_delivery(), before, after)


async def test_a_rename_waits_for_an_item_that_gets_the_label_meanwhile(
    base: Services, organization: int
) -> None:
    opened, labeled = FlowCard(1).opened("11-02").labeled("11-03", "big").events
    async with base.database.tenant(organization) as tenant:
        project = await new_project(tenant)
        await record(tenant, project, [opened])

    async def rename() -> None:
        async with base.database.tenant(organization) as tenant:
            await record(tenant, project, [renamed("big", "points: 8", "11-05")])

    async with base.database.tenant(organization) as tenant:
        await record(tenant, project, [labeled])
        renaming = asyncio.create_task(rename())
        await asyncio.sleep(0.2)
        assert not renaming.done()
    await renaming
    async with base.database.tenant(organization) as tenant:
        await ItemProjections(tenant, Timeline(tenant)).refresh_stale(project.id, project.rules, 10)
        (flow,) = await read_all(tenant, project, LATER)
    assert flow.points == 8


async def test_a_comment_that_is_the_last_event_of_a_past_moment_counts(
    base: Services, organization: int
) -> None:
    card = FlowCard(1).opened("11-02").commented("11-04").closed("11-08")
    events = [
        replace(event, snapshot=replace(event.snapshot, title="Its new title"))
        if event.event == "commented"
        else event
        for event in card.events
    ]
    async with base.database.tenant(organization) as tenant:
        project = await new_project(tenant)
        await record(tenant, project, events)
        (flow,) = await read_all(tenant, project, at("11-06"))
    assert flow.title == "Its new title"


async def test_a_transferred_item_has_the_past_of_each_moment(base: Services, organization: int) -> None:
    """Whether or not the transfer is heard of on the other side, and also where transfers go in a circle."""
    old = named(FlowCard(1), "I_old").opened("11-02").assigned("11-12")
    new = named(FlowCard(7), "I_new").opened("11-10")
    arrived = replace(new.events[0], named="I_old")
    back = replace(old.events[0], named="I_new", at=at("11-01"))
    async with base.database.tenant(organization) as tenant:
        source = await new_project(tenant, "acme/old")
        target = await new_project(tenant, "acme/new")
        await record(tenant, target, [arrived])
        await record(tenant, source, old.events)
        (flow,) = await read_all(tenant, target, LATER)
        (earlier,) = await read_all(tenant, target, at("11-11"))
        await record(tenant, source, [back])
    assert (flow.created_at, flow.started_at) == (at("11-02"), at("11-12"))
    assert earlier.started_at is None


async def test_an_item_elsewhere_counts_by_the_rules_of_its_repository_as_they_are_now(
    base: Services, organization: int
) -> None:
    blocker = named(FlowCard(5), "I_blocker").opened("11-01", "ready")
    blocked = named(FlowCard(1), "I_blocked").opened("11-02").blocked("11-03", by=blocker)
    async with base.database.tenant(organization) as tenant:
        elsewhere = await new_project(tenant, "acme/elsewhere")
        await Projects(tenant).set_command_setting(elsewhere.id, "done_labels", ["finished"])
        here = await new_project(tenant, "acme/here")
        await record(tenant, elsewhere, blocker.events)
        await record(tenant, here, blocked.events)
        await record(tenant, elsewhere, [renamed("ready", "finished", "11-05")])
        (flow,) = await read_all(tenant, here, LATER)
    assert [block.span.until for block in flow.blocks] == [at("11-05")]


async def test_a_window_holds_what_a_renamed_label_finished(base: Services, organization: int) -> None:
    card = FlowCard(1).opened("11-02", "ready")
    async with base.database.tenant(organization) as tenant:
        project = await new_project(tenant)
        await Projects(tenant).set_command_setting(project.id, "done_labels", ["finished"])
        changed = await Projects(tenant).get(project.id)
        assert changed is not None
        await record(tenant, changed, card.events)
        await record(tenant, changed, [renamed("ready", "finished", "11-05")])
        (flow,) = await Flows(tenant, changed).moved(at("11-04"), at("11-08"))
    assert flow.done_at == at("11-05")


async def test_a_change_of_rules_makes_every_repository_due_that_it_may_concern(
    base: Services, organization: int
) -> None:
    async with base.database.tenant(organization) as tenant:
        leading = await new_project(tenant, "acme/lead")
        other = await new_project(tenant, "acme/web")
        await Projects(tenant).set_command_setting(leading.id, "sizes", {"M": 3})
    assert await due_projects(base) == [(organization, leading.id), (organization, other.id)]
    async with base.database.tenant(organization) as tenant:
        await Installations(tenant).record_people([SeenLogin(1, "ann", at("11-01"))])
        await Installations(tenant).record_people([SeenLogin(1, "anna", at("11-05"))])
        await tenant.connection.execute(text("update projects set projections_due = false"))
    assert await due_projects(base) == []
    async with base.database.tenant(organization) as tenant:
        await Installations(tenant).record_people([SeenLogin(2, "ann", at("11-06"))])
    assert len(await due_projects(base)) == 2


async def test_a_sub_issue_that_is_gone_does_not_count(base: Services, organization: int) -> None:
    parent = named(FlowCard(1), "I_parent").opened("11-02")
    child = named(FlowCard(2), "I_child").opened("11-02").child_of("11-03", parent)
    deleted = replace(child.events[-1], event="deleted", at=at("11-04"), named=None, delivery="gone")
    async with base.database.tenant(organization) as tenant:
        project = await new_project(tenant)
        await record(tenant, project, [*parent.events, *child.events])
        assert await Flows(tenant, project).count_sub_issues("I_parent", LATER) == 1
        await record(tenant, project, [deleted])
        assert await Flows(tenant, project).count_sub_issues("I_parent", LATER) == 0


async def test_an_item_that_was_transferred_twice_keeps_its_age(base: Services, organization: int) -> None:
    """Also when its oldest events arrive last."""
    cards = [named(FlowCard(n), f"I_{n}").opened(f"11-0{n + 1}") for n in (1, 2, 3)]
    later = [replace(card.events[0], named=f"I_{n}") for n, card in enumerate(cards[1:], start=1)]
    async with base.database.tenant(organization) as tenant:
        projects = [await new_project(tenant, f"acme/place-{n}") for n in (1, 2, 3)]
        await record(tenant, projects[2], [later[1]])
        await record(tenant, projects[1], [later[0]])
        await record(tenant, projects[0], cards[0].events)
        (flow,) = await read_all(tenant, projects[2], LATER)
    assert flow.created_at == at("11-02")
