"""What a team did in some weeks, as sums that are never those of one or two people.

GitHub shows everybody's work, but figures by person invite to compare people. So there are sums only where
at least three people had a part in them, and where what is left for the others is that of three as well.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sprints.people import is_person
from sprints.team import TeamDay, Work

LEAST_PEOPLE = 3


@dataclass(frozen=True, slots=True)
class TeamSum:
    """The work of a team in some days; `people` is how many had a part in it, bots not among them."""

    people: int
    work: Work


def people_of(days: Iterable[TeamDay]) -> frozenset[str]:
    """The logins, in lower case, of all people who did something; bots are none."""
    logins = {one.login.lower() for day in days for one in day.people if one.work != Work()}
    return frozenset(filter(is_person, logins))


def team_sum(days: Iterable[TeamDay], members: Collection[str] | None = None) -> TeamSum | None:
    """The sum over the people in `members` (lower case), or over everything without them.

    None if fewer than three people did it, or if it would tell what one or two others did. What bots and
    nobody in particular did belongs to no team, and to the sum over everything.
    """
    days = list(days)
    everybody = people_of(days)
    team = everybody if members is None else everybody & frozenset(members)
    others = everybody - team
    if len(team) < LEAST_PEOPLE or 0 < len(others) < LEAST_PEOPLE:
        return None
    work = [one.work for day in days for one in day.people if members is None or one.login.lower() in team]
    return TeamSum(len(team), sum(work, Work()))
