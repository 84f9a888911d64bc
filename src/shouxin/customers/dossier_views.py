"""Pages of the dossier: a fact with its evidence, its verification and its mark; quick notes from the road (B2.6)."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from shouxin.lib.numbers import whole
from shouxin.office import attachments, posts, sight
from shouxin.office.attachments import EvidenceField
from shouxin.office.pages import acting, blame, page, require_duty, status_of, typed
from shouxin.office.refusals import BadForm, Moved, NotVisible

from . import dossier, facts, search, subjects
from .forms import Day
from .models import Customer, Fact, FactCheck, FactMark

RECENT = 40


class CheckForm(forms.Form):
    """How it was verified, and with which result."""

    method = forms.ChoiceField(label=gettext_lazy("Method"), choices=FactCheck.METHODS)
    result = forms.ChoiceField(label=gettext_lazy("Result"), choices=FactCheck.RESULTS)
    checked_on = forms.DateField(label=gettext_lazy("Verified on"), widget=Day())
    note = forms.CharField(label=gettext_lazy("Remark"), max_length=500, required=False)
    evidence = EvidenceField()


class MarkForm(forms.Form):
    """Why the fact counts no longer."""

    kind = forms.ChoiceField(
        label=gettext_lazy("What happened"), choices=[each for each in FactMark.KINDS if each[0] in dossier.BY_HAND]
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=500)


class QuickNoteForm(forms.Form):
    """Whom it is about, what it is about, what was seen; a photo where there is one."""

    customer = forms.ModelChoiceField(Customer.objects.none(), label=gettext_lazy("Customer"))
    subject = forms.ChoiceField(
        label=gettext_lazy("About"), choices=[("", "—"), *Fact.SUBJECTS], required=False, initial="operations"
    )
    note = forms.CharField(
        label=gettext_lazy("Note"), max_length=500, widget=forms.Textarea(attrs={"rows": 4, "autofocus": True})
    )
    evidence = EvidenceField(label=gettext_lazy("Photo"))


@page
@require_http_methods(["GET", "POST"])
def quick_note(request: HttpRequest) -> HttpResponse:
    """Customer, words, done: a note from the road in three taps (B2.6)."""
    call = acting(request)
    require_duty(request, *facts.COLLECTORS, verb="add_fact", about="customer:")
    form = QuickNoteForm(request.POST or None, request.FILES or None, initial={"customer": request.GET.get("customer")})
    seen = sight.visible(Customer, call["by"], on=call["on"])
    form.fields["customer"].queryset = seen  # type: ignore[attr-defined]
    form.fields["customer"].widget.choices = [("", "—"), *_recent(seen, form, call["by"])]  # type: ignore[attr-defined]
    form.fields["customer"].widget.attrs |= {"data-pick": "", "data-pick-from": reverse("customers:choices")}
    if request.method == "POST" and form.is_valid():
        given = dict(form.cleaned_data)
        try:
            facts.add(given.pop("customer"), facts.NOTE, given.pop("note"), source="visit", as_of=call["on"],
                      **given, **call)  # fmt: skip
        except (BadForm, Moved) as refusal:
            blame(form, refusal)
        else:
            messages.success(request, _("Noted. The credit office reads it next."))
            return redirect("customers:quick_note")
    return render(request, "customers/quick_note.html", {"form": form}, status=status_of(form))


def _recent(seen: Any, form: forms.Form, by: Any) -> list[tuple[int, str]]:
    """Her own customers first; the one asked for always among them."""
    asked = whole(str(form.data.get("customer") or form.initial.get("customer")))
    wanted = seen.none() if asked is None else seen.filter(pk=asked)
    own = seen.filter(salesperson=by).order_by("name")[:RECENT]
    rows = {each.pk: f"{each.name} {each.code}" for each in (*wanted, *(own or seen.order_by("name")[:RECENT]))}
    return list(rows.items())


@page
@require_GET
def inbox(request: HttpRequest) -> HttpResponse:
    """What waits for the credit office: quick notes, and facts on papers nobody has verified (B1.4, B2.6)."""
    call = acting(request)
    require_duty(request, *dossier.OFFICE, verb="mark_fact", about="customer:")
    notes = list(dossier.open_notes(call["by"], call["on"]).order_by("id")[:RECENT])
    for each in notes:
        each.dialog = f"dismiss-{each.pk}"  # type: ignore[attr-defined]
        each.files = attachments.listed(each, by=call["by"], on=call["on"])  # type: ignore[attr-defined]
    papers = dossier.unverified(call["by"], call["on"]).order_by("id")[:RECENT]
    told = {"notes": notes, "papers": [(each, facts.name_of(each.key)) for each in papers]}
    return render(request, "customers/inbox.html", told)


@page
@require_GET
def fact(request: HttpRequest, pk: int) -> HttpResponse:
    """One fact: what the source says, its evidence, who verified it how, and whether it still counts."""
    call = acting(request)
    row = dossier.get(pk, by=call["by"], on=call["on"])
    return _fact_page(request, row, CheckForm(initial={"checked_on": call["on"]}), MarkForm())


@page
@require_http_methods(["POST"])
def act(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """Verify the fact, take it out of scoring, or dismiss a note."""
    call = acting(request)
    row = dossier.get(pk, by=call["by"], on=call["on"])
    if verb == "dismiss":
        dossier.mark(row, "dismissed", typed(request, most=500), **call)
        return redirect("customers:inbox")
    if verb not in ("verify", "mark"):
        raise NotVisible
    check = (
        CheckForm(request.POST, request.FILES) if verb == "verify" else CheckForm(initial={"checked_on": call["on"]})
    )
    mark = MarkForm(request.POST) if verb == "mark" else MarkForm()
    form: forms.Form = check if verb == "verify" else mark
    require_duty(request, *dossier.OFFICE, verb=f"{verb}_fact", about=row)
    if form.is_valid():
        given = form.cleaned_data
        try:
            if verb == "verify":
                dossier.verify(row, **given, **call)
            else:
                dossier.mark(row, given["kind"], given["reason"], **call)
        except (BadForm, Moved) as refusal:
            blame(form, refusal)
        else:
            messages.success(request, _("Saved."))
            return redirect("customers:fact", pk)
    return _fact_page(request, row, check, mark, status=422)


def _fact_page(request: HttpRequest, row: Fact, check: Any, mark: Any, status: int = 200) -> HttpResponse:
    call = acting(request)
    may = bool(posts.posts_of(call["by"], on=call["on"]) & set(dossier.OFFICE)) and row.collected_by_id != call["by"].pk
    value, until = facts.told(row)
    told = {
        "fact": row,
        "name": facts.name_of(row.key),
        "value": value,
        "until": until,
        "state": dossier.state_of(row),
        "particulars": [{"label": subjects.WORDS[key], "value": said} for key, said in row.particulars.items()],
        "attachments": attachments.listed(row, by=call["by"], on=call["on"]),
        "checks": row.checks.select_related("by").order_by("-id"),
        "check": check,
        "mark": mark,
        "may": may and getattr(row, "mark", None) is None and row.key != facts.NOTE,
    }
    return render(request, "customers/fact_page.html", told, status=status)


@page
@require_GET
def choices(request: HttpRequest) -> HttpResponse:
    """Customers for a searchable select: value and text, by what was typed."""
    call, text = acting(request), request.GET.get("q", "")[:200].strip()
    seen = sight.customers_seen_by(call["by"], call["on"])
    found = search.find(text, seen) if text else Customer.objects.none()
    rows = [{"value": each.pk, "text": f"{each.name} {each.code}"} for each in found.only("name", "code")[:20]]
    return JsonResponse(rows, safe=False)
