"""No sentence of a card contradicts its own table, whatever happened to a sprint and whenever it is asked."""

import re
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from charts.alt_text import describe_burndown
from charts.reading import percent
from commands.messages.report import ReportData, report_text
from commands.messages.scope import scope_text
from commands.messages.sprint_charts import summarize_burndown, summarize_burnup
from commands.messages.status import status_details, status_head
from sprints.burndown import build_burndown, measure_amount
from sprints.calendar import working_days
from sprints.facts import Facts
from sprints.plain import convert_facts
from sprints.report import build_report
from tests.support.sprints_strategies import MOMENTS, PROPERTY_SETTINGS, History, histories

_ROW = re.compile(r"^\| \**([\w-]+)\** \| \**([^|*]+?)\** \| \**([^|*]+?)\** \|", re.MULTILINE)
_ODD = (
    re.compile(r"(?<![\d.,])1 (?:items|points|days|working days|changes|sprints)\b"),
    re.compile(r"(?<![\d.,])0 of 0(?![.,]?\d)"),
    re.compile(r"\bday 0 of\b|\bin 0 days\b|\bcertain\b|\bimpossible\b|\bnever told\b"),
    re.compile(r"\w {2}\w|\.\.|\( |\bNone\b"),
)
UNITS = st.sampled_from(["points", "count"])


def write_card(facts: Facts, unit: str, *, is_past: bool) -> str:
    """The whole status card without its chart."""
    burndown = build_burndown(facts, unit)
    head = status_head(facts, burndown, is_past=is_past)
    return f"{head}\n\n{status_details(facts, burndown, asked_unit=unit)}"


def read_ledger(card: str, unit: str) -> dict[str, Decimal]:
    """The figures of the card's ledger in one unit, by the names of their rows."""
    column = 1 if unit == "points" else 2
    return {
        row[0]: Decimal(row[column].replace("−", "-").replace("+", "").replace(",", ""))
        for row in _ROW.findall(card.partition("Data by day")[0])
        if row[1] != "Points"
    }


@given(histories(), MOMENTS, UNITS, st.booleans())
@PROPERTY_SETTINGS
def test_no_sentence_of_the_status_card_contradicts_its_ledger(
    history: History, as_of: object, unit: str, is_past: bool
) -> None:
    facts = history.facts(as_of)  # type: ignore[arg-type]
    card = write_card(facts, unit, is_past=is_past)
    head, ledger = card.partition("| | Points | Items |")[0], read_ledger(card, unit)

    assert ledger["Scope"] - ledger["Done"] == ledger["Remaining"]
    if "Committed" in ledger:
        changes = [ledger.get(name, Decimal(0)) for name in ("Added", "Removed", "Dropped", "Re-estimated")]
        assert ledger["Committed"] + sum(changes) == ledger["Scope"]
    for part, whole in re.findall(r"\*\*([\d.,]+) of ([\d.,]+) (?:point|item)s? done", head):
        done, scope = (Decimal(text.replace(",", "")) for text in (part, whole))
        assert (done, scope) in {
            (measure_amount(facts.done, each), measure_amount(facts.scope, each)) for each in (unit, "count")
        }
        if f"{whole} points" not in head or not facts.remaining.count or done < scope:
            assert f"({percent(done / scope)})" in head
    if re.search(r"[Ee]verything in scope (?:is|was) done|100 %\)", head):
        assert facts.scope.count
        assert not facts.remaining.count
    for amount, unit_words in re.findall(r"([\d.,]+) (points?|items?) (?:remains?|were not|was not)\b", head):
        value = Decimal(amount.replace(",", ""))
        assert value == measure_amount(facts.remaining, "points" if "point" in unit_words else "count")


@given(histories(), MOMENTS, UNITS, st.booleans())
@PROPERTY_SETTINGS
def test_no_sentence_about_time_contradicts_the_dates(
    history: History, as_of: object, unit: str, is_past: bool
) -> None:
    facts = history.facts(as_of)  # type: ignore[arg-type]
    sprint, calendar = facts.sprint, facts.sprint.calendar
    card = write_card(facts, unit, is_past=is_past)
    head = card.partition("| | Points | Items |")[0]
    texts = [head, *summarize_burndown(facts, build_burndown(facts, unit))]

    today = calendar.day_of(facts.as_of)
    is_midnight = facts.as_of == calendar.midnight(today)
    for text in texts:
        if "today included" in text:
            assert calendar.is_working_day(today)
            assert not is_midnight
        for count in re.findall(r"([\d,]+) working days? to go", text):
            assert sprint.due
            first = max(today, sprint.first_day)
            assert int(count.replace(",", "")) == len(working_days(calendar, first, sprint.due))
        if "ithout a due date" in text or "Give the milestone a due date" in text:
            assert sprint.due is None
    if match := re.search(r"day (\d+) of (\d+)", head):
        day, length = map(int, match.groups())
        assert 1 <= day <= length
    assert ("had not begun" in head or "planned so far" in head or "starts " in head) <= (
        not sprint.has_begun(facts.as_of) or sprint.is_due_before_start()
    )
    assert "this card counts items" not in card, "a unit was asked for"


@given(histories(), MOMENTS, UNITS, st.booleans())
@PROPERTY_SETTINGS
def test_no_text_is_odd(history: History, as_of: object, unit: str, is_past: bool) -> None:
    facts = history.facts(as_of)  # type: ignore[arg-type]
    burndown = build_burndown(facts, unit)
    is_over = facts.sprint.has_ended(facts.as_of)
    report = build_report(convert_facts(facts), is_over=is_over)
    texts = {
        "status": write_card(facts, unit, is_past=is_past),
        "burndown": "\n".join(summarize_burndown(facts, burndown)),
        "burnup": "\n".join(summarize_burnup(facts, burndown)),
        "scope": scope_text(facts),
        "report": report_text(ReportData(facts.sprint, report, facts.as_of)),
        "alternative text": describe_burndown(burndown),
    }

    for name, text in texts.items():
        for odd in _ODD:
            assert not odd.search(text), (name, odd.pattern, text)
    if not facts.is_committed and not is_over:
        assert "committed are done" not in texts["report"]
        assert not re.search(r"^\| Committed \|", texts["report"] + texts["status"], re.MULTILINE)


@given(histories(), MOMENTS, UNITS)
@PROPERTY_SETTINGS
def test_all_cards_of_a_sprint_name_the_same_share(history: History, as_of: object, unit: str) -> None:
    facts = history.facts(as_of)  # type: ignore[arg-type]
    burndown = build_burndown(facts, unit)
    pattern = re.compile(r"([\d.,]+) of ([\d.,]+) (point|item)s? done")
    done = {
        match.groups()
        for text in (status_head(facts, burndown), *summarize_burnup(facts, burndown))
        if (match := pattern.search(text))
    }

    assert len(done) <= 1
