"""The letter of a lowered grade: written with the line, sent once, in the customer's language, seen on its file."""

from collections.abc import Iterator
from typing import Any

import pytest

from shouxin.collection import downgrade_letters
from shouxin.collection.models import CustomerDay
from shouxin.credit import reply_letters
from shouxin.credit.models import Line
from shouxin.credit.reply_letters import Letterhead, Terms
from shouxin.customers import facts, mails
from shouxin.customers.models import Mail
from shouxin.lib import documents
from shouxin.office import policies, posts
from tests import smtp
from tests.people import acme, member
from tests.smtp import Sink

from .test_pages import browser
from .world import AT, D, after, another, line, owe, run

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def in_force(db: None) -> None:
    policies.ensure()


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    with smtp.running(settings) as found:
        yield found


def lowered(days: int, language: str = "") -> Mail:
    customer = acme()
    customer.email = "ap@acme.example"
    customer.save()
    if language:
        facts.add(customer, "letter_language", language, source="visit", as_of=after(-60), by=member("bo"),
                  on=after(-60), at=AT)  # fmt: skip
    line("A", limit="600000.00")
    owe("10000.00", "S-1")
    run(after(days))
    return Mail.objects.get(kind=downgrade_letters.KIND)


@pytest.mark.clause("B2.5")
@pytest.mark.clause("B2.3")
@pytest.mark.parametrize(
    ("language", "days", "said", "unsaid"),
    [
        ("", 31, ("信用等级调整通知", "A → B", "S-1", "10,000.00", "12个月"), ("暂停赊销", "第五百二十七条")),
        ("", 65, ("信用等级调整暨暂停赊销通知", "A → C", "第五百二十七条"), ()),
        ("en", 65, ("stop supply on credit", "A → C", "articles 527 and 528"), ("暂停",)),
    ],
)
def test_the_letter_says_what_fell_why_and_what_restores_it(
    sink: Sink, language: str, days: int, said: tuple[str, ...], unsaid: tuple[str, ...]
) -> None:
    letter = lowered(days, language)
    for words in said:
        assert words in letter.subject + letter.body, words
    for words in unsaid:
        assert words not in letter.body
    assert mails.send_waiting(by=posts.system(), at=AT).sent == 1
    (mail,) = sink.taken
    assert mail["To"] == "ap@acme.example"
    assert next(mail.iter_attachments()).get_content() == documents.pdf(letter.paper)


def test_payments_late_too_often_are_told_as_the_reason() -> None:
    head = Letterhead(policies.in_force(after(0)).policy.company, "客户", "TZ1", after(0))
    terms = Terms(D("100.00"), "CNY", 30, after(-9), None, grade="A")
    item = ("S-1", "2026年3月31日", "CNY 1.00")
    told = [
        str(reply_letters.downgraded(head, terms, terms, overdue=due, late=late, stopped=False, clean_months=6))
        for due, late in (([], True), ([item], True), ([item], False))
    ]
    assert [("多次逾期付款" in each, "下列款项" in each) for each in told] == [
        (True, False),
        (True, True),
        (False, True),
    ]


@pytest.mark.invariant("I-26")
def test_a_second_run_writes_no_second_letter() -> None:
    lowered(31)
    run(after(31))
    run(after(32))
    assert Mail.objects.filter(kind=downgrade_letters.KIND).count() == 1


def test_a_letter_that_cannot_be_written_costs_its_customer_the_day_and_nobody_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The grade does not fall unsaid: line and letter go together, and come with the next run."""
    other = another("C002")
    line("A", customer=other, limit="600000.00")
    owe("10000.00", "S-2", customer=other)
    plain = downgrade_letters.write

    def broken(known: Any, *args: Any, **kwargs: Any) -> Mail:
        if known.customer.pk == other.pk:
            raise ValueError("no paper")
        return plain(known, *args, **kwargs)

    monkeypatch.setattr(downgrade_letters, "write", broken)
    letter = lowered(31)
    assert letter.customer == acme() and not Line.objects.filter(customer=other, cause="downgrade").exists()
    assert not CustomerDay.objects.filter(customer=other, grade_after="B").exists()
    monkeypatch.undo()
    run(after(32))
    assert Mail.objects.filter(customer=other).count() == Line.objects.filter(customer=other, grade="B").count() == 1


@pytest.mark.parametrize(("language", "status"), [("zh-hans", "无邮箱地址"), ("en", "No e-mail address")])
def test_it_is_on_the_file_and_can_be_handed_over(language: str, status: str) -> None:
    letter = lowered(31)
    Mail.objects.update(status="no_address", to="")
    client = browser("bo", language)
    shown = client.get(f"/customers/{letter.customer_id}/?tab=letters").content.decode()
    assert letter.subject in shown and status in shown
    paper = client.get(f"/customers/{letter.customer_id}/letters/{letter.pk}/paper.pdf")
    assert paper.content == documents.pdf(letter.paper)
    client.post(f"/customers/{letter.customer_id}/letters/{letter.pk}/hand_over", {"word": "顺丰 SF123"})
    letter.refresh_from_db()
    assert letter.status == "sent"
