"""Descriptions of the steps of a change."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from commands.formatting.wording import code, named, plain
from commands.framework.changes import (
    ApproveSeats,
    ChangeSetting,
    CreateMilestone,
    EditMilestone,
    ExcludeFromSprint,
    LinkIssue,
    MoveItem,
    OpenIssue,
    ProposeFile,
    RecordFact,
    Relabel,
    Resync,
    SetBlocked,
    Step,
)
from commands.messages.setting_changes import days_off_changes, differing_entries, shorten_both
from sprints.milestone import Sprint
from sprints.numbering import Number, qualify_number

# The longest title or value, in characters.
_MOST = 60
_MOST_REFUSALS = 5
Titles = Mapping[Number, str]
# Why `/agile undo` leaves the effect of a step, by the step's type.
REASONS_TO_STAY: dict[type, str] = {
    CreateMilestone: "someone may have planned work in it since; close it yourself if you don't need it",
    OpenIssue: "someone may have replied in it since; close it yourself if you don't need it",
    ProposeFile: "close it without merging if you don't want it",
    LinkIssue: "someone may have edited the description since; remove the line yourself",
    Resync: "what GitHub reported stays recorded",
    ApproveSeats: "the number of seats follows the people who need one",
}
CHANGED_SINCE = "it has changed again since then"


def deleted_text(title: str) -> str:
    """Why an item cannot go back to its milestone."""
    return f"{plain(title)} has been deleted"


def titles_by_number(sprints: Iterable[Sprint]) -> dict[Number, str]:
    """The titles of milestones by number, in every repository of the sprints."""
    titles = dict[Number, str]()
    for sprint in sprints:
        titles[qualify_number(sprint.repository, sprint.number)] = sprint.title
        titles |= {qualify_number(part.repository, part.number): sprint.title for part in sprint.parts}
    return titles


def step_target_text(step: Step) -> str:
    """The target of a step as Markdown. Titles and setting names are escaped; numbers are links."""
    is_named = isinstance(step, CreateMilestone | OpenIssue | ProposeFile | ChangeSetting)
    return plain(step.target) if is_named else step.target


def list_refusals(refusals: Sequence[str]) -> str | None:
    """The steps that GitHub refused, each with its reason; None if it refused none."""
    more = len(refusals) - _MOST_REFUSALS
    shown = [*refusals[:_MOST_REFUSALS], *([f"and {more} more"] if more > 0 else [])]
    return "; ".join(shown) or None


def opened_issues_text(steps: Iterable[Step]) -> str:
    """The issues that were opened by a change, by number; empty if there are none."""
    numbers = [step.number for step in steps if isinstance(step, OpenIssue) and step.number]
    return f"Opened: {named(numbers)}." if numbers else ""


def step_text(step: Step, titles: Titles) -> str:
    """One line on a step. `titles` are those of milestones, by number."""
    words = _DESCRIPTIONS.get(type(step))
    return words(step, titles) if words else step_target_text(step)


def _move(step: MoveItem, titles: Titles) -> str:
    before, after = (milestone_text(number, step.repository, titles) for number in (step.before, step.after))
    return f"{step.target}: {before} → {after}"


def milestone_text(number: int | None, repository: str, titles: Titles) -> str:
    """The title of a milestone by its number in a repository."""
    if number is None:
        return "no milestone"
    return plain(titles.get(qualify_number(repository, number), f"milestone {number}"))


def _relabel(step: Relabel, _: Titles) -> str:
    removed = ", ".join(code(label) for label in step.removed) or "no label"
    added = ", ".join(code(label) for label in step.added) or "no label"
    return f"#{step.number}: {removed} → {added}"


def _edit(step: EditMilestone, titles: Titles) -> str:
    changes = [
        f"{name.replace('due_on', 'due date')} {_short(step.before.get(name))} → {_short(value)}"
        for name, value in step.after.items()
    ]
    where = f" of {step.repository}" if step.repository else ""
    return f"{milestone_text(step.number, step.repository, titles)}{where}: {', '.join(changes)}"


def _create(step: CreateMilestone, _: Titles) -> str:
    where = f" in {step.repository}" if step.repository else ""
    return f"new milestone “{plain(step.title)}”{where}"


def _open(step: OpenIssue, _: Titles) -> str:
    return f"new issue “{plain(step.title)}”"


def _block(step: SetBlocked, _: Titles) -> str:
    return f"#{step.number} {'is' if step.is_blocked else 'is no longer'} blocked by #{step.by}"


def _record_fact(step: RecordFact, _: Titles) -> str:
    return f"#{step.number}: {plain(step.event)}"


def _link(step: LinkIssue, _: Titles) -> str:
    return f"#{step.number} closes #{step.issue}, as its description says"


def _set_aside(step: ExcludeFromSprint, _: Titles) -> str:
    return f"#{step.number} {'does not belong' if step.is_aside else 'may belong'} to the sprint"


def _change_setting(step: ChangeSetting, _: Titles) -> str:
    if days := days_off_changes(step.key, step.before, step.after):
        return f"setting {code(step.key)}: {days}"
    before, after = shorten_both(*differing_entries(step.before, step.after), _MOST)
    return f"setting {code(step.key)}: {before or 'nothing'} → {after or 'nothing'}"


def value_text(before: object, after: object) -> str | None:
    """The value `after` of a setting that was `before`, of a mapping its changed entries; None if unset."""
    return shorten_both(*differing_entries(before, after), _MOST)[1]


def _propose(step: ProposeFile, _: Titles) -> str:
    return f"pull request “{plain(step.title)}”"


def _resync(step: Resync, _: Titles) -> str:
    return "history imported from GitHub again" if step.is_whole else "running sprints compared with GitHub"


def _approve_seats(step: ApproveSeats, _: Titles) -> str:
    return f"paid seats: {step.before} → {step.after}"


_DESCRIPTIONS: dict[type, Callable[[Any, Titles], str]] = {
    MoveItem: _move,
    Relabel: _relabel,
    EditMilestone: _edit,
    CreateMilestone: _create,
    OpenIssue: _open,
    SetBlocked: _block,
    RecordFact: _record_fact,
    ChangeSetting: _change_setting,
    ProposeFile: _propose,
    LinkIssue: _link,
    ExcludeFromSprint: _set_aside,
    Resync: _resync,
    ApproveSeats: _approve_seats,
}


def _short(text: str | None) -> str:
    if not text:
        return "none"
    return f"“{plain(text if len(text) <= _MOST else text[: _MOST - 1] + '…')}”"
