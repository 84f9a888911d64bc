"""Two customers with everything that can hang on a customer: Ann's, and one of another department that she may not see.

Everything of the foreign customer carries its mark, in every name, number and reason, so that a single search through
an answer tells whether anything of it got out.
"""

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client

from shouxin.collection import rounds
from shouxin.collection.models import Notice, Task
from shouxin.credit import applications, decisions, form_links, line_requests, securities
from shouxin.credit.applications import Wanted
from shouxin.credit.models import Application, FittedCard, GradeReview, Line, Rating, Reference
from shouxin.customers import agents, blacklist, blacklist_letters, evidence, facts, persons, search, standing
from shouxin.customers.models import Agent, BlacklistCase, Customer, DataRequest, PersonTie
from shouxin.lib import documents
from shouxin.lib.models import ImportRun
from shouxin.office import clock, policies, posts, tokens
from shouxin.office.imports import runs
from shouxin.office.models import Person, Webhook
from shouxin.office.privacy import assessments, sharings
from shouxin.orders import checks
from shouxin.orders.checks import CheckRequest
from shouxin.receivables import bulk, invoices, receipts
from shouxin.receivables.papers import InvoiceRow
from shouxin.records.models import Digest
from shouxin.reviews import annual
from shouxin.reviews.models import Campaign, Review
from shouxin.rules.line import Limit
from shouxin.rules.policy import Grade, Post
from tests.people import CAST, EAST, SOUTH, TODAY, acme, member, person
from tests.rules.test_points_table import TABLE
from tests.rules.test_privacy import BUREAU, GRADING

OWN, FOREIGN = "OWN7", "ZQX9"
"""The marks of Ann's customer and of the one out of her sight."""

MISSING = 987_654_321
SIGN_IN = "django.contrib.auth.backends.ModelBackend"
NOBODY, DISABLED, ANONYMOUS = "nobody", "gone", "anonymous"
CALLERS = (*CAST, NOBODY, DISABLED, ANONYMOUS)
"""Everybody who may knock: a holder of each post, one without any, a disabled vice-president, a stranger."""


@dataclass
class Side:
    """A customer's things by the word the table uses for them -> what stands in an address."""

    mark: str
    of: dict[str, Any]

    def __getitem__(self, word: str) -> Any:
        return self.of[word]


def act(by: str) -> dict[str, Any]:
    """by, on, at of a verb."""
    return {"by": member(by), "on": TODAY, "at": clock.now()}


def moment(by: str) -> dict[str, Any]:
    """by, today, at of a verb."""
    return {"by": member(by), "today": TODAY, "at": clock.now()}


def side(mark: str, seller: str, department: str) -> Side:
    """A customer with a line, requests, orders, papers, a second one on the blacklist, and what its seller keeps."""
    edition = policies.in_force(TODAY)
    customer = _customer(mark, seller, department)
    banned, spare = (_customer(f"{mark}-{letter}", seller, department) for letter in "BS")
    facts.add(customer, "years_in_business", 12, source="visit", as_of=TODAY, note=mark, **act("bo"))
    found = facts.add(customer, "employees", 40, source="visit", as_of=TODAY, note=mark, **act("fi"))
    quick = facts.add(customer, "note", mark, source="visit", as_of=TODAY, **act("fi"))
    scan = SimpleUploadedFile(f"{mark}.txt", mark.encode())
    kept = evidence.keep(customer, scan, note=mark, **act("bo"))
    Line.objects.create(**_line(customer))
    request = line_requests.ask(customer, _terms("60000"), reason=mark, edition=edition, **moment("bo"))
    standing.set_standing(banned, "blacklisted", why=mark, **act("cy"))
    security = securities.propose(customer, _deposit(), reason=mark, **moment("bo"))
    release = standing.set_standing(banned, "watched", why=mark, **act("cy"))
    case, agent, tied = _parties(customer, mark)
    late = TODAY - timedelta(days=10)
    invoice = invoices.issue(
        customer, doc_no=f"{mark}-INV", amount=Decimal(3000), dated_on=late - timedelta(30), due_on=late, **moment("fi")
    )
    receipt = receipts.take(customer, doc_no=f"{mark}-REC", amount=Decimal(50), received_on=TODAY, **moment("fi"))
    approved, held = _orders(mark)
    run = _handed_in(mark, seller)
    hook = Webhook.objects.create(
        url=f"https://example.com/{mark}",
        events=["hold.opened"],
        watches=[],
        label=mark,
        owner=member("vi"),
        made_by=member("cy"),
        created_at=clock.now(),
    )
    asked = DataRequest.objects.create(
        customer=customer, kind="copy", why=mark, asked_by=member(seller), asked_at=clock.now()
    )
    FittedCard.objects.get_or_create(
        pk=1, defaults={"as_of": TODAY, "late_days": 30, "table": TABLE.model_dump(mode="json"), "policy_version": 1,
                        "at": clock.now()},
    )  # fmt: skip
    entry = sharings.enter(replace(BUREAU, recipient=mark), **act("bo"))
    assessed = assessments.write(replace(GRADING, title=mark), **act("bo"))
    application = _declined(customer, mark)
    good = _good(mark, seller, department)
    day = {"first": TODAY, "last": TODAY, "made_at": clock.now()}
    told = Digest.objects.create(department=department, paper=NOTHING_TOLD, **day)
    token, _text = tokens.create(member(seller), by=member(seller), at=clock.now(), label=mark)
    return Side(
        mark,
        {
            "customer": customer.pk,
            "code": customer.code,
            "attachment": kept.pk,
            "fact": found.pk,
            "quick_note": quick.pk,
            "banned": banned.pk,
            "spare": spare.pk,
            "top": spare.code,
            "line_request": request.pk,
            "good": good.pk,
            "digest": told.pk,
            "referee": _referee(application).pk,
            "review": (reviewed := _reviewed(customer)).pk,
            "review_tick": f"{reviewed.pk}.1",
            "security": security.pk,
            "grade_review": _graded(spare).pk,
            "release": release.pk,
            "case": case.pk,
            "agent": agent.pk,
            "person_tie": tied.pk,
            "invoice": invoice.pk,
            "receipt": receipt.pk,
            "account": invoice.account_id,
            "check": approved.pk,
            "reservation": approved.reservation_id,
            "hold": held.hold.pk,
            "data_request": asked.pk,
            "sharing": entry.pk,
            "assessment": assessed.pk,
            "application": application.pk,
            "letter": decisions.letters(application)[0].pk,
            "import": run.pk,
            "token": token.pk,
            "webhook": hook.pk,
            "colleague": member("vi").pk,
        },
    )


def _parties(customer: Customer, mark: str) -> tuple[BlacklistCase, Agent, PersonTie]:
    """A case that Fi has proposed, with a letter of it, an agent and a controller."""
    edition = policies.in_force(TODAY)
    proposal = blacklist.Proposal("fraud", mark, mark)
    case = blacklist.propose(customer, proposal, edition=edition, **act("fi"))
    blacklist_letters.send(case, "notice", edition=edition, by=member("cy"), on=TODAY, at=clock.now())
    power = agents.NewAgent(mark, ("place_order",), scope=mark, since=TODAY, until=TODAY, sealed=True)
    agent = agents.record(customer, power, **act("bo"))
    return case, agent, persons.add(customer, mark, "controller", note=mark, **act("bo"))


def _customer(code: str, seller: str, department: str) -> Customer:
    found = acme(
        code=code,
        name=f"{code}贸易有限公司",
        contact=code,
        address=code,
        salesperson=member(seller),
        department=department,
        email="credit@example.com",
    )
    search.recompute(Customer.objects.filter(pk=found.pk))
    return found


def _graded(customer: Customer) -> GradeReview:
    """A program's grade that waits for somebody."""
    rated = Rating.objects.create(
        customer=customer, as_of=TODAY, score=50, coverage=1, grade="C", limit_kind="none", currency="CNY",
        term_days=0, sheet={}, policy_version=1, at=clock.now(),
    )  # fmt: skip
    return GradeReview.objects.create(rating=rated, customer=customer)


def _line(customer: Customer) -> dict[str, Any]:
    return {
        "customer": customer, "grade": "B", "limit_kind": "amount", "limit": Decimal(50000), "currency": "CNY",
        "term_days": 30, "since": TODAY - timedelta(days=100), "until": TODAY + timedelta(days=200),
        "why": customer.code, "cause": "request", "policy_version": 1, "at": clock.now(),
    }  # fmt: skip


NOTHING_TOLD = documents.paper("digest", [], house="house", language="en", head=[])


def _good(mark: str, seller: str, department: str) -> Customer:
    """A customer that has paid ten invoices on time for two years."""
    found = _customer(f"{mark}-G", seller, department)
    Line.objects.create(**_line(found))
    rows = [
        InvoiceRow(
            customer_id=found.pk, source_system="", doc_no=f"{mark}-G{n}", kind="invoice", amount=Decimal(100),
            currency="CNY", dated_on=TODAY - timedelta(days=700 - 30 * n),
            instalments=((1, TODAY - timedelta(days=670 - 30 * n), Decimal(100)),),
            settled_on=TODAY - timedelta(days=671 - 30 * n),
        )
        for n in range(10)
    ]  # fmt: skip
    bulk.post_invoices(rows, by=member("fi"), at=clock.now(), today=TODAY)
    return found


def _referee(application: Application) -> Reference:
    """A bank that was asked."""
    made = form_links.make("reference", application.customer, days=9, by=member("bo"), today=TODAY, at=clock.now(),
                           application=application)  # fmt: skip
    return Reference.objects.create(
        application=application, link=made.link, kind="bank", name="工行", email="b@example.com",
        asked_by=member("bo"), asked_at=clock.now(),
    )  # fmt: skip


def _reviewed(customer: Customer) -> Review:
    """The customer's review of this year, which is under way; a year long past can be closed."""
    campaign = Campaign.objects.filter(year=TODAY.year).first()
    if campaign is None:
        annual.open_year(annual.YEAR_MIN, **act("bo"))
        campaign = annual.open_year(TODAY.year, **act("bo"))
    annual.prepare(campaign, on=TODAY, at=clock.now())
    return Review.objects.get(campaign=campaign, customer=customer)


def _deposit() -> securities.SecurityTerms:
    return securities.SecurityTerms("deposit", Decimal(500), "CNY", "王伟", "deposit", "D-1", TODAY)


def _terms(limit: str) -> line_requests.LineTerms:
    return line_requests.LineTerms(Limit.of(Decimal(limit)), "CNY", 30, Grade.B)


def _declined(customer: Customer, mark: str) -> Application:
    """An application with everything on it, declined, and its letter."""
    wanted = Wanted("raise", Decimal(60000), 30, "CNY", reason=mark, details={"contact": mark, "consent": True})
    edition = policies.in_force(TODAY)
    made = applications.create(customer, wanted, edition=edition, **moment("bo"))
    applications.submit(made, edition=edition, **moment("bo"))
    applications.accept(made, edition=edition, **moment("bo"))
    applications.investigate(made, {"conclusion": mark}, **moment("bo"))
    decisions.decline(made, reason=mark, said=mark, edition=edition, **moment("cy"))
    return Application.objects.get(pk=made.pk)


def _orders(mark: str) -> list[Any]:
    """One that fits and is reserved, one far over the limit that is on hold."""
    asked = [CheckRequest(mark, Decimal(amount), f"{mark}-SO{amount}", prepaid=False) for amount in (700, 90000)]
    return checks.decide(asked, edition=policies.in_force(TODAY), **moment("bo"))


def _handed_in(mark: str, seller: str) -> Any:
    text = f"客户编码,名称\n{mark}-X,{mark}\n".encode()
    upload = SimpleUploadedFile(f"{mark}.csv", text, content_type="text/csv")
    kind = runs.kind_for("customers", member("bo"))
    run = runs.receive(upload, kind, by=member("bo"), at=clock.now())
    ImportRun.objects.filter(pk=run.pk).update(errors_path=run.path)  # what was refused: here simply the whole file
    return run


def dunned(own: Side) -> None:
    """The day is run: a notice and a task for Ann's customer."""
    rounds.run(as_of=TODAY, by=posts.system(), at=clock.now())
    customer = Customer.objects.get(pk=own["customer"])
    _notice_and_task(own, customer.notices.order_by("-pk").first(), customer.tasks.order_by("-pk").first())


def _notice_and_task(of: Side, notice: Notice | None, task: Task | None) -> None:
    assert notice and task, "the day's run left no notice or no task"
    Notice.objects.filter(pk=notice.pk).update(status="held")
    of.of |= {"notice": notice.pk, "task": task.pk, "day": str(TODAY)}


def dunned_alike(own: Side, foreign: Side) -> None:
    """The same letter and the same task for the foreign customer, so that the day itself stays as it was."""
    notice, task = Notice.objects.get(pk=own["notice"]), Task.objects.get(pk=own["task"])
    for row in (notice, task):
        row.pk, row.customer_id = None, foreign["customer"]
        row._state.adding = True
    notice.number, notice.episode, notice.subject, notice.body = f"{FOREIGN}-1", None, FOREIGN, FOREIGN
    task.note, task.person = FOREIGN, None
    notice.save()
    task.save()
    _notice_and_task(foreign, notice, task)


class World:
    """The house with both customers, and a browser for everybody who may knock."""

    def __init__(self) -> None:
        for name in CAST:
            member(name)
        person(NOBODY)
        self.own = side(OWN, "ann", EAST)
        dunned(self.own)
        self.foreign: Side | None = None
        self.sides: dict[str, Callable[[], Side]] = {}
        self.browsers = {name: _browser(name) for name in CALLERS}
        gone = Person.objects.get(username=DISABLED)
        Person.objects.filter(pk=gone.pk).update(is_active=False)

    def add_foreign(self) -> None:
        """The customer out of Ann's sight, with everything Ann's has."""
        self.foreign = side(FOREIGN, "di", SOUTH)
        dunned_alike(self.own, self.foreign)

    def browser(self, name: str) -> Client:
        """The browser of one who knocks."""
        return self.browsers[name]


def _browser(name: str) -> Client:
    client = Client(raise_request_exception=False, headers={"Accept-Language": "en"})
    if name != ANONYMOUS:
        one = person(DISABLED, Post.VICE_PRESIDENT) if name == DISABLED else Person.objects.get(username=name)
        client.force_login(one, backend=SIGN_IN)
    return client


@contextmanager
def undone() -> Any:
    """Whatever is written inside is taken back at the end."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
