"""The buttons of the check “Sprint impact”: their changes, who may press them, and their labels."""

from collections.abc import Mapping

from bot.publishing.change_applier import ChangeTask
from commands.formatting.wording import named, plain
from commands.framework.changes import Changes, ExcludeFromSprint, LinkIssue, MoveItem, Step
from commands.framework.outcome import Answer
from commands.framework.permissions import Level, Policy
from commands.framework.request import Request, ThreadKind
from handlers.check_run import ButtonPress
from reports.sprint_impact import ADD, ASIDE, LINK
from sprints.impact import Impact, PullRequestStatus
from sprints.milestone import Sprint
from sprints.pull_requests import PullRequest

_BELONGING = {PullRequestStatus.SPRINT, PullRequestStatus.LATER}
_LABELS = {ADD: "Add to sprint", LINK: "Link #{}", ASIDE: "Not this sprint"}
# A button needs the permission of the command that does the same. No command links, so a link needs that of
# `sprint add`.
_COMMANDS = {ADD: "sprint add", LINK: "sprint add", ASIDE: "sprint remove"}


def button_changes(button: str, impact: Impact, sprints: Mapping[int, Sprint]) -> Changes | None:
    """Build the changes of a button as of now; None if there is nothing left to change.

    `sprints` are those of the repository, by their milestones' numbers in it.
    """
    kind, _, argument = button.partition(":")
    target = int(argument) if argument.isascii() and argument.isdecimal() else 0
    if kind == LINK:
        return _link_changes(impact, target)
    sprint = sprints.get(target)
    if sprint is None or sprint.is_deleted or sprint.closed_at is not None:
        return None
    if kind == ADD:
        return _add_changes(impact, sprint, sprints)
    return _exclude_changes(impact, sprint) if kind == ASIDE else None


def _link_changes(impact: Impact, issue: int) -> Changes | None:
    pull = impact.pull
    if not issue or issue in pull.issues or not pull.is_to_default_branch:
        return None
    done = f"The description now says “Closes #{issue}”."
    return Changes(f"link #{pull.number} to #{issue}", (LinkIssue(pull.number, issue),), done)


def _add_changes(impact: Impact, sprint: Sprint, sprints: Mapping[int, Sprint]) -> Changes | None:
    pull = impact.pull
    if impact.sprint is None or impact.sprint.milestone != sprint.milestone or impact.status in _BELONGING:
        return None
    steps = list[Step]()
    for number in impact.to_add:
        milestone = pull.milestone if number == pull.number else impact.milestones.get(number)
        before = next((n for n, other in sprints.items() if milestone in other.milestones), None)
        steps.append(MoveItem(number, before, sprint.number_in()))
    if impact.aside_by:
        steps.append(ExcludeFromSprint(pull.number, sprint.milestone, is_aside=False))
    numbers = named(impact.to_add)
    done = f"{numbers} {'is' if len(impact.to_add) == 1 else 'are'} now in {plain(sprint.title)}."
    return Changes(f"add {numbers} to {plain(sprint.title)}", tuple(steps), done)


def _exclude_changes(impact: Impact, sprint: Sprint) -> Changes | None:
    pull = impact.pull
    steps: tuple[Step, ...] = (ExcludeFromSprint(pull.number, sprint.milestone),)
    if impact.aside_by and pull.milestone not in sprint.milestones:
        return None
    if pull.milestone in sprint.milestones:
        steps = (MoveItem(pull.number, sprint.number_in(), None), *steps)
    done = f"#{pull.number} is not part of {plain(sprint.title)}."
    return Changes(f"mark #{pull.number} as not part of {plain(sprint.title)}", steps, done)


async def find_refusal(task: ChangeTask, pull: PullRequest, press: ButtonPress) -> str:
    """Explain why a person may not press a button; empty if they may. Fails closed."""
    policy, repository = Policy(task.project.settings, task.project.other_bots), task.repository
    need = policy.find_requirement(_COMMANDS.get(press.button.partition(":")[0], ""), Level.TRIAGE)
    repository.forget_level(press.sender)
    level = await repository.find_level(press.sender)
    if level is not Level.NONE:
        level = max(level, policy.find_granted_level(press.sender))
    if need.admits(press.sender, level, pull.author):
        return ""
    for team in sorted(need.teams):
        if await repository.is_in_team(press.sender, team):
            return ""
    their_role = "no role here" if level is Level.NONE else f"the {level.name.lower()} role"
    return (
        f"This button needs the {need.level.name.lower()} role, and they have {their_role}. Nothing was "
        "changed."
    )


def button_label(press: ButtonPress) -> str:
    """The button's label, by its identifier."""
    kind, _, argument = press.button.partition(":")
    return _LABELS.get(kind, "an unknown button").format(argument)


def to_request(pull: PullRequest, press: ButtonPress, delivery: str) -> Request:
    """Convert a press to a request in the pull request's thread."""
    return Request(
        delivery=delivery,
        thread=pull.number,
        comment_id=pull.number,
        sender=press.sender,
        milestone=None,
        lines=(),
        place=ThreadKind.BODY,
        author=pull.author,
        is_bot=press.is_bot,
        is_pull_request=True,
    )


def read_outcome(answer: Answer) -> tuple[str, bool]:
    """The answer's text in Markdown, and whether the changes were carried out."""
    parts = answer.reply.parts if answer.reply else ()
    return " ".join(part for part in parts if isinstance(part, str)), answer.is_success
