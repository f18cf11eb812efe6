"""What GitHub is asked for a repository's past: 50 items cost one point of 5,000 an hour."""

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
_CLOSED_ISSUE = "... on ClosedEvent{createdAt actor{login} stateReason}"
_CLOSED_PULL_REQUEST = "... on ClosedEvent{createdAt actor{login}}"

_ITEM = """
id number title createdAt closedAt author{login} milestone{number title}
assignees(first:20){nodes{login}} labels(first:100){nodes{name}}
"""
_ISSUE = _ITEM + "state stateReason(enableDuplicate:true) parent{id}"
_PULL_REQUEST = (
    _ITEM + "state merged mergedAt closingIssuesReferences(first:50){nodes{number repository{nameWithOwner}}}"
)


def _timeline(closed: str, arguments: str) -> str:
    kinds = " ".join([*_EVENTS, "CLOSED_EVENT"])
    return (
        f"timelineItems({arguments}itemTypes:[{kinds}])"
        f"{{pageInfo{{hasNextPage endCursor}} nodes{{__typename {' '.join(_EVENTS.values())} {closed}}}}}"
    )


def _page(field: str, item: str, closed: str) -> str:
    return f"""
query($owner:String!,$name:String!,$first:Int!,$after:String){{
  rateLimit{{remaining resetAt}}
  repository(owner:$owner,name:$name){{
    items:{field}(first:$first,after:$after,orderBy:{{field:CREATED_AT,direction:ASC}}){{
      totalCount pageInfo{{hasNextPage endCursor}}
      nodes{{{item} {_timeline(closed, "first:100,")}}}
    }}
  }}
}}"""


PAGES = {
    "issues": _page("issues", _ISSUE, _CLOSED_ISSUE),
    "pull_requests": _page("pullRequests", _PULL_REQUEST, _CLOSED_PULL_REQUEST),
}

# The rest of a long timeline.
MORE = f"""
query($id:ID!,$after:String){{
  rateLimit{{remaining resetAt}}
  node(id:$id){{
    ... on Issue{{{_timeline(_CLOSED_ISSUE, "first:100,after:$after,")}}}
    ... on PullRequest{{{_timeline(_CLOSED_PULL_REQUEST, "first:100,after:$after,")}}}
  }}
}}"""
