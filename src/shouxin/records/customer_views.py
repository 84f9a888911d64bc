"""The list of customers and the customer's credit file (A6, B2.2): one page, each part under its own tab."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from shouxin.credit import exposure, line_requests, review
from shouxin.credit.lines import LINE_CAUSES
from shouxin.credit.models import CreditAccount, Posting
from shouxin.customers import dossier, registry, standing
from shouxin.customers.facts import COLLECTORS, name_of, shown_value
from shouxin.customers.models import Customer, Standing, StandingKind, StandingRelease
from shouxin.lib import documents
from shouxin.lib.lists import Batch
from shouxin.lib.templatetags.shouxin import bucket_labels
from shouxin.office import disclosures, policies, posts, sight
from shouxin.office.pages import acting, page
from shouxin.office.refusals import NotVisible
from shouxin.orders import wording
from shouxin.orders.models import CreditDecision, Hold
from shouxin.receivables.ratings import RATERS
from shouxin.rules.securities import ASKERS as SECURERS

from . import (
    credit_file,
    credit_sheet,
    grade_review_views,
    labels,
    letter_views,
    party_views,
    rating_sheet,
    timeline,
    whys,
)
from .credit_file import CreditFile
from .roster import Roster, industries

POSTINGS_SHOWN = 200
DECISIONS_SHOWN = 50
EVENTS_PAGE = 50
ITEMS_SHOWN = 200
RECENT = 6


@page
@require_GET
def roster(request: HttpRequest) -> HttpResponse:
    """The customers she may see, each with grade, room and what is overdue."""
    call = acting(request)
    held = posts.posts_of(call["by"], on=call["on"])
    batch = [Batch(_("Rate"), reverse("credit:rate_selected"), "gauge")] if held & set(RATERS) else []
    listing = Roster(
        request,
        sight.customers_seen_by(call["by"], call["on"]),
        policy=policies.in_force(call["on"]).policy,
        on=call["on"],
        batch=batch,
    )
    if listing.wants_export:
        return listing.export()
    may_register = bool(held & set(registry.REGISTRARS))
    return render(request, "records/roster.html", {"listing": listing, "may_register": may_register})


# --- the file ------------------------------------------------------------------------------------


@page
@require_GET
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """The credit file of one customer; `tab` says which part of it."""
    call = acting(request)
    head_seen = sight.visible(Customer, call["by"], on=call["on"]).filter(pk=OuterRef("group_head"))
    rows = Customer.objects.select_related("salesperson", "group_head").annotate(head_seen=Exists(head_seen))
    customer = sight.get_visible(rows.defer("search_keys"), call["by"], pk, on=call["on"])
    tab = request.GET.get("tab", "")
    tab = tab if tab in TABS else "overview"
    _label, gather = TABS[tab]
    disclosures.record_view(customer, by=call["by"], at=call["at"], tab=tab)
    policy = policies.in_force(call["on"]).policy
    file = CreditFile(customer, policy, call["on"])
    part = gather(request, file)
    told = {
        "customer": customer,
        "position": file.position,
        "standing": labels.standing_status(file.position.standing),
        "tabs": _tabs(customer, tab),
        "tab": tab,
        "part": f"records/file/{tab}.html",
        "may": _may(call),
        "policy": policy,
    }
    return render(request, "records/file.html", told | part)


def _tabs(customer: Customer, current: str) -> list[dict[str, Any]]:
    address = reverse("customers:file", args=[customer.pk])
    return [
        {
            "label": label,
            "address": address if key == "overview" else f"{address}?tab={key}",
            "current": key == current,
            "count": None,
        }
        for key, (label, _gather) in TABS.items()
    ]


def _may(call: dict[str, Any]) -> dict[str, bool]:
    """Which buttons stand on the page; what a verb allows is the verb's own affair."""
    held = posts.posts_of(call["by"], on=call["on"])
    return {
        "ask": bool(held & set(line_requests.ASKERS)),
        "rate": bool(held & set(RATERS)),
        "secure": bool(held & set(SECURERS)),
        "edit": bool(held & set(registry.EDITORS)),
        "note": bool(held & set(COLLECTORS)),
        "standing": bool(held & standing.SETTERS),
    }


def _overview(request: HttpRequest, file: CreditFile) -> dict[str, Any]:
    """The sheet in short, line and exposure, ageing, payment record, what waits, what happened last."""
    call, customer, policy = acting(request), file.customer, file.policy
    debt = credit_file.debt_told(customer, policy=policy, on=file.on, at=call["at"])
    due = review.due_on({customer.pk: file.position.held}, [customer.pk], policy=policy)
    recent = timeline.entries(customer)[:RECENT]
    return {
        "facts": sheet_facts(
            customer,
            registry.same_account(customer, seen_by=sight.customers_seen_by(call["by"], call["on"])),
            customer.group_head if getattr(customer, "head_seen", False) else None,
        ),
        "pool": credit_file.pool_of(customer, file.position, on=file.on),
        "debt": debt,
        "ageing": ageing_drawing(debt.aged, credit_file.bucket_words(policy)),
        "sales": trade_drawing(debt.record.trade),
        "record": debt.record,
        "requests": credit_file.open_requests(customer),
        "rating": rating_sheet.latest_rating(customer),
        "review_due_on": due.get(customer.pk),
        "review_late": customer.pk in due and due[customer.pk] < file.on,
        "events": [timeline.told(entry) for entry in recent],
        "standing_row": _standing_row(customer, file.on),
        "currency": policy.company.currency,
    }


def _standing_row(customer: Customer, on: date) -> Standing | None:
    row = standing.rows_of([customer.pk], on).get(customer.pk)
    whys.tell(customer, [row] if row else [])
    return row


def ageing_drawing(aged: list[Any], words: list[str]) -> dict[str, Any]:
    """The ageing as a chart with its table; one series per currency."""
    series = [{"name": each.currency, "values": list(each.buckets)} for each in aged]
    return {"labels": words, "series": series, "unit": "amount", "colours": "ages" if len(series) == 1 else ""}


def trade_drawing(trade: Any) -> dict[str, Any]:
    """Twelve months of sales and receipts, oldest first."""
    return {
        "labels": [f"{month.first:%Y-%m}" for month in reversed(trade.sales)],
        "series": [
            {"name": _("Invoiced"), "values": [month.amount for month in reversed(trade.sales)]},
            {"name": _("Received"), "values": [month.amount for month in reversed(trade.collections)]},
        ],
        "unit": "amount",
    }


def sheet_facts(customer: Customer, same: Sequence[Customer], head: Customer | None) -> list[dict[str, Any]]:
    """The fields of the customer credit sheet (B2.2), masked; `unmask` names what may be asked for in full.

    `same`: who else has its bank account, `head`: the head of its group, as far as the reader sees them.
    """
    masked = registry.masked(customer)
    shared = _("also registered with: %(names)s") % {"names": ", ".join(each.name for each in same)} if same else ""
    hint = _("confirmed although the check fails: %(why)s") % {"why": customer.uscc_confirmed}
    return [
        {"label": _("Unified social credit code"), "value": customer.uscc,
         "hint": hint if customer.uscc_confirmed else ""},
        *([{"label": _("Identity number"), "value": masked["id_number"], "unmask": "id_number"}]
          if customer.natural_person else []),
        {"label": _("Legal representative"), "value": customer.legal_representative},
        {"label": _("Registered capital"), "value": _grouped(customer.registered_capital)},
        {"label": _("Paid-in capital"), "value": _grouped(customer.paid_in_capital)},
        {"label": _("Founded on"), "value": customer.founded_on and customer.founded_on.isoformat()},
        {"label": _("Industry"), "value": _industry(customer)},
        {"label": _("Address"), "value": masked["address"], "unmask": "address" if customer.natural_person else ""},
        {"label": _("Telephone"), "value": masked["telephone"], "unmask": "telephone"},
        {"label": _("Contact"), "value": customer.contact},
        {"label": _("E-mail for letters"), "value": masked["email"], "unmask": "email"},
        {"label": _("Bank"), "value": customer.bank},
        {"label": _("Bank account"), "value": masked["bank_account"], "unmask": "bank_account",
         "hint": shared},
        {"label": _("Salesperson"), "value": customer.salesperson and str(customer.salesperson)},
        {"label": _("Department"), "value": customer.department},
        {"label": _("Group head"), "value": head and str(head)},
        {"label": _("Customer since"), "value": customer.customer_since and customer.customer_since.isoformat()},
        {"label": _("Credit standard"), "value": customer.credit_standard},
    ]  # fmt: skip


def _grouped(amount: Any) -> str:
    return "" if amount is None else f"{amount:,.2f}"


def _industry(customer: Customer) -> str:
    return dict(industries()).get(customer.industry, "")


def _line(request: HttpRequest, file: CreditFile) -> dict[str, Any]:
    """Every line there was, what is asked for, the group's pool."""
    customer = file.customer
    requests = customer.line_requests.select_related("requested_by", "decided_by").order_by("-pk")[:DECISIONS_SHOWN]
    lines = list(credit_file.history(customer))
    whys.tell(customer, lines)
    return {
        "lines": lines,
        "requests": [(each, labels.request_status(each)) for each in requests],
        "pool": credit_file.pool_of(customer, file.position, on=file.on),
        "causes": LINE_CAUSES,
        "securities": credit_file.securities_of(customer),
        "today": file.on,
    }


def _exposure(request: HttpRequest, file: CreditFile) -> dict[str, Any]:
    """The buckets per currency, and the journal behind them: every amount can be followed to its paper."""
    accounts = list(CreditAccount.objects.filter(customer=file.customer).order_by("currency"))
    wanted = request.GET.get("bucket", "")
    rows = Posting.objects.filter(account__in=accounts).select_related("account", "by").order_by("-id")
    if wanted in CreditAccount.BUCKETS:
        rows = rows.filter(target=wanted) | rows.filter(source=wanted)
    return {
        "accounts": [(account, exposure.exposure_of(account)) for account in accounts],
        "postings": [_moved(row) for row in rows[:POSTINGS_SHOWN]],
        "shown_max": POSTINGS_SHOWN,
        "bucket": wanted,
        "buckets": CreditAccount.BUCKETS,
    }


def _moved(row: Posting) -> Posting:
    """The posting with the buckets it moves between in words."""
    words = bucket_labels()
    row.moved = (words.get(row.source, row.source) or "—", words.get(row.target, row.target) or "—")  # type: ignore[attr-defined]
    return row


def _rating(request: HttpRequest, file: CreditFile) -> dict[str, Any]:
    """The score sheet with every question, how the grade came about, methods and caps behind the limit."""
    latest = rating_sheet.latest_rating(file.customer)
    earlier = file.customer.ratings.select_related("by").order_by("-pk").defer("sheet")[1:12]
    told = {"rated": rating_sheet.rating_sheet(latest) if latest else None, "earlier": list(earlier)}
    return told | (grade_review_views.told_of(request, latest) if latest else {})


def _orders(request: HttpRequest, file: CreditFile) -> dict[str, Any]:
    """Decisions on orders and what waits for a person."""
    rows = CreditDecision.objects.filter(customer=file.customer).defer("facts", "request").select_related("by")
    decisions = list(rows.order_by("-id")[:DECISIONS_SHOWN])
    for each in decisions:
        each.told = [wording.told(reason, file.position.currency) for reason in each.reasons]  # type: ignore[attr-defined]
    return {
        "decisions": decisions,
        "holds": list(Hold.objects.filter(customer=file.customer, status="open").select_related("decision")),
        "decision_links": _resolves("orders:decision"),
        "hold_links": _resolves("orders:hold"),
    }


def _resolves(name: str) -> bool:
    try:
        return bool(reverse(name, args=[1]))
    except NoReverseMatch:
        return False


def _invoices(request: HttpRequest, file: CreditFile) -> dict[str, Any]:
    """What is open today by age, and the items that fell due first."""
    ageing = credit_file.ageing_of(file.customer, policy=file.policy, on=file.on)
    items = credit_file.items_shown(file.customer, on=file.on, most=ITEMS_SHOWN)
    return {
        "items": [(item, item.overdue_days(file.on)) for item in items],
        "left_off": sum(each.count for each in ageing) - len(items),
        "aged": ageing,
        "words": credit_file.bucket_words(file.policy),
    }


def _facts(request: HttpRequest, file: CreditFile) -> dict[str, Any]:
    """What is known, each with source, day and collector, and how old it is."""
    rows = credit_file.latest_facts(file.customer)
    fresh = {each.fact: each.fresh_days for chapter in file.policy.scorecard for each in chapter.questions}
    return {
        "known": [
            {
                "name": name_of(row.key),
                "value": shown_value(row.value),
                "row": row,
                "age": (file.on - row.as_of).days,
                "fresh": fresh.get(row.key),
                "state": dossier.state_of(row),
            }
            for row in rows
        ],
        "other_names": list(file.customer.other_names.order_by("since")),
    }


def _standing(request: HttpRequest, file: CreditFile) -> dict[str, Any]:
    """Where the customer has stood, why and by whom; a proposal that waits for a second person."""
    call, customer = acting(request), file.customer
    rows = list(Standing.objects.filter(customer=customer).select_related("by", "confirmed_by").order_by("-id"))
    whys.tell(customer, rows)
    waiting = customer.standing_releases.filter(status=standing.RELEASE.start).select_related("proposed_by")
    return {
        "standings": [(row, labels.standing_status(row.standing)) for row in rows],
        "releases": [_release(each, call) for each in waiting],
    }


def _release(release: StandingRelease, call: dict[str, Any]) -> dict[str, Any]:
    verbs = standing.verbs_for(release, call["by"], call["on"])
    word = str(StandingKind(release.standing).label)
    return {"release": release, "word": word, "verbs": [(verb, RELEASE_WORDS[verb]()) for verb in verbs]}


RELEASE_WORDS: dict[str, Callable[[], str]] = {
    "confirm": lambda: _("Confirm"),
    "decline": lambda: _("Decline"),
    "withdraw": lambda: _("Withdraw"),
}


def _timeline(request: HttpRequest, file: CreditFile) -> dict[str, Any]:
    """Before, during and after the deal on one line of time (A6)."""
    stage = request.GET.get("stage", "")
    stage = stage if stage in dict(timeline.STAGES) else ""
    pages = Paginator(timeline.entries(file.customer, stage=stage), EVENTS_PAGE)
    found = pages.get_page(request.GET.get("page"))
    return {"events": [timeline.told(entry) for entry in found], "found": found, "stage": stage,
            "stages": timeline.STAGES}  # fmt: skip


Gather = Callable[[HttpRequest, CreditFile], dict[str, Any]]


TABS: dict[str, tuple[Any, Gather]] = {
    "overview": (gettext_lazy("Overview"), _overview),
    "line": (gettext_lazy("Line"), _line),
    "exposure": (gettext_lazy("Exposure"), _exposure),
    "rating": (gettext_lazy("Rating"), _rating),
    "orders": (gettext_lazy("Orders"), _orders),
    "invoices": (gettext_lazy("Open items"), _invoices),
    "facts": (gettext_lazy("Facts"), _facts),
    "parties": (gettext_lazy("Related parties"), party_views.related),
    "counterparty": (gettext_lazy("Counterparty check"), party_views.counterparty),
    "standing": (gettext_lazy("Standing"), _standing),
    "letters": (gettext_lazy("Letters"), letter_views.part),
    "timeline": (gettext_lazy("Timeline"), _timeline),
}


@page
@require_GET
def sheet(request: HttpRequest, pk: int) -> HttpResponse:
    """The customer credit sheet 客户信用表单 (B2.2), one page to print and sign."""
    call = acting(request)
    rows = Customer.objects.select_related("salesperson", "group_head").defer("search_keys")
    customer = sight.get_visible(rows, call["by"], pk, on=call["on"])
    disclosures.record_view(customer, by=call["by"], at=call["at"], verb="view_sheet")
    policy = policies.in_force(call["on"]).policy
    told = {
        "customer": customer,
        "entries": credit_sheet.entries(customer, on=call["on"]),
        "company": labels.said(policy.company.name),
        "today": call["on"],
        "changes": credit_sheet.changes(customer),
    }
    return render(request, "records/sheet.html", told)


@page
@require_GET
def sheet_file(request: HttpRequest, pk: int, ending: str) -> HttpResponse:
    """The same sheet as PDF or Word file."""
    call = acting(request)
    customer = sight.get_visible(Customer, call["by"], pk, on=call["on"])
    if ending not in documents.FACES:
        raise NotVisible
    disclosures.record_view(customer, by=call["by"], at=call["at"], verb="view_sheet")
    made, content_type = documents.FACES[ending]
    answer = HttpResponse(made(credit_sheet.paper(customer, on=call["on"])), content_type=content_type)
    answer["Content-Disposition"] = f'attachment; filename="credit-sheet-{pk}.{ending}"'
    return answer
