"""What a decision was taken from, for people: every fact in words, and the room in the line before and after."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shouxin.credit.models import CreditAccount, LimitKind
from shouxin.customers.models import StandingKind
from shouxin.lib.templatetags.shouxin import day, grouped
from shouxin.rules.line import Limit
from shouxin.rules.order_check import Facts
from shouxin.rules.policy import Discount

from . import stored
from .models import CreditDecision, Hold

ZERO = Decimal(0)
NOTHING = "—"
Text = str | Promise


@dataclass(frozen=True)
class Told:
    """One fact: what it is called, its value, and what has to be said beside it."""

    label: str
    value: Any
    hint: str = ""


def facts_of(decision: CreditDecision) -> list[Told]:
    """Everything the rule was told about the customer, in the order it asks; amounts in the line's currency."""
    facts = stored.facts(decision.facts)
    if not facts.known:
        return [Told(_("Customer"), _("not registered"))]
    return [*_trust(facts, decision.line_currency), *_debt(facts, decision.line_currency), *_marks(facts)]


def question_of(decision: CreditDecision) -> list[Told]:
    """What was asked."""
    asked = stored.asked(decision.request)
    told = [Told(_("Amount asked for"), _money(decision.amount, decision.currency))]
    if decision.currency != decision.line_currency:
        told.append(Told(_("In the line's currency"), _money(asked.amount, decision.line_currency)))
    told.append(Told(_("Payment"), _("before delivery") if asked.prepaid else _("on credit")))
    if asked.term_days is not None:
        told.append(Told(_("Term asked for"), _days(asked.term_days)))
    if asked.discount is not None:
        told.append(Told(_("Discount asked for"), _discount(asked.discount)))
    return told


def _trust(facts: Facts, currency: str) -> Iterator[Told]:
    yield Told(_("Standing"), StandingKind(facts.standing).label)
    yield Told(_("Grade"), facts.grade or _("not graded"))
    yield Told(_("Limit"), limit_label(facts.limit, currency))
    if facts.temporary:
        yield Told(_("Temporary limits on top"), _money(facts.temporary, currency))
    yield Told(_("Line runs until"), day(facts.line_until) if facts.line_until else _("without end"))
    yield Told(_("Term of the line"), _days(facts.term_days))
    yield Told(_("Discount of the line"), _discount(facts.discount))
    if facts.group_limit.kind != "unset":
        yield Told(_("Pool of the group"), limit_label(facts.group_limit, currency))


def _debt(facts: Facts, currency: str) -> Iterator[Told]:
    yield Told(_("Exposure without this order"), _money(facts.exposure, currency))
    if facts.group_limit.kind != "unset":
        yield Told(_("Exposure of the group"), _money(facts.group_exposure, currency))
    yield Told(_("Oldest overdue item"), _days(facts.overdue_days) if facts.overdue_days else _("nothing overdue"))
    yield Told(_("Overdue in all"), _money(facts.overdue_amount, currency), _("contested parts left out"))
    yield Told(_("Dunning stage"), NOTHING if facts.dunning_stage is None else facts.dunning_stage)
    yield Told(_("Review due on"), day(facts.review_due_on))


def _marks(facts: Facts) -> Iterator[Told]:
    """What is rarely there, told only where it is."""
    if facts.contract_stopped:
        yield Told(_("Stopped contract"), facts.contract_stopped)
    if facts.missing_rate:
        yield Told(_("Exchange rate missing"), facts.missing_rate)
    if facts.parked:
        yield Told(_("Account to be looked at"), facts.parked)
    if facts.released_up_to is not None:
        yield Told(_("Released up to"), grouped(facts.released_up_to))


def limit_label(limit: Limit, currency: str) -> str:
    """The limit with its currency, or which of the other three kinds it is."""
    return _money(limit.amount, currency) if limit.kind == "amount" else str(LimitKind(limit.kind).label)


def _money(amount: Decimal | None, currency: str) -> str:
    return NOTHING if amount is None else f"{grouped(amount)} {currency}"


def _days(days: int) -> str:
    return _("%(days)s days") % {"days": days}


def _discount(discount: Discount | None) -> str:
    if discount is None:
        return _("none")
    return _("%(percent)s %% within %(days)s days") % {"percent": f"{discount.percent:f}", "days": discount.days}


# --- the room in the line ------------------------------------------------------------------------


@dataclass(frozen=True)
class Room:
    """The line as a bar, in percent of its length: what was used, what this order takes or would take, the limit."""

    used: Decimal
    order: Decimal
    limit: Decimal
    currency: str
    over: bool

    @property
    def used_width(self) -> str:
        """Length of what was owed before."""
        return self._share(self.used)

    @property
    def order_width(self) -> str:
        """Length of the order."""
        return self._share(self.order)

    @property
    def mark(self) -> str:
        """Where the limit stands."""
        return self._share(self.limit)

    @property
    def left(self) -> Decimal:
        """Room left after the order; below zero it is what is missing."""
        return self.limit - self.used - self.order

    @property
    def missing(self) -> Decimal:
        """What the line is short of."""
        return -self.left

    def _share(self, amount: Decimal) -> str:
        scale = max(self.used + self.order, self.limit, Decimal(1))
        return f"{amount / scale * 100:.2f}%"


def room_of(decision: CreditDecision) -> Room | None:
    """The bar of a decision; None where no amount bounds the line or it cannot be measured."""
    facts, asked = stored.facts(decision.facts), stored.asked(decision.request)
    bound = facts.limit.bound
    if facts.missing_rate or not facts.known or facts.limit.kind == "unlimited":
        return None
    if bound is None and not facts.temporary:
        return None
    limit, used = (bound or ZERO) + facts.temporary, max(facts.exposure, ZERO)
    order = ZERO if asked.prepaid else max(asked.amount, ZERO)
    return Room(used, order, limit, decision.line_currency, used + order > limit)


# --- labels --------------------------------------------------------------------------------------

REASON_LABELS: dict[str, Text] = {
    "blacklisted": gettext_lazy("Blacklisted"),
    "suspended": gettext_lazy("Suspended"),
    "stopped": gettext_lazy("Supply stopped"),
    "cash_only": gettext_lazy("Cash only"),
    "no_line": gettext_lazy("No line"),
    "line_expired": gettext_lazy("Line expired"),
    "limit_exceeded": gettext_lazy("Over the limit"),
    "group_limit_exceeded": gettext_lazy("Over the group's pool"),
    "overdue_days": gettext_lazy("Overdue too long"),
    "overdue_amount": gettext_lazy("Too much overdue"),
    "dunning_level": gettext_lazy("Dunning stage"),
    "document_too_large": gettext_lazy("Order too large"),
    "terms_loosened": gettext_lazy("Better terms than granted"),
    "review_overdue": gettext_lazy("Review overdue"),
    "contract_stopped": gettext_lazy("Contract stopped"),
    "unknown_customer": gettext_lazy("Unknown customer"),
    "currency_unknown": gettext_lazy("No exchange rate"),
    "proof_failed": gettext_lazy("Account parked"),
}
"""Each reason code in a few words, for chips in lists."""

SEVERITY_COLOURS = {"decline": "red", "hold": "amber", "warn": "grey", "released": "green"}
OUTCOMES: dict[str, tuple[Text, str]] = {
    "approve": (gettext_lazy("May ship"), "green"),
    "hold": (gettext_lazy("On hold"), "amber"),
    "decline": (gettext_lazy("Declined"), "red"),
}
HOLD_COLOURS = {"open": "amber", "released": "green", "rejected": "red", "cured": "blue", "superseded": "grey"}


def outcome(decision: CreditDecision) -> tuple[Text, str]:
    """The outcome as label and colour."""
    return OUTCOMES[decision.outcome]


def hold_status(hold: Hold) -> tuple[Text, str]:
    """The status of a hold as label and colour."""
    return hold.get_status_display(), HOLD_COLOURS[hold.status]


def chips(decision: CreditDecision) -> SafeString:
    """The reasons as small marks, coloured by how hard they bite."""
    marks = (
        format_html(
            '<span class="chip chip-{}">{}</span>',
            SEVERITY_COLOURS[reason["severity"]],
            REASON_LABELS[reason["code"]],
        )
        for reason in decision.reasons
    )
    return format_html_join(" ", "{}", ((mark,) for mark in marks))


def customer_address(row: CreditDecision | Hold | CreditAccount) -> str:
    """The file of the customer whose row it is; "" for nobody we know."""
    return reverse("customers:file", args=[row.customer_id]) if row.customer_id else ""


def reason_names(decision: CreditDecision) -> str:
    """The same as text, for files."""
    return ", ".join(str(REASON_LABELS[reason["code"]]) for reason in decision.reasons)
