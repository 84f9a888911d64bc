"""Links by which outsiders fill in a form without an account: signed, expiring, used once, and hard on machines (B2.3).

The address carries a random token signed with the house's own key; the database keeps only its digest, so that who
reads the database holds no link. A machine meets a hidden box, the clock, and a limit of tries per hour.
"""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from django.core import signing
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import validate_email
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from shouxin.customers import mails
from shouxin.customers.models import Customer
from shouxin.office import attachments, clock, posts, sight, trail
from shouxin.office.models import Person
from shouxin.office.policies import Edition
from shouxin.office.refusals import BadForm, NotVisible, Refusal
from shouxin.rules import application as rules
from shouxin.rules.policy import Policy, RequestKind

from . import applications, particulars, reply_letters
from .applications import Wanted
from .decisions import letterhead
from .models import Application, FormLink, FormTry

SALT = "shouxin.credit.form-link"
STAMP_SALT = "shouxin.credit.form-stamp"
TRAP = "website"
"""A box people do not see; whoever fills it in is a machine."""
STAMP = "opened"


class Gone(Refusal):
    """The link has served its time: used, expired or taken back. Status 410."""

    code = "link_gone"
    status = 410
    message = _("This link is no longer valid.")
    cure = _("Ask your contact with us for a new one.")


class TooMany(Refusal):
    """Too many tries from one place or on one link. Status 429."""

    code = "too_many_tries"
    status = 429
    message = _("Too many tries.")
    cure = _("Wait an hour and send it again; what you filled in is still in the form.")


@dataclass(frozen=True)
class Made:
    """A new link and the token of its address, which is told once."""

    link: FormLink
    token: str


def make(
    kind: Literal["application", "reference"], customer: Customer, *, days: int, by: Person, today: date, at: datetime,
    request_type: str = "", application: Application | None = None,
) -> Made:  # fmt: skip
    """A link for somebody outside; valid through its last day."""
    token = signing.Signer(salt=SALT).sign(secrets.token_urlsafe(24))
    link = FormLink.objects.create(
        kind=kind, digest=digest(token), customer=customer, request_type=request_type, application=application,
        made_by=by, made_at=at, expires_on=today + timedelta(days=days),
    )  # fmt: skip
    return Made(link, token)


def digest(token: str) -> str:
    """What the database knows of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def opened(token: str, kind: str, *, today: date, lock: bool = False) -> FormLink:
    """The link of an address. Raises NotVisible for a forged one, Gone for one used, expired or taken back.

    It lasts as long as whoever made it has the post and sees the customer.
    """
    try:
        signing.Signer(salt=SALT).unsign(token)
    except signing.BadSignature:
        raise NotVisible from None
    rows = FormLink.objects.select_related("customer", "made_by")  # a joined application would be as before the wait
    rows = rows.select_for_update(of=("self",)) if lock else rows
    link = rows.filter(digest=digest(token), kind=kind, customer__restricted_on=None).first()
    if link is None:
        raise NotVisible
    if link.used_at:
        number = link.application.number if link.application and kind == "application" else ""
        raise Gone(_("This form was handed in already; it has reached us. %(number)s"), code="used_already",
                   cure=_("To add something, write to your contact with us."), number=number)  # fmt: skip
    if today > link.expires_on:
        raise Gone(_("This link expired on %(day)s."), code="expired", day=link.expires_on.isoformat())
    by = link.made_by
    serves = posts.posts_of(by, on=today) & set(rules.APPLICANTS) and sight.sees_customer(by, link.customer_id, today)
    if link.revoked_at or not serves:
        raise Gone
    return link


# --- against machines ----------------------------------------------------------------------------


def stamp() -> str:
    """Goes into the form as it is shown: when it was opened, signed."""
    return signing.TimestampSigner(salt=STAMP_SALT).sign("form")


def refuse_machines(given: Mapping[str, Any], place: str, *, policy: Policy) -> None:
    """Raise TooMany, or BadForm for a filled trap or a form sent sooner than one can read. `place`: who knocks."""
    rule = policy.applications.public_forms
    if _counted(place) > rule.tries_per_hour:
        raise TooMany
    if str(given.get(TRAP, "")).strip():
        raise BadForm([("", _("This looks as if a program had filled it in. Leave the hidden box empty."))])
    if _seconds_open(str(given.get(STAMP, ""))) < rule.seconds_min:
        raise BadForm([("", _("That was quicker than one can read. Look it over and send it again."))])


_COUNT = """
INSERT INTO credit_formtry (place, hour, tries) VALUES (%s, %s, 1)
ON CONFLICT (place, hour) DO UPDATE SET tries = credit_formtry.tries + 1 RETURNING tries
"""


def _counted(place: str) -> int:
    """Which try of this hour it is, counted in one statement for all servers; earlier hours are forgotten."""
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [hashlib.sha256(place.encode()).hexdigest(), hour])
        tries = int(cursor.fetchone()[0])
    if tries == 1:
        FormTry.objects.filter(hour__lt=hour).delete()
    return tries


def _seconds_open(stamped: str) -> float:
    """How long ago the form was opened; 0 for a forged stamp or one older than a day."""
    signer = signing.TimestampSigner(salt=STAMP_SALT)
    try:
        signer.unsign(stamped, max_age=86400)
        opened_at = signing.b62_decode(stamped.split(":")[-2])
    except (signing.BadSignature, ValueError, IndexError):
        return 0
    return clock.now().timestamp() - opened_at


# --- the customer's own application --------------------------------------------------------------


@transaction.atomic
def invite(
    customer: Customer, request_type: RequestKind, *, address: Any, to: str = "", edition: Edition, by: Person,
    today: date, at: datetime,
) -> Made:  # fmt: skip
    """Ask a customer to fill in the application itself; with `to` the link goes there by mail.

    `address(token)` is the address of the page.
    """
    posts.require(by, *rules.APPLICANTS, on=today, about=customer, verb="form_link.make", at=at)
    if request_type not in applications.KINDS:
        raise BadForm([("request_type", _("is not a kind of request"))])
    if to:
        try:
            validate_email(to)
        except ValidationError as error:
            raise BadForm([("email", error.messages[0])]) from None
    made = make("application", customer, days=edition.policy.applications.public_forms.link_days, by=by, today=today,
                at=at, request_type=request_type)  # fmt: skip
    trail.record("form_link.make", about=made.link, by=by, at=at, customer=customer, kind="application",
                 request_type=request_type, expires_on=made.link.expires_on, mailed=bool(to))  # fmt: skip
    if to:
        head = letterhead(customer, edition, "", by=by, today=today)
        until = reply_letters.day(made.link.expires_on, head.language)
        mails.write(
            kind="form_link", about=trail.name_of(made.link), to=to, customer=customer, by=by, at=at,
            language=head.language, subject=head.say(f"信用申请表　{head.house}", f"Credit application – {head.house}"),
            body=head.say(
                f"尊敬的{customer.name}：\n\n请通过以下链接填写信用申请表，{until}前有效，仅可提交一次：\n{address(made.token)}\n\n"
                f"{head.house}　{by}",
                f"Dear {customer.name},\n\nplease fill in our credit application under the address below. It is valid "
                f"until {until} and can be sent once:\n{address(made.token)}\n\n{head.house}, {by}",
            ),
        )  # fmt: skip
    return made


@transaction.atomic
def apply(
    token: str, wanted: Wanted, *, files: Sequence[UploadedFile] = (), edition: Edition, today: date, at: datetime
) -> Application:
    """Take in what the customer filled in, with its papers: handed in in the name of whoever made the link; once.

    Raises what `opened` raises, BadForm (naming the file where one is not kept), Moved where one of the kind is open.
    """
    link = opened(token, "application", today=today, lock=True)
    most = edition.policy.applications.public_forms.files_max
    if len(files) > most:
        raise BadForm([("files", _("At most %(most)s files.") % {"most": most})])
    hidden = particulars.OWN_OFFICE & set(wanted.details)
    if hidden or wanted.request_type != link.request_type:
        raise NotVisible
    if not wanted.details.get("consent"):
        raise BadForm([("details.consent", _("Without this we may not look into your credit."))])
    made = applications.create(
        link.customer, wanted, by=link.made_by, today=today, at=at, edition=edition, source="link"
    )
    applications.note_edit(made, particulars.differences({}, particulars.filled(made.details)), by=None, at=at)
    for upload in files:
        _keep(upload, made, at)
    applications.submit(made, reason=wanted.reason, edition=edition, by=link.made_by, today=today, at=at)
    FormLink.objects.filter(pk=link.pk).update(used_at=at, application=made)
    trail.record(
        "form_link.use", about=link, by=None, at=at, customer=link.customer, number=made.number, files=len(files)
    )
    return made


def _keep(upload: UploadedFile, made: Application, at: datetime) -> None:
    """One of the customer's papers; what is wrong with it is told with its name."""
    try:
        attachments.attach(
            upload, about=made, customer=made.customer, by=None, at=at, note=str(_("by the customer")), field="files",
            trailed=False,
        )  # fmt: skip
    except BadForm as refusal:
        raise BadForm([(field, f"{upload.name}: {text}") for field, text in refusal.errors]) from refusal
