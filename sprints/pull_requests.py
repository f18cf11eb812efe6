"""Pull requests from the events of their heads: contents, size, and when people reviewed them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from sprints.links import LINKED, PullRequestLinks
from sprints.model import ActivityEvent, State
from sprints.numbering import local_number
from sprints.order_statistics import find_nearest_rank
from sprints.people import is_bot, same_login

HEAD, PLAN, BUTTON = "head", "plan", "button"
# Older pull requests say little about how a team works today.
RECENT = timedelta(days=90)
# With fewer values there is no usual one.
LEAST_USUAL = 10
_READY, _DRAFT = "ready_for_review", "converted_to_draft"


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request as of its latest event.

    `head` is the commit at its head. `closes` are the issues that its text closes, `linked` the issues that
    people linked with it otherwise, both as GitHub lists them once the list was read (links.py). `words` are
    the issues with a closing keyword in its text, even if GitHub ignores it, `mentions` all issues it names.
    `milestone` is GitHub's id. `lines` (added and removed) and `files` are None where no event had them.
    """

    item: str
    number: int
    head: str
    created_at: datetime
    state: State = State.OPEN
    branch: str = ""
    base: str = ""
    is_to_default_branch: bool = True
    is_from_fork: bool = False
    is_draft: bool = False
    lines: int | None = None
    files: int | None = None
    closes: tuple[int, ...] = ()
    linked: tuple[int, ...] = ()
    words: tuple[int, ...] = ()
    mentions: tuple[int, ...] = ()
    milestone: int | None = None
    author: str | None = None
    is_of_bot: bool = False

    @property
    def is_open(self) -> bool:
        return self.state is State.OPEN

    @property
    def issues(self) -> frozenset[int]:
        """All issues that it is linked with."""
        return frozenset({*self.closes, *self.linked})


@dataclass(frozen=True, slots=True)
class UsualWait:
    """The usual wait in the repository: the median and the 85th percentile of `n` observed values."""

    n: int
    half: timedelta
    most: timedelta


@dataclass(frozen=True, slots=True)
class UsualSize:
    """The median number of lines that `n` merged pull requests changed."""

    n: int
    lines: int


@dataclass(frozen=True, slots=True)
class FirstReview:
    """The wait of a pull request for its first review: since `ready_at`, until `first_at` if there was one.

    `ready_at` is None for a draft, and where it is not known.
    """

    ready_at: datetime | None
    first_at: datetime | None


@dataclass(frozen=True, slots=True)
class PressedButton:
    """A pressed button on a check, and its result in words."""

    number: int
    head: str
    label: str
    by: str
    at: datetime
    result: str
    is_done: bool


def build_pull_requests(events: Iterable[ActivityEvent]) -> dict[int, PullRequest]:
    """Build every pull request from its events, by number."""
    events_by_number = group_head_events(events)
    return {number: build_pull_request(head_events) for number, head_events in events_by_number.items()}


def group_head_events(events: Iterable[ActivityEvent]) -> dict[int, list[ActivityEvent]]:
    """Group the events of pull requests' heads by number, in order."""
    events_by_number = dict[int, list[ActivityEvent]]()
    for event in events:
        if event.kind == HEAD:
            events_by_number.setdefault(int(str(event.details["number"])), []).append(event)
    return {number: _sort_life(head_events) for number, head_events in events_by_number.items()}


def index_by_head(pulls: Iterable[PullRequest]) -> dict[str, PullRequest]:
    """Index the open pull requests by the commit at their head.

    A check belongs to a commit. Where several pull requests share one, it is the one that targets the default
    branch, then the oldest.
    """
    indexed = dict[str, PullRequest]()
    for pull in sorted(pulls, key=lambda pull: (not pull.is_to_default_branch, pull.number)):
        if pull.is_open:
            indexed.setdefault(pull.head, pull)
    return indexed


def find_first_review(
    life: Sequence[ActivityEvent], reviews: Iterable[ActivityEvent], as_of: datetime
) -> FirstReview:
    """Find since when a pull request could be reviewed, and when another person than its author did so."""
    pull = build_pull_request(life)
    first = min(
        (event.at for event in reviews if event.at < as_of and _is_review_of(event, pull)), default=None
    )
    return FirstReview(_ready_at(life, first or as_of), first)


def measure_usual_wait(
    lives: Mapping[int, Sequence[ActivityEvent]], reviews: Sequence[ActivityEvent], as_of: datetime
) -> UsualWait | None:
    """Measure how long pull requests waited for their first review in 90 days; None with fewer than ten."""
    by_item = dict[str, list[ActivityEvent]]()
    for event in reviews:
        by_item.setdefault(str(event.details.get("pull_request")), []).append(event)
    waits = list[timedelta]()
    for life in lives.values():
        pull = build_pull_request(life)
        review = find_first_review(life, by_item.get(pull.item, ()), as_of)
        if review.ready_at and review.first_at and review.first_at >= as_of - RECENT:
            waits.append(review.first_at - review.ready_at)
    waits = sorted(wait for wait in waits if wait > timedelta(0))
    half, most = find_nearest_rank(waits, 50), find_nearest_rank(waits, 85)
    return UsualWait(len(waits), half, most) if half and most and len(waits) >= LEAST_USUAL else None


def measure_usual_size(lives: Mapping[int, Sequence[ActivityEvent]], as_of: datetime) -> UsualSize | None:
    """Measure the size of people's pull requests that were merged in 90 days; None with fewer than ten."""
    merged = [
        build_pull_request(life).lines
        for life in lives.values()
        if find_last_activity(life) >= as_of - RECENT
        and build_pull_request(life).state is State.DONE
        and not build_pull_request(life).is_of_bot
    ]
    sizes = [lines for lines in merged if lines is not None]
    return UsualSize(len(sizes), round(median(sizes))) if len(sizes) >= LEAST_USUAL else None


def create_linked_event(life: Sequence[ActivityEvent], issues: Iterable[int], at: datetime) -> ActivityEvent:
    """Create the event that GitHub lists these issues as linked with a pull request, as of a moment.

    It includes the latest snapshot, so that it can be read alone.
    """
    newest = _latest_head_event(life)
    details = {**newest.details, "linked": sorted(issues)}
    return replace(newest, event=LINKED, at=at, delivery="", details=details, before=None, actor=None)


def create_aside_event(
    number: int, milestone: int, actor: str, at: datetime, *, is_aside: bool = True
) -> ActivityEvent:
    """Create the event that a pull request is not part of a sprint, or may be part of it again."""
    event = "set_aside" if is_aside else "taken_up"
    details = {"number": number, "milestone": milestone}
    return ActivityEvent(PLAN, f"{number}/{milestone}", event, at, "", details=details, actor=actor)


def find_who_set_aside(plans: Iterable[ActivityEvent], number: int, milestone: int) -> str | None:
    """Return the person who set a pull request aside for a sprint, if it still is set aside."""
    subject = f"{number}/{milestone}"
    decisions = sorted((event for event in plans if event.subject == subject), key=lambda event: event.at)
    return decisions[-1].actor if decisions and decisions[-1].event == "set_aside" else None


def create_pressed_event(button: PressedButton, delivery: str) -> ActivityEvent:
    """Create the event of a pressed button, with its result. `delivery` is the webhook's."""
    details = {
        "number": button.number,
        "head": button.head,
        "label": button.label,
        "said": button.result,
        "is_done": button.is_done,
    }
    return ActivityEvent(BUTTON, delivery, "pressed", button.at, delivery, details=details, actor=button.by)


def find_last_button(events: Iterable[ActivityEvent], pull: PullRequest) -> PressedButton | None:
    """Return the last button that was pressed on the check of the current head."""
    buttons = [
        PressedButton(
            pull.number,
            pull.head,
            str(event.details["label"]),
            event.actor or "",
            event.at,
            str(event.details["said"]),
            event.details["is_done"] is True,
        )
        for event in events
        if event.kind == BUTTON and event.details.get("head") == pull.head
    ]
    # Of buttons pressed in one second, the last recorded one counts.
    return max(reversed(buttons), key=lambda button: button.at, default=None)


def _sort_life(life: Iterable[ActivityEvent]) -> list[ActivityEvent]:
    """Sort events by GitHub's time.

    Within one second a commit that a push replaced comes before the new one, and the end of a pull request
    after both.
    """
    events = list(life)
    replaced = {
        (event.at, str(event.before["head"])) for event in events if event.before and "head" in event.before
    }

    def sort_key(event: ActivityEvent) -> tuple[datetime, bool, bool, str]:
        is_current = (event.at, event.subject) not in replaced
        return event.at, is_current, event.details.get("state") != State.OPEN.value, event.delivery

    return sorted(events, key=sort_key)


def find_last_activity(life: Sequence[ActivityEvent]) -> datetime:
    """Return when something last happened to a pull request, reading its links from GitHub aside."""
    return _latest_head_event(life).at


def _latest_head_event(life: Sequence[ActivityEvent]) -> ActivityEvent:
    """Return the newest event of the head itself: a list of links may be newer, but lack the latest head."""
    return next((event for event in reversed(life) if event.event != LINKED), life[-1])


def _issues(life: Sequence[ActivityEvent]) -> tuple[int, ...]:
    """List the issues that a pull request is linked with after all of its events."""
    links = PullRequestLinks()
    for event in life:
        if event.event == LINKED:
            links.list(_numbers(event.details.get("linked")))
        else:
            links.say(_followed_words(event), is_edit=event.event == "edited")
    return tuple(local_number(number) for number in links.closes)


def _followed_words(event: ActivityEvent) -> tuple[int, ...]:
    """List the issues that the text closes: GitHub follows such words only towards the default branch."""
    is_followed = event.details.get("is_to_default_branch") is not False
    return _numbers(event.details.get("closes")) if is_followed else ()


def build_pull_request(life: Sequence[ActivityEvent]) -> PullRequest:
    """Build a pull request from all events of its heads, at least one, in order."""
    newest = _latest_head_event(life)
    details: Mapping[str, Any] = newest.details
    issues, words = _issues(life), _numbers(details.get("closes"))
    sizes = [details.get("additions"), details.get("deletions")]
    return PullRequest(
        item=str(details["pull_request"]),
        number=int(details["number"]),
        head=newest.subject,
        created_at=datetime.fromisoformat(str(details["created_at"])),
        state=State(details["state"]),
        branch=str(details.get("branch") or ""),
        base=str(details.get("base") or ""),
        is_to_default_branch=details.get("is_to_default_branch") is not False,
        is_from_fork=details.get("is_from_fork") is True,
        is_draft=details.get("is_draft") is True,
        lines=None if None in sizes else sum(int(lines or 0) for lines in sizes),
        files=details.get("files"),
        closes=tuple(number for number in issues if number in words),
        linked=tuple(number for number in issues if number not in words),
        words=words,
        mentions=_numbers(details.get("mentions")),
        milestone=details.get("milestone"),
        author=details.get("author"),
        is_of_bot=details.get("is_of_bot") is True or is_bot(details.get("author")),
    )


def _numbers(value: Any) -> tuple[int, ...]:
    return tuple(int(number) for number in value or ())


def _ready_at(life: Sequence[ActivityEvent], until: datetime) -> datetime | None:
    """Return since when it could be reviewed without a break, up to a moment.

    None for a draft, or where that is not known.
    """
    first = life[0]
    created_at = datetime.fromisoformat(str(first.details["created_at"]))
    # A pull request that was never a draft counts as ready since its creation.
    ready_at = (
        None if first.details.get("is_draft") is True or first.event in {_READY, _DRAFT} else created_at
    )
    for event in life:
        if event.at >= until and event is not first:
            break
        if event.event == _READY:
            ready_at = event.at
        elif event.details.get("is_draft") is True:
            ready_at = None
    return ready_at


def _is_review_of(event: ActivityEvent, pull: PullRequest) -> bool:
    details = event.details
    reviewer, author = str(details.get("reviewer") or ""), str(details.get("author") or "")
    is_submitted = event.kind == "review" and event.event == "submitted"
    is_of_person = bool(reviewer) and not is_bot(reviewer) and not details.get("is_bot")
    is_of_other = not same_login(reviewer, author)
    return is_submitted and is_of_person and is_of_other and details.get("pull_request") == pull.item
