"""Files of open orders: what was promised before the product watched, counted as ordered and not yet delivered."""

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from shouxin.credit import exposure, reservations
from shouxin.credit.models import Reservation
from shouxin.customers.identify import COLUMNS, ONE_OF, Identifier, record_import
from shouxin.customers.standing import BARRED, BLACKLISTED, bites
from shouxin.lib.imports import kinds
from shouxin.lib.imports.faults import register_messages
from shouxin.lib.imports.kinds import Column, Conditions, Kind, Outcome, Refused, Row, also
from shouxin.office import clock, posts, trail
from shouxin.office.models import Person
from shouxin.rules.exposure import Bucket
from shouxin.rules.policy import Post

from .models import LiveOrder

MAY_IMPORT = (Post.CREDIT_ADMINISTRATOR, Post.CREDIT_MANAGER, Post.FINANCE)

register_messages(
    {
        "order_known": _("Order {order_no} stands already with {amount} {currency}; check it anew instead."),
        "blacklisted": BARRED,
        "order_decided": _("Order {order_no} was decided here already; check it anew instead."),
    }
)

COLUMNS_OF_ORDERS = (
    *COLUMNS,
    Column(
        "order_no",
        _("order number"),
        "code",
        also(
            "订单号 订单编号 销售订单号 销售订单 单据编号 单据号",
            "order_no, order no, order number, sales order, sales document, vbeln, so number",
        ),
        required=True,
        length_max=80,
    ),
    Column(
        "amount",
        _("open amount"),
        "amount",
        also(
            "未发货金额 未交货金额 未执行金额 未出库金额 订单余额 订单金额 价税合计 金额",
            "open amount, undelivered amount, open order amount, amount, net amount, order amount",
        ),
        required=True,
        sign="positive",
    ),
    Column("currency", _("currency"), "currency", also("币种 币别", "currency, waerk")),
)


def may_import(person: Person) -> bool:
    """Whether she may take over open orders by file."""
    return posts.is_system(person) or bool(posts.posts_of(person, on=clock.today()) & set(MAY_IMPORT))


class OrderWriter:
    """Reserves the open value of orders as undelivered; an order that stands with the same amount changes nothing."""

    def __init__(self, conditions: Conditions) -> None:
        self.conditions = conditions
        if not posts.is_system(conditions.by):
            posts.require(conditions.by, *MAY_IMPORT, on=conditions.today, about="order:", verb="order.import")
        self.identifier = Identifier(conditions, though_restricted=True)

    @transaction.atomic
    def write(self, rows: Sequence[Row]) -> list[Outcome]:
        """One outcome per row."""
        conditions = self.conditions
        found = self.identifier.identify([row.values for row in rows])
        pairs = {
            (answer, row.values["currency"])
            for row, answer in zip(rows, found, strict=True)
            if not isinstance(answer, Refused)
        }
        accounts = exposure.open_accounts(pairs)
        exposure.lock({customer for customer, _currency in pairs})
        standing, decided = self._standing(rows)
        found_bites = bites({customer for customer, _currency in pairs}, conditions.today)
        outcomes: list[Outcome] = []
        wanted: list[reservations.Wanted] = []
        for row, answer in zip(rows, found, strict=True):
            order_no, amount, currency = (row.values[key] for key in ("order_no", "amount", "currency"))
            if isinstance(answer, Refused):
                outcomes.append(answer)
            elif order_no in standing:
                account, before, was = standing[order_no]
                same = account == accounts[answer, currency] and before == amount
                params = {"order_no": order_no, "amount": f"{before:,.2f}", "currency": was}
                outcomes.append("unchanged" if same else Refused("order_known", params, "order_no"))
            elif order_no in decided:
                outcomes.append(Refused("order_decided", {"order_no": order_no}, "order_no"))
            elif found_bites[answer].standing == BLACKLISTED:
                outcomes.append(Refused("blacklisted", {}, "customer_code"))
            else:
                account = accounts[answer, currency]
                standing[order_no] = (account, amount, currency)
                wanted.append(
                    reservations.Wanted(
                        account, conditions.source_system, order_no, amount, None, stage=Bucket.UNDELIVERED
                    )
                )
                outcomes.append("accepted")
        made = reservations.make(wanted, today=conditions.today, at=conditions.at, by=conditions.by)
        if made:
            trail.record(
                "order.import_many", about="reservation:many", by=conditions.by, at=conditions.at, orders=len(made)
            )
        return outcomes

    def _standing(self, rows: Sequence[Row]) -> tuple[dict[str, tuple[int, object, str]], set[str]]:
        """Order number -> account, amount and currency of orders taken over before; and numbers decided here."""
        asked = {row.values["order_no"] for row in rows}
        source = self.conditions.source_system
        held = Reservation.objects.filter(order_no__in=asked, source_system=source).select_related("account")
        standing = {
            row.order_no: (row.account_id, row.amount, row.account.currency) for row in held if row.decision_id is None
        }
        decided = LiveOrder.objects.filter(order_no__in=asked, source_system=source, decision__isnull=False)
        return standing, set(decided.values_list("order_no", flat=True))


ORDERS = Kind(
    name="orders",
    label=_("Open orders"),
    columns=COLUMNS_OF_ORDERS,
    writer=OrderWriter,
    may=may_import,
    key=("order_no",),
    one_of=(ONE_OF,),
    sums="amount",
    needs_currency=True,
    finished=record_import("orders"),
    help=_("Orders promised and not yet delivered: they count against the line until they are billed."),
)


def register() -> None:
    """Enter the kinds of this package; called when the application is ready."""
    kinds.register(ORDERS)
