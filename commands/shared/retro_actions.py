"""Reads the actions of retrospectives: from what commands opened, and from the label that people gave."""

from datetime import datetime

from commands.framework.changes import OpenIssue, decode_steps
from commands.framework.planning import Planning
from sprints.flow import Flow
from sprints.history import GONE_EVENTS
from sprints.milestone import Sprint
from sprints.numbering import Number, qualify_number, split_number
from sprints.retro_actions import RETRO_LABEL, ActionState, RetroAction
from storage.changes import ChangeLog

# The command that opens actions; the slots of its changes begin with its name.
_COMMAND = "sprint retro"


async def read_retro_actions(planning: Planning, sprint: Sprint) -> list[RetroAction]:
    """Read the actions of all repositories that share a sprint, as they are now."""
    opened = await _read_opened(planning)
    flows = {flow.number: flow for flow in await planning.flows.of_numbers(list(opened), planning.now)}
    actions = [
        await _to_action(planning, number, step, opened_at, flows.get(number))
        for number, (step, opened_at) in opened.items()
    ]
    recent = await planning.flows.active(sprint.start, planning.now)
    labelled = [flow for flow in recent if flow.number not in opened and _has_label(flow)]
    return actions + [_to_labelled_action(flow) for flow in labelled]


async def _read_opened(planning: Planning) -> dict[Number, tuple[OpenIssue, datetime]]:
    """Read the issues that commands opened as actions, and when, by number."""
    opened, project = dict[Number, tuple[OpenIssue, datetime]](), planning.project
    for member in project.sharing or (project,):
        repository = "" if member.id == project.id else member.full_name or ""
        for change in await ChangeLog(planning.tenant, member.id).applied(_COMMAND):
            for step in decode_steps(change.steps):
                if isinstance(step, OpenIssue) and step.retro and step.number:
                    number = qualify_number(repository, step.number)
                    opened[number] = step, change.decided_at or planning.now
    return opened


async def _to_action(
    planning: Planning, number: Number, step: OpenIssue, opened_at: datetime, flow: Flow | None
) -> RetroAction:
    if flow is None:  # Its first event is not recorded yet.
        return RetroAction(number, step.title, step.retro, ActionState.OPEN, opened_at)
    state, at = _state_of(flow)
    if state is ActionState.DROPPED:
        repository, digits = split_number(number)
        events = await planning.history.item(digits, repository)
        if any(event.event in GONE_EVENTS for event in events):
            state = ActionState.GONE
    return RetroAction(number, flow.title or step.title, step.retro, state, at)


def _to_labelled_action(flow: Flow) -> RetroAction:
    return RetroAction(flow.number, flow.title, None, *_state_of(flow))


def _state_of(flow: Flow) -> tuple[ActionState, datetime]:
    if flow.done_at:
        return ActionState.DONE, flow.done_at
    if flow.dropped_at:
        return ActionState.DROPPED, flow.dropped_at
    return ActionState.OPEN, flow.created_at


def _has_label(flow: Flow) -> bool:
    return RETRO_LABEL in {label.lower() for label in flow.labels}
