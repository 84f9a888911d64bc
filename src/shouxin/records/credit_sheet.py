"""The customer credit sheet 客户信用表单 (B2.2): each field with its day and its past, and the credit.

One content for the page, the PDF, the Word file and the API.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from shouxin.credit.models import Line
from shouxin.customers import registry, standing
from shouxin.customers.models import Customer
from shouxin.lib import documents
from shouxin.lib.documents import Paper
from shouxin.office import policies
from shouxin.office.models import TrailEntry
from shouxin.rules.industries import INDUSTRIES

from . import credit_file, labels, rating_sheet, timeline
from .positions import Position

FIELDS = (
    "name", "uscc", "address", "legal_representative", "registered_capital", "paid_in_capital", "telephone",
    "contact", "industry", "credit_standard",
)  # fmt: skip
VERBS = ("register", "create", "change_customer")


@dataclass(frozen=True)
class Entry:
    """A field as it stands: `fresh_on` the day it was last confirmed or changed, None where nobody knows."""

    key: str
    label: str
    value: str
    fresh_on: date | None


@dataclass(frozen=True)
class Change:
    """What a field was and became, when and by whom."""

    at: datetime
    by: str
    label: str
    was: str
    now: str


def entries(customer: Customer, *, on: date) -> list[Entry]:
    """Every field of the sheet: who the customer is, masked, then the credit it has."""
    policy = policies.in_force(on).policy
    position = credit_file.position_of(customer, policy=policy, on=on)
    return [*_identity(customer), *_credit(customer, position, on)]


def _identity(customer: Customer) -> list[Entry]:
    shown = {name: getattr(customer, name) for name in FIELDS} | registry.masked(customer)
    chinese = not (get_language() or "").startswith("en")
    shown["industry"] = INDUSTRIES[customer.industry][0 if chinese else 1] if customer.industry else ""
    fresh = _fresh(customer)
    return [Entry(name, timeline.field_name(name), _plain(shown[name]), fresh.get(name)) for name in FIELDS]


def _fresh(customer: Customer) -> dict[str, date]:
    """Field -> the day it was last written: by a change, else when the customer was registered."""
    day = timezone.localdate(customer.created_at)
    found = {name: day for name in FIELDS if getattr(customer, name) not in (None, "")}
    for entry in reversed(list(_lines(customer))):
        found |= {name: timezone.localdate(entry.at) for name in (entry.particulars.get("changes") or {})}
    return found


def _credit(customer: Customer, position: Position, on: date) -> list[Entry]:
    line, rating = position.held.line, rating_sheet.latest_rating(customer)
    stand = standing.rows_of([customer.pk], on).get(customer.pk)
    since, rated = line and line.since, rating and rating.as_of
    bound, left = position.available.bound, labels.limit_word(position.available.kind)
    told = (
        ("grade", _("Credit grade"), position.grade, since),
        ("limit", _("Limit"), _limit(position), since),
        ("used", _("Used"), timeline.money(position.used), on),
        ("available", _("Available"), left if bound is None else timeline.money(bound), on),
        ("term_days", _("Term in days"), line and line.term_days, since),
        ("discount_percent", _("Discount, percent"), line and line.discount_percent, since),
        ("valid_until", _("Holds until"), line and line.until and line.until.isoformat(), since),
        ("last_review", _("Last rated"), rating and f"{rating.as_of.isoformat()} · {rating.score}", rated),
        ("standing", _("Standing"), labels.standing_status(position.standing)[0], stand and stand.since),
        ("blacklisted", _("On the blacklist"), _("yes") if position.standing == "blacklisted" else _("no"),
         stand and stand.since),
    )  # fmt: skip
    return [Entry(key, label, _plain(value), day) for key, label, value, day in told]


def _limit(position: Position) -> str:
    if position.limit.kind != "amount":
        return labels.limit_word(position.limit.kind)
    return f"{timeline.money(position.limit.amount)} {position.currency}"


def _plain(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return ""
    return f"{value:,f}" if hasattr(value, "as_tuple") else str(value)


def _lines(customer: Customer) -> Iterable[TrailEntry]:
    return timeline.entries(customer).filter(verb__in=VERBS)


def changes(customer: Customer) -> list[Change]:
    """Every change of every field and of the line, latest first: when, who, from what, to what."""
    found = [
        Change(entry.at, entry.by_name or str(_("System")), timeline.field_name(name), _bare(pair[0]), _bare(pair[1]))
        for entry in _lines(customer)
        for name, pair in (entry.particulars.get("changes") or {}).items()
        if isinstance(pair, list) and len(pair) == 2
    ]
    return sorted([*found, *_line_changes(customer), *_stands(customer)], key=lambda each: each.at, reverse=True)


def _line_changes(customer: Customer) -> Iterable[Change]:
    """Grade and limit from line to line."""
    was: Line | None = None
    for line in reversed(credit_file.history(customer)):
        if line.temporary or line.pool:
            continue
        by = str(line.approved_by or _("System"))
        for label, before, now in (
            (_("Credit grade"), was and was.grade, line.grade),
            (_("Limit"), was and _of_line(was), _of_line(line)),
            (_("Term in days"), was and was.term_days, line.term_days),
        ):
            if before != now:
                yield Change(line.at, by, label, _bare(before), _bare(now))
        was = line


def _of_line(line: Line) -> str:
    if line.limit_kind == "amount":
        return f"{timeline.money(line.limit)} {line.currency}"
    return labels.limit_word(line.limit_kind)


def _stands(customer: Customer) -> Iterable[Change]:
    was = ""
    for row in customer.standings.select_related("by").order_by("id"):
        now = str(labels.standing_status(row.standing)[0])
        yield Change(row.at, str(row.by or _("System")), str(_("Standing")), _bare(was), now)
        was = now


def _bare(value: Any) -> str:
    return documents.UNSAID if value in (None, "") else str(value)


def paper(customer: Customer, *, on: date) -> Paper:
    """The sheet as a paper to print, sign and file."""
    company = labels.said(policies.in_force(on).policy.company.name)
    fresh = [(each.label, each.value, each.fresh_on.isoformat() if each.fresh_on else "") for each in
             entries(customer, on=on)]  # fmt: skip
    past = [(f"{timezone.localtime(each.at):%Y-%m-%d %H:%M}", each.by, each.label, each.was, each.now) for each in
            changes(customer)]  # fmt: skip
    blocks = [
        documents.table([_("Field"), _("Value"), _("As of")], fresh),
        documents.heading(_("Changes")),
        documents.table([_("When"), _("By"), _("Field"), _("Was"), _("Is now")], past),
        documents.signature(_("Filled in by"), _("Checked by"), _("Approved by (seal)")),
    ]
    language = "en" if (get_language() or "").startswith("en") else "zh"
    head = [(_("Customer"), customer.name), (_("Customer code"), customer.code), (_("Day"), on.isoformat())]
    return documents.paper(_("Customer credit sheet"), blocks, house=company, language=language, head=head)
