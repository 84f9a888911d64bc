"""The proof on a page: when it last ran, what differed, run it now, let parked accounts decide again."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from shouxin.credit.models import CreditAccount
from shouxin.lib.templatetags.shouxin import bucket_labels
from shouxin.office import posts, sight
from shouxin.office.pages import acting, page, typed

from . import proof
from .models import ProofRun

RUNS = 10
DEPOSITS = gettext_lazy("Deposits")


@page
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """The last proof, its differences, the accounts that are parked, and the runs before."""
    who = acting(request)
    posts.require(who["by"], *proof.MAY_RUN, on=who["on"], about="proof", verb="read_proof")
    runs = list(ProofRun.objects.select_related("by")[:RUNS])
    told = {
        "last": runs[0] if runs else None,
        "differences": [_told(each) for each in runs[0].differences] if runs else [],
        "runs": runs,
        "parked": CreditAccount.objects.exclude(parked="").select_related("customer").order_by("pk"),
        "may_unpark": bool(posts.posts_of(who["by"], on=who["on"]) & set(proof.MAY_UNPARK)),
    }
    return render(request, "receivables/proof.html", told)


def _told(difference: dict[str, Any]) -> dict[str, Any]:
    labels = bucket_labels() | {"deposits": str(DEPOSITS)}
    return {**difference, "label": labels[difference["bucket"]]}


@page
@require_POST
def run(request: HttpRequest) -> HttpResponse:
    """Run the proof now; it reads in a snapshot of its own and hinders nobody."""
    found = proof.run(**acting(request))
    if found.differences:
        messages.error(request, _("The books do not agree; the accounts concerned are parked."))
    else:
        told = _("%(accounts)s accounts proved, difference 0.00.") % {"accounts": f"{found.accounts:,}"}
        messages.success(request, told)
    return redirect("receivables:proof")


@page
@require_POST
def unpark(request: HttpRequest, number: int) -> HttpResponse:
    """Let orders on an account be decided again."""
    who = acting(request)
    account = sight.get_visible(CreditAccount, who["by"], number, on=who["on"])
    proof.unpark(account, why=typed(request, most=500), **who)
    messages.success(request, _("Orders on the account are decided again."))
    return redirect("receivables:proof")
