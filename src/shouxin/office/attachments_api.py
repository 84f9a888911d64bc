"""Files kept as evidence over the API: what is known of one, and its bytes."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router

from shouxin.lib.api import Answer

from . import attachments
from .attachment_views import answer
from .door import acting
from .models import Attachment

router = Router(tags=["evidence"])


class AttachmentOut(Answer):
    """A file kept as evidence. `digest`: SHA-256 as handed in. `same_under`: other customers with the same file.

    Of customers out of sight only that there are any is told: null.
    """

    id: int
    about: str
    customer: int | None
    name: str
    content_type: str
    size: int
    digest: str
    kept_digest: str
    note: str
    by: str | None
    at: datetime
    same_under: list[int | None]


@router.get("/attachments/{int:pk}", response=AttachmentOut)
def get_attachment(request: HttpRequest, pk: int) -> dict[str, Any]:
    """What is known of the file."""
    return shown([_found(request, pk)], request)[0]


@router.get("/attachments/{int:pk}/content")
def get_attachment_content(request: HttpRequest, pk: int) -> HttpResponse:
    """The file itself; that it was fetched is recorded."""
    row, call = _found(request, pk), acting(request)
    return answer(row, attachments.read(row, by=call["by"], at=call["at"]))


def _found(request: HttpRequest, pk: int) -> Attachment:
    call = acting(request)
    return attachments.get(pk, by=call["by"], on=call["on"])


def shown(rows: Any, request: HttpRequest) -> list[dict[str, Any]]:
    """The files as they are told outside."""
    call = acting(request)
    return [_row(row) for row in attachments.flagged(rows, by=call["by"], on=call["on"])]


def _row(row: Attachment) -> dict[str, Any]:
    kept = {name: getattr(row, name) for name in ("about", "name", "size", "digest", "kept_digest", "note", "at")}
    return kept | {
        "id": row.pk,
        "customer": row.customer_id,
        "content_type": attachments.content_type(row),
        "by": row.by.username if row.by else None,
        "same_under": [twin.customer for twin in row.twins],  # type: ignore[attr-defined]
    }
