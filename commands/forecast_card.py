"""The words of forecasts. Pure functions from values to Markdown."""

from collections.abc import Sequence
from datetime import date

from charts.reading import number, quantity
from commands.forecasting import band_sentence, chance_sentence, swap_sentence
from commands.wording import counted, folded, footer, full_day, moment, plain, table, weekday
from sprints.burndown import measure
from sprints.facts import Facts
from sprints.forecast import Forecast, Refusal
from sprints.forecast_grades import BINS, brier, calibration, coverage, dates_met
from sprints.forecast_throughput import Amounts, Dates, Sample
from sprints.forecast_words import in_words
from sprints.outlook import Outlook
from storage.forecasts import Graded

_NEVER = "not within two years"
_METHOD = (
    "Each past sprint gives what it still delivered after the same part of its working days: as an amount, "
    "and as a share of what was open. Sprints with as much work open count most."
)
_BASE_RATE = (
    "The chance is the share of these futures in which all is done, drawn a little towards 4 in 10, the rate "
    "of real teams."
)
_BIN_NAMES = {
    (0, 3): "up to 3 in 10",
    (4, 6): "4 to 6 in 10",
    (7, 9): "7 to 9 in 10",
    (10, 10): "more than 9 in 10",
}


def sprint_card(
    facts: Facts, told: Outlook | None, found: Forecast | None, dates: Dates | Refusal, record: str
) -> str:
    """Will this sprint be finished. Without an outlook (no due date): when it may be."""
    sprint = facts.sprint
    parts = [f"### Forecast · {plain(sprint.title)}"]
    if told and found:
        parts.append(f"{chance_sentence(told, found)} {swap_sentence(told, found)}".strip())
        parts.append(band_sentence(told, found))
        parts.append(_growth_sentence(found))
    if isinstance(dates, Dates):
        parts.append(_all_done(facts, dates))
    elif facts.remaining.count:
        parts.append(dates.sentence)
    parts.append(record)
    if told and found:
        parts.append(folded("How this was computed", _how(told, found)))
    at = moment(facts.as_of.astimezone(sprint.timezone))
    parts.append(footer(f"As of {at}", "the same question gives the same answer until something changes"))
    return "\n\n".join(part for part in parts if part)


def dates_card(dates: Dates, items: int) -> str:
    """By which day so many items are done."""
    return "\n\n".join(
        [
            f"**{counted(items, 'item')}** will be done by **{_date(dates.p85)}**, 85 times in 100.",
            _dates_table(dates),
            _sample(dates.sample),
        ]
    )


def amounts_card(amounts: Amounts, by: date) -> str:
    """How many items are done by a day."""
    rows = [[f"{percent} %", f"{count} or more"] for percent, count in _levels(amounts)]
    return "\n\n".join(
        [
            f"**{counted(amounts.p85, 'item')} or more** will be done by {weekday(by)}, 85 times in 100.",
            table(("Chance", "Items"), rows),
            _sample(amounts.sample),
        ]
    )


def record_text(graded: Sequence[Graded]) -> str:
    """How often what was said came true. Nothing where nothing has been graded yet."""
    if not graded:
        return "_No forecast here has been graded yet; each one that is shown is, when its sprint is over._"
    said = [(one.chance, one.is_finished) for one in graded]
    bins = calibration(said)
    best = max(bins, key=lambda one: one.n)
    name = _BIN_NAMES[best.low, best.high]
    lead = f"**The record:** of {counted(best.n, 'forecast')} of “{name}” {best.true} came true."
    rows = [
        [_BIN_NAMES[low, high], str(one.n), str(one.true), f"{round(one.share * 100)} %"]
        for low, high in BINS
        for one in bins
        if (one.low, one.high) == (low, high)
    ]
    grades = f"{table(('Said', 'Forecasts', 'Came true', 'Share'), rows)}\n\n{_scores(graded, said)}"
    return "\n\n".join([lead, folded(f"All {len(graded)} graded forecasts", grades)])


def _scores(graded: Sequence[Graded], said: Sequence[tuple[float, bool]]) -> str:
    score = brier(said) or 0.0
    held = coverage([(one.low, one.high, one.delivered) for one in graded]) or 0.0
    text = f"Brier score {score:.3f} (0 is perfect, always saying 5 in 10 gives 0.25). "
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
    return "" if before == after else f"If as much is added as usual, it is {after}."


def _all_done(facts: Facts, dates: Dates) -> str:
    left = counted(facts.remaining.count, "open item")
    due, p85 = facts.sprint.due, dates.p85
    text = f"At the pace of the last {dates.sample.days} working days the {left} will be done by "
    text += f"{_date(dates.p50)} as likely as not, and by **{_date(p85)}** 85 times in 100"
    if due and p85 and p85 > due:
        text += f", {counted((p85 - due).days, 'day')} after the due date"
    return f"{text}."


def _how(told: Outlook, found: Forecast) -> str:
    facts, unit = told.facts, told.unit
    done, scope = measure(facts.done, unit), quantity(measure(facts.scope, unit), unit)
    over, left = round(told.now.elapsed * 100), counted(len(told.days), "working day")
    lines = (
        found.basis_sentence,
        _METHOD,
        f"Now: {number(done)} of {scope} done, {over} % of the working days over, {left} left.",
        _BASE_RATE,
        "Work that will be added is left out, unless it is said.",
    )
    return "\n".join(f"- {line}" for line in lines)


def _dates_table(dates: Dates) -> str:
    rows = [
        [f"{percent} %", _date(day)] for percent, day in ((50, dates.p50), (85, dates.p85), (95, dates.p95))
    ]
    return table(("Chance", "Done by"), rows)


def _levels(amounts: Amounts) -> list[tuple[int, int]]:
    return [(50, amounts.p50), (85, amounts.p85), (95, amounts.p95)]


def _sample(sample: Sample) -> str:
    text = f"From 10,000 futures drawn from the last {counted(sample.days, 'working day')}, on which "
    text += f"{counted(sample.items, 'item')} were done; days without any are among them."
    return f"{text} {sample.warning}" if sample.warning else text


def _date(day: date | None) -> str:
    return full_day(day) if day else _NEVER


def delta_words(before: float, after: float) -> str:
    """From one chance to another."""
    return f"{in_words(before)} → **{in_words(after)}**"
