"""How much, for how long, with what discount: the limit methods of domain 1.4 and the caps that hold them (B2.1).

Every method is computed and shown; the suggestion is the least of those the policy uses, held down by the caps of
grade, concentration and new customers, and rounded down. Amounts are in the company's currency. A method whose
figures are missing has no amount and does not count. A model that does not fit the figures gives 0, counts,
and asks for a person (domain 1.4).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from .features import Features
from .line import Limit
from .money import round_down_to, round_half_up
from .net_worth_card import Added
from .policy import Discount, Grade, GradeTerms, Policy
from .ratios import feature_limit

ZERO = Decimal(0)
MONTH_DAYS = 30
Inputs = Mapping[str, Decimal | int]


@dataclass(frozen=True)
class LimitFigures:
    """What the methods read, in the company's currency; None or an empty series is not known.

    `monthly_sales` and `monthly_collections` are whole months, newest first. `expected_monthly_sales` stands in for a
    new customer without sales. Balance-sheet figures are of the latest statement not out of date. `features` is the
    feature analysis, `additions` what the net-worth card adds.
    """

    monthly_sales: Sequence[Decimal] = ()
    expected_monthly_sales: Decimal | None = None
    monthly_collections: Sequence[Decimal] = ()
    net_worth: Decimal | None = None
    paid_in_capital: Decimal | None = None
    current_assets: Decimal | None = None
    inventory: Decimal | None = None
    current_liabilities: Decimal | None = None
    total_liabilities: Decimal | None = None
    features: Features | None = None
    additions: tuple[Added, ...] = ()


@dataclass(frozen=True)
class MethodResult:
    """What one method says: an amount to two decimals, the figures it was computed from, or why not.

    `amount` is None when it cannot be computed; `counts` is False for a method the policy does not use.
    Codes of `why_not`, figures missing: `no_sales`, `no_collections`, `no_net_worth`, `no_paid_in_capital`,
    `no_balance_sheet`, `no_features` (no factor scored), `features_too_few`, `no_card`; the model does not fit, amount
    0, a person has to look: `net_worth_not_positive`, `current_liabilities_not_positive`.
    """

    key: str
    applicable: bool
    amount: Decimal | None
    inputs: Inputs
    why_not: str = ""
    counts: bool = True


@dataclass(frozen=True)
class Cap:
    """A ceiling on the suggestion: `grade`, `concentration` or `new_customer`. It applies to this customer."""

    key: str
    amount: Decimal


@dataclass(frozen=True)
class Suggestion:
    """The line the rules suggest, with everything it rests on; the approver may differ, with a reason.

    `binding` is the key of the method or cap the limit comes from: a method's key, or `grade`, `concentration`,
    `new_customer`. `codes`: `grade_gives_no_credit`, `no_method` (nothing could be computed; a first limit as for new
    customers), `needs_a_person` (a model did not fit), `rounded_to_nothing`.
    """

    methods: tuple[MethodResult, ...]
    caps: tuple[Cap, ...]
    limit: Limit
    term_days: int
    discount: Discount | None
    binding: str
    codes: tuple[str, ...]


def suggest(policy: Policy, grade: Grade, figures: LimitFigures, *, paid_invoices: int) -> Suggestion:
    """The suggested limit, term and discount for a grade (B2.1). `paid_invoices`: how many the customer ever paid."""
    terms = policy.grades[grade]
    methods = tuple(
        replace(method(policy, terms, figures), counts=key in policy.limits.use) for key, method in METHODS.items()
    )
    counted = tuple(method for method in methods if method.counts)
    caps = tuple(_caps(policy, terms, paid_invoices))
    binding, amount = _least(policy, counted, caps, _gives_credit(grade, terms))
    limit = Limit.of(_round_down(amount, policy.limits.round_down_to))
    return Suggestion(
        methods=methods,
        caps=caps,
        limit=limit,
        term_days=terms.term_days if limit.gives_credit else 0,
        discount=terms.discount if limit.gives_credit else None,
        binding=binding,
        codes=tuple(_codes(counted, _gives_credit(grade, terms), amount, limit)),
    )


def _gives_credit(grade: Grade, terms: GradeTerms) -> bool:
    """Grade D means cash on the nail whatever else the book says; other grades as their terms say (B2.5)."""
    return grade is not Grade.D and terms.limit_max != 0


def _caps(policy: Policy, terms: GradeTerms, paid_invoices: int) -> Iterator[Cap]:
    if terms.limit_max is not None:
        yield Cap("grade", terms.limit_max)
    if policy.limits.concentration_max is not None:
        yield Cap("concentration", policy.limits.concentration_max)
    if paid_invoices < policy.new_customer.paid_invoices_min:
        yield Cap("new_customer", policy.new_customer.limit_max)


def _least(
    policy: Policy, methods: Sequence[MethodResult], caps: Sequence[Cap], gives_credit: bool
) -> tuple[str, Decimal]:
    """The binding key with its amount before rounding; of equal amounts the method, then the cap, named first."""
    if not gives_credit:
        return "grade", ZERO
    amounts = [(method.key, method.amount) for method in methods if method.amount is not None]
    # Nothing known of its business: it is met as a new customer is, however many invoices it has paid.
    basis = amounts or [("new_customer", policy.new_customer.limit_max)]
    return min([*basis, *((cap.key, cap.amount) for cap in caps)], key=lambda pair: pair[1])


def _codes(methods: Sequence[MethodResult], gives_credit: bool, amount: Decimal, limit: Limit) -> Iterator[str]:
    if not gives_credit:
        yield "grade_gives_no_credit"
    if all(method.amount is None for method in methods):
        yield "no_method"
    if any(method.why_not and method.amount is not None for method in methods):
        yield "needs_a_person"
    if amount > 0 and not limit.gives_credit:
        yield "rounded_to_nothing"


def _round_down(amount: Decimal, step: Decimal) -> Decimal:
    return round_down_to(amount, step) if step else round_half_up(amount)


def sales_volume(policy: Policy, terms: GradeTerms, figures: LimitFigures) -> MethodResult:
    """Average monthly sales × term / 30 × the grade's coefficient (domain 1.4, method 3).

    The average runs over the months of the last `sales_months` that had sales or returns; expected sales stand in
    where there were none.
    """
    sold = [amount for amount in figures.monthly_sales[: policy.limits.sales_months] if amount]
    average = sum(sold, ZERO) / len(sold) if sold else figures.expected_monthly_sales
    if average is None:
        return MethodResult("sales_volume", False, None, {}, "no_sales")
    amount = average * terms.term_days * terms.limit_coefficient / MONTH_DAYS
    inputs: Inputs = {
        "average_monthly_sales": round_half_up(average),
        "months": len(sold),
        "term_days": terms.term_days,
        "limit_coefficient": terms.limit_coefficient,
    }
    return _computed("sales_volume", amount, inputs)


def collections(policy: Policy, terms: GradeTerms, figures: LimitFigures) -> MethodResult:
    """Weighted average of the latest months' collections × term / 30 (domain 1.4, method 4).

    The first weight belongs to the newest month. With fewer months than weights, the weights of the months there are.
    """
    weighed = list(zip(policy.limits.collection_weights, figures.monthly_collections, strict=False))
    if not weighed:
        return MethodResult("collections", False, None, {}, "no_collections")
    average = sum((weight * amount for weight, amount in weighed), ZERO) / sum(weight for weight, _ in weighed)
    inputs: Inputs = {
        "weighted_average": round_half_up(average, 4),
        "months": len(weighed),
        "term_days": terms.term_days,
    }
    return _computed("collections", average * terms.term_days / MONTH_DAYS, inputs)


def net_worth(policy: Policy, terms: GradeTerms, figures: LimitFigures) -> MethodResult:
    """A share of net worth (domain 1.4, method 5); with no net worth left, 0."""
    return _share_of("net_worth", figures.net_worth, policy.limits.net_worth_share)


def paid_in_capital(policy: Policy, terms: GradeTerms, figures: LimitFigures) -> MethodResult:
    """A share of the capital paid in, not of that subscribed (domain 1.4, method 5; Company Law art. 47)."""
    return _share_of("paid_in_capital", figures.paid_in_capital, policy.limits.paid_in_capital_share)


def _share_of(key: str, figure: Decimal | None, share: Decimal) -> MethodResult:
    if figure is None:
        return MethodResult(key, False, None, {}, f"no_{key}")
    return _computed(key, figure * share, {key: figure, "share": share})


@dataclass(frozen=True)
class WorkingAssets:
    """The working-asset model's reading of a balance sheet (domain 1.4, method 1).

    `value` is A + B − C − D to four decimals, the number the bands are read with: A current ratio, B quick ratio,
    C current liabilities / net worth, D total liabilities / net worth. `share` is the band's share of working assets.
    """

    working_capital: Decimal
    working_assets: Decimal
    a: Decimal
    b: Decimal
    c: Decimal
    d: Decimal
    value: Decimal
    share: Decimal


def assess_working_assets(
    bands: Sequence[tuple[Decimal | None, Decimal]],
    *,
    current_assets: Decimal,
    inventory: Decimal,
    current_liabilities: Decimal,
    total_liabilities: Decimal,
    net_worth: Decimal,
) -> WorkingAssets:
    """The assessment value and the share of working assets it allows; bands are (upper bound inclusive, share).

    A value that no band holds allows nothing.
    Raises ValueError where the model is not defined: net worth or current liabilities not above 0.
    """
    if net_worth <= 0 or current_liabilities <= 0:
        raise ValueError("the model is not defined without net worth and current liabilities above 0")
    a, b = current_assets / current_liabilities, (current_assets - inventory) / current_liabilities
    c, d = current_liabilities / net_worth, total_liabilities / net_worth
    # Rounded before the bands are read: thirds that add up to a bound must meet it, and people must be able to redo it.
    value = round_half_up(a + b - c - d, 4)
    working_capital = current_assets - current_liabilities
    share = next((share for up_to, share in bands if up_to is None or value <= up_to), ZERO)
    return WorkingAssets(
        working_capital=working_capital,
        working_assets=(working_capital + net_worth) / 2,
        a=round_half_up(a, 4),
        b=round_half_up(b, 4),
        c=round_half_up(c, 4),
        d=round_half_up(d, 4),
        value=value,
        share=share,
    )


def working_assets(policy: Policy, terms: GradeTerms, figures: LimitFigures) -> MethodResult:
    """Working assets × the share its assessment value allows, never below 0 (domain 1.4, method 1)."""
    sheet = _balance_sheet(figures)
    if sheet is None:
        return MethodResult("working_assets", False, None, {}, "no_balance_sheet")
    for key in ("net_worth", "current_liabilities"):
        if sheet[key] <= 0:
            return MethodResult("working_assets", False, ZERO, sheet, f"{key}_not_positive")
    model = assess_working_assets(policy.limits.working_assets, **sheet)
    inputs: Inputs = {**sheet, **{key: getattr(model, key) for key in WorkingAssets.__dataclass_fields__}}
    return _computed("working_assets", model.working_assets * model.share, inputs)


def _balance_sheet(figures: LimitFigures) -> dict[str, Decimal] | None:
    keys = ("current_assets", "inventory", "current_liabilities", "total_liabilities", "net_worth")
    found = {key: getattr(figures, key) for key in keys}
    return None if None in found.values() else found


def _computed(key: str, amount: Decimal, inputs: Inputs) -> MethodResult:
    return MethodResult(key, True, max(ZERO, round_half_up(amount)), inputs)


def feature_corrected(policy: Policy, terms: GradeTerms, figures: LimitFigures) -> MethodResult:
    """The working-asset limit × (1 + the share of feature analysis); 0 up to the share that means no credit."""
    base, features = working_assets(policy, terms, figures), figures.features
    if features is None or not features.counts:
        return MethodResult("feature_analysis", False, None, {}, "features_too_few" if features else "no_features")
    if not base.applicable or base.amount is None:
        return replace(base, key="feature_analysis")
    amount = feature_limit(base.amount, features.share, no_credit_up_to=policy.features.no_credit_up_to)
    inputs: Inputs = {"base": base.amount, "feature_share": features.share, "coverage": features.coverage}
    return _computed("feature_analysis", amount, inputs)


def net_worth_card(policy: Policy, terms: GradeTerms, figures: LimitFigures) -> MethodResult:
    """Net worth × the shares the card's answers add up to, never below 0 (domain 1.4, method 6)."""
    if not policy.limits.net_worth_card:
        return MethodResult("net_worth_card", False, None, {}, "no_card")
    if figures.net_worth is None:
        return MethodResult("net_worth_card", False, None, {}, "no_net_worth")
    share = sum((each.share for each in figures.additions), ZERO)
    known = sum(each.known for each in figures.additions)
    inputs: Inputs = {"net_worth": figures.net_worth, "share": share, "known": known}
    return _computed("net_worth_card", figures.net_worth * share, inputs)


Method = Callable[[Policy, GradeTerms, LimitFigures], MethodResult]

METHODS: Mapping[str, Method] = {
    "sales_volume": sales_volume,
    "collections": collections,
    "net_worth": net_worth,
    "paid_in_capital": paid_in_capital,
    "working_assets": working_assets,
    "feature_analysis": feature_corrected,
    "net_worth_card": net_worth_card,
}
"""The methods by the key the policy names them with."""
