"""The table of plans is consistent and contains the feature of every command."""

import itertools

import commands
from commands.framework.registry import load_commands
from marketplace.plans import FEATURES, METRICS, PLANS, Feature, Metric, PlanName, cheapest_with, plans_page


def test_every_plan_feature_and_metric_is_reported() -> None:
    assert list(PLANS) == list(PlanName)
    assert set(FEATURES) == set(Feature)
    assert set(METRICS) == set(Metric)


def test_a_higher_plan_includes_all_of_the_lower_ones() -> None:
    plans = list(PLANS.values())
    for lower, higher in itertools.pairwise(plans):
        assert lower.features < higher.features
        assert lower.monthly_cents < higher.monthly_cents
        assert lower.rank < higher.rank


def test_prices_are_between_five_and_ten_dollars_and_a_year_costs_less() -> None:
    for plan in PLANS.values():
        if plan.is_paid:
            assert 500 <= plan.monthly_cents <= 1000
            assert plan.yearly_cents < 12 * plan.monthly_cents


def test_every_feature_can_be_bought() -> None:
    assert {cheapest_with(feature).name for feature in Feature} == {PlanName.PRO, PlanName.ENTERPRISE}


def test_what_is_advertised_is_there_and_what_needs_a_plan_is_advertised() -> None:
    assert {command.feature for command in load_commands(commands)} - {None} == set(Feature)


def test_the_page_names_the_commands_of_a_feature() -> None:
    data = plans_page({Feature.FORECASTS: ["forecast", "whatif"]})
    assert "| `/forecast`, `/whatif` | – | yes | yes |" in data
    assert "| per seat and month, paid yearly | $0 | $5.00 | $8.33 |" in data


def test_the_page_says_what_is_charged_once_a_year() -> None:
    data = plans_page({})
    assert "| per seat and year, paid once a year | $0 | $60.00 | $100.00 |" in data
    assert "a seat of Pro costs $60.00 once a year, which comes to $5.00 a month" in data
