"""What each field of GitHub's GraphQL schema is, told by the history. Others are refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from github_standin.closing_words import closing_words
from github_standin.graphql_paging import Page, page_of
from github_standin.history import History
from github_standin.objects import Item, Label, Milestone, StandInRepository
from github_standin.timeline import Event, milliseconds

Json = dict[str, Any]
Field = Callable[[Any, Json], Any]
Fields = dict[str, Field]

TIME_FIELDS = {"CREATED_AT": "created_at", "UPDATED_AT": "updated_at", "DUE_DATE": "due_on"}


class NotFoundError(Exception):
    """GitHub's answer of type NOT_FOUND."""


@dataclass(frozen=True)
class Person:
    """An actor: the REST user object."""

    body: Json

    @property
    def login(self) -> str:
        """GraphQL leaves out the suffix of bots."""
        return str(self.body["login"]).removesuffix("[bot]")


@dataclass(frozen=True)
class Root:
    """Where a query starts: what its sender may see, and what is left of the rate limit."""

    history: History
    can_see: Callable[[StandInRepository], bool]
    viewer: str
    rate_limit: Json

    def repository(self, args: Json) -> StandInRepository:
        """A repository by owner and name, unless the sender must not know of it."""
        name = f"{args['owner']}/{args['name']}"
        found = self.history.repository(name)
        if found is None or not self.can_see(found):
            raise NotFoundError(f"Could not resolve to a Repository with the name '{name}'.")
        return found

    def node(self, node_id: str) -> Any:
        """Anything by its global id."""
        found = self.history.node(node_id)
        if found is None or not self.can_see(
            found if isinstance(found, StandInRepository) else found.repository
        ):
            raise NotFoundError(f"Could not resolve to a node with the global id of '{node_id}'")
        return found

    def nodes(self, ids: list[str]) -> list[Any]:
        """Each of them, or the error in its place."""

        def one(node_id: str) -> Any:
            try:
                return self.node(node_id)
            except NotFoundError as error:
                return error

        return [one(node_id) for node_id in ids]


@dataclass(frozen=True)
class Edge:
    """A node with its cursor."""

    cursor: str
    node: Any


def type_of(value: Any) -> str | None:
    """The GraphQL type of what an interface or a union may hold."""
    if isinstance(value, Item):
        return "PullRequest" if value.is_pull else "Issue"
    if isinstance(value, Event):
        return value.kind
    if isinstance(value, Person):
        is_bot = str(value.body.get("login")).endswith("[bot]")
        return str(value.body.get("type") or ("Bot" if is_bot else "User"))
    return type(value).__name__


def person(body: Json | None) -> Person | None:
    """Nobody is the deleted user whom GitHub shows as a ghost."""
    return Person(body) if body else None


def stored(name: str) -> Field:
    """A value of the REST object."""
    return lambda source, _: source.body.get(name)


def upper(name: str) -> Field:
    """A word of the REST object, as an enumeration writes it."""
    return lambda source, _: str(source.body[name]).upper()


def detail(name: str) -> Field:
    """What an event holds beside."""
    return lambda event, _: event.details.get(name)


# Lists


def issues(source: StandInRepository | Milestone, args: Json) -> Page:
    """Issues without pull requests."""
    found = [item for item in _items(source) if not item.is_pull]
    chosen = args.get("filterBy") or {}
    states = args.get("states") or chosen.get("states")
    labels = args.get("labels") or chosen.get("labels")
    found = [item for item in found if _is_wanted(item, states, labels) and _passes(item, chosen)]
    return _items_page("issues", found, args)


def pull_requests(source: StandInRepository | Milestone, args: Json) -> Page:
    """Pull requests."""
    found = [item for item in _items(source) if item.is_pull]
    found = [item for item in found if _is_wanted(item, args.get("states"), args.get("labels"))]
    if base := args.get("baseRefName"):
        found = [item for item in found if _ref(item, "base") == base]
    return _items_page("pullRequests", found, args)


def milestones(source: StandInRepository, args: Json) -> Page:
    """The milestones of a repository; those without a due day come last by it."""
    found = [
        one
        for one in source.milestones.values()
        if not args.get("states") or one.body["state"].upper() in args["states"]
    ]
    order = args.get("orderBy") or {"field": "NUMBER", "direction": "ASC"}
    name = TIME_FIELDS.get(order["field"])

    def key(one: Milestone) -> list[Any]:
        value = one.body.get(name) if name else None
        return [milliseconds(value) if value else 1 << 50, one.body["number"]]

    return page_of("milestones", found, key, args, descending=order["direction"] == "DESC")


def labels(source: StandInRepository | Item, args: Json) -> Page:
    """The labels of a repository or an item."""
    found = source.labels if isinstance(source, Item) else list(source.labels.values())
    order = args.get("orderBy") or {"field": "CREATED_AT", "direction": "ASC"}

    def key(label: Label) -> list[Any]:
        number = label.body.get("id") or 0
        return [label.body["name"] if order["field"] == "NAME" else "", number, label.body["name"]]

    return page_of("labels", found, key, args, descending=order["direction"] == "DESC")


def assignees(item: Item, args: Json) -> Page:
    """Who works on it."""
    found = [Person(body) for body in item.body.get("assignees", ())]
    return page_of("assignees", found, lambda one: [one.login], args)


def sub_issues(item: Item, args: Json) -> Page:
    """In the order in which they were added."""
    places = {id(child): place for place, child in enumerate(item.sub_issues)}
    return page_of("subIssues", item.sub_issues, lambda child: [places[id(child)]], args)


def closing_issues(item: Item, args: Json) -> Page:
    """The issues of this repository that are linked with it, by its text or by people.

    The text counts only towards the default branch.
    """
    known, base = item.repository, item.body.get("base") or {}
    default = (base.get("repo") or {}).get("default_branch")
    is_heard = default in (None, base.get("ref"))
    words = closing_words(item.body.get("body") or "") if is_heard else []
    numbers = {number for repo, number in words if repo.lower() in ("", known.full_name.lower())}
    numbers |= item.linked
    found = [known.items[number] for number in sorted(numbers) if number in known.items]
    found = [issue for issue in found if not issue.is_pull]
    return page_of("closingIssuesReferences", found, lambda issue: [issue.number], args)


def closed_by(item: Item, args: Json) -> Page:
    """The pull requests that say they close the issue."""
    pulls = [one for one in item.repository.items.values() if one.is_pull]
    found = [pull for pull in pulls if item in closing_issues(pull, {"first": 100}).nodes]
    return page_of("closedByPullRequestsReferences", found, lambda pull: [pull.number], args)


def timeline(item: Item, args: Json) -> Page:
    """What happened, oldest first."""
    since = milliseconds(args["since"]) if args.get("since") else 0
    kinds = args.get("itemTypes")
    found = [
        event
        for event in item.timeline
        if milliseconds(event.at) >= since and (not kinds or enum_name(event.kind) in kinds)
    ]
    return page_of("timelineItems", found, lambda event: event.order, args)


def enum_name(kind: str) -> str:
    """`LabeledEvent` is asked for as `LABELED_EVENT`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind).upper()


def _items(source: StandInRepository | Milestone) -> Iterable[Item]:
    if isinstance(source, Milestone):
        return source.repository.in_milestone(source)
    return source.items.values()


def _is_wanted(item: Item, states: list[str] | None, names: list[str] | None) -> bool:
    if states and item.state not in states:
        return False
    return not names or any(label.body["name"] in names for label in item.labels)


def _passes(item: Item, chosen: Json) -> bool:
    if (since := chosen.get("since")) and milliseconds(item.body["updated_at"]) < milliseconds(since):
        return False
    if (login := chosen.get("createdBy")) and (item.body.get("user") or {}).get("login") != login:
        return False
    for name, own in (("milestone", "id"), ("milestoneNumber", "number")):
        if name in chosen and not _is_held(item.milestone, chosen[name], own):
            return False
    if "assignee" in chosen:
        held = [body["login"] for body in item.body.get("assignees", ())]
        wanted = chosen["assignee"]
        return not held if wanted is None else bool(held) if wanted == "*" else wanted in held
    return True


def _is_held(held: Milestone | None, wanted: str | None, own: str) -> bool:
    if wanted is None:
        return held is None
    return held is not None and (wanted == "*" or str(held.body[own]) == wanted)


def _items_page(name: str, found: list[Item], args: Json) -> Page:
    order = args.get("orderBy") or {"field": "CREATED_AT", "direction": "ASC"}
    field = TIME_FIELDS.get(order["field"], "created_at")

    def key(item: Item) -> list[Any]:
        return [milliseconds(item.body[field]), item.number]

    return page_of(name, found, key, args, descending=order["direction"] == "DESC")


# Single values


def item_by_number(*kinds: bool, name: str) -> Field:
    """An issue (False) or a pull request (True) by its number."""

    def find(repository: StandInRepository, args: Json) -> Item:
        item = repository.items.get(args["number"])
        if item is None or item.is_pull not in kinds:
            raise NotFoundError(f"Could not resolve to {name} with the number of {args['number']}.")
        return item

    return find


def milestone_by_number(repository: StandInRepository, args: Json) -> Milestone | None:
    """GitHub answers null for a milestone that is not there, without an error."""
    return repository.milestones.get(args["number"])


def state_reason(item: Item, args: Json) -> str | None:
    """Duplicates are told only to those who ask for them."""
    reason = item.body.get("state_reason")
    if reason == "duplicate" and not args.get("enableDuplicate"):
        reason = "not_planned"
    return str(reason).upper() if reason else None


def label_of(event: Event, _: Json) -> Label:
    """The label of an event: renamed with the label, and kept when the label is deleted."""
    return Label(StandInRepository({}), event.details["label"])


def _ref(item: Item, side: str) -> str:
    return str((item.body.get(side) or {}).get("ref") or "main")


def _share(milestone: Milestone, _: Json) -> float:
    items = milestone.repository.in_milestone(milestone)
    return 100 * sum(item.state != "OPEN" for item in items) / len(items) if items else 0.0


COMMON: Fields = {
    "id": stored("node_id"),
    "databaseId": stored("id"),
    "fullDatabaseId": lambda source, _: str(source.body["id"]),
    "createdAt": stored("created_at"),
    "updatedAt": stored("updated_at"),
    "closedAt": stored("closed_at"),
    "number": stored("number"),
    "title": stored("title"),
    "url": stored("html_url"),
}
ITEM: Fields = {
    "repository": lambda item, _: item.repository,
    "body": lambda item, _: item.body.get("body") or "",
    "bodyText": lambda item, _: item.body.get("body") or "",
    "state": lambda item, _: item.state,
    "closed": lambda item, _: item.state != "OPEN",
    "locked": lambda item, _: bool(item.body.get("locked")),
    "author": lambda item, _: person(item.body.get("user")),
    "milestone": lambda item, _: item.milestone,
    "assignees": assignees,
    "labels": labels,
    "timelineItems": timeline,
    # Only of issues
    "stateReason": state_reason,
    "parent": lambda item, _: item.parent,
    "subIssues": sub_issues,
    "closedByPullRequestsReferences": closed_by,
    # Only of pull requests
    "merged": lambda item, _: item.state == "MERGED",
    "mergedAt": stored("merged_at"),
    "isDraft": lambda item, _: bool(item.body.get("draft")),
    "baseRefName": lambda item, _: _ref(item, "base"),
    "headRefName": lambda item, _: _ref(item, "head"),
    "closingIssuesReferences": closing_issues,
}
EVENT: Fields = {
    "id": lambda event, _: event.id,
    "createdAt": lambda event, _: event.at,
    "actor": lambda event, _: person(event.actor),
    "label": label_of,
    "milestoneTitle": lambda event, _: event.subject,
    "stateReason": detail("stateReason"),
    "closer": detail("closer"),
    "mergeRefName": detail("mergeRefName"),
    "previousTitle": detail("previousTitle"),
    "currentTitle": detail("currentTitle"),
    "assignee": lambda event, _: person(event.details.get("assignee")),
    "user": lambda event, _: person(event.details.get("assignee")),
    "fromRepository": detail("fromRepository"),
    "subIssue": detail("subIssue"),
    "parent": detail("parent"),
    "discussion": detail("discussion"),
}
FIELDS: Mapping[type, Fields] = {
    Root: {
        "repository": lambda root, args: root.repository(args),
        "node": lambda root, args: root.node(args["id"]),
        "nodes": lambda root, args: root.nodes(args["ids"]),
        "rateLimit": lambda root, _: root.rate_limit,
        "viewer": lambda root, _: Person({"login": root.viewer}),
    },
    StandInRepository: {
        **COMMON,
        "name": stored("name"),
        "nameWithOwner": stored("full_name"),
        "owner": lambda repository, _: person(repository.body.get("owner")),
        "isPrivate": stored("private"),
        "isArchived": lambda repository, _: bool(repository.body.get("archived")),
        "isFork": lambda repository, _: bool(repository.body.get("fork")),
        "isDisabled": lambda repository, _: bool(repository.body.get("disabled")),
        "hasIssuesEnabled": lambda repository, _: bool(repository.body.get("has_issues", True)),
        "description": stored("description"),
        "issues": issues,
        "pullRequests": pull_requests,
        "milestone": milestone_by_number,
        "milestones": milestones,
        "label": lambda repository, args: repository.labels.get(args["name"]),
        "labels": labels,
        "issue": item_by_number(False, name="an Issue"),
        "pullRequest": item_by_number(True, name="a PullRequest"),
        "issueOrPullRequest": item_by_number(False, True, name="an issue or pull request"),
    },
    Item: {**COMMON, **ITEM},
    Milestone: {
        **COMMON,
        "repository": lambda milestone, _: milestone.repository,
        "description": stored("description"),
        "dueOn": stored("due_on"),
        "state": upper("state"),
        "closed": lambda milestone, _: milestone.body["state"] == "closed",
        "creator": lambda milestone, _: person(milestone.body.get("creator")),
        "issues": issues,
        "pullRequests": pull_requests,
        "progressPercentage": _share,
    },
    Label: {
        **COMMON,
        "name": stored("name"),
        "color": lambda label, _: label.body.get("color") or "ededed",
        "description": stored("description"),
        "isDefault": lambda label, _: bool(label.body.get("default")),
        "repository": lambda label, _: label.repository,
    },
    Person: {
        "login": lambda one, _: one.login,
        "id": stored("node_id"),
        "databaseId": stored("id"),
        "url": stored("html_url"),
        "name": stored("name"),
    },
    Event: EVENT,
    Page: {
        "nodes": lambda page, _: page.nodes,
        "edges": lambda page, _: [Edge(page.cursor(node), node) for node in page.nodes],
        "totalCount": lambda page, _: page.total,
        "filteredCount": lambda page, _: page.total,
        "pageCount": lambda page, _: len(page.nodes),
        "pageInfo": lambda page, _: {
            "hasNextPage": page.has_next,
            "hasPreviousPage": page.has_previous,
            "startCursor": page.cursor(page.nodes[0]) if page.nodes else None,
            "endCursor": page.cursor(page.nodes[-1]) if page.nodes else None,
        },
    },
    Edge: {"cursor": lambda edge, _: edge.cursor, "node": lambda edge, _: edge.node},
}
