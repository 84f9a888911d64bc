"""The exposure journal, the ageing and the proof over the API."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from ninja import Query, Router
from pydantic import BaseModel

from shouxin.credit.models import CreditAccount, Posting
from shouxin.customers import registry
from shouxin.lib.api import Amount, Body, IsoDay, Page, Paging, own_transaction, page
from shouxin.office import idempotency, policies, sight
from shouxin.office.door import acting, answered_before, body_of
from shouxin.office.pages import require_duty
from shouxin.office.refusals import BadForm, BeingWorkedOut

from . import aging, proof
from .api import ReasonIn
from .models import ProofRun

router = Router(tags=["receivables"])


# --- the journal ---------------------------------------------------------------------------------


class EntryOut(BaseModel):
    """One side of a posting: `amount` (signed) entered or left `bucket`; per bucket they add up to its balance."""

    id: int
    currency: str
    bucket: str
    amount: Amount
    other: str
    document: str
    decision: int | None
    on: IsoDay
    at: datetime
    by: str | None


@router.get("/customers/{customer}/journal", response=Page[EntryOut], summary="The exposure journal")
def journal(request: HttpRequest, customer: str, query: Query[Paging]) -> dict[str, Any]:
    """The postings in order; `other` is the bucket on the other side, empty for outside. `limit` counts postings."""
    who = acting(request)
    found_customer = registry.visible_customer(customer, by=who["by"], on=who["on"])
    rows = Posting.objects.filter(account__customer=found_customer).select_related("account", "by")
    found = page(rows, query, order=("id",))
    return {**found, "items": [side for posting in found["items"] for side in _sides(posting)]}


def _sides(posting: Posting) -> list[dict[str, Any]]:
    common = {
        "id": posting.pk,
        "currency": posting.account.currency,
        "document": posting.document,
        "decision": posting.decision_id,
        "on": posting.on,
        "at": posting.at,
        "by": posting.by.username if posting.by else None,
    }
    sides = [(posting.source, -posting.amount, posting.target), (posting.target, posting.amount, posting.source)]
    return [{**common, "bucket": bucket, "amount": amount, "other": other} for bucket, amount, other in sides if bucket]


# --- reports -------------------------------------------------------------------------------------


class BucketOut(BaseModel):
    """The days a bucket holds, both ends included; null is an open end."""

    lower: int | None
    upper: int | None


class AgedOut(BaseModel):
    """One group in one currency: `buckets` in the report's order; buckets + unapplied = total."""

    key: str
    label: str
    currency: str
    buckets: list[Amount]
    unapplied: Amount
    total: Amount
    overdue: Amount
    contested: Amount
    oldest_overdue_days: int
    count: int


class LedgerOut(BaseModel):
    """Invoices less receipts up to the day, added up without the report."""

    currency: str
    amount: Amount


class AgingOut(BaseModel):
    """The ageing of a day; `ties`: every currency's total equals the ledger to the cent.

    `rows` are the 10,000 largest groups of each currency, `left_off` counts the others; totals are of all. `at` is when
    it was worked out: the moment of the call where `live`, earlier where books are too large to be read for each call.
    """

    as_of: IsoDay
    basis: str
    by: str
    buckets: list[BucketOut]
    rows: list[AgedOut]
    totals: list[AgedOut]
    ledger: list[LedgerOut]
    ties: bool
    left_off: int
    at: datetime
    live: bool


class AgingAsked(Body):
    """As of which day (default today), by what, counted from which date."""

    as_of: IsoDay | None = None
    by: aging.By = "customer"
    basis: aging.Basis = "due"


@router.get("/reports/aging", response=AgingOut, summary="The ageing of receivables")
def aging_report(request: HttpRequest, query: Query[AgingAsked]) -> dict[str, Any]:
    """What was open at the close of the day, by age; later receipts are ignored. Of the customers the caller sees."""
    who = acting(request)
    require_duty(request, *sight.LOOKERS, verb="read_aging", about="aging")
    as_of = query.as_of or who["on"]
    if as_of > who["on"]:
        raise BadForm([("as_of", _("This day lies in the future."))])
    up_to = policies.in_force(who["on"]).policy.aging.up_to
    whose = {"seen_by": who["by"], "today": who["on"], "at": who["at"]}
    told = aging.told(as_of=as_of, up_to=up_to, by=query.by, basis=query.basis, **whose)
    if told.report is None:
        raise BeingWorkedOut
    return aging_shown(told.report) | {"at": told.at, "live": told.live}


def aging_shown(report: aging.Report) -> dict[str, Any]:
    """The report as the API and the command line answer it."""
    rows = report.all_rows
    return {
        "as_of": report.as_of,
        "basis": report.basis,
        "by": report.by,
        "buckets": [{"lower": each.lower, "upper": each.upper} for each in report.buckets],
        "rows": [aged_shown(row.key, row.label or str(_("(none)")), row.aged) for row in rows],
        "totals": [aged_shown("", "", aged) for aged in report.totals.values()],
        "ledger": [{"currency": currency, "amount": amount} for currency, amount in sorted(report.ledger.items())],
        "ties": report.ties,
        "left_off": sum(report.groups.values()) - len(rows),
    }


def aged_shown(key: str, label: str, aged: aging.Aged) -> dict[str, Any]:
    """One row of the report."""
    names = ("currency", "unapplied", "total", "overdue", "contested", "oldest_overdue_days", "count")
    return {"key": key, "label": label, "buckets": list(aged.buckets), **{name: getattr(aged, name) for name in names}}


class DifferenceOut(BaseModel):
    """A bucket of an account on which balance row, journal and papers do not agree."""

    account: int
    customer: int
    customer_name: str
    currency: str
    bucket: str
    balance: Amount
    journal: Amount
    papers: Amount | None


class ProofOut(BaseModel):
    """The proof: 0.00 and no rows, or what differs. `ran_at` of a live reading is null."""

    accounts: int
    difference: Amount
    differences: list[DifferenceOut]
    ran_at: datetime | None
    on: IsoDay
    by: str | None


@router.get("/reports/exposure-proof", response=ProofOut, summary="Do balances, journal and papers agree?")
def read_proof(request: HttpRequest) -> dict[str, Any]:
    """Computed at this moment in one snapshot; parks nothing and is not kept."""
    who = acting(request)
    accounts, found = proof.measure(**who)
    return {
        "accounts": accounts,
        "difference": sum((each.amount for each in found), Decimal(0)),
        "differences": [{name: getattr(each, name) for name in DifferenceOut.model_fields} for each in found],
        "ran_at": None,
        "on": who["on"],
        "by": None,
    }


@router.post("/reports/exposure-proof", response=ProofOut, summary="Run the proof and keep it")
@own_transaction
def run_proof(request: HttpRequest) -> Any:
    """A difference parks the account: its orders are held until a person has looked."""
    who = acting(request)
    measured = proof.measure(**who)  # before any other query: the snapshot must be a transaction of its own
    with transaction.atomic():
        key = request.headers.get("Idempotency-Key")
        if not key:
            return proof_shown(proof.keep(*measured, **who))
        known = idempotency.begin(who["by"], key, path=request.get_full_path(), body=body_of(request), at=who["at"])
        if known:
            return answered_before(known)
        answer = ProofOut.model_validate(proof_shown(proof.keep(*measured, **who))).model_dump_json()
        idempotency.finish(who["by"], key, status=200, text=answer)
        return HttpResponse(answer, content_type="application/json; charset=utf-8")


def proof_shown(run: ProofRun) -> dict[str, Any]:
    """A kept run as the API answers it."""
    fields = DifferenceOut.model_fields
    return {
        "accounts": run.accounts,
        "difference": run.difference,
        "differences": [{name: each[name] for name in fields} for each in run.differences],
        "ran_at": run.at,
        "on": run.on,
        "by": run.by.username if run.by else None,
    }


class AccountOut(BaseModel):
    """A credit account; `parked` says why its orders wait, empty where they do not."""

    id: int
    customer: str
    currency: str
    parked: str


@router.post("/credit-accounts/{int:number}/unpark", response=AccountOut, summary="Decide its orders again")
def unpark(request: HttpRequest, number: int, body: ReasonIn) -> dict[str, Any]:
    """Orders on the account are decided again; refused while its buckets do not agree."""
    who = acting(request)
    account = sight.get_visible(CreditAccount.objects.select_related("customer"), who["by"], number, on=who["on"])
    proof.unpark(account, why=body.reason, **who)
    names = ("currency", "parked")
    return {"id": account.pk, "customer": account.customer.code, **{name: getattr(account, name) for name in names}}
