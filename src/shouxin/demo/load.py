"""Load the demo company into an empty installation, once, by the same verbs and bulk writers the product uses."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from shouxin.collection import rounds
from shouxin.credit import exposure, grade_reviews, line_requests
from shouxin.credit.models import Line
from shouxin.customers import facts, search, standing
from shouxin.customers.models import Customer, Fact
from shouxin.lib.models import Once
from shouxin.office import clock, policies, posts, rates, trail
from shouxin.office.models import POST_LABELS, Person
from shouxin.orders import checks
from shouxin.receivables import bulk, ratings
from shouxin.receivables import grade_reviews as confirming
from shouxin.receivables.papers import InvoiceRow, ReceiptRow
from shouxin.records import digests
from shouxin.reviews import annual
from shouxin.reviews.models import Review
from shouxin.rules.days import add_months
from shouxin.rules.line import Limit
from shouxin.rules.policy import Grade, Post

from . import company, given, judged, secured
from .applying import Applying
from .company import DemoCustomer, DemoInvoice
from .dossiers import Dossiers
from .related import Related

MARK = "demo company"
PASSWORD = "shouxin-demo-2026"
ROUNDS = 3
SIGNED = 60
"""So many proposals of the annual review are signed already."""
"""So many daily runs are made, the last one for today."""
PEOPLE: tuple[tuple[str, str, Post, str], ...] = (
    ("cy", "林岚", Post.CREDIT_MANAGER, ""),
    ("bo", "周博", Post.CREDIT_ADMINISTRATOR, ""),
    ("ann", "安琪", Post.SALES, "华东"),
    ("di", "邓迪", Post.SALES, "华南"),
    ("wen", "温清", Post.SALES, "华中"),
    ("fi", "冯霏", Post.FINANCE, ""),
    ("vi", "魏薇", Post.VICE_PRESIDENT, ""),
    ("le", "雷总", Post.LEGAL_REPRESENTATIVE, ""),
    ("ed", "丁一", Post.AUDITOR, ""),
    ("ar", "艾档", Post.ARCHIVIST, ""),
    ("sy", "石勇", Post.SYSTEM_MANAGER, ""),
    ("se", "沈安", Post.SECURITY_MANAGER, ""),
)
SALES = {"华东": "ann", "华南": "di", "华中": "wen"}
ROLES = {
    Post.CREDIT_MANAGER: "信用负责人 credit manager",
    Post.CREDIT_ADMINISTRATOR: "信用管理员 credit administrator",
    Post.SALES: "业务员 sales",
    Post.FINANCE: "财务 finance",
    Post.VICE_PRESIDENT: "分管副总 vice-president",
    Post.LEGAL_REPRESENTATIVE: "法定代表人 legal representative",
    Post.AUDITOR: "审计 auditor",
    Post.ARCHIVIST: "档案管理员 archivist",
    Post.SYSTEM_MANAGER: "系统管理员 system manager",
    Post.SECURITY_MANAGER: "安全管理员 security manager",
}
SIGN_INS = [(name, PASSWORD, f"{full}，{ROLES[post]} {place}".strip()) for name, full, post, place in PEOPLE]


def signins() -> list[dict[str, Any]]:
    """Who may sign in to the demo company with one click; nobody where it was never loaded."""
    if not Once.objects.filter(name=MARK).exists():
        return []
    return [
        {"username": name, "password": PASSWORD, "name": f"{full} {place}".strip(), "post": POST_LABELS[post]}
        for name, full, post, place in PEOPLE
    ]


Step = Callable[[], None]


def load_once(*, progress: Any = None, today: date | None = None, customers: int = company.CUSTOMERS) -> bool:
    """Load the demo company unless it is there; answers whether it was loaded now. All or nothing."""
    with transaction.atomic():
        at = clock.now()
        _row, new = Once.objects.get_or_create(name=MARK, defaults={"at": at})
        if new:
            Loading(today or clock.today(), at, customers).run(progress)
    return new


class Loading:
    """One loading, step by step; later steps find what earlier ones left."""

    def __init__(self, today: date, at: datetime, customers: int) -> None:
        self.today, self.at = today, at
        self.system = posts.system()
        self.customers = company.make(today, customers)
        self.ids: dict[str, int] = {}

    def run(self, progress: Any) -> None:
        """Every step in order, with a bar where somebody watches."""
        steps: list[Step] = [
            self.people, self.book, self.registry, self.dossier, self.features, self.lines, self.invoices,
            self.receipts, self.standings, self.ratings, self.securities, self.orders, self.requests,
            self.applications, self.between, self.given, self.rounds, self.digests, self.review,
        ]  # fmt: skip
        task = progress.add_task("示范公司 demo company", total=len(steps)) if progress else None
        for step in steps:
            step()
            if progress:
                progress.advance(task)

    @property
    def moment(self) -> dict[str, Any]:
        """By the house itself, today."""
        return {"by": self.system, "on": self.today, "at": self.at}

    def person(self, name: str) -> Person:
        """One of the people of the demo."""
        return Person.objects.get(username=name)

    def people(self) -> None:
        """Somebody for each post; they have held it for three years."""
        for name, full, post, department in PEOPLE:
            person = posts.add_person(name, password=PASSWORD, name=full, department=department, **self.moment)
            posts.appoint(person, post, since=add_months(self.today, -36), **self.moment)

    def book(self) -> None:
        """The shipped policy under the demo company's name, before its first letter, and three exchange rates."""
        text = policies.shipped()
        for old, new in (
            (
                "name: {zh: 示范公司, en: Example Company}",
                "name: {zh: 江南示范机电有限公司, en: Jiangnan Demo Machinery}",
            ),
            ('bank: ""', 'bank: "中国银行上海分行"'),
            ('account: ""', 'account: "4455 6677 8899 0011"'),
            ('telephone: ""', 'telephone: "021-5555 0100"'),
            ('address: ""', 'address: "上海市浦东新区示范路 88 号"'),
        ):
            text = text.replace(old, new, 1)
        first = self.today - timedelta(days=ROUNDS - 1)
        policies.put(text, since=first, why="示范公司的信用政策", **self.moment | {"on": first})
        for currency, rate in (("USD", "7.1200"), ("EUR", "8.2300"), ("HKD", "0.9150")):
            rates.put(currency, Decimal(rate), since=add_months(self.today, -1), source="示范 demo", **self.moment)

    def registry(self) -> None:
        """The customers with their salespeople, groups and search keys."""
        sales = {region: self.person(name) for region, name in SALES.items()}
        rows = [self._customer(each, sales[each.region]) for each in self.customers]
        for row in rows:
            row.search_keys = search.keys_of(row)
        self.ids = {row.code: row.pk for row in Customer.objects.bulk_create(rows)}
        self.related.groups()
        exposure.open_accounts((pk, "CNY") for pk in self.ids.values())
        trail.record_many([trail.line("create", about=row, **self._by("bo")) for row in rows])

    def _customer(self, each: DemoCustomer, salesperson: Person) -> Customer:
        return Customer(
            code=each.code,
            currency="CNY",
            salesperson=salesperson,
            department=each.region,
            created_at=self.at,
            **each.fields,
        )

    def _by(self, name: str) -> dict[str, Any]:
        return {"by": self.person(name), "at": self.at}

    def features(self) -> None:
        """What sales think of a dozen customers."""
        people = {region: self.person(name) for region, name in SALES.items()}
        judged.load(self.customers, self.ids, people, today=self.today, at=self.at)

    def dossier(self) -> None:
        """Facts with source and date, a few months old, and what they stand on."""
        as_of = add_months(self.today, -4)
        source = {"lawsuits": "registry", "tax_grade": "registry", "bank_reference": "bureau"}
        rows = [
            facts.checked(
                self.ids[each.code], key, value, source=source.get(key, "statement"), as_of=as_of, **self.moment
            )
            for each in self.customers
            for key, value in each.facts.items()
        ]
        Fact.objects.bulk_create(rows)
        Dossiers(self.customers, self.ids, today=self.today, at=self.at).load()

    def lines(self) -> None:
        """Everybody's line of the last year, signed by whoever had the authority; some run out these days."""
        cy, vi, le = (self.person(name) for name in ("cy", "vi", "le"))
        rows = []
        for number, each in enumerate(self.customers):
            signer = cy if each.limit <= 100000 else vi if each.limit <= 1000000 else le
            until = self.today + timedelta(days=(3, 12, 25)[number % 3] if number % 17 == 0 else 40 + number % 300)
            rows.append(self._line(each, signer, until))
        Line.objects.bulk_create(rows)

    def _line(self, each: DemoCustomer, signer: Person, until: date) -> Line:
        terms = policies.in_force(self.today).policy.grades[Grade(each.habit.grade)]
        return Line(
            customer_id=self.ids[each.code],
            grade=each.habit.grade,
            limit_kind="amount",
            limit=each.limit,
            currency="CNY",
            term_days=each.term_days,
            discount_percent=terms.discount.percent if terms.discount else None,
            discount_days=terms.discount.days if terms.discount else None,
            since=min(add_months(until, -12), self.today),
            until=until,
            why="年度授信 yearly grant",
            cause="request",
            requested_by=self.person(SALES[each.region]),
            approved_by=signer,
            policy_version=1,
            at=self.at,
        )

    def invoices(self) -> None:
        """Two years of invoices and credit notes, with what has been paid."""
        rows = [
            self._invoice(each, paper)
            for each in self.customers
            for paper in (*each.invoices, *each.credit_notes)
        ]  # fmt: skip
        self._all_posted(bulk.post_invoices(rows, by=self.system, at=self.at, today=self.today))

    def _invoice(self, each: DemoCustomer, paper: DemoInvoice) -> InvoiceRow:
        return InvoiceRow(
            customer_id=self.ids[each.code],
            source_system="demo",
            doc_no=paper.number,
            kind="invoice" if paper.amount > 0 else "credit_note",
            dated_on=paper.dated_on,
            instalments=tuple((number, due, amount) for number, (due, amount) in enumerate(paper.instalments, 1)),
            amount=paper.amount,
            currency="CNY",
            settled_on=paper.paid_on,
            contested=paper.contested,
        )

    def receipts(self) -> None:
        """Money that nobody has matched yet."""
        rows = [
            ReceiptRow(
                self.ids[each.code], "demo", f"SK-{each.code}", self.today - timedelta(days=2), each.unapplied, "CNY"
            )
            for each in self.customers
            if each.unapplied
        ]
        self._all_posted(bulk.post_receipts(rows, by=self.system, at=self.at, today=self.today, match=False))

    @staticmethod
    def _all_posted(outcomes: list[Any]) -> None:
        """The demo's own papers must be good: anything refused is a fault of the generator."""
        refused = [outcome for outcome in outcomes if outcome.state != "posted"]
        if refused:
            raise RuntimeError(f"the demo company's papers were refused: {refused[:3]}")

    @property
    def related(self) -> Related:
        """What lies between the customers."""
        return Related(self.customers, self.ids, today=self.today, at=self.at)

    def between(self) -> None:
        """A pool in force, persons and agents, a blacklisting under appeal."""
        self.related.pool()
        self.related.people_and_powers()
        self.related.case()

    def given(self) -> None:
        """To whom personal data are given, and what was thought through about it."""
        given.load(self.today, self.at)

    def standings(self) -> None:
        """A blacklisted customer, one with supply stopped, one under watch by a person's word."""
        failing = [each for each in self.customers if each.habit.name == "failing"]
        wanted = (
            ("blacklisted", "伪造财务报表，经核实 forged statements"),
            ("stopped", "多次承诺未付 promises broken"),
        )
        for each, (where, why) in zip(failing, wanted, strict=False):
            customer = Customer.objects.get(pk=self.ids[each.code])
            standing.set_standing(customer, where, why=why, by=self.person("vi"), on=self.today, at=self.at)

    def ratings(self) -> None:
        """Everybody rated as of yesterday's close."""
        edition = policies.in_force(self.today)
        ratings.rate(
            self.ids.values(), as_of=self.today, edition=edition, by=self.person("bo"), on=self.today, at=self.at
        )

    def securities(self) -> None:
        """What secures some of the lines."""
        people = {name: self.person(name) for name in ("bo", "le")}
        secured.load(self.customers, self.ids, people, today=self.today, at=self.at)

    def orders(self) -> None:
        """Today's orders: most pass and are reserved, some are too large, some meet overdue debt."""
        wanted = []
        for number, each in enumerate(self.customers[::3]):
            share = Decimal((3, 6, 10, 18, 80)[number % 5]) / 100
            amount = (each.limit * share / 100).to_integral_value() * 100 or Decimal(100)
            wanted.append(
                checks.CheckRequest(each.code, amount, f"SO{self.today:%y%m}-{number + 1:04d}", source_system="demo")
            )
        edition = policies.in_force(self.today)
        for start in range(0, len(wanted), 20):
            checks.decide(
                wanted[start : start + 20], edition=edition, today=self.today, at=self.at, by=self.person("ann")
            )

    def requests(self) -> None:
        """Line requests that wait for a signature: temporary limits small and large, raises, a pool for a group."""
        good = [each for each in self.customers if each.habit.name == "prompt"]
        small = [each for each in good if each.limit <= 70000][:4]
        large = [each for each in good if 100000 < each.limit <= 600000][:5]
        for each in (*small, *large[:3]):
            terms = self._terms(each, each.limit * Decimal("0.3"), temporary=True, until=add_months(self.today, 2))
            self._ask(each, terms, "旺季备货")
        for each in large[3:]:
            self._ask(each, self._terms(each, each.limit * Decimal("1.5")), "订单增长 growing orders")
        heads = {each.group_head for each in self.customers if each.group_head}
        for head in sorted(heads)[:2]:
            each = next(one for one in self.customers if one.code == head)
            self._ask(each, self._terms(each, each.limit * 3, pool=True), "集团共用额度 one limit for the group")

    def _terms(self, each: DemoCustomer, amount: Decimal, **more: Any) -> line_requests.LineTerms:
        return line_requests.LineTerms(Limit.of(amount), "CNY", each.term_days, **more)

    def _ask(self, each: DemoCustomer, terms: line_requests.LineTerms, reason: str) -> None:
        line_requests.ask(
            Customer.objects.get(pk=self.ids[each.code]),
            terms,
            reason=reason,
            edition=policies.in_force(self.today),
            by=self.person(SALES[each.region]),
            today=self.today,
            at=self.at,
        )

    def applications(self) -> None:
        """Applications in every state."""
        Applying(
            self.customers, self.ids, self.person, lambda each: self.person(SALES[each.region]), today=self.today,
            at=self.at,
        ).load()  # fmt: skip

    def rounds(self) -> None:
        """The last daily runs, so that notices, tasks and downgrades are there to look at."""
        for days_ago in reversed(range(ROUNDS)):
            rounds.run(as_of=self.today - timedelta(days=days_ago), by=self.system, at=self.at)

    def digests(self) -> None:
        """What the departments were told of the last week."""
        digests.make_due(today=self.today, at=self.at, by=self.system)

    def review(self) -> None:
        """The annual review: proposed by the administrator for the next year, some signed, the others waiting."""
        year = self.today.year - (self.today.month < 3)
        begins = max(self.today, date(year + 1, 1, 1))
        administrator, manager = ({"by": self.person(name), "on": self.today, "at": self.at} for name in ("bo", "cy"))
        campaign = annual.open_year(year, effective_from=begins, **administrator)
        annual.prepare(campaign, on=self.today, at=self.at)
        open_ones = Review.objects.filter(campaign=campaign, action="keep", request__status="open")
        rows = list(open_ones.select_related("request").order_by("pk")[:SIGNED])
        annual.approve_many([(row, row.request.version) for row in rows if row.request], **manager)
        waiting = grade_reviews.waiting().first()
        if waiting:
            confirming.confirm(waiting, grade=None, reason="核对了银行流水与门店经营情况", **manager)
