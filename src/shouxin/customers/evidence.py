"""Files kept as evidence about a customer: licences, reports, photos of a visit (A7, B1.4)."""

from datetime import date, datetime

from django.core.files.uploadedfile import UploadedFile
from django.db import models

from shouxin.office import attachments, posts
from shouxin.office.models import Attachment, Person
from shouxin.rules import blacklist

from . import agents, facts
from .models import Agent, BlacklistCase, Customer


def keep(customer: Customer, upload: UploadedFile, *, by: Person, on: date, at: datetime, note: str = "") -> Attachment:
    """Keep a file about the customer itself. Raises NotYourDuty, and BadForm for a file that cannot be kept."""
    posts.require(by, *facts.COLLECTORS, on=on, about=customer, verb="attach", at=at)
    return attachments.attach(upload, about=customer, customer=customer, by=by, at=at, note=note)


def keep_with(
    paper: Agent | BlacklistCase, upload: UploadedFile, *, by: Person, on: date, at: datetime, note: str = ""
) -> Attachment:
    """Keep a file with a power of attorney or a case of the blacklist, also long after it was recorded."""
    duty = agents.RECORDERS if isinstance(paper, Agent) else blacklist.PROPOSERS
    posts.require(by, *duty, on=on, about=paper, verb="attach", at=at)
    return attachments.attach(upload, about=paper, customer=paper.customer, by=by, at=at, note=note)


def of(customer: Customer) -> models.QuerySet[Attachment]:
    """Everything kept about the customer and what hangs on it, oldest first."""
    return Attachment.objects.filter(customer=customer).select_related("by").order_by("id")
