"""Computes the checks of a repository's pull requests from the facts of one moment."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import structlog

from bot.isolation import isolated
from commands.framework.planning import Planning
from commands.messages.completeness import missing_text
from commands.shared.forecasting import read_outlook
from reports.sprint_impact import CheckCard, impact_card
from sprints.burndown import Burndown, build_burndown
from sprints.facts import Facts
from sprints.forecast import Refusal
from sprints.impact import Impact, assess_impact, choose_sprints, find_ended_sprint, list_related_numbers
from sprints.milestone import Sprint
from sprints.model import ActivityEvent, ItemSnapshot
from sprints.outlook import Outlook
from sprints.pull_requests import (
    HEAD,
    RECENT,
    PullRequest,
    UsualSize,
    UsualWait,
    build_pull_requests,
    find_first_review,
    find_last_activity,
    find_who_set_aside,
    group_head_events,
    index_by_head,
    measure_usual_size,
    measure_usual_wait,
)
from storage.projects import Project
from storage.pull_requests import PullRequests

# After a change of the sprint at most this many checks are updated, the last active pull requests first.
MOST_FOLLOWING = 30


@dataclass(frozen=True, slots=True)
class ImpactFacts:
    """A running sprint's numbers as of one moment."""

    facts: Facts
    outlook: Outlook | Refusal
    burndown: Burndown


@dataclass(frozen=True, slots=True)
class _RepositoryFacts:
    """The inputs for the checks of one repository, besides its sprints' numbers."""

    head_facts: Mapping[int, list[ActivityEvent]]
    reviews: list[ActivityEvent]
    plans: list[ActivityEvent]
    sprints: list[Sprint]
    items: Mapping[int, ItemSnapshot]
    usual_wait: UsualWait | None
    usual_size: UsualSize | None


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The check of one pull request. `shown` holds the numbers of its sprint, if the check shows them."""

    impact: Impact
    card: CheckCard
    shown: ImpactFacts | None


class SprintImpacts:
    """Computes checks within one transaction."""

    def __init__(self, planning: Planning) -> None:
        self.planning = planning
        self._project = planning.project
        self._pulls = PullRequests(planning.tenant, self._project.id)
        self._numbers = dict[int, ImpactFacts]()
        self._log = structlog.get_logger(__name__)

    async def check_results(self, only: PullRequest | None) -> list[CheckResult]:
        """Compute the checks of the last active open pull requests, or of only one."""
        now = self.planning.now
        head_facts = group_head_events(await self._pulls.heads(now - RECENT))
        pulls = {number: pull for number, pull in _latest_states(head_facts).items() if pull.is_open}
        if only is not None:
            pulls[only.number] = only
        checked = index_by_head(pulls.values())
        if only is not None:
            chosen = [checked[only.head]]
        else:
            last_first = sorted(
                checked.values(),
                key=lambda pull: (find_last_activity(head_facts[pull.number]), pull.number),
                reverse=True,
            )
            chosen = last_first[:MOST_FOLLOWING]
        if not chosen:
            return []
        repository_facts = await self._load(chosen, head_facts)
        checks = list[CheckResult]()
        for pull in chosen:
            with isolated(self._log, "check not computed", project=self._project.id, pull=pull.number):
                checks.append(await self._check(pull, repository_facts))
        return checks

    async def impact(self, pull: PullRequest) -> Impact:
        """Compute what one pull request means for its sprint."""
        return (await self._impact(pull, await self._load([pull], {})))[0]

    async def _load(
        self, pulls: Iterable[PullRequest], head_facts: Mapping[int, list[ActivityEvent]]
    ) -> _RepositoryFacts:
        now = self.planning.now
        reviews = await self._pulls.reviews(now - RECENT)
        return _RepositoryFacts(
            head_facts=head_facts,
            reviews=reviews,
            plans=await self._pulls.plans(),
            sprints=list(await self.planning.sprints.all(now)),
            items=await self._pulls.items(
                {number for pull in pulls for number in list_related_numbers(pull)}
            ),
            usual_wait=measure_usual_wait(head_facts, reviews, now),
            usual_size=measure_usual_size(head_facts, now),
        )

    async def _check(self, pull: PullRequest, repository_facts: _RepositoryFacts) -> CheckResult:
        impact, numbers = await self._impact(pull, repository_facts)
        heads = repository_facts.head_facts.get(pull.number) or await self._pulls.history(pull.number)
        impact = replace(
            impact,
            review=find_first_review(heads, repository_facts.reviews, self.planning.now),
            usual_wait=repository_facts.usual_wait,
            usual_size=repository_facts.usual_size,
            is_exempt=is_exempt(self._project, pull),
        )
        shown = numbers if impact.effect else None
        card = impact_card(
            impact,
            self.planning.calendar,
            is_required=is_required(self._project),
            button=await self._pulls.last_button(pull),
            burndown=shown.burndown if shown and not self._project.may_link_images else None,
            doubts=missing_text(await self.planning.read_gaps(), self.planning.calendar),
        )
        return CheckResult(impact, card, shown)

    async def _impact(
        self, pull: PullRequest, repository_facts: _RepositoryFacts
    ) -> tuple[Impact, ImpactFacts | None]:
        sprint, later = choose_sprints(
            pull, repository_facts.items, repository_facts.sprints, self.planning.now
        )
        numbers = await self._numbers_of(sprint) if sprint else None
        impact = assess_impact(
            pull,
            numbers.facts if numbers else None,
            numbers.outlook if numbers else None,
            repository_facts.items,
            later=later,
            ended=find_ended_sprint(
                pull, repository_facts.items, repository_facts.sprints, self.planning.now
            ),
            aside_by=find_who_set_aside(repository_facts.plans, pull.number, sprint.milestone)
            if sprint
            else None,
            done_labels=self._project.rules.estimates.done_labels,
        )
        return impact, numbers

    async def _numbers_of(self, sprint: Sprint) -> ImpactFacts:
        """The sprint's numbers, computed once for all pull requests of this transaction."""
        if sprint.milestone not in self._numbers:
            facts = await self.planning.sprints.facts(sprint.milestone, self.planning.now)
            if facts is None:
                raise LookupError("a sprint that was there a moment ago is not")
            sprint_outlook = await read_outlook(self.planning, facts)
            self._numbers[sprint.milestone] = ImpactFacts(facts, sprint_outlook, build_burndown(facts))
        return self._numbers[sprint.milestone]


def _latest_states(head_facts: Mapping[int, list[ActivityEvent]]) -> dict[int, PullRequest]:
    return build_pull_requests(fact for facts in head_facts.values() for fact in facts if fact.kind == HEAD)


def is_exempt(project: Project, pull: PullRequest) -> bool:
    """Whether a pull request is a bot's, and the settings exempt bots (the default).

    Bots are accounts with GitHub's type `Bot`, and those that the team lists as such.
    """
    if not project.settings.checks.exempts_bots:
        return False
    return pull.is_of_bot or (pull.author or "").lower() in project.settings.commands.bots


def is_required(project: Project) -> bool:
    """Whether every pull request of the repository must belong to an item of the sprint."""
    return project.settings.checks.requires_sprint_item
