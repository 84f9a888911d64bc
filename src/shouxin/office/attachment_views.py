"""Where a file kept as evidence is looked at or taken away."""

from django.http import HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from shouxin.lib.file_kinds import KINDS

from . import attachments
from .models import Attachment
from .pages import acting, page


@page
@never_cache
@require_GET
def download(request: HttpRequest, number: int) -> HttpResponse:
    """The file, in the page where browsers show its kind, else to be saved. That she saw it is recorded."""
    call = acting(request)
    row = attachments.get(number, by=call["by"], on=call["on"])
    return answer(row, attachments.read(row, by=call["by"], at=call["at"]))


def answer(row: Attachment, content: bytes) -> HttpResponse:
    """The bytes under their own content type and name; nothing in them is run."""
    given = HttpResponse(content, content_type=attachments.content_type(row))
    given["Content-Disposition"] = content_disposition_header(not KINDS[row.kind].shown, row.name) or "attachment"
    return given
