"""A year to review: customers with a line, who bought and paid through it."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from shouxin.credit.models import Line
from shouxin.customers import facts
from shouxin.customers.models import Customer
from shouxin.office import clock, policies
from shouxin.receivables import invoices, receipts
from shouxin.reviews import annual
from shouxin.reviews.models import Campaign, Review
from tests.people import CAST, TODAY, acme, member

D = Decimal
BEGUN = date(2025, 1, 1)


def office() -> None:
    """The policy and everybody."""
    policies.ensure()
    for name in CAST:
        member(name)


def act(by: str) -> dict[str, Any]:
    return {"by": member(by), "on": TODAY, "at": clock.now()}


def moment(by: str) -> dict[str, Any]:
    return {"by": member(by), "today": TODAY, "at": clock.now()}


def line(customer: Customer, limit: str = "50000", grade: str = "B", **changes: Any) -> Line:
    given = {
        "customer": customer, "grade": grade, "limit_kind": "amount" if D(limit) else "none",
        "limit": D(limit) or None, "currency": "CNY", "term_days": 30, "since": BEGUN, "until": date(2027, 6, 30),
        "why": "season", "cause": "request", "policy_version": 1, "at": clock.now(),
    } | changes  # fmt: skip
    return Line.objects.create(**given)


def bought(customer: Customer, *, months: int = 22, amount: str = "20000", late: int = 0) -> None:
    """An invoice in each of the last months, due after thirty days and paid so many days after; not the last ones."""
    for n in range(months, 0, -1):
        dated = TODAY - timedelta(days=30 * n)
        due = dated + timedelta(days=30)
        name = f"{customer.code}-{n}"
        invoices.issue(customer, doc_no=name, amount=D(amount), dated_on=dated, due_on=due, **moment("fi"))
        paid = due + timedelta(days=late)
        if paid <= TODAY:
            receipts.take(customer, doc_no=f"R{name}", amount=D(amount), received_on=paid, names=[name], **moment("fi"))


def known(customer: Customer) -> None:
    """What the card wants to know of a good customer."""
    for key, value in {
        "years_in_business": 12, "paid_in_capital": 90_000_000, "debt_to_assets": "0.3", "current_ratio": "2.1",
        "net_margin": "0.12", "operating_cash_flow_positive": True, "lawsuits": 0, "tax_grade": "A",
        "bank_reference": "good",
    }.items():  # fmt: skip
        facts.add(customer, key, value, source="bureau", as_of=TODAY - timedelta(days=20), **act("bo"))


def opened(by: str = "bo", **changes: Any) -> Campaign:
    """This year's review, with everybody reviewed."""
    campaign = annual.open_year(2026, **act(by), **changes)
    annual.prepare(campaign, on=TODAY, at=clock.now())
    return campaign


def review_of(customer: Customer | None = None) -> Review:
    rows = Review.objects.select_related("campaign", "customer", "request")
    return rows.get(customer=customer or acme())


def approve(review: Review, by: str = "cy", version: int | None = None) -> Line:
    seen = version or (review.request.version if review.request else 0)
    return annual.approve(review, version=seen, edition=policies.in_force(TODAY), **act(by))
