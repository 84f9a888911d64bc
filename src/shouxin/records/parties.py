"""The group as a drawn tree with exposures and pool, and the counterparty's checklist (B1.1, B1.3)."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Case, F, Q, When
from django.utils import translation
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from shouxin.credit.models import Reservation
from shouxin.customers import facts, groups, persons, standing
from shouxin.customers.models import Customer, GroupTie
from shouxin.lib import documents
from shouxin.lib.documents import Paper
from shouxin.office import policies, rates
from shouxin.receivables.models import Invoice
from shouxin.rules import counterparty, ids
from shouxin.rules import groups as tree
from shouxin.rules.counterparty import Bounds, Facts, Item, Outcome
from shouxin.rules.line import Limit, room
from shouxin.rules.money import convert
from shouxin.rules.policy import Policy

from . import labels
from .credit_file import CreditFile
from .positions import Position, positions

MEMBERS_MAX = 500
KINDS = dict(GroupTie.KINDS)


@dataclass(frozen=True)
class Member:
    """A member of the drawn tree. `seen` False: it hangs there, and is out of the reader's sight."""

    node: tree.Node
    customer: Customer | None
    position: Position | None

    @property
    def kind(self) -> str:
        """The kind of its tie to the parent, in words."""
        return str(KINDS[self.node.tie.kind]) if self.node.tie else ""

    @property
    def seen(self) -> bool:
        """Whether the reader may know who it is."""
        return self.customer is not None


@dataclass(frozen=True)
class Group:
    """A group on a day: where the customer stands itself, the members as they are drawn, the pool."""

    top: int
    head: int
    own: Position
    members: list[Member]
    pool: Limit
    currency: str
    used: Decimal
    missing: str
    pool_until: date | None
    left_out: int

    @property
    def room(self) -> Limit:
        """What is left of the pool."""
        return room(self.pool, self.used)

    @property
    def over(self) -> bool:
        """Whether more is used than the pool holds; equal is within it."""
        return self.pool.bound is not None and self.used > self.pool.bound


def group_of(customer: Customer, *, seen_by: Q, policy: Policy, on: date) -> Group:
    """The customer's group as it was tied on the day; exposures stand as they are now. A single customer is a tree of
    one. Members out of the reader's sight, and those whose data are restricted, are drawn without a name; the pool
    counts them all."""
    ties = groups.ties_on(on)
    least = policy.parties.pool_percent_min
    top = groups.top_of(customer, ties)
    nodes = tree.tree(top, ties.values(), least)
    up = tree.parents(ties.values(), least).get(customer.pk, ())
    head = up[-1] if up else customer.pk
    sharing = {head, *(pk for pk, above in tree.parents(ties.values(), least).items() if above and above[-1] == head)}
    shown = nodes[:MEMBERS_MAX]
    around = {node.customer for node in shown} | sharing | {customer.pk}
    named = seen_by & Q(restricted_on=None)
    known = Customer.objects.filter(pk__in=around).annotate(seen=Case(When(named, then=True), default=False))
    rows = {each.pk: each for each in known.defer("search_keys")}
    found = positions(rows.values(), policy=policy, on=on)
    pool = found[head].held.pool
    currency = pool.currency if pool else found[head].currency
    used, missing = _used([found[pk] for pk in sharing if pk in found], currency, policy, on)
    seen = {pk for pk, each in rows.items() if each.seen}
    members = [
        Member(node, rows[node.customer], found[node.customer]) if node.customer in seen else Member(node, None, None)
        for node in shown
    ]
    limit = Limit(pool.limit_kind, pool.limit) if pool else Limit.unset()
    until, left = pool.until if pool else None, len(nodes) - len(shown)
    return Group(top, head, found[customer.pk], members, limit, currency, used, missing, until, left)


def _used(found: list[Position], currency: str, policy: Policy, on: date) -> tuple[Decimal, str]:
    """What the members owe together in the pool's currency, and a currency without a rate, if any."""
    known = rates.rates({currency, *(each.currency for each in found)}, on=on,
                        company_currency=policy.company.currency)  # fmt: skip
    total, missing = Decimal(0), ""
    for each in found:
        if each.currency == currency:
            total += each.used
        elif {each.currency, currency} <= known.keys():
            total += convert(each.used, known[each.currency].rate / known[currency].rate)
        else:
            missing = each.currency
        missing = missing or each.missing
    return total, missing


# --- the counterparty's checklist ----------------------------------------------------------------


@dataclass(frozen=True)
class Checklist:
    """The checklist of a customer on a day, with the worst of its outcomes."""

    items: tuple[Item, ...]
    verdict: Outcome
    on: date


def checklist(file: CreditFile, *, needed: Decimal | None = None) -> Checklist:
    """What is known about standing and ability, judged. `needed`: the amount of the deal, in the line's currency."""
    policy = file.policy
    bounds = Bounds(
        fresh_days=policy.parties.check_fresh_days,
        lawsuits_max=policy.parties.lawsuits_max,
        overdue_days_max=policy.parties.overdue_days_max,
        grade_worst=policy.parties.grade_worst.value,
    )
    items = counterparty.check(_facts_of(file, needed), bounds)
    return Checklist(items, counterparty.verdict(items), file.on)


def _facts_of(file: CreditFile, needed: Decimal | None) -> Facts:
    customer, position = file.customer, file.position
    known = facts.latest([customer.pk], file.on)[customer.pk]
    delivered, cancelled = _deliveries(customer)
    registration = known.get("registration_status")
    available = position.available
    return Facts(
        on=file.on,
        natural_person=customer.natural_person,
        code_problem=_code_problem(customer),
        registration=str(registration.value) if registration else None,
        licence_until=_day(_value(known, "licence_until")),
        licence_checked_on=registration.as_of if registration else None,
        scope_covers=_yes(known, "scope_covers"),
        abnormal=_yes(known, "abnormal_operation"),
        dishonest=_yes(known, "dishonest_debtor"),
        serious_offender=_yes(known, "serious_offender"),
        dissolved=_yes(known, "dissolved"),
        standing=position.standing,
        persons_listed=tuple(row.person.name for row in persons.behind(customer) if row.listed),
        grade=position.grade or None,
        line_until=position.held.line.until if position.held.line else None,
        has_line=position.held.line is not None,
        available=Decimal("9" * 13) if available.kind == "unlimited" else available.bound,
        needed=needed,
        overdue_days=max(0, position.oldest_days),
        delivered=delivered,
        cancelled=cancelled,
        lawsuits=_count(known, "lawsuits"),
        judgment_debtor=_yes(known, "judgment_debtor"),
    )


def _code_problem(customer: Customer) -> str | None:
    if customer.natural_person and customer.id_number:
        return "" if ids.check_citizen_number(customer.id_number).ok else "check_digit"
    if not customer.uscc:
        return None
    return "" if customer.uscc_confirmed else ids.check_uscc(customer.uscc).problem or ""


def _value(known: Any, key: str) -> Any:
    return known[key].value if key in known else None


def _yes(known: Any, key: str) -> bool | None:
    found = _value(known, key)
    return found if isinstance(found, bool) else {"true": True, "false": False}.get(str(found).lower())


def _count(known: Any, key: str) -> int | None:
    found = _value(known, key)
    return int(found) if isinstance(found, Decimal) else None


def _day(text: Any) -> date | None:
    """A date as people note it; "长期" and its like are a licence without an end."""
    if str(text).strip() in ("长期", "长期有效", "long-term", "unlimited"):
        return date.max
    try:
        return date.fromisoformat(str(text).strip())
    except ValueError:
        return None


def _deliveries(customer: Customer) -> tuple[int, int]:
    """Orders carried out at least in part (an invoice without an order counts too), and orders that fell through."""
    orders = Reservation.objects.filter(account__customer=customer)
    done = orders.filter(Q(billed__gt=0) | Q(unbilled__gt=0)).count()
    invoices = Invoice.objects.filter(customer=customer, kind__in=("invoice", "opening")).count()
    return max(done, invoices), orders.filter(released=F("amount")).count()


def shown(checklist: Checklist) -> list[dict[str, Any]]:
    """The items in words: what is asked, how it came out, what was measured, what would cure it."""
    return [
        {
            "key": item.key,
            "clause": item.clause,
            "name": str(NAMES[item.key]),
            "outcome": item.outcome,
            "status": (str(OUTCOMES[item.outcome][0]), OUTCOMES[item.outcome][1]),
            "measured": _measured(item),
            "cure": str(CURES[item.cure]) if item.cure else "",
        }
        for item in checklist.items
    ]


def _measured(item: Item) -> str:
    if item.key == "licence" and item.measured.startswith("9999"):
        return _("long-term")
    if item.key == "blacklist" and item.measured in standing.SEVERITY:
        return str(labels.standing_status(item.measured)[0])
    return str(MEASURED.get(item.measured, item.measured))


def checklist_paper(customer: Customer, found: Checklist, *, language: str | None = None) -> Paper:
    """The checklist as it is printed and kept with the contract's review."""
    language = language or get_language() or "zh-hans"
    with translation.override(language):
        company = policies.in_force(found.on).policy.company.name
        house = company.zh if language.startswith("zh") else company.en
        rows = [
            [each["clause"], each["name"], each["status"][0], each["measured"], each["cure"]] for each in shown(found)
        ]
        heads = [_("Clause"), _("Check"), _("Outcome"), _("Measured"), _("What would cure it")]
        about = [(_("Customer"), f"{customer.code} {customer.name}"), (_("As of"), found.on.isoformat()),
                 (_("Outcome"), str(OUTCOMES[found.verdict][0])),
                 (_("Unified social credit code"), customer.uscc)]  # fmt: skip
        blocks = [
            documents.facts(about),
            documents.table(heads, rows),
            documents.signature(house, _("Examined by:"), _("Date:")),
        ]
        head = [(_("Number"), customer.code), (_("Date"), found.on.isoformat())]
        return documents.paper(_("Check of the counterparty"), blocks, house=house, language=language, head=head)


OUTCOMES: dict[str, tuple[Any, str]] = {
    "pass": (gettext_lazy("Passes"), "green"),
    "fail": (gettext_lazy("Fails"), "red"),
    "unknown": (gettext_lazy("Not known"), "amber"),
}
NAMES: dict[str, Any] = {
    "code": gettext_lazy("Credit code or identity number with its check character"),
    "registration": gettext_lazy("Registration status"),
    "licence": gettext_lazy("Licence in force"),
    "scope": gettext_lazy("Business scope covers the deal"),
    "fresh": gettext_lazy("Register looked up recently"),
    "abnormal": gettext_lazy("Not on the list of abnormal operations"),
    "dishonest": gettext_lazy("Not a dishonest judgment debtor"),
    "serious": gettext_lazy("Not on the list of serious offenders"),
    "blacklist": gettext_lazy("Not on our blacklist, nor anybody behind it"),
    "grade": gettext_lazy("Grade"),
    "room": gettext_lazy("Line in force with room enough"),
    "overdue": gettext_lazy("Nothing long overdue"),
    "deliveries": gettext_lazy("Record of orders carried out"),
    "litigation": gettext_lazy("Lawsuits and enforcement"),
}
_NOTE = gettext_lazy("Look it up and note the fact with its source and day.")
CURES: dict[str, Any] = {
    "code_fail": gettext_lazy("Compare with the licence and correct the code."),
    "code_unknown": gettext_lazy("Enter the credit code from the licence."),
    "registration_fail": gettext_lazy("Conclude nothing; ask who has taken over its rights and debts."),
    "registration_unknown": gettext_lazy("Look the company up in the public register and note its status."),
    "licence_fail": gettext_lazy("Ask for the renewed licence."),
    "licence_unknown": gettext_lazy("Note until when the licence runs (“long-term” where it has no end)."),
    "scope_fail": gettext_lazy("Ask for the licence that covers the deal, or conclude with somebody who has it."),
    "scope_unknown": gettext_lazy("Compare the scope on the licence with the deal and note the result."),
    "fresh_fail": gettext_lazy("Look the register up again; the last look is too old."),
    "fresh_unknown": gettext_lazy("Look the company up in the public register and note its status."),
    "abnormal_fail": gettext_lazy("Let the customer have itself removed from the list, and note the removal."),
    "abnormal_unknown": _NOTE,
    "dishonest_fail": gettext_lazy("Cash before delivery until the debt is performed and the entry removed."),
    "dishonest_unknown": _NOTE,
    "serious_fail": gettext_lazy("Conclude nothing until it is removed from the list."),
    "serious_unknown": _NOTE,
    "blacklist_fail": gettext_lazy("No business; appeal and re-admission are on the page of the case."),
    "grade_fail": gettext_lazy("Security, cash, or a better grade at the next rating."),
    "grade_unknown": gettext_lazy("Rate the customer."),
    "room_fail": gettext_lazy("Payment, a renewed or larger line, or a smaller deal."),
    "room_unknown": gettext_lazy("Ask for a line."),
    "overdue_fail": gettext_lazy("Let the customer pay what is overdue."),
    "deliveries_fail": gettext_lazy("Find out why orders fell through; begin with a small one."),
    "deliveries_unknown": gettext_lazy("A first deal: begin small, or ask trade references."),
    "litigation_fail": gettext_lazy("Read the judgments; ask for security."),
    "litigation_unknown": _NOTE,
}
MEASURED: dict[str, Any] = {
    "in_business": gettext_lazy("in business"),
    "moved": gettext_lazy("moved to another registry"),
    "deregistered": gettext_lazy("deregistered"),
    "revoked": gettext_lazy("licence revoked"),
    "cancelled": gettext_lazy("registration cancelled"),
    "closed": gettext_lazy("closed for a time"),
    "suspended": gettext_lazy("suspended"),
    "other": gettext_lazy("other"),
    "dissolved": gettext_lazy("revoked, struck off, in liquidation or bankrupt"),
    "judgment_debtor": gettext_lazy("judgment debtor"),
    "check_digit": gettext_lazy("check character wrong"),
    "length": gettext_lazy("wrong length"),
}
