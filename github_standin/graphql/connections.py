"""The connections (paged lists) of GitHub's GraphQL schema, read from the history."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from github_standin.graphql.objects import Actor
from github_standin.graphql.paging import Connection, paginate
from github_standin.history.closing_keywords import find_closing_references
from github_standin.history.objects import StandInItem, StandInLabel, StandInMilestone, StandInRepository
from github_standin.history.timeline import to_milliseconds

Json = dict[str, Any]
TIME_FIELDS = {"CREATED_AT": "created_at", "UPDATED_AT": "updated_at", "DUE_DATE": "due_on"}


def issues(source: StandInRepository | StandInMilestone, args: Json) -> Connection:
    """The issues of a repository or milestone, without pull requests."""
    filters = args.get("filterBy") or {}
    states = args.get("states") or filters.get("states")
    labels = args.get("labels") or filters.get("labels")
    matching = [
        item
        for item in _items(source)
        if not item.is_pull and _has_state_and_label(item, states, labels) and _matches_filter(item, filters)
    ]
    return _paginate_items("issues", matching, args)


def pull_requests(source: StandInRepository | StandInMilestone, args: Json) -> Connection:
    """The pull requests of a repository or milestone."""
    states, labels, base = args.get("states"), args.get("labels"), args.get("baseRefName")
    matching = [
        item
        for item in _items(source)
        if item.is_pull
        and _has_state_and_label(item, states, labels)
        and (not base or branch_name(item, "base") == base)
    ]
    return _paginate_items("pullRequests", matching, args)


def milestones(source: StandInRepository, args: Json) -> Connection:
    """The milestones of a repository; sorted by due date, those without one come last."""
    matching = [
        milestone
        for milestone in source.milestones.values()
        if not args.get("states") or milestone.body["state"].upper() in args["states"]
    ]
    order = args.get("orderBy") or {"field": "NUMBER", "direction": "ASC"}
    name = TIME_FIELDS.get(order["field"])

    def key(milestone: StandInMilestone) -> list[Any]:
        value = milestone.body.get(name) if name else None
        return [to_milliseconds(value) if value else 1 << 50, milestone.body["number"]]

    return paginate("milestones", matching, key, args, descending=order["direction"] == "DESC")


def labels(source: StandInRepository | StandInItem, args: Json) -> Connection:
    """The labels of a repository or an item."""
    elements = source.labels if isinstance(source, StandInItem) else list(source.labels.values())
    order = args.get("orderBy") or {"field": "CREATED_AT", "direction": "ASC"}

    def key(label: StandInLabel) -> list[Any]:
        number = label.body.get("id") or 0
        return [label.body["name"] if order["field"] == "NAME" else "", number, label.body["name"]]

    return paginate("labels", elements, key, args, descending=order["direction"] == "DESC")


def assignees(item: StandInItem, args: Json) -> Connection:
    """The people whom an item is assigned to."""
    people = [Actor(body) for body in item.body.get("assignees", ())]
    return paginate("assignees", people, lambda person: [person.login], args)


def sub_issues(item: StandInItem, args: Json) -> Connection:
    """The sub-issues of an issue, in the order in which they were added."""
    positions = {id(child): position for position, child in enumerate(item.sub_issues)}
    return paginate("subIssues", item.sub_issues, lambda child: [positions[id(child)]], args)


def closing_issues(item: StandInItem, args: Json) -> Connection:
    """The issues of the same repository that a pull request closes, by its description or by people.

    As on GitHub, the description counts only if the pull request targets the default branch.
    """
    repository, base = item.repository, item.body.get("base") or {}
    default_branch = (base.get("repo") or {}).get("default_branch")
    targets_default = default_branch in (None, base.get("ref"))
    references = find_closing_references(item.body.get("body") or "") if targets_default else []
    numbers = {number for repo, number in references if repo.lower() in ("", repository.full_name.lower())}
    numbers |= item.linked
    linked = [repository.items[number] for number in sorted(numbers) if number in repository.items]
    linked = [issue for issue in linked if not issue.is_pull]
    return paginate("closingIssuesReferences", linked, lambda issue: [issue.number], args)


def closing_pull_requests(item: StandInItem, args: Json) -> Connection:
    """The pull requests that close an issue."""
    pulls = [candidate for candidate in item.repository.items.values() if candidate.is_pull]
    closing = [pull for pull in pulls if item in closing_issues(pull, {"first": 100}).nodes]
    return paginate("closedByPullRequestsReferences", closing, lambda pull: [pull.number], args)


def timeline(item: StandInItem, args: Json) -> Connection:
    """The timeline of an item, oldest first."""
    since = to_milliseconds(args["since"]) if args.get("since") else 0
    kinds = args.get("itemTypes")
    events = [
        event
        for event in item.timeline
        if to_milliseconds(event.at) >= since and (not kinds or enum_name(event.kind) in kinds)
    ]
    return paginate("timelineItems", events, lambda event: event.order, args)


def enum_name(kind: str) -> str:
    """The name of an event type in queries: `LabeledEvent` becomes `LABELED_EVENT`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind).upper()


def _items(source: StandInRepository | StandInMilestone) -> Iterable[StandInItem]:
    if isinstance(source, StandInMilestone):
        return source.repository.items_in_milestone(source)
    return source.items.values()


def _has_state_and_label(item: StandInItem, states: list[str] | None, names: list[str] | None) -> bool:
    if states and item.state not in states:
        return False
    return not names or any(label.body["name"] in names for label in item.labels)


def _matches_filter(item: StandInItem, filters: Json) -> bool:
    if (since := filters.get("since")) and to_milliseconds(item.body["updated_at"]) < to_milliseconds(since):
        return False
    if (login := filters.get("createdBy")) and (item.body.get("user") or {}).get("login") != login:
        return False
    for name, key in (("milestone", "id"), ("milestoneNumber", "number")):
        if name in filters and not _is_milestone(item.milestone, filters[name], key):
            return False
    if "assignee" in filters:
        logins = [body["login"] for body in item.body.get("assignees", ())]
        wanted = filters["assignee"]
        return not logins if wanted is None else bool(logins) if wanted == "*" else wanted in logins
    return True


def _is_milestone(milestone: StandInMilestone | None, wanted: str | None, key: str) -> bool:
    """Whether a milestone is the wanted one: `*` stands for any, None for none."""
    if wanted is None:
        return milestone is None
    return milestone is not None and (wanted == "*" or str(milestone.body[key]) == wanted)


def _paginate_items(name: str, items: list[StandInItem], args: Json) -> Connection:
    order = args.get("orderBy") or {"field": "CREATED_AT", "direction": "ASC"}
    field = TIME_FIELDS.get(order["field"], "created_at")

    def key(item: StandInItem) -> list[Any]:
        return [to_milliseconds(item.body[field]), item.number]

    return paginate(name, items, key, args, descending=order["direction"] == "DESC")


def branch_name(item: StandInItem, side: str) -> str:
    """The branch of a pull request; `side` is "base" or "head"."""
    return str((item.body.get(side) or {}).get("ref") or "main")
