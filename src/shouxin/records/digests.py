"""The digest for each department (B2.6): who moved grade, why, what to do; new holds; lines and securities that end.

Made once for each period and department, whoever asks and however often; missed periods are made up for. It is mailed
through the outbox to the department's people and stays on its page.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from shouxin.credit import securities
from shouxin.credit.models import Line, Security
from shouxin.customers import mails
from shouxin.customers.models import Customer
from shouxin.lib import documents
from shouxin.lib.documents import Block, Paper
from shouxin.office import policies, posts, trail
from shouxin.office.book import REASONS
from shouxin.office.models import Person
from shouxin.orders.models import Hold
from shouxin.rules import digest as rule
from shouxin.rules.digest import Period
from shouxin.rules.policy import Grade, Policy, Post

from .models import Digest

OFFICE = (Post.CREDIT_ADMINISTRATOR, Post.CREDIT_MANAGER, Post.VICE_PRESIDENT)
LANGUAGE = "zh-hans"
ROWS_MAX = 200
"""So many rows stand in one table of a digest; the rest is said to be more."""


def departments() -> list[str]:
    """Every department that has customers, and "" for the credit office, which is told of all."""
    rows = Customer.objects.exclude(department="").order_by("department").values_list("department", flat=True)
    return ["", *rows.distinct()]


def make_due(*, today: date, at: datetime, by: Person) -> list[Digest]:
    """Make what is due for every department, missed periods first; answers the new ones. Again: nothing (I-26)."""
    policy = policies.in_force(today).policy
    told = dict(Digest.objects.order_by().values_list("department").annotate(last=Max("last")))
    return [
        made
        for department in departments()
        for period in rule.due(policy, today, told.get(department))
        if (made := make(department, period, policy=policy, at=at, by=by))
    ]


@transaction.atomic
def make(department: str, period: Period, *, policy: Policy, at: datetime, by: Person) -> Digest | None:
    """One digest, kept and put into the outbox; None where another process made it first."""
    with override(LANGUAGE):
        content = paper(department, period, policy=policy)
    row, new = Digest.objects.get_or_create(
        department=department, first=period.first, defaults={"last": period.last, "paper": content, "made_at": at}
    )
    if not new:
        return None
    told = list(recipients(department, on=period.last))
    for person in told:
        mails.write(
            kind="digest", about=trail.name_of(row), to=person.email, subject=content["title"],
            body=documents.plain(content), by=by, at=at, paper=content, paper_name=f"digest-{period.last}",
        )  # fmt: skip
    trail.record("digest.make", about=row, by=by, at=at, department=department, since=period.first, until=period.last,
                 letters=len(told))  # fmt: skip
    return row


def recipients(department: str, *, on: date) -> Iterator[Person]:
    """Who is told: the department's people with an e-mail address; of the whole, the heads of the credit office."""
    if department:
        yield from Person.objects.filter(department=department, is_active=True).exclude(email="").order_by("pk")
        return
    people = {person.pk: person for post in OFFICE for person in posts.holders(post, on=on)}
    yield from (person for person in people.values() if person.email)


# --- what it says --------------------------------------------------------------------------------


def paper(department: str, period: Period, *, policy: Policy) -> Paper:
    """The digest of a department and a period, in the reader's language."""
    english = _("Date") == "Date"
    seen = Q(customer__restricted_on=None) & (Q(customer__department=department) if department else Q())
    begin, end = (_midnight(day) for day in (period.first, period.last + timedelta(days=1)))
    begun = _begun(seen, begin, end)
    blocks: list[Block] = [
        documents.text(_("For internal use only. What the credit office found in these days, and what is to be done.")),
        *_section(_("Moved grade"), [_("Customer"), _("Grade"), _("Why"), _("What to do")], _moved(begun)),
        *_section(_("New lines"), [_("Customer"), _("Grade"), _("Limit"), _("Why")], _first(begun)),
        *_section(_("New orders on hold"), [_("Customer"), _("Order"), _("Why")], _held(seen, begin, end)),
        *_section(_("Lines that run out"), [_("Customer"), _("Limit"), _("Until")], _lines(seen, period, policy)),
        *_section(_("Securities that end"), [_("Customer"), _("Security"), _("Until")],
                  _securities(seen, period, policy)),
    ]  # fmt: skip
    return documents.paper(
        _("Credit digest %(department)s %(first)s to %(last)s")
        % {"department": department or _("of the whole company"), "first": period.first, "last": period.last},
        blocks,
        house=policy.company.name.en if english else policy.company.name.zh,
        language="en" if english else LANGUAGE,
        head=[(_("Department"), department or _("all")), (_("Period"), f"{period.first} – {period.last}")],
    )


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min), timezone.get_default_timezone())


def _section(title: str, columns: list[str], rows: Iterable[list[Any]]) -> list[Block]:
    found = list(rows)
    body = documents.table(columns, found[:ROWS_MAX]) if found else documents.text(_("None."))
    more = len(found) - ROWS_MAX
    return [
        documents.heading(f"{title} ({len(found)})"), body,
        *([documents.note(_("and %(more)s more") % {"more": more})] if more > 0 else []),
    ]  # fmt: skip


def _begun(seen: Q, begin: datetime, end: datetime) -> list[tuple[Line, Grade | None]]:
    """The lines that were signed in the period, each with the grade of the line before it (None: it is the first)."""
    ours = Line.objects.filter(seen, temporary=False, pool=False).exclude(grade="")
    new = list(ours.filter(at__gte=begin, at__lt=end).select_related("customer").order_by("customer__code", "pk"))
    earlier: dict[int, list[Line]] = {}
    for line in Line.objects.filter(customer__in={each.customer_id for each in new}, temporary=False, pool=False):
        earlier.setdefault(line.customer_id, []).append(line)
    return [(line, _grade_before(line, earlier[line.customer_id])) for line in new]


def _grade_before(line: Line, lines: list[Line]) -> Grade | None:
    before = [each for each in lines if (each.since, each.pk) < (line.since, line.pk)]
    last = max(before, key=lambda each: (each.since, each.pk), default=None)
    return Grade(last.grade) if last and last.grade else None


def _moved(begun: Iterable[tuple[Line, Grade | None]]) -> Iterator[list[Any]]:
    """The lines under another grade than the one before."""
    for line, old in begun:
        if old is not None and old != line.grade:
            todo = _advice()[rule.advice(old, Grade(line.grade))]
            yield [line.customer.name, f"{old} → {line.grade}", line.why, todo]


def _first(begun: Iterable[tuple[Line, Grade | None]]) -> Iterator[list[Any]]:
    """First lines of customers."""
    for line, old in begun:
        if old is None:
            yield [line.customer.name, line.grade, _limit(line), line.why]


def _limit(line: Line) -> str:
    return f"{line.limit:,.2f} {line.currency}" if line.limit_kind == "amount" else str(line.get_limit_kind_display())  # type: ignore[attr-defined]


def _advice() -> dict[str, str]:
    return {
        "offer": _("Better grade: offer more within the line, ask for a raise where it is needed."),
        "tighten": _("Worse grade: collect what is due, keep orders within the smaller limit, tell the customer."),
        "cash": _("Grade D: deliver against prepayment alone, collect everything."),
    }


def _held(seen: Q, begin: datetime, end: datetime) -> Iterator[list[Any]]:
    rows = Hold.objects.filter(seen, opened_at__gte=begin, opened_at__lt=end).select_related("customer", "decision")
    for hold in rows.order_by("pk"):
        codes = [reason["code"] for reason in hold.decision.reasons if reason["severity"] in ("hold", "decline")]
        names = "、".join(str(policy_reason(code)) for code in codes)
        yield [hold.customer.name if hold.customer else "", hold.decision.order_no, names]


def policy_reason(code: str) -> str:
    """A reason code in a few words."""
    return str(REASONS.get(code, code))


def _lines(seen: Q, period: Period, policy: Policy) -> Iterator[list[Any]]:
    last = period.last + timedelta(days=policy.digest.ahead_days)
    begun = Line.objects.filter(seen, temporary=False, pool=False, since__lte=period.last)
    latest = begun.order_by("customer", "-since", "-pk").distinct("customer")
    ending = Line.objects.filter(pk__in=latest.values("pk"), until__gt=period.last, until__lte=last)
    for line in ending.select_related("customer").order_by("until", "pk"):
        yield [line.customer.name, _limit(line), line.until]


def _securities(seen: Q, period: Period, policy: Policy) -> Iterator[list[Any]]:
    last = period.last + timedelta(days=policy.digest.ahead_days)
    rows = Security.objects.filter(seen, status="active").select_related("customer")
    for row in rows.order_by("until", "pk"):
        days = [day for day in securities.alarms(row) if period.last < day <= last]
        if days:
            yield [row.customer.name, str(row), min(days)]
