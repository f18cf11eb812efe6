"""What the checks of a repository's pull requests say, worked out from the facts of one moment."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import structlog

from bot.isolation import isolated
from commands.framework.planning import Planning
from commands.messages.completeness import missing_text
from commands.shared.forecasting import outlook
from reports.sprint_impact import CheckCard, impact_card
from sprints.burndown import Burndown, burndown_of
from sprints.facts import Facts
from sprints.forecast import Refusal
from sprints.impact import Impact, ended_sprint_of, impact_of, related_numbers, sprints_of
from sprints.milestone import Sprint
from sprints.model import ActivityEvent, ItemSnapshot
from sprints.outlook import Outlook
from sprints.pull_requests import (
    HEAD,
    RECENT,
    PullRequest,
    Usual,
    UsualSize,
    aside_by,
    by_head,
    last_activity,
    lives_of,
    pull_requests,
    review_of,
    usual_size,
    usual_wait,
)
from storage.projects import Project
from storage.pull_requests import PullRequests

# When the sprint has moved, the checks of so many pull requests follow, the last active ones first.
MOST_FOLLOWING = 30


@dataclass(frozen=True, slots=True)
class ImpactFacts:
    """A running sprint's numbers, as of the moment at which they are looked at."""

    facts: Facts
    outlook: Outlook | Refusal
    burndown: Burndown


@dataclass(frozen=True, slots=True)
class _RepositoryFacts:
    """All that the checks of one repository are made of, beside its sprints' numbers."""

    lives: Mapping[int, list[ActivityEvent]]
    reviews: list[ActivityEvent]
    plans: list[ActivityEvent]
    sprints: list[Sprint]
    items: Mapping[int, ItemSnapshot]
    usual_wait: Usual | None
    usual_size: UsualSize | None


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The check of one pull request, before it is kept. `shown` are the numbers of its sprint."""

    impact: Impact
    card: CheckCard
    shown: ImpactFacts | None


class SprintImpacts:
    """Works out what is to be said, in one transaction."""

    def __init__(self, planning: Planning) -> None:
        self.planning = planning
        self._project = planning.project
        self._pulls = PullRequests(planning.tenant, self._project.id)
        self._numbers = dict[int, ImpactFacts]()
        self._log = structlog.get_logger(__name__)

    async def all(self, only: PullRequest | None) -> list[CheckResult]:
        """What the checks of the open pull requests say; of the last active ones, or of one."""
        now = self.planning.now
        lives = lives_of(await self._pulls.heads(now - RECENT))
        pulls = {number: one for number, one in _latest_states(lives).items() if one.is_open}
        if only is not None:
            pulls[only.number] = only
        speaking = by_head(pulls.values())
        if only is not None:
            chosen = [speaking[only.head]]
        else:
            last_first = sorted(
                speaking.values(),
                key=lambda one: (last_activity(lives[one.number]), one.number),
                reverse=True,
            )
            chosen = last_first[:MOST_FOLLOWING]
        if not chosen:
            return []
        known = await self._known(chosen, lives)
        checks = list[CheckResult]()
        for pull in chosen:
            with isolated(self._log, "check not worked out", project=self._project.id, pull=pull.number):
                checks.append(await self._said(pull, known))
        return checks

    async def impact(self, pull: PullRequest) -> Impact:
        """What one pull request means for its sprint."""
        return (await self._impact(pull, await self._known([pull], {})))[0]

    async def _known(
        self, pulls: Iterable[PullRequest], lives: Mapping[int, list[ActivityEvent]]
    ) -> _RepositoryFacts:
        now = self.planning.now
        reviews = await self._pulls.reviews(now - RECENT)
        return _RepositoryFacts(
            lives=lives,
            reviews=reviews,
            plans=await self._pulls.plans(),
            sprints=list(await self.planning.sprints.all(now)),
            items=await self._pulls.items({number for pull in pulls for number in related_numbers(pull)}),
            usual_wait=usual_wait(lives, reviews, now),
            usual_size=usual_size(lives, now),
        )

    async def _said(self, pull: PullRequest, known: _RepositoryFacts) -> CheckResult:
        impact, numbers = await self._impact(pull, known)
        life = known.lives.get(pull.number) or await self._pulls.history(pull.number)
        impact = replace(
            impact,
            review=review_of(life, known.reviews, self.planning.now),
            usual_wait=known.usual_wait,
            usual_size=known.usual_size,
            is_exempt=is_exempt(self._project, pull),
        )
        shown = numbers if impact.effect else None
        card = impact_card(
            impact,
            self.planning.calendar,
            is_required=is_required(self._project),
            button=await self._pulls.last_button(pull),
            burndown=shown.burndown if shown and not self._project.may_link_images else None,
            doubts=missing_text(await self.planning.gaps(), self.planning.calendar),
        )
        return CheckResult(impact, card, shown)

    async def _impact(self, pull: PullRequest, known: _RepositoryFacts) -> tuple[Impact, ImpactFacts | None]:
        sprint, later = sprints_of(pull, known.items, known.sprints, self.planning.now)
        numbers = await self._numbers_of(sprint) if sprint else None
        impact = impact_of(
            pull,
            numbers.facts if numbers else None,
            numbers.outlook if numbers else None,
            known.items,
            later=later,
            ended=ended_sprint_of(pull, known.items, known.sprints, self.planning.now),
            aside_by=aside_by(known.plans, pull.number, sprint.milestone) if sprint else None,
            done_labels=self._project.rules.estimates.done_labels,
        )
        return impact, numbers

    async def _numbers_of(self, sprint: Sprint) -> ImpactFacts:
        """The same for all pull requests that are looked at together."""
        if sprint.milestone not in self._numbers:
            facts = await self.planning.sprints.facts(sprint.milestone, self.planning.now)
            if facts is None:
                raise LookupError("a sprint that was there a moment ago is not")
            told = await outlook(self.planning, facts)
            self._numbers[sprint.milestone] = ImpactFacts(facts, told, burndown_of(facts))
        return self._numbers[sprint.milestone]


def _latest_states(lives: Mapping[int, list[ActivityEvent]]) -> dict[int, PullRequest]:
    return pull_requests(fact for life in lives.values() for fact in life if fact.kind == HEAD)


def is_exempt(project: Project, pull: PullRequest) -> bool:
    """Whether a pull request is a bot's, and this repository asks nothing of those: as is usual.

    Bots are those by GitHub's type, and the accounts that the team lists as such.
    """
    if not project.settings.checks.exempts_bots:
        return False
    return pull.is_of_bot or (pull.author or "").lower() in project.settings.commands.bots


def is_required(project: Project) -> bool:
    """Whether every pull request must belong to an item of the sprint."""
    return project.settings.checks.requires_sprint_item
