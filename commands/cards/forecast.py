"""The words of forecasts. Pure functions from values to Markdown."""

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

from charts.locales import localized
from charts.reading import number, quantity, whole
from commands.cards.progress import percent
from commands.forecasting import band_sentence, chance_sentence, swap_sentence
from commands.wording import counted, folded, footer, full_day, moment, plain, table, weekday
from sprints.burndown import measure
from sprints.facts import Facts
from sprints.forecast import Forecast, Refusal
from sprints.forecast_dates import Amounts, Dates
from sprints.forecast_grades import BINS, TENTHS, Bin, brier, calibration, coverage, dates_met
from sprints.forecast_words import in_words, tenth_in_words
from sprints.outlook import Outlook, units_of
from storage.forecasts import Graded

_NEVER = "in more than two years"
_LEVELS = (50, 85, 95)
_CHANCE_METHOD = (
    "The chance: a past sprint speaks for finishing if it did more after the same part of its days than is "
    "open now, and against it if it did less and left work undone. How the last sprints ended and how often "
    "real teams finish count a little."
)
_AMOUNT_METHOD = (
    "The amounts: what past sprints still did, and the same share of what is open now. None exceeds what the "
    "team has done in that time before, with some room where few sprints are known."
)
_BIN_NAMES = {
    (0, 3): "up to 3 in 10",
    (4, 6): "4 to 6 in 10",
    (7, 9): "7 to 9 in 10",
    (10, 10): "more than 9 in 10",
}


def before_chart(
    facts: Facts, told: Outlook | None, found: Forecast | None, dates: Dates | Refusal, load: str = ""
) -> str:
    """Will this sprint be finished. Without an outlook (no due date): when it may be.

    `load` compares what it holds with what the last sprints delivered, where that is more than usual.
    """
    parts = [f"### Forecast · {plain(facts.sprint.title)}"]
    if told and found:
        parts.append(f"{chance_sentence(told, found)} {swap_sentence(told, found)}".strip())
        parts.append(band_sentence(told, found))
        parts.append(_growth_sentence(found))
    parts.append(load)
    if isinstance(dates, Refusal):
        parts.append(dates.sentence if facts.remaining.count else "")
    elif found is None:
        parts.append(_all_done(facts, dates))
    return "\n\n".join(part for part in parts if part)


def after_chart(facts: Facts, told: Outlook | None, found: Forecast | None, dates: Dates | Refusal) -> str:
    """What stands behind it."""
    parts = []
    if told and found:
        if isinstance(dates, Dates):
            parts.append(folded("When all that is open may be done", _all_done(facts, dates)))
        parts.append(folded("How this was computed", _how(told, found)))
    at = moment(facts.sprint.calendar.local(facts.as_of))
    parts.append(footer(f"As of {at}", "the same question gives the same answer until something changes"))
    return "\n\n".join(parts)


def dates_card(dates: Dates, items: int, facts: Facts) -> str:
    """By which day so many items are done, those of the sprint `facts` first."""
    lead = _done_by(dates, f"**{counted(items, 'item')}**", is_one=items == 1)
    return _with_basis(lead, _dates_table(dates), dates.basis_sentence, _which_items(facts))


def amounts_card(amounts: Amounts, by: date, facts: Facts) -> str:
    """How many items are done by a day, those of the sprint `facts` first."""
    levels = zip(_LEVELS, (amounts.p50, amounts.p85, amounts.p95), strict=True)
    rows = [[f"{percent} %", f"{whole(count)} or more"] for percent, count in levels if count]
    amounts_table = table(("Chance", "Items"), rows) if rows else ""
    lead = _amount_sentence(amounts, weekday(by))
    return _with_basis(lead, amounts_table, amounts.basis_sentence, _which_items(facts))


def _amount_sentence(amounts: Amounts, by: str) -> str:
    if not amounts.days:
        return f"**No working day is left** until {by}, so no item is expected to be done by then."
    first = in_words(amounts.chance_of_first)
    if not amounts.p50:
        return f"It is uncertain that even one item will be done by {by}: the chance is **{first}**."
    if not amounts.p85:
        more = f"**{counted(amounts.p50, 'item')} or more** will be done by {by}, 50 times in 100."
        return f"{more} The chance of at least one is {first}."
    return f"**{counted(amounts.p85, 'item')} or more** will be done by {by}, 85 times in 100."


def _which_items(facts: Facts) -> str:
    """Which items a number of them is about."""
    if not facts.sprint.milestone:
        return "As for a sprint that begins today."
    title = plain(facts.sprint.title)
    if not facts.remaining.count:
        return f"Counted on from where {title} stands."
    return f"The open items of {title} come first, the smallest before the others."


def _with_basis(lead: str, rows: str, *basis: str) -> str:
    return "\n\n".join(part for part in (lead, rows, " ".join(basis)) if part)


def record_sentence(graded: Sequence[Graded]) -> str:
    """How often what was said came true, of what was said most often."""
    if not graded:
        return (
            "_No forecast here has been graded yet; the first of each sprint and day is, when the sprint is "
            "over._"
        )
    best = max(bins_of(graded), key=lambda one: one.n)
    name = _BIN_NAMES[best.low, best.high]
    return f"**The record:** of {counted(best.n, 'forecast')} of “{name}” {best.true} came true."


def record_table(graded: Sequence[Graded]) -> str:
    """All grades, and the scores that they make."""
    rows = [
        [tenth_in_words(tenth.low), str(tenth.n), str(tenth.true), f"{round(tenth.share * 100)} %"]
        for tenth in bins_of(graded, TENTHS)
    ]
    return f"{table(('Said', 'Forecasts', 'Came true', 'Share'), rows)}\n\n{_scores(graded)}"


def bins_of(graded: Sequence[Graded], bins: Sequence[tuple[int, int]] = BINS) -> tuple[Bin, ...]:
    """The graded forecasts by what was said, in bins of tenths."""
    return calibration([(forecast.chance, forecast.is_finished) for forecast in graded], bins)


def _scores(graded: Sequence[Graded]) -> str:
    score = brier([(one.chance, one.is_finished) for one in graded]) or 0.0
    held = coverage([(one.low, one.high, one.delivered) for one in graded]) or 0.0
    text = f"Brier score {localized(f'{score:.3f}')} (0 is perfect, always saying 5 in 10 gives 0.25). "
    text += f"The 80 % band held {round(held * 100)} % of the outcomes."
    dates = [(one.likely_date, one.finished_on) for one in graded if one.likely_date]
    met = dates_met(dates)
    if met is not None:
        text += f" {round(met * 100)} % of the dates told for 85 % were met (n = {len(dates)})."
    return f"{text} Of several forecasts of one day the first counts."


def _growth_sentence(found: Forecast) -> str:
    if found.chance_with_growth is None or found.chance in {0.0, 1.0}:
        return ""
    before, after = in_words(found.chance), in_words(found.chance_with_growth)
    change = "added" if found.chance_with_growth < found.chance else "taken out"
    return "" if before == after else f"If as much is {change} as usual, it is {after}."


def _all_done(facts: Facts, dates: Dates) -> str:
    """By which day all that is open is done, if the sprint goes on until then."""
    left, due = counted(facts.remaining.count, "open item"), facts.sprint.due
    lead = _done_by(dates, f"The {left}", is_one=facts.remaining.count == 1, due=due)
    meaning = (
        "Each is the chance to finish the sprint if it were due on that day."
        if due
        else "As for a sprint that begins today."
    )
    return _with_basis(lead, _dates_table(dates), dates.basis_sentence, meaning)


def _done_by(dates: Dates, work: str, *, is_one: bool, due: date | None = None) -> str:
    """By which day it is done, or that this may take more than two years."""
    chance = in_words(dates.chance)
    if dates.p50 is None:
        be = "is" if is_one else "are"
        return f"{work} {be} unlikely to be done within two years: the chance is {chance}."
    day, percent = (dates.p85, 85) if dates.p85 else (dates.p50, 50)
    late = f", {counted((day - due).days, 'day')} after the due date" if due and day > due else ""
    sentence = f"{work} will be done by **{full_day(day)}**{late}, {percent} times in 100."
    return sentence if dates.p85 else f"{sentence} The chance that this takes at most two years is {chance}."


def _how(told: Outlook, found: Forecast) -> str:
    facts, unit = told.facts, told.unit
    done, scope = measure(facts.done, unit), quantity(measure(facts.scope, unit), unit)
    left = counted(len(told.days), "working day")
    over = percent(Decimal(str(told.now.elapsed)), ROUND_HALF_EVEN)
    lines = (
        found.basis_sentence,
        _CHANCE_METHOD,
        f"Now: {number(done)} of {scope} done, {over} of the working days over, {left} left.",
        *_units(told),
        _AMOUNT_METHOD,
        "Work that will be added is left out, unless it is said.",
    )
    return "\n".join(f"- {line}" for line in lines)


def _units(outlook: Outlook) -> list[str]:
    """Which unit counts where some open items are not estimated."""
    if len(units_of(outlook.facts, outlook.past)) == 1:
        return []
    counts = f"the lower chance counts: that of the {'points' if outlook.unit == 'points' else 'items'}."
    return [f"Not every open item is estimated, so both points and items were forecast, and {counts}"]


def _dates_table(dates: Dates) -> str:
    if dates.p50 is None:
        return ""
    days = (dates.p50, dates.p85, dates.p95)
    rows = [
        [f"{percent} %", full_day(day) if day else _NEVER] for percent, day in zip(_LEVELS, days, strict=True)
    ]
    return table(("Chance", "Done by"), rows)


def delta_words(before: float, after: float) -> str:
    """From one chance to another."""
    return f"{in_words(before)} → **{in_words(after)}**"
