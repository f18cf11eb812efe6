"""What a pull request means for a sprint: which items it moves, and what merging it does to what is left."""

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
from sprints.pull_requests import PullRequest, Review, Usual, UsualSize
from sprints.what_if import with_done

# What people and GitHub call branches after an issue's number: 12-card-form, feature/12_card, fix/gh-12. The
# number 1 of release/1.2 is none, nor is that of revert-12-main, which GitHub makes.
_BRANCH = re.compile(
    r"(?:(?:issue|issues|gh|bug|fix|feat|feature|task|story)[-_]?)?#?(\d{1,9})(?:[-_].*)?",
    re.IGNORECASE | re.ASCII,
)
_OF_SPRINT = {"open", "done"}


class LinkKind(StrEnum):
    """How a pull request belongs to an item: merging it finishes the item, or it only works on it."""

    CLOSES = "closes"
    ITSELF = "itself"
    WORDS = "words"
    """It says that it closes the item, or is linked with it, but goes to another than the default branch."""
    BRANCH = "branch"

    @property
    def is_finishing(self) -> bool:
        return self in {LinkKind.CLOSES, LinkKind.ITSELF}


class PullRequestStatus(StrEnum):
    """Where a pull request stands towards the sprint."""

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
    tie: LinkKind


@dataclass(frozen=True, slots=True)
class Effect:
    """What is left of the scope now and once items are done, in `unit`, and the chances to finish.

    It `is_conditional` where merging by itself finishes nothing. The chances are None without a forecast.
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
    """All that is to be said of a pull request.

    `sprint` is the running one, `later` one that has not begun and that it belongs to, `ended` one that is
    over and that it belongs to. `outside` are open
    issues that it closes and that the sprint does not hold. `candidate` is the one issue that it is likely
    about without closing it; `is_candidate_inside` the sprint or not. `aside_by` is who said that it is not
    for this sprint. A rule for pull requests asks nothing of one that `is_exempt`. `milestones` are GitHub's
    ids of those in which `outside` and `candidate` are now.
    """

    pull: PullRequest
    standing: PullRequestStatus
    sprint: Sprint | None = None
    later: Sprint | None = None
    ended: Sprint | None = None
    moved: tuple[LinkedItem, ...] = ()
    outside: tuple[int, ...] = ()
    candidate: int | None = None
    is_candidate_inside: bool = False
    milestones: Mapping[int, int | None] = field(default_factory=dict)
    effect: Effect | None = None
    aside_by: str | None = None
    is_exempt: bool = False
    done_labels: frozenset[str] = frozenset()
    review: Review = Review(None, None)  # noqa: RUF009 - it cannot be changed
    usual_wait: Usual | None = None
    usual_size: UsualSize | None = None

    @property
    def to_add(self) -> tuple[int, ...]:
        """What would have to come into the sprint, so that this belongs to it."""
        if self.outside:
            return self.outside
        if self.candidate is not None and not self.is_candidate_inside:
            return (self.candidate,)
        return (self.pull.number,)


def branch_numbers(branch: str) -> tuple[int, ...]:
    """The issues that a branch may be named after."""
    matches = (_BRANCH.fullmatch(part) for part in branch.split("/"))
    return tuple(dict.fromkeys(int(match[1]) for match in matches if match))


def finished_numbers(pull: PullRequest) -> tuple[int, ...]:
    """The issues that GitHub closes when it is merged: only in the default branch it follows such words."""
    if not pull.is_to_default_branch:
        return ()
    return tuple(sorted(pull.issues))


def worded_numbers(pull: PullRequest) -> tuple[int, ...]:
    """The issues that it says it closes, or is linked with, but that merging it leaves open."""
    if pull.is_to_default_branch:
        return ()
    return tuple(sorted({*pull.issues, *pull.words}))


def related_numbers(pull: PullRequest) -> tuple[int, ...]:
    """All issues that it may have to do with."""
    numbers = (*pull.closes, *pull.linked, *pull.words, *branch_numbers(pull.branch), *pull.mentions)
    return tuple(dict.fromkeys(numbers))


def sprints_of(
    pull: PullRequest, known: Mapping[int, ItemSnapshot], sprints: Iterable[Sprint], now: datetime
) -> tuple[Sprint | None, Sprint | None]:
    """The running sprint to look at, and one that has not begun, if the pull request belongs to that.

    Of several running ones it is the one that it belongs to, else the one that ends first.
    """
    tied = {pull.milestone, *_milestones(pull, known)} - {None}
    unfinished = [
        one for one in sprints if not one.is_deleted and one.closed_at is None and not one.has_ended(now)
    ]
    running = sorted(
        (one for one in unfinished if one.start <= now),
        key=lambda one: (
            tied.isdisjoint(one.milestones),
            one.end is None,
            one.end or one.start,
            one.number,
            one.milestone,
        ),
    )
    sprint = running[0] if running else None
    if sprint and not tied.isdisjoint(sprint.milestones):
        return sprint, None
    later = [one for one in unfinished if one.start > now and not tied.isdisjoint(one.milestones)]
    return sprint, min(later, key=lambda one: (one.start, one.number, one.milestone), default=None)


def ended_sprint_of(
    pull: PullRequest, known: Mapping[int, ItemSnapshot], sprints: Iterable[Sprint], now: datetime
) -> Sprint | None:
    """The sprint that ended last of those in which its open items, or it itself, are still planned."""
    tied = {pull.milestone, *_milestones(pull, known, only_open=True)} - {None}
    ended = [
        one
        for one in sprints
        if not one.is_deleted and one.has_ended(now) and not tied.isdisjoint(one.milestones)
    ]
    return max(ended, key=lambda one: (one.end or one.start, one.milestone), default=None)


def impact_of(
    pull: PullRequest,
    facts: Facts | None,
    outlook: Outlook | Refusal | None,
    known: Mapping[int, ItemSnapshot],
    *,
    later: Sprint | None = None,
    ended: Sprint | None = None,
    aside_by: str | None = None,
    done_labels: frozenset[str] = frozenset(),
) -> Impact:
    """What it means for the running sprint, whose numbers are `facts`; None where none is running.

    `known` are the issues that it may have to do with, by number. Where `done_labels` say what is done,
    merging finishes nothing by itself.
    """
    # What a pull request names is of its own repository.
    listed = facts.items if facts else ()
    items = {one.number: one for one in listed if one.state in _OF_SPRINT and isinstance(one.number, int)}
    moved = _moved(pull, items)
    candidate = (
        None if any(one.tie is not LinkKind.BRANCH for one in moved) else _candidate(pull, items, known)
    )
    finished = finished_numbers(pull)
    return Impact(
        pull=pull,
        standing=_standing(moved, facts, later, ended, aside_by),
        sprint=facts.sprint if facts else None,
        later=later,
        ended=ended,
        moved=moved,
        outside=tuple(number for number in finished if number not in items and _is_open(number, known)),
        candidate=candidate,
        is_candidate_inside=candidate in items,
        milestones={number: one.milestone for number, one in known.items()},
        effect=_effect(moved, facts, outlook, is_by_label=bool(done_labels)) if facts else None,
        aside_by=aside_by,
        done_labels=done_labels,
    )


def _milestones(
    pull: PullRequest, known: Mapping[int, ItemSnapshot], *, only_open: bool = False
) -> set[int | None]:
    numbers = {*finished_numbers(pull), *worded_numbers(pull), *branch_numbers(pull.branch)}
    items = [one for number in numbers if (one := known.get(number)) and not one.is_pull_request]
    return {one.milestone for one in items if not only_open or one.state is State.OPEN}


def _moved(pull: PullRequest, items: Mapping[int, Item]) -> tuple[LinkedItem, ...]:
    """The items of the sprint that it belongs to, each for the strongest reason."""
    found = dict.fromkeys(branch_numbers(pull.branch), LinkKind.BRANCH)
    found |= dict.fromkeys(worded_numbers(pull), LinkKind.WORDS)
    found |= dict.fromkeys(finished_numbers(pull), LinkKind.CLOSES)
    own = items.get(pull.number)
    found.pop(pull.number, None)
    if own and not own.is_covered:
        found[pull.number] = LinkKind.ITSELF
    return tuple(LinkedItem(items[number], tie) for number, tie in sorted(found.items()) if number in items)


def _standing(
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


def _candidate(pull: PullRequest, items: Mapping[int, Item], known: Mapping[int, ItemSnapshot]) -> int | None:
    """The one open issue that it is likely about and does not close. A mention alone says so only of an item
    of the sprint: much is mentioned."""
    if not pull.is_to_default_branch:  # There a link would close nothing.
        return None
    done = {*finished_numbers(pull), pull.number}
    named = [one for one in branch_numbers(pull.branch) if one not in done and _is_open(one, known)]
    mentioned = [one for one in pull.mentions if one not in done and one in items and _is_open(one, known)]
    for choices in ([one for one in named if one in items], named, mentioned):
        if choices:
            return choices[0] if len(set(choices)) == 1 else None
    return None


def _is_open(number: int, known: Mapping[int, ItemSnapshot]) -> bool:
    one = known.get(number)
    return one is not None and not one.is_pull_request and one.state is State.OPEN


def _effect(
    moved: Sequence[LinkedItem], facts: Facts, outlook: Outlook | Refusal | None, *, is_by_label: bool
) -> Effect | None:
    still_open = [one for one in moved if one.item.state == "open"]
    finished = [one.item for one in still_open if one.tie.is_finishing and not is_by_label]
    worked_on = [one.item for one in still_open if not one.tie.is_finishing or is_by_label]
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
    """To have done by the sprint's end all that is in it: now, and with the numbers once merged."""
    if not isinstance(outlook, Outlook):
        return ()
    before, after = outlook.forecast(), outlook.chance_of(changed)
    return (before.chance, after) if isinstance(before, Forecast) and after is not None else ()
