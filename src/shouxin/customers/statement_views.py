"""The page of financial statements: three years side by side, their ratios and predictors drawn, a year entered."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from shouxin.lib.fields import AmountField
from shouxin.office import policies, posts, sight
from shouxin.office.pages import acting, blame, page, require_duty, status_of
from shouxin.office.refusals import BadForm, Moved
from shouxin.rules.readings import READINGS

from . import facts, statements
from .forms import Day
from .models import Customer

RATIOS = ("debt_to_assets", "current_ratio", "quick_ratio", "net_margin")
PREDICTORS = ("z1", "z2", "z3", "bathory", "f_score")


class StatementForm(forms.Form):
    """One year's figures."""

    as_of = forms.DateField(label=gettext_lazy("Balance-sheet day"), widget=Day())
    audited = forms.BooleanField(label=gettext_lazy("Audited"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for key in statements.FIGURES:
            self.fields[key] = AmountField(label=facts.name_of(key), least=None, required=key in statements.REQUIRED)


@page
@require_http_methods(["GET", "POST"])
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """The last three years with what they say, and the form for another."""
    call = acting(request)
    customer = sight.get_visible(Customer, call["by"], pk, on=call["on"])
    form = StatementForm(request.POST or None)
    if request.method == "POST":
        require_duty(request, *facts.COLLECTORS, verb="enter_statement", about=customer)
        if form.is_valid() and _entered(form, customer, call):
            messages.success(request, _("Saved. Rate the customer to see what it changes."))
            return redirect("customers:statements", pk)
    years = statements.years_of(customer, call["on"])
    told = {
        "customer": customer,
        "form": form,
        "may": bool(posts.posts_of(call["by"], on=call["on"]) & set(facts.COLLECTORS)),
        "days": [day for day, _figures, _read in years],
        "figures": [_figure_row(key, years) for key in statements.FIGURES],
        "readings": [_reading_row(key, years) for key in READINGS if key != "operating_cash_flow_positive"],
        "ratios": _drawing(RATIOS, years),
        "predictors": _drawing(PREDICTORS, years),
        "currency": policies.in_force(call["on"]).policy.company.currency,
    }
    return render(request, "customers/statements.html", told, status=status_of(form))


def _entered(form: StatementForm, customer: Customer, call: dict[str, Any]) -> bool:
    given = form.cleaned_data
    figures = {key: given[key] for key in statements.FIGURES}
    try:
        statements.enter(customer, figures, as_of=given["as_of"], audited=given["audited"], **call)
    except (BadForm, Moved) as refusal:
        blame(form, refusal)
        return False
    return True


def _figure_row(key: str, years: Any) -> tuple[str, list[Any]]:
    return facts.name_of(key), [figures[key].value if key in figures else None for _day, figures, _read in years]


ZONES = {
    "distress": (gettext_lazy("distress likely"), "red"),
    "grey": (gettext_lazy("grey zone"), "amber"),
    "safe": (gettext_lazy("safe zone"), "green"),
}


def _reading_row(key: str, years: Any) -> tuple[str, list[Any]]:
    cells = [(each.value, ZONES.get(each.zone)) if (each := read.get(key)) else None for _day, _figures, read in years]
    return facts.name_of(key), cells


def _drawing(keys: tuple[str, ...], years: Any) -> dict[str, Any]:
    series = [
        {"name": facts.name_of(key), "values": [read[key].value if key in read else None for _d, _f, read in years]}
        for key in keys
        if any(key in read for _day, _figures, read in years)
    ]
    return {"labels": [f"{day:%Y-%m}" for day, _figures, _read in years], "series": series, "unit": "number"}
