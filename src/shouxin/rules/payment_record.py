"""How a customer has paid, as of a day: what the scorecard, the downgrade and the limit methods read (B2.4, B2.5).

Late days are the days from due date to payment, never below 0: paying early does not make up for paying late. What is
overdue and still open counts as late by the days so far, so that who stops paying does not keep a clean record.
Contested amounts are left out. Payments after the day asked about are treated as not made yet.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache

from .aging import OpenItem
from .days import add_months, month_end
from .money import round_half_up

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Settled:
    """One payment on one instalment, in the company's currency; an instalment paid in two parts stands here twice.

    `contested`: the document was in dispute, so that the delay says nothing about the customer.
    """

    due_on: date
    paid_on: date
    amount: Decimal
    document: str
    dated_on: date
    instalment: int = 1
    contested: bool = False


@dataclass(frozen=True, slots=True)
class Dated:
    """An amount on a day: an invoice (a credit note is negative), or money received."""

    on: date
    amount: Decimal
    document: str = ""


@dataclass(frozen=True, slots=True)
class Month:
    """One month's total, with its first day and the days counted of it."""

    first: date
    days: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Punctuality:
    """How punctually what fell due was paid. Shares are fractions of one; None where nothing has fallen due.

    `on_time_share` (by amount) is the scorecard's fact, the share by count of instalments stands beside it.
    `mean_days_late` weighs each amount, paid or overdue, by its late days. `days_beyond_terms` is the same over
    payments alone, and its signed version lets early days count against late ones.
    """

    on_time_share: Decimal | None
    on_time_share_by_count: Decimal | None
    mean_days_late: Decimal | None
    days_beyond_terms: Decimal | None
    days_beyond_terms_signed: Decimal | None
    max_days_late: int | None


@dataclass(frozen=True, slots=True)
class Owing:
    """What is owed on the day: all that is open, what of it is contested, and what of the rest is overdue.

    `share` is overdue to open, both without the contested parts and without credits.
    """

    open_amount: Decimal
    contested_amount: Decimal
    overdue_amount: Decimal
    overdue_days: int
    overdue_share: Decimal


@dataclass(frozen=True, slots=True)
class Trade:
    """How much business there was. `sales` and `collections` are whole months, newest first."""

    months_as_customer: int | None
    invoices_12_months: int
    sales: tuple[Month, ...]
    collections: tuple[Month, ...]


@dataclass(frozen=True, slots=True)
class PaymentRecord:
    """A customer's payment record at the close of a day, in the company's currency.

    `paid_invoices` counts documents with nothing left open; `late_payments` the instalments paid late in the policy's
    months.
    """

    as_of: date
    paid_invoices: int
    late_payments: int
    punctuality: Punctuality
    owing: Owing
    trade: Trade


def payment_record(
    *,
    as_of: date,
    settled: Iterable[Settled],
    open_items: Iterable[OpenItem],
    invoices: Iterable[Dated] = (),
    receipts: Iterable[Dated] = (),
    late_payments_months: int,
    overdue_amount_min: Decimal = ZERO,
    months: int = 12,
) -> PaymentRecord:
    """One customer's record at the close of a day.

    `settled` and `open_items` are one snapshot: what a later payment settled is put back as open. Overdue sums below
    `overdue_amount_min` (the policy's `downgrade.amount_min`) are a residue and count as nothing overdue.
    """
    settled = tuple(settled)
    paid = [row for row in settled if row.paid_on <= as_of]
    unpaid = _unpaid(settled, open_items, as_of)
    overdue = _overdue(unpaid, as_of, overdue_amount_min)
    return PaymentRecord(
        as_of=as_of,
        paid_invoices=len({row.document for row in paid} - {item.document for item in unpaid}),
        late_payments=_late_payments(paid, since=add_months(as_of, -late_payments_months)),
        punctuality=_punctuality(_delays(paid), overdue),
        owing=_owing(unpaid, overdue),
        trade=_trade(tuple(invoices), receipts, as_of, months),
    )


def facts(record: PaymentRecord) -> dict[str, Decimal]:
    """The record as facts for the scorecard and the triggers, under the keys of the policy.

    A key whose value is not known is missing, never 0: a customer who has not paid yet has no share paid on time.
    """
    known: Mapping[str, Decimal | int | None] = {
        "on_time_share": record.punctuality.on_time_share,
        "mean_days_late": record.punctuality.mean_days_late,
        "max_days_late": record.punctuality.max_days_late,
        "overdue_share": record.owing.overdue_share,
        "overdue_days_now": record.owing.overdue_days,
        "months_as_customer": record.trade.months_as_customer,
        "invoices_12_months": record.trade.invoices_12_months,
    }
    return {key: Decimal(value) for key, value in known.items() if value is not None}


def by_month(amounts: Iterable[Dated], *, as_of: date, months: int, running: bool = False) -> tuple[Month, ...]:
    """Totals of the last whole months, newest first; a month that ends on `as_of` is whole.

    `running` begins with the month that is not over yet and counts its days so far, as counting back the DSO needs.
    """
    lengths = _months(as_of, months, running)
    totals = dict.fromkeys(lengths, ZERO)
    for entry in amounts:
        first = entry.on.replace(day=1)
        if first in totals and entry.on <= as_of:
            totals[first] += entry.amount
    return tuple(Month(first, days, totals[first]) for first, days in lengths.items())


@lru_cache(maxsize=64)
def _months(as_of: date, months: int, running: bool) -> Mapping[date, int]:
    """First day -> days counted, newest first; the same for every customer of a day."""
    newest = as_of if running else month_end(add_months(as_of + timedelta(days=1), -1))
    firsts = [add_months(newest.replace(day=1), -back) for back in range(months)]
    return {first: (min(month_end(first), newest) - first).days + 1 for first in firsts}


@dataclass(frozen=True, slots=True)
class _Delay:
    """An amount that fell due, of which instalment, and by how many days it was or is late (negative: early)."""

    instalment: tuple[str, int]
    amount: Decimal
    days: int


def _delays(paid: Iterable[Settled]) -> list[_Delay]:
    return [
        _Delay((row.document, row.instalment), row.amount, (row.paid_on - row.due_on).days)
        for row in paid
        if not row.contested
    ]


def _unpaid(settled: Iterable[Settled], open_items: Iterable[OpenItem], as_of: date) -> list[OpenItem]:
    """What was open at the close of the day: what still is, and what was paid only later."""
    paid_later = [_reopened(row) for row in settled if row.paid_on > as_of]
    return [item for item in (*open_items, *paid_later) if item.dated_on <= as_of]


def _reopened(row: Settled) -> OpenItem:
    contested = row.amount if row.contested else ZERO
    return OpenItem("", row.document, row.instalment, row.due_on, row.dated_on, row.amount, "", contested)


def _overdue(unpaid: Iterable[OpenItem], as_of: date, amount_min: Decimal) -> list[_Delay]:
    """The uncontested overdue instalments; none when they are a residue in sum."""
    delays = [
        _Delay((item.document, item.instalment), item.uncontested, item.overdue_days(as_of))
        for item in unpaid
        if item.uncontested and item.overdue_days(as_of) > 0
    ]
    return delays if _total(delays) >= amount_min else []


def _punctuality(paid: list[_Delay], overdue: list[_Delay]) -> Punctuality:
    fell_due = paid + overdue
    on_time = [delay for delay in fell_due if delay.days <= 0]
    instalments = {delay.instalment for delay in fell_due}
    late_instalments = {delay.instalment for delay in fell_due if delay.days > 0}
    return Punctuality(
        on_time_share=_share(_total(on_time), _total(fell_due)),
        on_time_share_by_count=_share(len(instalments - late_instalments), len(instalments)),
        mean_days_late=_mean_days(_late_only(fell_due)),
        days_beyond_terms=_mean_days(_late_only(paid)),
        days_beyond_terms_signed=_mean_days([(delay.amount, delay.days) for delay in paid]),
        max_days_late=max((max(0, delay.days) for delay in fell_due), default=None),
    )


def _owing(unpaid: Iterable[OpenItem], overdue: list[_Delay]) -> Owing:
    unpaid = tuple(unpaid)
    uncontested = sum((item.uncontested for item in unpaid), ZERO)
    return Owing(
        open_amount=sum((item.amount for item in unpaid), ZERO),
        contested_amount=sum((item.contested_part for item in unpaid), ZERO),
        overdue_amount=_total(overdue),
        overdue_days=max((delay.days for delay in overdue), default=0),
        overdue_share=_share(_total(overdue), uncontested) or ZERO,
    )


def _trade(invoices: Sequence[Dated], receipts: Iterable[Dated], as_of: date, months: int) -> Trade:
    sold = [invoice for invoice in invoices if invoice.amount > 0 and invoice.on <= as_of]
    year_ago = add_months(as_of, -12)
    return Trade(
        months_as_customer=_whole_months(min(invoice.on for invoice in sold), as_of) if sold else None,
        invoices_12_months=sum(invoice.on > year_ago for invoice in sold),
        sales=by_month(invoices, as_of=as_of, months=months),
        collections=by_month(receipts, as_of=as_of, months=months),
    )


def _late_payments(paid: Iterable[Settled], *, since: date) -> int:
    """How many instalments were paid late after `since`, in however many parts."""
    recent = [row for row in paid if row.paid_on > since]
    return len({delay.instalment for delay in _delays(recent) if delay.days > 0})


def _whole_months(begin: date, end: date) -> int:
    months = (end.year - begin.year) * 12 + end.month - begin.month
    return months if add_months(begin, months) <= end else months - 1


def _total(delays: Iterable[_Delay]) -> Decimal:
    return sum((delay.amount for delay in delays), ZERO)


def _late_only(delays: Iterable[_Delay]) -> list[tuple[Decimal, int]]:
    return [(delay.amount, max(0, delay.days)) for delay in delays]


def _mean_days(amounts: Sequence[tuple[Decimal, int]]) -> Decimal | None:
    """The days weighted by amount, to two decimals; None without amounts."""
    total = sum((amount for amount, _ in amounts), ZERO)
    return round_half_up(sum((amount * days for amount, days in amounts), ZERO) / total) if total > 0 else None


def _share(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    """A fraction of one, to four decimals; None of nothing."""
    return round_half_up(Decimal(part) / Decimal(whole), 4) if whole > 0 else None
