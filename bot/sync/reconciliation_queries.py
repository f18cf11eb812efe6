"""What the nightly comparison asks GitHub: a milestone with its items, and single items by node id."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bot.github.client import Installation
from bot.github.linked_issues import LINKS, LinkedIssues, parse_links

_NODES_AT_ONCE = 100


# The pages of open pull requests that are fetched, the last changed first.
MOST_PAGES = 10


_COMMON = """id number title createdAt updatedAt closed closedAt author { __typename login } repository { id }
  milestone { number } labels(first: 100) { nodes { name } } assignees(first: 10) { nodes { login } }"""


_FRAGMENTS = f"""
fragment OfIssue on Issue {{ __typename {_COMMON} stateReason(enableDuplicate: true) }}
fragment OfPullRequest on PullRequest {{ __typename {_COMMON} merged {LINKS} }}"""


MILESTONE_QUERY = f"""
query ($owner: String!, $name: String!, $number: Int!, $issues: String, $pulls: String) {{
  repository(owner: $owner, name: $name) {{
    id
    milestone(number: $number) {{
      title description dueOn closed closedAt updatedAt
      issues(first: 100, after: $issues) {{
        pageInfo {{ hasNextPage endCursor }} nodes {{ ...OfIssue }} }}
      pullRequests(first: 100, after: $pulls) {{
        pageInfo {{ hasNextPage endCursor }} nodes {{ ...OfPullRequest }} }}
    }}
  }}
}}{_FRAGMENTS}"""


ITEMS_QUERY = f"""
query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ...OfIssue ...OfPullRequest }} }}{_FRAGMENTS}"""


Json = dict[str, Any]


@dataclass(slots=True)
class GitHubState:
    """A milestone as GitHub shows it.

    `items` are the items in the milestone, by number. `absent` are the items that are in it by the timeline
    but not on GitHub, by recorded node id; None for deleted ones.
    """

    repository: str
    milestone: Json | None
    items: dict[int, Json]
    absent: dict[str, Json | None]

    @property
    def links(self) -> list[LinkedIssues]:
        """The linked issues of the milestone's pull requests."""
        pull_requests = (item for item in self.items.values() if item["__typename"] == "PullRequest")
        return [parse_links(item, {"id": self.repository}, "") for item in pull_requests]


async def fetch_milestone(installation: Installation, full_name: str, number: int) -> GitHubState | None:
    owner, _, name = full_name.partition("/")
    items: dict[int, Json] = {}
    after: dict[str, str | None] = {"issues": None, "pulls": None}
    while True:
        answer = await installation.graphql(MILESTONE_QUERY, owner=owner, name=name, number=number, **after)
        repository = answer["repository"]
        if repository is None:
            return None
        milestone = repository["milestone"]
        if milestone is None:
            return GitHubState(repository["id"], None, {}, {})
        more = False
        for key, field in (("issues", "issues"), ("pulls", "pullRequests")):
            page = milestone[field]
            items |= {node["number"]: node for node in list_nodes(page)}
            more = more or page["pageInfo"]["hasNextPage"]
            # For a list that has ended, the next query asks for what follows its last item: an empty page.
            after[key] = page["pageInfo"]["endCursor"] or after[key]
        if not more:
            return GitHubState(repository["id"], milestone, items, {})


async def fetch_items(installation: Installation, ids: Sequence[str]) -> dict[str, Json | None]:
    nodes: dict[str, Json | None] = {}
    for start in range(0, len(ids), _NODES_AT_ONCE):
        batch = list(ids[start : start + _NODES_AT_ONCE])
        answer = await installation.graphql(ITEMS_QUERY, ids=batch)
        # An issue that was converted to a discussion is an empty object.
        nodes |= {item: node or None for item, node in zip(batch, answer["nodes"], strict=True)}
    return nodes


def is_node_id(key: str) -> bool:
    """Whether a key is a node id. An item without one has a key such as `Issue:7`, unknown to GitHub."""
    return bool(key) and ":" not in key


def list_nodes(page: Json | None) -> Iterable[Json]:
    return [node for node in (page or {}).get("nodes") or () if node]
