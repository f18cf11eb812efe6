"""Webhooks about a pull request's head, and the check runs that they request."""

from typing import Any

import msgspec
import pytest

from handlers import ROUTES
from handlers.check_run import CHECK_NAME, ButtonPress, read_button_press
from handlers.delivery import ButtonPressed, CheckRequested, Delivery, FactRecorded, Outcome
from handlers.references import mentioned_numbers
from sprints.model import ActivityEvent, ItemEvent
from sprints.pull_requests import build_pull_requests
from tests.support.builders import at, item_json, webhook

REPOSITORY = {"id": 1, "node_id": "R_1", "full_name": "acme/shop", "default_branch": "main"}
FORK = {"id": 2, "node_id": "R_2", "full_name": "mallory/shop", "default_branch": "main"}


def delivery(event: str, payload: dict[str, Any]) -> Delivery:
    return Delivery("d1", event, payload["action"], msgspec.json.encode(payload), at("11-20"))


def outcomes(event: str, payload: dict[str, Any]) -> list[Outcome]:
    data = delivery(event, payload)
    return [entry for handler in ROUTES[event, data.action] for entry in handler(data)]


def pull(action: str = "opened", **fields: Any) -> dict[str, Any]:
    shown = item_json("11-16", 4) | {
        "head": {"ref": "12-card", "sha": "a1", "repo": REPOSITORY},
        "base": {"ref": "main", "sha": "b1", "repo": REPOSITORY},
        "draft": False,
    }
    return webhook(action, pull_request=shown | fields, repository=REPOSITORY)


def head(data: list[Outcome]) -> ActivityEvent:
    (fact,) = [
        entry.fact
        for entry in data
        if isinstance(entry, FactRecorded) and isinstance(entry.fact, ActivityEvent)
    ]
    return fact


def items(data: list[Outcome]) -> list[str]:
    return [
        entry.fact.event
        for entry in data
        if isinstance(entry, FactRecorded) and isinstance(entry.fact, ItemEvent)
    ]


@pytest.mark.parametrize(
    "action",
    # An unlocked conversation and a request for a review say nothing of its head.
    sorted(
        action
        for event, action in ROUTES
        if event == "pull_request"
        and action not in {None, "unlocked", "review_requested", "review_request_removed"}
    ),
)
def test_every_event_of_a_pull_request_tells_its_head_and_wants_its_check(action: str) -> None:
    data = outcomes("pull_request", pull(action))
    assert head(data).subject == "a1"
    assert CheckRequested(number=4) in data
    # A push changes nothing about the item.
    assert items(data) == ([] if action == "synchronize" else [action])


@pytest.mark.parametrize("action", ["review_requested", "review_request_removed"])
@pytest.mark.parametrize(
    "asked",
    [
        {"requested_reviewer": {"id": 5, "login": "carol"}},
        {"requested_team": {"id": 9, "slug": "payments"}},
    ],
    ids=["person", "team"],
)
def test_a_request_for_a_review_causes_no_check(action: str, asked: dict[str, Any]) -> None:
    """It changes nothing that a check shows, and comes in bursts."""
    data = outcomes("pull_request", pull(action) | asked)
    assert all(isinstance(entry, FactRecorded) for entry in data)
    assert len(data) == ("requested_reviewer" in asked)
    assert items(data) == []


def test_what_is_at_the_head_is_kept_without_its_texts() -> None:
    body = "Fixes #12, see #13 and acme/other#14."
    data = head(
        outcomes("pull_request", pull(body=body, additions=30, deletions=12, changed_files=3, draft=True))
    )
    pull_request = build_pull_requests([data])[4]
    assert (pull_request.head, pull_request.branch, pull_request.base) == ("a1", "12-card", "main")
    assert (pull_request.lines, pull_request.files, pull_request.is_draft) == (42, 3, True)
    assert (pull_request.closes, pull_request.mentions) == ((12,), (12, 13))
    assert body not in str(data.details)


@pytest.mark.parametrize(("repo", "is_from_fork"), [(REPOSITORY, False), (FORK, True), (None, True)])
def test_a_fork_is_another_repository_or_none_any_more(
    repo: dict[str, Any] | None, is_from_fork: bool
) -> None:
    data = outcomes("pull_request", pull(head={"ref": "x", "sha": "a1", "repo": repo}))
    assert build_pull_requests([head(data)])[4].is_from_fork is is_from_fork


def test_a_payload_of_old_times_without_a_head_is_an_item_nevertheless() -> None:
    data = outcomes("pull_request", pull(head=None))
    assert items(data) == ["opened"]
    assert not [entry for entry in data if isinstance(entry, CheckRequested)]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("#12", (12,)),
        ("(#12), #13.", (12, 13)),
        ("#12 and #12", (12,)),
        ("acme/shop#12", ()),
        ("&#39;", ()),
        ("##12", ()),
        ("page#12", ()),
        ("#12abc", ()),
        ("#1234567890", ()),
        ("", ()),
    ],
)
def test_the_issues_that_a_text_names(text: str, numbers: tuple[int, ...]) -> None:
    assert mentioned_numbers(text) == numbers


def test_no_text_names_more_than_a_few() -> None:
    assert len(mentioned_numbers(" ".join(f"#{n}" for n in range(1, 1000)))) == 20


# Checks


def check_run(action: str, **fields: Any) -> dict[str, Any]:
    run = {"name": CHECK_NAME, "head_sha": "a1", "pull_requests": []}
    return webhook(action, check_run=run | fields, repository=REPOSITORY)


def test_a_button_is_known_by_its_identifier_and_its_commit() -> None:
    payload = check_run("requested_action") | {"requested_action": {"identifier": "link:12"}}
    assert outcomes("check_run", payload) == [ButtonPressed()]
    assert read_button_press(delivery("check_run", payload)) == ButtonPress(
        "link:12", "a1", "alice", is_bot=False
    )


def test_a_re_run_wants_the_check_of_the_commit_again() -> None:
    again = CheckRequested(head="a1", is_rerun=True)
    assert outcomes("check_run", check_run("rerequested")) == [again]
    suite = webhook("rerequested", check_suite={"head_sha": "a1"}, repository=REPOSITORY)
    assert outcomes("check_suite", suite) == [again]


def test_other_checks_of_ours_are_no_concern_here() -> None:
    assert outcomes("check_run", check_run("rerequested", name="Agile settings")) == []
    assert outcomes("check_run", check_run("requested_action", name="Agile settings")) == []
