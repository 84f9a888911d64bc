"""Decisions in words: each reason code with its numbers, and each cure, in the reader's language."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext_lazy as _

from shouxin.customers.models import StandingKind

REASONS = {
    "blacklisted": _("The customer is blacklisted: no order, prepaid or not."),
    "suspended": _("Business with this customer is suspended."),
    "stopped": _("Supply to this customer is stopped."),
    "cash_only": _("This customer pays before delivery."),
    "no_line": _("Nobody has granted this customer a line yet."),
    "line_expired": _("The line ran out on %(allowed)s."),
    "limit_exceeded": _("With this order the customer would owe %(measured)s; its limit is %(allowed)s."),
    "group_limit_exceeded": _("With this order the customer's group would owe %(measured)s; its pool is %(allowed)s."),
    "overdue_days": _("The oldest item is %(measured)s days overdue; this grade may be %(allowed)s days late."),
    "overdue_amount": _("%(measured)s is overdue; the policy bears %(allowed)s."),
    "dunning_level": _("Dunning has reached stage %(measured)s; up to stage %(allowed)s goods still ship."),
    "document_too_large": _("A single order of this grade may be %(allowed)s; this one is %(measured)s."),
    "terms_loosened": _("The order asks for better terms (%(measured)s) than the line grants (%(allowed)s)."),
    "review_overdue": _("The customer's periodic review was due on %(allowed)s."),
    "contract_stopped": _("The contract %(measured)s is stopped."),
    "unknown_customer": _("No customer is registered under this code."),
    "currency_unknown": _("No exchange rate is known for %(measured)s, so the order cannot be measured."),
    "proof_failed": _("The account waits to be looked at: %(measured)s."),
}

CURES = {
    "appeal": _("lift the blacklisting: one person proposes it, another confirms"),
    "lift_suspension": _("lift the suspension"),
    "lift_stop": _("pay what is overdue, or have the stop lifted"),
    "prepay": _("pay %(value)s before delivery and mark the order prepaid"),
    "request_line": _("request a line of at least %(value)s"),
    "renew_line": _("renew the line"),
    "pay": _("a payment of %(value)s"),
    "reduce_to": _("reduce the order to %(value)s"),
    "raise_line": _("raise the limit to %(value)s, or add a temporary limit"),
    "pay_overdue": _("a payment of the overdue %(value)s"),
    "term_to": _("keep to the line's %(value)s days"),
    "discount_to": _("keep to the line's discount of %(value)s"),
    "review": _("do the review: rate the customer again"),
    "resume_contract": _("resume the contract"),
    "register": _("register the customer and rate it"),
    "put_rate": _("enter the exchange rate"),
    "mend_account": _("find the difference, correct it and release the account"),
}

MONEY = frozenset({"limit_exceeded", "group_limit_exceeded", "overdue_amount", "document_too_large"})
MONEY_CURES = frozenset({"prepay", "request_line", "pay", "reduce_to", "raise_line", "pay_overdue"})


def told(reason: Mapping[str, Any], currency: str = "") -> dict[str, Any]:
    """A kept reason with `message` and `cure` in the current language; amounts carry `currency`, the line's."""
    code = reason["code"]
    numbers = {key: _shown(reason[key], currency if code in MONEY else "") for key in ("measured", "allowed")}
    cures = [_cure(cure, currency) for cure in reason["cures"]]
    return {
        "code": code,
        "severity": reason["severity"],
        "message": str(REASONS[code]) % numbers + _secured(reason, currency),
        "measured": _plain(reason["measured"]),
        "allowed": _plain(reason["allowed"]),
        "cure": str(_(" · or ")).join(cures),
        "cures": reason["cures"],
        "secured": reason.get("secured"),
    }


def _secured(reason: Mapping[str, Any], currency: str) -> str:
    """How much of the limit securities have added, where they have."""
    added = reason.get("secured")
    return " " + str(_("Securities raise it by %(amount)s.")) % {"amount": _shown(added, currency)} if added else ""


def _cure(cure: Mapping[str, Any], currency: str) -> str:
    shown = _shown(cure["value"], currency if cure["code"] in MONEY_CURES else "")
    return str(CURES[cure["code"]]) % {"value": shown}


def _plain(value: Any) -> str | None:
    return None if value is None else str(value)


def _shown(value: Any, currency: str) -> str:
    """An amount with thousands separators and its currency, a standing in words, anything else as it is."""
    if value in StandingKind.values:
        return str(StandingKind(value).label)
    if currency and value is not None:
        try:
            return f"{Decimal(str(value)):,.2f} {currency}"
        except InvalidOperation:
            return str(value)
    return "—" if value is None else str(value)
