"""Blocked work: the rows of docs/metrics.md on it, one by one."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from sprints.blocked import BlockedSpan, add_up_blocked_time, merge_blocks
from sprints.flows import build_flows
from sprints.model import sort_events
from sprints.rules import Rules
from tests.support.builders import Card, at
from tests.support.flow_cards import FlowCard, flows

OTHER = FlowCard(2).opened("11-01")


def blocks(card: FlowCard, *others: Card, as_of: str = "12-31") -> list[tuple[str, str]]:
    result = flows(card, *others, as_of=as_of)[1].blocks
    return [
        (f"{entry.span.since:%m-%d}", f"{entry.span.until:%m-%d}" if entry.span.until else "now")
        for entry in result
    ]


def test_an_item_is_blocked_while_it_has_an_open_blocking_issue() -> None:
    card = FlowCard().opened("11-10").blocked("11-11", OTHER).unblocked("11-14", OTHER)

    assert blocks(card, OTHER) == [("11-11", "11-14")]
    assert [len(flows(card, OTHER, as_of=day)[1].open_blocks) for day in ("11-11", "11-12", "11-15")] == [
        0,
        1,
        0,
    ]


def test_a_blocking_issue_that_is_closed_blocks_no_more_and_again_once_it_is_opened() -> None:
    other = FlowCard(2).opened("11-01").closed("11-13").reopened("11-16").dropped("11-18")
    assert blocks(FlowCard().opened("11-10").blocked("11-11", other), other) == [
        ("11-11", "11-13"),
        ("11-16", "11-18"),
    ]


def test_what_is_closed_is_not_blocked() -> None:
    card = FlowCard().opened("11-10").blocked("11-11", OTHER).closed("11-13").reopened("11-20")
    assert blocks(card, OTHER) == [("11-11", "11-13"), ("11-20", "now")]


def test_a_blocking_issue_that_was_deleted_blocks_no_more() -> None:
    other = FlowCard(2).opened("11-01").gone("11-13")
    assert blocks(FlowCard().opened("11-10").blocked("11-11", other), other) == [("11-11", "11-13")]


def test_one_of_another_repository_blocks_until_its_closing_if_that_is_known() -> None:
    card, other = FlowCard().opened("11-10"), FlowCard(2).opened("11-01").closed("11-13")
    card.blocked("11-11", other)

    assert blocks(card) == [("11-11", "now")]
    (block,) = flows(card, elsewhere=(other,))[1].blocks
    assert (block.span.until, block.number) == (at("11-13"), None)


def test_what_somebody_said_holds_until_somebody_says_otherwise() -> None:
    card = FlowCard().opened("11-10").blocked("11-11", reason="no keys yet").unblocked("11-14")

    assert blocks(card) == [("11-11", "11-14")]
    assert flows(card)[1].blocks[0].reason == "no keys yet"


def test_a_dependency_that_ends_leaves_what_was_said() -> None:
    card = FlowCard().opened("11-10").blocked("11-11", OTHER).blocked("11-12").unblocked("11-14", OTHER)
    assert blocks(card, OTHER) == [("11-11", "11-14"), ("11-12", "now")]


def test_github_and_we_telling_of_one_block_are_one_with_the_reason() -> None:
    card = FlowCard().opened("11-10").blocked("11-11", OTHER).blocked("11-12", OTHER, "API first")
    (block,) = flows(card, OTHER)[1].blocks

    assert (block.span.since, block.number, block.reason) == (at("11-11"), 2, "API first")


def test_an_end_whose_beginning_nobody_told_counts_nothing() -> None:
    assert blocks(FlowCard().opened("11-10").unblocked("11-14", OTHER), OTHER) == []


def test_blocked_work_stays_in_progress() -> None:
    card = FlowCard().opened("11-10").started("11-11").blocked("11-12", OTHER)
    assert flows(card, OTHER)[1].is_in_progress


def test_two_blocks_at_once_are_one_time() -> None:
    third = FlowCard(3).opened("11-01")
    card = FlowCard().opened("11-10").blocked("11-11", OTHER).blocked("11-13", third)
    card.unblocked("11-14", OTHER).unblocked("11-16", third)
    result = flows(card, OTHER, third)[1].blocks

    assert [f"{blocked_span.since:%m-%d}" for blocked_span in merge_blocks(result)] == ["11-11"]
    assert add_up_blocked_time(result, at("12-01")) == timedelta(days=5)
    assert add_up_blocked_time(result, at("11-12")) == timedelta(days=1)
    assert add_up_blocked_time(result, at("12-01"), since=at("11-15")) == timedelta(days=1)


STEP = st.tuples(st.sampled_from(["blocked", "unblocked"]), st.sampled_from([2, 3, None]), st.integers(2, 28))


@settings(max_examples=80, deadline=None)
@given(
    st.lists(STEP, max_size=8, unique_by=lambda step: step[2]),
    st.none() | st.integers(2, 28),
    st.randoms(use_true_random=False),
)
def test_blocks_are_the_same_in_any_order_of_arrival_and_never_longer_than_the_item_lives(
    steps: list[tuple[str, int | None, int]], closed: int | None, random: st.DataObject
) -> None:
    others = {2: FlowCard(2).opened("10-01"), 3: FlowCard(3).opened("10-01").closed("11-15")}
    card = FlowCard().opened("11-01")
    for event, by, day in sorted(steps, key=lambda step: step[2]):
        getattr(card, event)(f"11-{day:02}", others.get(by or 0))
    if closed:
        card.closed(f"11-{closed:02} 12:00")
    events = {entry.id: list(entry.events) for entry in (card, *others.values())}
    as_of = at("12-01")
    result = build_flows(events, as_of, Rules())
    shuffled = {item: list(data) for item, data in events.items()}
    for data in shuffled.values():
        random.shuffle(data)  # type: ignore[attr-defined]
    flow = result[0]
    lives = (flow.done_at or as_of) - flow.created_at

    assert result == build_flows(shuffled, as_of, Rules())
    assert add_up_blocked_time(flow.blocks, as_of) <= lives
    assert flow.is_open or not flow.open_blocks
    assert all(_is_within(block, at("11-01"), flow.done_at) for block in flow.blocks)
    by_other = [event for event in sort_events(card.events) if event.named == "item-2"]
    is_held = bool(by_other) and by_other[-1].event == "blocked" and flow.is_open
    assert any(block.number == 2 for block in flow.open_blocks) == is_held
    assert not any(block.number == 3 for block in flow.open_blocks)


def _is_within(block: BlockedSpan, since: object, until: object) -> bool:
    return block.span.since >= since and (until is None or (block.span.until or at("12-31")) <= until)  # type: ignore[operator]
