"""`/whatif`: what a decision would do to the forecast. Nothing is changed."""

from datetime import date
from decimal import Decimal

from charts.reading import quantity
from commands.arguments import Argument, Arguments, Kind
from commands.cards.forecast import delta_words
from commands.choosing import facts_meant
from commands.context import Context
from commands.errors import UserError
from commands.forecasting import open_sizes, outlook
from commands.outcome import Reply
from commands.permissions import Level
from commands.registry import command
from commands.wording import counted, footer, full_day, named, plain, weekday
from sprints.calendar import latest_due
from sprints.facts import Facts
from sprints.forecast import Forecast, Refusal
from sprints.outlook import Outlook
from sprints.what_if import due_on, with_days_off, with_items, without_items


@command(
    "whatif",
    summary="what taking out, adding, moving the due date or days off would do to the forecast",
    level=Level.READ,
    feature="forecasts",
    arguments=(
        Argument("drop", Kind.ITEMS, "open items to take out"),
        Argument("add", Kind.POINTS, "points (or items) to put in"),
        Argument("due", Kind.DATE, "another due date"),
        Argument("days-off", Kind.DAYS, "working days on which nobody works"),
        Argument("milestone", Kind.TEXT, "of another sprint than the one that is running"),
    ),
    examples=("/whatif drop:#1", "/whatif add:8", "/whatif due:2026-12-18", "/whatif days-off:3"),
)
async def whatif(context: Context, arguments: Arguments) -> Reply:
    """The chance before and after, in one line."""
    facts = await facts_meant(context, arguments.text("milestone"))
    told = await outlook(context, facts)
    if isinstance(told, Refusal):
        raise UserError(told.sentence)
    changed, said = _change(told, arguments)
    later = told.of(changed)
    before, after = told.forecast(), later.forecast() if isinstance(later, Outlook) else later
    if isinstance(before, Refusal):
        raise UserError(before.sentence)
    if isinstance(after, Refusal):
        raise UserError(after.sentence)
    return Reply((_card(told, said, before, after),))


def _change(told: Outlook, arguments: Arguments) -> tuple[Facts, list[str]]:
    """What would be decided, and in words. Raises UserError where it cannot be."""
    facts, said = told.facts, list[str]()
    if numbers := arguments.numbers("drop"):
        sizes = open_sizes(told)
        if unknown := [number for number in numbers if number not in sizes]:
            raise UserError(
                f"{named(unknown)} {'is' if len(unknown) == 1 else 'are'} not open in "
                f"{plain(told.facts.sprint.title)}, so taking it out would change nothing."
            )
        drop = sum((sizes[number] for number in set(numbers)), Decimal(0))
        facts = without_items(facts, numbers)
        said.append(f"without {named(sorted(set(numbers)))} ({quantity(drop, told.unit)})")
    if (more := arguments.points("add")) is not None:
        facts = with_items(facts, [more] if told.unit == "points" else [None] * int(more))
        said.append(f"with {quantity(more, told.unit)} more")
    if (due := arguments.date("due")) is not None:
        _check_due(told, due)
        facts = due_on(facts, due)
        said.append(f"due on {weekday(due)}")
    if (off := arguments.number("days-off")) is not None:
        facts = with_days_off(facts, off)
        said.append(f"with {counted(off, 'day')} off")
    if not said:
        raise UserError("Say what might change: `drop:#12`, `add:8`, `due:2026-12-18` or `days-off:3`.")
    return facts, said


def _check_due(told: Outlook, due: date) -> None:
    """Raises UserError for a due date that the sprint cannot have."""
    sprint = told.facts.sprint
    if sprint.due is None or not told.days:
        raise UserError("No working day is left; after that a new due date says more than a forecast.")
    if due < told.days[0]:
        raise UserError(f"`due:{due.isoformat()}` lies before the next working day of the sprint.")
    if due > (last_possible := latest_due(sprint.first_day)):
        raise UserError(f"A sprint can last up to two years. Use a `due:` up to {full_day(last_possible)}.")


def _card(told: Outlook, said: list[str], before: Forecast, after: Forecast) -> str:
    due = told.facts.sprint.due
    by = f" by {weekday(due)}" if due and not any(one.startswith("due") for one in said) else ""
    text = f"**{plain(told.facts.sprint.title)}**, {' and '.join(said)}: all is done{by} "
    text += f"{delta_words(before.chance, after.chance)}."
    return f"{text}\n\n{footer('Nothing has been changed')}"
