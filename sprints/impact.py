"""The impact of a pull request on a sprint: the items it belongs to, and the work left after merging it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sprints.facts import Amount, Facts, Item
from sprints.forecast import Forecast, Refusal
from sprints.milestone import GRACE_AFTER_END, Sprint
from sprints.model import ItemSnapshot, State
from sprints.outlook import Outlook
from sprints.pull_requests import FirstReview, PullRequest, UsualSize, UsualWait
from sprints.what_if import with_done

# Branch names with an issue's number, as people and GitHub choose them: 12-card-form, feature/12_card,
# fix/gh-12. The 1 of release/1.2 is no issue's number, nor is the 12 of revert-12-main, which GitHub creates.
_BRANCH = re.compile(
    r"(?:(?:issue|issues|gh|bug|fix|feat|feature|task|story)[-_]?)?#?(\d{1,9})(?:[-_].*)?",
    re.IGNORECASE | re.ASCII,
)
_OF_SPRINT = {"open", "done"}


class LinkKind(StrEnum):
    """The link of a pull request to an item: merging it finishes the item, or is only a part of the work."""

    CLOSES = "closes"
    ITSELF = "itself"
    WORDS = "words"
    """It says that it closes the item, or is linked with it, but goes to another than the default branch."""
    BRANCH = "branch"

    @property
    def is_finishing(self) -> bool:
        return self in {LinkKind.CLOSES, LinkKind.ITSELF}


class PullRequestStatus(StrEnum):
    """The relation of a pull request to the sprint."""

    SPRINT = "sprint"
    """It moves an item of the running sprint, or is one."""
    LATER = "later"
    """It belongs to a sprint that has not begun."""
    ASIDE = "aside"
    """Somebody said that it is no work of the sprint."""
    ENDED = "ended"
    """It belongs to a sprint that has just ended, and what is open there may still be moved on."""
    UNPLANNED = "unplanned"
    NO_SPRINT = "no_sprint"


@dataclass(frozen=True, slots=True)
class LinkedItem:
    """An item of the sprint, and why the pull request belongs to it."""

    item: Item
    kind: LinkKind


@dataclass(frozen=True, slots=True)
class Effect:
    """The scope and the remaining work now and once items are done, in `unit`, and the chances to finish.

    It `is_conditional` where merging alone finishes nothing. The chances are None without a forecast.
    """

    unit: str
    scope: Amount
    before: Amount
    after: Amount
    is_conditional: bool = False
    chance_before: float | None = None
    chance_after: float | None = None


@dataclass(frozen=True, slots=True)
class Impact:
    """The impact of a pull request, with all values that its check shows.

    `sprint` is the running one; `later` is a planned and `ended` a past one, if the pull request belongs to
    one. `outside` are open issues that it closes and that are not in the sprint. `candidate` is the one issue
    that it is likely about without closing it, in the sprint if `is_candidate_inside`. `aside_by` is the
    person who set it aside for this sprint. The team's rules do not apply to a pull request that `is_exempt`.
    `milestones` maps `outside` and `candidate` to GitHub's ids of their current milestones.
    """

    pull: PullRequest
    status: PullRequestStatus
    sprint: Sprint | None = None
    later: Sprint | None = None
    ended: Sprint | None = None
    linked_items: tuple[LinkedItem, ...] = ()
    outside: tuple[int, ...] = ()
    candidate: int | None = None
    is_candidate_inside: bool = False
    milestones: Mapping[int, int | None] = field(default_factory=dict)
    effect: Effect | None = None
    aside_by: str | None = None
    is_exempt: bool = False
    done_labels: frozenset[str] = frozenset()
    review: FirstReview = FirstReview(None, None)  # noqa: RUF009 - it cannot be changed
    usual_wait: UsualWait | None = None
    usual_size: UsualSize | None = None

    @property
    def to_add(self) -> tuple[int, ...]:
        """The issues or the pull request to add to the sprint, so that this work belongs to it."""
        if self.outside:
            return self.outside
        if self.candidate is not None and not self.is_candidate_inside:
            return (self.candidate,)
        return (self.pull.number,)


def parse_branch_numbers(branch: str) -> tuple[int, ...]:
    """Parse the issue numbers that a branch may be named after."""
    matches = (_BRANCH.fullmatch(part) for part in branch.split("/"))
    return tuple(dict.fromkeys(int(match[1]) for match in matches if match))


def list_finished_numbers(pull: PullRequest) -> tuple[int, ...]:
    """List the issues that GitHub closes on merge: it follows such words only in the default branch."""
    if not pull.is_to_default_branch:
        return ()
    return tuple(sorted(pull.issues))


def list_worded_numbers(pull: PullRequest) -> tuple[int, ...]:
    """List the issues that it claims to close, or is linked with, but that merging it leaves open."""
    if pull.is_to_default_branch:
        return ()
    return tuple(sorted({*pull.issues, *pull.words}))


def list_related_numbers(pull: PullRequest) -> tuple[int, ...]:
    """List all issues that it may have to do with."""
    numbers = (*pull.closes, *pull.linked, *pull.words, *parse_branch_numbers(pull.branch), *pull.mentions)
    return tuple(dict.fromkeys(numbers))


def choose_sprints(
    pull: PullRequest, issues: Mapping[int, ItemSnapshot], sprints: Iterable[Sprint], now: datetime
) -> tuple[Sprint | None, Sprint | None]:
    """Choose the running sprint to show, and a planned sprint if the pull request belongs to it.

    Of several running sprints, the pull request's own comes first, else the sprint that ends first.
    """
    own_milestones = {pull.milestone, *_milestones(pull, issues)} - {None}
    unfinished = [
        sprint
        for sprint in sprints
        if not sprint.is_deleted and sprint.closed_at is None and not sprint.has_ended(now)
    ]
    running = sorted(
        (sprint for sprint in unfinished if sprint.start <= now),
        key=lambda sprint: (
            own_milestones.isdisjoint(sprint.milestones),
            sprint.end is None,
            sprint.end or sprint.start,
            sprint.number,
            sprint.milestone,
        ),
    )
    sprint = running[0] if running else None
    if sprint and not own_milestones.isdisjoint(sprint.milestones):
        return sprint, None
    later = [
        sprint
        for sprint in unfinished
        if sprint.start > now and not own_milestones.isdisjoint(sprint.milestones)
    ]
    return sprint, min(
        later, key=lambda sprint: (sprint.start, sprint.number, sprint.milestone), default=None
    )


def find_ended_sprint(
    pull: PullRequest, issues: Mapping[int, ItemSnapshot], sprints: Iterable[Sprint], now: datetime
) -> Sprint | None:
    """Find the sprint that ended last, of those in which its open items, or it itself, are still planned."""
    own_milestones = {pull.milestone, *_milestones(pull, issues, only_open=True)} - {None}
    ended = [
        sprint
        for sprint in sprints
        if not sprint.is_deleted
        and sprint.has_ended(now)
        and not own_milestones.isdisjoint(sprint.milestones)
    ]
    return max(ended, key=lambda sprint: (sprint.end or sprint.start, sprint.milestone), default=None)


def assess_impact(
    pull: PullRequest,
    facts: Facts | None,
    outlook: Outlook | Refusal | None,
    issues: Mapping[int, ItemSnapshot],
    *,
    later: Sprint | None = None,
    ended: Sprint | None = None,
    aside_by: str | None = None,
    done_labels: frozenset[str] = frozenset(),
) -> Impact:
    """Assess the impact on the running sprint, whose numbers are `facts`; None where no sprint is running.

    `issues` are the issues that the pull request may concern, by number. With `done_labels`, merging finishes
    nothing by itself.
    """
    # A pull request names issues of its own repository only.
    listed = facts.items if facts else ()
    items = {
        item.number: item for item in listed if item.state in _OF_SPRINT and isinstance(item.number, int)
    }
    moved = _linked_items(pull, items)
    candidate = (
        None if any(link.kind is not LinkKind.BRANCH for link in moved) else _candidate(pull, items, issues)
    )
    finished = list_finished_numbers(pull)
    return Impact(
        pull=pull,
        status=_status(moved, facts, later, ended, aside_by),
        sprint=facts.sprint if facts else None,
        later=later,
        ended=ended,
        linked_items=moved,
        outside=tuple(number for number in finished if number not in items and _is_open(number, issues)),
        candidate=candidate,
        is_candidate_inside=candidate in items,
        milestones={number: issue.milestone for number, issue in issues.items()},
        effect=_effect(moved, facts, outlook, is_by_label=bool(done_labels)) if facts else None,
        aside_by=aside_by,
        done_labels=done_labels,
    )


def _milestones(
    pull: PullRequest, issues: Mapping[int, ItemSnapshot], *, only_open: bool = False
) -> set[int | None]:
    numbers = {*list_finished_numbers(pull), *list_worded_numbers(pull), *parse_branch_numbers(pull.branch)}
    items = [issue for number in numbers if (issue := issues.get(number)) and not issue.is_pull_request]
    return {issue.milestone for issue in items if not only_open or issue.state is State.OPEN}


def _linked_items(pull: PullRequest, items: Mapping[int, Item]) -> tuple[LinkedItem, ...]:
    """List the items of the sprint that it belongs to, each with the strongest reason."""
    kinds = dict.fromkeys(parse_branch_numbers(pull.branch), LinkKind.BRANCH)
    kinds |= dict.fromkeys(list_worded_numbers(pull), LinkKind.WORDS)
    kinds |= dict.fromkeys(list_finished_numbers(pull), LinkKind.CLOSES)
    own = items.get(pull.number)
    kinds.pop(pull.number, None)
    if own and not own.is_covered:
        kinds[pull.number] = LinkKind.ITSELF
    return tuple(LinkedItem(items[number], kind) for number, kind in sorted(kinds.items()) if number in items)


def _status(
    moved: Sequence[LinkedItem],
    facts: Facts | None,
    later: Sprint | None,
    ended: Sprint | None,
    aside_by: str | None,
) -> PullRequestStatus:
    if moved:
        return PullRequestStatus.SPRINT
    if later:
        return PullRequestStatus.LATER
    if facts is None:
        return PullRequestStatus.NO_SPRINT
    if aside_by:
        return PullRequestStatus.ASIDE
    is_just_over = ended is not None and ended.end is not None and facts.as_of < ended.end + GRACE_AFTER_END
    return PullRequestStatus.ENDED if is_just_over else PullRequestStatus.UNPLANNED


def _candidate(
    pull: PullRequest, items: Mapping[int, Item], issues: Mapping[int, ItemSnapshot]
) -> int | None:
    """Find the one open issue that it is likely about without closing it.

    Many issues are mentioned, so a mention counts only for an item of the sprint.
    """
    if not pull.is_to_default_branch:  # A link would close nothing there.
        return None
    done = {*list_finished_numbers(pull), pull.number}
    named = [
        number
        for number in parse_branch_numbers(pull.branch)
        if number not in done and _is_open(number, issues)
    ]
    mentioned = [
        number
        for number in pull.mentions
        if number not in done and number in items and _is_open(number, issues)
    ]
    for choices in ([number for number in named if number in items], named, mentioned):
        if choices:
            return choices[0] if len(set(choices)) == 1 else None
    return None


def _is_open(number: int, issues: Mapping[int, ItemSnapshot]) -> bool:
    issue = issues.get(number)
    return issue is not None and not issue.is_pull_request and issue.state is State.OPEN


def _effect(
    moved: Sequence[LinkedItem], facts: Facts, outlook: Outlook | Refusal | None, *, is_by_label: bool
) -> Effect | None:
    still_open = [link for link in moved if link.item.state == "open"]
    finished = [link.item for link in still_open if link.kind.is_finishing and not is_by_label]
    worked_on = [link.item for link in still_open if not link.kind.is_finishing or is_by_label]
    if not finished and not worked_on:
        return None
    numbers = {item.number for item in finished or worked_on}
    unit = outlook.unit if isinstance(outlook, Outlook) else facts.unit
    changed = with_done(facts, numbers)
    return Effect(
        unit,
        facts.scope,
        facts.remaining,
        changed.remaining,
        not finished,
        *_chances(outlook, changed),
    )


def _chances(outlook: Outlook | Refusal | None, changed: Facts) -> tuple[float, float] | tuple[()]:
    """Return the chances to finish the sprint's scope: now, and after the merge."""
    if not isinstance(outlook, Outlook):
        return ()
    before, after = outlook.forecast(), outlook.chance_of(changed)
    return (before.chance, after) if isinstance(before, Forecast) and after is not None else ()
