"""Every payload that GitHub's description allows is read: an odd part costs that part and nothing else.

The payloads are generated from the description, for all events that are recorded.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers import ROUTES, handle
from handlers.delivery import Delivery, FactRecorded, Outcome, UnusableError
from handlers.lenient import decode_leniently
from handlers.payloads import IssuePayload, MalformedError, decode
from tests.support.webhook_descriptions import Described, described

_RECEIVED = datetime(2026, 11, 2, 10, tzinfo=UTC)
# A preview that GitHub's description lacks has the shape of the event beside it.
_LIKE = {"status_changed": "edited"}
_REPOSITORY = {"repository", "repository.id", "repository.full_name"}
_ISSUE = {"", ".number", ".created_at", ".updated_at"}
# What nothing can be recorded without.
_NEEDED: Mapping[str, set[str]] = {
    "issues": {f"issue{part}" for part in _ISSUE},
    "issue_comment": {f"issue{part}" for part in _ISSUE} | {"comment", "comment.id"},
    "pull_request": {f"pull_request{part}" for part in _ISSUE},
    "pull_request_review": {"pull_request", "pull_request.number", "pull_request.updated_at"}
    | {"review", "review.id", "review.state"},
    "pull_request_review_comment": {"comment", "comment.id", "pull_request", "pull_request.number"},
    "milestone": {"milestone", "milestone.id", "milestone.number"},
    "label": {"label", "label.name"},
    "sub_issues": {f"sub_issue{part}" for part in _ISSUE} | {"parent_issue"},
    "issue_dependencies": {f"blocked_issue{part}" for part in _ISSUE} | {"blocking_issue"},
    "installation": {"installation", "installation.id"},
    "installation_repositories": {"installation", "installation.id"},
    "installation_target": {"account", "account.id", "changes"},
    "merge_group": {"merge_group", "merge_group.head_sha"},
    "push": {"ref", "after"},
    "deployment_status": {"deployment", "deployment.id"}
    | {f"deployment_status{part}" for part in ("", ".id", ".state", ".created_at")},
    "release": {"release", "release.id", "release.tag_name"},
    "check_run": {"check_run", "check_run.name", "check_run.head_sha"},
    "check_suite": {"check_suite", "check_suite.head_sha"},
    "projects_v2": {"projects_v2"},
    "projects_v2_item": {"projects_v2_item"},
}
# Optional in the description, although nothing can be recorded without them.
_ABSENT_IS_TOO_MUCH = {
    "sub_issues": {"", "repository ", "sub_issue ", "parent_issue "},
    "issue_dependencies": {"", "blocked_issue ", "blocking_issue "},
}


def description(event: str, action: str | None) -> Described:
    result = described(event, action) or described(event, _LIKE[action or ""])
    assert result is not None
    return result


def read(event: str, action: str | None, payload: Mapping[str, Any]) -> Sequence[Outcome]:
    """What the handlers make of a payload. Raises UnusableError if none can make anything of it."""
    delivery = Delivery("d", event, action, msgspec.json.encode(payload), _RECEIVED)
    assert delivery.envelope.repository is not None or "repository" not in payload
    return handle(delivery)[0]


def recorded(outcomes: Iterable[Outcome]) -> set[str]:
    """What is recorded, but for pictures of milestones, which come along with items."""
    facts = [outcome.fact for outcome in outcomes if isinstance(outcome, FactRecorded)]
    return {fact.event for fact in facts if fact.event != "observed"}


@cache
def shown_before(event: str, action: str | None) -> frozenset[str]:
    """The variants of a payload that those of the event's other actions have, which are read alike."""
    routes = list(ROUTES)
    alike = (
        other
        for other in routes[: routes.index((event, action))]
        if other[0] == event and ROUTES[other] == ROUTES[event, action]
    )
    return frozenset(name for other in alike for name in description(*other).variant_names())


@pytest.mark.parametrize(("event", "action"), ROUTES)
def test_all_that_the_description_allows_is_recorded(event: str, action: str | None) -> None:
    about = description(event, action)
    expected = recorded(read(event, action, about.payload))
    assert len(about.places) > 20
    for name, payload in (*about.variants(shown_before(event, action)), *about.extremes()):
        if name.endswith("absent") and name.removesuffix("absent") in _ABSENT_IS_TOO_MUCH.get(event, ()):
            continue
        result = recorded(read(event, action, payload))
        # A label that was edited and not renamed, and a review that is asked of nobody, are no facts of ours.
        asks_nobody = str(action).startswith("review_request") and not payload.get("requested_reviewer")
        is_no_fact = (event == "label" and "absent" in name) or asks_nobody
        assert result == expected or (is_no_fact and not result), name


@pytest.mark.parametrize(
    ("event", "action"),
    {(event, ROUTES[event, action]): (event, action) for event, action in ROUTES}.values(),
)
def test_what_no_description_allows_costs_no_more_than_it_must(event: str, action: str | None) -> None:
    about = description(event, action)
    # To a text, any other kind of value is the same.
    texts = {place.path for place in about.places if isinstance(about.value_at(place), str)}
    needed = _REPOSITORY | _NEEDED.get(event, set())
    odd: tuple[object, ...] = ({"odd": []}, -3.5)
    for value in odd:
        unusable = set[str]()
        for place in about.places:
            if place.path in texts and value != odd[0]:
                continue
            try:
                read(event, action, about.with_value(place, value))
            except UnusableError:
                unusable.add(place.name)
        assert unusable <= needed


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_ISSUE_JSON = st.fixed_dictionaries(
    {
        "number": st.just(7),
        "created_at": st.just("2026-11-02T09:00:00Z"),
        "updated_at": st.just("2026-11-02T09:00:00Z"),
    },
    optional=dict.fromkeys(("title", "labels", "assignees", "milestone", "user", "status", "body"), _JSON),
)


@given(_ISSUE_JSON)
def test_whatever_stands_beside_the_number_an_issue_is_read(shown: dict[str, Any]) -> None:
    issue = decode_leniently(msgspec.json.Decoder(IssuePayload), json.dumps(shown).encode())
    assert issue.snapshot().number == 7


@given(_JSON)
def test_what_is_as_it_should_be_is_read_as_ever(shown: object) -> None:
    body = json.dumps({"number": shown, "labels": [{"name": shown}]}).encode()
    shape = msgspec.json.Decoder(IssuePayload)
    try:
        strictly = decode(shape, body)
    except MalformedError:
        return
    assert decode_leniently(shape, body) == strictly
