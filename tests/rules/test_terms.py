"""Does an order ask for more than its line grants?"""

from decimal import Decimal

import pytest

from shouxin.rules.policy import Discount
from shouxin.rules.terms import loosened


def off(percent, days):
    return Discount(percent=Decimal(percent), days=days)


@pytest.mark.parametrize(
    ("order_term_days", "order_discount", "asks_more"),
    [
        pytest.param(None, None, False, id="the line's own terms"),
        pytest.param(30, off(1, 10), False, id="exactly what is granted"),
        pytest.param(31, None, True, id="one day longer"),
        pytest.param(0, None, False, id="cash"),
        pytest.param(30, off("1.01", 10), True, id="a little more off"),
        pytest.param(30, off(1, 11), True, id="a day longer to take it"),
        pytest.param(30, off("0.5", 30), True, id="less off, but for longer"),
        pytest.param(30, off("0.5", 5), False, id="less off, for shorter"),
        pytest.param(30, off(0, 60), False, id="nothing off"),
    ],
)
def test_against_a_line_of_30_days_with_1_percent_in_10(order_term_days, order_discount, asks_more):
    assert loosened(30, off(1, 10), order_term_days, order_discount) is asks_more


def test_any_discount_is_more_than_none():
    assert loosened(30, None, None, off("0.01", 1)) and not loosened(30, None, None, None)
