"""The metrics that `/explain` explains, and the overview of them."""

from commands.formatting.wording import plain, table
from commands.messages import explain_flow, explain_sprint
from commands.messages.report import amount_text
from sprints.facts import Facts

RULES = {
    "committed": explain_sprint.COMMITTED,
    "added": explain_sprint.ADDED,
    "removed": explain_sprint.REMOVED,
    "dropped": explain_sprint.DROPPED,
    "reestimated": explain_sprint.REESTIMATED,
    "scope": explain_sprint.SCOPE,
    "done": explain_sprint.DONE,
    "remaining": explain_sprint.REMAINING,
    "velocity": explain_flow.VELOCITY,
    "say/do": explain_sprint.SAY_DO,
    "carry-over": explain_sprint.CARRY_OVER,
    "throughput": explain_flow.THROUGHPUT,
    "cycle time": explain_flow.CYCLE_TIME,
    "lead time": explain_flow.LEAD_TIME,
    "wip": explain_flow.WIP,
}


def explain_overview(facts: Facts) -> str:
    """The equations of the sprint's scope, and a table of the metrics that can be explained."""
    lines = "\n".join(f"- {line}" for line in explain_sprint.scope_equations(facts))
    remaining = amount_text(facts.remaining)
    rows = [(f"`/explain {name}`", rule.meaning) for name, rule in RULES.items()]
    return (
        f"### How the scope of {plain(facts.sprint.title)} came about\n\n{lines}\n\n"
        f"**{amount_text(facts.done)} done, {remaining} remaining.**\n\n"
        + table(("Ask", "What it is"), rows, numbers_from=2)
    )
