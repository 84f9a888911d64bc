"""Sudo mode: whoever changes people, posts, policy, the door, tokens or webhooks, lifts a blacklisting or takes many
rows away proves anew who she is, where that was too long ago.

Coming in is a proof, and so is the page that asks again. An open session on a desk left alone is none. A page asks
before it shows its form; where the proof ages while she writes, what she wrote is kept for the form she comes back to.
"""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from django.contrib import messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from shouxin.rules.sign_in import proof_fresh

from . import clock, sign_in
from .refusals import Refusal

KEPT = "sudo_kept"
NEVER_KEPT = frozenset({"csrfmiddlewaretoken", "password"})
CALLS = re.compile(
    r"/api/v1/((people|tokens|policies|webhooks)(/|$)|standing-releases/\d+/confirm$|customers/[^/]+/standing$)"
)
"""Writes of the API that ask a session for a fresh proof; a token says by its scope what it may do."""


class Unproved(Refusal):
    """She proved who she is too long ago for this act. `back`: the page to come back to afterwards. Status 403."""

    code = "unproved"
    status = 403
    message = _("You proved who you are too long ago for this.")
    cure = _("Confirm that it is you, then try again.")

    def __init__(self, back: str) -> None:
        super().__init__()
        self.back = back


def is_fresh(request: HttpRequest) -> bool:
    """Whether she proved who she is recently enough, or has nothing to prove it with here (single sign-on alone)."""
    proved = max((each["at"] for each in get_authentication_records(request, request.user)), default=float("-inf"))
    if proof_fresh(sign_in.rules(), proved=proved, now=clock.now().timestamp()):
        return True
    return not get_adapter().get_reauthentication_methods(request.user)


def require(request: HttpRequest, *, back: str = "") -> None:
    """Raise Unproved without a fresh proof. `back`: the page with the form, where it is not the page asked for."""
    if not is_fresh(request):
        raise Unproved(back or request.get_full_path())


def require_for_rows(request: HttpRequest, count: Callable[[], int]) -> None:
    """The same for a file of more rows than may leave without; afterwards the list without its file comes back."""
    if not is_fresh(request) and count() > sign_in.rules().sudo_export_rows:
        query = request.GET.copy()
        query.pop("export", None)
        raise Unproved(f"{request.path}?{query.urlencode()}".rstrip("?"))


def way(request: HttpRequest, unproved: Unproved) -> str:
    """Where she proves it and comes back from; what she sent is kept, passwords and files are not."""
    told = {"minutes": sign_in.rules().sudo_minutes}
    why = _t("You proved who you are more than %(minutes)s minutes ago. Confirm that it is you to go on.") % told
    if request.method == "POST":
        sent = {name: values for name, values in request.POST.lists() if name not in NEVER_KEPT}
        request.session[KEPT] = {"page": unproved.back, "sent": sent}
        why += " " + _t("What you have written stands there when you come back; send it again.")
    messages.info(request, why)
    return f"{reverse('account_reauthenticate')}?{urlencode({'next': unproved.back})}"


def kept(request: HttpRequest, initial: dict[str, Any]) -> dict[str, Any]:
    """What a form begins with: what she sent before she was led away from this page, once; else `initial`."""
    found = request.session.get(KEPT)
    if request.method != "GET" or not found or found["page"] != request.get_full_path():
        return initial
    del request.session[KEPT]
    return dict.fromkeys(initial, "") | {name: _single(values) for name, values in found["sent"].items()}


def _single(values: list[str]) -> Any:
    return values[0] if len(values) == 1 else values
