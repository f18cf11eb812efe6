"""How much work may be in progress at once, whose it is, and where there is more.

A limit on work in progress is what makes a team finish before it starts: the Kanban Guide asks for one
(https://kanbanguides.org). How high it is, is for the team to find out.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sprints.flow import Flow
from sprints.numbering import split_number
from sprints.people import is_person

SETTING = "wip"
MOST_LIMIT = 999
# Fewer people than this are no team whose figures can be told without telling one person's.
FEWEST_PEOPLE = 3


@dataclass(frozen=True, slots=True)
class Team:
    """A team that shares a repository with others: its items have one of `labels`, or else are assigned to
    one of `people`. Both are in lower case.
    """

    slug: str
    labels: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Wip:
    """The items in progress that count against a limit, the oldest start first.

    `most` is None without a limit, `team` where it is that of the whole repository.
    """

    items: tuple[Flow, ...]
    most: int | None = None
    team: str | None = None

    @property
    def count(self) -> int:
        return len(self.items)

    @property
    def excess(self) -> int:
        """By how many items the limit is broken; 0 if it is kept or there is none."""
        return max(0, self.count - self.most) if self.most is not None else 0


def teams_of(settings: Mapping[str, object]) -> tuple[Team, ...]:
    """The teams that the settings name, by slug. What cannot be understood is passed over."""
    told = _mapping(settings.get("teams"))
    every = ((str(slug).lower(), _mapping(one)) for slug, one in told.items())
    found = (Team(slug, _lower(one.get("labels")), _lower(one.get("people"))) for slug, one in every)
    return tuple(sorted(found, key=lambda team: team.slug))


def items_of(team: Team, teams: Collection[Team], flows: Iterable[Flow]) -> list[Flow]:
    """The items that are a team's. A label of any team decides before the people who are assigned."""
    return [flow for flow in flows if team in _teams_having(flow, teams)]


def people_of(flows: Iterable[Flow], team: Team | None = None) -> set[str]:
    """Who works here, in lower case: whose the items are, and whom the team names. Apps are nobody."""
    found = set(team.people) if team else set()
    return found.union(*(owners_of(flow) for flow in flows))


def owners_of(flow: Flow) -> set[str]:
    """Whose an item is, in lower case: its assignees' or, without any, its pull request's author's."""
    people = flow.assignees or ((flow.author,) if flow.is_pull_request and flow.author else ())
    return {login.lower() for login in people if is_person(login)}


def limit_of(settings: Mapping[str, object], team: str | None = None) -> int | None:
    """The limit of the repository, or of one of its teams: `{"limit": 5, "teams": {"checkout": 3}}`."""
    told = _mapping(settings.get(SETTING))
    if team is None:
        return _limit(told.get("limit"))
    return next((_limit(most) for slug, most in _mapping(told.get("teams")).items() if slug == team), None)


def wip_of(flows: Iterable[Flow], most: int | None = None, team: str | None = None) -> Wip:
    """The work in progress among these items, against a limit."""
    found = [flow for flow in flows if flow.is_in_progress]
    return Wip(tuple(sorted(found, key=_oldest_first)), most, team)


def limited(flows: Collection[Flow], settings: Mapping[str, object]) -> list[Wip]:
    """The work in progress against each limit that there is, the repository's first."""
    teams = teams_of(settings)
    every = [wip_of(flows, limit_of(settings))]
    every += [
        wip_of(items_of(team, teams, flows), limit_of(settings, team.slug), team.slug) for team in teams
    ]
    return [wip for wip in every if wip.most is not None]


def breaches(flows: Collection[Flow], settings: Mapping[str, object]) -> list[Wip]:
    """The limits that are broken."""
    return [wip for wip in limited(flows, settings) if wip.excess]


def _teams_having(flow: Flow, teams: Collection[Team]) -> list[Team]:
    labels = {label.lower() for label in flow.labels}
    labelled = [team for team in teams if not labels.isdisjoint(team.labels)]
    owners = owners_of(flow)
    return labelled or [team for team in teams if not owners.isdisjoint(team.people)]


def _oldest_first(flow: Flow) -> tuple[datetime, tuple[str, int]]:
    return flow.started_at or flow.created_at, split_number(flow.number)


def _limit(told: object) -> int | None:
    if isinstance(told, bool) or not isinstance(told, int):
        return None
    return told if 0 < told <= MOST_LIMIT else None


def _mapping(told: object) -> Mapping[str, object]:
    return told if isinstance(told, Mapping) else {}


def _lower(told: object) -> frozenset[str]:
    every = told if isinstance(told, list) else []
    return frozenset(one.lower() for one in every if isinstance(one, str))
