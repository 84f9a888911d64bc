"""Banks and suppliers asked in writing what they know of a customer (domain 4.2); what they answer stays among us.

They answer by a link of their own. Their answers are sealed, shown to the credit office alone, and no letter to the
customer is made from them.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from shouxin.customers import mails
from shouxin.office import posts, trail
from shouxin.office.models import Person
from shouxin.office.policies import Edition
from shouxin.office.refusals import BadForm, Moved
from shouxin.rules import application as rules
from shouxin.rules import ids
from shouxin.rules.policy import Post

from . import form_links, particulars, reply_letters
from .models import Application, FormLink, Reference

ASKERS = rules.OFFICE
READERS = frozenset({*rules.OFFICE, Post.VICE_PRESIDENT, Post.LEGAL_REPRESENTATIVE, Post.AUDITOR})
"""Who may read what referees wrote: never sales, who talk with the customer."""


@transaction.atomic
def ask(
    application: Application, *, kind: str, name: str, email: str, address: Any, edition: Edition, by: Person,
    today: date, at: datetime,
) -> Reference:  # fmt: skip
    """Ask one referee by mail; `address(token)` is the address of the page that takes the answer.

    Raises NotYourDuty, BadForm, and Moved once the application is decided.
    """
    posts.require(by, *ASKERS, on=today, about=application, verb="reference.ask", at=at)
    faults: list[tuple[str, Any]] = []
    if kind not in dict(Reference.KINDS):
        faults.append(("kind", _("Not among the answers.")))
    if not 0 < len(name.strip()) <= 200:
        faults.append(("name", _("Say whom to ask.")))
    try:
        validate_email(email)
    except ValidationError:
        faults.append(("email", _("This is no e-mail address.")))
    if faults:
        raise BadForm(faults)
    if application.status not in rules.OPEN:
        raise Moved(_("The application is decided."), cure="")
    if not particulars.filled(application.details).get("consent"):
        raise Moved(_("The customer has not allowed inquiries about its credit."), code="no_consent",
                    cure=_("Have it sign the permission, and tick the box on the application."))  # fmt: skip
    days = edition.policy.applications.public_forms.reference_days
    made = form_links.make("reference", application.customer, days=days, by=by, today=today, at=at,
                           application=application)  # fmt: skip
    reference = Reference.objects.create(
        application=application, link=made.link, kind=kind, name=name.strip(), email=email, asked_by=by, asked_at=at
    )
    trail.record("reference.ask", about=reference, by=by, at=at, customer=application.customer, kind=kind,
                 number=application.number, to=ids.mask_email(email))  # fmt: skip
    _write(reference, address(made.token), edition=edition, by=by, at=at)
    return reference


@transaction.atomic
def remind(reference: Reference, *, address: Any, edition: Edition, by: Person, today: date, at: datetime) -> Reference:
    """Ask a referee who has not answered again, by a new link; the old one serves no more. Once a day at most.

    Raises NotYourDuty, and Moved where it has answered, was written to today, or the application is decided.
    """
    posts.require(by, *ASKERS, on=today, about=reference, verb="reference.remind", at=at)
    rows = Reference.objects.select_related("application__customer").select_for_update(of=("self",))
    row = rows.get(pk=reference.pk)  # its link is read only now: who waited for the lock would join the one before
    if row.status == "answered":
        raise Moved(_("It has answered."), code="answered", cure="")
    if row.application.status not in rules.OPEN:
        raise Moved(_("The application is decided."), cure="")
    if timezone.localdate(row.link.made_at) == today:
        raise Moved(_("It was written to today."), code="asked_today", cure=_("Wait a day, or call."))
    days = edition.policy.applications.public_forms.reference_days
    FormLink.objects.filter(pk=row.link_id).update(revoked_at=at)
    made = form_links.make("reference", row.application.customer, days=days, by=by, today=today, at=at,
                           application=row.application)  # fmt: skip
    row.link = made.link
    row.save(update_fields=["link"])
    trail.record("reference.remind", about=row, by=by, at=at, customer=row.application.customer,
                 number=row.application.number, to=ids.mask_email(row.email))  # fmt: skip
    _write(row, address(made.token), edition=edition, by=by, at=at)
    return row


def may_remind(reference: Reference, by: Person, on: date) -> bool:
    """Whether the page shows her the button; the reference comes with its link."""
    open_still = reference.status == "asked" and reference.application.status in rules.OPEN
    return (
        open_still
        and timezone.localdate(reference.link.made_at) != on
        and bool(posts.posts_of(by, on=on) & set(ASKERS))
    )


def _write(reference: Reference, address: str, *, edition: Edition, by: Person, at: datetime) -> None:
    """The mail; it names the customer and asks, and says nothing else about it."""
    customer, house = reference.application.customer, edition.policy.company.name
    until = reference.link.expires_on
    body = (
        f"{reference.name}：\n\n{customer.name}（{customer.uscc or customer.code}）向我司申请信用额度，"
        f"并授权我司向贵司了解其信用情况。请于{reply_letters.day(until, 'zh-hans')}前通过以下链接答复，"
        f"内容严格保密，仅供我司内部评估：\n{address}\n\n"
        f"{house.zh}　{by}\n\n----\n\n{customer.name} has applied to us for credit and allows us to ask you about its "
        f"record. Please answer under the address above by {reply_letters.day(until, 'en')}. Your answer is "
        f"confidential and for our own use.\n{house.en}"
    )
    mails.write(
        kind="reference_request", about=trail.name_of(reference), to=reference.email, customer=customer, by=by, at=at,
        subject=f"资信调查函 Credit reference　{customer.name}", body=body,
    )  # fmt: skip


@transaction.atomic
def answer(token: str, given: Mapping[str, Any], *, today: date, at: datetime) -> Reference:
    """Take in what the referee wrote, once. Raises what `form_links.opened` raises, and BadForm."""
    link = form_links.opened(token, "reference", today=today, lock=True)
    found = particulars.read(particulars.REFERENCE, given)
    if not found:
        raise BadForm([("payment", _("Answer one question at least."))])
    reference = Reference.objects.select_related("application").get(link=link)
    Reference.objects.filter(pk=reference.pk).update(answer=particulars.kept(found), answered_at=at, status="answered")
    FormLink.objects.filter(pk=link.pk).update(used_at=at)
    trail.record("reference.answer", about=reference, by=None, at=at, customer=link.customer,
                 number=reference.application.number)  # fmt: skip
    reference.refresh_from_db()
    return reference


def may_read(person: Person, on: date) -> bool:
    """Whether she may read what referees wrote."""
    return bool(posts.posts_of(person, on=on) & READERS)
