"""The metrics that `/explain` explains, and the overview of them."""

from commands.formatting.wording import plain, table
from commands.messages import explain_flow as flow
from commands.messages import explain_sprint as sprint
from commands.messages.report import amount_text
from sprints.facts import Facts

RULES = {
    "committed": sprint.COMMITTED,
    "added": sprint.ADDED,
    "removed": sprint.REMOVED,
    "dropped": sprint.DROPPED,
    "reestimated": sprint.REESTIMATED,
    "scope": sprint.SCOPE,
    "done": sprint.DONE,
    "remaining": sprint.REMAINING,
    "velocity": flow.VELOCITY,
    "say/do": sprint.SAY_DO,
    "carry-over": sprint.CARRY_OVER,
    "throughput": flow.THROUGHPUT,
    "cycle time": flow.CYCLE_TIME,
    "lead time": flow.LEAD_TIME,
    "wip": flow.WIP,
}


def explain_overview(facts: Facts) -> str:
    """The equations of the sprint's scope, and a table of the metrics that can be explained."""
    lines = "\n".join(f"- {line}" for line in sprint.scope_equations(facts))
    remaining = amount_text(facts.remaining)
    rows = [(f"`/explain {name}`", rule.meaning) for name, rule in RULES.items()]
    return (
        f"### How the scope of {plain(facts.sprint.title)} came about\n\n{lines}\n\n"
        f"Of it {amount_text(facts.done)} done, {remaining} remaining.\n\n"
        + table(("Ask", "What it is"), rows, numbers_from=2)
    )
