"""The personal data we keep, on a page that prints as the notice of PIPL art. 17, and over the API."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from shouxin.rules.privacy import READERS

from . import book, personal, policies, posts
from .pages import acting, page
from .privacy import assessments, sharings
from .privacy.views import address_of


@page
@require_GET
def catalogue(request: HttpRequest) -> HttpResponse:
    """Who handles which data, what for, on which ground, how long, and which rights the person has."""
    call = acting(request)
    policy = policies.in_force(call["on"]).policy
    rows = [row | {"mask": mask_word(row["masked"])} for row in personal.catalogue()]
    told: dict[str, Any] = {"rows": rows, "company": policy.company, "name": book.phrase(policy.company.name),
                            "guard": policy.personal_data, "reader": _is_reader(call),
                            "given": [sharings.told(each) for each in sharings.running(call["on"])]}  # fmt: skip
    if told["reader"]:
        found = assessments.told(assessments.findings(call["on"]))
        told["findings"] = [each | {"address": address_of(each)} for each in found]
    return render(request, "office/personal_data.html", told)


def _is_reader(call: dict[str, Any]) -> bool:
    return bool(posts.posts_of(call["by"], on=call["on"]) & set(READERS))


def mask_word(mask: str) -> str:
    """How a field is masked, by example; "" for one that is not."""
    examples = {"telephone": "138****5678", "bank_account": "****1234", "id_number": "110105********002X",
                "email": "l***@example.com", "address": _("down to the district")}  # fmt: skip
    return str(examples.get(mask, ""))
