"""The figures of domain 5.2, each worked out again from its own formula and inputs."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouxin.rules.figures import (
    PLACES,
    MonthSales,
    average_days_delinquent,
    bad_debt_ratio,
    best_possible_dso,
    collection_effectiveness,
    countback_dso,
    limit_utilisation,
    overdue_ratio,
    simple_dso,
    turnover,
    turnover_days,
    weighted_overdue_days,
)
from shouxin.rules.line import Limit
from shouxin.rules.money import round_half_up

D = Decimal
MONTHS = [MonthSales(D(400), 31), MonthSales(D(350), 30), MonthSales(D(300), 31)]
AMOUNTS = st.integers(0, 10**8).map(lambda cents: Decimal(cents) / 100)
HISTORY = st.lists(st.builds(MonthSales, st.integers(-(10**6), 10**7).map(lambda c: D(c) / 100), st.integers(28, 31)))


def worked_out(figure):
    """The value a reader finds who puts the inputs into the formula."""
    value = eval(figure.formula, {"__builtins__": {}}, dict(figure.inputs))
    return round_half_up(value, PLACES[figure.unit])


VECTORS = [
    pytest.param(simple_dso(D(1000), D(1070), 92), "85.98", id="dso"),
    pytest.param(countback_dso(D(1000), MONTHS), "86.83", id="countback"),
    pytest.param(turnover(D(12000), D(1800), D(2200)), "6.00", id="turnover"),
    pytest.param(turnover_days(D(12000), D(1800), D(2200), 365), "60.83", id="turnover in days of 365"),
    pytest.param(turnover_days(D(12000), D(1800), D(2200), 360), "60.00", id="turnover in days of 360"),
    pytest.param(best_possible_dso(D(820), D(1070), 92), "70.50", id="best possible"),
    pytest.param(average_days_delinquent(D(1000), D(820), D(1070), 92), "15.48", id="delinquent"),
    pytest.param(collection_effectiveness(D(1000), D(1070), D(1000), D(820)), "0.8560", id="effectiveness"),
    pytest.param(overdue_ratio(D(180), D(1000)), "0.1800", id="overdue ratio"),
    pytest.param(bad_debt_ratio(D(5), D(1070)), "0.0047", id="bad debts"),
    pytest.param(weighted_overdue_days([(D(100), 10), (D(300), 50)]), "40.00", id="weighted overdue days"),
    pytest.param(limit_utilisation(D(430), Limit.of(D(500))), "0.8600", id="utilisation"),
    pytest.param(limit_utilisation(D(-10), Limit.of(D(500))), "-0.0200", id="paid in advance"),
]


@pytest.mark.parametrize(("figure", "value"), VECTORS)
def test_vectors(figure, value):
    assert figure.value == D(value) and str(figure.value) == value and figure.why_none is None


@pytest.mark.parametrize(("figure", "value"), VECTORS)
def test_the_formula_gives_the_value(figure, value):
    assert worked_out(figure) == D(value)


@pytest.mark.parametrize(
    ("figure", "why"),
    [
        pytest.param(simple_dso(D(1000), D(0), 92), "no_sales", id="no sales"),
        pytest.param(best_possible_dso(D(1000), D(-5), 92), "no_sales", id="more returned than sold"),
        pytest.param(countback_dso(D(1200), MONTHS), "history_exhausted", id="older than the history"),
        pytest.param(countback_dso(D(1), []), "history_exhausted", id="no history"),
        pytest.param(countback_dso(D(-1), MONTHS), "credit_balance", id="customers paid too much"),
        pytest.param(overdue_ratio(D(0), D(0)), "no_receivables", id="nothing open"),
        pytest.param(turnover(D(10), D(0), D(0)), "no_receivables", id="nothing on average"),
        pytest.param(collection_effectiveness(D(0), D(100), D(100), D(100)), "nothing_collectable", id="not due"),
        pytest.param(weighted_overdue_days([]), "nothing_overdue", id="nothing overdue"),
        pytest.param(bad_debt_ratio(D(5), D(0)), "no_sales", id="bad debts of nothing"),
        pytest.param(limit_utilisation(D(5), Limit.unset()), "limit_unset", id="nobody decided"),
        pytest.param(limit_utilisation(D(5), Limit.of(D(0))), "limit_none", id="cash only"),
        pytest.param(limit_utilisation(D(5), Limit.unlimited()), "limit_unlimited", id="without bound"),
    ],
)
def test_a_figure_without_value_says_why(figure, why):
    assert figure.value is None and figure.why_none == why


@pytest.mark.parametrize(
    ("receivables", "months", "value"),
    [
        pytest.param(0, MONTHS, "0.00", id="nothing open"),
        pytest.param(0, [], "0.00", id="nothing open, no history"),
        pytest.param(400, MONTHS, "31.00", id="exactly one month"),
        pytest.param(1050, MONTHS, "92.00", id="exactly the history"),
        pytest.param(100, [MonthSales(D(0), 31), MonthSales(D(200), 30)], "46.00", id="a month without sales"),
        pytest.param(100, [MonthSales(D(-50), 31), MonthSales(D(200), 30)], "46.00", id="a month of returns"),
    ],
)
def test_counting_back(receivables, months, value):
    assert countback_dso(D(receivables), months).value == D(value)


def test_an_exhausted_history_says_how_many_days_at_least():
    figure = countback_dso(D(1200), MONTHS)
    assert figure.inputs["whole_days"] == 92 and figure.inputs["left"] == 150


@given(AMOUNTS, HISTORY)
def test_counting_back_can_be_worked_out_again_and_never_passes_the_history(receivables, months):
    figure = countback_dso(receivables, months)
    if figure.value is None:
        assert figure.why_none == "history_exhausted"
        assert receivables > sum(max(month.sales, D(0)) for month in months)
    else:
        assert worked_out(figure) == figure.value
        assert 0 <= figure.value <= sum(month.days for month in months)


@given(AMOUNTS, AMOUNTS, HISTORY)
def test_more_receivables_never_make_a_shorter_countback(receivables, more, months):
    less, most = countback_dso(receivables, months), countback_dso(receivables + more, months)
    assert most.value is None or less.value <= most.value


@given(AMOUNTS, AMOUNTS, AMOUNTS.filter(bool), st.integers(1, 366))
def test_dso_is_the_best_possible_plus_what_late_payment_costs(not_due, overdue, sales, days):
    whole = simple_dso(not_due + overdue, sales, days).value
    parts = best_possible_dso(not_due, sales, days).value
    late = average_days_delinquent(not_due + overdue, not_due, sales, days).value
    assert abs(whole - parts - late) <= D("0.01")
