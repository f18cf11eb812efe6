"""What GitHub is asked for a repository's past: 50 items cost two points of 5,000 an hour."""

_EVENTS = {
    "LABELED_EVENT": "... on LabeledEvent{createdAt actor{login} label{name}}",
    "UNLABELED_EVENT": "... on UnlabeledEvent{createdAt actor{login} label{name}}",
    "MILESTONED_EVENT": "... on MilestonedEvent{createdAt actor{login} milestoneTitle}",
    "DEMILESTONED_EVENT": "... on DemilestonedEvent{createdAt actor{login} milestoneTitle}",
    "REOPENED_EVENT": "... on ReopenedEvent{createdAt actor{login}}",
    "RENAMED_TITLE_EVENT": "... on RenamedTitleEvent{createdAt actor{login} previousTitle currentTitle}",
    "ASSIGNED_EVENT": "... on AssignedEvent{createdAt actor{login} assignee{... on User{login}}}",
    "UNASSIGNED_EVENT": "... on UnassignedEvent{createdAt actor{login} assignee{... on User{login}}}",
}
_OF_ISSUES = _EVENTS | {
    "CLOSED_EVENT": "... on ClosedEvent{createdAt actor{login} stateReason}",
    "PARENT_ISSUE_ADDED_EVENT": "... on ParentIssueAddedEvent{createdAt actor{login} parent{id}}",
    "PARENT_ISSUE_REMOVED_EVENT": "... on ParentIssueRemovedEvent{createdAt actor{login} parent{id}}",
}
_OF_PULL_REQUESTS = _EVENTS | {"CLOSED_EVENT": "... on ClosedEvent{createdAt actor{login}}"}

_ITEM = """
id number title createdAt closedAt author{login} milestone{number title}
assignees(first:20){nodes{login}} labels(first:100){nodes{name}}
"""
_ISSUE = _ITEM + "state stateReason(enableDuplicate:true) parent{id}"
_PULL_REQUEST = (
    _ITEM + "state merged mergedAt closingIssuesReferences(first:50){nodes{number repository{nameWithOwner}}}"
)


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
    items:{field}(first:$first,after:$after,orderBy:{{field:CREATED_AT,direction:ASC}}){{
      totalCount pageInfo{{hasNextPage endCursor}}
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
query($id:ID!,$after:String){{
  rateLimit{{remaining resetAt}}
  node(id:$id){{
    ... on Issue{{{_timeline(_OF_ISSUES, "first:100,after:$after,")}}}
    ... on PullRequest{{{_timeline(_OF_PULL_REQUESTS, "first:100,after:$after,")}}}
  }}
}}"""
