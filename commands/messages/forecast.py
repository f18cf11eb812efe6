"""Texts of forecasts. Pure functions from values to Markdown."""

from collections.abc import Sequence
from datetime import date

from charts.locales import localize
from charts.reading import number, percent, quantity, whole
from commands.formatting.wording import (
    counted,
    folded,
    footer,
    format_moment,
    full_day,
    plain,
    table,
    weekday,
)
from commands.messages.forecast_sentences import band_sentence, chance_sentence, swap_sentence
from commands.messages.nothing_left import nothing_yet_text
from sprints.burndown import measure_amount
from sprints.facts import Facts
from sprints.forecast import Forecast, Refusal
from sprints.forecast_dates import DateForecast, ItemForecast
from sprints.forecast_scores import (
    BINS,
    TENTHS,
    CalibrationBin,
    compute_brier_score,
    compute_calibration,
    compute_coverage,
    compute_dates_met,
)
from sprints.forecast_wording import in_words, tenth_in_words
from sprints.outlook import Outlook, choose_units
from storage.forecasts import GradedForecast

_NEVER = "in more than two years"
_LEVELS = (50, 85, 95)
_CHANCE_METHOD = (
    "The chance compares this sprint with past ones. A past sprint counts for finishing if, after "
    "the same part of its days, it completed more than is open now. It counts against finishing if "
    "it completed less and left work undone. How the last sprints ended, and how often teams finish "
    "in general, also count a little."
)
_LEFTOVERS = (
    "Late in a sprint, leftovers tend to stay open, so the chance may be lower than the little open "
    "work suggests."
)
_AMOUNT_METHOD = (
    "The amounts come from what past sprints completed after the same part of their days. They never "
    "exceed what the team has completed in that time before, with some margin if only a few sprints "
    "are known."
)
_BIN_NAMES = {
    (0, 3): "up to 3 in 10",
    (4, 6): "4 to 6 in 10",
    (7, 9): "7 to 9 in 10",
    (10, 10): "more than 9 in 10",
}


def forecast_head(
    facts: Facts,
    outlook: Outlook | None,
    forecast: Forecast | None,
    dates: DateForecast | Refusal,
    load: str = "",
) -> str:
    """The chance to finish the sprint, down to the chart. Without an outlook: the likely dates.

    `load` compares the sprint's load with what the last sprints delivered; empty for a usual load.
    """
    parts = [f"### Forecast · {plain(facts.sprint.title)}"]
    if outlook and forecast:
        parts.append(f"{chance_sentence(outlook, forecast)} {swap_sentence(outlook, forecast)}".strip())
        if facts.remaining.count:
            parts += [band_sentence(outlook, forecast), _growth_sentence(forecast)]
    parts.append(load)
    if isinstance(dates, Refusal):
        parts.append(dates.sentence if facts.remaining.count else "")
    elif forecast is None:
        parts.append(_all_done(facts, dates))
    return "\n\n".join(part for part in parts if part)


def forecast_details(
    facts: Facts, outlook: Outlook | None, forecast: Forecast | None, dates: DateForecast | Refusal
) -> str:
    """The likely dates, the method, and the time of the forecast, below the chart."""
    parts = []
    if outlook and forecast and facts.remaining.count:  # Nothing was computed where nothing is open.
        if isinstance(dates, DateForecast):
            parts.append(folded("When all open work may be done", _all_done(facts, dates)))
        parts.append(folded("How this was computed", _how(outlook, forecast)))
    at = format_moment(facts.sprint.calendar.local(facts.as_of))
    parts.append(footer(f"As of {at}", "the same question gives the same answer until something changes"))
    return "\n\n".join(parts)


def empty_forecast_card(facts: Facts) -> str:
    """The card for a sprint that has never held an item."""
    return f"### Forecast · {plain(facts.sprint.title)}\n\n{nothing_yet_text(facts.sprint.title)}"


def dates_card(dates: DateForecast, items: int, facts: Facts) -> str:
    """The dates by which a number of `items` will be done, those of the sprint `facts` first."""
    lead = _done_by(dates, f"**{counted(items, 'item')}**", is_one=items == 1)
    return _with_basis(lead, _dates_table(dates), dates.basis_sentence, _which_items(facts))


def amounts_card(amounts: ItemForecast, by: date, facts: Facts) -> str:
    """The number of items that will be done by a day, those of the sprint `facts` first."""
    levels = zip(_LEVELS, (amounts.p50, amounts.p85, amounts.p95), strict=True)
    rows = [[f"{level} %", f"{whole(count)} or more"] for level, count in levels if count]
    amounts_table = table(("Chance", "Items"), rows) if rows else ""
    lead = _amount_sentence(amounts, weekday(by))
    return _with_basis(lead, amounts_table, amounts.basis_sentence, _which_items(facts))


def _amount_sentence(amounts: ItemForecast, by: str) -> str:
    if not amounts.days:
        return f"**No working days are left** until {by}, so no item is expected to be done by then."
    first = in_words(amounts.chance_of_first)
    if not amounts.p50:
        return f"There is a **{first}** chance of finishing even one item by {by}."
    if not amounts.p85:
        more = f"**{counted(amounts.p50, 'item')} or more** will be done by {by}, 50 times in 100."
        return f"{more} The chance of at least one is {first}."
    return f"**{counted(amounts.p85, 'item')} or more** will be done by {by}, 85 times in 100."


def _which_items(facts: Facts) -> str:
    """Say which items a forecast of a number of items is about."""
    if not facts.sprint.milestone:
        return "Calculated as for a sprint that starts today."
    title = plain(facts.sprint.title)
    if not facts.remaining.count:
        return f"This comes on top of what is done in {title}."
    return f"The open items of {title} come first, starting with the smallest."


def _with_basis(lead: str, rows: str, *basis: str) -> str:
    return "\n\n".join(part for part in (lead, rows, " ".join(basis)) if part)


def record_sentence(graded: Sequence[GradedForecast]) -> str:
    """Say how often forecasts came true, for the most frequent bin of chances."""
    if not graded:
        return (
            "_No forecast here has been graded yet. When a sprint is over, the first forecast of each of its "
            "days is graded._"
        )
    best = max(group_into_bins(graded), key=lambda bin_: bin_.n)
    name = _BIN_NAMES[best.low, best.high]
    return f"**The record:** of {counted(best.n, 'forecast')} of “{name}” {best.true} came true."


def record_table(graded: Sequence[GradedForecast]) -> str:
    """A table of all graded forecasts by chance, and their scores."""
    rows = [
        [tenth_in_words(tenth.low), str(tenth.n), str(tenth.true), percent(tenth.share)]
        for tenth in group_into_bins(graded, TENTHS)
    ]
    return f"{table(('Chance', 'Forecasts', 'Came true', 'Share'), rows)}\n\n{_scores(graded)}"


def group_into_bins(
    graded: Sequence[GradedForecast], bins: Sequence[tuple[int, int]] = BINS
) -> tuple[CalibrationBin, ...]:
    """The graded forecasts in bins by their chance in tenths."""
    return compute_calibration([(forecast.chance, forecast.is_finished) for forecast in graded], bins)


def _scores(graded: Sequence[GradedForecast]) -> str:
    score = compute_brier_score([(forecast.chance, forecast.is_finished) for forecast in graded]) or 0.0
    bands = [(forecast.low, forecast.high, forecast.delivered) for forecast in graded]
    covered = compute_coverage(bands) or 0.0
    text = f"Brier score {localize(f'{score:.3f}')} (0 is perfect, always saying 5 in 10 gives 0.25). "
    text += f"The 80 % band contained {percent(covered)} of the outcomes."
    dates = [(forecast.likely_date, forecast.finished_on) for forecast in graded if forecast.likely_date]
    met = compute_dates_met(dates)
    if met is not None:
        text += f" {percent(met)} of the dates given with 85 % were met (n = {len(dates)})."
    return f"{text} If there were several forecasts on one day, the first one counts."


def _growth_sentence(forecast: Forecast) -> str:
    if forecast.chance_with_growth is None or forecast.chance in {0.0, 1.0}:
        return ""
    before, after = in_words(forecast.chance), in_words(forecast.chance_with_growth)
    change = "added" if forecast.chance_with_growth < forecast.chance else "removed"
    return "" if before == after else f"If as much is {change} as usual, the chance is {after}."


def _all_done(facts: Facts, dates: DateForecast) -> str:
    """The date by which all open items will be done, if the sprint goes on until then."""
    left, due = counted(facts.remaining.count, "open item"), facts.sprint.due
    lead = _done_by(dates, f"The {left}", is_one=facts.remaining.count == 1, due=due)
    meaning = (
        "Each is the chance to finish the sprint if it were due on that day."
        if due
        else "Calculated as for a sprint that starts today."
    )
    return _with_basis(lead, _dates_table(dates), dates.basis_sentence, meaning)


def _done_by(dates: DateForecast, work: str, *, is_one: bool, due: date | None = None) -> str:
    """The date by which `work` will be done, or that this may take more than two years."""
    chance = in_words(dates.chance)
    if dates.p50 is None:
        be = "is" if is_one else "are"
        return f"{work} {be} unlikely to be done within two years: the chance is {chance}."
    day, level = (dates.p85, 85) if dates.p85 else (dates.p50, 50)
    late = f", {counted((day - due).days, 'day')} after the due date" if due and day > due else ""
    sentence = f"{work} will be done by **{full_day(day)}**{late}, {level} times in 100."
    return sentence if dates.p85 else f"{sentence} The chance that this takes at most two years is {chance}."


def _how(outlook: Outlook, forecast: Forecast) -> str:
    facts, unit = outlook.facts, outlook.unit
    done, scope = measure_amount(facts.done, unit), quantity(measure_amount(facts.scope, unit), unit)
    left = counted(len(outlook.days), "working day")
    over = percent(outlook.now.elapsed)
    lines = (
        forecast.basis_sentence,
        _CHANCE_METHOD,
        _LEFTOVERS,
        f"Now: {number(done)} of {scope} done, {over} of the working days over, {left} left.",
        *_units(outlook),
        _AMOUNT_METHOD,
        "Work that may be added later is not included unless you specify it.",
    )
    return "\n".join(f"- {line}" for line in lines)


def _units(outlook: Outlook) -> list[str]:
    """Say which unit counts where some open items are not estimated."""
    if len(choose_units(outlook.facts, outlook.past)) == 1:
        return []
    counts = f"the lower chance counts: that of the {'points' if outlook.unit == 'points' else 'items'}."
    return [f"Not every open item is estimated, so both points and items were forecast, and {counts}"]


def _dates_table(dates: DateForecast) -> str:
    if dates.p50 is None:
        return ""
    days = (dates.p50, dates.p85, dates.p95)
    rows = [
        [f"{level} %", full_day(day) if day else _NEVER] for level, day in zip(_LEVELS, days, strict=True)
    ]
    return table(("Chance", "Done by"), rows)


def finish_sentence(before: float | None, after: float, by: str = "", *, is_empty: bool = False) -> str:
    """The effect of a change on the chance to finish `by` a day. Begins in lower case.

    A chance of 1 means that nothing is open (or that the sprint `is_empty`), 0 that no working days are left:
    both are states and no forecasts. None means that there was no due date.
    """
    so_far = _so_far(before, is_empty=is_empty)
    if after in {0, 1}:
        state = "nothing is left open" if after else "no working days are left"
        return f"{state}, as before." if before == after else f"**{state}**. Until now, {so_far}."
    becomes = f"**{in_words(after)}**"
    if before is None or before in {0, 1}:
        return f"the chance to finish{by} is {becomes}. Until now, {so_far}."
    was = in_words(before)
    if was == in_words(after):
        return f"the chance to finish{by} stays at {becomes}."
    return f"the chance to finish{by} goes from {was} to {becomes}."


def _so_far(chance: float | None, *, is_empty: bool) -> str:
    """The state before a change, to follow "Until now"."""
    if is_empty:
        return "nothing is in it"
    if chance is None:
        return "it has no due date to compare with"
    states = {0.0: "no working days are left", 1.0: "all that is in it is done"}
    return states.get(chance, f"the chance is {in_words(chance)}")
