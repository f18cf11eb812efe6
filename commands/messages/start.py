"""Texts shown when a sprint begins. Pure functions from values to Markdown."""

from collections.abc import Sequence

from charts.reading import quantity
from commands.formatting.wording import counted, full_day, named, plain
from commands.messages.empty_sprint import empty_text, no_goal_text
from commands.messages.report import amount_text, inline_list
from commands.messages.start_preview import beside_text, frame_text
from sprints.facts import Facts, Item, ScopeCause
from sprints.milestone import Sprint
from sprints.numbering import ref
from sprints.start_check import StartCheck


def new_sprint_text(title: str, goal: str | None, check: StartCheck) -> str:
    """The text for a sprint whose milestone was just created and is empty."""
    is_planned = check.box.first > check.today
    return _joined(_heading(title, is_planned=is_planned), new_sprint_body(title, goal, check))


def new_sprint_body(title: str, goal: str | None, check: StartCheck) -> str:
    """Days, goal and commitment of a sprint whose milestone is new."""
    if check.box.first > check.today:
        committed = f"Whatever is in it when {full_day(check.box.first)} begins is the commitment."
    else:
        committed = f"Whatever is in it at the end of today, {full_day(check.today)}, is the commitment."
    return _joined(
        frame_text(check),
        f"**Goal:** {plain(goal)}" if goal else no_goal_text(title),
        f"{empty_text(title)} {committed}",
        beside_text(check),
    )


def adopted_sprint_text(facts: Facts, before: Sprint, check: StartCheck) -> str:
    """The text for an existing milestone that becomes a sprint. `before` is its state until now."""
    is_planned = not facts.sprint.has_begun(facts.as_of)
    return _joined(
        _heading(facts.sprint.title, is_planned=is_planned), adopted_sprint_body(facts, before, check)
    )


def adopted_sprint_body(facts: Facts, before: Sprint, check: StartCheck) -> str:
    """Days, goal, commitment and estimates of an existing milestone as a sprint."""
    sprint = facts.sprint
    return _joined(
        frame_text(check),
        f"**Goal:** {plain(sprint.goal)}" if sprint.goal else no_goal_text(sprint.title),
        _changed(sprint, before),
        _committed(facts),
        _added(facts),
        _not_estimated(facts),
        beside_text(check),
    )


def _heading(title: str, *, is_planned: bool) -> str:
    return f"### {plain(title)} {'is planned' if is_planned else 'has started'}"


def _joined(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)


def _changed(sprint: Sprint, before: Sprint) -> str:
    """List the properties of an existing milestone that the command changed."""
    changes = []
    if before.due and before.due != sprint.due:
        changes.append(f"due date (it was {full_day(before.due)})")
    if before.first_day != sprint.first_day:
        changes.append(f"start (it was {full_day(before.first_day)})")
    if before.goal and before.goal != sprint.goal:
        changes.append(f"goal (it was: {plain(before.goal)})")
    return f"Changed: {', '.join(changes)}." if changes else ""


def _committed(facts: Facts) -> str:
    sprint = facts.sprint
    if facts.as_of < sprint.committed_at:
        end = sprint.committed_at == sprint.start
        when = f"when {full_day(sprint.first_day)} begins" if end else "at the end of today"
        content = (
            f"**It contains {amount_text(facts.scope)}.**"
            if facts.scope.count
            else "**It contains no open work yet.**"
        )
        return f"{content} Whatever is in it {when} is the commitment.{_listed(_counted(facts.items))}"
    if not facts.committed_items:
        return "**Nothing is committed:** it was empty when it started."
    return f"**Committed: {amount_text(facts.committed)}.**{_listed(facts.committed_items)}"


def _added(facts: Facts) -> str:
    """Items added after the first day began. They are not part of the commitment."""
    lines = [line for line in facts.ledger if line.cause is ScopeCause.ADDED]
    if not lines or facts.as_of < facts.sprint.committed_at:
        return ""
    numbers = named(dict.fromkeys(line.number for line in lines))
    return (
        f"Added since that day began, so not committed ({amount_text(facts.total(ScopeCause.ADDED))}): "
        f"{numbers}. "
        "A later `start:` would make them part of the commitment."
    )


def _counted(items: Sequence[Item]) -> list[Item]:
    return [item for item in items if item.state in {"open", "done"} and not item.is_covered]


def _listed(items: Sequence[Item]) -> str:
    texts = [
        f"{ref(item.number)} ({quantity(item.points, 'points')})" for item in items if item.points is not None
    ]
    return f" Estimated: {inline_list(texts)}." if texts else ""


def _not_estimated(facts: Facts) -> str:
    missing = [item for item in _counted(facts.items) if item.points is None and item.state == "open"]
    if not missing:
        return ""
    are = "is" if len(missing) == 1 else "are"
    numbers = named(item.number for item in missing)
    return f"**{counted(len(missing), 'item')} {are} not estimated:** {numbers}. Run `/estimate 5` in each."
