"""Pull requests by what is at their heads: what each proposes, how large it is, when people looked at it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from sprints.links import LINKED, Links
from sprints.model import ActivityEvent, State
from sprints.numbering import own
from sprints.people import is_bot, same_login
from sprints.percentiles import nearest_rank

HEAD, PLAN, BUTTON = "head", "plan", "button"
# What happened longer ago says little of how a team works today.
RECENT = timedelta(days=90)
# Under so many nothing is said to be usual.
LEAST_USUAL = 10
_READY, _DRAFT = "ready_for_review", "converted_to_draft"


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request as it was last shown.

    `head` is the commit at its head. `closes` are the issues that its text closes, `linked` those that people
    linked with it otherwise, both as GitHub lists them once that was asked for (links.py). `words` are those
    that its text says it closes, whether GitHub follows that or not, `mentions` those that it names in any
    way. `milestone` is GitHub's id. `lines` (added and removed) and `files` are None where no event told
    them.
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
class Usual:
    """What is usual in the repository: the median and the 85th percentile of `n` values that occurred."""

    n: int
    half: timedelta
    most: timedelta


@dataclass(frozen=True, slots=True)
class UsualSize:
    """The median of the lines that `n` merged pull requests changed."""

    n: int
    lines: int


@dataclass(frozen=True, slots=True)
class Review:
    """How a pull request waits for its first review: since when, and until when if there was one.

    `ready_at` is None for a draft, and where it is not known.
    """

    ready_at: datetime | None
    first_at: datetime | None


@dataclass(frozen=True, slots=True)
class Button:
    """What somebody pressed on a check, and what came of it in words."""

    number: int
    head: str
    label: str
    by: str
    at: datetime
    said: str
    is_done: bool


def pull_requests(facts: Iterable[ActivityEvent]) -> dict[int, PullRequest]:
    """Every pull request by number, as the newest of its facts shows it."""
    lives = lives_of(facts)
    return {number: pull_request_of(life) for number, life in lives.items()}


def lives_of(facts: Iterable[ActivityEvent]) -> dict[int, list[ActivityEvent]]:
    """The facts about each pull request's head, by number, in order."""
    lives = dict[int, list[ActivityEvent]]()
    for fact in facts:
        if fact.kind == HEAD:
            lives.setdefault(int(str(fact.details["number"])), []).append(fact)
    return {number: _in_order(life) for number, life in lives.items()}


def by_head(pulls: Iterable[PullRequest]) -> dict[str, PullRequest]:
    """The open pull requests by the commit at their head.

    A check belongs to a commit. Where several share one, it speaks of the one that reaches the default
    branch, of such the oldest.
    """
    found = dict[str, PullRequest]()
    for pull in sorted(pulls, key=lambda one: (not one.is_to_default_branch, one.number)):
        if pull.is_open:
            found.setdefault(pull.head, pull)
    return found


def review_of(life: Sequence[ActivityEvent], reviews: Iterable[ActivityEvent], as_of: datetime) -> Review:
    """Since when a pull request could be reviewed, and when a person other than its author first did so."""
    pull = pull_request_of(life)
    first = min((one.at for one in reviews if one.at < as_of and _is_review_of(one, pull)), default=None)
    return Review(_ready_at(life, first or as_of), first)


def usual_wait(
    lives: Mapping[int, Sequence[ActivityEvent]], reviews: Sequence[ActivityEvent], as_of: datetime
) -> Usual | None:
    """How long pull requests waited for their first review lately; None with fewer than ten."""
    by_item = dict[str, list[ActivityEvent]]()
    for one in reviews:
        by_item.setdefault(str(one.details.get("pull_request")), []).append(one)
    waits = list[timedelta]()
    for life in lives.values():
        pull = pull_request_of(life)
        review = review_of(life, by_item.get(pull.item, ()), as_of)
        if review.ready_at and review.first_at and review.first_at >= as_of - RECENT:
            waits.append(review.first_at - review.ready_at)
    waits = sorted(wait for wait in waits if wait > timedelta(0))
    half, most = nearest_rank(waits, 50), nearest_rank(waits, 85)
    return Usual(len(waits), half, most) if half and most and len(waits) >= LEAST_USUAL else None


def usual_size(lives: Mapping[int, Sequence[ActivityEvent]], as_of: datetime) -> UsualSize | None:
    """How large the pull requests of people were that were merged lately; None with fewer than ten."""
    merged = [
        pull_request_of(life).lines
        for life in lives.values()
        if last_activity(life) >= as_of - RECENT
        and pull_request_of(life).state is State.DONE
        and not pull_request_of(life).is_of_bot
    ]
    sizes = [lines for lines in merged if lines is not None]
    return UsualSize(len(sizes), round(median(sizes))) if len(sizes) >= LEAST_USUAL else None


def linked(life: Sequence[ActivityEvent], issues: Iterable[int], at: datetime) -> ActivityEvent:
    """The fact that GitHub lists these issues as linked with a pull request, asked for at a moment.

    It bears the picture that was shown last, so that it can be read alone.
    """
    newest = _picture(life)
    details = {**newest.details, "linked": sorted(issues)}
    return replace(newest, event=LINKED, at=at, delivery="", details=details, before=None, actor=None)


def set_aside(
    number: int, milestone: int, actor: str, at: datetime, *, is_aside: bool = True
) -> ActivityEvent:
    """The fact that somebody says that a pull request is no work of a sprint, or that it may be after all."""
    event = "set_aside" if is_aside else "taken_up"
    details = {"number": number, "milestone": milestone}
    return ActivityEvent(PLAN, f"{number}/{milestone}", event, at, "", details=details, actor=actor)


def aside_by(plans: Iterable[ActivityEvent], number: int, milestone: int) -> str | None:
    """Who said last that a pull request is no work of a sprint, if that still holds."""
    subject = f"{number}/{milestone}"
    told = sorted((one for one in plans if one.subject == subject), key=lambda one: one.at)
    return told[-1].actor if told and told[-1].event == "set_aside" else None


def pressed(button: Button, delivery: str) -> ActivityEvent:
    """The fact that somebody pressed a button, and what came of it. `delivery` is what told it."""
    details = {
        "number": button.number,
        "head": button.head,
        "label": button.label,
        "said": button.said,
        "is_done": button.is_done,
    }
    return ActivityEvent(BUTTON, delivery, "pressed", button.at, delivery, details=details, actor=button.by)


def last_button(facts: Iterable[ActivityEvent], pull: PullRequest) -> Button | None:
    """What was pressed last on the check of the present head."""
    found = [
        Button(
            pull.number,
            pull.head,
            str(fact.details["label"]),
            fact.actor or "",
            fact.at,
            str(fact.details["said"]),
            fact.details["is_done"] is True,
        )
        for fact in facts
        if fact.kind == BUTTON and fact.details.get("head") == pull.head
    ]
    # Of those pressed in one second the one that was recorded last.
    return max(reversed(found), key=lambda one: one.at, default=None)


def _in_order(life: Iterable[ActivityEvent]) -> list[ActivityEvent]:
    """By GitHub's time. Within one of its seconds a commit that a push replaced comes before the new one,
    and what ends a pull request after both."""
    told = list(life)
    replaced = {(one.at, str(one.before["head"])) for one in told if one.before and "head" in one.before}

    def place(fact: ActivityEvent) -> tuple[datetime, bool, bool, str]:
        is_current = (fact.at, fact.subject) not in replaced
        return fact.at, is_current, fact.details.get("state") != State.OPEN.value, fact.delivery

    return sorted(told, key=place)


def last_activity(life: Sequence[ActivityEvent]) -> datetime:
    """When something happened to a pull request last; that GitHub was asked about it is nothing."""
    return _picture(life).at


def _picture(life: Sequence[ActivityEvent]) -> ActivityEvent:
    """The newest picture. When a list was asked for, a later head may not have been heard of yet."""
    return next((fact for fact in reversed(life) if fact.event != LINKED), life[-1])


def _issues(life: Sequence[ActivityEvent]) -> tuple[int, ...]:
    """The issues that it is linked with, after all that was told."""
    links = Links()
    for fact in life:
        if fact.event == LINKED:
            links.list(_numbers(fact.details.get("linked")))
        else:
            links.say(_followed_words(fact), is_edit=fact.event == "edited")
    return tuple(own(number) for number in links.closes)


def _followed_words(fact: ActivityEvent) -> tuple[int, ...]:
    """What its text closes: GitHub follows such words only towards the default branch."""
    is_followed = fact.details.get("is_to_default_branch") is not False
    return _numbers(fact.details.get("closes")) if is_followed else ()


def pull_request_of(life: Sequence[ActivityEvent]) -> PullRequest:
    """A pull request after all the facts about its heads, of which there is at least one, in order."""
    newest = _picture(life)
    told: Mapping[str, Any] = newest.details
    issues, words = _issues(life), _numbers(told.get("closes"))
    sizes = [told.get("additions"), told.get("deletions")]
    return PullRequest(
        item=str(told["pull_request"]),
        number=int(told["number"]),
        head=newest.subject,
        created_at=datetime.fromisoformat(str(told["created_at"])),
        state=State(told["state"]),
        branch=str(told.get("branch") or ""),
        base=str(told.get("base") or ""),
        is_to_default_branch=told.get("is_to_default_branch") is not False,
        is_from_fork=told.get("is_from_fork") is True,
        is_draft=told.get("is_draft") is True,
        lines=None if None in sizes else sum(int(one or 0) for one in sizes),
        files=told.get("files"),
        closes=tuple(number for number in issues if number in words),
        linked=tuple(number for number in issues if number not in words),
        words=words,
        mentions=_numbers(told.get("mentions")),
        milestone=told.get("milestone"),
        author=told.get("author"),
        is_of_bot=told.get("is_of_bot") is True or is_bot(told.get("author")),
    )


def _numbers(told: Any) -> tuple[int, ...]:
    return tuple(int(one) for one in told or ())


def _ready_at(life: Sequence[ActivityEvent], until: datetime) -> datetime | None:
    """Since when it asked for reviews without a break, up to a moment; None for a draft, or if not known."""
    first = life[0]
    created_at = datetime.fromisoformat(str(first.details["created_at"]))
    # One that was never seen as a draft is taken as ready since its creation.
    found = None if first.details.get("is_draft") is True or first.event in {_READY, _DRAFT} else created_at
    for fact in life:
        if fact.at >= until and fact is not first:
            break
        if fact.event == _READY:
            found = fact.at
        elif fact.details.get("is_draft") is True:
            found = None
    return found


def _is_review_of(event: ActivityEvent, pull: PullRequest) -> bool:
    told = event.details
    reviewer, author = str(told.get("reviewer") or ""), str(told.get("author") or "")
    is_submitted = event.kind == "review" and event.event == "submitted"
    is_of_person = bool(reviewer) and not is_bot(reviewer) and not told.get("is_bot")
    is_of_other = not same_login(reviewer, author)
    return is_submitted and is_of_person and is_of_other and told.get("pull_request") == pull.item
