"""The work list and the letters: lists, a task with its result, a letter as it was written."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from shouxin.customers import registry, search
from shouxin.lib.lists import Column, Listing
from shouxin.lib.questions import Ask, begins
from shouxin.office import mail, moves, posts, sight
from shouxin.office.models import POST_CHOICES, POST_LABELS
from shouxin.office.pages import acting, page, typed
from shouxin.office.refusals import NotVisible
from shouxin.rules import ids
from shouxin.rules.policy import Post

from . import notices, worklist
from .api import pdf_answer
from .letters import grouped
from .models import Notice, Task

TASK_COLOURS = {"open": "amber", "done": "green", "dropped": "grey"}
NOTICE_COLOURS = {"waiting": "blue", "sent": "green", "failed": "red", "held": "amber", "no_address": "amber"}


def _customer(row: Any) -> str:
    return reverse("customers:file", args=[row.customer_id])


def _task(row: Task) -> str:
    return reverse("collection:task", args=[row.pk])


def _letter(row: Notice) -> str:
    return reverse("collection:notice", args=[row.pk])


TASK_COLUMNS = (
    Column("kind", gettext_lazy("Task"), value=lambda task: task.get_kind_display(), link=_task, drawer=True),
    Column(
        "customer", gettext_lazy("Customer"), sort="customer__name", dear=True, value="customer.name", link=_customer
    ),
    Column("amount", gettext_lazy("At stake"), "amount", sort="amount", currency="currency"),
    Column("stage", gettext_lazy("Stage"), "number", sort="stage", dear=True),
    Column("due_on", gettext_lazy("Due"), "date", sort="due_on", dear=True),
    Column("post", gettext_lazy("Post"), value=lambda task: POST_LABELS[Post(task.post)], sort="post", dear=True),
    Column("person", gettext_lazy("Handled by"), value="person"),
    Column("status", gettext_lazy("Status"), "status", lambda t: (t.get_status_display(), TASK_COLOURS[t.status])),
    Column("made_on", gettext_lazy("Made"), "date", sort="made_on", dear=True, hidden=True),
    Column("result", gettext_lazy("Result"), hidden=True),
)


def _whose(mine: Any) -> Any:
    """The question whose tasks to show."""
    return lambda rows, value: rows.filter(pk__in=mine.values("pk")) if value == "mine" else rows


@page
@require_GET
def tasks(request: HttpRequest) -> HttpResponse:
    """What is to be done, the most money first; her own unless she asks for everybody's."""
    who = acting(request)
    asks = (
        Ask(
            "whose",
            gettext_lazy("Whose"),
            "select",
            _whose(worklist.mine(who["by"], on=who["on"])),
            (("mine", gettext_lazy("My tasks")), ("all", gettext_lazy("Everybody's"))),
            default="mine",
        ),
        Ask("customer", gettext_lazy("Customer"), where=search.of_customer),
        Ask("kind", gettext_lazy("Task"), "select", "kind", tuple(Task.KINDS)),
        Ask("post", gettext_lazy("Post"), "select", "post", tuple(POST_CHOICES)),
        Ask("status", gettext_lazy("Status"), "select", "status", tuple(Task.STATUSES), default="open"),
    )
    rows = worklist.visible(who["by"], on=who["on"])
    listing = Listing(request, rows, TASK_COLUMNS, asks, key="tasks", order="-amount")
    if listing.wants_export:
        return listing.export()
    told = {"listing": listing, "everybodys": not listing.rows and rows.filter(status="open").exists()}
    return render(request, "collection/tasks.html", told)


def _visible_task(request: HttpRequest, number: int) -> Task:
    who = acting(request)
    rows = Task.objects.select_related("customer", "person", "done_by")
    return sight.get_visible(rows, who["by"], number, on=who["on"])


@page
@require_GET
def task(request: HttpRequest, number: int) -> HttpResponse:
    """One task with what it is about, and the form for what came of it."""
    who = acting(request)
    found = _visible_task(request, number)
    facts = [
        {"label": _("Customer"), "value": found.customer.name},
        {"label": _("Telephone"), "value": registry.masked_value(found.customer, "telephone"), "unmask": "telephone"},
        {"label": _("Contact"), "value": found.customer.contact or "–"},
        {"label": _("Post"), "value": POST_LABELS[Post(found.post)]},
        {"label": _("Handled by"), "value": found.person or "–"},
        {"label": _("Due"), "value": found.due_on.isoformat()},
    ]
    told = {
        "task": found,
        "customer": found.customer,
        "status": (found.get_status_display(), TASK_COLOURS[found.status]),
        "facts": facts,
        "letters": sight.visible(Notice, who["by"], on=who["on"]).filter(customer=found.customer)[:5],
        "may_settle": found.status == "open" and worklist.may_settle(found, who["by"], on=who["on"]),
    }
    return render(request, "collection/task.html", told)


@page
@require_POST
def settle(request: HttpRequest, number: int, verb: str) -> HttpResponse:
    """Done, or not needed; the word on the result is kept."""
    acts = {"done": worklist.done, "drop": worklist.drop}
    if verb not in acts:
        raise NotVisible
    found = acts[verb](_visible_task(request, number), result=typed(request), **acting(request))
    messages.success(request, _("Noted: %(task)s, %(customer)s.") % _named(found))
    return redirect("collection:worklist")


def _named(found: Task) -> dict[str, str]:
    return {"task": found.get_kind_display(), "customer": found.customer.name}


# --- letters -------------------------------------------------------------------------------------

NOTICE_COLUMNS = (
    Column("number", gettext_lazy("Number"), sort="pk", link=_letter, drawer=True),
    Column(
        "customer", gettext_lazy("Customer"), sort="customer__name", dear=True, value="customer.name", link=_customer
    ),
    Column("title", gettext_lazy("Letter"), value=lambda notice: notice.letter.get("title", "")),
    Column("stage", gettext_lazy("Stage"), "number", sort="stage", dear=True),
    Column("claimed", gettext_lazy("Claimed"), value=lambda notice: claims(notice)),
    Column("written_on", gettext_lazy("Written"), "date", "day.as_of", sort="day__as_of", dear=True),
    Column("deadline", gettext_lazy("Deadline"), "date", sort="deadline", dear=True),
    Column("to", gettext_lazy("E-mail"), value=lambda row: ids.mask_email(row.to) if row.to else ""),
    Column("status", gettext_lazy("Status"), "status", lambda n: (n.get_status_display(), NOTICE_COLOURS[n.status])),
    Column("fault", gettext_lazy("Why"), value=notices.fault_text, hidden=True),
    Column("sent_at", gettext_lazy("Sent"), "moment", sort="sent_at", dear=True, hidden=True),
)
NOTICE_ASKS = (
    Ask("customer", gettext_lazy("Customer"), where=search.of_customer),
    Ask("number", gettext_lazy("Number"), where=begins("number")),
    Ask("status", gettext_lazy("Status"), "select", "status", tuple(Notice.STATUSES)),
    Ask("stage", gettext_lazy("Stage"), "select", "stage", tuple((str(n), str(n)) for n in range(10))),
    Ask("from", gettext_lazy("Written from"), "date", "day__as_of__gte"),
)


def claims(notice: Notice) -> str:
    """What the letter claims, per currency, grouped for reading."""
    return ", ".join(f"{grouped(amount)} {currency}" for currency, amount in notice.claimed.items())


@page
@require_GET
def outbox(request: HttpRequest) -> HttpResponse:
    """The letters and where each stands on its way out."""
    who = acting(request)
    rows = sight.visible(Notice, who["by"], on=who["on"]).select_related("customer", "day").defer("body", "items")
    listing = Listing(request, rows, NOTICE_COLUMNS, NOTICE_ASKS, key="notices", order="-pk")
    if listing.wants_export:
        return listing.export()
    told = {"listing": listing, "no_server": not mail.configured()}
    return render(request, "collection/notices.html", told)


def _visible_notice(request: HttpRequest, number: int) -> Notice:
    who = acting(request)
    rows = Notice.objects.select_related("customer", "day", "episode")
    return sight.get_visible(rows, who["by"], number, on=who["on"])


@page
@require_GET
def notice(request: HttpRequest, number: int) -> HttpResponse:
    """A letter as it was written, with what can be done with it."""
    who = acting(request)
    found = _visible_notice(request, number)
    told = {
        "notice": found,
        "letter": _letter_shown(found.letter),
        "words": found.letter.get("labels", {}),
        "fault": notices.fault_text(found),
        "status": (found.get_status_display(), NOTICE_COLOURS[found.status]),
        "masked_to": ids.mask_email(found.to) if found.to else "",
        "verbs": moves.verbs_for(found, notices.OUTBOX, who["by"], who["on"]),
        "no_account": not found.letter.get("company", {}).get("account"),
        "may_write_policy": bool(posts.posts_of(who["by"], on=who["on"]) & {Post.CREDIT_MANAGER}),
        "no_server": not mail.configured(),
    }
    return render(request, "collection/notice.html", told)


def _letter_shown(parts: dict[str, Any]) -> dict[str, Any]:
    """The parts for the template, where a dictionary's `items` would be read as its method."""
    ledgers = [{**ledger, "items_listed": ledger["items"]} for ledger in parts.get("ledgers", ())]
    return {**parts, "ledgers": ledgers}


@page
@require_GET
def paper(request: HttpRequest, number: int) -> HttpResponse:
    """The letter as PDF."""
    return pdf_answer(_visible_notice(request, number))


@page
@require_POST
def move(request: HttpRequest, number: int, verb: str) -> HttpResponse:
    """Hold back, let go, or note that it went on paper."""
    found, why = _visible_notice(request, number), typed(request)
    match verb:
        case "hold":
            notices.hold(found, why=why, **acting(request))
        case "release":
            notices.release(found, **acting(request))
        case "hand_over":
            notices.hand_over(found, how=why, **acting(request))
        case _:
            raise NotVisible
    messages.success(request, _("Letter %(number)s: %(status)s.") % _letter_named(found))
    return redirect("collection:notice", number)


def _letter_named(found: Notice) -> dict[str, str]:
    return {"number": found.number, "status": found.get_status_display()}
