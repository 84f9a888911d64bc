"""Files of lines: the limits and terms that held before the product did, taken over as they stood."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from shouxin.customers.identify import COLUMNS, ONE_OF, Identifier, record_import
from shouxin.customers.standing import BARRED, BLACKLISTED, bites
from shouxin.lib.imports import kinds
from shouxin.lib.imports.faults import register_messages
from shouxin.lib.imports.kinds import Column, Conditions, Kind, Outcome, Refused, Row, also
from shouxin.office import clock, policies, posts, trail
from shouxin.office.models import Person
from shouxin.rules import authority
from shouxin.rules.line import Limit, begins_by
from shouxin.rules.policy import Grade, Post

from . import lines
from .models import GRADE_CHOICES, Line

register_messages(
    {
        "line_exists": _("A line from {since} on stands already ({label}); change it by a line request."),
        "blacklisted": BARRED,
        "window": _("The line ends before it begins."),
        "above_authority": _("The limit is beyond your authority; somebody with more must import it."),
        "discount_incomplete": _("A discount needs a percentage and its days."),
        "temporary_needs_amount": _("A temporary limit is an amount with a last day."),
        "too_far_ahead": _("A line begins at most {days} days ahead."),
    }
)

MAY_IMPORT = (Post.CREDIT_MANAGER, Post.VICE_PRESIDENT, Post.LEGAL_REPRESENTATIVE)
"""Who may take over lines by file: posts that could sign them, each row within its authority (I-15)."""

_UNLIMITED = {"不限": "unlimited", "无限": "unlimited", "无限额": "unlimited", "unlimited": "unlimited"}
_GRADES = {f"{grade}{tail}": grade for grade, _label in GRADE_CHOICES for tail in ("", "级", "类")}

COLUMNS_OF_LINES = (
    *COLUMNS,
    Column(
        "grade",
        _("grade"),
        "choice",
        also("信用等级 等级 客户等级 评级", "grade, credit grade, rating"),
        choices=_GRADES,
    ),
    Column(
        "limit",
        _("limit"),
        "amount",
        also("信用额度 授信额度 额度 信用限额 赊销额度 授信金额", "limit, credit limit, credit_limit, klimk"),
        required=True,
        sign="not_negative",
        choices=_UNLIMITED,
    ),
    Column("currency", _("currency"), "currency", also("币种 币别", "currency")),
    Column(
        "term_days",
        _("term in days"),
        "days",
        also("账期 信用期 账期天数 信用期限 付款期限 信用天数", "term, term days, term_days, payment term, days"),
        required=True,
    ),
    Column("discount_percent", _("discount %"), "share", also("现金折扣 折扣率 折扣", "discount, discount percent")),
    Column("discount_days", _("discount days"), "days", also("折扣期 折扣天数", "discount days")),
    Column("since", _("from"), "date", also("生效日期 起始日期 开始日期", "since, from, valid from")),
    Column("until", _("until"), "date", also("到期日 失效日期 有效期至", "until, valid to, expiry date")),
    Column("temporary", _("temporary, on top of the line"), "bool", also("是否临时 临时额度", "temporary")),
    Column("why", _("reason"), "text", also("原因 说明 备注 授信依据", "why, reason, remark, note"), length_max=1000),
)  # fmt: skip

_SAME = (
    "grade",
    "limit_kind",
    "limit",
    "currency",
    "term_days",
    "discount_percent",
    "discount_days",
    "until",
    "temporary",
)


def may_import(person: Person) -> bool:
    """Whether she may take over lines by file: she could sign them, or the command line asks."""
    return posts.is_system(person) or bool(posts.posts_of(person, on=clock.today()) & set(MAY_IMPORT))


def _check_line(values: Mapping[str, Any]) -> Iterable[Refused]:
    if values["since"] and values["until"] and values["until"] < values["since"]:
        yield Refused("window", {}, "until")
    if (values["discount_percent"] is None) != (values["discount_days"] is None):
        yield Refused("discount_incomplete", {}, "discount_percent")
    if values["temporary"] and (values["limit"] in (Decimal(0), "unlimited") or not values["until"]):
        yield Refused("temporary_needs_amount", {}, "limit")
    if not 0 <= values["term_days"] <= 3650:
        yield Refused("not_a_number", {}, "term_days")


class LineWriter:
    """Adds lines with cause `import`; one that stands already with the same terms changes nothing."""

    def __init__(self, conditions: Conditions) -> None:
        self.conditions = conditions
        by, today = conditions.by, conditions.today
        if not posts.is_system(by):
            posts.require(by, *MAY_IMPORT, on=today, about="line:", verb="line.import", at=conditions.at)
        self.edition = policies.in_force(today)
        self.holds = None if posts.is_system(by) else dict(posts.authority_of(by, today))
        self.identifier = Identifier(conditions)

    def write(self, rows: Sequence[Row]) -> list[Outcome]:
        """One outcome per row."""
        found = self.identifier.identify([row.values for row in rows])
        known = {each for each in found if not isinstance(each, Refused)}
        standing = self._standing(known)
        temporary = self._temporary(known)
        barred = {pk for pk, bite in bites(known, self.conditions.today).items() if bite.standing == BLACKLISTED}
        outcomes: list[Outcome] = []
        new: list[Line] = []
        for row, answer in zip(rows, found, strict=True):
            outcome = answer if isinstance(answer, Refused) else self._judge(row.values, answer, standing, temporary)
            if isinstance(outcome, Line) and outcome.customer_id in barred and outcome.limit_kind != "none":
                outcome = Refused("blacklisted", {}, "customer_code")
            if isinstance(outcome, Line):
                new.append(outcome)
                outcomes.append("accepted")
            else:
                outcomes.append(outcome)
        Line.objects.bulk_create(new, batch_size=2000)
        trail.record_many(self._trail_line(line) for line in new)
        return outcomes

    def _standing(self, customers: set[int]) -> dict[int, Line]:
        """The line with the latest first day of each, whether or not that day has come."""
        rows = Line.objects.filter(customer__in=customers, temporary=False, pool=False)
        latest = rows.order_by("customer", "-since", "-pk").distinct("customer")
        return {line.customer_id: line for line in latest}

    def _temporary(self, customers: set[int]) -> dict[int, list[Line]]:
        found: dict[int, list[Line]] = {}
        still = Q(until__isnull=True) | Q(until__gte=self.conditions.today)
        for line in Line.objects.filter(still, customer__in=customers, temporary=True):
            found.setdefault(line.customer_id, []).append(line)
        return found

    def _judge(
        self, values: Mapping[str, Any], pk: int, standing: dict[int, Line], temporary: dict[int, list[Line]]
    ) -> Line | Outcome:
        """The line to be written, or why there is nothing to write. Later rows see what earlier ones have added."""
        line = self._line(values, pk)
        beside = temporary.setdefault(pk, []) if line.temporary else [standing[pk]] if pk in standing else []
        if any(_same(line, other) and (values["since"] in (None, other.since)) for other in beside):
            return "unchanged"
        if not line.temporary and beside and beside[0].since >= line.since:
            label = lines.label(beside[0])
            return Refused("line_exists", {"since": beside[0].since.isoformat(), "label": label}, "customer_code")
        if line.since > begins_by(self.edition.policy, self.conditions.today):
            return Refused("too_far_ahead", {"days": self.edition.policy.lines.ahead_days_max}, "since")
        if not self._within_authority(line, temporary.get(pk, [])):
            return Refused("above_authority", {}, "limit")
        if line.temporary:
            beside.append(line)
        else:
            standing[pk] = line
        return line

    def _line(self, values: Mapping[str, Any], pk: int) -> Line:
        conditions = self.conditions
        limit = values["limit"]
        kind = "unlimited" if limit == "unlimited" else "amount" if limit > 0 else "none"
        return Line(
            customer_id=pk,
            grade=values["grade"] or "",
            limit_kind=kind,
            limit=limit if kind == "amount" else None,
            currency=values["currency"] or conditions.currency or self.edition.policy.company.currency,
            term_days=values["term_days"],
            discount_percent=values["discount_percent"],
            discount_days=values["discount_days"],
            since=values["since"] or conditions.today,
            until=values["until"],
            temporary=bool(values["temporary"]),
            why=values["why"] or say("Taken over from a file."),
            cause="import",
            requested_by=None,
            approved_by=None if self.holds is None else conditions.by,
            policy_version=self.edition.number,
            at=conditions.at,
        )

    def _within_authority(self, line: Line, temporary: Sequence[Line]) -> bool:
        """Whether the total that results is within what the person may sign (I-15); the command line signs nothing."""
        if self.holds is None:
            return True
        limit = Limit(line.limit_kind, line.limit)
        beside = sum((each.limit or lines.ZERO for each in temporary), lines.ZERO)
        total = Limit.unlimited() if limit.kind == "unlimited" else Limit.of((limit.bound or lines.ZERO) + beside)
        grade = Grade(line.grade) if line.grade else Grade.A
        needs = authority.who_may(self.edition.policy, authority.RequestedLine(limit, grade, "new"), total)
        own = [self.holds[post] for post in needs.posts if post in self.holds]
        return any(bound is None or authority.allows_amount(bound, total) for bound in own)

    def _trail_line(self, line: Line) -> Any:
        conditions = self.conditions
        changed = lines.changes(None, line)
        return trail.line(
            "line.import", about=line, customer=line.customer_id, by=conditions.by, at=conditions.at,
            label=lines.label(line), why=line.why, since=line.since, **changed,
        )  # fmt: skip


def _same(line: Line, other: Line) -> bool:
    return all(getattr(line, name) == getattr(other, name) for name in _SAME)


LINES = Kind(
    name="lines",
    label=_("Opening lines"),
    columns=COLUMNS_OF_LINES,
    writer=LineWriter,
    may=may_import,
    one_of=(ONE_OF,),
    sums="limit",
    check=_check_line,
    finished=record_import("lines"),
    help=_("Limits and terms as they stand; 0 is no credit, 不限 is unlimited."),
)


def register() -> None:
    """Enter the kinds of this package; called when the application is ready."""
    kinds.register(LINES)
