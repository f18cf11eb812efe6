"""The plans: their features, limits and prices, from which `docs/plans.md` is generated.

Only what is enforced is listed: each feature belongs to commands or to parts of reports and checks, and the
only limit is the number of people.
"""

from dataclasses import dataclass
from enum import StrEnum


class PlanName(StrEnum):
    """The name of a plan in tables, settings and `--json`."""

    FREE = "free"
    PRO = "pro"
    ENTERPRISE = "enterprise"


class Feature(StrEnum):
    """A feature that not every plan includes; a command names one as its `feature`."""

    FORECASTS = "forecasts"
    FLOW = "flow"
    AUDIT = "audit"


FEATURES = {
    Feature.FORECASTS: "Forecasts: when work will be done, how likely that is, and what would change it",
    Feature.FLOW: "Flow: cycle time, aging, throughput, and cumulative flow",
    Feature.AUDIT: "The audit log: who changed what through commands",
}


class Metric(StrEnum):
    """A metric of usage, counted by UTC day."""

    PROJECTS_CREATED = "projects_created"
    COMMANDS_ANSWERED = "commands_answered"
    API_CALLS = "api_calls"


METRICS = {
    Metric.PROJECTS_CREATED: "repositories added",
    Metric.COMMANDS_ANSWERED: "commands answered",
    Metric.API_CALLS: "GitHub API requests",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan with its features and prices, in US cents for a seat; a year is paid at once."""

    name: PlanName
    title: str
    features: frozenset[Feature]
    monthly_cents: int = 0
    yearly_cents: int = 0

    @property
    def is_paid(self) -> bool:
        return self.monthly_cents > 0

    @property
    def rank(self) -> int:
        """The position among the plans; a higher one includes more."""
        return list(PlanName).index(self.name)


_PRO = frozenset({Feature.FORECASTS, Feature.FLOW})

PLANS = {
    plan.name: plan
    for plan in (
        Plan(PlanName.FREE, "Free", frozenset()),
        Plan(PlanName.PRO, "Pro", _PRO, monthly_cents=600, yearly_cents=6_000),
        Plan(PlanName.ENTERPRISE, "Enterprise", frozenset(Feature), monthly_cents=1_000, yearly_cents=10_000),
    )
}

# The features of this plan are free in public repositories, for everybody.
PUBLIC_REPOSITORIES = PlanName.PRO

# A seat is a person who acted on planned work of a private repository within this many days.
SEAT_DAYS = 30


def cheapest_with(feature: Feature) -> Plan:
    """Return the cheapest plan with a feature."""
    return next(plan for plan in PLANS.values() if feature in plan.features)


_INTRODUCTION = (
    "Every plan includes everything that is not listed under “Features”: sprints, estimates, planning, "
    "burndown, burnup, velocity, reports, and the explanation of every number. **Public repositories are "
    f"free**: everyone can use all {PLANS[PUBLIC_REPOSITORIES].title} features there, and nobody needs a "
    "seat. If you run the App yourself and sell nothing, you have every feature (`BILLING=off`)."
)
_ON_FORECASTS = (
    "Every plan includes tracking comments, alerts, summaries, standups, checks, and nightly figures. The "
    "chance to finish, which these, `/sprint status`, and `/risk` show, needs forecasts. Without forecasts "
    "it is left out, and all other numbers stay."
)
_PRO_PLAN = PLANS[PlanName.PRO]
_ON_PRICES = (
    f"Prices are in US dollars, without tax. Paid yearly, a seat of {_PRO_PLAN.title} costs "
    f"${_PRO_PLAN.yearly_cents / 100:.2f} once a year, which comes to ${_PRO_PLAN.yearly_cents / 1200:.2f} a "
    "month. The price that counts is the one that GitHub or Stripe showed when you bought. The number of "
    "people is the only limit. `/agile usage` counts other usage, which is not limited. An operator may "
    "charge for usage; `/agile usage` then says so."
)
_ON_SEATS = (
    f"A seat is for a person who acted on planned work of a private repository within the last {SEAT_DAYS} "
    "days: they opened, moved, estimated, closed, or otherwise changed an issue or pull request that was in "
    "a milestone. People who only read need no seat. Neither do bots, nor people who act only in public "
    "repositories, such as outside contributors. Work done before a repository became private never needs a "
    "seat. On GitHub Marketplace you buy a fixed number of seats: if there are more people than seats, the "
    "people who came last wait for a seat, and nothing changes for the others. If you pay by card, the "
    "number of seats follows the number of people once a day, and a large increase needs an admin's approval "
    "(`/agile seats`)."
)


def plans_page(commands: dict[Feature, list[str]]) -> str:
    """Render `docs/plans.md`. `commands` are the names of the commands that need each feature."""
    titles = [plan.title for plan in PLANS.values()]
    lines = [
        "# Plans",
        "_Generated from `marketplace/plans.py` by `make docs`._",
        _INTRODUCTION,
        "## Features",
        _table(
            ["Feature", "Commands", *titles],
            [
                [text, ", ".join(f"`/{name}`" for name in commands.get(feature, [])) or "–"]
                + ["yes" if feature in plan.features else "–" for plan in PLANS.values()]
                for feature, text in FEATURES.items()
            ],
        ),
        _ON_FORECASTS,
        "## Limits and prices",
        _table(
            ["", *titles],
            [
                ["per seat and month, paid monthly", *(_price(p.monthly_cents) for p in PLANS.values())],
                [
                    "per seat and year, paid once a year",
                    *(_price(p.yearly_cents) for p in PLANS.values()),
                ],
                [
                    "per seat and month, paid yearly",
                    *(_price(p.yearly_cents / 12) for p in PLANS.values()),
                ],
                ["people", *("as many as paid for" if p.is_paid else "any number" for p in PLANS.values())],
                ["repositories, sprints, items, history", *("any number" for _ in PLANS)],
            ],
        ),
        _ON_PRICES,
        "## Seats",
        _ON_SEATS,
        "For buying, changing and cancelling a plan, and for failed payments, see [billing.md](billing.md).",
    ]
    return "\n\n".join(lines) + "\n"


def _price(cents: float) -> str:
    return f"${cents / 100:.2f}" if cents else "$0"


def _table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, [":--"] * len(head), *rows])
