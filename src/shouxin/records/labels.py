"""Codes as people read them: label and colour live together, once for every page."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from shouxin.credit.models import REQUEST_COLOURS, LimitKind, LineRequest
from shouxin.customers.models import StandingKind
from shouxin.rules.policy import Text

STANDING_COLOURS = {
    "good": "green",
    "watched": "amber",
    "stopped": "red",
    "cash_only": "purple",
    "suspended": "red",
    "blacklisted": "red",
}
METHODS = {
    "sales_volume": _("Sales volume"),
    "collections": _("Weighted collections"),
    "net_worth": _("Share of net worth"),
    "paid_in_capital": _("Share of paid-in capital"),
    "working_assets": _("Working assets"),
    "feature_analysis": _("Feature analysis"),
    "net_worth_card": _("Net-worth card"),
}
FORMULAS = {
    "sales_volume": _("average monthly sales × term ÷ 30 × coefficient of the grade"),
    "collections": _("weighted average of collections × term ÷ 30"),
    "net_worth": _("net worth × share"),
    "paid_in_capital": _("paid-in capital × share"),
    "working_assets": _("(working capital + net worth) ÷ 2 × share by the value A + B − C − D"),
    "feature_analysis": _("limit by working assets × (1 + feature share)"),
    "net_worth_card": _("net worth × the shares of the card"),
}
INPUTS = {
    "average_monthly_sales": _("average monthly sales"),
    "months": _("months"),
    "term_days": _("term, days"),
    "limit_coefficient": _("coefficient"),
    "weighted_average": _("weighted average"),
    "share": _("share"),
    "working_capital": _("working capital"),
    "working_assets": _("working assets"),
    "a": _("A current ratio"),
    "b": _("B quick ratio"),
    "c": _("C current liabilities to net worth"),
    "d": _("D liabilities to net worth"),
    "value": _("value A + B − C − D"),
    "base": _("limit by working assets"),
    "coverage": _("coverage"),
    "known": _("answers known"),
}
ZONES = {
    "distress": (_("distress likely"), "red"),
    "grey": (_("grey zone"), "amber"),
    "safe": (_("safe zone"), "green"),
}
FEATURE_READINGS = {
    "no_credit": (_("too little is known or the risk is plain: no credit"), "red"),
    "watch": (_("high risk, little pull: watch closely"), "amber"),
    "fair": (_("no plain risk, worth dealing with"), "blue"),
    "good": (_("small risk, strong pull"), "green"),
}
CAPS = {
    "grade": _("Cap of the grade"),
    "concentration": _("Concentration cap"),
    "new_customer": _("Cap for new customers"),
}
WHY_NOT = {
    "no_sales": _("no sales are known"),
    "no_collections": _("no money has come in yet"),
    "no_net_worth": _("net worth is not known"),
    "no_paid_in_capital": _("paid-in capital is not known"),
    "no_balance_sheet": _("no balance sheet is known"),
    "no_features": _("no feature has been scored"),
    "features_too_few": _("too few features have been scored"),
    "no_card": _("the policy has no net-worth card"),
    "net_worth_not_positive": _("net worth is not above 0: a person has to look"),
    "current_liabilities_not_positive": _("current liabilities are not above 0: a person has to look"),
}
STEPS = {
    "score": _("Points"),
    "cap": _("Cap"),
    "veto": _("Veto"),
    "new_customer": _("New customer"),
    "upgrade_waits": _("A rise waits"),
}
SUGGESTION_CODES = {
    "grade_gives_no_credit": _("This grade gives no credit: cash before delivery."),
    "no_method": _("No method could be computed: a first limit as for new customers."),
    "needs_a_person": _("A model did not fit the figures: a person has to look."),
    "rounded_to_nothing": _("What was left is less than the smallest step of a limit."),
}
SOURCES = {"ledger": _("Our own ledger")}


def standing_status(code: str) -> tuple[Any, str]:
    """(word, colour) of a standing."""
    return StandingKind(code).label, STANDING_COLOURS[code]


def request_status(request: LineRequest) -> tuple[Any, str]:
    """(word, colour) of a line request."""
    return request.get_status_display(), REQUEST_COLOURS[request.status]  # type: ignore[attr-defined]


def limit_word(kind: str) -> str:
    """Not set, no credit, up to an amount, unlimited."""
    return str(LimitKind(kind).label)


def said(text: Text) -> str:
    """A text of the policy in the reader's language."""
    return text.zh if (get_language() or "").startswith("zh") else text.en


def label(labels: Mapping[str, Any], code: str) -> str:
    """The word for a code, the code itself where nobody has given it one."""
    return str(labels.get(code, code))
