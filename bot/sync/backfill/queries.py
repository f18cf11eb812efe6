"""GraphQL queries for a repository's history: 50 items cost two of the 5,000 points an hour."""

from bot.github.linked_issues import LINKS

_WHO = "__typename login ... on User{databaseId}"
_ACTOR = f"createdAt actor{{{_WHO}}}"
_ASSIGNEE = "assignee{__typename ... on User{login databaseId} ... on Bot{login} ... on Mannequin{login}}"
_EVENTS = {
    "LABELED_EVENT": f"... on LabeledEvent{{{_ACTOR} label{{name}}}}",
    "UNLABELED_EVENT": f"... on UnlabeledEvent{{{_ACTOR} label{{name}}}}",
    "MILESTONED_EVENT": f"... on MilestonedEvent{{{_ACTOR} milestoneTitle}}",
    "DEMILESTONED_EVENT": f"... on DemilestonedEvent{{{_ACTOR} milestoneTitle}}",
    "REOPENED_EVENT": f"... on ReopenedEvent{{{_ACTOR}}}",
    "RENAMED_TITLE_EVENT": f"... on RenamedTitleEvent{{{_ACTOR} previousTitle currentTitle}}",
    "ASSIGNED_EVENT": f"... on AssignedEvent{{{_ACTOR} {_ASSIGNEE}}}",
    "UNASSIGNED_EVENT": f"... on UnassignedEvent{{{_ACTOR} {_ASSIGNEE}}}",
}
_OF_ISSUES = _EVENTS | {
    "CLOSED_EVENT": f"... on ClosedEvent{{{_ACTOR} stateReason}}",
    "PARENT_ISSUE_ADDED_EVENT": f"... on ParentIssueAddedEvent{{{_ACTOR} parent{{id}}}}",
    "PARENT_ISSUE_REMOVED_EVENT": f"... on ParentIssueRemovedEvent{{{_ACTOR} parent{{id}}}}",
    "CONVERTED_TO_DISCUSSION_EVENT": f"... on ConvertedToDiscussionEvent{{{_ACTOR}}}",
    "TRANSFERRED_EVENT": f"... on TransferredEvent{{{_ACTOR}}}",
}
_OF_PULL_REQUESTS = _EVENTS | {"CLOSED_EVENT": f"... on ClosedEvent{{{_ACTOR}}}"}

_ITEM = f"""
id number title createdAt closedAt author{{{_WHO}}} milestone{{number title}}
assignees(first:20){{nodes{{__typename login databaseId}}}} labels(first:100){{nodes{{name}}}}
"""
_ISSUE = _ITEM + "state stateReason(enableDuplicate:true) parent{id}"
_PULL_REQUEST = f"{_ITEM}state merged mergedAt {LINKS}"


def _timeline(events: dict[str, str], arguments: str) -> str:
    return (
        f"timelineItems({arguments}itemTypes:[{' '.join(events)}])"
        f"{{pageInfo{{hasNextPage endCursor}} nodes{{__typename {' '.join(events.values())}}}}}"
    )


def _page(field: str, item: str, events: dict[str, str]) -> str:
    return f"""
query($owner:String!,$name:String!,$first:Int!,$after:String){{
  rateLimit{{remaining resetAt}}
  repository(owner:$owner,name:$name){{
    id
    issues(first:1){{totalCount}}
    pullRequests(first:1){{totalCount}}
    items:{field}(first:$first,after:$after,orderBy:{{field:CREATED_AT,direction:ASC}}){{
      pageInfo{{hasNextPage endCursor}}
      nodes{{{item} {_timeline(events, "first:100,")}}}
    }}
  }}
}}"""


PAGES = {
    "issues": _page("issues", _ISSUE, _OF_ISSUES),
    "pull_requests": _page("pullRequests", _PULL_REQUEST, _OF_PULL_REQUESTS),
}

# The rest of a long timeline.
MORE = f"""
query($id:ID!,$first:Int!,$after:String){{
  rateLimit{{remaining resetAt}}
  node(id:$id){{
    ... on Issue{{{_timeline(_OF_ISSUES, "first:$first,after:$after,")}}}
    ... on PullRequest{{{_timeline(_OF_PULL_REQUESTS, "first:$first,after:$after,")}}}
  }}
}}"""
