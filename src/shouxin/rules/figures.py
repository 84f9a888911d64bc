"""The figures by which receivables are judged (clause C3.5): the DSO family, ratios, collection effectiveness.

Every figure carries its formula and the numbers put into it, under the formula's own names, so that a reader can work
it out again on paper. A figure that cannot be computed says why and is never shown as 0. Credit sales are with tax,
as receivables are. Days and times have two decimals, shares of one have four, rounded half up once at the end.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from .line import Limit
from .money import round_half_up

Unit = Literal["days", "share", "times"]
Inputs = Mapping[str, Decimal]

ZERO = Decimal(0)
PLACES: Mapping[Unit, int] = {"days": 2, "share": 4, "times": 2}


@dataclass(frozen=True)
class Figure:
    """One figure: its value and unit, the formula, the inputs by name, and a code when there is no value.

    `why_none`: no_sales, no_receivables, nothing_overdue, nothing_collectable, credit_balance (the customers have paid
    too much), history_exhausted (the months given do not reach back far enough), limit_unset, limit_none,
    limit_unlimited.
    """

    key: str
    value: Decimal | None
    unit: Unit
    formula: str
    inputs: Inputs
    why_none: str | None = None


@dataclass(frozen=True, slots=True)
class MonthSales:
    """One month's credit sales, with tax and net of credit notes, and the days counted of it."""

    sales: Decimal
    days: int


def simple_dso(receivables: Decimal, credit_sales: Decimal, days: int) -> Figure:
    """Days of sales outstanding, period method: how many days' sales stand open. `days` is the period's length."""
    inputs = {"receivables": receivables, "credit_sales": credit_sales, "days": Decimal(days)}
    return _quotient(
        "dso", "days", "receivables / credit_sales * days", inputs, receivables * days, credit_sales, "no_sales"
    )


def best_possible_dso(not_due: Decimal, credit_sales: Decimal, days: int) -> Figure:
    """The DSO there would be if everybody paid on the due date: only what is not due yet stands open."""
    inputs = {"not_due": not_due, "credit_sales": credit_sales, "days": Decimal(days)}
    return _quotient(
        "best_possible_dso", "days", "not_due / credit_sales * days", inputs, not_due * days, credit_sales, "no_sales"
    )


def average_days_delinquent(receivables: Decimal, not_due: Decimal, credit_sales: Decimal, days: int) -> Figure:
    """The part of the DSO that late payment causes: DSO less the best possible DSO."""
    inputs = {"receivables": receivables, "not_due": not_due, "credit_sales": credit_sales, "days": Decimal(days)}
    formula = "(receivables - not_due) / credit_sales * days"
    late = (receivables - not_due) * days
    return _quotient("average_days_delinquent", "days", formula, inputs, late, credit_sales, "no_sales")


def countback_dso(receivables: Decimal, months: Sequence[MonthSales]) -> Figure:
    """Days of sales outstanding by counting back: months are used up, newest first, until the receivables are.

    The month in which they run out counts in proportion. A month without sales, or with more credit notes than sales,
    uses up nothing but its days passed all the same. When the history ends first there is no figure, and
    `whole_days` says how many days it is at least.
    """
    key, formula = "countback_dso", "whole_days + left / month_sales * month_days"
    if receivables < 0:
        return Figure(key, None, "days", formula, {"receivables": receivables}, "credit_balance")
    left, whole_days = receivables, ZERO
    for month in months:
        if left < month.sales or not left:
            return _counted_back(receivables, whole_days, left, month)
        left -= max(month.sales, ZERO)
        whole_days += month.days
    inputs = {"receivables": receivables, "whole_days": whole_days, "left": left}
    if left:
        return Figure(key, None, "days", formula, inputs, "history_exhausted")
    return Figure(key, round_half_up(whole_days), "days", "whole_days", inputs)


def _counted_back(receivables: Decimal, whole_days: Decimal, left: Decimal, month: MonthSales) -> Figure:
    inputs = {"receivables": receivables, "whole_days": whole_days}
    if not left:
        return Figure("countback_dso", round_half_up(whole_days), "days", "whole_days", inputs)
    inputs |= {"left": left, "month_sales": month.sales, "month_days": Decimal(month.days)}
    value = round_half_up(whole_days + left * month.days / month.sales)
    return Figure("countback_dso", value, "days", "whole_days + left / month_sales * month_days", inputs)


def overdue_ratio(overdue: Decimal, receivables: Decimal) -> Figure:
    """The share of the receivables that is past due."""
    inputs = {"overdue": overdue, "receivables": receivables}
    return _quotient("overdue_ratio", "share", "overdue / receivables", inputs, overdue, receivables, "no_receivables")


def collection_effectiveness(
    opening: Decimal, credit_sales: Decimal, closing: Decimal, closing_not_due: Decimal
) -> Figure:
    """The collection effectiveness index: of what could have been collected in the period, the share that was."""
    inputs = {
        "opening": opening,
        "credit_sales": credit_sales,
        "closing": closing,
        "closing_not_due": closing_not_due,
    }
    formula = "(opening + credit_sales - closing) / (opening + credit_sales - closing_not_due)"
    collected, collectable = opening + credit_sales - closing, opening + credit_sales - closing_not_due
    return _quotient(
        "collection_effectiveness", "share", formula, inputs, collected, collectable, "nothing_collectable"
    )


def turnover(credit_sales: Decimal, opening: Decimal, closing: Decimal) -> Figure:
    """How many times the average receivables were turned into money in the period (a year, usually)."""
    inputs = {"credit_sales": credit_sales, "opening": opening, "closing": closing}
    formula = "credit_sales / ((opening + closing) / 2)"
    return _quotient("turnover", "times", formula, inputs, credit_sales * 2, opening + closing, "no_receivables")


def turnover_days(credit_sales: Decimal, opening: Decimal, closing: Decimal, year_days: int) -> Figure:
    """The same in days: how long a year of `year_days` (360 or 365, as the policy says) takes to turn once."""
    inputs = {"credit_sales": credit_sales, "opening": opening, "closing": closing, "year_days": Decimal(year_days)}
    formula = "year_days * (opening + closing) / 2 / credit_sales"
    return _quotient(
        "turnover_days", "days", formula, inputs, year_days * (opening + closing), credit_sales * 2, "no_sales"
    )


def weighted_overdue_days(overdue: Iterable[tuple[Decimal, int]]) -> Figure:
    """The average age of what is overdue, weighted by amount; pairs of amount and days overdue."""
    amounts, amount_days = ZERO, ZERO
    for amount, days in overdue:
        amounts += amount
        amount_days += amount * days
    inputs = {"amount_days": amount_days, "amounts": amounts}
    return _quotient(
        "weighted_overdue_days", "days", "amount_days / amounts", inputs, amount_days, amounts, "nothing_overdue"
    )


def bad_debt_ratio(bad_debts: Decimal, credit_sales: Decimal) -> Figure:
    """What was written off as a share of credit sales of the same period."""
    inputs = {"bad_debts": bad_debts, "credit_sales": credit_sales}
    return _quotient("bad_debt_ratio", "share", "bad_debts / credit_sales", inputs, bad_debts, credit_sales, "no_sales")


def limit_utilisation(exposure: Decimal, limit: Limit) -> Figure:
    """The share of the limit in use; there is none where no amount is granted (unset, none, unlimited)."""
    key, formula = "limit_utilisation", "exposure / limit"
    if limit.amount is None:
        return Figure(key, None, "share", formula, {"exposure": exposure}, f"limit_{limit.kind}")
    inputs = {"exposure": exposure, "limit": limit.amount}
    return _quotient(key, "share", formula, inputs, exposure, limit.amount, "limit_none")


def _quotient(key: str, unit: Unit, formula: str, inputs: Inputs, above: Decimal, below: Decimal, why: str) -> Figure:
    """A figure that is one division, or the reason why there is nothing to divide by.

    Multiplied before dividing, so that it is rounded once: `above` and `below` are the formula's two sides.
    """
    if below <= 0:
        return Figure(key, None, unit, formula, inputs, why)
    return Figure(key, round_half_up(above / below, PLACES[unit]), unit, formula, inputs)
