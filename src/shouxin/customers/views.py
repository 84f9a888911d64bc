"""Pages about who a customer is: suggestions, registering, changing, facts, notes, standing."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shouxin.lib.numbers import whole
from shouxin.office import book, disclosures, policies, sight, sudo, trail_words
from shouxin.office.pages import acting, blame, page, require_duty, status_of
from shouxin.office.refusals import BadForm, Moved, NotVisible

from . import dossier, facts, names_of_facts, registry, search, standing, subjects
from .forms import CustomerForm, FactForm, NoteForm, PeriodForm, StandingForm, UnmaskForm
from .models import Customer, Fact, StandingRelease

SUGGESTIONS_MAX = 8


@page
@require_GET
def suggest(request: HttpRequest) -> HttpResponse:
    """What somebody may mean by what she has typed so far: at most eight customers she sees."""
    call, text = acting(request), request.GET.get("q", "")[:200].strip()
    found = search.find(text, sight.customers_seen_by(call["by"], call["on"])) if text else Customer.objects.none()
    rows = [
        {"name": each.name, "hint": each.code, "address": reverse("customers:file", args=[each.pk])}
        for each in found.only("name", "code").order_by("code")[:SUGGESTIONS_MAX]
    ]
    return render(request, "components/suggestions.html", {"suggestions": rows})


@page
@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Register a customer. Whoever may be the same company is shown before anything is saved (B2.2)."""
    require_duty(request, *registry.REGISTRARS, verb="register", about="customer:")
    call = acting(request)
    currency = policies.in_force(call["on"]).policy.company.currency
    form = CustomerForm(request.POST or None, currency=currency, initial=_own(request))
    doubles: list[registry.Double] = []

    def judge() -> None:
        registry.require_registrable(_fields(form, call), on=call["on"])

    if request.method == "POST" and _is_whole(form, judge):
        doubles = _doubles(form, call)
        if not doubles or form.cleaned_data["seen_doubles"]:
            try:
                customer = registry.create(**_fields(form, call), **call)
            except (BadForm, Moved) as refusal:
                blame(form, refusal)
            else:
                messages.success(request, _("%(name)s is registered.") % {"name": customer.name})
                return redirect("customers:file", customer.pk)
    return _form_page(request, form, doubles=doubles)


@page
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a customer's particulars, in the version she saw; the history stays in the timeline."""
    call = acting(request)
    customer = sight.get_visible(Customer.objects.select_related("group_head"), call["by"], pk, on=call["on"])
    require_duty(request, *registry.EDITORS, verb="change_customer", about=customer)
    form = CustomerForm(request.POST or None, instance=customer, new=False)

    def judge() -> None:
        registry.require_writable(customer, _changed(form, customer, call), on=call["on"])

    if request.method == "POST" and _is_whole(form, judge):
        try:
            registry.change(customer, version=_version(request), **_changed(form, customer, call), **call)
        except (BadForm, Moved) as refusal:
            blame(form, refusal)
        else:
            messages.success(request, _("Saved."))
            return redirect("customers:file", pk)
    return _form_page(request, form, customer=customer)


@page
@require_http_methods(["GET", "POST"])
def add_fact(request: HttpRequest, pk: int) -> HttpResponse:
    """Note something learnt, with its source and day (A7)."""
    call = acting(request)
    customer = sight.get_visible(Customer, call["by"], pk, on=call["on"])
    require_duty(request, *facts.COLLECTORS, verb="add_fact", about=customer)
    source_note = _note_asked(request, customer, call)
    initial = {"as_of": call["on"], "key": request.GET.get("key", "")}
    if source_note:
        initial |= {"source": source_note.source, "as_of": source_note.as_of, "note": source_note.value}
    form = FactForm(request.POST or None, request.FILES or None, names=names_of_facts.NAMES, initial=initial)
    if request.method == "POST" and form.is_valid():
        given = form.given | {"from_note": source_note}
        try:
            given["value"] = facts.typed(given["key"], given["value"])
            facts.add(customer, **given, **call)
        except (BadForm, Moved) as refusal:
            blame(form, refusal)
        else:
            messages.success(request, _("Noted."))
            return redirect("customers:inbox" if source_note else f"{reverse('customers:file', args=[pk])}?tab=facts")
    told = {"form": form, "customer": customer, "source_note": source_note,
            "lists": [(key, names_of_facts.NAMES[key]) for key in subjects.PARTICULARS]}  # fmt: skip
    return render(request, "customers/fact.html", told, status=status_of(form))


def _note_asked(request: HttpRequest, customer: Customer, call: dict[str, Any]) -> Fact | None:
    """The quick note that is being turned into a fact: for the credit office alone."""
    asked = request.GET.get("from", "")
    if not asked:
        return None
    require_duty(request, *dossier.OFFICE, verb="mark_fact", about=customer)
    if (pk := whole(asked)) is None:
        raise NotVisible
    found = dossier.get(pk, by=call["by"], on=call["on"])
    if found.customer_id != customer.pk or found.key != facts.NOTE:
        raise NotVisible
    return found


@page
@require_http_methods(["GET", "POST"])
def add_note(request: HttpRequest, pk: int) -> HttpResponse:
    """A quick note from the road (B2.6); it stands in the timeline."""
    call = acting(request)
    customer = sight.get_visible(Customer, call["by"], pk, on=call["on"])
    require_duty(request, *facts.COLLECTORS, verb="add_fact", about=customer)
    form = NoteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        facts.add(customer, facts.NOTE, form.cleaned_data["note"], source="visit", as_of=call["on"], **call)
        messages.success(request, _("Noted."))
        return redirect("customers:file", pk)
    return render(request, "customers/note.html", {"form": form, "customer": customer}, status=status_of(form))


@page
@require_http_methods(["GET", "POST"])
def set_standing(request: HttpRequest, pk: int) -> HttpResponse:
    """Put the customer there, with a reason. Off the blacklist it takes two people (I-20)."""
    call = acting(request)
    customer = sight.get_visible(Customer, call["by"], pk, on=call["on"])
    require_duty(request, *standing.SETTERS, verb="set_standing", about=customer)
    if standing.standings_of([pk], call["on"]).get(pk) == standing.BLACKLISTED:
        sudo.require(request)
    form = StandingForm(request.POST or None, initial=sudo.kept(request, {}))
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            done = standing.set_standing(
                customer, given["standing"], why=given["reason"], malicious=given["malicious"], **call
            )
        except (BadForm, Moved) as refusal:
            blame(form, refusal)
        else:
            waits = isinstance(done, StandingRelease) and done.status == standing.RELEASE.start
            told = _("Proposed. A second person has to confirm it.") if waits else _("The standing is changed.")
            messages.success(request, told)
            return redirect(f"{reverse('customers:file', args=[pk])}?tab=standing")
    return render(request, "customers/standing.html", {"form": form, "customer": customer}, status=status_of(form))


@page
@require_POST
def decide_release(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """Confirm, decline or withdraw a proposal to lift a blacklisting."""
    call = acting(request)
    release = sight.get_visible(StandingRelease, call["by"], pk, on=call["on"])
    back = f"{reverse('customers:file', args=[release.customer_id])}?tab=standing"
    if verb == "confirm":
        sudo.require(request, back=back)
    standing.decide_release(release, verb, **call)
    messages.success(request, _("Done."))
    return redirect(back)


@page
@never_cache
@require_http_methods(["GET", "POST"])
def unmask(request: HttpRequest, pk: int, field: str) -> HttpResponse:
    """One masked particular in full, for a reason, on this page alone; the next page shows it masked again."""
    call = acting(request)
    customer = sight.get_visible(Customer, call["by"], pk, on=call["on"])
    if field not in registry.MASKS:
        raise NotVisible
    form, shown = UnmaskForm(request.POST or None), ""
    if request.method == "POST" and form.is_valid():
        shown = registry.unmask(customer, form.cleaned_data["reason"], fields=[field], **call)[field]
    told = {"form": form, "customer": customer, "field": field, "what": book.MASKED_WORDS[field], "shown": shown,
            "masked": registry.masked_value(customer, field)}  # fmt: skip
    return render(request, "customers/unmask.html", told, status=status_of(form))


@page
@require_GET
def who_saw(request: HttpRequest, pk: int) -> HttpResponse:
    """Who saw or exported this customer's data between two days, for the auditor and the heads (PIPL art. 54, 57)."""
    call = acting(request)
    customer = sight.get_visible(Customer, call["by"], pk, on=call["on"])
    form = PeriodForm(request.GET or {"since": call["on"] - timedelta(days=30), "until": call["on"]})
    found: list[dict[str, Any]] = []
    if form.is_valid():
        asked = (form.cleaned_data["since"], form.cleaned_data["until"])
        found = [_seen_row(each) for each in disclosures.asked(customer, *asked, **call)]
    told = {"form": form, "customer": customer, "found": found, "asked": form.is_valid()}
    return render(request, "customers/who_saw.html", told, status=status_of(form))


def _seen_row(seen: disclosures.Seen) -> dict[str, Any]:
    return {"seen": seen, "verb": trail_words.VERBS.get(seen.verb, seen.verb)}


# --- from form to fields -------------------------------------------------------------------------


def _form_page(
    request: HttpRequest,
    form: CustomerForm,
    customer: Customer | None = None,
    doubles: list[registry.Double] | None = None,
) -> HttpResponse:
    told = {"form": form, "customer": customer, "doubles": doubles, "version": _seen(request, customer)}
    return render(request, "customers/form.html", told, status=422 if doubles else status_of(form))


def _seen(request: HttpRequest, customer: Customer | None) -> str:
    return request.POST.get("version") or (str(customer.version) if customer else "")


def _version(request: HttpRequest) -> int | None:
    return whole(request.POST.get("version"), 9)


def _own(request: HttpRequest) -> dict[str, Any]:
    """What sales register is theirs: the form begins with her and her department."""
    call = acting(request)
    held = registry.posts.posts_of(call["by"], on=call["on"])
    if registry.Post.SALES not in held:
        return {}
    return {"salesperson": call["by"].pk, "department": call["by"].department}


def _doubles(form: CustomerForm, call: dict[str, Any]) -> list[registry.Double]:
    seen_by = sight.customers_seen_by(call["by"], call["on"])
    return registry.doubles(form.cleaned_data["name"], seen_by=seen_by)


def _is_whole(form: CustomerForm, judge: Callable[[], None]) -> bool:
    """Whether nothing is wrong; what the form cannot read and what the registry refuses are told at once."""
    form.is_valid()
    try:
        judge()
    except BadForm as refusal:
        blame(form, refusal)
    return not form.errors


def _fields(form: CustomerForm, call: dict[str, Any]) -> dict[str, Any]:
    """What was filled in, as the registry takes it: texts never None, the group's head as the customer it names."""
    return _named({name: value for name, value in form.cleaned_data.items() if name != "seen_doubles"}, call)


def _changed(form: CustomerForm, customer: Customer, call: dict[str, Any]) -> dict[str, Any]:
    """Only the fields somebody has touched: who may write the contacts alone must not be taken to write the rest."""
    touched = set(form.changed_data)
    if "uscc" in touched:
        touched.add("uscc_confirmed")
    return _named({name: value for name, value in form.cleaned_data.items() if name in touched}, call)


def _named(given: dict[str, Any], call: dict[str, Any]) -> dict[str, Any]:
    return given | {"group_head": _head(given["group_head"], call)} if "group_head" in given else given


def _head(code: str, call: dict[str, Any]) -> Customer | None:
    if not code:
        return None
    found = sight.visible(Customer, call["by"], on=call["on"]).filter(code=code).first()
    if found is None:
        raise BadForm([("group_head", NotVisible.message)])
    return found
