"""Letters to customers over the API: what was written, on paper, and how it was delivered."""

from datetime import datetime
from typing import Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Router

from shouxin.customers import mails, registry
from shouxin.customers.models import Mail
from shouxin.lib.api import Answer, Body
from shouxin.office import sight
from shouxin.office.door import acting

from .application_api import letter_file

router = Router(tags=["customers"])
SHOWN_MAX = 200


class LetterOut(Answer):
    """A letter, what it is about (kind:id), and what became of it."""

    id: int
    customer: int
    kind: str
    about: str
    subject: str
    status: str
    written_at: datetime
    sent_at: datetime | None
    fault: str


class LettersOut(Answer):
    """The latest two hundred letters, the newest first."""

    items: list[LetterOut]


class DeliveryIn(Body):
    """`word`: the address to send it to again, or how it went on paper."""

    word: str = ""


@router.get("/customers/{reference}/letters", response=LettersOut)
def list_letters(request: HttpRequest, reference: str) -> dict[str, Any]:
    """Replies, notices of a lowered grade, of blacklisting: every paper that was written to the customer by letter."""
    call = acting(request)
    customer = registry.visible_customer(reference, by=call["by"], on=call["on"])
    return {"items": [_told(each) for each in customer.mails.filter(paper__isnull=False).order_by("-pk")[:SHOWN_MAX]]}


@router.get("/letters/{int:pk}.{ending}")
def get_letter_paper(request: HttpRequest, pk: int, ending: str) -> HttpResponse:
    """A letter as `pdf` or `docx`, as it was written."""
    return letter_file(_letter(request, pk), ending)


@router.post("/letters/{int:pk}/{verb}", response=LetterOut)
def deliver_letter(
    request: HttpRequest, pk: int, verb: Literal["resend", "hand_over"], body: DeliveryIn
) -> dict[str, Any]:
    """Send a letter again, to the address given or the customer's; or say how it went on paper."""
    letter, call = _letter(request, pk), acting(request)
    if verb == "resend":
        return _told(mails.resend(letter, to=body.word or letter.customer.email, **call))  # type: ignore[union-attr]
    return _told(mails.hand_over(letter, how=body.word, **call))


def _letter(request: HttpRequest, pk: int) -> Mail:
    call = acting(request)
    rows = Mail.objects.filter(paper__isnull=False, customer__restricted_on=None).select_related("customer")
    return sight.get_visible(rows, call["by"], pk, on=call["on"])


def _told(letter: Mail) -> dict[str, Any]:
    names = ("id", "kind", "about", "subject", "status", "written_at", "sent_at", "fault")
    return {name: getattr(letter, name) for name in names} | {"customer": letter.customer_id}
