"""Files about a customer over the API: hand one in, list them."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import File, Form, Query, Router, Status
from ninja.files import UploadedFile

from shouxin.lib.api import Page, Paging, page
from shouxin.office.attachments_api import AttachmentOut, shown
from shouxin.office.door import acting

from . import evidence, registry
from .models import Customer

router = Router(tags=["evidence"])


@router.post("/customers/{reference}/attachments", response={201: AttachmentOut})
def attach_file(
    request: HttpRequest,
    reference: str,
    file: File[UploadedFile],
    note: Annotated[str, Form(max_length=300)] = "",
) -> Any:
    """Keep a file as evidence about the customer; the same file twice is kept once."""
    row = evidence.keep(_seen(request, reference), file, note=note, **acting(request))
    return Status(201, shown([row], request)[0])


@router.get("/customers/{reference}/attachments", response=Page[AttachmentOut])
def list_attachments(request: HttpRequest, reference: str, paging: Query[Paging]) -> dict[str, Any]:
    """Everything kept about the customer and what hangs on it, the latest first."""
    found = page(evidence.of(_seen(request, reference)), paging)
    return found | {"items": shown(found["items"], request)}


def _seen(request: HttpRequest, reference: str) -> Customer:
    call = acting(request)
    return registry.visible_customer(reference, by=call["by"], on=call["on"])
