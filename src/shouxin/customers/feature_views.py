"""The form on which the 18 factors of feature analysis are scored (B2.1, domain 1.4)."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from shouxin.office import policies, sight
from shouxin.office.factor_words import FACTOR_GROUPS as GROUP_WORDS
from shouxin.office.factor_words import FACTORS as FACTOR_WORDS
from shouxin.office.factor_words import ORIENTATIONS
from shouxin.office.pages import acting, blame, page, require_duty, status_of
from shouxin.office.refusals import BadForm, Moved
from shouxin.rules import features as rules
from shouxin.rules.policy import FACTOR_GROUPS, FACTORS, FeatureModel

from . import facts, features
from .forms import Day
from .models import Customer, Fact

SCORES = [("", gettext_lazy("no information")), *((str(score), str(score)) for score in range(10, 0, -1))]


def _select() -> forms.Select:
    return forms.Select(attrs={"class": "form-select"})


class FeatureForm(forms.Form):
    """A score for each factor, and where they come from."""

    source = forms.ChoiceField(label=gettext_lazy("Source"), choices=Fact.SOURCES, initial="visit")
    as_of = forms.DateField(label=gettext_lazy("As of"), widget=Day())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for factor in FACTORS:
            self.fields[factor] = forms.TypedChoiceField(
                label=str(FACTOR_WORDS[factor]),
                choices=SCORES,
                widget=_select(),
                coerce=int,
                empty_value=None,
                required=False,
            )

    @property
    def scores(self) -> features.Scores:
        """Factor -> score."""
        return {factor: self.cleaned_data[factor] for factor in FACTORS}


@page
@require_http_methods(["GET", "POST"])
def score_features(request: HttpRequest, pk: int) -> HttpResponse:
    """Score the factors, each with its weight in the policy, its last score and since when."""
    call = acting(request)
    customer = sight.get_visible(Customer, call["by"], pk, on=call["on"])
    require_duty(request, *facts.COLLECTORS, verb="score_features", about=customer)
    before = features.scores_of(customer, call["on"])
    initial = {"as_of": call["on"], **{factor: score for factor, (score, _row) in before.items()}}
    form = FeatureForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        asked = form.cleaned_data
        try:
            features.score(customer, form.scores, source=asked["source"], as_of=asked["as_of"], **call)
        except (BadForm, Moved) as refusal:
            blame(form, refusal)
        else:
            messages.success(request, _("Scored. Rate the customer to see what it changes."))
            return redirect(f"{reverse('customers:file', args=[pk])}?tab=rating")
    model = policies.in_force(call["on"]).policy.features
    told = {
        "form": form,
        "customer": customer,
        "groups": _groups(form, model, before),
        "orientation": ORIENTATIONS[model.orientation],
        "standing": rules.analyse(model, facts.latest([customer.pk], call["on"])[customer.pk], call["on"]),
    }
    return render(request, "customers/features.html", told, status=status_of(form))


def _groups(form: FeatureForm, model: FeatureModel, before: dict[str, Any]) -> list[tuple[Any, list[Any]]]:
    weights = model.weights[model.orientation]
    return [
        (GROUP_WORDS[group], [(form[factor], weights[factor], before[factor][1]) for factor in factors])
        for group, factors in FACTOR_GROUPS.items()
    ]
