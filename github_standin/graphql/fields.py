"""The supported fields of GitHub's GraphQL schema with their resolvers; others are refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from github_standin.graphql.connections import (
    assignees,
    branch_name,
    closing_issues,
    closing_pull_requests,
    issues,
    labels,
    milestones,
    pull_requests,
    sub_issues,
    timeline,
)
from github_standin.graphql.minimizing import minimize_comment
from github_standin.graphql.objects import Actor, ConnectionEdge, NotFoundError, QueryRoot, actor_or_none
from github_standin.graphql.paging import Connection
from github_standin.history.objects import (
    StandInComment,
    StandInItem,
    StandInLabel,
    StandInMilestone,
    StandInRepository,
)
from github_standin.history.timeline import TimelineEvent

Json = dict[str, Any]
Field = Callable[[Any, Json], Any]
Fields = dict[str, Field]


def rest_value(name: str) -> Field:
    """Resolve a field to a value of the REST object."""
    return lambda source, _: source.body.get(name)


def enum_value(name: str) -> Field:
    """Resolve a field to a word of the REST object, in upper case as a GraphQL enumeration."""
    return lambda source, _: str(source.body[name]).upper()


def event_detail(name: str) -> Field:
    """Resolve a field to a detail of a timeline event."""
    return lambda event, _: event.details.get(name)


def item_by_number(*kinds: bool, name: str) -> Field:
    """Resolve a field to an issue (kind False) or a pull request (True) by its number."""

    def find(repository: StandInRepository, args: Json) -> StandInItem:
        item = repository.items.get(args["number"])
        if item is None or item.is_pull not in kinds:
            raise NotFoundError(f"Could not resolve to {name} with the number of {args['number']}.")
        return item

    return find


def milestone_by_number(repository: StandInRepository, args: Json) -> StandInMilestone | None:
    """The milestone with a number; as on GitHub null, without an error, when there is none."""
    return repository.milestones.get(args["number"])


def state_reason(item: StandInItem, args: Json) -> str | None:
    """Why an issue was closed; as on GitHub DUPLICATE only with the argument `enableDuplicate`."""
    reason = item.body.get("state_reason")
    if reason == "duplicate" and not args.get("enableDuplicate"):
        reason = "not_planned"
    return str(reason).upper() if reason else None


def event_label(event: TimelineEvent, _: Json) -> StandInLabel:
    """The label of an event, which is renamed with the label and survives its deletion."""
    return StandInLabel(StandInRepository({}), event.details["label"])


def _closed_percentage(milestone: StandInMilestone, _: Json) -> float:
    items = milestone.repository.items_in_milestone(milestone)
    return 100 * sum(item.state != "OPEN" for item in items) / len(items) if items else 0.0


COMMON: Fields = {
    "id": rest_value("node_id"),
    "databaseId": rest_value("id"),
    "fullDatabaseId": lambda source, _: str(source.body["id"]),
    "createdAt": rest_value("created_at"),
    "updatedAt": rest_value("updated_at"),
    "closedAt": rest_value("closed_at"),
    "number": rest_value("number"),
    "title": rest_value("title"),
    "url": rest_value("html_url"),
}
ITEM: Fields = {
    "repository": lambda item, _: item.repository,
    "body": lambda item, _: item.body.get("body") or "",
    "bodyText": lambda item, _: item.body.get("body") or "",
    "state": lambda item, _: item.state,
    "closed": lambda item, _: item.state != "OPEN",
    "locked": lambda item, _: bool(item.body.get("locked")),
    "author": lambda item, _: actor_or_none(item.body.get("user")),
    "milestone": lambda item, _: item.milestone,
    "assignees": assignees,
    "labels": labels,
    "timelineItems": timeline,
    # Only of issues
    "stateReason": state_reason,
    "parent": lambda item, _: item.parent,
    "subIssues": sub_issues,
    "closedByPullRequestsReferences": closing_pull_requests,
    # Only of pull requests
    "merged": lambda item, _: item.state == "MERGED",
    "mergedAt": rest_value("merged_at"),
    "isDraft": lambda item, _: bool(item.body.get("draft")),
    "baseRefName": lambda item, _: branch_name(item, "base"),
    "headRefName": lambda item, _: branch_name(item, "head"),
    "closingIssuesReferences": closing_issues,
}
EVENT: Fields = {
    "id": lambda event, _: event.id,
    "createdAt": lambda event, _: event.at,
    "actor": lambda event, _: actor_or_none(event.actor),
    "label": event_label,
    "milestoneTitle": lambda event, _: event.subject,
    "stateReason": event_detail("stateReason"),
    "closer": event_detail("closer"),
    "mergeRefName": event_detail("mergeRefName"),
    "previousTitle": event_detail("previousTitle"),
    "currentTitle": event_detail("currentTitle"),
    "assignee": lambda event, _: actor_or_none(event.details.get("assignee")),
    "user": lambda event, _: actor_or_none(event.details.get("assignee")),
    "fromRepository": event_detail("fromRepository"),
    "subIssue": event_detail("subIssue"),
    "parent": event_detail("parent"),
    "discussion": event_detail("discussion"),
}
FIELDS: Mapping[type, Fields] = {
    QueryRoot: {
        "repository": lambda root, args: root.repository(args),
        "node": lambda root, args: root.node(args["id"]),
        "nodes": lambda root, args: root.nodes(args["ids"]),
        "rateLimit": lambda root, _: root.rate_limit,
        "viewer": lambda root, _: Actor({"login": root.viewer}),
        "minimizeComment": minimize_comment,
    },
    StandInRepository: {
        **COMMON,
        "name": rest_value("name"),
        "nameWithOwner": rest_value("full_name"),
        "owner": lambda repository, _: actor_or_none(repository.body.get("owner")),
        "isPrivate": rest_value("private"),
        "isArchived": lambda repository, _: bool(repository.body.get("archived")),
        "isFork": lambda repository, _: bool(repository.body.get("fork")),
        "isDisabled": lambda repository, _: bool(repository.body.get("disabled")),
        "hasIssuesEnabled": lambda repository, _: bool(repository.body.get("has_issues", True)),
        "description": rest_value("description"),
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
    StandInItem: {**COMMON, **ITEM},
    StandInComment: {
        **COMMON,
        "body": rest_value("body"),
        "author": lambda comment, _: actor_or_none(comment.body.get("user")),
        "isMinimized": lambda comment, _: comment.minimized is not None,
        "minimizedReason": lambda comment, _: comment.minimized,
    },
    StandInMilestone: {
        **COMMON,
        "repository": lambda milestone, _: milestone.repository,
        "description": rest_value("description"),
        "dueOn": rest_value("due_on"),
        "state": enum_value("state"),
        "closed": lambda milestone, _: milestone.body["state"] == "closed",
        "creator": lambda milestone, _: actor_or_none(milestone.body.get("creator")),
        "issues": issues,
        "pullRequests": pull_requests,
        "progressPercentage": _closed_percentage,
    },
    StandInLabel: {
        **COMMON,
        "name": rest_value("name"),
        "color": lambda label, _: label.body.get("color") or "ededed",
        "description": rest_value("description"),
        "isDefault": lambda label, _: bool(label.body.get("default")),
        "repository": lambda label, _: label.repository,
    },
    Actor: {
        "login": lambda actor, _: actor.login,
        "id": rest_value("node_id"),
        "databaseId": rest_value("id"),
        "url": rest_value("html_url"),
        "name": rest_value("name"),
    },
    TimelineEvent: EVENT,
    Connection: {
        "nodes": lambda page, _: page.nodes,
        "edges": lambda page, _: [ConnectionEdge(page.cursor(node), node) for node in page.nodes],
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
    ConnectionEdge: {"cursor": lambda edge, _: edge.cursor, "node": lambda edge, _: edge.node},
}
