"""The demo's sprints as events equal the webhooks by which the demo plays them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from demo.events import demo_history
from demo.scenario import play
from github_standin.github import StandInGitHub
from handlers import handle
from handlers.delivery import Delivery, FactRecorded
from sprints.calendar import Calendar
from sprints.fact_folding import compute_facts
from sprints.facts import Facts
from sprints.flows import build_flows
from sprints.milestone import derive_sprint
from sprints.model import ItemEvent, MilestoneEvent
from sprints.rules import Rules

NOW = datetime(2026, 11, 23, 17, 30, tzinfo=UTC)


async def test_the_demo_without_a_stand_in_is_the_demo(github: StandInGitHub) -> None:
    milestones, items = await _played(github)
    history = demo_history(NOW)

    assert len(milestones) == len(history.milestones) == 9
    for played, direct in zip(milestones.values(), history.milestones.values(), strict=True):
        assert _numbers(_facts(played, items)) == _numbers(_facts(direct, history.events_by_item))
    assert _flows(items) == _flows(history.events_by_item)


async def _played(
    github: StandInGitHub,
) -> tuple[dict[int, list[MilestoneEvent]], dict[str, list[ItemEvent]]]:
    """What is recorded of the demo's webhooks."""
    milestones = defaultdict[int, list[MilestoneEvent]](list)
    items = defaultdict[str, list[ItemEvent]](list)

    async def deliver(event: str, delivery: str, payload: dict[str, Any]) -> None:
        body = json.dumps(payload).encode()
        outcomes, _ = handle(Delivery(delivery, event, payload["action"], body, NOW))
        for outcome in outcomes:
            fact = outcome.fact if isinstance(outcome, FactRecorded) else None
            if isinstance(fact, MilestoneEvent) and fact.event != "observed":
                milestones[fact.milestone].append(fact)
            elif isinstance(fact, ItemEvent):
                items[fact.item].append(fact)

    await play(github, NOW, deliver)
    return dict(sorted(milestones.items(), key=lambda pair: pair[1][0].number)), items


def _facts(milestone: Sequence[MilestoneEvent], items: Mapping[str, Sequence[ItemEvent]]) -> Facts:
    sprint = derive_sprint(milestone, NOW, Calendar())
    return compute_facts(sprint, items, NOW)


def _numbers(facts: Facts) -> tuple[object, ...]:
    ledger = [(line.at, line.number, line.cause, line.amount, line.event.actor) for line in facts.ledger]
    items = [(item.number, item.title, item.state, item.points, item.done_at) for item in facts.items]
    frame = (facts.sprint.number, facts.sprint.title, facts.sprint.goal, facts.sprint.start, facts.sprint.due)
    return frame, facts.committed, facts.scope, facts.done, facts.days, ledger, items


def _flows(items: Mapping[str, Sequence[ItemEvent]]) -> list[tuple[object, ...]]:
    return [
        (flow.number, flow.created_at, flow.started_at, flow.done_at, flow.points, flow.is_covered)
        for flow in build_flows(items, NOW, Rules())
    ]
