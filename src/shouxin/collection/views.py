"""Pages of the daily run: today's round with its button, and each day with what it found, did, and why."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import F, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST
from procrastinate.contrib.django.models import ProcrastinateJob

from shouxin.customers.models import Customer, StandingKind
from shouxin.lib.jobs import enqueue
from shouxin.lib.lists import Column, Listing
from shouxin.lib.questions import Ask
from shouxin.office import posts, sight
from shouxin.office.pages import acting, page, past_day
from shouxin.office.refusals import NotVisible
from shouxin.receivables.wording import bucket_name
from shouxin.rules import aging as aging_rule

from . import jobs, reasons, rounds
from .letters import grouped
from .models import CustomerDay, Day

COLOURS = {"running": "blue", "done": "green", "failed": "amber"}
STANDING_COLOURS = {"good": "green", "watched": "amber", "stopped": "red", "cash_only": "red"}
WAITING_JOBS = ("todo", "doing")

DAY_COLUMNS = (
    Column("as_of", gettext_lazy("Business day"), "date", sort="as_of", link=lambda day: _address(day)),
    Column("status", gettext_lazy("Status"), "status", lambda day: (day.get_status_display(), COLOURS[day.status])),
    Column("customers", gettext_lazy("Customers"), "number", lambda day: day.counts.get("customers", 0)),
    Column("overdue", gettext_lazy("Overdue"), "number", lambda day: day.counts.get("overdue", 0)),
    Column("letters", gettext_lazy("Letters"), "number", lambda day: day.counts.get("letters", 0)),
    Column("downgrades", gettext_lazy("Downgrades"), "number", lambda day: day.counts.get("downgrades", 0)),
    Column("proof", gettext_lazy("Proof"), "status", lambda day: _proof(day)),
    Column("left_out", gettext_lazy("Left out"), "number", lambda day: len(day.faults)),
    Column("by", gettext_lazy("Run by"), value="by", hidden=True),
    Column("finished_at", gettext_lazy("Finished"), "moment", hidden=True),
)
DAY_ASKS = (
    Ask("from", gettext_lazy("From"), "date", "as_of__gte"),
    Ask("to", gettext_lazy("To"), "date", "as_of__lte"),
    Ask("status", gettext_lazy("Status"), "select", "status", tuple(Day.STATUSES)),
)


def _address(day: Day) -> str:
    return reverse("collection:day", args=[day.as_of.isoformat()])


def _proof(day: Day) -> tuple[str, str]:
    if not day.proof:
        return "–", "grey"
    clean = day.proof["difference"] == "0.00"
    return (_("no difference"), "green") if clean else (_("differences found"), "red")


def _require_reader(request: HttpRequest) -> None:
    """The totals of a day are for those who see every customer."""
    who = acting(request)
    posts.require(who["by"], *sight.SEE_ALL, on=who["on"], about="day:", verb="read", at=who["at"])


# --- today ---------------------------------------------------------------------------------------


@page
@require_GET
def today(request: HttpRequest) -> HttpResponse:
    """Today's round: run or not, what it did, the days before it."""
    _require_reader(request)
    who = acting(request)
    days = Day.objects.select_related("by")
    listing = Listing(request, days, DAY_COLUMNS, DAY_ASKS, key="days", order="-as_of")
    if listing.wants_export:
        return listing.export()
    last = days.first()
    told = {
        "listing": listing,
        "on": who["on"],
        "last": last,
        "progress": _progress(who["on"]),
        "anew_hidden": [("anew", "1")],
        "may_run": bool(posts.posts_of(who["by"], on=who["on"]) & set(rounds.MAY_RUN)),
        **_plan(who["on"]),
    }
    return render(request, "collection/today.html", told | (_shown(last) if last else {}))


def _plan(on: date) -> dict[str, Any]:
    """Which days pressing the button would run; `refused`: why it would run none."""
    try:
        planned = rounds.days_to_run(on)
    except (rounds.DayPassed, rounds.GapTooLong) as refusal:
        return {"planned": [], "refused": refusal, "gap": isinstance(refusal, rounds.GapTooLong)}
    return {"planned": planned, "missed": len([day for day in planned if day < on])}


@page
@require_POST
def run(request: HttpRequest) -> HttpResponse:
    """Have the worker run today, or an earlier day named; `anew`: leaving out what was missed before it."""
    who = acting(request)
    posts.require(who["by"], *rounds.MAY_RUN, on=who["on"], about="day:", verb="run_day", at=who["at"])
    as_of = past_day(request.POST.get("as_of", ""), who["on"])
    anew = as_of if request.POST.get("anew") else None
    if not rounds.days_to_run(as_of, anew):
        messages.info(request, _("The round of %(day)s is done; running it again would change nothing.")
                      % {"day": as_of.isoformat()})  # fmt: skip
        return redirect("collection:today")
    with transaction.atomic():
        enqueue(
            jobs.run_day,
            once="collection.run_day",
            as_of=as_of.isoformat(),
            by=who["by"].pk,
            start=anew.isoformat() if anew else None,
        )
    return redirect("collection:today")


@page
@require_GET
def progress(request: HttpRequest) -> HttpResponse:
    """How far the run is: asked each second while it is at work. When it is over, the whole page is loaded anew."""
    _require_reader(request)
    found = _progress(acting(request)["on"])
    answer = render(request, "components/progress.html", found or {"name": "run", "state": "done", "label": ""})
    if not found:
        answer["HX-Redirect"] = reverse("collection:today")
    return answer


def _progress(on: date) -> dict[str, Any] | None:
    """What the progress component shows; None where nothing waits or works."""
    waits = ProcrastinateJob.objects.filter(task_name=jobs.run_day.name, status__in=WAITING_JOBS).exists()
    working = rounds.is_running()
    if not (waits or working):
        return None
    day = Day.objects.filter(status="running", as_of__lte=on).order_by("as_of").first()
    counts = day.counts if day and working else {}
    return {
        "name": "run",
        "label": _("Round of %(day)s") % {"day": (day.as_of if day and working else on).isoformat()},
        "state": "running" if working else "queued",
        "done": counts.get("customers", 0),
        "total": counts.get("concerned", 0),
        "address": reverse("collection:progress"),
    }


# --- one day -------------------------------------------------------------------------------------


def _customer_address(row: CustomerDay) -> str:
    return reverse("customers:file", args=[row.customer_id])


def _grades(row: CustomerDay) -> str:
    if row.grade_before == row.grade_after:
        return row.grade_after or "–"
    return f"{row.grade_before} → {row.grade_after}"


def _why(row: CustomerDay) -> SafeString:
    lines = [[text] for text in reasons.all_told(row.reasons)]
    return format_html_join("", "<div>{}</div>", lines)


def _why_plain(row: CustomerDay) -> str:
    return "; ".join(reasons.all_told(row.reasons))


def _standing(row: CustomerDay) -> tuple[str, str]:
    label = dict(StandingKind.choices).get(row.standing_after, row.standing_after)
    return str(label), STANDING_COLOURS.get(row.standing_after, "grey")


def _overdue(row: CustomerDay) -> str:
    late = {currency: sheet["overdue"] for currency, sheet in row.owed.items() if sheet["overdue"] != "0.00"}
    amounts = [f"{grouped(amount)} {currency}" for currency, amount in late.items()]
    return ", ".join(amounts)


COLUMNS = (
    Column(
        "customer",
        gettext_lazy("Customer"),
        sort="customer__name",
        dear=True,
        value="customer.name",
        link=_customer_address,
    ),
    Column("days", gettext_lazy("Days overdue"), "number", "oldest_overdue_days", sort="oldest_overdue_days"),
    Column("stage", gettext_lazy("Stage"), "number", sort="stage", dear=True),
    Column("overdue", gettext_lazy("Overdue"), value=_overdue),
    Column("grade", gettext_lazy("Grade"), value=_grades, sort="grade_after", dear=True),
    Column("standing", gettext_lazy("Standing"), "status", _standing, sort="standing_after", dear=True),
    Column("why", gettext_lazy("Why"), "html", _why, plain=_why_plain),
)


def _changed(rows: Any, what: str) -> Any:
    """Rows of customers to whom the day did this."""
    if what == "downgrade":
        return rows.exclude(grade_before=F("grade_after"))
    if what != "any":
        return rows.filter(reasons__contains=[{"code": what}])
    found = ~Q(grade_before=F("grade_after"))
    for code in reasons.CHANGES:
        found |= Q(reasons__contains=[{"code": code}])
    return rows.filter(found)


def _named(rows: Any, text: str) -> Any:
    """Rows of customers so called; nobody finds a restricted one."""
    return rows.filter(customer__name__icontains=text, customer__restricted_on=None)


WHAT = (
    ("any", gettext_lazy("Anything changed")),
    ("letter", gettext_lazy("Letter written")),
    ("downgrade", gettext_lazy("Grade lowered")),
    ("standing_worsened", gettext_lazy("Standing hardened")),
    ("standing_lifted", gettext_lazy("Standing lifted")),
    ("episode_began", gettext_lazy("Newly overdue")),
    ("episode_ended", gettext_lazy("Paid up")),
)
ASKS = (
    Ask("customer", gettext_lazy("Customer"), where=_named),
    Ask("what", gettext_lazy("What was done"), "select", _changed, WHAT, default="any"),
    Ask("stage", gettext_lazy("Stage"), "select", "stage", tuple((str(n), str(n)) for n in range(10))),
)


@page
@require_GET
def day(request: HttpRequest, as_of: str) -> HttpResponse:
    """One day: the run's steps, the ageing, and whom it changed, with every reason."""
    _require_reader(request)
    found = Day.objects.select_related("by").filter(as_of=_read(as_of)).first()
    if found is None:
        raise NotVisible
    rows = CustomerDay.objects.filter(day=found).select_related("customer")
    listing = Listing(request, rows, COLUMNS, ASKS, key=f"day-{as_of}", order="-oldest_overdue_days")
    if listing.wants_export:
        return listing.export()
    return render(request, "collection/day.html", {"listing": listing, **_shown(found)})


def _read(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NotVisible from None


def _shown(day: Day) -> dict[str, Any]:
    """What the templates say about a day."""
    names = _names(day)
    return {
        "day": day,
        "status": (day.get_status_display(), COLOURS[day.status]),
        "steps": _steps(day),
        "figures": _figures(day),
        "sheets": [_sheet(currency, sheet) for currency, sheet in sorted(day.aging.items())],
        "faults": [fault | {"name": names.get(fault["customer"], fault["customer"])} for fault in day.faults],
    }


def _names(day: Day) -> Mapping[int, str]:
    wanted = [fault["customer"] for fault in day.faults]
    return dict(Customer.objects.filter(pk__in=wanted).values_list("pk", "name"))


def _steps(day: Day) -> list[dict[str, Any]]:
    """The run's steps with what each did."""
    counts = day.counts
    over = "todo" if day.status == "running" else "done"
    clean = day.proof.get("difference") == "0.00"
    tied = all(sheet["ties"] for sheet in day.aging.values())
    number = {name: counts.get(name, 0) for name in ("letters", "downgrades", "standings", "tasks_made")}
    return [
        {"label": _("Dunning"), "state": over, "hint": _("%(letters)s letters") % number},
        {"label": _("Downgrades"), "state": over, "hint": _("%(downgrades)s grades, %(standings)s standings") % number},
        {"label": _("Alarms"), "state": over, "hint": _("%(tasks_made)s new tasks") % number},
        {
            "label": _("Ageing"),
            "state": over if tied else "stopped",
            "hint": _("adds up to the ledger") if tied else _("does not add up to the ledger"),
        },
        {
            "label": _("Proof"),
            "state": over if clean or over == "todo" else "stopped",
            "hint": _("difference %(difference)s") % day.proof if day.proof else "",
        },
    ]


def _figures(day: Day) -> list[dict[str, Any]]:
    counts = day.counts
    found = (
        ("customers", _("Customers looked at"), "", ""),
        ("overdue", _("Overdue"), "amber", ""),
        ("began", _("Newly overdue"), "amber", "episode_began"),
        ("ended", _("Paid up"), "green", "episode_ended"),
        ("letters", _("Letters"), "", "letter"),
        ("downgrades", _("Downgrades"), "red", "downgrade"),
        ("reservations_expired", _("Reservations let go"), "", ""),
    )
    return [
        {
            "label": label,
            "value": counts.get(name, 0),
            "colour": colour if counts.get(name) else "",
            "address": f"{_address(day)}?what={what}" if what else "",
        }
        for name, label, colour, what in found
    ]


def _sheet(currency: str, sheet: Mapping[str, Any]) -> dict[str, Any]:
    """One currency's ageing as rows (label, amount)."""
    labels = [bucket_name(bucket) for bucket in aging_rule.bucket_labels(sheet["up_to"])]
    rows = [*zip(labels, sheet["buckets"], strict=True), (_("Not yet applied"), sheet["unapplied"])]
    drawing = {
        "labels": labels,
        "series": [{"name": currency, "values": [Decimal(amount) for amount in sheet["buckets"]]}],
        "unit": "amount",
        "colours": "ages",
    }
    return {
        **sheet,
        "currency": currency,
        "rows": rows,
        "drawing": drawing,
        "chart_name": f"ages-{currency}",
        "chart_title": _("Open amounts by age"),
    }
