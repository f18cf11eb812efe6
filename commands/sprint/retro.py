"""`/sprint retro`: evidence for a retrospective, on which people can vote, and the actions it decides on."""

from collections.abc import Sequence
from dataclasses import replace

from commands.formatting.wording import person, plain
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.changes import Changes, OpenIssue
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.retro import Retro, retro_text
from commands.messages.retro_actions import (
    action_body,
    actions_preview,
    already_text,
    new_actions_text,
    summarize_actions,
)
from commands.shared.choosing import SPRINT, resolve_sprint
from commands.shared.reporting import read_facts, read_report
from commands.shared.retro_actions import read_retro_actions
from commands.shared.work import read_past
from sprints.milestone import Sprint
from sprints.retro import collect_evidence
from sprints.retro_actions import RETRO_LABEL, ActionState, select_earlier_actions, select_own_actions

_MOST_ACTIONS = 10
_LONGEST_TITLE = 256  # GitHub's own limit.
_EXAMPLE = '`/sprint retro action:"Split stories above 8 points" owner:@login`'


@command(
    "sprint retro",
    summary=(
        "evidence for the retrospective: earlier actions, and what took long, was blocked, re-opened, late "
        "or carried again; with `action`, an issue that the next one checks"
    ),
    level=Level.WRITE,
    arguments=(
        SPRINT,
        Argument("action", ArgumentKind.TEXTS, "actions to open as issues, outside of any sprint"),
        Argument("owner", ArgumentKind.PERSON, "who takes care of them; GitHub notifies the person"),
    ),
    examples=(
        "/sprint retro",
        '/sprint retro "Sprint 24"',
        '/sprint retro action:"Split stories above 8 points"',
    ),
    synonyms=("sprint retrospective", "retro", "retrospective"),
    is_changing=True,
)
async def sprint_retro(context: Context, arguments: Arguments) -> Reply | Changes:
    """List the unusual facts by topic, with reactions to vote by, or open actions as issues."""
    titles, owner = parse_titles(arguments.texts("action")), arguments.text("owner")
    if owner and not titles:
        raise UserError(f"`owner` goes with an action: {_EXAMPLE}.")
    sprint = await resolve_sprint(context, arguments.text("sprint"))
    if titles:
        return await _open_actions(context, sprint, titles, owner)
    return Reply((retro_text(await _read_retro(context, sprint)),))


def parse_titles(texts: Sequence[str]) -> list[str]:
    """Parse the titles of actions, each once. Raises UserError for unusable ones."""
    titles = list({title.casefold(): title for text in texts if (title := " ".join(text.split()))}.values())
    if texts and not titles:
        raise UserError(f"The action is empty. Say what you decided: {_EXAMPLE}.")
    if len(titles) > _MOST_ACTIONS:
        raise UserError(f"You named {len(titles)} actions. You can name up to {_MOST_ACTIONS} at once.")
    if long := [title for title in titles if len(title) > _LONGEST_TITLE]:
        raise UserError(
            f"“{plain(long[0][:40])}…” is too long. A title can have up to {_LONGEST_TITLE} characters."
        )
    return titles


async def _read_retro(context: Context, sprint: Sprint) -> Retro:
    report = await read_report(context, sprint)
    until = min(sprint.end, context.now) if sprint.end else context.now
    facts = await read_facts(context, sprint, until)
    members = {item.item for item in facts.items}
    flows = await context.flows.of_items(members, until)
    late = await context.flows.of_numbers(report.report.late.numbers, context.now)
    done_at = {flow.number: flow.done_at for flow in late if flow.done_at}
    evidence = collect_evidence(facts, report.report, flows, report.crossed, done_at)
    past = await read_past(replace(context, now=until))
    actions, sprints = await read_retro_actions(context, sprint), await context.sprints.all(context.now)
    return Retro(
        report,
        evidence,
        past.level,
        select_own_actions(actions, sprint),
        select_earlier_actions(actions, sprints, sprint),
    )


async def _open_actions(
    context: Context, sprint: Sprint, titles: Sequence[str], owner: str | None
) -> Changes:
    """Open actions as issues of this repository, except for those that are open already."""
    if owner and await context.github.find_level(owner) is Level.NONE:
        raise UserError(
            f"{person(owner)} is not a collaborator here, so GitHub cannot assign an issue to them. Name "
            "somebody else, or leave `owner` out."
        )
    own = select_own_actions(await read_retro_actions(context, sprint), sprint)
    topic = ", ".join(sorted(titles))
    existing = {action.title.casefold(): action for action in own if action.state is ActionState.OPEN}
    new = [title for title in titles if title.casefold() not in existing]
    if not new:
        same = [existing[title.casefold()] for title in titles]
        return Changes("open no action", (), already_text(same, sprint), topic=topic)
    steps = tuple(
        OpenIssue(
            title,
            action_body(sprint, context.request.thread),
            labels=(RETRO_LABEL,),
            assignees=(owner,) if owner else (),
            retro=sprint.milestone,
        )
        for title in new
    )
    return Changes(
        summarize_actions(len(new), sprint),
        steps,
        new_actions_text(new, owner, sprint, own),
        preview=actions_preview(new, owner),
        topic=topic,
    )
