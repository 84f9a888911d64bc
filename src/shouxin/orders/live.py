"""The one live decision of each order: what a later check of the same order supersedes (I-11)."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db.models import Q

from shouxin.credit.models import Reservation
from shouxin.office.models import Person

from .models import Hold, LiveOrder

if TYPE_CHECKING:
    from .checks import CheckRequest

Key = tuple[str, str]


def key_of(request: "CheckRequest") -> Key:
    """The natural key of an order: its source system and number."""
    return request.source_system, request.order_no


class LiveOrders:
    """The live orders a batch asks about, locked, as they stand while its requests are decided one after another."""

    def __init__(
        self, rows: Iterable[LiveOrder], reservations: dict[Key, Reservation], releases: dict[Key, Hold]
    ) -> None:
        self._rows = {(row.source_system, row.order_no): row for row in rows}
        self._latest = {key: row.decision_id for key, row in self._rows.items()}
        self._releases = releases
        self.reservations = reservations

    @classmethod
    def locked(
        cls, requests: Sequence["CheckRequest"], customer_of: Callable[[str], int | None], today: date
    ) -> "LiveOrders":
        """Lock (and where new, begin) the live orders the requests name; nothing is begun by merely asking."""
        wanted = {key_of(request): customer_of(request.customer) for request in requests if request.order_no}
        begun = {key_of(request) for request in requests if request.order_no and request.reserve}
        LiveOrder.objects.bulk_create(
            [LiveOrder(customer_id=wanted[key], source_system=key[0], order_no=key[1]) for key in sorted(begun)],
            ignore_conflicts=True,
        )
        rows = LiveOrder.objects.filter(order_no__in={key[1] for key in wanted}).select_related("decision")
        locked = rows.order_by("source_system", "order_no").select_for_update(of=("self",))
        mine = [row for row in locked if (row.source_system, row.order_no) in wanted]
        return cls(mine, cls._reservations_of(mine, wanted), cls._releases_of(wanted, today))

    @staticmethod
    def _reservations_of(rows: Iterable[LiveOrder], wanted: Iterable[Key]) -> dict[Key, Reservation]:
        """What each order holds: by its live decision, or taken over from a file before any decision."""
        keys = {row.decision.reservation_id: (row.source_system, row.order_no) for row in rows if row.decision}
        decided = Q(pk__in=[pk for pk in keys if pk])
        taken_over = Q(decision_id=None, order_no__in={order_no for _source, order_no in wanted})
        found: dict[Key, Reservation] = {}
        for row in Reservation.objects.filter(decided | taken_over).order_by("pk").select_for_update():
            key = keys.get(row.pk) or (row.source_system, row.order_no)
            if row.pk in keys or (key in wanted and key not in keys.values()):
                found[key] = row
        return found

    @staticmethod
    def _releases_of(wanted: Iterable[Key], today: date) -> dict[Key, Hold]:
        """The releases that still run, by order: a released order may be checked again at delivery (I-19)."""
        holds = Hold.objects.filter(
            status="released", until__gte=today, decision__order_no__in={key[1] for key in wanted}
        )
        return {
            (hold.decision.source_system, hold.decision.order_no): hold
            for hold in holds.select_related("decision").order_by("pk")
        }

    def latest(self, request: "CheckRequest") -> int | None:
        """The id of the live decision on the order so far, those of this batch included."""
        return self._latest.get(key_of(request))

    def follow(self, request: "CheckRequest", decision_id: int) -> None:
        """Let a decision of this batch be the live one."""
        self._latest[key_of(request)] = decision_id

    def released_up_to(self, request: "CheckRequest", customer_id: int | None, currency: str) -> Decimal | None:
        """The amount up to which a person has released this order of this customer, while her release lasts (I-19)."""
        hold = self._releases.get(key_of(request))
        fits = hold and hold.customer_id == customer_id and hold.decision.currency == currency
        return hold.up_to_amount if hold and fits else None

    def settle(self, superseded: Iterable[int], *, at: datetime, by: Person | None) -> None:
        """Write the live decisions of the batch; holds of the decisions they supersede are over."""
        changed = [row for key, row in self._rows.items() if row.decision_id != self._latest[key]]
        for row in changed:
            row.decision_id = self._latest[row.source_system, row.order_no]
        LiveOrder.objects.bulk_update(changed, ["decision"])
        Hold.objects.filter(decision__in=list(superseded), status="open").update(
            status="superseded", decided_at=at, decided_by=by
        )
