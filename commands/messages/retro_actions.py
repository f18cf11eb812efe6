"""Texts about the actions of retrospectives. Pure functions from values to Markdown."""

from collections.abc import Iterable, Sequence

from commands.formatting.wording import counted, named, person, plain, weekday
from commands.messages.work import bullet_list
from sprints.calendar import Calendar
from sprints.milestone import Sprint
from sprints.numbering import ref
from sprints.retro_actions import ActionState, EarlierActions, RetroAction

_MOST_LISTED = 20
HOW_TO_ADD = (
    'Turn what you decide into an issue that the next retrospective checks: `/sprint retro action:"Split '
    'stories above 8 points" owner:@login`.'
)


def earlier_actions_text(groups: Iterable[EarlierActions], calendar: Calendar) -> str:
    """What became of the actions of earlier retrospectives; empty if there were none."""
    return "\n\n".join(_group_text(group, calendar) for group in groups)


def own_actions_text(actions: Sequence[RetroAction], calendar: Calendar) -> str:
    """The actions of this retrospective, or how to add one."""
    if not actions:
        return HOW_TO_ADD
    return f"**Actions**\n{_list(actions, calendar)}\n\n{HOW_TO_ADD}"


def new_actions_text(
    titles: Sequence[str], owner: str | None, sprint: Sprint, existing: Sequence[RetroAction]
) -> str:
    """The answer after actions became issues; their numbers follow it."""
    listed = "; ".join(plain(title) for title in titles)
    for_owner = f", for {person(owner)}" if owner else ""
    what = "Action" if len(titles) == 1 else "Actions"
    it = "it is" if len(titles) == 1 else "they are"
    next_check = f"The next `/sprint retro` checks whether {it} done."
    text = f"**{what} from {plain(sprint.title)}:** {listed}{for_owner}. {next_check}"
    if not existing:
        return text
    return f"{text}\n\nAlready decided: {named(action.number for action in existing)}."


def actions_preview(titles: Sequence[str], owner: str | None) -> str:
    """The issues that would be opened."""
    lines = [f"{plain(title)}{f' – for {person(owner)}' if owner else ''}" for title in titles]
    return bullet_list(lines)


def already_text(actions: Sequence[RetroAction], sprint: Sprint) -> str:
    """The answer if all actions are open already."""
    verb = "is already an action" if len(actions) == 1 else "are already actions"
    return f"{named(action.number for action in actions)} {verb} from {plain(sprint.title)}."


def action_body(sprint: Sprint, thread: int) -> str:
    """The text of an action's issue."""
    return (
        f"Decided in the retrospective of {plain(sprint.title)}: #{thread}. The next `/sprint retro` checks "
        "whether this is done."
    )


def summarize_actions(count: int, sprint: Sprint) -> str:
    """The change in the infinitive."""
    return f"open {counted(count, 'action')} from {plain(sprint.title)}"


def _group_text(group: EarlierActions, calendar: Calendar) -> str:
    name = f"Actions from {plain(group.sprint.title)}" if group.sprint else "Other actions"
    return f"**{name}**\n{_list(group.actions, calendar)}"


def _list(actions: Sequence[RetroAction], calendar: Calendar) -> str:
    return bullet_list([_line(action, calendar) for action in actions], _MOST_LISTED)


def _line(action: RetroAction, calendar: Calendar) -> str:
    day = weekday(calendar.day_of(action.at))
    match action.state:
        case ActionState.OPEN:
            return f"{ref(action.number)} – open since {day}"
        case ActionState.DONE:
            return f"{ref(action.number)} – done on {day}"
        case ActionState.DROPPED:
            return f"{ref(action.number)} – closed as not planned on {day}"
        case ActionState.GONE:
            return f"{ref(action.number)} – deleted or moved"
