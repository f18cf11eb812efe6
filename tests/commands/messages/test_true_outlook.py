"""No sentence on velocity, a forecast or a retrospective contradicts the numbers that it is about."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from statistics import median

from hypothesis import given
from hypothesis import strategies as st

from charts.reading import percent
from commands.messages.forecast import forecast_details, forecast_head
from commands.messages.report import ReportData
from commands.messages.retro import Retro, retro_text
from commands.messages.velocity import sprints_table, summarize_velocity
from sprints.burndown import measure_amount
from sprints.calendar import Calendar
from sprints.facts import Amount
from sprints.forecast import Forecast, Refusal
from sprints.forecast_dates import forecast_dates
from sprints.forecast_wording import in_words
from sprints.outlook import Outlook, TrackRecord, build_outlook
from sprints.plain import convert_facts
from sprints.report import build_report
from sprints.retro import RetroEvidence, Topic, collect_evidence
from sprints.velocity import SprintOutcome, Velocity, compute_velocity
from tests.support.sprints_strategies import MOMENTS, PROPERTY_SETTINGS, History, histories
from tests.support.unit_weeks import UNIT_RECORDS

_ODD = (
    re.compile(r"(?<![\d.,])1 (?:items|points|days|hours|times|sprints|were|are|have)\b"),
    re.compile(r"(?<![\d.,])0 of 0(?![.,]?\d)|\bin 0 days\b|\bcertain\b|\bimpossible\b"),
    re.compile(r"\w {2}\w|\.\.|\( |\bNone\b|, ,|,\.| \."),
)
_UNITS = st.sampled_from(["points", "count"])


def find_odd(text: str) -> list[str]:
    """The patterns of broken sentences that occur in a text."""
    return [odd.pattern for odd in _ODD if odd.search(text)]


@st.composite
def outcomes(draw: Callable[[st.SearchStrategy[int]], int], number: int) -> SprintOutcome:
    """A finished sprint, in which at most the commitment was kept and at most the rest carried over."""

    def draw_amount(most: Amount) -> Amount:
        count = draw(st.integers(0, most.count))
        points = draw(st.integers(0, int(most.points))) if count else 0
        return Amount(Decimal(points), count)

    committed = draw_amount(Amount(Decimal(12), 6))
    kept = draw_amount(committed)
    completed = kept + draw_amount(Amount(Decimal(8), 4))
    carried = Amount(committed.points - kept.points, committed.count - kept.count)
    end = datetime(2026, 1, 3, tzinfo=UTC) + timedelta(weeks=number)
    title = f"Sprint {number}"
    return SprintOutcome(number, number, title, end, committed, completed, kept, carried=carried)


VELOCITIES = st.builds(
    compute_velocity,
    st.integers(0, 7).flatmap(lambda n: st.tuples(*(outcomes(number) for number in range(1, n + 1)))),
    _UNITS,
)


@given(VELOCITIES)
@PROPERTY_SETTINGS
def test_no_sentence_on_velocity_contradicts_its_table(velocity: Velocity) -> None:
    sentences = summarize_velocity(velocity)
    text = "\n".join(sentences)
    values = {outcome.title: value for outcome, value in zip(velocity.outcomes, velocity.values, strict=True)}

    assert not find_odd(f"{text}\n{sprints_table(velocity, Calendar())}"), text
    assert ("**No sprint has finished yet.**" in text) == (not values)
    assert ("too few for a velocity" in text) == (0 < len(values) < 3)
    if match := re.search(
        r"about \*\*([\d.,]+) \w+\*\*: the median of the last (\d+), which completed ([\d.]+) to ([\d.]+)",
        text,
    ):
        expected = [median(values.values()), len(values), min(values.values()), max(values.values())]
        assert list(map(Decimal, match.groups())) == expected
    if match := re.search(r"\*\*(Sprint \d+) completed ([\d.]+) ", text):
        assert Decimal(match[2]) == values[match[1]]
        assert not median(values.values()) / 2 <= values[match[1]] <= median(values.values()) * 2
    shares = {
        outcome.title: share
        for outcome in velocity.outcomes
        if (share := outcome.say_do(velocity.unit)) is not None
    }
    if match := re.search(
        r"(\d+ %) was done \(median of (\d+)\), with the lowest in (Sprint \d+) \((\d+ %)\)", text
    ):
        expected_shares = [percent(median(shares.values())), str(len(shares)), percent(min(shares.values()))]
        assert [match[1], match[2], match[4]] == expected_shares
        assert shares[match[3]] == min(shares.values())


@given(histories(), MOMENTS)
@PROPERTY_SETTINGS
def test_no_sentence_of_a_forecast_contradicts_the_sprint(history: History, as_of: datetime) -> None:
    facts = history.facts(as_of)
    records = TrackRecord(UNIT_RECORDS, (), 1)
    outlook = build_outlook(facts, records)
    expected = outlook.forecast() if isinstance(outlook, Outlook) else outlook
    dates = forecast_dates(facts, records) if facts.remaining.count else Refusal("Nothing is open.")
    if not isinstance(outlook, Outlook) or not isinstance(expected, Forecast):
        text = outlook.sentence if isinstance(outlook, Refusal) else ""
        assert not find_odd(text), text
        return
    head = forecast_head(facts, outlook, expected, dates)
    text = f"{head}\n\n{forecast_details(facts, outlook, expected, dates)}"

    assert not find_odd(text), text
    open_numbers = {str(item.number) for item in facts.open_items}
    left = measure_amount(facts.remaining, outlook.unit)
    if match := re.search(r"\*\*(.*?)\*\* chance that the remaining ([\d.,]+)? ?(?:point|item)", head):
        assert match[1].lower() == in_words(expected.chance)
        assert Decimal((match[2] or "1").replace(",", "")) == left
    if match := re.search(r"Taking out (.*?), .* would make it ", head):
        assert set(re.findall(r"#(\d+)", match[1])) < open_numbers
    if "Everything in the sprint is done" in head:
        assert facts.scope.count
        assert not facts.remaining.count
    if match := re.search(r"it is between ([\d.,]+) and ([\d.,]+)", head):
        low, high = (Decimal(text.replace(",", "")) for text in match.groups())
        assert measure_amount(facts.done, outlook.unit) <= low <= high
    if match := re.search(r"Now: ([\d.,]+) of ([\d.,]+) ", text):
        done, scope = (Decimal(part.replace(",", "")) for part in match.groups())
        assert scope - done == left


@given(histories(), MOMENTS, st.data())
@PROPERTY_SETTINGS
def test_no_sentence_of_a_retrospective_contradicts_its_evidence(
    history: History, as_of: datetime, data: st.DataObject
) -> None:
    facts = history.facts(as_of)
    report = build_report(convert_facts(facts), is_over=facts.sprint.has_ended(as_of))
    numbers = [item.number for item in facts.items]
    crossed = {number: data.draw(st.integers(0, 4)) for number in numbers}
    evidence = collect_evidence(facts, report, (), crossed, {})
    if numbers:
        number = data.draw(st.sampled_from(numbers))
        elapsed = timedelta(hours=data.draw(st.integers(1, 400)))
        is_over = data.draw(st.booleans())
        evidence[Topic.OLDEST] = [
            RetroEvidence(Topic.OLDEST, number, elapsed, days=elapsed.days + 1, is_over=is_over)
        ]
        evidence[Topic.BLOCKED] = [RetroEvidence(Topic.BLOCKED, number, elapsed, is_over=is_over)]
    text = retro_text(Retro(ReportData(facts.sprint, report, as_of), evidence))

    assert not find_odd(text), text
    assert ("Nothing stood out" in text) == (not evidence)
    assert ("so far" in text.partition("\n")[0]) == (not report.is_over)
    for topic in evidence.values():
        for entry in topic[:3]:
            assert f"#{entry.number}: " in text
    for count in re.findall(r"open at the end of (\d+) sprints", text):
        assert int(count) in crossed.values()
