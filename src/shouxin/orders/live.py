"""The one live decision of each order: what a later check of the same order supersedes (I-11)."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from shouxin.credit.models import CreditAccount, Reservation
from shouxin.lib.statements import Reply, append_new, array, ask, send
from shouxin.receivables.models import Invoice
from shouxin.rules import order_check

from . import stored
from .models import CreditDecision, Hold, LiveOrder

if TYPE_CHECKING:
    from .checks import Case, CheckRequest

Key = tuple[str, str]
ZERO = Decimal("0.00")


class Overtaken(Exception):
    """Somebody else has begun one of the orders since the batch looked: look again."""


def key_of(request: "CheckRequest") -> Key:
    """The natural key of an order: its source system and number."""
    return request.source_system, request.order_no


def keys_of(requests: Iterable["CheckRequest"]) -> list[Key]:
    """The orders that are named, each once, in the order in which they are locked."""
    return sorted({key_of(request) for request in requests if request.order_no})


@dataclass(frozen=True)
class Release:
    """A person's word that an order may ship: for which customer, up to what amount of which currency, and over which
    of the reasons that were before her, on the terms asked for then.

    `credited`: what credit notes ever took off the order. It was shipped under the release all the same, which serves
    nobody twice, whether or not a note was reversed.
    """

    customer_id: int | None
    currency: str
    up_to: Decimal
    credited: Decimal
    reasons: Sequence[Mapping[str, Any]]
    asked: dict[str, Any]

    def covers(self, request: "CheckRequest") -> tuple[str, ...]:
        """The reasons it overrules for this request."""
        told = {reason["code"]: reason["severity"] for reason in self.reasons}
        return order_check.overruled(told, stored.asked(self.asked), request.term_days, request.discount)


class Live(NamedTuple):
    """The row that is an order's lock, with its live decision and whom that was about."""

    id: int
    decision_id: int | None
    customer_id: int | None


@dataclass
class LiveOrders:
    """The orders a batch asks about, locked, as they stand while its requests are decided one after another.

    `reservations`: what each order holds undelivered: by its live decision, taken over from a file before any, or given
    back to an earlier one by the reversal of an invoice.
    `shipped`: what of an order was delivered or billed on an account, under whichever of its decisions.
    """

    rows: Mapping[Key, Live]
    reservations: Mapping[Key, Sequence[Reservation]]
    releases: Mapping[Key, Release]
    shipped: Mapping[tuple[Key, int], Decimal]
    latest: dict[Key, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.latest = {key: row.decision_id for key, row in self.rows.items() if row.decision_id}
        self._before = dict(self.latest)

    def shipped_on(self, request: "CheckRequest", account_id: int | None) -> Decimal:
        """What of the order is owed on this account already; what stands on another's account is no part of it."""
        return self.shipped.get((key_of(request), account_id), ZERO) if request.order_no and account_id else ZERO

    def released(
        self, request: "CheckRequest", customer_id: int | None, currency: str, shipped: Decimal
    ) -> tuple[Decimal, tuple[str, ...]] | None:
        """What is left of the amount a person has released this customer's order up to, while it lasts, and the
        reasons she has overruled (I-19)."""
        release = self.releases.get(key_of(request))
        if release is None or (release.customer_id, release.currency) != (customer_id, currency):
            return None
        return max(ZERO, release.up_to - shipped - release.credited), release.covers(request)

    def follow(self, key: Key, decision_id: int) -> int | None:
        """Let a decision of this batch be the live one; answers the one it supersedes."""
        superseded = self.latest.get(key)
        self.latest[key] = decision_id
        return superseded

    def stands(self, case: "Case") -> bool:
        """Whether the batch's decision on an order is its last word: an order asked about twice is reserved once."""
        return not case.request.order_no or self.latest[key_of(case.request)] == case.number

    def settle(self, customers: Mapping[Key, int | None]) -> Callable[[], None]:
        """Write the live decisions of the batch; call what is answered once the pipeline is over.

        It raises Overtaken where another batch began one of the orders first. `customers`: whose orders they are.
        """
        changed = {key: decision for key, decision in self.latest.items() if self._before.get(key) != decision}
        known = [key for key in changed if key in self.rows]
        new = sorted(changed.keys() - self.rows.keys())
        if known:
            send(_FOLLOW, array(self.rows[key].id for key in known), array(changed[key] for key in known))
        if not new:
            return lambda: None
        begun = append_new(
            LiveOrder,
            {
                "customer_id": [customers[key] for key in new],
                "source_system": [key[0] for key in new],
                "order_no": [key[1] for key in new],
                "decision_id": [changed[key] for key in new],
            },
        )

        def check() -> None:
            if begun.rowcount != len(new):
                raise Overtaken

        return check


_FOLLOW = (
    f"UPDATE {LiveOrder._meta.db_table} AS l SET decision_id = v.decision "
    "FROM unnest(%s::bigint[], %s::bigint[]) AS v(id, decision) WHERE l.id = v.id"
)
_TABLES = {
    model.__name__.lower(): model._meta.db_table
    for model in (CreditAccount, CreditDecision, Hold, Invoice, LiveOrder, Reservation)
} | {"keys": "unnest(%s::text[], %s::text[]) AS k(source_system, order_no)"}


def _asked(keys: Sequence[Key]) -> tuple[str, str]:
    return array(key[0] for key in keys), array(key[1] for key in keys)


_HOLDERS = """
SELECT a.customer_id FROM {keys} JOIN {reservation} r USING (source_system, order_no)
JOIN {creditaccount} a ON a.id = r.account_id WHERE r.reserved > 0 OR r.undelivered > 0
""".format(**_TABLES)


def ask_holders(keys: Sequence[Key]) -> Reply[set[int]]:
    """The ids of the customers on whose accounts the orders stand now: their accounts have to be locked too."""
    return ask(_HOLDERS, *_asked(keys), read=lambda rows: {row[0] for row in rows})


_LOCK = """
SELECT l.source_system, l.order_no, l.id, l.decision_id, d.customer_id
FROM {keys} JOIN {liveorder} l USING (source_system, order_no) LEFT JOIN {creditdecision} d ON d.id = l.decision_id
ORDER BY l.source_system, l.order_no FOR UPDATE OF l
""".format(**_TABLES)
_COLUMNS = [field.column for field in Reservation._meta.concrete_fields]
_HELD = """
SELECT {columns} FROM {keys} JOIN {reservation} r USING (source_system, order_no)
WHERE r.reserved > 0 OR r.undelivered > 0 ORDER BY r.id
""".format(**_TABLES, columns=", ".join(f"r.{column}" for column in _COLUMNS))
_SHIPPED = """
SELECT r.source_system, r.order_no, r.account_id, sum(r.unbilled + r.billed)
FROM {keys} JOIN {reservation} r USING (source_system, order_no) GROUP BY 1, 2, 3
""".format(**_TABLES)
_RELEASES = """
SELECT d.source_system, d.order_no, h.customer_id, d.currency, h.up_to_amount, (
    SELECT coalesce(-sum(i.amount), 0.00) FROM {invoice} i
    WHERE i.customer_id = h.customer_id AND i.currency = d.currency AND i.order_no = d.order_no
        AND i.kind = 'credit_note'
), d.reasons, d.request
FROM {keys} JOIN {creditdecision} d USING (source_system, order_no) JOIN {hold} h ON h.decision_id = d.id
WHERE h.status = 'released' AND h.until >= %s ORDER BY h.id
""".format(**_TABLES)


def ask_live(keys: Sequence[Key], *, today: date) -> Callable[[], LiveOrders]:
    """Lock the live orders named and ask what they hold and what was released; nothing is begun by merely asking.

    Four questions of a pipeline, behind the locks of the accounts; call what is answered to read them.
    """
    locked = ask(_LOCK, *_asked(keys), read=lambda rows: {(row[0], row[1]): Live(*row[2:]) for row in rows})
    held = ask(_HELD, *_asked(keys), read=_read_reservations)
    releases = ask(_RELEASES, *_asked(keys), today, read=_read_releases)
    shipped = ask(
        _SHIPPED, *_asked(keys), read=lambda rows: {((row[0], row[1]), row[2]): row[3] for row in rows if row[3]}
    )
    return lambda: LiveOrders(locked.read(), held.read(), releases.read(), shipped.read())


def _read_releases(rows: Iterable[Sequence[Any]]) -> dict[Key, Release]:
    """The last release of each order."""
    return {(row[0], row[1]): Release(*row[2:6], *map(json.loads, row[6:])) for row in rows}


def _read_reservations(rows: Iterable[Sequence[Any]]) -> dict[Key, list[Reservation]]:
    found: dict[Key, list[Reservation]] = defaultdict(list)
    for row in rows:
        reservation = Reservation.from_db("default", _COLUMNS, row)
        found[reservation.source_system, reservation.order_no].append(reservation)
    return found


def supersede_holds(superseded: Mapping[int, int | None], *, at: datetime) -> None:
    """Open holds of superseded decisions are over; decision id -> who asked again."""
    if superseded:
        send(
            f"UPDATE {Hold._meta.db_table} AS h SET status = 'superseded', decided_at = %s, decided_by_id = v.by "
            "FROM unnest(%s::bigint[], %s::bigint[]) AS v(decision, by) "
            "WHERE h.decision_id = v.decision AND h.status = 'open'",
            at,
            array(superseded),
            array(superseded.values()),
        )
