"""The plans: what each includes, how much of it, and what it costs. `docs/plans.md` is made from here."""

from dataclasses import dataclass
from enum import StrEnum


class PlanName(StrEnum):
    """A plan as tables, settings and `--json` name it."""

    FREE = "free"
    PRO = "pro"
    ENTERPRISE = "enterprise"


class Feature(StrEnum):
    """What a plan may include beyond what everybody has; a command names one as its `feature`."""

    FORECASTS = "forecasts"
    FLOW = "flow"
    INSIGHTS = "insights"
    EXPORT = "export"
    AUDIT = "audit"


FEATURES = {
    Feature.FORECASTS: "Forecasts: when work will be done and how sure that is, and what would change it",
    Feature.FLOW: "Flow: cycle time, aging, throughput and cumulative flow",
    Feature.INSIGHTS: "Insights: short texts by a language model, where the operator has set one up",
    Feature.EXPORT: "Export of a repository's history and numbers",
    Feature.AUDIT: "The audit log: who did what",
}


class Metric(StrEnum):
    """What usage is counted in, by UTC day."""

    PROJECTS_CREATED = "projects_created"
    COMMANDS_ANSWERED = "commands_answered"
    API_CALLS = "api_calls"
    AI_WORDS = "ai_words"


METRICS = {
    Metric.PROJECTS_CREATED: "repositories added",
    Metric.COMMANDS_ANSWERED: "commands answered",
    Metric.API_CALLS: "calls of the API",
    Metric.AI_WORDS: "words written by a language model",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan. Prices are US cents for a seat; a year is paid at once.

    `api_calls_a_day` and `ai_words_a_month` are included for the whole account, 0 for none.
    """

    name: PlanName
    title: str
    summary: str
    features: frozenset[Feature]
    monthly_cents: int = 0
    yearly_cents: int = 0
    api_calls_a_day: int = 0
    ai_words_a_month: int = 0

    @property
    def is_paid(self) -> bool:
        return self.monthly_cents > 0

    @property
    def rank(self) -> int:
        """The higher, the more it includes."""
        return list(PlanName).index(self.name)


_PRO = frozenset({Feature.FORECASTS, Feature.FLOW, Feature.INSIGHTS, Feature.EXPORT})

PLANS = {
    plan.name: plan
    for plan in (
        Plan(
            PlanName.FREE,
            "Free",
            "sprints, estimates, burndown, velocity and reports, for any number of people",
            frozenset(),
            api_calls_a_day=1_000,
        ),
        Plan(
            PlanName.PRO,
            "Pro",
            "all of it for private repositories, and forecasts",
            _PRO,
            monthly_cents=600,
            yearly_cents=6_000,
            api_calls_a_day=10_000,
            ai_words_a_month=50_000,
        ),
        Plan(
            PlanName.ENTERPRISE,
            "Enterprise",
            "Pro, and what auditors ask for",
            frozenset(Feature),
            monthly_cents=1_000,
            yearly_cents=10_000,
            api_calls_a_day=100_000,
            ai_words_a_month=250_000,
        ),
    )
}

# In a public repository this plan's features are free, for everybody.
PUBLIC_REPOSITORIES = PlanName.PRO

# A seat is a person who acted on planned work of a private repository within so many days.
SEAT_DAYS = 30


def cheapest_with(feature: Feature) -> Plan:
    """The plan to buy for a feature."""
    return next(plan for plan in PLANS.values() if feature in plan.features)


_INTRODUCTION = (
    "Everything that is not listed under “Features” is part of every plan: sprints, estimates, planning, "
    "burndown, burnup, velocity, reports, and the explanation of every number. "
    f"**Public repositories are free**: they have all that {PLANS[PUBLIC_REPOSITORIES].title} has, for "
    "everybody, and nobody there needs a seat. Who runs the App for themselves and sells nothing has "
    "every feature (`BILLING=off`)."
)
_ON_PRICES = (
    "Prices are in US dollars, without tax. What counts in the end is what GitHub or Stripe showed when "
    "you bought."
)
_ON_SEATS = (
    f"A seat is a person who acted on planned work of a private repository within the last {SEAT_DAYS} "
    "days: who opened, moved, estimated, closed, or did anything else to an issue or pull request that "
    "was in a milestone. Who only reads needs none. Bots are none, and neither is whoever acts in public "
    "repositories alone, such as outside contributors. With more people than seats, those who came last "
    "wait for a seat; nothing changes for the others."
)


def page(commands: dict[Feature, list[str]]) -> str:
    """`docs/plans.md`. `commands` are the commands that carry each feature."""
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
        "“–” under “Commands”: no command of this version needs it yet.",
        "## Limits and prices",
        _table(
            ["", *titles],
            [
                ["for a seat and month, paid monthly", *(_price(p.monthly_cents) for p in PLANS.values())],
                [
                    "for a seat and month, paid yearly",
                    *(_price(p.yearly_cents / 12) for p in PLANS.values()),
                ],
                ["people", *("as many as paid for" if p.is_paid else "any number" for p in PLANS.values())],
                ["calls of the API a day", *(f"{p.api_calls_a_day:,}" for p in PLANS.values())],
                ["words by a language model a month", *(_some(p.ai_words_a_month) for p in PLANS.values())],
            ],
        ),
        _ON_PRICES,
        "## Seats",
        _ON_SEATS,
        "How buying, changing, cancelling and failed payments work: [billing.md](billing.md).",
    ]
    return "\n\n".join(lines) + "\n"


def _price(cents: float) -> str:
    return f"${cents / 100:.2f}" if cents else "$0"


def _some(number: int) -> str:
    return f"{number:,}" if number else "none"


def _table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, [":--"] * len(head), *rows])
