"""An application taken to any status by the cast: Ann applies, Bo investigates, Fi and Cy speak, Vi signs."""

from decimal import Decimal
from typing import Any

from shouxin.credit import applications, decisions, opinions
from shouxin.credit.applications import Wanted
from shouxin.credit.decisions import Grant
from shouxin.credit.models import Application, Line, Rating
from shouxin.customers.models import Customer
from shouxin.office import clock, policies
from shouxin.office.policies import Edition
from tests.people import TODAY, acme, member

DETAILS = {
    "contact": "王芳", "email": "ap@acme.example", "main_products": "泵阀", "expected_purchases": "1200000.00",
    "trade_references": "甲公司 10万 30天\n乙公司 20万 30天\n丙公司 5万 15天", "statements": "2023–2025",
    "consent": True, "sales_opinion": "合作多年，按期付款",
}  # fmt: skip
FINDINGS = {"conclusion": "经营正常", "risks": "客户集中", "visited_on": "2026-11-20", "observed": "生产线满负荷"}
PATH = ("draft", "submitted", "accepted", "investigated", "assessed")
"""The statuses on the way, in order."""


def edition() -> Edition:
    return policies.in_force(TODAY)


def act(by: str) -> dict[str, Any]:
    """by, today, at of a verb."""
    return {"by": member(by), "today": TODAY, "at": clock.now()}


def wanted(limit: str = "80000.00", kind: str = "new", **changes: Any) -> Wanted:
    fields: dict[str, Any] = {"request_type": kind, "requested_limit": Decimal(limit), "requested_term_days": 30,
                              "currency": "CNY", "reason": "旺季备货", "details": DETAILS}  # fmt: skip
    return Wanted(**fields | changes)


def rating(customer: Customer, limit: str | None = "100000.00", grade: str = "B") -> Rating:
    """A kept rating that suggests a limit."""
    return Rating.objects.create(
        customer=customer, as_of=TODAY, score=Decimal("75.50"), coverage=Decimal("0.9"), grade=grade,
        limit_kind="amount" if limit else "none", limit=Decimal(limit) if limit else None, currency="CNY",
        term_days=30, sheet={"sheet": {"answers": []}}, policy_version=1, at=clock.now(),
    )  # fmt: skip


def applied(by: str = "ann", customer: Customer | None = None, **changes: Any) -> Application:
    return applications.create(customer or acme(), wanted(**changes), edition=edition(), **act(by))


def brought_to(status: str, application: Application | None = None, *, suggested: str | None = "100000.00",
               grade: str = "B", **changes: Any) -> Application:  # fmt: skip
    """A new application taken as far as the status on PATH."""
    found = application or applied(**changes)
    steps = [
        lambda: applications.submit(found, edition=edition(), **act(found.requested_by.username)),
        lambda: applications.accept(found, edition=edition(), **act("bo")),
        lambda: applications.investigate(found, FINDINGS, **act("bo")),
        lambda: applications.assess(found, rating(found.customer, suggested, grade), **act("bo")),
    ]
    for step in steps[: PATH.index(status)]:
        step()
        found.refresh_from_db()
    return found


def spoken(application: Application, *people: str) -> Application:
    """These give their opinion, in this order."""
    for name in people:
        opinions.opine(application, edition=edition(), **act(name))
    application.refresh_from_db()
    return application


def ready(**changes: Any) -> Application:
    """Everybody before the credit manager has spoken: she may sign up to 100,000."""
    return spoken(brought_to("assessed", **changes), "bo", "fi")


def approved(application: Application, by: str = "cy", grant: Grant = Grant(), **options: Any) -> Line:
    return decisions.approve(application, grant, edition=edition(), reason="同意", **options, **act(by))
