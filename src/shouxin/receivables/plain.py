"""Which rows of a file of invoices are plain papers, told column by column, and what each of them says."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from shouxin.lib.imports.kinds import Block, Refused
from shouxin.rules.money import AMOUNT_END

ZERO = Decimal(0)
NUMBER_MAX = 32_767

Columns = Mapping[str, Sequence[Any]]


def doubts(columns: Columns) -> Iterator[int]:
    """Places of the rows whose cells may contradict each other or leave the amount to be worked out."""
    told = ("doc_date", "due_date", "amount", "settled", "open_amount")
    for place, (dated, due, amount, settled, left) in enumerate(zip(*(columns[key] for key in told), strict=True)):
        # A cell refused already is no day; such a row is not asked again.
        if (
            amount is None
            or (settled is not None and left is not None)
            or (due is not None and (not (due.__class__ is dated.__class__ is date) or due < dated))
        ):
            yield place


def papers_of(rows: Block, found: Sequence[int | Refused]) -> tuple[dict[str, list[Any]], list[int]]:
    """Plain papers as the columns `intake.post` takes, and their places in the block; `found` are the customers."""
    columns = rows.columns
    paid, paid_on = _payments(columns)
    numbers = [number or 1 for number in columns["instalment"]]
    kinds = [
        "credit_note" if kind in (None, "invoice") and amount < 0 else kind or "invoice"
        for kind, amount in zip(columns["kind"], columns["amount"], strict=True)
    ]
    customers = [each if isinstance(each, int) else None for each in found]
    keys = Counter(zip(customers, columns["doc_no"], strict=True))
    several = {key for key, count in keys.items() if count > 1} if len(keys) < len(rows) else ()
    tested = (
        customers, columns["doc_no"], kinds, columns["amount"], paid, numbers, columns["contested"],
    )  # fmt: skip
    places = [
        place
        for place, (customer, doc_no, kind, amount, part, number, contested) in enumerate(zip(*tested, strict=True))
        if customer is not None
        and not contested
        and 0 < number <= NUMBER_MAX
        and (ZERO <= part <= amount < AMOUNT_END if amount > 0 else -AMOUNT_END < amount <= part <= ZERO)
        and amount
        and not (kind == "credit_note" and amount > 0)
        and (not several or (customer, doc_no) not in several)
    ]
    papers: dict[str, Any] = {
        "customer": customers, "doc_no": columns["doc_no"], "kind": kinds, "dated_on": columns["doc_date"],
        "due_on": columns["due_date"], "number": numbers, "amount": columns["amount"], "currency": columns["currency"],
        "order_no": _texts(columns["order_no"]), "contract_no": _texts(columns["contract_no"]),
        "description": _texts(columns["description"]), "paid": paid, "paid_on": paid_on,
    }  # fmt: skip
    if len(places) < len(rows):
        papers = {name: [values[place] for place in places] for name, values in papers.items()}
    return papers, places


def _texts(values: Sequence[str | None]) -> list[str]:
    return [value or "" for value in values]


def _payments(columns: Columns) -> tuple[list[Decimal], list[date | None]]:
    """What of each paper was settled before it came, and on which day (None: not known)."""
    told = [columns[key] for key in ("amount", "settled", "open_amount", "settled_on")]
    if all(column.count(None) == len(column) for column in told[1:]):
        return [ZERO] * len(told[0]), [None] * len(told[0])
    paid = [settled_part(*values) for values in zip(*told, strict=True)]
    return paid, [on if part else None for part, on in zip(paid, told[3], strict=True)]


def settled_part(amount: Decimal, settled: Decimal | None, left: Decimal | None, on: date | None) -> Decimal:
    """What of a row is paid: said outright, or the amount less what is open, or all of it by a day of payment."""
    if settled is not None:
        return settled
    return amount - left if left is not None else amount if on else ZERO
