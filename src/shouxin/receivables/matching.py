"""Which money settles which debt: proposals in the order of Civil Code art. 560, and the writing of matches.

Matching moves no exposure: a receipt lowered `receivable` on the day it was taken. The accounts must be locked by the
caller (`credit.exposure.lock`) before anything here is read or written.

A match counts from its value day: the later of the day the money came and the document's day, but not before the day
on which an earlier match of either was undone. So no money is ever applied twice on any past day.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal

from django.db import connection
from django.db.models import F, Max, Q
from django.utils.translation import gettext_lazy as _

from shouxin.credit.models import CreditAccount
from shouxin.lib.copying import copy_in
from shouxin.office.models import Person
from shouxin.office.refusals import BadForm, Moved
from shouxin.rules.allocation import Debt, allocate

from .models import Contest, Instalment, Match, Receipt

ZERO = Decimal(0)
LONG_AGO = date.min


@dataclass(frozen=True, slots=True)
class Pair:
    """`amount` of an instalment is settled by a receipt or by a credit note's instalment; a negative amount undoes."""

    instalment_id: int
    amount: Decimal
    on: date
    receipt_id: int | None = None
    credit_id: int | None = None


@dataclass(slots=True)
class Source:
    """What can settle debts: the unapplied part of a receipt or the open part of a credit note; `left` is positive."""

    account_id: int
    doc_no: str
    day: date
    left: Decimal
    receipt_id: int | None = None
    credit_id: int | None = None
    names: Collection[str] = ()
    freed_on: date = LONG_AGO


@dataclass(slots=True)
class Claim:
    """An open instalment. `open` is all of it, `contested` the part in dispute."""

    instalment_id: int
    account_id: int
    doc_no: str
    number: int
    dated_on: date
    due_on: date | None
    open: Decimal
    contested: Decimal
    freed_on: date = LONG_AGO

    @property
    def falls_due_on(self) -> date:
        return self.due_on or self.dated_on

    @property
    def free(self) -> Decimal:
        """What money that names nothing may settle: the part that is not in dispute."""
        return max(ZERO, self.open - self.contested)


def value_day(source: Source, claim: Claim) -> date:
    """The day from which a match of the two counts."""
    return max(source.day, claim.dated_on, source.freed_on, claim.freed_on)


# ------------------------------------------------------------------------------------------------------- what is open


def claims_of(accounts: Collection[int]) -> list[Claim]:
    """Every open instalment on these accounts, the earliest due first."""
    rows = (
        Instalment.objects.filter(_of(accounts), invoice__account__in=accounts, amount__gt=0)
        .exclude(settled=F("amount"))
        .values_list(
            "pk", "invoice__account_id", "invoice__doc_no", "number", "invoice__dated_on", "due_on",
            F("amount") - F("settled"), "contested",
        )
    )  # fmt: skip
    claims = [Claim(*row) for row in rows]
    freed = _freed("instalment", [claim.instalment_id for claim in claims])
    for claim in claims:
        claim.freed_on = freed.get(claim.instalment_id, LONG_AGO)
    return sorted(claims, key=lambda claim: (claim.falls_due_on, claim.instalment_id))


def _of(accounts: Collection[int]) -> Q:
    """The same rows by customer, so that the index over open instalments serves."""
    return Q(customer__in=CreditAccount.objects.filter(pk__in=accounts).values("customer"))


def receipts_of(accounts: Collection[int]) -> list[Source]:
    """The unapplied receipts of these accounts, the oldest first; what was paid back is taken off them."""
    rows = (
        Receipt.objects.filter(account__in=accounts)
        .exclude(applied=F("amount"))
        .order_by("received_on", "pk")
        .values_list("account_id", "doc_no", "received_on", F("amount") - F("applied"), "pk", "names", "reverses_id")
    )
    by_account: dict[int, list[Source]] = defaultdict(list)
    back: list[tuple[int, Decimal, int | None]] = []
    for account, doc_no, day, left, pk, names, reverses in rows:
        if left > 0:
            by_account[account].append(Source(account, doc_no, day, left, receipt_id=pk, names=names))
        else:
            back.append((account, -left, reverses))
    for account, amount, reverses in sorted(back, key=lambda each: each[2] is None):
        _take_off(by_account[account], amount, reverses)
    found = [source for sources in by_account.values() for source in sources if source.left > 0]
    return _with_freed("receipt", found)


def _take_off(sources: list[Source], amount: Decimal, reverses: int | None) -> None:
    """Money paid back was no longer there to apply: the reversed receipt first, else the oldest."""
    for source in sorted(sources, key=lambda each: each.receipt_id != reverses):
        part = min(amount, source.left)
        source.left -= part
        amount -= part


def credits_of(accounts: Collection[int]) -> list[Source]:
    """The open credit notes of these accounts, the oldest first."""
    rows = (
        Instalment.objects.filter(_of(accounts), invoice__account__in=accounts, amount__lt=0)
        .exclude(settled=F("amount"))
        .order_by("invoice__dated_on", "pk")
        .values_list("invoice__account_id", "invoice__doc_no", "invoice__dated_on", F("settled") - F("amount"), "pk")
    )
    found = [Source(account, doc_no, day, left, credit_id=pk) for account, doc_no, day, left, pk in rows]
    return _with_freed("credit", found)


def _with_freed(side: str, sources: list[Source]) -> list[Source]:
    ids = [getattr(source, f"{side}_id") for source in sources]
    # A repayment settles a credit note by a negative match, so the row that undoes it is positive.
    freed, repaid = _freed(side, ids), _freed("instalment", ids, repayments=True) if side == "credit" else {}
    for source, pk in zip(sources, ids, strict=True):
        source.freed_on = max(freed.get(pk, LONG_AGO), repaid.get(pk, LONG_AGO))
    return sources


def _freed(side: str, ids: Sequence[int], *, repayments: bool = False) -> dict[int, date]:
    """Id -> the last day on which a match of it (with `repayments`, by money paid back) was undone."""
    if not ids:
        return {}
    undone = Match.objects.filter(**{f"{side}__in": ids, f"amount__{'gt' if repayments else 'lt'}": 0})
    return dict(undone.order_by().values_list(f"{side}_id").annotate(last=Max("on")))


# ----------------------------------------------------------------------------------------------------------- proposals


@dataclass(slots=True)
class _Ledger:
    """The open claims of one account while money is laid onto them, the earliest due first."""

    claims: list[Claim] = field(default_factory=list)
    by_doc: dict[str, list[Claim]] = field(default_factory=lambda: defaultdict(list))
    first: int = 0

    def add(self, claim: Claim) -> None:
        self.claims.append(claim)
        self.by_doc[claim.doc_no].append(claim)

    def debts(self, source: Source) -> list[Debt]:
        """The named claims, and as many of the others as the money can reach: the rule would serve no more."""
        while self.first < len(self.claims) and not self.claims[self.first].free:
            self.first += 1
        named = [claim for name in dict.fromkeys(source.names) for claim in self.by_doc.get(name, ())]
        return [_debt(claim, named=True) for claim in named] + [
            _debt(claim, named=False) for claim in self._reached(source.left) if claim not in named
        ]

    def _reached(self, money: Decimal) -> Iterator[Claim]:
        reach, last = ZERO, None
        for place in range(self.first, len(self.claims)):
            claim = self.claims[place]
            if reach >= money and claim.falls_due_on != last:
                return
            reach, last = reach + claim.free, claim.falls_due_on
            yield claim


def _debt(claim: Claim, *, named: bool) -> Debt:
    return Debt(str(claim.instalment_id), claim.falls_due_on, claim.open if named else claim.free, named=named)


def propose(sources: Iterable[Source], claims: Iterable[Claim]) -> list[Pair]:
    """The matches of art. 560, source by source: named papers first, then the earliest due, equals in proportion.

    Sources and claims are taken at their word and counted down in place. Disputed parts are settled only when named.
    """
    ledgers: dict[int, _Ledger] = defaultdict(_Ledger)
    by_key: dict[str, Claim] = {}
    for claim in sorted(claims, key=lambda each: (each.falls_due_on, each.instalment_id)):
        ledgers[claim.account_id].add(claim)
        by_key[str(claim.instalment_id)] = claim
    pairs: list[Pair] = []
    for source in sources:
        debts = ledgers[source.account_id].debts(source)
        for share in allocate(source.left, debts, paid_on=source.day).shares:
            pairs.append(_apply(source, by_key[share.key], share.amount))
    return pairs


def _apply(source: Source, claim: Claim, amount: Decimal) -> Pair:
    """Count both sides down and answer the match."""
    source.left -= amount
    claim.open -= amount
    claim.contested = min(claim.contested, claim.open)
    return Pair(claim.instalment_id, amount, value_day(source, claim), source.receipt_id, source.credit_id)


def copies(claims: Iterable[Claim]) -> list[Claim]:
    """The same claims, to be counted down without harm."""
    return [replace(claim) for claim in claims]


def chosen(sources: Sequence[Source], claims: Iterable[Claim], wanted: Iterable[tuple[int, Decimal]]) -> list[Pair]:
    """The matches a person chose: (instalment id, amount), served by the sources in turn.

    Raises BadForm for a paper that is not open on the account, and for more than is open or left.
    """
    open_now = {claim.instalment_id: claim for claim in claims}
    pairs: list[Pair] = []
    for instalment, amount in wanted:
        claim = open_now.get(instalment)
        if claim is None:
            raise BadForm([("pairs", _("One of the papers is not open on this account."))])
        if not (amount.is_finite() and 0 < amount <= claim.open and amount == round(amount, 2)):
            told = _("Of %(doc_no)s %(open)s is open.") % {"doc_no": claim.doc_no, "open": claim.open}
            raise BadForm([("pairs", told)])
        pairs += _serve(sources, claim, amount)
    return pairs


def _serve(sources: Iterable[Source], claim: Claim, amount: Decimal) -> list[Pair]:
    pairs = []
    for source in sources:
        part = min(amount, source.left)
        if part > 0:
            pairs.append(_apply(source, claim, part))
            amount -= part
    if amount > 0:
        raise BadForm([("pairs", _("That is more than is left to apply."))])
    return pairs


# ------------------------------------------------------------------------------------------------------------- writing


def settle_receipts(receipts: Collection[int], *, at: datetime, by: Person | None) -> list[Pair]:
    """Match what is unapplied of these receipts; accounts are locked. Answers what was matched."""
    accounts = set(Receipt.objects.filter(pk__in=receipts).values_list("account_id", flat=True))
    wanted = set(receipts)
    return _settle([source for source in receipts_of(accounts) if source.receipt_id in wanted], at=at, by=by)


def settle_accounts(accounts: Collection[int], *, at: datetime, by: Person | None) -> list[Pair]:
    """Match every open credit note and unapplied receipt of these accounts, credit notes first; accounts are locked."""
    return _settle([*credits_of(accounts), *receipts_of(accounts)], at=at, by=by)


def settle(
    sources: Sequence[Source], pairs: Iterable[tuple[int, Decimal]] | None, *, at: datetime, by: Person | None
) -> list[Pair]:
    """Settle debts of one account with these sources, by a person's choice or (None) as art. 560 says; it is locked.

    Raises Moved where nothing is left or nothing is open, BadForm for a choice that cannot be.
    """
    if not sources:
        raise Moved(_("Nothing is left to apply."), code="nothing_left", cure="")
    claims = claims_of({source.account_id for source in sources})
    made = propose(sources, claims) if pairs is None else chosen(sources, claims, pairs)
    if not made:
        raise Moved(_("Nothing is open that this could settle."), code="nothing_open",
                    cure=_("It stays to the customer's credit until an invoice is open."))  # fmt: skip
    write(made, at=at, by=by)
    return made


def repay(receipt_id: int, *, at: datetime, by: Person | None) -> list[Pair]:
    """Use up open credit notes, the oldest first, by money that was paid back (a negative receipt); it is locked.

    Raises Moved where there is nothing to pay back.
    """
    receipt = Receipt.objects.get(pk=receipt_id)
    left, pairs = receipt.applied - receipt.amount, list[Pair]()
    freed_on = _freed("receipt", [receipt_id], repayments=True).get(receipt_id, LONG_AGO)
    for credit in credits_of({receipt.account_id}):
        if (part := min(left, credit.left)) > 0:
            day = max(receipt.received_on, credit.day, credit.freed_on, freed_on)
            pairs.append(Pair(credit.credit_id or 0, -part, day, receipt_id=receipt_id))
            left -= part
    if not pairs:
        raise Moved(_("There is no open credit note that this repayment could use up."), code="nothing_open",
                    cure=_("Post the credit note first."))  # fmt: skip
    write(pairs, at=at, by=by)
    return pairs


def _settle(sources: list[Source], *, at: datetime, by: Person | None) -> list[Pair]:
    if not sources:
        return []
    pairs = propose(sources, claims_of({source.account_id for source in sources}))
    write(pairs, at=at, by=by)
    return pairs


def write(pairs: Sequence[Pair], *, at: datetime, by: Person | None) -> None:
    """Write the matches and move what they settle, in one statement per table.

    Raises IntegrityError where more would be settled or applied than there is.
    """
    if not pairs:
        return
    who = by.pk if by else None
    copy_in(
        Match,
        ("instalment", "receipt", "credit", "amount", "on", "at", "by"),
        ((p.instalment_id, p.receipt_id, p.credit_id, p.amount, p.on, at, who) for p in pairs),
    )
    settled = [(p.instalment_id, p.amount) for p in pairs]
    used = [(p.credit_id, -p.amount) for p in pairs if p.credit_id]
    _settle_instalments(_summed([*settled, *used]))
    _apply_receipts(_summed((p.receipt_id, p.amount) for p in pairs if p.receipt_id))


def _summed(changes: Iterable[tuple[int, Decimal]]) -> list[list[int] | list[Decimal]]:
    """Two columns, id and change, in the order of ids."""
    sums: dict[int, Decimal] = defaultdict(Decimal)
    for key, amount in changes:
        sums[key] += amount
    keys = sorted(sums)
    return [keys, [sums[key] for key in keys]]


def _settle_instalments(columns: Sequence[object]) -> None:
    """`settled_on` is the day the last of it was settled; contested is the open contest, at most what is left open."""
    table, match, contest = (model._meta.db_table for model in (Instalment, Match, Contest))
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} i SET settled = i.settled + v.change, "
            "settled_on = CASE WHEN i.settled + v.change = i.amount "
            f'THEN (SELECT max(m."on") FROM {match} m WHERE m.instalment_id = i.id OR m.credit_id = i.id) END, '
            "contested = LEAST(GREATEST(0, i.amount - i.settled - v.change), COALESCE("
            f"(SELECT c.amount FROM {contest} c WHERE c.instalment_id = i.id AND c.settled_on IS NULL), 0)) "
            "FROM unnest(%s::bigint[], %s::numeric[]) AS v(id, change) WHERE i.id = v.id",
            columns,
        )


def _apply_receipts(columns: Sequence[object]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {Receipt._meta.db_table} r SET applied = r.applied + v.change "
            "FROM unnest(%s::bigint[], %s::numeric[]) AS v(id, change) WHERE r.id = v.id",
            columns,
        )


def undo(matches: Iterable[Match], *, today: date, at: datetime, by: Person | None) -> list[Pair]:
    """Undo these matches by rows of the opposite sign, from today on; accounts are locked."""
    pairs = [
        Pair(match.instalment_id, -match.amount, max(today, match.on), match.receipt_id, match.credit_id)
        for match in matches
    ]
    write(pairs, at=at, by=by)
    return pairs


def standing(matches: Iterable[Match]) -> list[Match]:
    """Of these matches the ones that still stand: undone ones are netted out, one row per (instalment, source).

    Answers unsaved rows with the net amount and the latest day.
    """
    net: dict[tuple[int, int | None, int | None], Match] = {}
    for match in matches:
        key = (match.instalment_id, match.receipt_id, match.credit_id)
        if key in net:
            net[key].amount += match.amount
            net[key].on = max(net[key].on, match.on)
        else:
            net[key] = copy(match)
            net[key].pk = None
    return [match for match in net.values() if match.amount]
