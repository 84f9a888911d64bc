"""The proof: every balance from the journal, every journal total from the papers; the difference must be 0.00 (I-4).

A difference parks the account: the order check answers `hold` with the reason `proof_failed` until a later proof finds
nothing and a person has looked (I-7: where the books do not agree, nothing is released).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import connection, transaction
from django.db.models import F, Sum
from django.utils.translation import gettext_lazy as _

from shouxin.credit import exposure
from shouxin.credit.models import CreditAccount, Reservation
from shouxin.credit.reservations import OPEN
from shouxin.office import posts, trail
from shouxin.office.models import Person
from shouxin.office.refusals import BadForm, Moved
from shouxin.rules.exposure import Exposure
from shouxin.rules.policy import Post

from .models import Instalment, ProofRun, Receipt

ZERO = Decimal("0.00")
STAGES = ("reserved", "undelivered", "unbilled")
PROVED = (*STAGES, "receivable")
"""Buckets with papers of their own here; bills and deposits are proved against the journal alone."""

MAY_RUN = frozenset(Post) - {Post.SALES, Post.SYSTEM_MANAGER, Post.SECURITY_MANAGER, Post.ARCHIVIST}
MAY_UNPARK = (Post.CREDIT_MANAGER, Post.FINANCE)


@dataclass(frozen=True)
class Difference:
    """One bucket of one account on which balance row, journal and papers do not agree; papers None: there are none."""

    account: int
    customer: int
    customer_name: str
    currency: str
    bucket: str
    balance: Decimal
    journal: Decimal
    papers: Decimal | None

    @property
    def amount(self) -> Decimal:
        """How far apart the farthest two are, never negative."""
        values = [self.balance, self.journal] + ([] if self.papers is None else [self.papers])
        return max(values) - min(values)


def run(*, by: Person | None, at: datetime, on: date) -> ProofRun:
    """One proof over every account: read in one snapshot, written with its trail line; differing accounts are parked.

    Raises NotYourDuty. Must not be called inside a transaction of the caller's that has read already, for the snapshot
    begins here.
    """
    return keep(*measure(by=by, at=at, on=on), by=by, at=at, on=on)


def measure(*, by: Person | None, at: datetime, on: date) -> tuple[int, list[Difference]]:
    """How many accounts there are and what differs, in one snapshot; writes nothing. Raises NotYourDuty."""
    if by is not None and not posts.is_system(by):
        posts.require(by, *MAY_RUN, on=on, about="proof", verb="prove", at=at)
    with _snapshot():
        return CreditAccount.objects.count(), differences()


@contextmanager
def _snapshot() -> Iterator[None]:
    """Every query inside sees the books at one moment, also while orders are being decided."""
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if outermost:  # inside a test's transaction the level is fixed already; there are no other writers then
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def differences() -> list[Difference]:
    """Every bucket that does not agree, by account; set-based: five queries for any number of accounts."""
    journal = exposure.journal_totals()
    receivable, staged = _receivable(), _staged()
    rows = CreditAccount.objects.select_related("customer").only("currency", *CreditAccount.BUCKETS, "customer__name")
    return [
        Difference(account.pk, account.customer_id, account.customer.name, account.currency, bucket, *values)
        for account in rows.order_by("pk").iterator(chunk_size=5000)
        for bucket, *values in _compared(account, journal, receivable, staged)
    ]


def _compared(
    account: CreditAccount,
    journal: dict[int, Exposure],
    receivable: dict[int, Decimal],
    staged: dict[int, dict[str, Decimal]],
) -> Iterator[tuple[str, Decimal, Decimal, Decimal | None]]:
    """The buckets of one account that differ: balance, journal, papers."""
    posted = journal.get(account.pk, Exposure())
    papers = {"receivable": receivable.get(account.pk, ZERO)}
    papers |= {stage: staged.get(account.pk, {}).get(stage, ZERO) for stage in STAGES}
    for bucket in CreditAccount.BUCKETS:
        balance, total = getattr(account, bucket), getattr(posted, bucket)
        if not balance == total == papers.get(bucket, total):
            yield bucket, balance, total, papers.get(bucket)


def _receivable() -> dict[int, Decimal]:
    """Account -> what its papers say is owed: open instalments less unapplied money."""
    owed = (
        Instalment.objects.exclude(settled=F("amount"))
        .order_by()
        .values_list("invoice__account")
        .annotate(sum=Sum(F("amount") - F("settled")))
    )
    paid = (
        Receipt.objects.exclude(applied=F("amount"))
        .order_by()
        .values_list("account")
        .annotate(sum=Sum(F("amount") - F("applied")))
    )
    found = dict(owed)
    for account, amount in paid:
        found[account] = found.get(account, ZERO) - amount
    return found


def _staged() -> dict[int, dict[str, Decimal]]:
    """Account -> stage -> the value of its orders that stands there."""
    rows = (
        Reservation.objects.filter(OPEN).order_by().values("account").annotate(**{f"sum_{s}": Sum(s) for s in STAGES})
    )
    return {row["account"]: {stage: row[f"sum_{stage}"] for stage in STAGES} for row in rows}


@transaction.atomic
def keep(accounts: int, found: list[Difference], *, by: Person | None, at: datetime, on: date) -> ProofRun:
    """Write what a measurement found: the run, its trail line, and why the differing accounts are parked."""
    for account in sorted({difference.account for difference in found}):
        why = _("The proof of %(day)s found a difference.") % {"day": on.isoformat()}
        CreditAccount.objects.filter(pk=account, parked="").update(parked=str(why))
    proof = ProofRun.objects.create(
        at=at,
        on=on,
        accounts=accounts,
        difference=sum((difference.amount for difference in found), ZERO),
        differences=[trail.as_text(asdict(difference)) for difference in found],
        by=by,
    )
    trail.record("proof.run", about=proof, by=by, at=at, accounts=accounts, differences=len(found))
    return proof


def last() -> ProofRun | None:
    """The latest proof, or None where none ever ran."""
    return ProofRun.objects.select_related("by").first()


@transaction.atomic
def unpark(account: CreditAccount, *, why: str, by: Person, at: datetime, on: date) -> CreditAccount:
    """Let orders be decided on an account again, once its buckets agree; a person says why.

    Raises NotYourDuty, BadForm without a reason, Moved where nothing is parked or a difference is still there.
    """
    posts.require(by, *MAY_UNPARK, on=on, about=f"credit-account:{account.pk}", verb="unpark", at=at)
    if not why.strip():
        raise BadForm([("why", _("Say what was found and mended."))])
    exposure.lock([account.customer_id])
    account.refresh_from_db()
    if not account.parked:
        raise Moved(_("This account is not parked."), code="not_parked")
    if any(difference.account == account.pk for difference in differences()):
        raise Moved(_("The difference is still there."), code="proof_failed", cure=_("Have it mended first."))
    account.parked = ""
    account.save(update_fields=["parked"])
    trail.record("proof.unpark", about=account, by=by, at=at, customer=account.customer_id, why=why)
    return account
