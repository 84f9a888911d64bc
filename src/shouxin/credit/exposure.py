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
from shouxin.lib.statements import Reply, append, array, ask, send
from shouxin.office.models import Person
from shouxin.rules.exposure import Bucket, Exposure, Movement

from .models import CreditAccount, Posting

DOCUMENT_LENGTH = 80
"""Characters of a paper's name that the journal keeps."""


@dataclass(frozen=True)
class Entry:
    """A movement on an account, with the paper that caused it (`kind:number`) and the decision it follows from.

    `by_id`: who, where it is not whoever posts all the entries.
    """

    account_id: int
    movement: Movement
    document: str
    decision_id: int | None = None
    by_id: int | None = None


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


@dataclass(frozen=True, slots=True)
class Account:
    """A credit account as it stands while locked. `head_id`: the head of its customer's group, or the customer."""

    id: int
    customer_id: int
    head_id: int
    currency: str
    parked: str
    exposure: Exposure


OF_GROUPS = f"""
    SELECT member.id FROM {Customer._meta.db_table} asked
    JOIN {Customer._meta.db_table} member ON member.group_head_id = COALESCE(asked.group_head_id, asked.id)
    WHERE asked.id = ANY(%s::bigint[])
    UNION ALL SELECT COALESCE(asked.group_head_id, asked.id) FROM {Customer._meta.db_table} asked
    WHERE asked.id = ANY(%s::bigint[])
"""
"""Everybody who shares a group head with one of the customers (given twice), the head itself, and they themselves."""

LOCK = f"""
SELECT a.id, a.customer_id, COALESCE(c.group_head_id, c.id), a.currency, a.parked, {{buckets}}
FROM {CreditAccount._meta.db_table} a JOIN {Customer._meta.db_table} c ON c.id = a.customer_id
WHERE a.customer_id IN ({OF_GROUPS})
ORDER BY a.id FOR UPDATE OF a
""".format(buckets=", ".join(f"a.{bucket}" for bucket in CreditAccount.BUCKETS))


def lock(customers: Iterable[int]) -> dict[int, Account]:
    """All accounts of these customers and of every member of their groups, locked in the order of their ids.

    Answers account id -> account as it stands now. Must be called inside a transaction, once, before any check (I-1).
    """
    return ask_lock(customers).read()


def ask_lock(customers: Iterable[int]) -> Reply[dict[int, Account]]:
    """The same, as the first question of a pipeline: whatever is asked behind it is read under the locks."""
    asked = array(set(customers))
    return ask(LOCK, asked, asked, read=lambda rows: {row[0]: Account(*row[:5], Exposure(*row[5:])) for row in rows})


def _any(keys: Collection[int]) -> Collection[int] | RawSQL:
    """The keys for `__in`: a few as they are, thousands as one parameter."""
    return keys if len(keys) < 100 else any_of(keys, "bigint")


def exposure_of(account: CreditAccount) -> Exposure:
    """The balance row as a plain value."""
    return Exposure(**{bucket: getattr(account, bucket) for bucket in CreditAccount.BUCKETS})


def exposures(customers: Iterable[int]) -> dict[int, dict[str, Exposure]]:
    """Customer id -> currency -> exposure, as it stands now, in currencies something stands in.

    A question about an order opens an account, which may stay empty: it needs no exchange rate.
    """
    found: dict[int, dict[str, Exposure]] = defaultdict(dict)
    for account in CreditAccount.objects.filter(customer__in=set(customers)).order_by("currency"):
        if (exposed := exposure_of(account)) != Exposure():
            found[account.customer_id][account.currency] = exposed
    return found


def post(entries: Sequence[Entry], *, on: date, at: datetime, by: Person | None) -> None:
    """Write the postings and move the balances, in one statement each. The accounts must be locked by the caller.

    Entries without an amount cannot exist (`Movement` refuses them). Raises IntegrityError where a bucket
    other than `receivable` would fall below zero.
    """
    if not entries:
        return
    _write_postings(entries, on=on, at=at, by=by)
    _move_balances(_net(entries))


def _write_postings(entries: Sequence[Entry], *, on: date, at: datetime, by: Person | None) -> None:
    append(
        Posting,
        {
            "account_id": [entry.account_id for entry in entries],
            "source": [entry.movement.source or "" for entry in entries],
            "target": [entry.movement.target or "" for entry in entries],
            "amount": [entry.movement.amount for entry in entries],
            "document": [entry.document[:DOCUMENT_LENGTH] for entry in entries],
            "decision_id": [entry.decision_id for entry in entries],
            "on": on,
            "at": at,
            "by_id": [entry.by_id or (by.pk if by else None) for entry in entries],
        },
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


_MOVE = "UPDATE {table} AS a SET {moved} FROM unnest({arrays}) AS v({names}) WHERE a.id = v.account_id".format(
    table=CreditAccount._meta.db_table,
    moved=", ".join(f"{bucket} = a.{bucket} + v.{bucket}" for bucket in CreditAccount.BUCKETS),
    arrays=", ".join(["%s::bigint[]", *["%s::numeric[]"] * len(CreditAccount.BUCKETS)]),
    names=", ".join(("account_id", *CreditAccount.BUCKETS)),
)


def _move_balances(changes: Mapping[int, Mapping[str, Decimal]]) -> None:
    accounts = sorted(changes)
    moved = [[changes[account][bucket] for account in accounts] for bucket in CreditAccount.BUCKETS]
    send(_MOVE, *map(array, [accounts, *moved]))


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


EFFECT = """
    CASE p.target WHEN '' THEN 0 WHEN 'deposits' THEN -p.amount ELSE p.amount END
  - CASE p.source WHEN '' THEN 0 WHEN 'deposits' THEN -p.amount ELSE p.amount END"""
"""By how much a posting `p` changes the exposure, as SQL; deposits lower it."""

_DAILY = f"""
SELECT a.customer_id, a.currency, p."on", sum({EFFECT})
FROM {Posting._meta.db_table} p JOIN {CreditAccount._meta.db_table} a ON a.id = p.account_id
WHERE a.customer_id = ANY(%s) AND p."on" <= %s GROUP BY 1, 2, 3
"""


def daily_changes(customers: Collection[int], *, until: date) -> list[tuple[int, str, date, Decimal]]:
    """(customer id, currency, day, by how much the exposure changed on it) from the journal, up to a day."""
    with connection.cursor() as cursor:
        cursor.execute(_DAILY, [list(customers), until])
        return list(cursor.fetchall())
