"""The customer's one timeline: before, during and after the deal, each trail line in people's words (A6)."""

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from shouxin.credit.models import LimitKind, LineRequest
from shouxin.customers.facts import name_of, shown_value
from shouxin.customers.models import Customer, StandingKind
from shouxin.lib.numbers import whole
from shouxin.office import trail_words
from shouxin.office.models import TrailEntry

VERBS: Mapping[tuple[str, str], tuple[Any, str, str]] = {
    ("", "register"): (gettext_lazy("Registered"), "before", "blue"),
    ("", "create"): (gettext_lazy("Registered"), "before", "blue"),
    ("", "line.import"): (gettext_lazy("Line taken over by import"), "before", "green"),
    ("", "change_customer"): (gettext_lazy("Particulars changed"), "before", "grey"),
    ("", "add_name"): (gettext_lazy("Another name noted"), "before", "grey"),
    ("", "unmask"): (gettext_lazy("Telephone or account read in full"), "before", "grey"),
    ("", "add_fact"): (gettext_lazy("Fact noted"), "before", "blue"),
    ("", "score_features"): (gettext_lazy("Features scored"), "before", "blue"),
    ("", "add_note"): (gettext_lazy("Note"), "before", "blue"),
    ("", "rate"): (gettext_lazy("Rated"), "before", "blue"),
    ("", "line_request.ask"): (gettext_lazy("Line asked for"), "before", "amber"),
    ("line-request", "change"): (gettext_lazy("Line request changed"), "before", "amber"),
    ("line-request", "approve"): (gettext_lazy("Line request approved"), "before", "green"),
    ("line-request", "decline"): (gettext_lazy("Line request declined"), "before", "red"),
    ("line-request", "withdraw"): (gettext_lazy("Line request withdrawn"), "before", "grey"),
    ("security", "security.propose"): (gettext_lazy("Security proposed"), "before", "amber"),
    ("security", "approve"): (gettext_lazy("Security approved"), "before", "green"),
    ("security", "decline"): (gettext_lazy("Security declined"), "before", "red"),
    ("security", "withdraw"): (gettext_lazy("Security withdrawn"), "before", "grey"),
    ("security", "release"): (gettext_lazy("Security given back"), "before", "amber"),
    ("security", "void"): (gettext_lazy("Security worthless"), "before", "red"),
    ("security", "replace"): (gettext_lazy("Security replaced"), "before", "grey"),
    ("security", "expire"): (gettext_lazy("Security ran out"), "before", "amber"),
    ("", "line.begin"): (gettext_lazy("A line begins"), "before", "green"),
    ("", "line.downgrade"): (gettext_lazy("Downgraded"), "after", "red"),
    ("", "line.overtake"): (gettext_lazy("What was planned before no longer comes"), "after", "amber"),
    ("", "set_standing"): (gettext_lazy("Standing changed"), "after", "red"),
    ("", "propose_release"): (gettext_lazy("Lifting the blacklisting proposed"), "after", "amber"),
    ("standing-release", "confirm"): (gettext_lazy("Lifting the blacklisting confirmed"), "after", "green"),
    ("standing-release", "decline"): (gettext_lazy("Lifting the blacklisting declined"), "after", "red"),
    ("standing-release", "withdraw"): (gettext_lazy("Proposal to lift the blacklisting withdrawn"), "after", "grey"),
    ("", "check.approve"): (gettext_lazy("Order checked: may ship"), "during", "green"),
    ("", "check.hold"): (gettext_lazy("Order checked: on hold"), "during", "amber"),
    ("", "check.decline"): (gettext_lazy("Order checked: declined"), "during", "red"),
    ("hold", "release"): (gettext_lazy("Order released"), "during", "green"),
    ("hold", "reject"): (gettext_lazy("Order rejected"), "during", "red"),
    ("hold", "recheck"): (gettext_lazy("Order checked again"), "during", "grey"),
    ("", "refuse"): (pgettext_lazy("trail", "Refused"), "", "red"),
}
"""(kind of thing or "", verb) -> words, stage of the deal, colour."""

STAGES = (
    ("before", gettext_lazy("Before the deal")),
    ("during", gettext_lazy("During the deal")),
    ("after", gettext_lazy("After the deal")),
)
BEFORE_KINDS = frozenset({"customer", "fact", "rating", "line", "line-request", "security", "standing-release"})
DURING_KINDS = frozenset({"credit-decision", "hold", "reservation"})
ADDRESSES: Mapping[str, str] = {
    "line-request": "credit:line_request",
    "security": "credit:security",
    "credit-decision": "orders:decision",
    "hold": "orders:hold",
    "reservation": "orders:reservation",
}


def entries(customer: Customer, *, stage: str = "") -> QuerySet[TrailEntry]:
    """The customer's trail lines, the latest first; of one stage of the deal where it is named."""
    rows = TrailEntry.objects.filter(customer_id=customer.pk).select_related("by").order_by("-id")
    if not stage:
        return rows
    return rows.filter(_of_stage(stage))


def changes(customer: Customer, limit: int = 12) -> list[TrailEntry]:
    """The last changes of the credit sheet itself, the latest first (B2.2)."""
    verbs = ("register", "create", "change_customer", "line.begin", "line.import", "line.downgrade", "line.overtake",
             "set_standing")  # fmt: skip
    return list(entries(customer).filter(verb__in=verbs)[:limit])


def _of_stage(stage: str) -> Any:
    """What belongs to a stage: by kind of paper, and by the verbs that belong elsewhere than their paper."""
    after = [verb for (_kind, verb), (_words, place, _colour) in VERBS.items() if place == "after"]
    kinds = {"before": BEFORE_KINDS, "during": DURING_KINDS}.get(stage)
    if kinds is None:
        others = Q()
        for kind in BEFORE_KINDS | DURING_KINDS:
            others |= Q(about__startswith=f"{kind}:")
        return ~others | Q(verb__in=after)
    found = Q()
    for kind in kinds:
        found |= Q(about__startswith=f"{kind}:")
    return found & ~Q(verb__in=after)


def told(entry: TrailEntry) -> dict[str, Any]:
    """One line as the timeline component shows it: title, text, when, who, colour, where it leads."""
    kind, _colon, number = entry.about.partition(":")
    known = VERBS.get((kind, entry.verb)) or VERBS.get(("", entry.verb))
    words, _stage, colour = known or (capfirst(trail_words.verb(entry)), "", "grey")
    return {
        "title": words,
        "text": text_of(entry),
        "at": entry.at,
        "by": trail_words.actor(entry) or str(_("System")),
        "colour": colour,
        "address": address_of(kind, number),
        "verb": entry.verb,
    }


def address_of(kind: str, number: str) -> str:
    """The page of the thing acted upon; "" where it has none of its own."""
    name, pk = ADDRESSES.get(kind), whole(number)
    return "" if name is None or pk is None else reverse(name, args=[pk])


def text_of(entry: TrailEntry) -> str:
    """The particulars that matter to people, in words; papers of their own begin with their name."""
    tell = TEXTS.get(entry.verb)
    if tell:
        return tell(entry.particulars)
    named = "" if entry.about.startswith("customer:") else entry.label
    return " · ".join(each for each in (named, _plain(entry.particulars)) if each)


def _plain(told: Mapping[str, Any]) -> str:
    """Whatever explains itself: reason, order, amount, number."""
    pieces = [str(told[name]) for name in ("order_no", "doc_no", "number") if told.get(name)]
    if told.get("amount"):
        pieces.append(f"{money(told['amount'])} {told.get('currency', '')}".strip())
    for name in ("reason", "decision_reason", "why", "note"):
        if told.get(name):
            pieces.append(str(told[name]))
    return " · ".join(pieces)


def money(text: Any) -> str:
    """1234567.5 as 1,234,567.50; what is no number stays as it is."""
    try:
        return f"{Decimal(str(text)):,.2f}"
    except InvalidOperation:
        return str(text)


def _terms(told: Mapping[str, Any]) -> str:
    kind = told.get("limit_kind")
    if kind == "amount":
        limit = f"{money(told.get('limit'))} {told.get('currency', '')}"
    else:
        limit = str(LimitKind(kind).label) if kind in LimitKind.values else ""
    pieces = [_("grade %(grade)s") % {"grade": told["grade"]} if told.get("grade") else "", limit.strip()]
    if told.get("term_days") is not None:
        pieces.append(_("%(days)s days") % {"days": told["term_days"]})
    if told.get("kind"):
        pieces.insert(0, str(dict(LineRequest.KINDS).get(told["kind"], told["kind"])))
    return " · ".join([each for each in [*pieces, told.get("reason") or ""] if each])


def _changes(told: Mapping[str, Any]) -> str:
    """old → new, field by field, under the field's own name."""
    pieces = []
    for name, pair in (told.get("changes") or {}).items():
        if isinstance(pair, list) and len(pair) == 2:
            pieces.append(f"{field_name(name)}: {_bare(name, pair[0])} → {_bare(name, pair[1])}")
    return " · ".join(pieces)


def field_name(name: str) -> str:
    """A customer's field as forms call it."""
    known = {field.name: field.verbose_name for field in Customer._meta.fields}
    return str(known.get(name, name))


def _bare(name: str, value: Any) -> str:
    return "—" if value in (None, "") else trail_words.value(name, value, "customer")


def _downgrade(told: Mapping[str, Any]) -> str:
    pair = told.get("grade")
    moved = f"{pair[0]} → {pair[1]}" if isinstance(pair, list) and len(pair) == 2 else ""
    return " · ".join(each for each in (moved, told.get("why") or "") if each)


def _standing(told: Mapping[str, Any]) -> str:
    names = dict(StandingKind.choices)
    moved = " → ".join(str(names.get(told[name], told[name])) for name in ("was", "now", "standing") if told.get(name))
    return " · ".join(each for each in (moved, told.get("why") or "") if each)


def _rated(told: Mapping[str, Any]) -> str:
    return _("grade %(grade)s, %(score)s points") % {"grade": told.get("grade"), "score": told.get("score")}


def _fact(told: Mapping[str, Any]) -> str:
    return f"{name_of(str(told.get('key', '')))}: {shown_value(told.get('value')) or '—'}"


def _refused(told: Mapping[str, Any]) -> str:
    asked = VERBS.get(("", str(told.get("asked"))))
    words = asked[0] if asked else trail_words.value("asked", told.get("asked", ""))
    return f"{words} · {trail_words.value('code', told.get('code', ''))}"


TEXTS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "change_customer": _changes,
    "line_request.ask": _terms,
    "line.begin": _terms,
    "line.downgrade": _downgrade,
    "set_standing": _standing,
    "propose_release": _standing,
    "rate": _rated,
    "add_fact": _fact,
    "refuse": _refused,
}
