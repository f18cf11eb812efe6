"""Short ways to say what happened: items, milestones, and the webhooks that tell of them.

Times are ISO 8601; without a year they lie in 2026, without a zone in UTC: `at("11-16 09:00")`.
"""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from typing import Any, Self

from sprints.calendar import Calendar
from sprints.estimates import DEFAULT_ESTIMATES, Estimates
from sprints.fact_folding import compute_facts
from sprints.facts import Facts
from sprints.milestone import Sprint, derive_sprint
from sprints.model import EventSource, ItemEvent, ItemSnapshot, LabelEvent, MilestoneEvent, State

SPRINT, OTHER_SPRINT = 501, 502
_DELIVERIES = itertools.count(1)

Json = dict[str, Any]
When = str | datetime


def at(when: When, zone: tzinfo = UTC) -> datetime:
    """A moment, from the way in which tests write it."""
    if isinstance(when, datetime):
        return when
    if when[2] == "-":
        when = f"2026-{when}"
    result = datetime.fromisoformat(when)
    return result if result.tzinfo else result.replace(tzinfo=zone)


def next_delivery() -> str:
    """A delivery id that sorts behind all before it."""
    return f"delivery-{next(_DELIVERIES):06}"


class Card:
    """An issue or pull request that keeps what happened to it, with pictures as GitHub would send them."""

    def __init__(
        self,
        number: int = 1,
        title: str | None = None,
        *,
        is_pull_request: bool = False,
        closes: Sequence[int] = (),
        actor: str | None = None,
    ) -> None:
        """`closes` are the issues that a pull request will close, `actor` is who does what follows."""
        self.id = f"item-{number}"
        self.events: list[ItemEvent] = []
        self._actor = actor
        is_pull_request = is_pull_request or bool(closes)
        self._shown = ItemSnapshot(
            number,
            title or f"Card {number}",
            at("01-01"),
            is_pull_request=is_pull_request,
            closes=tuple(closes) if is_pull_request else None,
        )

    def opened(self, when: When, *labels: str, milestone: int | None = None) -> Self:
        self._shown = replace(self._shown, created_at=at(when), labels=labels, milestone=milestone)
        return self._happened("opened", when)

    def labeled(self, when: When, label: str) -> Self:
        self._shown = replace(self._shown, labels=(*self._labels_without(label), label))
        return self._happened("labeled", when, label=label)

    def unlabeled(self, when: When, label: str) -> Self:
        self._shown = replace(self._shown, labels=self._labels_without(label))
        return self._happened("unlabeled", when, label=label)

    def estimated(self, when: When, points: str | int) -> Self:
        """One label goes, another comes, in the same second."""
        for label in self._shown.labels:
            self.unlabeled(when, label)
        return self.labeled(when, f"points: {points}")

    def joined(self, when: When, milestone: int = SPRINT) -> Self:
        self._shown = replace(self._shown, milestone=milestone)
        return self._happened("milestoned", when, milestone=milestone)

    def left(self, when: When, milestone: int = SPRINT) -> Self:
        self._shown = replace(self._shown, milestone=None)
        return self._happened("demilestoned", when, milestone=milestone)

    def moved(self, when: When, source: int = SPRINT, target: int = OTHER_SPRINT) -> Self:
        return self.left(when, source).joined(when, target)

    def closed(self, when: When, state: State = State.DONE) -> Self:
        self._shown = replace(self._shown, state=state, closed_at=at(when))
        return self._happened("closed", when)

    def dropped(self, when: When) -> Self:
        """Closed as not planned or duplicate, or unmerged."""
        return self.closed(when, State.DROPPED)

    def reopened(self, when: When) -> Self:
        self._shown = replace(self._shown, state=State.OPEN, closed_at=None)
        return self._happened("reopened", when)

    def commented(self, when: When) -> Self:
        return self._happened("commented", when)

    def retold(self, when: When, *closes: int) -> Self:
        """A pull request's text is edited: it will close these issues, and no others."""
        self._shown = replace(self._shown, closes=closes)
        return self._happened("edited", when)

    def put_under(self, when: When, parent: "Card") -> Self:
        """It becomes a sub-issue."""
        return self._happened("parent_added", when, named=parent.id)

    def taken_from(self, when: When, parent: "Card") -> Self:
        return self._happened("parent_removed", when, named=parent.id)

    def deleted(self, when: When) -> Self:
        return self._happened("deleted", when)

    def transferred(self, when: When, target: str = "item-elsewhere") -> Self:
        """To another repository, where it has another node id."""
        return self._happened("transferred", when, named=target)

    def made_a_discussion(self, when: When) -> Self:
        return self._happened("converted_to_discussion", when)

    def lost_a_label(self, when: When, label: str) -> Self:
        """The label was deleted: GitHub names none, but shows those that are left."""
        self._shown = replace(self._shown, labels=self._labels_without(label))
        return self._happened("unlabeled", when)

    def corrected(self, when: When, **shown: Any) -> Self:
        """We asked GitHub, and it was otherwise than we knew."""
        self._shown = replace(self._shown, **shown)
        self._happened("corrected", when)
        self.events[-1] = replace(self.events[-1], source=EventSource.CORRECTION)
        return self

    def asked_for(self) -> Self:
        """All so far was not told when it happened, but asked for later."""
        self.events = [replace(event, source=EventSource.BACKFILL) for event in self.events]
        return self

    def _labels_without(self, label: str) -> tuple[str, ...]:
        return tuple(name for name in self._shown.labels if name != label)

    def _happened(
        self,
        event: str,
        when: When,
        *,
        milestone: int | None = None,
        label: str | None = None,
        named: str | None = None,
    ) -> Self:
        item_event = ItemEvent(
            self.id, event, at(when), next_delivery(), self._shown, milestone, label, named
        )
        self.events.append(replace(item_event, actor=self._actor))
        return self


def renamed(when: When, name: str, new_name: str) -> LabelEvent:
    """A label of the repository gets another name."""
    return LabelEvent(f"label-{name}", "renamed", at(when), next_delivery(), name, new_name)


def label_deleted(when: When, name: str) -> LabelEvent:
    return LabelEvent(f"label-{name}", "deleted", at(when), next_delivery(), name)


class Box:
    """A milestone that keeps what happened to it."""

    def __init__(
        self, created: When = "11-10 09:00", *, milestone: int = SPRINT, is_known: bool = True, **shown: Any
    ) -> None:
        plain = MilestoneEvent(milestone, "created", at(created), "", 12, "Sprint 12", at(created))
        self._shown = replace(plain, **_milestone_fields(shown))
        self.events: list[MilestoneEvent] = []
        if is_known:
            self._happened("created", created)

    def edited(self, when: When, before: Json | None = None, **shown: Any) -> Self:
        """`before` are the values that GitHub says the edit replaced."""
        self._shown = replace(self._shown, **_milestone_fields(shown))
        self._happened("edited", when)
        self.events[-1] = replace(self.events[-1], before=before)
        return self

    def closed(self, when: When) -> Self:
        self._shown = replace(self._shown, closed_at=at(when))
        return self._happened("closed", when)

    def opened(self, when: When) -> Self:
        self._shown = replace(self._shown, closed_at=None)
        return self._happened("opened", when)

    def deleted(self, when: When) -> Self:
        return self._happened("deleted", when)

    def observed(self, when: When, **shown: Any) -> Self:
        """The picture that came along with an item's event."""
        self._shown = replace(self._shown, **_milestone_fields(shown))
        return self._happened("observed", when)

    def sprint(
        self, as_of: When = "12-31", zone: tzinfo = UTC, *, calendar: Calendar | None = None
    ) -> Sprint:
        return derive_sprint(self.events, at(as_of), calendar or Calendar.of(zone))

    def facts(
        self,
        *cards: Card,
        as_of: When = "12-31",
        zone: tzinfo = UTC,
        calendar: Calendar | None = None,
        estimates: Estimates = DEFAULT_ESTIMATES,
        labels: Sequence[LabelEvent] = (),
    ) -> Facts:
        events = {card.id: card.events for card in cards}
        sprint = self.sprint(as_of, zone, calendar=calendar)
        return compute_facts(sprint, events, at(as_of), estimates, labels)

    def _happened(self, event: str, when: When) -> Self:
        self.events.append(replace(self._shown, event=event, at=at(when), delivery=next_delivery()))
        return self


def _milestone_fields(shown: Json) -> Json:
    """`due` is the due date, stored by GitHub at 07:00 or 08:00 UTC; `start` the day in the description."""
    fields = dict(shown)
    if "due" in fields:
        due = fields.pop("due")
        fields["due_on"] = at(f"{due}T08:00") if due else None
    if "start" in fields:
        fields["description"] = f"Start: 2026-{fields.pop('start')}"
    return fields


# Webhooks, as far as anybody reads them

REPOSITORY = {
    "id": 7001,
    "node_id": "R_7001",
    "full_name": "acme/shop",
    "private": False,
    "owner": {"id": 11, "login": "acme", "type": "Organization"},
}


def person(login: str = "alice", kind: str = "User") -> Json:
    return {"id": sum(login.encode()), "login": login, "type": kind}


def stamp(when: When) -> str:
    """A moment as GitHub writes it."""
    return at(when).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def milestone_json(when: When = "11-10", **fields: Any) -> Json:
    shown = {"id": SPRINT, "number": 12, "title": "Sprint 12", "description": None, "due_on": None}
    times = {"created_at": stamp("11-10"), "updated_at": stamp(when), "closed_at": None}
    return shown | times | fields


def item_json(when: When = "11-16", number: int = 1, labels: Sequence[str] = (), **fields: Any) -> Json:
    """An issue or, with `merged`, a pull request as it was at a moment."""
    shown = {"id": 9000 + number, "node_id": f"I_{number}", "number": number, "title": f"Card {number}"}
    times = {"created_at": stamp("11-10"), "updated_at": stamp(when), "closed_at": None}
    more = {"state": "open", "milestone": None, "labels": [{"name": name} for name in labels]}
    return shown | times | more | fields


def webhook(action: str, sender: str = "alice", **parts: Any) -> Json:
    """A delivery's payload: `webhook("closed", issue=item_json(…))`."""
    return {"action": action, "repository": REPOSITORY, "sender": person(sender), **parts}


def comment_webhook(
    body: str, action: str = "created", *, before: str | None = None, sender: Json | None = None
) -> Json:
    """Somebody writes a comment on issue 1, or edits it."""
    payload = webhook(action, issue=item_json(), comment={"id": 77, "body": body, "user": person()})
    if before is not None:
        payload["changes"] = {"body": {"from": before}}
    return payload | ({"sender": sender} if sender else {})


def make_committed_card(number: int, points: int = 5) -> Card:
    """Make an item that was in the sprint from its start."""
    return Card(number).opened("11-10", f"points: {points}").joined("11-12")


def make_added_card(number: int, points: int, when: str = "11-18 09:00") -> Card:
    """Make an item that was opened in the running sprint."""
    return Card(number).opened(when, f"points: {points}", milestone=SPRINT)
