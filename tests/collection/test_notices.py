"""Dunning letters: what must stand in them, that what people wrote is never markup, how they leave the house."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.mail import get_connection

from shouxin.collection import letters, notices, wording
from shouxin.collection.models import Notice
from shouxin.customers import facts
from shouxin.office import policies, posts
from shouxin.office.models import Person, TrailEntry
from shouxin.office.refusals import BadForm, Moved, NotYourDuty
from shouxin.rules.policy import Post
from tests import smtp
from tests.people import acme
from tests.smtp import Sink

from .world import AT, D, after, another, days, owe, pay, run

pytestmark = pytest.mark.django_db
acts: dict[str, Any] = {"at": AT}


def house() -> Person:
    """Whoever sends."""
    return posts.system()


def company() -> None:
    """The policy's company block filled in."""
    text = policies.shipped()
    for name, value in {"bank": "工商银行浦东支行", "account": "6222000011112222", "telephone": "021-55556666"}.items():
        text = text.replace(f'  {name}: ""', f"  {name}: {value!r}", 1)
    policies.put(text, since=after(-60), by=house(), on=after(-60), at=AT, why="company block")


def letter_of(stage: int) -> Notice:
    """The letter of a stage about 123 456.78."""
    company()
    ann = acme().salesperson
    ann.telephone = "13800000000"
    ann.save()
    owe("123456.78")
    begin = {0: -7, 1: 3, 2: 30, 3: 60, 4: 90}[stage]
    run(after(begin))
    return Notice.objects.get()


@pytest.mark.parametrize("language", wording.TONES)
@pytest.mark.parametrize("known", [True, False])
def test_a_letter_points_to_an_account_only_where_it_names_one(language: str, known: bool) -> None:
    labels = wording.LABELS[language]
    below, agreed = labels["account_below"], labels["account_agreed"]
    names = ("company", "today", "deadline", "days", "history", "claims")
    values = dict.fromkeys(names, "x") | {"account": below if known else agreed}
    for tone in wording.TONES[language]:
        text = "".join(wording.paragraphs(tone, language, values))
        assert (below in text, agreed in text) == (known, not known)


def test_a_letter_of_a_company_without_an_account_speaks_of_the_contract() -> None:
    owe("123456.78")
    run(after(30))
    body = Notice.objects.get().body
    assert "下述账户" not in body and "付至合同约定的我公司账户" in body


@pytest.mark.clause("C3.6")
@pytest.mark.parametrize("stage", [0, 1, 2, 3, 4])
def test_every_letter_says_what_it_must(stage: int, bo: Person, cy: Person, vi: Person) -> None:
    notice = letter_of(stage)
    body = notice.body
    assert notice.stage == stage
    for needed in ("上海艾克米机械有限公司", "S-1", "2026-03-31", "123,456.78", "壹拾贰万叁仟肆佰伍拾陆元柒角捌分",
                   "6222000011112222", "工商银行浦东支行", "示范公司", notice.number):  # fmt: skip
        assert needed in body, needed
    assert notice.number == "信函〔2026〕第001号"
    assert ("Ann 13800000000" in body) == (stage < 2), "sales look after the first stages"
    if stage:
        assert letters.shown_day(notice.deadline, "zh-hans") in body
    assert ("争议" in body) == (stage == 1 or "争议" in wording.LABELS["zh-hans"]["contested"])
    marks = {1: "以书面形式告知争议的发票号", 2: "第五百八十五条", 3: "停止向贵公司供货", 4: "法律依据"}
    if stage in marks:
        assert marks[stage] in body
    paper = notices.pdf(notice)
    assert paper.startswith(b"%PDF") and paper == notices.pdf(notice)


def test_a_lawyers_letter_waits_for_the_lawyer() -> None:
    acme(email="ap@acme.example")
    notice = letter_of(4)
    assert (notice.status, notice.fault) == ("held", notices.SIGN_FIRST)


def test_letters_are_numbered_without_a_gap() -> None:
    for number in range(3):
        owe("1000.00", f"S-{number}", customer=another(f"C10{number}"))
    run(after(3))
    found = sorted(Notice.objects.values_list("number", flat=True))
    assert found == [f"信函〔2026〕第00{n}号" for n in (1, 2, 3)]


def test_a_customer_who_asked_for_english_gets_english() -> None:
    facts.checked(
        acme().pk, "letter_language", "en", source="customer", as_of=after(0), by=None, on=after(0), at=AT
    ).save(force_insert=True)
    owe("10000.00")
    run(after(30))
    notice = Notice.objects.get()
    assert notice.language == "en"
    assert "We herewith formally demand payment" in notice.body
    assert "CNY 10,000.00" in notice.body
    assert notice.subject.startswith("Formal demand")
    assert notices.pdf(notice).startswith(b"%PDF")


HOSTILE = '#eval("1") $x$ %(claims)s <b>& \\ "引号" *_`'


def test_what_people_wrote_is_never_read_as_markup() -> None:
    customer = another("C900")
    customer.name, customer.contact = HOSTILE, '#read("/etc/passwd")'
    customer.save()
    owe("1000.00", '#include "x"', customer=customer)
    run(after(3))
    notice = Notice.objects.get()
    assert HOSTILE in notice.body
    assert notices.pdf(notice).startswith(b"%PDF")


def test_a_letter_stays_as_it_was_written() -> None:
    notice = letter_of(1)
    paper = notices.pdf(notice)
    customer = acme()
    customer.name = "改名有限公司"
    customer.save()
    pay("123456.78", on=after(4))
    assert notices.pdf(Notice.objects.get()) == paper


def test_each_stage_speaks_in_its_own_tone() -> None:
    policy = policies.in_force(after(0)).policy
    tones = [wording.tone_of(policy, stage) for stage in policy.dunning.stages if stage.notice]
    assert tones == ["reminder", "friendly", "formal", "final", "lawyer"]


# --- the outbox ----------------------------------------------------------------------------------


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    """A real mail server on this machine, and the installation told of it."""
    with smtp.running(settings) as found:
        yield found


def waiting(to: str = "ap@acme.example") -> Notice:
    """A friendly reminder in the outbox."""
    customer = acme()
    customer.email = to
    customer.save()
    owe("10000.00")
    run(after(3))
    return Notice.objects.get()


@pytest.mark.invariant("I-26")
def test_what_waits_is_sent_once_under_its_own_message_id(sink: Sink) -> None:
    notice = waiting()
    assert notices.send_waiting(by=house(), at=AT) == notices.Sent(sent=1)
    assert notices.send_waiting(by=house(), at=AT) == notices.Sent()
    (mail,) = sink.taken
    assert mail["Message-ID"] == f"<notice-{notice.pk}@shouxin.example>"
    assert mail["To"] == "ap@acme.example"
    assert notice.number in mail["Subject"]
    text, paper = mail.get_body(("plain",)).get_content(), next(mail.iter_attachments())
    assert "10,000.00" in text
    assert paper.get_content() == notices.pdf(notice)
    notice.refresh_from_db()
    assert (notice.status, notice.sent_at) == ("sent", AT)
    assert TrailEntry.objects.filter(verb="notice.sent", customer_id=acme().pk).count() == 1


def test_a_refused_recipient_is_one_letters_fault(sink: Sink) -> None:
    notice = waiting("ap@nowhere.example")
    assert notices.send_waiting(by=house(), at=AT) == notices.Sent(failed=1)
    notice.refresh_from_db()
    assert notice.status == "failed"
    assert "550" in notice.fault


def test_a_server_that_is_away_leaves_letters_waiting(settings: Any) -> None:
    notice = waiting()
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    connection = get_connection("django.core.mail.backends.smtp.EmailBackend")
    found = notices.send_waiting(by=house(), at=AT, connection=connection)
    assert found.fault
    notice.refresh_from_db()
    assert notice.status == "waiting" and notice.fault


def test_without_a_mail_server_letters_wait() -> None:
    notice = waiting()
    assert notices.send_waiting(by=house(), at=AT).fault
    notice.refresh_from_db()
    assert notice.status == "waiting"


def test_a_later_letter_takes_the_place_of_one_still_waiting(sink: Sink) -> None:
    waiting()
    for _number, _day in days(4, 30):
        pass
    assert notices.send_waiting(by=house(), at=AT) == notices.Sent(sent=1, overtaken=1)
    assert [(each.stage, each.status) for each in Notice.objects.order_by("pk")] == [(1, "held"), (2, "sent")]


def test_holding_back_and_letting_go(sink: Sink, bo: Person, ann: Person) -> None:
    notice = waiting()
    with pytest.raises(NotYourDuty):
        notices.hold(notice, by=ann, on=after(3), **acts)
    notices.hold(notice, by=bo, on=after(3), why="they called", **acts)
    assert notices.send_waiting(by=house(), at=AT) == notices.Sent()
    notices.release(notice, by=bo, on=after(3), **acts)
    assert notices.send_waiting(by=house(), at=AT) == notices.Sent(sent=1)
    notice.refresh_from_db()
    with pytest.raises(Moved):
        notices.hold(notice, by=bo, on=after(3), **acts)


def test_a_letter_without_address_is_handed_over_or_readdressed(sink: Sink, bo: Person) -> None:
    notice = waiting("")
    assert notice.status == "no_address"
    with pytest.raises(Moved) as refused:
        notices.release(notice, by=bo, on=after(3), **acts)
    assert refused.value.code == "no_address"
    notices.hand_over(notice, by=bo, on=after(3), how="SF1234567", **acts)
    assert notice.status == "sent"
    line = TrailEntry.objects.get(verb="hand_over")
    assert line.particulars["how"] == "SF1234567"
    assert line.customer_id == acme().pk


@pytest.mark.parametrize("status", ["waiting", "sent", "failed", "held", "no_address"])
@pytest.mark.parametrize("verb", notices.OUTBOX.verbs)
def test_every_verb_in_every_status(verb: str, status: str, bo: Person) -> None:
    from shouxin.office import moves

    notice = waiting()
    Notice.objects.filter(pk=notice.pk).update(status=status)
    notice.refresh_from_db()
    step = notices.OUTBOX.step(verb, status)
    if step is None:
        with pytest.raises(Moved):
            moves.move(notice, notices.OUTBOX, verb, by=bo, on=after(3), at=AT)
    else:
        assert moves.move(notice, notices.OUTBOX, verb, by=bo, on=after(3), at=AT).status == step.target
        assert step.duty <= {Post.CREDIT_ADMINISTRATOR, Post.CREDIT_MANAGER}


def test_two_currencies_make_one_letter_with_two_tables() -> None:
    from shouxin.office import rates

    rates.put("USD", D("7.1"), since=after(-60), source="bank", by=house(), on=after(0), at=AT)
    owe("10000.00")
    owe("500.00", "S-2", currency="USD", due=after(2))
    run(after(3))
    notice = Notice.objects.get()
    assert notice.claimed == {"CNY": "10000.00", "USD": "500.00"}
    assert [each["currency"] for each in notice.letter["ledgers"]] == ["CNY", "USD"]
    assert "USD 500.00" in notice.body


@pytest.mark.parametrize(("begin", "claims_history"), [(60, False), (30, True)], ids=["first of all", "after another"])
def test_a_letter_speaks_of_earlier_letters_only_where_there_were_some(begin: int, claims_history: bool) -> None:
    owe("10000.00")
    for _number, _day in days(begin, 60):
        pass
    assert ("此前已函告" in Notice.objects.get(stage=3).body) == claims_history


def test_what_is_said_of_a_letter_is_kept_whole_or_refused(bo: Person) -> None:
    acme(email="ap@acme.example")
    notice = letter_of(1)
    with pytest.raises(BadForm, match="reason"):
        notices.hold(notice, why="我" * 301, by=bo, on=after(3), at=AT)
    with pytest.raises(BadForm, match="reason"):
        notices.hand_over(notice, how="我" * 501, by=bo, on=after(3), at=AT)
    notice.refresh_from_db()
    assert notice.status == "waiting"
    notices.hold(notice, why="我" * 300, by=bo, on=after(3), at=AT)
    notice.refresh_from_db()
    assert (notice.status, notice.fault) == ("held", "我" * 300)
