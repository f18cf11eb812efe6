"""`/whatif`: the effect of a decision on the forecast, without changing anything."""

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from statistics import median_low

from charts.reading import quantity
from commands.formatting.wording import code, counted, full_day, named, plain, weekday
from commands.framework.arguments import Argument, ArgumentKind, Arguments, ItemCount
from commands.framework.context import Context
from commands.framework.errors import NamedValueError, Reading, UserError
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.planning import Planning
from commands.framework.registry import command
from commands.messages.charts import sprint_argument
from commands.messages.forecast_sentences import open_sizes
from commands.messages.time_left import time_left_text
from commands.messages.whatif import WhatIfDecision, more_items, whatif_card
from commands.shared.choosing import SPRINT, resolve_facts
from commands.shared.forecasting import read_outlook
from sprints.calendar import latest_due
from sprints.facts import Facts, Item
from sprints.forecast import Refusal
from sprints.numbering import Number, ref, split_number
from sprints.outlook import Outlook
from sprints.time_left import measure_time_left
from sprints.what_if import with_days_off, with_items, with_milestone_due, without_items

_MOST_WHOLE = 999


@command(
    "whatif",
    summary="what taking out, adding, moving the due date or days off would do to the forecast",
    level=Level.READ,
    feature="forecasts",
    arguments=(
        Argument("drop", ArgumentKind.ITEMS, "open items to take out"),
        Argument(
            "add",
            ArgumentKind.BATCH,
            "what comes in: `8` is one item of 8 points, `2x5` are two of 5; "
            "where items are counted, `8` is 8 items",
        ),
        Argument("due", ArgumentKind.DATE, "another due date"),
        Argument("days-off", ArgumentKind.DAYS, "working days to come on which nobody works"),
        SPRINT,
    ),
    examples=(
        "/whatif drop:#1",
        "/whatif add:8",
        "/whatif add:2x5",
        "/whatif due:in 2 weeks",
        "/whatif days-off:3",
    ),
)
async def whatif(context: Context, arguments: Arguments) -> Reply:
    """Show the chance to finish before and after a decision."""
    facts = await resolve_facts(context, arguments.text("sprint"))
    due = arguments.date("due")
    _require_forecastable(facts, due)
    before = await read_outlook(context, facts)
    dated = await _with_milestone_due(context, facts, due) if due else facts
    base = await read_outlook(context, dated) if isinstance(before, Refusal) and due else before
    if isinstance(base, Refusal):
        raise UserError(base.sentence)
    decision = _build_decision(base, dated, arguments, context.project.full_name or "")
    # Without a due date before the change, there is no chance to compare with.
    chance_before = _read_chance(before) if isinstance(before, Outlook) else None
    return Reply(
        (whatif_card(facts, decision, chance_before, _read_chance(base.with_facts(decision.facts))),)
    )


def _require_forecastable(facts: Facts, due: date | None) -> None:
    """Raise UserError for an ended sprint, a sprint without a due date, or an impossible due date."""
    sprint, title = facts.sprint, plain(facts.sprint.title)
    if sprint.has_ended(facts.as_of):
        ended = full_day(sprint.last_day or sprint.first_day)
        line = f"`/sprint report{sprint_argument(sprint.title)}`"
        raise UserError(f"{title} ended on {ended}, so its numbers are final. {line} shows them.")
    if sprint.due is None and due is None:
        raise UserError(
            f"{title} has no due date, so there is no chance to compare. Try one: "
            "`/whatif due:in 2 weeks`, or give the milestone one."
        )
    if due is None:
        return
    today = sprint.calendar.day_of(facts.as_of)
    if due == sprint.due:
        raise UserError(f"{title} is due on {weekday(due)} already.")
    if due < today:
        raise UserError(f"`due:{due.isoformat()}` is in the past. Use today or a later day.")
    if due < sprint.first_day:
        raise UserError(
            f"`due:{due.isoformat()}` is before the start of {title}, {weekday(sprint.first_day)}."
        )
    if due > (last_possible := latest_due(sprint.first_day)):
        raise UserError(f"A sprint can last up to two years. Use a `due:` up to {full_day(last_possible)}.")


async def _with_milestone_due(planning: Planning, facts: Facts, due: date) -> Facts:
    """The facts as if the milestone had another due date."""
    milestone, history = facts.sprint.milestone, planning.history
    events, items = await history.milestone(milestone), await history.items_of(milestone)
    estimates, labels = planning.project.rules.estimates, await history.labels()
    return with_milestone_due(facts, due, events, items, estimates, labels)


def _build_decision(base: Outlook, facts: Facts, arguments: Arguments, repository: str) -> WhatIfDecision:
    """Build the decision from the arguments; `facts` have the new due date already. Raises UserError."""
    decision = WhatIfDecision(facts)
    if dropped := arguments.texts("drop"):
        _drop_items(decision, base, _resolve_open_items(facts, dropped, repository))
    if (batch := arguments.batch("add")) is not None:
        _add_items(decision, base, batch)
    if (due := arguments.date("due")) is not None:
        decision.words.append(f"due on {weekday(due)}")
    if (off := arguments.number("days-off")) is not None:
        _take_days_off(decision, off)
    if not decision.words:
        drop = f"`drop:{ref(facts.open_items[0].number)}`, " if facts.open_items else ""
        raise UserError(f"Add a change to try: {drop}`add:8`, `add:2x5`, `due:in 2 weeks` or `days-off:3`.")
    return decision


def _drop_items(decision: WhatIfDecision, base: Outlook, numbers: Sequence[Number]) -> None:
    facts = decision.facts
    changed = without_items(facts, numbers)
    if changed.remaining == facts.remaining:
        are, it = ("is", "it") if len(numbers) == 1 else ("are", "them")
        covering = named(_list_covering(facts, numbers))
        raise UserError(
            f"{named(numbers)} {are} already covered by {covering}, so taking {it} out would change nothing."
        )
    sizes = open_sizes(base)
    size = sum((sizes.get(number, Decimal(0)) for number in numbers), Decimal(0))
    decision.words.append(f"without {named(numbers)} ({quantity(size, base.unit)})")
    before = {item.item for item in facts.open_items}
    uncovered = [item.number for item in changed.open_items if item.item not in before]
    if uncovered:
        count, them = ("counts on its own", "it") if len(uncovered) == 1 else ("count on their own", "them")
        decision.notes.append(
            f"{named(uncovered)} then {count}, because no other item covers {them} any more."
        )
    decision.facts = changed


def _resolve_open_items(facts: Facts, typed: Sequence[str], repository: str) -> list[Number]:
    """Find the open items that were typed; `repository` is `owner/name`. Raises UserError for others."""
    still_open = {ref(item.number).casefold(): item.number for item in facts.items if item.state == "open"}
    own = f"{repository}#".casefold()
    names = dict.fromkeys(re.sub(f"^{re.escape(own)}", "#", name.casefold()) for name in typed)
    if unknown := [name for name in names if name not in still_open]:
        are, it = ("is", "it") if len(unknown) == 1 else ("are", "them")
        shown = ", ".join(name if name.startswith("#") else code(name) for name in unknown)
        raise UserError(
            f"{shown} {are} not open in {plain(facts.sprint.title)}, so taking {it} out would change nothing."
        )
    return sorted((still_open[name] for name in names), key=split_number)


def _list_covering(facts: Facts, numbers: Sequence[Number]) -> list[Number]:
    """The items that cover those of `numbers`."""
    by_id = {item.item: item.number for item in facts.items}
    covered: list[Item] = [item for item in facts.items if item.number in numbers]
    return sorted(
        {by_id[node] for item in covered for node in item.covered_by if node in by_id}, key=split_number
    )


def _add_items(decision: WhatIfDecision, base: Outlook, batch: ItemCount) -> None:
    if not base.takes_points and (batch.count is None or batch.size is None):
        count = batch.size or batch.count or 0
        if count != int(count) or not 1 <= count <= _MOST_WHOLE:
            raise UserError(
                f"This sprint is counted in items, so `add:` takes whole numbers up to {_MOST_WHOLE}, or "
                "sizes, such as `add:2x5` for two items of 5 points."
            )
        decision.facts = with_items(decision.facts, [None] * int(count))
        decision.words.append(f"with {more_items(int(count))}")
        return
    number, size = batch.count or 1, batch.size
    if size is None:
        size = _find_median_size(decision.facts, number)
        note = ", the median size here"
    else:
        note = ""
    decision.facts = with_items(decision.facts, [size] * number)
    decision.words.append(f"with {more_items(number)} of {quantity(size, 'points')}{note}")


def _find_median_size(facts: Facts, count: int) -> Decimal:
    """The size of items that have none in `add:3 items`. Raises NamedValueError without estimated items."""
    sizes = [item.points for item in facts.items if item.points and not item.is_covered]
    if not sizes:
        raise NamedValueError(
            "This sprint is counted in points, so I need the size of the items that come in.",
            "add",
            (Reading(f"{count}x5"),),
        )
    return median_low(sizes)


def _take_days_off(decision: WhatIfDecision, days_off: int) -> None:
    sprint, as_of = decision.facts.sprint, decision.facts.as_of
    left = len(measure_time_left(sprint, as_of).days)
    if not 1 <= days_off <= left:
        if not left:
            raise UserError("No working days are left in the sprint, so none can be off.")
        days = f"from 1 to {counted(left, 'working day')}" if left > 1 else "1 working day"
        raise UserError(f"The sprint has {time_left_text(sprint, as_of)}, so `days-off:` can be {days}.")
    decision.facts = with_days_off(decision.facts, days_off)
    decision.words.append(f"with {counted(days_off, 'working day')} off")


def _read_chance(sprint_end: Outlook | Refusal) -> float:
    """The chance to finish, from 0 to 1. Raises UserError if there is no forecast."""
    chance = sprint_end.chance() if isinstance(sprint_end, Outlook) else None
    if chance is not None:
        return chance
    # The full forecast gives the reason why there is no chance.
    reason = sprint_end.forecast() if isinstance(sprint_end, Outlook) else sprint_end
    if isinstance(reason, Refusal):
        raise UserError(reason.sentence)
    return reason.chance
