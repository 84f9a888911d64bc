"""Invoices on pages: the list, one invoice with everything that happened to it, issuing, disputes, reversal."""

from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.db.models import F, Min, OuterRef, Prefetch, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shouxin.customers import search
from shouxin.customers.models import Customer
from shouxin.lib.lists import Column, Listing
from shouxin.lib.questions import Ask, begins
from shouxin.office import sight, trail
from shouxin.office.models import TrailEntry
from shouxin.office.pages import acting, blame, moment, page, typed
from shouxin.office.refusals import BadForm, Moved, NotVisible

from . import invoices, posting
from .forms import ContestForm, InvoiceForm, PaperForm, SettleContestForm
from .models import Contest, Instalment, Invoice, Match

ZERO = Decimal(0)
DEPTH = Sum(F("amount") - F("settled"))


# --- the list ------------------------------------------------------------------------------------


def rows_for(request: HttpRequest) -> QuerySet[Invoice]:
    """The invoices she may see, with what is open and disputed of each and the oldest open due day."""
    who = acting(request)
    parts = Instalment.objects.filter(invoice=OuterRef("pk")).order_by().values("invoice")
    still = parts.filter(~Q(settled=F("amount")))
    oldest = Coalesce("due_on", "invoice__dated_on")
    return sight.visible(Invoice, who["by"], on=who["on"]).select_related("customer", "reversed_by").annotate(
        open_amount=Subquery(parts.annotate(sum=DEPTH).values("sum")),
        contested=Subquery(parts.annotate(sum=Sum("contested")).values("sum")),
        oldest_due=Subquery(still.annotate(oldest=Min(oldest)).values("oldest")),
    )  # fmt: skip


def state_of(invoice: Any, today: date) -> tuple[Any, str]:
    """(word, colour): reversed, settled, disputed, overdue by so many days, or open. The invoice is annotated."""
    if invoice.kind == "reversal" or hasattr(invoice, "reversed_by"):
        return _("Reversed"), "grey"
    if not invoice.open_amount:
        return _("Settled"), "green"
    if invoice.open_amount < 0:
        return _("Credit to apply"), "blue"
    if invoice.contested >= invoice.open_amount:
        return _("Disputed"), "purple"
    days = (today - invoice.oldest_due).days
    return (_("%(days)s days overdue") % {"days": days}, "red") if days > 0 else (_("Not due"), "blue")


def address_of(row: Invoice) -> str:
    return reverse("receivables:invoice", args=[row.pk])


def file_of(row: Any) -> str:
    """The customer's file."""
    return reverse("customers:file", args=[row.customer_id])


def columns(today: date, *, summed: bool) -> tuple[Column, ...]:
    """The columns; sums only where the list is narrowed to customers, for summing the whole ledger takes long."""
    total = "amount" if summed else None
    return (
        Column("doc_no", gettext_lazy("Invoice"), link=address_of),
        Column("customer", gettext_lazy("Customer"), value="customer.name", link=file_of),
        Column("kind", gettext_lazy("Kind"), value=lambda row: row.get_kind_display()),
        Column("dated_on", gettext_lazy("Document date"), "date", sort="dated_on"),
        Column("due_on", gettext_lazy("Due date"), "date", sort="due_on"),
        Column("amount", gettext_lazy("Amount"), "amount", sort="amount", total=total, currency="currency",
               dear=True),
        Column("open", gettext_lazy("Open amount"), "amount", "open_amount", currency="currency",
               total="open_amount" if summed else None),
        Column("contested", gettext_lazy("Disputed"), "amount", lambda row: row.contested or None, currency="currency"),
        Column("currency", gettext_lazy("Currency"), hidden=True),
        Column("state", gettext_lazy("Status"), "status", lambda row: state_of(row, today)),
        Column("order_no", gettext_lazy("Order number"), hidden=True),
        Column("contract_no", gettext_lazy("Contract number"), hidden=True),
        Column("source_system", gettext_lazy("Source system"), hidden=True),
    )  # fmt: skip


STATES = (
    ("open", gettext_lazy("Not settled")),
    ("overdue", gettext_lazy("Overdue")),
    ("contested", gettext_lazy("Disputed")),
    ("settled", gettext_lazy("Settled")),
)


def _asks(today: date) -> tuple[Ask, ...]:
    return (
        Ask("q", gettext_lazy("Customer"), where=search.of_customer),
        Ask(
            "doc_no",
            gettext_lazy("Invoice"),
            where=begins("doc_no"),
            placeholder=gettext_lazy("Number, or its beginning"),
        ),
        Ask("state", gettext_lazy("Status"), "select", lambda r, v: invoices.in_state(r, v, today=today), STATES),
        Ask("due_until", gettext_lazy("Due until"), "date", "due_on__lte"),
        Ask("dated_from", gettext_lazy("Dated from"), "date", "dated_on__gte"),
        Ask("dated_until", gettext_lazy("Dated until"), "date", "dated_on__lte"),
        Ask("currency", gettext_lazy("Currency"), where="currency"),
        Ask("order_no", gettext_lazy("Order number"), where="order_no"),
    )


def tabs(current: str) -> list[dict[str, Any]]:
    """Invoices and receipts side by side."""
    names = {"invoices": _("Invoices"), "receipts": _("Receipts")}
    return [{"label": label, "address": reverse(f"receivables:{name}"), "current": name == current, "count": None}
            for name, label in names.items()]  # fmt: skip


@page
@require_GET
def invoice_list(request: HttpRequest) -> HttpResponse:
    """Every invoice she may see, newest first; the overdue ones with the longest overdue first."""
    who = acting(request)
    one_currency = bool(request.GET.get("q")) and bool(request.GET.get("currency"))
    shown = columns(who["on"], summed=one_currency)
    order = "late_since" if request.GET.get("state") == "overdue" else "-pk"
    listing = Listing(request, rows_for(request), shown, _asks(who["on"]), key="invoices", order=order)
    if listing.wants_export:
        return listing.export()
    told = {"listing": listing, "tabs": tabs("invoices"), "may_post": posting.may(who["by"], on=who["on"])}
    return render(request, "receivables/invoices.html", told)


# --- one invoice ---------------------------------------------------------------------------------


def visible_invoice(request: HttpRequest, number: int) -> Any:
    """The annotated invoice, where she may see it."""
    who = acting(request)
    rows = rows_for(request).select_related("customer", "reversed_by", "reverses", "by")
    parts = Prefetch("instalments", Instalment.objects.order_by("number"))
    return sight.get_visible(rows.prefetch_related(parts), who["by"], number, on=who["on"])


@page
@require_GET
def invoice(request: HttpRequest, number: int) -> HttpResponse:
    """One invoice: its instalments, what settled them, its disputes, its reversal."""
    return invoice_page(request, visible_invoice(request, number))


def invoice_page(request: HttpRequest, found: Any, **more: Any) -> HttpResponse:
    """The page of an invoice; `more` brings back a form that was refused."""
    who = acting(request)
    parts = list(found.instalments.all())
    told = {
        "invoice": found,
        "state": state_of(found, who["on"]),
        "parts": parts,
        "no_due_day": found.amount > 0 and any(part.due_on is None for part in parts),
        "matches": _matches(found),
        "contests": _contests(found),
        "facts": _facts(found),
        "verbs": invoices.verbs_for(found, parts, who["by"], who["on"]),
        "contest_form": ContestForm(auto_id="id_contest_%s"),
        "settle_form": SettleContestForm(auto_id="id_settle_%s"),
    }
    refused = [form for form in more.values() if form.errors]
    told |= {"refused_forms": refused, **more}
    return render(request, "receivables/invoice.html", told, status=422 if more else 200)


def _contests(found: Invoice) -> list[tuple[Contest, str]]:
    """The disputes, each with what was noted when it was settled (kept in the trail); "" before, or without a note."""
    rows = list(Contest.objects.filter(instalment__invoice=found).select_related("instalment", "by", "settled_by"))
    notes = defaultdict(list)
    if any(row.settled_on for row in rows):
        about = TrailEntry.objects.filter(about=trail.name_of(found), verb="invoice.settle_contest")
        for line in about.order_by("id"):
            notes[timezone.localdate(line.at), line.particulars.get("outcome"), line.by_id].append(
                line.particulars.get("note", "")
            )
    return [(row, "; ".join(filter(None, notes[row.settled_on, row.outcome, row.settled_by_id]))) for row in rows]


def _matches(found: Invoice) -> list[Match]:
    """What settled the invoice, or what it settled as a credit note, undone matches among them."""
    touching = Q(instalment__invoice=found) | Q(credit__invoice=found)
    rows = Match.objects.filter(touching).select_related("receipt", "credit__invoice", "instalment__invoice", "by")
    return list(rows.order_by("on", "pk"))


def _facts(found: Invoice) -> list[dict[str, Any]]:
    labels = {
        "dated_on": _("Document date"),
        "due_on": _("Due date"),
        "order_no": _("Order number"),
        "contract_no": _("Contract number"),
        "source_system": _("Source system"),
        "description": _("Description"),
        "by": _("Posted by"),
    }
    rows = [{"label": label, "value": getattr(found, name)} for name, label in labels.items()]
    for row in rows:
        if isinstance(row["value"], date):
            row["value"] = row["value"].isoformat()
    return [row for row in rows if row["value"]]


VERBS = ("contest", "settle_contest", "reverse", "apply")
DONE = {
    "contest": gettext_lazy("The disputed part rests until the dispute is settled."),
    "settle_contest": gettext_lazy("The dispute is settled."),
    "reverse": gettext_lazy("The paper is reversed; what had settled it is free again."),
    "apply": gettext_lazy("The credit note is applied."),
}


@page
@require_POST
def act(request: HttpRequest, number: int, verb: str) -> HttpResponse:
    """Contest, settle the dispute, reverse, or apply a credit note."""
    if verb not in VERBS:
        raise NotVisible
    found, call = visible_invoice(request, number), moment(request)
    why = typed(request, most=500).strip()
    if verb == "contest":
        form = ContestForm(request.POST, auto_id="id_contest_%s")
        if not form.is_valid():
            return invoice_page(request, found, contest_form=form)
        try:
            invoices.contest(found, why=why, amount=form.cleaned_data["amount"], **call)
        except BadForm as refusal:
            blame(form, refusal)
            return invoice_page(request, found, contest_form=form)
    elif verb == "settle_contest":
        settled = SettleContestForm(request.POST, auto_id="id_settle_%s")
        if not why:
            settled.add_error(None, _("Say why the dispute ends like this."))
        if not settled.is_valid():
            return invoice_page(request, found, settle_form=settled)
        invoices.settle_contest(found, outcome=settled.cleaned_data["outcome"], note=why, **call)
    elif verb == "reverse":
        invoices.reverse(found, why=why, **call)
    else:
        invoices.apply_credit(found, **call)
    messages.success(request, str(DONE[verb]))
    return redirect("receivables:invoice", number)


# --- a new one -----------------------------------------------------------------------------------


@page
@require_http_methods(["GET", "POST"])
def new_invoice(request: HttpRequest) -> HttpResponse:
    """Issue an invoice or a credit note by hand."""
    call = moment(request)
    posting.require(call["by"], on=call["today"], verb="issue", at=call["at"], about="invoice:")
    form = InvoiceForm(
        request.POST or None, initial={"dated_on": call["today"], "customer": request.GET.get("customer")}
    )
    if request.method == "POST" and form.is_valid() and (customer := customer_of(request, form)):
        try:
            found = invoices.issue(customer, amount=form.signed, **_given(form, customer), **call)
        except BadForm as refusal:
            blame(form, refusal)
        except Moved as refusal:
            form.add_error("doc_no", str(refusal))
        else:
            messages.success(request, _("%(doc_no)s is posted.") % {"doc_no": found.doc_no})
            return redirect("receivables:invoice", found.pk)
    return render(request, "receivables/new_invoice.html", {"form": form}, status=422 if form.errors else 200)


def _given(form: InvoiceForm, customer: Customer) -> dict[str, Any]:
    """The form as the verb takes it; without a due date the term of the customer's line decides."""
    given = {name: value for name, value in form.cleaned_data.items() if name not in ("customer", "amount")}
    if not given["due_on"] and given["kind"] == "invoice":
        given["due_on"] = invoices.due_by_line(customer.pk, given["dated_on"])
    return given


def customer_of(request: HttpRequest, form: PaperForm) -> Customer | None:
    """The customer meant, among those she sees: by code, or by a name that means no other; else the form says so."""
    who, given = acting(request), form.cleaned_data["customer"].strip()
    try:
        return posting.customer_for(given.split(" ")[0], by=who["by"], on=who["on"])
    except NotVisible:
        found = list(search.find(given, sight.customers_seen_by(who["by"], who["on"]))[:2])
    if len(found) == 1:
        return found[0]
    form.add_error("customer", _("Several customers are meant; choose one.") if found else _("No such customer."))
    return None
