"""The home page: what waits for me today, and how the portfolio stands (domain 7)."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from shouxin.collection import worklist
from shouxin.collection.models import Day
from shouxin.credit import grade_reviews, line_requests, securities, signatures
from shouxin.credit.models import CreditAccount, Line, LineRequest, Rating
from shouxin.customers import data_requests
from shouxin.customers.models import Customer
from shouxin.lib import kept
from shouxin.lib.models import ImportRun
from shouxin.office import policies, posts, sight
from shouxin.office.models import Person
from shouxin.office.pages import acting, page
from shouxin.office.policies import Edition
from shouxin.office.privacy import assessments
from shouxin.office.privacy.views import linked
from shouxin.orders import evidence, holds
from shouxin.orders.models import Hold
from shouxin.receivables.models import Instalment, ProofRun
from shouxin.reviews import annual
from shouxin.reviews.models import Campaign
from shouxin.rules.aging import bucket_of

from .credit_file import bucket_words
from .positions import Position, positions

SHOWN = 8
TOP = 10
REQUESTS_LOOKED_AT = 200


@page
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """What waits for me by my posts, lines that run out, what is overdue, the largest exposures, the house's health."""
    call = acting(request)
    by, on = call["by"], call["on"]
    edition = policies.in_force(on)
    sees = sight.sees_business(by, on)
    some = sight.some_customer(by, on)
    told: dict[str, Any] = {"sees": sees, "some": some, "today": on, "steps": [] if some else first_steps(by, on)}
    told["privacy"] = privacy_to_do(by, on)
    if some:
        owed = portfolio(call, edition)
        told |= {
            "requests": requests_to_sign(by, on, edition),
            "grades": grades_to_confirm(by, on),
            "asked": data_requests.waiting_for(by, on),
            "review": year_under_way(by, on),
            "holds": holds_to_decide(by, on),
            "tasks": tasks_of(by, on),
            "expiring": lines_expiring(by, on, edition),
            "ending": securities_ending(by, on, edition),
            "portfolio": owed,
            "overdue": overdue_drawing(owed, on, edition),
            "top": largest_exposures(owed, on, edition),
            "rated": sight.visible(Rating, by, on=on).exists(),
            "proof": ProofRun.objects.first(),
            "day": Day.objects.first(),
            "imports": failed_imports(by),
            "may_rate": bool(posts.posts_of(by, on=on) & set(line_requests.ASKERS)),
        }
    return render(request, "records/home.html", told)


def first_steps(by: Person, on: date) -> list[dict[str, Any]]:
    """What to do first in a house without customers: import, rate, set lines."""
    steps = [
        (_("Bring in your customers"), _("Import the list from your ledger, or register the first one by hand."),
         "imports:list", "customers:create"),
        (_("Bring in what is owed"), _("Open invoices and receipts tell how each customer pays."), "imports:list", ""),
        (_("Rate everybody"), _("One press scores every customer by the policy and suggests its line."),
         "credit:rate_everybody", ""),
        (_("Set the lines"), _("Ask for the lines suggested; somebody else signs them."), "credit:line_requests", ""),
    ]  # fmt: skip
    return [
        {"title": title, "text": text, "address": _address(first) or _address(second)}
        for title, text, first, second in steps
    ]


def _address(name: str) -> str:
    try:
        return reverse(name) if name else ""
    except NoReverseMatch:
        return ""


@dataclass(frozen=True)
class Waiting:
    """What waits: the first few, and how many there are in all."""

    rows: list[Any]
    count: int


def requests_to_sign(by: Person, on: date, edition: Edition) -> Waiting:
    """Open line requests that she may sign, the oldest first; measured over the oldest two hundred.

    Those of an annual review wait on its own page, where they are signed together.
    """
    if not posts.posts_of(by, on=on) & set(line_requests.SIGNERS):
        return Waiting([], 0)
    rows = (
        sight.visible(LineRequest, by, on=on)
        .filter(status="open", review=None)
        .select_related("customer", "requested_by")
    )
    found = list(rows.prefetch_related("editors").order_by("pk")[:REQUESTS_LOOKED_AT])
    needed = signatures.needs_of(found, edition=edition, today=on)
    mine = [each for each in found if not signatures.why_not(each, needed[each.pk], by=by, today=on)]
    return Waiting(mine[:SHOWN], len(mine))


def grades_to_confirm(by: Person, on: date) -> int:
    """How many grades of natural persons wait that she may confirm: neither rated by her nor of her own customers."""
    if not posts.posts_of(by, on=on) & set(grade_reviews.CONFIRMERS):
        return 0
    return sight.visible(grade_reviews.waiting_for(by), by, on=on).count()


def year_under_way(by: Person, on: date) -> dict[str, Any] | None:
    """The annual review that is open, with how many are undecided, for those who prepare and sign it."""
    if not posts.posts_of(by, on=on) & {*annual.OPENERS, *line_requests.SIGNERS}:
        return None
    found = Campaign.objects.filter(status="open").order_by("-year").first()
    return {"year": found.year, "undecided": annual.undecided(found).count()} if found else None


def holds_to_decide(by: Person, on: date) -> Waiting:
    """Orders that wait for a person, for those who may decide them, the oldest first."""
    rows = sight.visible(Hold, by, on=on).filter(status="open")
    if not posts.posts_of(by, on=on) & {*holds.REVIEWERS, posts.Post.SALES, posts.Post.CREDIT_ADMINISTRATOR}:
        return Waiting([], 0)
    told = ("order_no", "amount", "currency", "reasons")
    rows = _named(rows.select_related("decision"), "decision", *(f"decision__{field}" for field in told))
    first = _first(rows.order_by("pk"))
    for hold in first.rows:
        hold.reasons = evidence.reason_names(hold.decision)
    return first


def tasks_of(by: Person, on: date) -> Waiting:
    """Tasks of her posts, her own and nobody's in particular, ranked by the money at stake."""
    told = ("kind", "amount", "currency", "due_on")
    hers, nobodys = (_first(_named(rows, *told).order_by("-amount", "pk")) for rows in worklist.shares(by, on=on))
    ranked = sorted([*hers.rows, *nobodys.rows], key=lambda task: (-task.amount, task.pk))
    return Waiting(ranked[:SHOWN], hers.count + nobodys.count)


def _first(rows: QuerySet[Any]) -> Waiting:
    """The first few of them; counted only where there are more."""
    shown = list(rows[:SHOWN])
    return Waiting(shown, len(shown) if len(shown) < SHOWN else rows.count())


def _named(rows: QuerySet[Any], *told: str) -> QuerySet[Any]:
    """With the name of the customer and the fields told, and nothing else: a tenth of what the rows hold."""
    return rows.select_related("customer").only("customer", "customer__name", *told)


def lines_expiring(by: Person, on: date, edition: Edition) -> list[dict[str, Any]]:
    """Lines in force that run out within the policy's notice days, the nearest first."""
    notice = sorted(edition.policy.lines.expiry_notice_days)
    if not notice:
        return []
    last = on + timedelta(days=notice[-1])
    later = Line.objects.filter(
        customer=OuterRef("customer"), temporary=OuterRef("temporary"), pool=OuterRef("pool"), pk__gt=OuterRef("pk")
    )
    rows = sight.visible(Line, by, on=on).filter(until__gte=on, until__lte=last, since__lte=on)
    rows = rows.filter(temporary=False, pool=False).exclude(Exists(later))
    found = _named(rows, "until").order_by("until", "pk")[:SHOWN]
    return [
        {"line": line, "days": (line.until - on).days, "urgent": (line.until - on).days <= notice[0]}  # type: ignore[operator]
        for line in found
    ]


def securities_ending(by: Person, on: date, edition: Edition) -> list[dict[str, Any]]:
    """Securities that run out, or guarantors to claim from, within the policy's notice days, the nearest first."""
    notice = sorted(edition.policy.securities.notice_days)
    rows = sight.visible(securities.ending(policy=edition.policy, on=on), by, on=on)[:SHOWN]
    found = [(row, min(day for day in securities.alarms(row) if day >= on)) for row in rows]
    return [
        {"security": row, "day": day, "days": (day - on).days, "urgent": (day - on).days <= notice[0],
         "claim": day != row.until}
        for row, day in sorted(found, key=lambda each: each[1])
    ]  # fmt: skip


def portfolio(call: dict[str, Any], edition: Edition) -> kept.Told:
    """What is owed to us in the company's currency and by whom most: one figure for all who see every customer, and
    one of her own for everybody else."""
    by, on = call["by"], call["on"]
    whole = not sight.customers_seen_by(by, on)
    asked = {"person": None if whole else by.pk, "on": on.isoformat(), "currency": edition.policy.company.currency}
    return kept.read(f"{__name__}.portfolio_of", scope="all" if whole else str(by.pk), at=call["at"], **asked)


def portfolio_of(person: int | None, on: str, currency: str) -> dict[str, Any]:
    """Open claims in a currency by due day, and the ten customers with the largest exposure; of the customers a person
    sees, or of all."""
    seen = _seen(person, date.fromisoformat(on))
    claims = Instalment.objects.filter(seen, amount__gt=0, invoice__currency=currency).exclude(settled=F("amount"))
    due_on = Coalesce("due_on", "invoice__dated_on")
    sums = claims.order_by().values_list(due_on).annotate(left=Sum(F("amount") - F("settled")))
    total = F("reserved") + F("undelivered") + F("unbilled") + F("receivable") + F("bills") - F("deposits")
    accounts = CreditAccount.objects.filter(seen, currency=currency).annotate(total=total).filter(total__gt=0)
    largest = accounts.order_by("-total").values_list("customer", flat=True)[:TOP]
    return {"open": [(due.isoformat(), str(left)) for due, left in sums], "largest": list(largest)}


def _seen(person: int | None, on: date) -> Q:
    return sight.customers_seen_by(Person.objects.get(pk=person), on, "customer__") if person else Q()


def overdue_drawing(told: kept.Told, on: date, edition: Edition) -> dict[str, Any]:
    """The open claims by age: the chart's labels and one series, with its total."""
    up_to = edition.policy.aging.up_to
    values = [Decimal(0)] * (len(up_to) + 2)
    for due, left in told.content["open"] if told.content else ():
        values[bucket_of(up_to, (on - date.fromisoformat(due)).days)] += Decimal(left)
    drawing = {
        "labels": bucket_words(edition.policy),
        "series": [{"name": edition.policy.company.currency, "values": values}],
        "unit": "amount",
        "colours": "ages",
    }
    return {"drawing": drawing, "overdue": sum(values[1:], Decimal(0)), "total": sum(values, Decimal(0))}


def largest_exposures(told: kept.Told, on: date, edition: Edition) -> list[Position]:
    """The customers who owe and have ordered most, each against its limit as of now."""
    wanted = told.content["largest"] if told.content else ()
    customers = Customer.objects.filter(pk__in=wanted).select_related("group_head").defer("search_keys")
    found = positions(customers, policy=edition.policy, on=on, overdue=False)
    return sorted(found.values(), key=lambda each: -each.used)


def privacy_to_do(by: Person, on: date) -> list[dict[str, Any]]:
    """What is shared or graded without an assessment in force, or to be looked at again, for those who keep both."""
    if not assessments.is_keeper(by, on):
        return []
    return linked(assessments.told(assessments.findings(on)[:SHOWN]))


def failed_imports(by: Person) -> list[ImportRun]:
    """Her imports of late that failed or refused rows."""
    rows = ImportRun.objects.filter(Q(state="failed") | Q(refused__gt=0), by=by)
    return list(rows.defer("errors", "mapping").order_by("-id")[:3])
