"""Texts about a sprint's capacity. Pure functions."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from charts.reading import number, quantity
from commands.formatting.wording import counted, folded, person, table
from sprints.capacity import Capacity, PersonCapacity


def capacity_text(capacity: Capacity, velocity: Decimal | None, load: Decimal, unit: str) -> str:
    """Who is there for how long, and what that makes of the median velocity; `load` is what is planned."""
    people = counted(len(capacity.people), "person").replace("persons", "people")
    percent, days = capacity.percent, number(capacity.person_days)
    away = f" Away: {_list_away(capacity.away)}." if capacity.away else ""
    if percent is None or capacity.usual is None:
        return f"**Capacity:** {people}, {days} person-days.{away}"
    usual = number(capacity.usual)
    if percent == 100:
        return f"**Capacity:** {people}, {days} person-days, as usual.{away}"
    start = f"**Capacity:** {people}, {days} of usually {usual} person-days."
    expected = capacity.scale(velocity) if velocity is not None else None
    if velocity is None or expected is None:
        return f"{start}{away}"
    share = f"{'' if 100 * capacity.person_days == percent * capacity.usual else 'About '}{percent} %"
    scaled = f"{share} of your median of {quantity(velocity, unit)} is **{quantity(expected, unit)}**"
    return f"{start} {scaled}; {_compare_load(load, expected, unit)}.{away}"


def who_counts_text(shares: Mapping[str, Decimal], *, is_proposed: bool = False) -> str:
    """Say who counts in the capacity once a setting has changed; if it `is_proposed`, once it is merged."""
    if not shares:
        return "Nobody is listed, so `/sprint plan` shows no capacity."
    people = ", ".join(f"{person(login)} {number(100 * share)} %" for login, share in sorted(shares.items()))
    count = counted(len(shares), "person").replace("persons", "people")
    verb = "would count" if is_proposed else "counts" if len(shares) == 1 else "count"
    when = "after the merge" if is_proposed else "now"
    return (
        f"**{count} {verb} in the capacity of `/sprint plan` {when}:** {people}. People who aren't listed "
        "don't count, so list everyone: `/agile config set people.<login> 100%`."
    )


def absence_hint(people: Iterable[PersonCapacity]) -> str:
    """Who is away, where it is not known who is in the team; empty if nobody is."""
    away = [someone for someone in people if someone.days_away]
    if not away:
        return ""
    return (
        f"Away: {_list_away(away)}. To see what that leaves, list everyone in the setting `people`: "
        f"`/agile config set people.{away[0].login} 100%`."
    )


def capacity_list(capacity: Capacity) -> str:
    """Everyone's person-days, which add up to the capacity."""
    rows = [
        (
            person(someone.login),
            f"{number(100 * someone.share)} %",
            f"{someone.working_days}",
            f"{someone.days_away}",
            number(someone.person_days),
        )
        for someone in capacity.people
    ]
    total = ("**All**", "", "", "", f"**{number(capacity.person_days)}**")
    head = ("Person", "Share", "Working days", "Away", "Person-days")
    return folded(f"Capacity: {number(capacity.person_days)} person-days", table(head, [*rows, total]))


def _compare_load(load: Decimal, expected: Decimal, unit: str) -> str:
    planned = f"{quantity(load, unit)} planned"
    if load > expected:
        return f"{planned}, {number(load - expected)} more"
    if load < expected:
        return f"{planned}, {number(expected - load)} less"
    return f"{planned}, the same amount"


def _list_away(people: Iterable[PersonCapacity]) -> str:
    return ", ".join(f"{person(someone.login)} {counted(someone.days_away, 'day')}" for someone in people)
