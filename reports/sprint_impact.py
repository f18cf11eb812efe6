"""Texts of the check “Sprint impact”: pure functions from an impact to a title, Markdown and buttons."""

from collections.abc import Sequence
from dataclasses import dataclass

from charts.reading import number, quantity
from commands.formatting.foreign_text import one_line
from commands.formatting.wording import (
    code,
    footer,
    named,
    person,
    plain,
    weekday,
)
from reports.impact_tables import (
    choose_readable_unit,
    format_known,
    write_days_table,
    write_effect_table,
    write_usual_table,
)
from sprints.burndown import Burndown, measure_amount
from sprints.calendar import Calendar
from sprints.impact import Impact, LinkedItem, LinkKind, PullRequestStatus
from sprints.milestone import Sprint
from sprints.numbering import ref
from sprints.pull_requests import RECENT, PressedButton

_MOST_ITEMS = 5
# Fewer parts are joined by “and” alone.
_LEAST_LISTED = 3
ADD, LINK, ASIDE = "add", "link", "aside"


@dataclass(frozen=True, slots=True)
class CheckButton:
    """A button of a check. When it is pressed, GitHub sends only its `identifier`."""

    label: str
    description: str
    identifier: str


@dataclass(frozen=True, slots=True)
class CheckCard:
    """Content of a check run. `conclusion` is one of GitHub's values; `neutral` blocks nothing."""

    title: str
    summary: str
    conclusion: str = "neutral"
    buttons: tuple[CheckButton, ...] = ()


def impact_card(
    impact: Impact,
    calendar: Calendar,
    *,
    is_required: bool = False,
    button: PressedButton | None = None,
    burndown: Burndown | None = None,
    doubts: str = "",
) -> CheckCard:
    """Build the check of a pull request.

    `is_required`: every pull request must belong to a sprint item here. `button`: the one pressed last.
    `burndown`: shown as a table where images may not be linked. `doubts`: what is missing in the history
    behind the numbers, in words.
    """
    parts = [
        _lead(impact),
        _button_note(button, calendar) if button else "",
        _rule(impact) if is_required else "",
        write_effect_table(impact),
        write_usual_table(impact, calendar),
        write_days_table(burndown) if burndown and impact.effect else "",
        _footer(impact, doubts, is_required=is_required),
    ]
    summary = "\n\n".join(part for part in parts if part)
    return CheckCard(
        check_title(impact), summary, _conclusion(impact, is_required=is_required), check_buttons(impact)
    )


def check_title(impact: Impact) -> str:
    """Build the check's title: one line of plain text, because GitHub shows it without formatting."""
    match impact.status:
        case PullRequestStatus.SPRINT:
            return _title_of_moved(impact)
        case PullRequestStatus.LATER if impact.later:
            return (
                f"Planned for {_name(impact.later.title)}, which starts on {weekday(impact.later.first_day)}"
            )
        case PullRequestStatus.ASIDE:
            return f"Not for {_sprint(impact)}, according to {impact.aside_by}"
        case PullRequestStatus.ENDED if impact.ended:
            return f"Belongs to {_name(impact.ended.title)}, which {_ended_on(impact.ended)}"
        case PullRequestStatus.UNPLANNED if impact.outside:
            verb = "is" if len(impact.outside) == 1 else "are"
            return f"Unplanned: closes {named(impact.outside, 3)}, which {verb} not in {_sprint(impact)}"
        case PullRequestStatus.UNPLANNED if impact.candidate and impact.is_candidate_inside:
            return f"Unplanned: mentions #{impact.candidate} of {_sprint(impact)} but does not close it"
        case PullRequestStatus.UNPLANNED if impact.candidate:
            return f"Unplanned: works on #{impact.candidate}, which is not in {_sprint(impact)}"
        case PullRequestStatus.UNPLANNED:
            return f"Unplanned: closes no item of {_sprint(impact)}"
        case _:
            return "No sprint is running"


def check_buttons(impact: Impact) -> tuple[CheckButton, ...]:
    """Build the buttons for the possible reactions to an impact: at most three, the likeliest first."""
    if impact.sprint is None or impact.status is PullRequestStatus.LATER:
        return ()
    # A sprint of several repositories may have no milestone in this repository, to which items could be
    # added.
    milestone, offered = impact.sprint.number_in(), list[CheckButton]()
    name = _name(impact.sprint.title)
    if milestone and impact.status in {
        PullRequestStatus.UNPLANNED,
        PullRequestStatus.ENDED,
        PullRequestStatus.ASIDE,
    }:
        numbers = "this" if impact.to_add == (impact.pull.number,) else named(impact.to_add, 2)
        offered.append(CheckButton("Add to sprint", f"Adds {numbers} to {name}", f"{ADD}:{milestone}"))
    if (issue := impact.candidate) is not None:
        link = CheckButton(f"Link #{issue}", f"Adds “Closes #{issue}” to the text", f"{LINK}:{issue}")
        offered.insert(0 if impact.is_candidate_inside else 1, link)
    if milestone and impact.status in {PullRequestStatus.UNPLANNED, PullRequestStatus.ENDED}:
        description = f"Marks it as not part of {name}"
        offered.append(CheckButton("Not this sprint", description, f"{ASIDE}:{milestone}"))
    elif milestone and any(linked.kind is LinkKind.ITSELF for linked in impact.linked_items):
        offered.append(CheckButton("Not this sprint", f"Removes it from {name}", f"{ASIDE}:{milestone}"))
    return tuple(offered)


def _title_of_moved(impact: Impact) -> str:
    first, sprint, effect = impact.linked_items[0], _sprint(impact), impact.effect
    items = _strongest(impact.linked_items)
    numbers = named((linked.item.number for linked in items), 3)
    if effect is None:
        return f"Works on {numbers} of {sprint}, already done"
    if effect.is_conditional and impact.done_labels:
        return f"Works on {numbers} of {sprint}, done once labeled"
    if effect.is_conditional:
        return f"Works on {numbers} of {sprint} without closing {_pronoun(items)}"
    action = "Part of the sprint" if first.kind is LinkKind.ITSELF else f"Finishes {numbers}"
    unit = choose_readable_unit(effect)
    before, after = measure_amount(effect.before, unit), measure_amount(effect.after, unit)
    if before == after:
        return f"{action}: {quantity(after, unit)} left in {sprint}, unchanged"
    return f"{action}: {number(before)} → {quantity(after, unit)} left in {sprint}"


def _lead(impact: Impact) -> str:
    sprint = f"**{plain(_sprint(impact))}**"
    match impact.status:
        case PullRequestStatus.SPRINT:
            return _lead_of_moved(impact, sprint)
        case PullRequestStatus.LATER if impact.later:
            begins = f"which starts on {weekday(impact.later.first_day)}"
            return f"This belongs to **{plain(impact.later.title)}**, {begins}. {_NO_CHANGE}"
        case PullRequestStatus.ASIDE:
            return f"{person(impact.aside_by or '')} marked this as not part of {sprint}. {_NO_CHANGE}"
        case PullRequestStatus.ENDED if impact.ended:
            return f"{_left_behind(impact, impact.ended)}. {_NO_CHANGE}"
        case PullRequestStatus.UNPLANNED:
            return f"**Unplanned work:** {_lead_of_unplanned(impact, sprint)}"
        case _:
            return "No sprint is running here, so this pull request affects none."


_NO_CHANGE = "Merging this does not change the current sprint."


def _lead_of_moved(impact: Impact, sprint: str) -> str:
    items, effect = _strongest(impact.linked_items), impact.effect
    listed = _joined([_item(linked) for linked in items])
    if effect is None:
        return f"This works on {listed} of {sprint}, which was already done. {_NO_CHANGE}"
    if effect.is_conditional:
        if impact.done_labels:
            return (
                f"This works on {listed} of {sprint}. Here, work is done when it has the label "
                f"{_labels(impact)}. The table shows what changes once it has that label."
            )
        if items[0].kind is LinkKind.WORDS:
            is_in_text = all(linked.item.number in impact.pull.words for linked in items)
            source = "description" if is_in_text else "links"
            return (
                f"According to its {source}, this works on {listed} of {sprint}. {_not_closed(impact)}. The "
                f"table shows the effect of closing {_pronoun(items)}."
            )
        numbers = named((linked.item.number for linked in items), _MOST_ITEMS)
        return (
            f"According to its branch name, this works on {listed} of {sprint}. Merging does not close "
            f"{numbers}. The table shows the effect of closing {_pronoun(items)}."
        )
    if items[0].kind is LinkKind.ITSELF and len(items) == 1:
        return f"This pull request is an item of {sprint} itself: {listed}."
    return f"Merging this finishes {listed} of {sprint}."


def _pronoun(items: Sequence[LinkedItem]) -> str:
    return "it" if len(items) == 1 else "them"


def _labels(impact: Impact) -> str:
    return " or ".join(code(label) for label in sorted(impact.done_labels))


def _lead_of_unplanned(impact: Impact, sprint: str) -> str:
    if impact.outside:
        verb = "is" if len(impact.outside) == 1 else "are"
        return f"this closes {named(impact.outside)}, which {verb} not in {sprint}. {_NO_CHANGE}"
    if impact.candidate is not None and impact.is_candidate_inside:
        return f"this closes no item of {sprint}. It mentions #{impact.candidate}, which is in the sprint."
    if impact.candidate is not None:
        named_after = f"according to its branch name, this works on #{impact.candidate}"
        return f"{named_after}, which is not in {sprint}. {_NO_CHANGE}"
    return f"this closes no item of {sprint}, and its branch name mentions none. {_NO_CHANGE}"


def _joined(parts: Sequence[str]) -> str:
    """Join parts to “A, B, and C”; of more than five, show the first ones and the number of others."""
    shown = list(parts[:_MOST_ITEMS])
    if len(parts) > _MOST_ITEMS:
        shown.append(f"{len(parts) - _MOST_ITEMS} more")
    if len(shown) < _LEAST_LISTED:
        return " and ".join(shown)
    return f"{', '.join(shown[:-1])}, and {shown[-1]}"


def _strongest(moved: Sequence[LinkedItem]) -> list[LinkedItem]:
    """Select the items that merging finishes, or else all; of these the open ones, if any is open."""
    finished = [linked for linked in moved if linked.kind.is_finishing] or list(moved)
    is_any_open = any(linked.item.state == "open" for linked in finished)
    return [linked for linked in finished if linked.item.state == "open"] if is_any_open else finished


def _item(linked: LinkedItem) -> str:
    """Name an item with its size, such as `#12 Card form (5 points)`."""
    item = linked.item
    name = (
        f"**{ref(item.number)}**"
        if linked.kind is LinkKind.ITSELF
        else f"**{ref(item.number)}** {plain(item.title)}".strip()
    )
    if item.is_covered:
        return f"{name} (counted through its sub-issues)"
    size = quantity(item.points, "points") if item.points is not None else "not estimated"
    return f"{name} ({size})"


def _rule(impact: Impact) -> str:
    rule = "This repository requires every pull request to belong to a sprint item"
    if _conclusion(impact, is_required=True) == "failure":
        return f"**{rule}, and this one does not yet.** {_advice(impact)}"
    if impact.pull.is_draft:
        return f"{rule}. Drafts are exempt until they are ready for review."
    if impact.is_exempt and impact.status is PullRequestStatus.UNPLANNED:
        return f"{rule}. Pull requests by bots are exempt."
    met = {
        PullRequestStatus.SPRINT: "This one does.",
        PullRequestStatus.LATER: "This one does.",
        PullRequestStatus.ASIDE: "This one is exempt, because someone marked it as “Not this sprint”.",
        PullRequestStatus.ENDED: (
            "The sprint of this one has just ended, so this check does not fail yet. “Add to sprint” moves "
            "it to the current sprint."
        ),
        PullRequestStatus.UNPLANNED: (
            "The current sprint has no milestone in this repository, so this check does not fail."
        ),
    }
    return f"{rule}. {met.get(impact.status, 'No sprint is running, so this check does not fail.')}"


def _advice(impact: Impact) -> str:
    """Say how the rule can be met; each suggestion helps in this situation."""
    if impact.ended:
        return (
            f"{_left_behind(impact, impact.ended)}. Press “Add to sprint” to move it to "
            f"{plain(_sprint(impact))}, or “Not this sprint” to exempt it."
        )
    if not impact.pull.is_to_default_branch:
        return (
            f"{_not_closed(impact)}. Name an item of the sprint in the description (`Closes #12` counts "
            "here, although GitHub will not close it), add this pull request to the sprint, or mark it as "
            "“Not this sprint”."
        )
    return (
        "Close an item of the sprint with it (`Closes #12`), add it to the sprint, or mark it as “Not this "
        "sprint”."
    )


def _left_behind(impact: Impact, ended: Sprint) -> str:
    """Say which part of the pull request is still planned in a sprint that has ended."""
    issues = [number for number in impact.to_add if impact.milestones.get(number) in ended.milestones]
    subject, verb = named(issues), "are" if len(issues) > 1 else "is"
    if not issues:
        is_itself = impact.pull.milestone in ended.milestones
        subject = "This pull request" if is_itself else "The item that it works on"
    return f"{subject} {verb} still in **{plain(ended.title)}**, which {_ended_on(ended)}"


def _not_closed(impact: Impact) -> str:
    """Explain why merging closes no issue, although the text seems to close one."""
    base = code(impact.pull.base) if impact.pull.base else "another branch"
    return f"It merges into {base}, and GitHub closes issues only when changes reach the default branch"


def _ended_on(sprint: Sprint) -> str:
    return f"ended on {weekday(sprint.last_day)}" if sprint.last_day else "has ended"


def _conclusion(impact: Impact, *, is_required: bool) -> str:
    """Choose GitHub's conclusion: neutral if there is no rule, or if nothing could meet the rule here."""
    if not is_required or impact.pull.is_draft:
        return "neutral"
    if impact.status in {PullRequestStatus.SPRINT, PullRequestStatus.LATER}:
        return "success"
    can_be_met = impact.sprint is not None and impact.sprint.number_in() is not None
    is_broken = impact.status is PullRequestStatus.UNPLANNED and not impact.is_exempt
    return "failure" if is_broken and can_be_met else "neutral"


def _button_note(button: PressedButton, calendar: Calendar) -> str:
    moment = format_known(button.at, calendar)
    note = f"{person(button.by)} pressed “{plain(button.label)}” on {moment}. {button.result}"
    return note if button.is_done else f"**Not done:** {note}"


def _footer(impact: Impact, doubts: str, *, is_required: bool) -> str:
    usual = ""
    if impact.usual_wait or impact.usual_size:
        usual = f"Usual values: last {RECENT.days} days, elapsed time with weekends, sizes without bots"
    judged = (
        "" if is_required else "This check is for information only: it blocks nothing and does not judge code"
    )
    return footer(doubts, usual, judged)


def _sprint(impact: Impact) -> str:
    return _name(impact.sprint.title) if impact.sprint else "the sprint"


def _name(text: str) -> str:
    """Put a milestone's title on one line."""
    return one_line(text)
