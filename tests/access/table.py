"""Who may do what: one row for each operation of the API and for each address of the pages. This is the whole list.

A new operation or address without a row fails the suite; the failure says what to write here. `may` names the posts
whose duty it is (`EVERYBODY`: whoever has signed in). `at` says what stands in the address, by the words of
`world.Side` ("=approve" is the text itself), and `body` what is sent, with the same words in braces.

What a caller may not see answers 404, as what does not exist does; `unseen` names the few answers that are alike in
another way, such as the order check, which says "unknown customer" to both.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shouxin.rules.policy import FACTORS, ORIENTATIONS, Post

SALES, FINANCE, ARCHIVIST, AUDITOR = Post.SALES, Post.FINANCE, Post.ARCHIVIST, Post.AUDITOR
OFFICER, MANAGER = Post.CREDIT_ADMINISTRATOR, Post.CREDIT_MANAGER
VICE, LEGAL = Post.VICE_PRESIDENT, Post.LEGAL_REPRESENTATIVE
SYSTEM, SECURITY = Post.SYSTEM_MANAGER, Post.SECURITY_MANAGER

EVERYBODY = frozenset({*Post, None})
HEADS = frozenset({MANAGER, VICE, LEGAL})
CREDIT_OFFICE = frozenset({OFFICER, MANAGER})
SEE_ALL = HEADS | {OFFICER, FINANCE, AUDITOR, ARCHIVIST}
LOOKERS = SEE_ALL | {SALES}
"""Whoever sees customers at all: sales those of their own and of their department, the others every one."""


WORD = re.compile(r"'{(code|customer)}'")
OF_A_POST = frozenset({"token", "import", "webhook", "data_request", "sharing", "assessment"})


@dataclass(frozen=True)
class Row:
    """One operation: whose duty it is, what it is tried on, what is sent, and what the unseen answers."""

    may: frozenset[Any]
    at: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    query: str = ""
    unseen: int = 404
    form: bool = False
    """The body is sent as a form (pages and uploads) rather than as JSON."""

    @property
    def about_customers(self) -> bool:
        """Whether it is tried on a customer's things, and so has a foreign and a missing target."""
        words = [value for value in self.at.values() if not value.startswith("=") and value != "colleague"]
        return bool(words or WORD.search(str(self.body))) and not self.personal

    @property
    def personal(self) -> bool:
        """Whether it is tried on what belongs to a person or a post: to all others it does not exist."""
        return bool(OF_A_POST & set(self.at.values()))


def row(may: Iterable[Any], body: Any = None, *, query: str = "", unseen: int = 404, **at: str) -> Row:
    """A row of the API."""
    return Row(frozenset(may), at, body, query, unseen)


def page(may: Iterable[Any], form: Any = None, *, query: str = "", unseen: int = 404, **at: str) -> Row:
    """A row of the pages; what is sent is a form."""
    return Row(frozenset(may), at, form, query, unseen, form=True)


def verbs(may: Mapping[str, Iterable[Any]], body: Any = None, *, make: Any = row, **at: str) -> list[Row]:
    """Rows of one address that ends in a verb, each verb with whose duty it is."""
    return [make(posts, body, **at, verb=f"={verb}") for verb, posts in may.items()]


WHY = {"reason": "because"}
LINE = {"limit": "60000.00", "reason": "because", "grade": "B", "term_days": 30}
LINE_FORM = {
    "grade": "B", "limit_kind": "amount", "limit": "60000", "currency": "CNY", "term_days": "30", "reason": "because",
    "version": "1",
}  # fmt: skip
QUESTION_FORM = {
    "text_zh": "被诉案件", "text_en": "Lawsuits", "group": "outside", "unknown_points": "4", "up_to_0": "0",
    "points_0": "6", "points_last": "0", "version": "0",
}  # fmt: skip
TRIGGER_FORM = {
    "text_zh": "被诉", "text_en": "Sued", "fact": "sued_by_supplier", "when": "true", "grade": "C", "version": "0",
}  # fmt: skip
LIMITS_FORM = {
    "use": "net_worth", "sales_months": "12", "collection_weights": "2, 1", "net_worth_share": "0.1",
    "paid_in_capital_share": "0.1", "round_down_to": "1000", "orientation": "balanced", "unknown": "zero",
    "coverage_min": "0.5", "no_credit_up_to": "0.2", "version": "0",
    **{f"{each}_{factor}": "5" for each in ORIENTATIONS for factor in FACTORS},
}  # fmt: skip
ITEM_FORM = {
    "fact": "net_margin", "text_zh": "净利率", "text_en": "Net margin", "up_to_0": "0.1", "share_0": "0",
    "share_last": "0.1", "version": "0",
}  # fmt: skip
CHECKED = {"method": "issuer", "result": "genuine", "checked_on": "2026-11-24"}
STATEMENT = {
    "as_of": "2025-12-31", "total_assets": "100", "current_assets": "60", "total_liabilities": "40",
    "current_liabilities": "30", "net_worth": "60", "revenue": "200",
}  # fmt: skip
CHECK = {"customer": "{code}", "order_no": "SO-NEW", "amount": "10.00"}
PAPER = {"customer": "{code}", "doc_no": "D-NEW", "amount": "10.00"}
COLLECTORS = {SALES, OFFICER, MANAGER, FINANCE, VICE}
ASKERS = {SALES, OFFICER, MANAGER, VICE}
CHECKERS = {SALES, OFFICER, MANAGER, VICE, LEGAL, FINANCE}
SHIPPERS = {SALES, FINANCE, OFFICER, MANAGER}
BILLERS = {FINANCE, OFFICER, MANAGER}
EXTENDERS = {OFFICER, MANAGER, VICE}
PROVERS = SEE_ALL - {ARCHIVIST}
GUARDIANS = {SECURITY}
READERS_OF_PEOPLE = {SYSTEM, SECURITY, AUDITOR, MANAGER}
HOOK_KEEPERS = {SYSTEM, MANAGER}
HOOK_READERS = {*HOOK_KEEPERS, AUDITOR, "vi"}
HOOK = {"url": "https://127.0.0.1/in", "events": ["hold.opened"]}
HOOK_VERBS = {
    "test": HOOK_KEEPERS, "accept": {"vi"}, "pause": HOOK_KEEPERS, "resume": HOOK_KEEPERS,
    "renew": HOOK_KEEPERS, "remove": {*HOOK_KEEPERS, "vi"},
}  # fmt: skip
RELEASE_VERBS = {"confirm": HEADS - {MANAGER}, "decline": HEADS, "withdraw": {"cy"}}
REQUEST_VERBS = {"approve": HEADS, "decline": HEADS, "withdraw": {"bo"}}
DEPOSIT = {
    "kind": "deposit", "value": "500.00", "currency": "CNY", "provider": "王伟", "subject": "cash", "document": "D-2",
    "prior_claims": "0.00", "reason": "because",
}  # fmt: skip
SECURITY_VERBS = {
    "approve": HEADS, "decline": HEADS, "withdraw": {"bo"}, "release": HEADS, "void": HEADS | {OFFICER},
}  # fmt: skip
SPEAKERS = {SALES, OFFICER, FINANCE, *HEADS}
APPLICATION_VERBS = {
    "submit": ASKERS, "accept": CREDIT_OFFICE, "investigate": CREDIT_OFFICE, "assess": CREDIT_OFFICE,
    "confirm_grade": CREDIT_OFFICE, "opine": SPEAKERS, "delegate": SPEAKERS, "countersign": SPEAKERS, "approve": HEADS,
    "decline": HEADS, "return": {OFFICER, *HEADS}, "withdraw": {"bo"},
}  # fmt: skip
APPLICATION = {
    "customer": "{code}", "request_type": "temporary", "requested_limit": "10.00", "requested_term_days": 10,
    "reason": "because",
}  # fmt: skip
DATA_READERS = {*HEADS, OFFICER, AUDITOR, "ann"}
DATA_VERBS = {"confirm": HEADS, "decline": HEADS, "withdraw": {"ann"}}
DATA_COPIERS = {*HEADS, OFFICER}
SHARERS = {*HEADS, OFFICER}
SHARERS_AND_AUDITOR = {*SHARERS, AUDITOR}
SHARED = {
    "recipient": "百行征信", "kind": "credit_bureau", "contact": "400", "purpose": "credit records", "role": "provided",
    "persons": ["customer"], "fields": ["customers.Customer.name"], "manner": "file", "basis": "consent",
    "consent": "form", "since": "2026-01-01",
}  # fmt: skip
ASSESSED = {
    "title": "Grading", "occasions": ["automated"], "processing": "p", "necessity": "n", "impact": "i", "risk": "low",
    "measures": "m", "fits": True, "conclusion": "go", "opinion": "o", "assessed_on": "2026-11-20",
}  # fmt: skip
ASSESSMENT_VERBS = {"review": HEADS, "send_back": HEADS, "close": SHARERS, "dispose": HEADS}
DATA_ASKED = {"customer": "{code}", "kind": "copy", "why": "because"}
CASE_VERBS = {"stop": HEADS, "approve": HEADS, "decline": HEADS, "withdraw": {"fi"}}
CASE_PROPOSERS = {SALES, FINANCE, OFFICER, *HEADS}
CASE = {"ground": "fraud", "why": "because", "evidence": "paper"}
POWER = {"name": "王五", "matters": ["place_order"]}
NOTICE_VERBS = {"hold": CREDIT_OFFICE, "release": CREDIT_OFFICE, "hand_over": CREDIT_OFFICE}
TASK_VERBS = {"done": {SALES, *CREDIT_OFFICE}, "drop": {SALES, *CREDIT_OFFICE}}

OPERATIONS: dict[str, Row | list[Row]] = {
    # --- the office
    "GET /me": row(EVERYBODY),
    "GET /people": row(READERS_OF_PEOPLE),
    "POST /people": row({SYSTEM}, {"username": "newcomer"}),
    "POST /people/{pk}/appoint": row(GUARDIANS, {"post": "archivist"}, pk="colleague"),
    "POST /people/{pk}/end-appointment": row(GUARDIANS, {"post": "vice-president"}, pk="colleague"),
    "POST /people/{pk}/disable": row(GUARDIANS, pk="colleague"),
    "GET /tokens": row(EVERYBODY),
    "POST /tokens": row(EVERYBODY, {"label": "mine"}),
    "POST /tokens/{pk}/revoke": row({"ann", *GUARDIANS}, pk="token"),
    "GET /policies": row(EVERYBODY),
    "POST /policies": row(HEADS, {"text": "=policy", "since": "2026-12-01", "why": "because"}),
    "GET /policies/{number}": row(EVERYBODY, number="=1"),
    "GET /exchange-rates": row(EVERYBODY),
    "POST /exchange-rates": row(
        {FINANCE, *CREDIT_OFFICE}, {"currency": "USD", "rate": "7.1", "since": "2026-11-24", "source": "bank"}
    ),
    "GET /trail": row(EVERYBODY),
    "GET /personal-data": row(EVERYBODY),
    "GET /trail/verify": row({AUDITOR}),
    "GET /webhooks": row(EVERYBODY),
    "POST /webhooks": row(HOOK_KEEPERS, HOOK),
    "GET /webhooks/{pk}": row(HOOK_READERS, pk="webhook"),
    "PATCH /webhooks/{pk}": row(HOOK_KEEPERS, {"label": "mine"}, pk="webhook"),
    "DELETE /webhooks/{pk}": row({*HOOK_KEEPERS, "vi"}, pk="webhook"),
    "POST /webhooks/{pk}/accept": row({"vi"}, pk="webhook"),
    "POST /webhooks/{pk}/test": row(HOOK_KEEPERS, pk="webhook"),
    "GET /webhooks/{pk}/deliveries": row(HOOK_READERS, pk="webhook"),
    # --- customers
    "POST /customers": row({SALES, *CREDIT_OFFICE}, {"name": "新客户有限公司"}),
    "GET /customers": row(EVERYBODY),
    "GET /customers/{reference}": row(LOOKERS, reference="customer"),
    "PATCH /customers/{reference}": row({SALES, *CREDIT_OFFICE}, {"contact": "新人"}, reference="customer"),
    "POST /customers/{reference}/names": row({SALES, FINANCE, *CREDIT_OFFICE}, {"name": "别名"}, reference="customer"),
    "POST /customers/{reference}/unmask": row(LOOKERS - {AUDITOR, ARCHIVIST}, WHY, reference="customer"),
    "POST /customers/{reference}/facts": row(
        COLLECTORS, {"key": "years_in_business", "value": 3, "source": "visit"}, reference="customer"
    ),
    "GET /customers/{reference}/facts": row(LOOKERS, reference="customer"),
    "POST /facts/{pk}/verify": row({OFFICER, MANAGER, VICE}, {"method": "issuer", "result": "genuine"}, pk="fact"),
    "POST /facts/{pk}/mark": row({OFFICER, MANAGER, VICE}, {"kind": "expired", "reason": "because"}, pk="fact"),
    "GET /customers/{reference}/sheet": row(LOOKERS, reference="customer"),
    "GET /customers/{reference}/rating": row(LOOKERS, reference="customer"),
    "POST /customers/{reference}/rating": row(ASKERS, reference="customer"),
    "POST /customers/{reference}/standing": row(
        HEADS | {OFFICER}, {"standing": "watched", "reason": "because"}, reference="customer"
    ),
    "GET /customers/{reference}/standing": row(LOOKERS, reference="customer"),
    "GET /customers/{reference}/standings": row(LOOKERS, reference="customer"),
    "GET /standing-releases": row(EVERYBODY),
    "POST /standing-releases/{pk}/{verb}": verbs(RELEASE_VERBS, pk="release"),
    "GET /customers/{reference}/who-saw": row(
        HEADS | {AUDITOR}, query="since=2026-11-01&until=2026-11-24", reference="customer"
    ),
    "GET /customers/{reference}/credit": row(LOOKERS, reference="customer"),
    "GET /customers/{reference}/file": row(LOOKERS, reference="customer"),
    "GET /customers/{reference}/timeline": row(LOOKERS, reference="customer"),
    "GET /customers/{customer}/journal": row(LOOKERS, customer="customer"),
    "POST /customers/{customer}/match": row(BILLERS, customer="customer"),
    "GET /data-requests": row(EVERYBODY),
    "POST /data-requests": row({SALES, OFFICER, *HEADS}, DATA_ASKED),
    "GET /data-requests/{pk}": row(DATA_READERS, pk="data_request"),
    "GET /data-requests/{pk}/copy.json": row(DATA_COPIERS, pk="data_request"),
    "POST /data-requests/{pk}/{verb}": verbs(DATA_VERBS, {"answer": "because"}, pk="data_request"),
    # --- where personal data go
    "GET /data-sharings": row(SHARERS_AND_AUDITOR),
    "POST /data-sharings": row(SHARERS, SHARED),
    "GET /data-sharings/{pk}": row(SHARERS_AND_AUDITOR, pk="sharing"),
    "POST /data-sharings/{pk}/correct": row(SHARERS, SHARED | WHY, pk="sharing"),
    "POST /data-sharings/{pk}/end": row(SHARERS, WHY, pk="sharing"),
    "POST /data-sharings/{pk}/attachments": page(SHARERS, {"file": "=upload"}, pk="sharing"),
    "GET /impact-assessments": row(SHARERS_AND_AUDITOR),
    "GET /impact-assessments/findings": row(SHARERS_AND_AUDITOR),
    "POST /impact-assessments": row(SHARERS, ASSESSED),
    "GET /impact-assessments/{pk}": row(SHARERS_AND_AUDITOR, pk="assessment"),
    "GET /impact-assessments/{pk}/paper.{ending}": row(SHARERS_AND_AUDITOR, pk="assessment", ending="=docx"),
    "POST /impact-assessments/{pk}/versions": row(SHARERS, ASSESSED, pk="assessment"),
    "POST /impact-assessments/{pk}/{verb}": verbs(ASSESSMENT_VERBS, WHY, pk="assessment"),
    # --- related parties
    "POST /customers/{reference}/ties": row(CREDIT_OFFICE, {"parent": "{top}"}, reference="customer"),
    "GET /customers/{reference}/ties": row(LOOKERS, reference="customer"),
    "GET /customers/{reference}/group": row(LOOKERS, reference="customer"),
    "POST /customers/{reference}/persons": row(
        CREDIT_OFFICE, {"name": "李四", "role": "director", "note": "seen"}, reference="customer"
    ),
    "GET /customers/{reference}/persons": row(LOOKERS, reference="customer"),
    "POST /person-ties/{pk}/end": row(CREDIT_OFFICE, pk="person_tie"),
    "POST /customers/{reference}/agents": row({SALES, *CREDIT_OFFICE}, POWER, reference="customer"),
    "GET /customers/{reference}/agents": row(LOOKERS, reference="customer"),
    "POST /agents/{pk}/check": row(LOOKERS, {"matter": "place_order"}, pk="agent"),
    "POST /agents/{pk}/revoke": row({SALES, *CREDIT_OFFICE}, WHY, pk="agent"),
    "GET /customers/{reference}/counterparty-check": row(LOOKERS, reference="customer"),
    "GET /customers/{reference}/counterparty-check.{ending}": row(LOOKERS, reference="customer", ending="=docx"),
    "POST /customers/{reference}/blacklist-cases": row(CASE_PROPOSERS, CASE, reference="spare"),
    "GET /blacklist-cases": row(EVERYBODY),
    "GET /blacklist-cases/{pk}": row(LOOKERS, pk="case"),
    "GET /blacklist-cases/{pk}/letter.{ending}": row(LOOKERS, pk="case", ending="=docx"),
    "POST /agents/{pk}/attachments": page({SALES, *CREDIT_OFFICE}, {"file": "=upload"}, pk="agent"),
    "POST /blacklist-cases/{pk}/attachments": page({SALES, FINANCE, OFFICER, *HEADS}, {"file": "=upload"}, pk="case"),
    "POST /blacklist-cases/{pk}/{verb}": verbs(CASE_VERBS, WHY, pk="case"),
    # --- lines
    "GET /customers/{reference}/lines": row(LOOKERS, reference="customer"),
    "POST /customers/{reference}/lines": row(ASKERS, LINE, reference="customer"),
    "GET /line-requests": row(EVERYBODY),
    "GET /line-requests/{pk}": row(LOOKERS, pk="line_request"),
    "PATCH /line-requests/{pk}": row(ASKERS, {"reason": "more"}, pk="line_request"),
    "POST /line-requests/{pk}/{verb}": verbs(REQUEST_VERBS, WHY, pk="line_request"),
    "GET /reports/recommended": row(LOOKERS),
    "GET /reports/opportunities": row(LOOKERS),
    "GET /grade-reviews": row(EVERYBODY),
    "POST /grade-reviews/{pk}/confirm": row(EXTENDERS, {"reason": "seen"}, pk="grade_review"),
    "GET /scoring/cards": row(EVERYBODY),
    "POST /scoring/cards": row(HEADS | {OFFICER}, {"late_days": 30}),
    "GET /scoring/refusals": row(EVERYBODY),
    "GET /scoring/cards/{pk}": row(EVERYBODY, pk="=1"),
    "GET /scoring/cards/{pk}/comparison": row(SEE_ALL, pk="=1"),
    "POST /references/{pk}/remind": row(CREDIT_OFFICE, pk="referee"),
    # --- the annual review
    "GET /annual-reviews": row(LOOKERS),
    "POST /annual-reviews": row(CREDIT_OFFICE | {VICE}, {"year": 2024}),
    "GET /annual-reviews/{year}": row(LOOKERS, year="=2026"),
    "GET /annual-reviews/{year}/report": row(SEE_ALL, year="=2026"),
    "POST /annual-reviews/{year}/resume": row(CREDIT_OFFICE | {VICE}, {}, year="=2026"),
    "POST /annual-reviews/{year}/close": row({MANAGER, VICE}, {}, year="=2000"),
    "GET /annual-reviews/{year}/reviews": row(LOOKERS, year="=2026"),
    "POST /annual-reviews/{year}/approve": row(
        HEADS, {"reviews": [{"id": "{review}", "request_version": 1}]}, year="=2026", unseen=200
    ),
    "GET /annual-reviews/{year}/reviews/{pk}": row(LOOKERS, year="=2026", pk="review"),
    "GET /annual-reviews/{year}/reviews/{pk}/report": row(LOOKERS, year="=2026", pk="review"),
    "POST /annual-reviews/{year}/reviews/{pk}/renew": row(CREDIT_OFFICE | {VICE}, {}, year="=2026", pk="review"),
    "POST /annual-reviews/{year}/reviews/{pk}/assess": row(
        CREDIT_OFFICE | {VICE, SALES}, {"remark": "seen"}, year="=2026", pk="review"
    ),
    "POST /annual-reviews/{year}/reviews/{pk}/decline": row(HEADS, WHY, year="=2026", pk="review"),
    # --- securities
    "GET /customers/{reference}/securities": row(LOOKERS, reference="customer"),
    "POST /customers/{reference}/securities": row(ASKERS, DEPOSIT, reference="customer"),
    "GET /securities": row(EVERYBODY),
    "GET /securities/{pk}": row(LOOKERS, pk="security"),
    "GET /securities/{pk}/attachments": row(LOOKERS, pk="security"),
    "POST /securities/{pk}/attachments": page(ASKERS | HEADS, {"file": "=upload"}, pk="security"),
    "POST /securities/{pk}/{verb}": verbs(SECURITY_VERBS, WHY, pk="security"),
    "POST /applications": row(ASKERS, APPLICATION),
    "GET /applications": row(EVERYBODY),
    "GET /applications/{pk}": row(LOOKERS, pk="application"),
    "PATCH /applications/{pk}": row(ASKERS, {"reason": "more"}, pk="application"),
    "POST /applications/{pk}/{verb}": verbs(APPLICATION_VERBS, WHY, pk="application"),
    "GET /applications/{pk}/forms/{name}.{ending}": row(
        LOOKERS, pk="application", name="=investigation", ending="=pdf"
    ),
    "GET /customers/{reference}/letters": row(LOOKERS, reference="customer"),
    "GET /letters/{pk}.{ending}": row(LOOKERS, pk="letter", ending="=docx"),
    "POST /letters/{pk}/{verb}": verbs({"hand_over": {SALES, *CREDIT_OFFICE}}, {"word": "SF1"}, pk="letter"),
    "GET /applications/{pk}/letter.{ending}": row(LOOKERS, pk="application", ending="=docx"),
    "POST /applications/{pk}/references": row(
        CREDIT_OFFICE, {"kind": "trade", "name": "Supplier", "email": "s@example.com"}, pk="application"
    ),
    "POST /customers/{reference}/form-links": row(ASKERS, {"request_type": "new"}, reference="customer"),
    # --- orders
    "POST /credit-checks": row(CHECKERS, CHECK, unseen=201),
    "POST /credit-checks/batch": row(CHECKERS, {"checks": [CHECK]}, unseen=200),
    "GET /credit-checks": row(EVERYBODY),
    "GET /credit-checks/{number}": row(LOOKERS, number="check"),
    "POST /credit-checks/{number}/replay": row(LOOKERS, number="check"),
    "GET /reservations/{reference}": row(LOOKERS, reference="reservation"),
    "POST /reservations/{reference}/deliver": row(SHIPPERS, {"amount": "1.00"}, reference="reservation"),
    "POST /reservations/{reference}/cancel": row(SHIPPERS, {"amount": "1.00"}, reference="reservation"),
    "POST /reservations/{reference}/bill": row(BILLERS, {"amount": "1.00"}, reference="reservation"),
    "POST /reservations/{reference}/extend": row(EXTENDERS, {"until": "2026-12-31"}, reference="reservation"),
    "GET /holds": row(EVERYBODY),
    "GET /holds/{number}": row(LOOKERS, number="hold"),
    "POST /holds/{number}/release": row(HEADS, WHY, number="hold"),
    "POST /holds/{number}/reject": row(HEADS, WHY, number="hold"),
    "POST /holds/{number}/recheck": row(HEADS | {SALES, OFFICER}, number="hold"),
    # --- receivables
    "POST /invoices": row(BILLERS, PAPER),
    "GET /invoices": row(EVERYBODY),
    "GET /invoices/{number}": row(LOOKERS, number="invoice"),
    "POST /invoices/{number}/contest": row(BILLERS, WHY, number="invoice"),
    "POST /invoices/{number}/settle_contest": row(BILLERS, {"outcome": "rejected"}, number="invoice"),
    "POST /invoices/{number}/reverse": row(BILLERS, WHY, number="invoice"),
    "POST /invoices/{number}/apply": row(BILLERS, {}, number="invoice"),
    "POST /receipts": row(BILLERS, PAPER),
    "GET /receipts": row(EVERYBODY),
    "GET /receipts/{number}": row(LOOKERS, number="receipt"),
    "POST /receipts/{number}/match": row(BILLERS, {}, number="receipt"),
    "POST /receipts/{number}/unmatch": row(BILLERS, {}, number="receipt"),
    "POST /receipts/{number}/reverse": row(BILLERS, WHY, number="receipt"),
    "POST /credit-accounts/{number}/unpark": row({MANAGER, FINANCE}, WHY, number="account"),
    # --- reports, the day, letters, tasks
    "GET /reports/figures": row(LOOKERS),
    "GET /reports/granted": row(LOOKERS),
    "GET /reports/aging": row(LOOKERS),
    "GET /reports/clauses": row(EVERYBODY),
    "GET /reports/exposure-proof": row(PROVERS),
    "POST /reports/exposure-proof": row(PROVERS),
    "POST /days": row({OFFICER, MANAGER, VICE}, {"as_of": "2026-11-24"}),
    "GET /days": row(SEE_ALL),
    "GET /days/{as_of}": row(SEE_ALL, as_of="=2026-11-24"),
    "GET /notices": row(EVERYBODY),
    "GET /notices/{pk}": row(LOOKERS, pk="notice"),
    "GET /notices/{pk}.pdf": row(LOOKERS, pk="notice"),
    "POST /notices/{pk}/{verb}": verbs(NOTICE_VERBS, WHY, pk="notice"),
    "GET /tasks": row(EVERYBODY),
    "GET /tasks/{pk}": row(LOOKERS, pk="task"),
    "POST /tasks/{pk}/{verb}": verbs(TASK_VERBS, WHY, pk="task"),
    # --- files
    "GET /attachments/{pk}": row(LOOKERS, pk="attachment"),
    "GET /attachments/{pk}/content": row(LOOKERS, pk="attachment"),
    "GET /customers/{reference}/attachments": row(LOOKERS, reference="customer"),
    "POST /customers/{reference}/attachments": page(COLLECTORS, {"file": "=upload"}, reference="customer"),
    "GET /imports": row(EVERYBODY),
    "GET /imports/{run_id}": row(CREDIT_OFFICE, run_id="import"),
    "GET /imports/{run_id}/errors.xlsx": row(CREDIT_OFFICE, run_id="import"),
    "POST /imports/{kind}": page(CREDIT_OFFICE, {"file": "=upload"}, kind="=customers"),
    "POST /imports/{kind}/look": page(CREDIT_OFFICE, {"file": "=upload"}, kind="=customers"),
}
"""Every operation of the API, below /api/v1."""

REQUEST_FORM = {"version": "1", "reason": "because"}
APPLICATION_FORM = {
    "request_type": "temporary", "requested_limit": "10", "currency": "CNY", "requested_term_days": "10",
    "reason": "because", "version": "1",
}  # fmt: skip
NEW_CUSTOMER = {"name": "新客户有限公司", "currency": "CNY"}
NEW_INVOICE = {"customer": "{code}", "doc_no": "P-NEW", "amount": "10", "kind": "invoice", "dated_on": "2026-11-24"}
NEW_RECEIPT = {"customer": "{code}", "doc_no": "P-NEW", "amount": "10", "received_on": "2026-11-24"}
INVOICE_VERBS = {"contest": BILLERS, "settle_contest": BILLERS, "reverse": BILLERS, "apply": BILLERS}
RECEIPT_VERBS = {"match": BILLERS, "unmatch": BILLERS, "reverse": BILLERS}
STEPS = {"deliver": SHIPPERS, "cancel": SHIPPERS, "bill": BILLERS, "extend": EXTENDERS}

PAGES: dict[str, Row | list[Row]] = {
    "GET ": page(EVERYBODY),
    "GET records/figures/": page(LOOKERS),
    "GET records/granted/": page(LOOKERS),
    "GET regulation": page(EVERYBODY),
    "GET system": page({SYSTEM, AUDITOR}),
    # --- orders
    "GET orders/check/": page(EVERYBODY),
    "POST orders/check/": page(CHECKERS, {"customer": "{code}", "order_no": "P-1", "amount": "10"}, unseen=422),
    "GET orders/check/customers": page(EVERYBODY, query="q=9"),
    "GET orders/check/customers/<str:code>": page(LOOKERS, code="code"),
    "GET orders/checks/": page(EVERYBODY),
    "GET orders/checks/<int:number>/": page(LOOKERS, number="check"),
    "POST orders/checks/<int:number>/replay": page(LOOKERS, number="check"),
    "GET orders/holds/": page(EVERYBODY),
    "GET orders/holds/overrides/": page(EVERYBODY),
    "GET orders/holds/<int:number>/": page(LOOKERS, number="hold"),
    "POST orders/holds/<int:number>/release": page(HEADS, WHY, number="hold"),
    "POST orders/holds/<int:number>/reject": page(HEADS, WHY, number="hold"),
    "POST orders/holds/<int:number>/recheck": page(HEADS | {SALES, OFFICER}, number="hold"),
    "GET orders/reservations/": page(EVERYBODY),
    "GET orders/reservations/<int:number>/": page(LOOKERS, number="reservation"),
    "POST orders/reservations/<int:number>/<str:verb>": verbs(
        STEPS, {"amount": "1", "until": "2026-12-31"}, make=page, number="reservation"
    ),
    # --- receivables
    "GET receivables/invoices/": page(EVERYBODY),
    "GET receivables/invoices/new": page(BILLERS),
    "POST receivables/invoices/new": page(BILLERS, NEW_INVOICE, unseen=422),
    "GET receivables/invoices/<int:number>/": page(LOOKERS, number="invoice"),
    "POST receivables/invoices/<int:number>/<str:verb>": verbs(
        INVOICE_VERBS, {"reason": "because", "outcome": "rejected"}, make=page, number="invoice"
    ),
    "GET receivables/receipts/": page(EVERYBODY),
    "GET receivables/receipts/new": page(BILLERS),
    "POST receivables/receipts/new": page(BILLERS, NEW_RECEIPT, unseen=422),
    "GET receivables/receipts/<int:number>/": page(LOOKERS, number="receipt"),
    "POST receivables/receipts/<int:number>/<str:verb>": verbs(RECEIPT_VERBS, WHY, make=page, number="receipt"),
    "GET receivables/aging/": page(LOOKERS),
    "GET receivables/aging/items": page(LOOKERS),
    "GET receivables/proof/": page(PROVERS),
    "POST receivables/proof/run": page(PROVERS),
    "POST receivables/proof/<int:number>/unpark": page({MANAGER, FINANCE}, WHY, number="account"),
    # --- collection
    "GET collection/round/": page(SEE_ALL),
    "POST collection/round/run": page({OFFICER, MANAGER, VICE}),
    "GET collection/round/progress": page(SEE_ALL),
    "GET collection/days/<str:as_of>/": page(SEE_ALL, as_of="=2026-11-24"),
    "GET collection/tasks/": page(EVERYBODY),
    "GET collection/tasks/<int:number>/": page(LOOKERS, number="task"),
    "POST collection/tasks/<int:number>/<str:verb>": verbs(TASK_VERBS, WHY, make=page, number="task"),
    "GET collection/notices/": page(EVERYBODY),
    "GET collection/notices/<int:number>/": page(LOOKERS, number="notice"),
    "GET collection/notices/<int:number>.pdf": page(LOOKERS, number="notice"),
    "POST collection/notices/<int:number>/<str:verb>": verbs(NOTICE_VERBS, WHY, make=page, number="notice"),
    # --- the office
    "GET office/policy/": page(EVERYBODY),
    "GET office/policy/versions/": page(EVERYBODY),
    "GET office/policy/versions/<int:number>/": page(EVERYBODY, number="=1"),
    "GET office/policy/versions/<int:number>/policy.yaml": page(EVERYBODY, number="=1"),
    "GET office/policy/compare/": page(EVERYBODY),
    "GET office/policy/draft/": page(EVERYBODY),
    "POST office/policy/draft/": page(
        HEADS, {"text": "=policy", "since": "2026-12-01", "why": "because", "act": "put", "seen": "1"}
    ),
    "GET office/policy/rates/": page(EVERYBODY),
    "POST office/policy/rates/": page(
        {FINANCE, *CREDIT_OFFICE}, {"currency": "USD", "rate": "7.1", "since": "2026-11-24", "source": "bank"}
    ),
    "GET office/trail/": page(EVERYBODY),
    "GET office/personal-data/": page(EVERYBODY),
    "GET webhooks/": page(EVERYBODY),
    "POST webhooks/": page(HOOK_KEEPERS, {"url": "https://127.0.0.1/in", "events": "hold.opened"}),
    "GET webhooks/<int:pk>/": page(HOOK_READERS, pk="webhook"),
    "POST webhooks/<int:pk>/<str:verb>": verbs(HOOK_VERBS, make=page, pk="webhook"),
    "POST office/trail/verify/": page({AUDITOR}),
    "GET office/sign-in-rules/": page({SYSTEM, SECURITY, AUDITOR}),
    "POST office/sign-in-rules/": page(GUARDIANS, {"profile": "asvs"}),
    "POST office/people/<int:number>/password": page(GUARDIANS, number="colleague"),
    "POST office/people/<int:number>/second-factor": page(GUARDIANS, number="colleague"),
    "GET office/people/": page(READERS_OF_PEOPLE),
    "GET office/people/add": page({SYSTEM}),
    "POST office/people/add": page({SYSTEM}, {"username": "newcomer", "password": "a-long-password-7"}),
    "GET office/people/<int:number>/": page(READERS_OF_PEOPLE, number="colleague"),
    "POST office/people/<int:number>/appoint": page(GUARDIANS, {"post": "archivist"}, number="colleague"),
    "POST office/people/<int:number>/end/<str:post>": page(GUARDIANS, number="colleague", post="=vice-president"),
    "POST office/people/<int:number>/disable": page(GUARDIANS, number="colleague"),
    "GET office/account/": page(EVERYBODY),
    "POST office/account/": page(EVERYBODY, {"label": "mine", "scope": "decide"}),
    "POST office/account/tokens/<int:number>/revoke": page({"ann", *GUARDIANS}, number="token"),
    "GET office/attachments/<int:number>": page(LOOKERS, number="attachment"),
    # --- customers and lines
    "GET customers/": page(EVERYBODY),
    "GET customers/suggest": page(EVERYBODY, query="q=9"),
    "GET customers/new": page({SALES, *CREDIT_OFFICE}),
    "POST customers/new": page({SALES, *CREDIT_OFFICE}, NEW_CUSTOMER),
    "GET customers/<int:pk>/": page(LOOKERS, pk="customer"),
    "GET customers/<int:pk>/sheet": page(LOOKERS, pk="customer"),
    "GET customers/<int:pk>/letters/<int:mail>/": page(LOOKERS, pk="customer", mail="letter"),
    "GET customers/<int:pk>/letters/<int:mail>/paper.<str:ending>": page(
        LOOKERS, pk="customer", mail="letter", ending="=pdf"
    ),
    "POST customers/<int:pk>/letters/<int:mail>/<str:verb>": verbs(
        {"hand_over": {SALES, *CREDIT_OFFICE}}, {"word": "SF1"}, make=page, pk="customer", mail="letter"
    ),
    "GET customers/<int:pk>/sheet.<str:ending>": page(LOOKERS, pk="customer", ending="=docx"),
    "GET customers/choices": page(EVERYBODY, query="q=9"),
    "GET customers/notes/new": page(COLLECTORS),
    "POST customers/notes/new": page(COLLECTORS, {"customer": "{customer}", "note": "seen"}, unseen=422),
    "GET customers/inbox/": page({OFFICER, MANAGER, VICE}),
    "GET customers/facts/<int:pk>/": page(LOOKERS, pk="fact"),
    "POST customers/facts/<int:pk>/<str:verb>": [
        *verbs({"verify": {OFFICER, MANAGER, VICE}}, CHECKED, make=page, pk="fact"),
        *verbs({"mark": {OFFICER, MANAGER, VICE}}, {"kind": "expired", "reason": "because"}, make=page, pk="fact"),
        *verbs({"dismiss": {OFFICER, MANAGER, VICE}}, WHY, make=page, pk="quick_note"),
    ],
    "GET customers/<int:pk>/statements": page(LOOKERS, pk="customer"),
    "POST customers/<int:pk>/statements": page(COLLECTORS, STATEMENT, pk="customer"),
    "GET customers/<int:pk>/unmask/<str:field>": page(LOOKERS, pk="customer", field="=telephone"),
    "POST customers/<int:pk>/unmask/<str:field>": page(
        LOOKERS - {AUDITOR, ARCHIVIST}, WHY, pk="customer", field="=telephone"
    ),
    "GET customers/<int:pk>/who-saw": page(HEADS | {AUDITOR}, pk="customer"),
    "GET customers/<int:pk>/edit": page({SALES, FINANCE, *CREDIT_OFFICE}, pk="customer"),
    "POST customers/<int:pk>/edit": page(CREDIT_OFFICE, NEW_CUSTOMER | {"contact": "新人"}, pk="customer"),
    "GET customers/<int:pk>/facts/new": page(COLLECTORS, pk="customer"),
    "POST customers/<int:pk>/facts/new": page(
        COLLECTORS,
        {"key": "years_in_business", "value": "3", "source": "visit", "as_of": "2026-11-24"},
        pk="customer",
    ),
    "GET customers/<int:pk>/features": page(COLLECTORS, pk="customer"),
    "POST customers/<int:pk>/features": page(
        COLLECTORS, {"payment": "8", "source": "visit", "as_of": "2026-11-24"}, pk="customer"
    ),
    "GET customers/<int:pk>/notes/new": page(COLLECTORS, pk="customer"),
    "POST customers/<int:pk>/notes/new": page(COLLECTORS, {"note": "seen"}, pk="customer"),
    "GET customers/<int:pk>/standing": page(HEADS | {OFFICER}, pk="customer"),
    "POST customers/<int:pk>/standing": page(
        HEADS | {OFFICER}, {"standing": "watched", "reason": "because"}, pk="customer"
    ),
    "POST customers/releases/<int:pk>/<str:verb>": verbs(RELEASE_VERBS, make=page, pk="release"),
    "GET customers/blacklist/": page(EVERYBODY),
    "GET customers/blacklist/<int:pk>/": page(LOOKERS, pk="case"),
    "GET customers/blacklist/<int:pk>/letter.<str:ending>": page(LOOKERS, pk="case", ending="=docx"),
    "POST customers/blacklist/<int:pk>/<str:verb>": verbs(CASE_VERBS, REQUEST_FORM, make=page, pk="case"),
    "GET customers/<int:pk>/blacklist": page(CASE_PROPOSERS, pk="spare"),
    "POST customers/<int:pk>/blacklist": page(CASE_PROPOSERS, CASE, pk="spare"),
    "GET customers/<int:pk>/tie": page(CREDIT_OFFICE, pk="customer"),
    "POST customers/<int:pk>/tie": page(CREDIT_OFFICE, {"parent": "{top}", "kind": "branch"}, pk="customer"),
    "GET customers/<int:pk>/persons/new": page(CREDIT_OFFICE, pk="customer"),
    "POST customers/<int:pk>/persons/new": page(
        CREDIT_OFFICE, {"name": "李四", "role": "director", "note": "seen"}, pk="customer"
    ),
    "POST customers/persons/<int:pk>/end": page(CREDIT_OFFICE, pk="person_tie"),
    "GET customers/<int:pk>/agents/new": page({SALES, *CREDIT_OFFICE}, pk="customer"),
    "POST customers/<int:pk>/agents/new": page({SALES, *CREDIT_OFFICE}, POWER, pk="customer"),
    "GET customers/agents/<int:pk>/": page(LOOKERS, pk="agent"),
    "POST customers/agents/<int:pk>/attachments": page({SALES, *CREDIT_OFFICE}, {"file": "=upload"}, pk="agent"),
    "POST customers/blacklist/<int:pk>/attachments": page(
        {SALES, FINANCE, OFFICER, *HEADS}, {"file": "=upload"}, pk="case"
    ),
    "POST customers/agents/<int:pk>/revoke": page({SALES, *CREDIT_OFFICE}, WHY, pk="agent"),
    "GET customers/<int:pk>/counterparty.<str:ending>": page(LOOKERS, pk="customer", ending="=docx"),
    "GET customers/data-requests/": page(EVERYBODY),
    "POST customers/data-requests/": page({SALES, OFFICER, *HEADS}, DATA_ASKED, unseen=422),
    "GET customers/data-requests/<int:pk>/<str:verb>": page(DATA_COPIERS, pk="data_request", verb="=copy"),
    "POST customers/data-requests/<int:pk>/<str:verb>": verbs(DATA_VERBS, WHY, make=page, pk="data_request"),
    "GET office/personal-data/sharings/": page(SHARERS_AND_AUDITOR),
    "GET office/personal-data/sharings/new": page(SHARERS),
    "POST office/personal-data/sharings/new": page(SHARERS, SHARED),
    "GET office/personal-data/sharings/<int:pk>/": page(SHARERS_AND_AUDITOR, pk="sharing"),
    "GET office/personal-data/sharings/<int:pk>/correct": page(SHARERS, pk="sharing"),
    "POST office/personal-data/sharings/<int:pk>/correct": page(SHARERS, SHARED | WHY, pk="sharing"),
    "POST office/personal-data/sharings/<int:pk>/end": page(SHARERS, REQUEST_FORM, pk="sharing"),
    "POST office/personal-data/sharings/<int:pk>/attachments": page(SHARERS, {"file": "=upload"}, pk="sharing"),
    "GET office/personal-data/assessments/": page(SHARERS_AND_AUDITOR),
    "GET office/personal-data/assessments/new": page(SHARERS),
    "POST office/personal-data/assessments/new": page(SHARERS, ASSESSED),
    "GET office/personal-data/assessments/<int:pk>/": page(SHARERS_AND_AUDITOR, pk="assessment"),
    "GET office/personal-data/assessments/<int:pk>/next": page(SHARERS, pk="assessment"),
    "POST office/personal-data/assessments/<int:pk>/next": page(SHARERS, ASSESSED, pk="assessment"),
    "POST office/personal-data/assessments/<int:pk>/<str:verb>": verbs(
        ASSESSMENT_VERBS, WHY, make=page, pk="assessment"
    ),
    "GET credit/line-requests/": page(EVERYBODY),
    "GET credit/line-requests/<int:pk>/": page(LOOKERS, pk="line_request"),
    "GET credit/line-requests/<int:pk>/change": page(ASKERS, pk="line_request"),
    "POST credit/line-requests/<int:pk>/change": page(ASKERS, LINE_FORM, pk="line_request"),
    "POST credit/line-requests/<int:pk>/<str:verb>": verbs(REQUEST_VERBS, REQUEST_FORM, make=page, pk="line_request"),
    "GET credit/customers/<int:pk>/ask": page(ASKERS, pk="customer"),
    "POST credit/customers/<int:pk>/ask": page(ASKERS, LINE_FORM, pk="customer"),
    "GET credit/customers/<int:pk>/secure": page(ASKERS, pk="customer"),
    "POST credit/customers/<int:pk>/secure": page(ASKERS, DEPOSIT | {"since": "2026-11-24"}, pk="customer"),
    "POST credit/references/<int:pk>/remind": page(CREDIT_OFFICE, pk="referee"),
    "GET credit/securities/": page(EVERYBODY),
    "GET credit/securities/<int:pk>/": page(LOOKERS, pk="security"),
    "POST credit/securities/<int:pk>/attachments": page(ASKERS | HEADS, {"file": "=upload"}, pk="security"),
    "POST credit/securities/<int:pk>/<str:verb>": verbs(SECURITY_VERBS, REQUEST_FORM, make=page, pk="security"),
    "GET credit/applications/": page(EVERYBODY),
    "GET credit/applications/<int:pk>/": page(LOOKERS, pk="application"),
    "GET credit/applications/<int:pk>/change": page(ASKERS, pk="application"),
    "POST credit/applications/<int:pk>/change": page(ASKERS, APPLICATION_FORM, pk="application"),
    "GET credit/applications/<int:pk>/investigation": page(CREDIT_OFFICE, pk="application"),
    "POST credit/applications/<int:pk>/investigation": page(
        CREDIT_OFFICE, {"box_conclusion": "sound", "version": "1"}, pk="application"
    ),
    "POST credit/applications/<int:pk>/attachments": page(SPEAKERS, {"file": "=upload"}, pk="application"),
    "POST credit/applications/<int:pk>/references": page(
        CREDIT_OFFICE, {"kind": "bank", "name": "Bank", "email": "b@example.com"}, pk="application"
    ),
    "GET credit/applications/<int:pk>/forms/<str:name>.<str:ending>": page(
        LOOKERS, pk="application", name="=approval", ending="=docx"
    ),
    "POST credit/applications/<int:pk>/<str:verb>": verbs(
        APPLICATION_VERBS, {"reason": "because", "version": "1"}, make=page, pk="application"
    ),
    "GET credit/customers/<int:pk>/apply": page(ASKERS, pk="customer"),
    "POST credit/customers/<int:pk>/apply": page(ASKERS, APPLICATION_FORM, pk="customer"),
    "GET credit/customers/<int:pk>/invite": page(ASKERS, pk="customer"),
    "POST credit/customers/<int:pk>/invite": page(ASKERS, {"request_type": "new"}, pk="customer"),
    "GET records/recommended/": page(LOOKERS),
    "GET records/recommended/<int:pk>/letter.<str:ending>": page(LOOKERS, pk="good", ending="=pdf"),
    "GET records/opportunities/": page(LOOKERS),
    "GET reviews/": page(LOOKERS),
    "POST reviews/": page(CREDIT_OFFICE | {VICE}, {"year": "2024"}),
    "GET reviews/<int:year>/": page(LOOKERS, year="=2026"),
    "GET reviews/<int:year>/progress": page(LOOKERS, year="=2026"),
    "GET reviews/<int:year>/report": page(SEE_ALL, year="=2026"),
    "POST reviews/<int:year>/approve": page(HEADS, {"selected": "{review_tick}"}, year="=2026"),
    "POST reviews/<int:year>/resume": page(CREDIT_OFFICE | {VICE}, year="=2026"),
    "POST reviews/<int:year>/close": page({MANAGER, VICE}, {"version": "1"}, year="=2000"),
    "GET reviews/<int:year>/<int:pk>/": page(LOOKERS, year="=2026", pk="review"),
    "POST reviews/<int:year>/<int:pk>/<str:verb>": verbs(
        {"renew": CREDIT_OFFICE | {VICE}, "assess": CREDIT_OFFICE | {VICE, SALES}, "approve": HEADS, "decline": HEADS},
        {"version": "1", "reason": "because", "remark": "seen"},
        make=page,
        year="=2026",
        pk="review",
    ),
    "GET records/digests/": page(LOOKERS),
    "GET records/digests/preview": page(LOOKERS),
    "GET records/digests/<int:pk>/": page(LOOKERS, pk="digest"),
    "GET credit/grades/": page(EVERYBODY),
    "POST credit/grades/<int:pk>/confirm": page(EXTENDERS, {"reason": "seen", "version": "1"}, pk="grade_review"),
    "GET credit/rate/": page(ASKERS),
    "POST credit/rate/": page(ASKERS),
    "GET credit/rate/lines.csv": page(ASKERS),
    "POST credit/rate/selected": page(ASKERS, {"selected": "{customer}"}, unseen=422),
    "POST credit/rate/<int:pk>": page(ASKERS, pk="customer"),
    "GET credit/scoring/": page(EVERYBODY),
    "POST credit/scoring/": page(HEADS | {OFFICER}, {"late_days": "30"}),
    "GET credit/scoring/<int:pk>/": page(EVERYBODY, pk="=1"),
    "POST credit/scoring/<int:pk>/adopt": page(HEADS, {"version": "0"}, pk="=1"),
    "GET credit/card/": page(EVERYBODY),
    "GET credit/card/question": page(HEADS, query="fact=lawsuits"),
    "POST credit/card/question": page(HEADS, QUESTION_FORM | {"fact": "lawsuits"}),
    "GET credit/card/question/<str:key>": page(HEADS, key="=lawsuits"),
    "POST credit/card/question/<str:key>": page(HEADS, QUESTION_FORM, key="=lawsuits"),
    "GET credit/card/trigger": page(HEADS),
    "POST credit/card/trigger": page(HEADS, TRIGGER_FORM),
    "GET credit/card/trigger/<str:key>": page(HEADS, key="=sued"),
    "POST credit/card/trigger/<str:key>": page(HEADS, TRIGGER_FORM, key="=sued"),
    "POST credit/card/bounds": page(HEADS, {"A": "88", "B": "72", "C": "61", "version": "0"}),
    "GET credit/card/item": page(HEADS, query="fact=net_margin"),
    "POST credit/card/item": page(HEADS, ITEM_FORM),
    "GET credit/card/item/<str:key>": page(HEADS, key="=margin"),
    "POST credit/card/item/<str:key>": page(HEADS, ITEM_FORM, key="=margin"),
    "GET credit/card/bands": page(HEADS),
    "POST credit/card/bands": page(HEADS, {"up_to_0": "0", "share_0": "0", "share_last": "0.2", "version": "0"}),
    "GET credit/card/limits": page(HEADS),
    "POST credit/card/limits": page(HEADS, LIMITS_FORM),
    "GET credit/card/preview": page(HEADS),
    "POST credit/card/<str:kind>/<str:key>/drop": page(HEADS, {"version": "0"}, kind="=question", key="=lawsuits"),
    # --- files
    "GET imports/": page(EVERYBODY),
    "POST imports/": page(HEADS | {OFFICER, FINANCE}, {"kind": "customers", "file": "=upload"}),
    "GET imports/<int:pk>/": page(CREDIT_OFFICE, pk="import"),
    "POST imports/<int:pk>/columns": page(CREDIT_OFFICE, pk="import"),
    "GET imports/<int:pk>/words/<str:key>": page(CREDIT_OFFICE, pk="import", key="=customer_code"),
    "POST imports/<int:pk>/words/<str:key>": page(CREDIT_OFFICE, {"word": "a"}, pk="import", key="=customer_code"),
    "GET imports/<int:pk>/map.yaml": page(CREDIT_OFFICE, pk="import"),
    "GET imports/<int:pk>/progress": page(CREDIT_OFFICE, pk="import"),
    "GET imports/<int:pk>/errors.xlsx": page(CREDIT_OFFICE, pk="import"),
}
"""Every address of the pages with each method it takes; any other method must be refused with 405."""

OPEN = frozenset(
    {"healthz", "readyz", "metrics", "language/setlang/", "credit/form/<str:token>", "credit/reference/<str:token>"}
)
"""Addresses of the house that ask nobody who he is; what they tell concerns no customer."""

OPEN_ACCOUNTS = frozenset(
    {
        "account_login",
        "account_logout",
        "account_signup",
        "account_inactive",
        "account_confirm_login_code",
        "account_email_verification_sent",
        "account_confirm_email",
        "mfa_authenticate",
        "socialaccount_login_cancelled",
        "socialaccount_login_error",
    }
)
"""Pages of allauth for those who have not signed in yet; every other one sends a stranger to the sign-in page."""
