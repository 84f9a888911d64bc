"""Ratios read from financial statements: bankruptcy predictors, feature analysis, the price of a discount (domain 1.4).

They feed the scorecard as facts; none of them sets a limit by itself. The coefficients and cut-offs belong to the
published formulas, so they stand here and not in the policy; what a value is worth in points is the policy's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from .money import round_half_up

ZERO = Decimal(0)
Weights = tuple[Decimal, ...]


def _weights(*numbers: str) -> Weights:
    return tuple(Decimal(number) for number in numbers)


Z1_WEIGHTS = _weights("1.2", "1.4", "3.3", "0.6", "0.999")
Z2_WEIGHTS = _weights("0.717", "0.847", "3.107", "0.420", "0.998")
Z3_WEIGHTS = _weights("6.56", "3.26", "6.72", "1.05")
F_CONSTANT, F_WEIGHTS = Decimal("-0.1774"), _weights("1.1091", "0.1074", "1.9271", "0.0302", "0.4961")

CUT_OFFS = {
    "z1": _weights("1.81", "2.675"),
    "z2": _weights("1.23", "2.90"),
    "z3": _weights("1.10", "2.60"),
}
"""Per predictor: below the first distress is likely, above the second it is not, grey between."""


@dataclass(frozen=True)
class Statement:
    """One year's figures of a customer, in any one currency and unit; a loss is negative.

    `market_value` is that of the shares, None for a company not listed. The averages over the year that the F-score
    reads are those of the year's end where the year's beginning is not known.
    """

    total_assets: Decimal
    current_assets: Decimal
    current_liabilities: Decimal
    total_liabilities: Decimal
    net_worth: Decimal
    retained_earnings: Decimal
    profit_before_tax: Decimal
    interest: Decimal
    revenue: Decimal
    net_profit: Decimal = ZERO
    depreciation: Decimal = ZERO
    deferred_tax: Decimal = ZERO
    intangible_assets: Decimal = ZERO
    market_value: Decimal | None = None
    average_assets: Decimal | None = None
    average_liabilities: Decimal | None = None

    @property
    def working_capital(self) -> Decimal:
        """Current assets less current liabilities."""
        return self.current_assets - self.current_liabilities

    @property
    def operating_profit(self) -> Decimal:
        """Profit before interest and tax."""
        return self.profit_before_tax + self.interest


def z1(statement: Statement) -> Decimal | None:
    """Altman's Z of a listed company, four decimals; None without a market value, assets or liabilities."""
    if statement.market_value is None:
        return None
    return _z(statement, Z1_WEIGHTS, statement.market_value)


def z2(statement: Statement) -> Decimal | None:
    """Altman's Z of a company not listed, with net worth at book value, four decimals; None if undefined."""
    return _z(statement, Z2_WEIGHTS, statement.net_worth)


def z3(statement: Statement) -> Decimal | None:
    """Altman's Z outside manufacturing: without the turnover of assets, four decimals; None if undefined."""
    return _z(statement, Z3_WEIGHTS, statement.net_worth)


def _z(statement: Statement, weights: Weights, equity: Decimal) -> Decimal | None:
    assets, liabilities = statement.total_assets, statement.total_liabilities
    if assets <= 0 or liabilities <= 0:
        return None
    ratios = (
        statement.working_capital / assets,
        statement.retained_earnings / assets,
        statement.operating_profit / assets,
        equity / liabilities,
        statement.revenue / assets,
    )
    return _weighed(weights, ratios)


def zone(value: Decimal, predictor: str) -> Literal["distress", "grey", "safe"]:
    """How a Z value is read by its published cut-offs; a value on a cut-off is grey. Raises KeyError for others."""
    low, high = CUT_OFFS[predictor]
    return "distress" if value < low else "safe" if value > high else "grey"


def f_score(statement: Statement) -> Decimal | None:
    """The F-score, which adds cash earnings to Z, four decimals; None without market value, assets or liabilities."""
    assets, liabilities = statement.total_assets, statement.total_liabilities
    average_assets = statement.average_assets or assets
    average_liabilities = statement.average_liabilities or liabilities
    if statement.market_value is None or min(assets, liabilities, average_assets, average_liabilities) <= 0:
        return None
    cash_profit = statement.net_profit + statement.depreciation
    ratios = (
        statement.working_capital / assets,
        statement.retained_earnings / assets,
        cash_profit / average_liabilities,
        statement.market_value / liabilities,
        (cash_profit + statement.interest) / average_assets,
    )
    return _weighed(F_WEIGHTS, ratios, F_CONSTANT)


def _weighed(weights: Weights, ratios: Sequence[Decimal], constant: Decimal = ZERO) -> Decimal:
    return round_half_up(sum((weight * ratio for weight, ratio in zip(weights, ratios, strict=False)), constant), 4)


def bathory(statement: Statement) -> Decimal | None:
    """Bathory's sum of five ratios, four decimals: the higher the better, negative is poor.

    None where a divisor is not above 0, or working capital is exactly 0.
    """
    liabilities, current = statement.total_liabilities, statement.current_liabilities
    if min(statement.total_assets, liabilities, current) <= 0 or statement.working_capital == 0:
        return None
    gross = statement.profit_before_tax + statement.depreciation + statement.deferred_tax
    return round_half_up(
        gross / current
        + statement.profit_before_tax / statement.working_capital
        + statement.net_worth / current
        + (statement.net_worth - statement.intangible_assets) / liabilities
        + statement.working_capital / statement.total_assets,
        4,
    )


@dataclass(frozen=True)
class Feature:
    """One of the 18 factors of feature analysis: its weight, and its score from 1 to 10, None without information."""

    key: str
    weight: Decimal
    score: Decimal | None


@dataclass(frozen=True)
class FeatureAnalysis:
    """`share` of the possible points reached, as a fraction of one; `coverage` the share of weight with a score."""

    share: Decimal
    coverage: Decimal


def feature_analysis(features: Sequence[Feature], *, unknown: Literal["zero", "excluded"] = "zero") -> FeatureAnalysis:
    """Weighed scores over the most they could be (domain 1.4, method 2), four decimals.

    `unknown` says whether a factor without information counts as 0 or is left out; the coverage shows how much that is.
    Raises ValueError for a score outside 0 to 10, or when the weights add up to nothing.
    """
    if any(each.score is not None and not 0 <= each.score <= 10 for each in features):
        raise ValueError("a factor is scored from 0 to 10")
    whole = sum((each.weight for each in features), ZERO)
    if whole <= 0:
        raise ValueError("the weights must add up to more than 0")
    known = sum((each.weight for each in features if each.score is not None), ZERO)
    reached = sum((each.weight * each.score for each in features if each.score is not None), ZERO)
    base = whole if unknown == "zero" else known
    return FeatureAnalysis(round_half_up(reached / base / 10 if base else ZERO, 4), round_half_up(known / whole, 4))


def feature_limit(base: Decimal, share: Decimal, *, no_credit_up_to: Decimal) -> Decimal:
    """A limit of the working-asset model, corrected by feature analysis: × (1 + share), two decimals.

    0 for a share up to `no_credit_up_to` (a fraction of one; 0.20 in the usual reading).
    """
    return ZERO if share <= no_credit_up_to else round_half_up(base * (1 + share))


def cost_of_forgoing(percent: Decimal, discount_days: int, term_days: int, *, year_days: int) -> Decimal:
    """What a buyer pays a year for not taking a cash discount, as a fraction of one, four decimals.

    `percent` off within `discount_days`, the whole due after `term_days`; d/(1−d) × year/(term − days) (domain 1.3).
    Raises ValueError unless the term is longer than the discount days and the percentage below 100.
    """
    if term_days <= discount_days or not 0 <= percent < 100:
        raise ValueError("a discount ends before the term does, and is less than the price")
    return round_half_up(percent * year_days / ((100 - percent) * (term_days - discount_days)), 4)
