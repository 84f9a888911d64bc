"""Letters by e-mail: sent once after the act, their paper attached, and what became of them is told."""

from collections.abc import Iterator
from typing import Any

import pytest

from shouxin.customers import mails
from shouxin.customers.models import Customer, Mail
from shouxin.lib import documents
from shouxin.office import clock, posts
from shouxin.office.models import Person, TrailEntry
from shouxin.office.refusals import BadForm, Moved, NotYourDuty
from tests import smtp
from tests.people import TODAY, acme
from tests.smtp import Sink

pytestmark = pytest.mark.django_db


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    with smtp.running(settings) as found:
        yield found


def written(to: str = "ap@acme.example") -> Mail:
    paper = documents.paper(
        "通知", [documents.text("您好")], house="示范公司", language="zh-hans", head=[("编号", "1")]
    )
    return mails.write(
        kind="credit_reply", about="application:1", to=to, subject="通知\nBcc: x@y.example", body="您好",
        by=None, at=clock.now(), customer=acme(), paper=paper, paper_name="通知1",
    )  # fmt: skip


def send() -> mails.Sent:
    return mails.send_waiting(by=posts.system(), at=clock.now())


@pytest.mark.invariant("I-26")
def test_a_letter_leaves_once_with_its_paper(sink: Sink) -> None:
    letter = written()
    assert (send(), send()) == (mails.Sent(sent=1), mails.Sent())
    (mail,) = sink.taken
    assert mail["Message-ID"] == f"<mail-{letter.pk}@shouxin.example>" and mail["Bcc"] is None
    attached = next(mail.iter_attachments())
    assert attached.get_filename() == "通知1.pdf" and attached.get_content() == documents.pdf(letter.paper)
    letter.refresh_from_db()
    assert letter.status == "sent" and letter.sent_at
    assert TrailEntry.objects.get(verb="mail.sent").customer_id == letter.customer_id


def test_a_refused_address_can_be_mended(sink: Sink, ann: Person, fi: Person) -> None:
    letter = written("ap@nowhere.example")
    assert send() == mails.Sent(failed=1)
    letter.refresh_from_db()
    assert letter.status == "failed" and "550" in letter.fault
    with pytest.raises(Moved):
        mails.resend(letter, to="", by=ann, on=TODAY, at=clock.now())
    with pytest.raises(NotYourDuty):
        mails.resend(letter, to="ap@acme.example", by=fi, on=TODAY, at=clock.now())
    mails.resend(letter, to="ap@acme.example", by=ann, on=TODAY, at=clock.now())
    assert send() == mails.Sent(sent=1)


def test_a_server_that_is_away_leaves_letters_waiting(settings: Any) -> None:
    letter = written()
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    assert send().fault
    letter.refresh_from_db()
    assert letter.status == "waiting" and letter.fault


def test_a_restricted_customer_is_written_nothing(sink: Sink) -> None:
    written()
    Customer.objects.update(restricted_on=TODAY)
    assert send() == mails.Sent() and not sink.taken


def test_a_letter_without_address_is_handed_over(bo: Person) -> None:
    letter = written("")
    assert letter.status == "no_address"
    mails.hand_over(letter, how="SF1234567", by=bo, on=TODAY, at=clock.now())
    assert letter.status == "sent"
    assert TrailEntry.objects.get(verb="hand_over").particulars["how"] == "SF1234567"


def test_how_a_letter_went_is_kept_whole_or_refused(ann: Person) -> None:
    letter = written("")
    with pytest.raises(BadForm, match="word"):
        mails.hand_over(letter, how="我" * 501, by=ann, on=TODAY, at=clock.now())
    letter.refresh_from_db()
    assert letter.status == "no_address"
    mails.hand_over(letter, how=" " + "我" * 500 + "\x00", by=ann, on=TODAY, at=clock.now())
    assert TrailEntry.objects.get(verb="hand_over").particulars["how"] == "我" * 500
