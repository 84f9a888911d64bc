from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouxin.rules.limits import METHODS, LimitFigures, assess_working_assets, suggest
from shouxin.rules.line import Limit
from shouxin.rules.policy import Discount, Grade
from tests.book import book, changed

A, B, C, D = Grade
WAN = Decimal(10000)


def wan(*numbers):
    return tuple(Decimal(number) * WAN for number in numbers)


def balance(current_assets, inventory, current_liabilities, total_liabilities, net_worth):
    keys = ("current_assets", "inventory", "current_liabilities", "total_liabilities", "net_worth")
    figures = (current_assets, inventory, current_liabilities, total_liabilities, net_worth)
    return dict(zip(keys, wan(*figures), strict=True))


def result(key, figures, grade=B, policy=None):
    policy = policy or book()
    return METHODS[key](policy, policy.grades[grade], figures)


SOUND = LimitFigures(
    monthly_sales=(Decimal(300000),) * 12,
    monthly_collections=wan(120, 100, 90, 80, 110, 70),
    paid_in_capital=wan(500)[0],
    **balance(1200, 400, 800, 1000, 900),
)


# --- the methods ---------------------------------------------------------------------------------

WORKING_ASSETS = [
    # current assets, inventory, current liabilities, liabilities, net worth; assets, A, B, C, D, value, share, limit
    ((1200, 400, 800, 1000, 900), (650, "1.5000", "1.0000", "0.8889", "1.1111", "0.5000", "0.2", "130")),
    ((500, 300, 600, 900, 200), (50, "0.8333", "0.3333", "3.0000", "4.5000", "-6.3333", "0", "0")),
    ((2000, 500, 500, 600, 2400), (1950, "4.0000", "3.0000", "0.2083", "0.2500", "6.5417", "0.25", "487.5")),
    ((900, 450, 700, 1000, 400), (300, "1.2857", "0.6429", "1.7500", "2.5000", "-2.3214", "0.1", "30")),
    ((1000, 300, 900, 1100, 600), (350, "1.1111", "0.7778", "1.5000", "1.8333", "-1.4444", "0.125", "43.75")),
]


@pytest.mark.parametrize(("sheet", "expected"), WORKING_ASSETS)
def test_working_assets(sheet, expected):
    assets, a, b, c, d, value, share, limit = map(Decimal, expected)
    model = assess_working_assets(book().limits.working_assets, **balance(*sheet))
    assert (model.working_assets, model.a, model.b, model.c, model.d) == (assets * WAN, a, b, c, d)
    assert (model.value, model.share) == (value, share)
    assert result("working_assets", LimitFigures(**balance(*sheet))).amount == limit * WAN


@pytest.mark.parametrize(
    "bands", [pytest.param((), id="no bands"), pytest.param(((Decimal("0.4"), Decimal("0.1")),), id="no open band")]
)
def test_a_value_no_band_holds_allows_nothing(bands):
    assert assess_working_assets(bands, **balance(*WORKING_ASSETS[0][0])).share == 0


@pytest.mark.parametrize(
    ("value", "share"),
    [
        ("-4.6001", "0"),
        ("-4.6", "0"),
        ("-4.5999", "0.025"),
        ("-3.9", "0.025"),
        ("-3.2", "0.05"),
        ("-2.5", "0.075"),
        ("-1.8", "0.1"),
        ("-1.1", "0.125"),
        ("-0.4", "0.15"),
        ("0.3", "0.175"),
        ("0.3001", "0.2"),
        ("0.95", "0.2"),
        ("1.0", "0.2"),
        ("1.0001", "0.25"),
    ],
)
def test_bands_of_the_assessment_value_have_no_gaps(value, share):
    # With C = D = 1 and no inventory, the value is twice the current ratio less 2.
    ratio = (Decimal(value) + 2) / 2
    liabilities = Decimal(10000)
    model = assess_working_assets(
        book().limits.working_assets,
        current_assets=ratio * liabilities,
        inventory=Decimal(0),
        current_liabilities=liabilities,
        total_liabilities=liabilities,
        net_worth=liabilities,
    )
    assert (model.value, model.share) == (Decimal(value), Decimal(share))


@pytest.mark.parametrize(
    ("sheet", "why_not"),
    [
        pytest.param((500, 300, 600, 900, 0), "net_worth_not_positive", id="no net worth"),
        pytest.param((500, 300, 600, 900, -50), "net_worth_not_positive", id="net worth below zero"),
        pytest.param((500, 300, 0, 0, 500), "current_liabilities_not_positive", id="no current liabilities"),
    ],
)
def test_where_the_model_does_not_fit_it_gives_nothing_and_asks_for_a_person(sheet, why_not):
    figures = LimitFigures(**balance(*sheet))
    found = result("working_assets", figures)
    assert (found.applicable, found.amount, found.why_not) == (False, 0, why_not)
    suggestion = suggest(book(), A, figures, paid_invoices=9)
    assert suggestion.limit == Limit.none()
    assert suggestion.codes == ("needs_a_person",)
    with pytest.raises(ValueError, match="not defined"):
        assess_working_assets(book().limits.working_assets, **balance(*sheet))


def test_sales_volume():
    # Domain 1.4: 300,000 × 60/30 × 80 % = 480,000.
    policy = changed({"grades.B.term_days": 60, "grades.B.term_days_max": 60})
    assert result("sales_volume", LimitFigures(monthly_sales=[Decimal(300000)]), policy=policy).amount == 480000


def test_sales_volume_averages_the_months_that_sold_something():
    sales = [Decimal(300000), Decimal(0), Decimal(100000), *[Decimal(0)] * 9, Decimal(99999999)]
    found = result("sales_volume", LimitFigures(monthly_sales=sales))
    assert found.inputs["average_monthly_sales"] == 200000
    assert found.inputs["months"] == 2


def test_expected_sales_stand_in_for_a_new_customer():
    found = result("sales_volume", LimitFigures(expected_monthly_sales=Decimal(100000)))
    assert (found.amount, found.inputs["months"]) == (80000, 0)


def test_more_returns_than_sales_give_nothing():
    assert result("sales_volume", LimitFigures(monthly_sales=[Decimal(-5)])).amount == 0


def test_collections():
    # Domain 1.4: weighted average 100.4762; term 45 days -> 150.71 (in 10,000).
    policy = changed({"grades.B.term_days": 45})
    found = result("collections", LimitFigures(monthly_collections=wan(120, 100, 90, 80, 110, 70)), policy=policy)
    assert round(found.inputs["weighted_average"] / WAN, 4) == Decimal("100.4762")
    assert round(found.amount / WAN, 2) == Decimal("150.71")


def test_collections_of_a_short_history_use_the_weights_of_the_months_there_are():
    found = result("collections", LimitFigures(monthly_collections=[Decimal(600), Decimal(50)]))
    assert found.inputs["weighted_average"] == 350


@pytest.mark.parametrize(
    ("key", "figures", "amount"),
    [
        ("net_worth", LimitFigures(net_worth=wan(900)[0]), "900000"),
        ("net_worth", LimitFigures(net_worth=Decimal(-5)), "0"),
        ("paid_in_capital", LimitFigures(paid_in_capital=wan(500)[0]), "500000"),
    ],
)
def test_shares_of_capital(key, figures, amount):
    assert result(key, figures).amount == Decimal(amount)


@pytest.mark.parametrize(
    ("key", "why_not"),
    [
        ("sales_volume", "no_sales"),
        ("collections", "no_collections"),
        ("net_worth", "no_net_worth"),
        ("paid_in_capital", "no_paid_in_capital"),
        ("working_assets", "no_balance_sheet"),
        ("feature_analysis", "no_features"),
        ("net_worth_card", "no_net_worth"),
    ],
)
def test_a_method_without_figures_says_so(key, why_not):
    found = result(key, LimitFigures())
    assert (found.applicable, found.amount, found.why_not) == (False, None, why_not)


# --- the suggestion ------------------------------------------------------------------------------


@pytest.mark.clause("B2.1")
def test_the_least_of_the_methods_is_suggested():
    found = suggest(book(), B, SOUND, paid_invoices=9)
    amounts = {method.key: method.amount for method in found.methods}
    assert amounts == {
        "sales_volume": Decimal("240000.00"),
        "collections": Decimal("1004761.90"),
        "net_worth": Decimal("900000.00"),
        "paid_in_capital": Decimal("500000.00"),
        "working_assets": Decimal("1300000.00"),
        "feature_analysis": None,
        "net_worth_card": Decimal("0.00"),
    }
    assert (found.limit, found.binding) == (Limit.of(Decimal(240000)), "sales_volume")
    assert (found.term_days, found.discount) == (30, Discount(percent=Decimal(1), days=10))
    assert found.codes == ()


def test_a_method_that_is_not_used_is_shown_and_does_not_count():
    policy = changed({"limits.use": ["net_worth"]})
    found = suggest(policy, B, SOUND, paid_invoices=9)
    assert (found.binding, found.limit) == ("net_worth", Limit.of(Decimal(900000)))
    assert [method.key for method in found.methods if method.counts] == ["net_worth"]
    assert len(found.methods) == len(METHODS)


@pytest.mark.parametrize(
    ("changes", "grade", "paid_invoices", "binding", "amount"),
    [
        pytest.param({"grades.C.limit_max": 50000}, C, 9, "grade", 50000, id="cap of the grade"),
        pytest.param({"limits.concentration_max": 70000}, B, 9, "concentration", 70000, id="cap of concentration"),
        pytest.param({}, B, 2, "new_customer", 100000, id="cap for new customers"),
        pytest.param({}, B, 3, "sales_volume", 240000, id="no longer new"),
        pytest.param({"new_customer.limit_max": 0}, B, 2, "new_customer", 0, id="no credit at first"),
    ],
)
def test_caps(changes, grade, paid_invoices, binding, amount):
    found = suggest(changed(changes), grade, SOUND, paid_invoices=paid_invoices)
    assert (found.binding, found.limit) == (binding, Limit.of(Decimal(amount)))


@pytest.mark.clause("B2.5")
@pytest.mark.parametrize(
    ("changes", "grade"),
    [
        pytest.param({}, D, id="grade D"),
        pytest.param({"grades.D.limit_max": None, "grades.D.limit_coefficient": 1}, D, id="D whatever the book says"),
        pytest.param({"grades.C.limit_max": 0}, C, id="a grade whose cap is 0"),
    ],
)
def test_a_grade_without_credit_has_no_line(changes, grade):
    found = suggest(changed(changes), grade, SOUND, paid_invoices=9)
    assert (found.limit, found.binding, found.term_days, found.discount) == (Limit.none(), "grade", 0, None)
    assert found.codes == ("grade_gives_no_credit",)


@pytest.mark.parametrize(
    ("grade", "limit", "codes"),
    [
        (B, Limit.of(Decimal(100000)), ("no_method",)),
        (D, Limit.none(), ("grade_gives_no_credit", "no_method")),
    ],
)
def test_with_no_figures_at_all_a_first_limit_if_the_grade_allows(grade, limit, codes):
    found = suggest(book(), grade, LimitFigures(), paid_invoices=50)
    assert (found.limit, found.codes) == (limit, codes)


def test_a_limit_is_rounded_down():
    sales = [Decimal("12498.74")]
    assert suggest(book(), B, LimitFigures(monthly_sales=sales), paid_invoices=9).limit == Limit.of(Decimal(9000))
    exact = changed({"limits.round_down_to": 0})
    assert suggest(exact, B, LimitFigures(monthly_sales=sales), paid_invoices=9).limit.amount == Decimal("9998.99")


def test_a_limit_rounded_to_nothing_says_so():
    found = suggest(book(), B, LimitFigures(monthly_sales=[Decimal(1000)]), paid_invoices=9)
    assert (found.limit, found.codes, found.term_days) == (Limit.none(), ("rounded_to_nothing",), 0)


amounts = st.none() | st.decimals(-(10**9), 10**9, places=2)
series = st.lists(st.decimals(-(10**7), 10**8, places=2), max_size=14)
figures = st.builds(LimitFigures, series, amounts, series, amounts, amounts, amounts, amounts, amounts, amounts)


@given(st.sampled_from(Grade), figures, st.integers(0, 5))
def test_a_suggestion_is_never_above_any_method_or_cap(grade, found, paid_invoices):
    suggestion = suggest(book(), grade, found, paid_invoices=paid_invoices)
    bound = suggestion.limit.bound
    assert suggestion.limit.kind in ("none", "amount")
    assert bound >= 0
    assert bound % book().limits.round_down_to == 0
    for method in suggestion.methods:
        assert not method.counts or method.amount is None or bound <= method.amount
    assert all(bound <= cap.amount for cap in suggestion.caps)
    assert suggestion.limit.gives_credit == (suggestion.term_days > 0)


@given(figures, st.integers(0, 5))
def test_a_worse_grade_never_gets_more(found, paid_invoices):
    bounds = [suggest(book(), grade, found, paid_invoices=paid_invoices).limit.bound for grade in Grade]
    assert bounds == sorted(bounds, reverse=True)


def test_a_house_without_a_card_of_net_worth_and_without_a_bound_on_one_customer():
    policy = changed({"limits.net_worth_card": [], "limits.concentration_max": None})
    assert result("net_worth_card", SOUND, policy=policy).why_not == "no_card"
    assert suggest(policy, B, SOUND, paid_invoices=9).binding != "concentration"
