"""Work in progress: the teams it belongs to, and the limits on it.

A limit makes a team finish work before it starts more; therefore the Kanban Guide asks for one
(https://kanbanguides.org). Each team chooses its own limit.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sprints.flow import Flow
from sprints.numbering import split_number
from sprints.people import is_person

MOST_LIMIT = 999
# Figures of fewer people than this would reveal the figures of one person.
FEWEST_PEOPLE = 3


@dataclass(frozen=True, slots=True)
class Team:
    """One of several teams that share a repository.

    Its items have one of `labels`, or else are assigned to one of `people`; both are in lower case.
    """

    slug: str
    labels: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class WipLimits:
    """The limits on the number of items in progress; None where there is no limit.

    `by_team` has the limits of teams by slug.
    """

    repository: int | None = None
    by_team: Mapping[str, int] = field(default_factory=dict)

    def limit_of(self, team: str | None) -> int | None:
        """The limit of the team with this slug, or with None that of the whole repository."""
        return self.repository if team is None else self.by_team.get(team)


@dataclass(frozen=True, slots=True)
class Wip:
    """The items in progress that count against one limit, the oldest start first.

    `most` is the limit, None without one. `team` is the slug of the team, None for the whole repository.
    """

    items: tuple[Flow, ...]
    most: int | None = None
    team: str | None = None

    @property
    def count(self) -> int:
        return len(self.items)

    @property
    def excess(self) -> int:
        """The number of items above the limit; 0 within the limit or without one."""
        return max(0, self.count - self.most) if self.most is not None else 0


def select_team_flows(team: Team, teams: Collection[Team], flows: Iterable[Flow]) -> list[Flow]:
    """The items of a team. The labels of any team take precedence over assigned people."""
    return [flow for flow in flows if team in _list_teams(flow, teams)]


def list_people_at_work(flows: Iterable[Flow], team: Team | None = None) -> set[str]:
    """The logins, in lower case, of the owners of these items and of the people listed for the team.

    Apps are left out.
    """
    listed = set(team.people) if team else set[str]()
    return listed.union(*(list_owners(flow) for flow in flows))


def list_owners(flow: Flow) -> set[str]:
    """The logins of an item's owners in lower case, without those of Apps."""
    return {login.lower() for login in list_accounts(flow) if is_person(login)}


def list_accounts(flow: Flow) -> tuple[str, ...]:
    """The logins of who owns an item, Apps included: its assignees, else the author of a pull request."""
    return flow.assignees or ((flow.author,) if flow.is_pull_request and flow.author else ())


def count_wip(flows: Iterable[Flow], most: int | None = None, team: str | None = None) -> Wip:
    """The work in progress among these items, against the limit `most`."""
    in_progress = [flow for flow in flows if flow.is_in_progress]
    return Wip(tuple(sorted(in_progress, key=_oldest_first)), most, team)


def limited_wips(flows: Collection[Flow], teams: Collection[Team], limits: WipLimits) -> list[Wip]:
    """The work in progress against each limit that is set, the repository's first."""
    wips = [count_wip(flows, limits.repository)]
    wips += [
        count_wip(select_team_flows(team, teams, flows), limits.limit_of(team.slug), team.slug)
        for team in teams
    ]
    return [wip for wip in wips if wip.most is not None]


def _list_teams(flow: Flow, teams: Collection[Team]) -> list[Team]:
    labels = {label.lower() for label in flow.labels}
    labelled = [team for team in teams if not labels.isdisjoint(team.labels)]
    owners = list_owners(flow)
    return labelled or [team for team in teams if not owners.isdisjoint(team.people)]


def _oldest_first(flow: Flow) -> tuple[datetime, tuple[str, int]]:
    return flow.started_at or flow.created_at, split_number(flow.number)
