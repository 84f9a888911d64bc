"""The exposure journal: append-only postings, and the balance row of each credit account, written together.

Whoever moves value first locks the accounts (`lock`), then looks, then posts. Locks are taken once per transaction,
in the order of account ids, so that two callers never wait for each other in a ring. Freeing value takes the same lock:
one rule is easier to trust than two.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import connection
from django.db.models import Sum
from django.db.models.expressions import RawSQL

from shouxin.customers.models import Customer
from shouxin.lib.copying import any_of
from shouxin.office.models import Person
from shouxin.rules.exposure import Bucket, Exposure, Movement

from .models import CreditAccount, Posting


@dataclass(frozen=True)
class Entry:
    """A movement on an account, with the paper that caused it (`kind:number`) and the decision it follows from."""

    account_id: int
    movement: Movement
    document: str
    decision_id: int | None = None


def open_accounts(wanted: Iterable[tuple[int, str]]) -> dict[tuple[int, str], int]:
    """The account ids of (customer id, currency) pairs; accounts that do not exist yet are opened empty."""
    wanted = set(wanted)
    found = _accounts_of({customer for customer, _ in wanted})
    missing = sorted(wanted - found.keys())
    if missing:
        rows = [CreditAccount(customer_id=customer, currency=currency) for customer, currency in missing]
        CreditAccount.objects.bulk_create(rows, ignore_conflicts=True)
        found = _accounts_of({customer for customer, _ in wanted})
    return {pair: found[pair] for pair in wanted}


def _accounts_of(customers: set[int]) -> dict[tuple[int, str], int]:
    rows = CreditAccount.objects.filter(customer__in=_any(customers)).values_list("customer_id", "currency", "pk")
    return {(customer, currency): pk for customer, currency, pk in rows}


def lock(customers: Iterable[int]) -> dict[int, CreditAccount]:
    """All accounts of these customers and of every member of their groups, locked in the order of their ids.

    Answers account id -> account as it stands now. Must be called inside a transaction, once, before any check (I-1).
    """
    rows = (
        CreditAccount.objects.filter(customer__in=_any(_with_groups(customers)))
        .order_by("pk")
        .select_for_update(of=("self",))
    )
    return {row.pk: row for row in rows}


def _with_groups(customers: Iterable[int]) -> set[int]:
    """The customers themselves and everybody who shares a group head with one of them."""
    asked = set(customers)
    heads = {head or pk for pk, head in Customer.objects.filter(pk__in=_any(asked)).values_list("pk", "group_head")}
    members = Customer.objects.filter(group_head__in=_any(heads)).values_list("pk", flat=True)
    return asked | heads | set(members)


def _any(keys: Collection[int]) -> Collection[int] | RawSQL:
    """The keys for `__in`: a few as they are, thousands as one parameter."""
    return keys if len(keys) < 100 else any_of(keys, "bigint")


def exposure_of(account: CreditAccount) -> Exposure:
    """The balance row as a plain value."""
    return Exposure(**{bucket: getattr(account, bucket) for bucket in CreditAccount.BUCKETS})


def balances(accounts: Iterable[int]) -> dict[int, Exposure]:
    """Account id -> exposure, as it stands now."""
    return {row.pk: exposure_of(row) for row in CreditAccount.objects.filter(pk__in=list(accounts))}


def exposures(customers: Iterable[int]) -> dict[int, dict[str, Exposure]]:
    """Customer id -> currency -> exposure, as it stands now."""
    found: dict[int, dict[str, Exposure]] = defaultdict(dict)
    for account in CreditAccount.objects.filter(customer__in=set(customers)).order_by("currency"):
        found[account.customer_id][account.currency] = exposure_of(account)
    return found


def post(entries: Sequence[Entry], *, on: date, at: datetime, by: Person | None) -> None:
    """Write the postings and move the balances, in one statement each. The accounts must be locked by the caller.

    Entries without an amount cannot exist (`Movement` refuses them). Raises IntegrityError where a bucket
    other than `receivable` would fall below zero.
    """
    if not entries:
        return
    _copy_postings(entries, on=on, at=at, by=by)
    _move_balances(_net(entries))


def _copy_postings(entries: Sequence[Entry], *, on: date, at: datetime, by: Person | None) -> None:
    columns = '"account_id","source","target","amount","document","decision_id","on","at","by_id"'
    values = [
        [entry.account_id for entry in entries],
        [entry.movement.source or "" for entry in entries],
        [entry.movement.target or "" for entry in entries],
        [entry.movement.amount for entry in entries],
        [entry.document[:80] for entry in entries],
        [entry.decision_id for entry in entries],
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {Posting._meta.db_table} ({columns}) "
            "SELECT a, s, t, m, d, n, %s, %s, %s FROM unnest"
            "(%s::bigint[], %s::text[], %s::text[], %s::numeric[], %s::text[], %s::bigint[]) AS v(a, s, t, m, d, n)",
            [on, at, by.pk if by else None, *values],
        )


def _net(entries: Iterable[Entry]) -> dict[int, dict[str, Decimal]]:
    """Account id -> bucket -> change, all entries of one account added up."""
    changes: dict[int, dict[str, Decimal]] = defaultdict(lambda: dict.fromkeys(CreditAccount.BUCKETS, Decimal(0)))
    for entry in entries:
        if entry.movement.source:
            changes[entry.account_id][entry.movement.source] -= entry.movement.amount
        if entry.movement.target:
            changes[entry.account_id][entry.movement.target] += entry.movement.amount
    return changes


def _move_balances(changes: Mapping[int, Mapping[str, Decimal]]) -> None:
    buckets = CreditAccount.BUCKETS
    accounts = sorted(changes)
    moved = ", ".join(f'"{bucket}" = account."{bucket}" + v."{bucket}"' for bucket in buckets)
    names = ", ".join(f'"{bucket}"' for bucket in ("account_id", *buckets))
    arrays = ", ".join(["%s::bigint[]", *["%s::numeric[]"] * len(buckets)])
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {CreditAccount._meta.db_table} AS account SET {moved} "
            f"FROM unnest({arrays}) AS v({names}) WHERE account.id = v.account_id",
            [accounts, *[[changes[account][bucket] for account in accounts] for bucket in buckets]],
        )


def post_receivables(papers: str, params: Sequence[object], *, on: date, at: datetime, by: Person | None) -> None:
    """Post what a query says and move the balances, all in one statement, for papers that are in the database already.

    The query answers with the columns account, amount and document: a signed amount other than 0 that enters
    (negative: leaves) `receivable`. The accounts must be locked by the caller.
    """
    buckets = "CASE WHEN amount > 0 THEN %s ELSE %s END"
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH paper AS MATERIALIZED ({papers}), "
            f"written AS (INSERT INTO {Posting._meta.db_table} "
            '(account_id, source, target, amount, document, "on", at, by_id) '
            f"SELECT account, {buckets}, {buckets}, abs(amount), left(document, 80), %s, %s, %s FROM paper), "
            "net AS (SELECT account, sum(amount) AS amount FROM paper GROUP BY account) "
            f"UPDATE {CreditAccount._meta.db_table} AS account SET receivable = account.receivable + net.amount "
            "FROM net WHERE account.id = net.account",
            [*params, "", Bucket.RECEIVABLE, Bucket.RECEIVABLE, "", on, at, by.pk if by else None],
        )


def journal_totals() -> dict[int, Exposure]:
    """Account id -> the exposure recomputed from all of its postings (I-4)."""
    totals: dict[int, dict[str, Decimal]] = defaultdict(lambda: dict.fromkeys(CreditAccount.BUCKETS, Decimal(0)))
    rows = Posting.objects.order_by().values_list("account", "source", "target").annotate(amount=Sum("amount"))
    for account, source, target, amount in rows:
        if source:
            totals[account][source] -= amount
        if target:
            totals[account][target] += amount
    return {account: Exposure(**buckets) for account, buckets in totals.items()}


__all__ = [
    "Bucket",
    "Entry",
    "Exposure",
    "Movement",
    "exposures",
    "journal_totals",
    "lock",
    "open_accounts",
    "post",
    "post_receivables",
]
