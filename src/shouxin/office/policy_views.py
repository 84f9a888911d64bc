"""The policy on the page: the book, its versions and what changed, a draft checked and put in force, exchange rates."""

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from shouxin.lib.lists import Column, Listing
from shouxin.lib.numbers import whole

from . import book, policies, posts, rates, sudo
from .models import POST_LABELS, ExchangeRate, PolicyVersion
from .pages import acting, blame, page, require_duty, status_of
from .refusals import BadForm, Moved, NotVisible

TEXT_MAX = 500_000


class DraftForm(forms.Form):
    """A policy as YAML, pasted or as a file, and from when it is to hold."""

    file = forms.FileField(label=gettext_lazy("File"), required=False)
    text = forms.CharField(
        label=gettext_lazy("Policy as YAML"),
        required=False,
        max_length=TEXT_MAX,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 18, "spellcheck": "false", "class": "code"}),
    )
    since = forms.DateField(
        label=gettext_lazy("In force from"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    why = forms.CharField(label=gettext_lazy("Reason"), max_length=500, required=False)
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        """The file's text wins over the pasted one; UTF-8."""
        given: dict[str, Any] = self.cleaned_data
        if upload := given.get("file"):
            if upload.size > TEXT_MAX:
                raise forms.ValidationError(_("The file is too large for a policy."))
            try:
                given["text"] = upload.read().decode("utf-8-sig")
            except UnicodeDecodeError:
                raise forms.ValidationError(_("The file is not UTF-8 text.")) from None
        if not given.get("text", "").strip():
            raise forms.ValidationError(_("Paste a policy or choose its file."))
        return given


class RateForm(forms.Form):
    """One unit of a currency in the company's, from a day on."""

    currency = forms.RegexField("^[A-Za-z]{3}$", label=gettext_lazy("Currency"), max_length=3)
    rate = forms.CharField(
        label=gettext_lazy("Exchange rate"), max_length=24, widget=forms.TextInput(attrs={"inputmode": "decimal"})
    )
    since = forms.DateField(
        label=gettext_lazy("From"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    source = forms.CharField(label=gettext_lazy("Source"), max_length=120)

    def clean_currency(self) -> str:
        """In capitals."""
        return str(self.cleaned_data["currency"]).upper()

    def clean_rate(self) -> Decimal:
        """An exact number."""
        try:
            return Decimal(self.cleaned_data["rate"].strip())
        except InvalidOperation:
            raise forms.ValidationError(_("Write the rate in figures, such as 7.1234.")) from None


# --- the book and its versions -------------------------------------------------------------------


@page
@require_GET
def policy(request: HttpRequest) -> HttpResponse:
    """The policy in force today, as a book."""
    return _book(request, policies.in_force(acting(request)["on"]), in_force=True)


@page
@require_GET
def version(request: HttpRequest, number: int) -> HttpResponse:
    """Any edition of the book."""
    return _book(request, policies.at(_number(number)))


def _book(request: HttpRequest, edition: policies.Edition, *, in_force: bool = False) -> HttpResponse:
    told = {
        "edition": edition,
        "in_force": in_force,
        "row": PolicyVersion.objects.select_related("put_by").get(number=edition.number),
        "company": book.phrase(edition.policy.company.name),
        "chapters": book.chapters(edition.policy),
        "author": _is_author(request),
    }
    return render(request, "office/policy.html", told)


def _is_author(request: HttpRequest) -> bool:
    who = acting(request)
    return bool(posts.posts_of(who["by"], on=who["on"]) & set(policies.AUTHORS))


def _number(number: int) -> int:
    if number >= 2**31:
        raise NotVisible
    return number


@page
@require_GET
def download(request: HttpRequest, number: int) -> HttpResponse:
    """The edition's YAML, as it was put."""
    row = PolicyVersion.objects.filter(number=_number(number)).first()
    if row is None:
        raise NotVisible
    answer = HttpResponse(row.text, content_type="application/yaml; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="policy-v{number}.yaml"'
    return answer


@page
@require_GET
def versions(request: HttpRequest) -> HttpResponse:
    """All editions, the newest first."""
    today = acting(request)["on"]
    rows = PolicyVersion.objects.defer("text").select_related("put_by").order_by("-number")
    told = {"versions": rows, "now": policies.in_force(today).number, "today": today, "author": _is_author(request)}
    return render(request, "office/policy_versions.html", told)


@page
@require_GET
def compare(request: HttpRequest) -> HttpResponse:
    """What two editions say differently, setting by setting."""
    numbers = list(PolicyVersion.objects.order_by("-number").values_list("number", flat=True))
    new = _chosen(request, "new", numbers[0])
    old = _chosen(request, "old", next((each for each in numbers if each < new), new))
    changes = policies.compare(policies.at(old).policy, policies.at(new).policy)
    told = {"numbers": numbers, "old": old, "new": new, "changes": changes}
    return render(request, "office/policy_compare.html", told)


def _chosen(request: HttpRequest, name: str, otherwise: int) -> int:
    given = whole(request.GET.get(name), 11)
    return otherwise if given is None else _number(given)


# --- a draft -------------------------------------------------------------------------------------


@page
@require_http_methods(["GET", "POST"])
def draft(request: HttpRequest) -> HttpResponse:
    """Check a draft: every fault with its line, what would change; then put it in force from a day."""
    if request.method == "GET" and _is_author(request):
        sudo.require(request)
    who = acting(request)
    initial = sudo.kept(request, _starting(who))
    form = DraftForm(request.POST, request.FILES) if request.method == "POST" else DraftForm(initial=initial)
    told: dict[str, Any] = {"form": form, "author": _is_author(request), "authors": _authors()}
    if request.POST.get("act") == "put":
        require_duty(request, *policies.AUTHORS, verb="put_policy", about="policy")
        sudo.require(request)
    if request.method == "POST" and form.is_valid():
        told |= _checked(form, who["on"])
        if request.POST.get("act") == "put" and not told["broken"] and _put(request, form):
            return redirect("office:policy")
    return render(request, "office/policy_draft.html", told, status=422 if told.get("broken") else status_of(form))


def _starting(who: dict[str, Any]) -> dict[str, Any]:
    """The text in force is where a draft begins."""
    edition = policies.in_force(who["on"])
    return {"text": PolicyVersion.objects.get(number=edition.number).text, "since": who["on"],
            "seen": policies.number()}  # fmt: skip


def _authors() -> list[str]:
    return [str(POST_LABELS[post]) for post in policies.AUTHORS]


def _checked(form: DraftForm, today: date) -> dict[str, Any]:
    """`broken`: it cannot be used at all; `faults` with their lines; `changes` against the policy in force."""
    text, name = form.cleaned_data["text"], getattr(form.cleaned_data.get("file"), "name", None) or "policy.yaml"
    form.data = form.data.copy()
    if form.data.get("act") == "check" and not form.data.get("seen"):
        form.data["seen"] = str(policies.number())  # checked for the first time: a draft handed over from the card
    form.data["text"] = text  # a file's text stands in the box from now on, so that it can be put without the file
    try:
        faults = policies.check(text, name)
    except policies.PolicyFaults as refusal:
        return {"checked": True, "broken": True, "faults": refusal.faults, "changes": []}
    changes = policies.compare(policies.in_force(today).policy, policies.parse(text, name))
    return {"checked": True, "broken": False, "faults": faults, "changes": changes}


def _put(request: HttpRequest, form: DraftForm) -> bool:
    asked, who = form.cleaned_data, acting(request)
    for field in ("since", "why"):
        if not asked.get(field):
            form.add_error(field, _("Needed to put it in force."))
    if asked.get("seen") is None:
        form.add_error(None, _("Check the draft first: nothing says which edition it was drawn from."))
    if form.errors:
        return False
    try:
        edition = policies.put(asked["text"], since=asked["since"], why=asked["why"], seen=asked["seen"], **who)
    except (BadForm, Moved) as refusal:
        blame(form, refusal)
        return False
    told = {"version": f"v{edition.number}", "day": edition.since}
    messages.success(request, _("%(version)s is in force from %(day)s.") % told)
    return True


# --- exchange rates ------------------------------------------------------------------------------

RATE_COLUMNS = (
    Column("currency", gettext_lazy("Currency"), sort="currency"),
    Column("rate", gettext_lazy("Exchange rate"), value=lambda row: f"{row.rate.normalize():f}", sort="rate"),
    Column("since", gettext_lazy("From"), "date", sort="since"),
    Column("source", gettext_lazy("Source")),
    Column("put_by", gettext_lazy("Entered by")),
    Column("put_at", gettext_lazy("Entered at"), "moment", sort="put_at"),
)


@page
@require_http_methods(["GET", "POST"])
def exchange_rates(request: HttpRequest) -> HttpResponse:
    """The rates with their sources; finance and the credit office enter new ones."""
    who = acting(request)
    form = RateForm(request.POST if request.method == "POST" else None, initial={"since": who["on"]})
    if request.method == "POST" and form.is_valid():
        try:
            rates.put(**form.cleaned_data, **who)
        except BadForm as refusal:
            blame(form, refusal)
        else:
            messages.success(request, _("The rate is entered."))
            return redirect("office:rates")
    listing = Listing(request, ExchangeRate.objects.select_related("put_by"), RATE_COLUMNS, key="rates", order="-since")
    if listing.wants_export:
        return listing.export()
    told = {
        "listing": listing,
        "form": form,
        "company_currency": policies.in_force(who["on"]).policy.company.currency,
        "keeper": bool(posts.posts_of(who["by"], on=who["on"]) & set(rates.KEEPERS)),
    }
    return render(request, "office/rates.html", told, status=422 if form.errors else 200)
