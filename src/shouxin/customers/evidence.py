"""Files kept as evidence about a customer: licences, reports, photos of a visit (A7, B1.4)."""

from datetime import date, datetime

from django.core.files.uploadedfile import UploadedFile
from django.db import models

from shouxin.office import attachments, posts
from shouxin.office.models import Attachment, Person

from . import facts
from .models import Customer


def keep(customer: Customer, upload: UploadedFile, *, by: Person, on: date, at: datetime, note: str = "") -> Attachment:
    """Keep a file about the customer itself. Raises NotYourDuty, and BadForm for a file that cannot be kept."""
    posts.require(by, *facts.COLLECTORS, on=on, about=customer, verb="attach", at=at)
    return attachments.attach(upload, about=customer, customer=customer, by=by, at=at, note=note)


def of(customer: Customer) -> models.QuerySet[Attachment]:
    """Everything kept about the customer and what hangs on it, oldest first."""
    return Attachment.objects.filter(customer=customer).select_related("by").order_by("id")
