"""Files kept as evidence: told by their bytes, sealed at rest, known by their digest, every look at them recorded.

`attach` is called by the verbs of other packages after they have checked duty and sight. A file handed in twice about
the same thing is kept once; the same file under another customer is kept and flagged: it may be a forgery (B1.4).
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from shouxin.lib import file_kinds
from shouxin.lib.file_kinds import KINDS, PHOTOS, Unfit

from . import disclosures, policies, sight, trail
from .models import Attachment, AttachmentContent, Person
from .refusals import BadForm, Moved, NotVisible

FIELD = "file"
MEGABYTE = 1024 * 1024
UNFIT: Mapping[str, Any] = {
    "empty": _("This file is empty. Choose it again; perhaps it was not saved or received whole."),
    "heic": _(
        "This is an HEIC photo. Choose Settings, Camera, Formats, Most Compatible on the iPhone, or send a JPEG."
    ),
    "macros": _("This paper contains macros, which are not kept. Save it as .docx or .xlsx without macros, or as PDF."),
    "old_office": _("This is a paper of the old Office formats. Save it as .docx, .xlsx or PDF."),
    "damaged": _("This file is damaged and cannot be read. Choose it again, or scan it anew."),
    "packed": _("This file unpacks to more than any paper has. Save it as PDF."),
    "pixels": _("This picture has more pixels than any camera takes. Scan it at 300 dpi."),
    "unknown": _("Files of this kind are not kept. PDF, JPEG, PNG, WebP, .docx, .xlsx and plain text are."),
    "disguised": _("The name says one kind of file, the content is another. Look at what it really is."),
}

TOO_LARGE = _(
    "This file has %(size)s MB, at most %(most)s MB are kept. Take the photo in a smaller size, or scan the paper as "
    "PDF at 300 dpi."
)


@dataclass(frozen=True)
class Twin:
    """The same file under another customer; one she may not see has no name."""

    customer: int | None
    name: str


@transaction.atomic
def attach(
    upload: UploadedFile,
    *,
    about: models.Model | str,
    customer: models.Model | None,
    by: Person | None,
    at: datetime,
    note: str = "",
    field: str = FIELD,
    trailed: bool = True,
) -> Attachment:
    """Keep the file as evidence about a thing; handed in again about the same thing, it is the one kept already.

    `by` None: handed in from outside by a signed link. `trailed` False: the caller's own trail line names the file.
    Raises BadForm under `field`, with what would cure it, for a file that is too large or of no kind that is kept.
    """
    handed = _read(upload, _rules(at).file_mb_max, field)
    digest, thing = hashlib.sha256(handed).hexdigest(), about if isinstance(about, str) else trail.name_of(about)
    known = Attachment.objects.filter(about=thing, digest=digest, content__isnull=False).first()
    if known:
        return known
    try:
        kind = file_kinds.kind_of(handed)
        name = file_kinds.clean_name(upload.name or "", kind)
        kept = (
            file_kinds.photo_without_traces(handed, kind, _rules(at).photo_edge_max) if kind.name in PHOTOS else handed
        )
    except Unfit as fault:
        raise BadForm([(field, UNFIT[fault.code])]) from fault
    row = Attachment.objects.create(
        about=thing, customer=customer, name=name, kind=kind.name, size=len(kept), digest=digest,
        kept_digest=hashlib.sha256(kept).hexdigest(), note=note, by=by, at=at,
    )  # fmt: skip
    AttachmentContent.objects.create(attachment=row, bytes=base64.b64encode(kept).decode())
    if trailed:
        others = sorted(filter(None, same_file(row).values_list("customer", flat=True)))
        trail.record("attach", about=thing, customer=customer, label=name, by=by, at=at, attachment=row.pk,
                     digest=digest, same_as=others)  # fmt: skip
    return row


def _rules(at: datetime) -> Any:
    return policies.in_force(timezone.localdate(at)).policy.evidence


def _read(upload: UploadedFile, megabytes: int, field: str) -> bytes:
    size = upload.size or 0
    if size > megabytes * MEGABYTE:
        told = {"size": -(-size // MEGABYTE), "most": megabytes}
        raise BadForm([(field, TOO_LARGE % told)])
    upload.seek(0)
    return upload.read()


# --- reading -------------------------------------------------------------------------------------


def same_file(row: Attachment) -> models.QuerySet[Attachment]:
    """The same bytes under other customers."""
    return Attachment.objects.filter(digest=row.digest).exclude(Q(customer=row.customer_id) | Q(customer=None))


def seen_by(person: Person, on: date) -> models.QuerySet[Attachment]:
    """The attachments she may see: those of customers in her sight, and what she handed in about no customer yet."""
    rows = Attachment.objects.select_related("customer", "by")
    if sight.sees_all(person, on):
        return rows
    return rows.filter(sight.rows_seen_by(person, on) | Q(customer=None, by=person))


def get(pk: int, *, by: Person, on: date) -> Attachment:
    """One of them. Raises NotVisible."""
    found = seen_by(by, on).filter(pk=pk).first() if 0 < pk < 2**63 else None
    if found is None or (found.customer and found.customer.restricted_on):
        raise NotVisible
    return found


def listed(*things: models.Model | str, by: Person, on: date) -> list[Attachment]:
    """What is kept about these things, oldest first, each with `twins`: where else the same file lies."""
    names = [thing if isinstance(thing, str) else trail.name_of(thing) for thing in things]
    return flagged(Attachment.objects.filter(about__in=names).select_related("by").order_by("id"), by=by, on=on)


def flagged(rows: Iterable[Attachment], *, by: Person, on: date) -> list[Attachment]:
    """The rows, each with its `twins`; three queries for all of them."""
    found = list(rows)
    others = list(Attachment.objects.filter(digest__in={row.digest for row in found}).exclude(customer=None)
                  .select_related("customer")) if found else []  # fmt: skip
    seen = set(seen_by(by, on).filter(pk__in=[each.pk for each in others]).values_list("pk", flat=True))
    for row in found:
        alike = {each.customer_id: each for each in others
                 if each.digest == row.digest and each.customer_id != row.customer_id}  # fmt: skip
        row.twins = [_twin(each, each.pk in seen) for each in alike.values()]  # type: ignore[attr-defined]
    return found


def _twin(row: Attachment, visible: bool) -> Twin:
    return Twin(row.customer_id, str(row.customer)) if visible else Twin(None, "")


def content_of(row: Attachment) -> bytes:
    """The bytes kept, unrecorded: for what the product does with them itself. Raises Moved where they were erased."""
    kept = AttachmentContent.objects.filter(attachment=row).first()
    if kept is None:
        raise Moved(_("The file was erased; only its name and digest are kept."), code="erased")
    return base64.b64decode(kept.bytes)


def read(row: Attachment, *, by: Person, at: datetime) -> bytes:
    """The bytes for somebody who looks at them, which leaves a line in the trail."""
    content = content_of(row)
    trail.record(disclosures.VIEW_ATTACHMENT, about=row.about, customer=row.customer_id, label=row.name, by=by, at=at,
                 attachment=row.pk)  # fmt: skip
    return content


def erase(customer: models.Model) -> int:
    """Forget the bytes of what is kept about a customer (PIPL art. 47); names and digests stay as history."""
    return AttachmentContent.objects.filter(attachment__customer=customer).delete()[0]


def content_type(row: Attachment) -> str:
    """As its bytes say."""
    return KINDS[row.kind].content_type


# --- forms ---------------------------------------------------------------------------------------


class EvidenceField(forms.FileField):
    """The field in which a file is handed in as evidence: on a phone it offers the camera as well."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("label", _("Evidence"))
        options.setdefault("required", False)
        options.setdefault("help_text", _("Photo, scan or paper: PDF, JPEG, PNG, WebP, .docx, .xlsx or text."))
        options.setdefault("widget", forms.FileInput(attrs={"accept": file_kinds.ACCEPT}))
        super().__init__(allow_empty_file=True, **options)


class EvidenceFiles(EvidenceField):
    """The same for several files at once; cleaned they are a list."""

    def __init__(self, **options: Any) -> None:
        widget = _ManyFiles(attrs={"accept": file_kinds.ACCEPT, "multiple": True})
        super().__init__(**({"widget": widget} | options))

    def clean(self, data: Any, initial: Any = None) -> Any:
        """Every file of the list, each as the single field would take it."""
        return [super(EvidenceFiles, self).clean(each, initial) for each in data or ()]


class _ManyFiles(forms.FileInput):
    allow_multiple_selected = True

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        return files.getlist(name)
