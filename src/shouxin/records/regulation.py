"""The regulation, clause by clause: what each demands, what carries it out, and what is not there yet.

This is the one catalogue behind the page /regulation, `GET /reports/clauses` and `shouxin clauses`. Tests keep it
honest: all clauses are here, every place exists, and what claims to work has a test marked with the clause.
"""

from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Word = str | Promise


class State(StrEnum):
    """How far a clause is carried out."""

    WORKS = "works"
    PARTLY = "partly"
    NOT_YET = "not_yet"


STATES: dict[State, Word] = {State.WORKS: _("works"), State.PARTLY: _("in part"), State.NOT_YET: _("not yet")}
PARTS: dict[str, Word] = {
    "A": _("A · Charter"),
    "B": _("B · Operating rules"),
    "C": _("C · Organisation and duties"),
}


@dataclass(frozen=True)
class Clause:
    """One clause. `places`: names of the pages that carry it out. `evidence`: keys of `evidence.KINDS`.

    `answer` says what the product does, `lacks` what the clause demands and the product does not do yet.
    """

    id: str
    demand: Word
    answer: Word = ""
    lacks: Word = ""
    places: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()

    @property
    def state(self) -> State:
        """It works where nothing lacks; where no page carries anything out, it does not yet."""
        if not self.places:
            return State.NOT_YET
        return State.PARTLY if self.lacks else State.WORKS


PAGES: dict[str, Word] = {
    "home": _("Home"),
    "customers:list": _("Customers"),
    "customers:create": _("New customer"),
    "customers:quick_note": _("Quick note"),
    "customers:inbox": _("Notes and papers"),
    "credit:applications": _("Credit applications"),
    "customers:blacklist": _("Blacklist"),
    "credit:line_requests": _("Line requests"),
    "credit:securities": _("Securities"),
    "credit:rate_everybody": _("Rate everybody"),
    "credit:card": _("Scorecard"),
    "credit:fitted_cards": _("Statistical cards"),
    "credit:grade_reviews": _("Grades to confirm"),
    "orders:desk": _("Credit check"),
    "orders:holds": _("Orders on hold"),
    "orders:overrides": _("Override register"),
    "orders:reservations": _("Reservations"),
    "receivables:invoices": _("Invoices"),
    "receivables:receipts": _("Receipts"),
    "receivables:aging": _("Ageing"),
    "receivables:proof": _("Proof of exposure"),
    "collection:today": _("Today's round"),
    "collection:worklist": _("Work list"),
    "collection:notices": _("Notices"),
    "records:figures": _("Key figures"),
    "records:granted": _("Credit granted"),
    "records:recommended": _("Recommended units"),
    "records:opportunities": _("Opportunities"),
    "records:digests": _("Digests"),
    "reviews:years": _("Annual review"),
    "imports:list": _("Import"),
    "office:policy": _("Policy"),
    "office:versions": _("Policy versions"),
    "office:trail": _("Audit trail"),
    "office:people": _("People and posts"),
    "office:personal_data": _("Personal data"),
    "customers:data_requests": _("Requests of persons"),
    "office:sharings": _("Sharing register"),
    "office:assessments": _("Impact assessments"),
    "api:openapi-view": _("API documents"),
}
"""The pages a clause may point at, by the name of their address."""

CLAUSES: tuple[Clause, ...] = (
    Clause(
        "A1",
        _("A complete internal credit system, clear responsibility, binding constraints on outside parties."),
        _("Posts with authority by amount; limit, term, stopped supply and blacklist bind at every order check."),
        places=("office:people", "office:policy", "orders:desk"),
        evidence=("appointments", "decisions", "blocked_decisions"),
    ),
    Clause(
        "A2",
        _("Quality credit: standards, quality assurance, standardised service."),
        lacks=_("Quality indicators, certificates with expiry, nonconformities."),
    ),
    Clause(
        "A3",
        _("Tax credit: taxes paid in full and by law."),
        lacks=_("Yearly tax credit grade and a calendar of filings."),
    ),
    Clause(
        "A4",
        _("Credit culture: spread the knowledge of credit."),
        lacks=_("Courses, attendance, quiz, bulletin."),
    ),
    Clause(
        "A5",
        _("The pledge: no evading of debts, no broken contracts, no tax evasion or fraud, no false accounts."),
        lacks=_("The pledge with its signatures, and breaches of it."),
    ),
    Clause(
        "A6",
        _("The whole process: credit control before, contracts and complaints during, receivables and service after."),
        _("One credit file per customer in which before, during and after are read on one timeline."),
        _("Contracts, complaints and after-sales service."),
        ("customers:list", "orders:desk", "receivables:aging", "collection:today"),
        ("customers", "decisions", "invoices", "days"),
    ),
    Clause(
        "A7",
        _("Collect and record credit information by source, classified by subject and industry."),
        _(
            "Every fact has its subject, value, source, day, collector and evidence, and grows old; entries of public "
            "lists are kept field by field, facts are imported, customers are classified by industry."
        ),
        "",
        ("customers:list", "customers:inbox", "imports:list"),
        ("facts", "customers"),
    ),
    Clause(
        "A8",
        _("Units with good records are preferred, recommended and helped to trade."),
        _("The recommended list by the policy's rule, each unit with why, and a letter of recommendation on paper."),
        places=("records:recommended",),
        evidence=("lines", "ratings"),
    ),
    Clause(
        "A9",
        _("Sound accounting, strict complaint handling, contracts kept, taxes paid."),
        lacks=_("The monthly self-check list that the credit manager signs."),
    ),
    Clause(
        "A10",
        _("Lawful, true and complete books; nobody may order others to falsify; a budget."),
        _("Nothing posted is edited or deleted, only reversed with a reason; every balance is proved from its papers."),
        _("Budget against actual for receivables, bad debt and the cost of credit."),
        ("receivables:proof", "receivables:invoices", "office:trail"),
        ("postings", "reversals", "proofs"),
    ),
    Clause(
        "A11",
        _("Credit management reaches every link of production and business."),
        _("Order, delivery, invoice and receipt each ask or tell the product: on a page, by API or by command."),
        _("After-sales service."),
        ("orders:desk", "orders:reservations", "receivables:invoices", "api:openapi-view"),
        ("decisions", "reservations", "invoices", "receipts"),
    ),
    Clause(
        "A12",
        _("Promote standard contract templates."),
        lacks=_("The template library and contracts drafted from it."),
    ),
    Clause(
        "A13",
        _("Information security: customer data safe and reliable; promises kept."),
        _(
            "Access by post and customer, personal data masked and encrypted, who saw whom, a trail that nobody can "
            "rewrite unseen, backup with a restore drill."
        ),
        _("The service-level clock on complaints."),
        (
            "office:trail",
            "office:people",
            "office:personal_data",
            "customers:data_requests",
            "office:sharings",
            "office:assessments",
        ),
        ("trail", "refusals"),
    ),
    Clause(
        "B1.0",
        _("Review before any contract is signed."),
        lacks=_("Contracts and their review."),
    ),
    Clause(
        "B1.1",
        _("Examine the counterparty's legal standing."),
        _(
            "The check on the customer's file: credit code, registration, licence, scope, public lists and our own "
            "blacklist, each passed, failed or not known, with what would cure it; to print. What was looked up keeps "
            "its day and its evidence file."
        ),
        _("The contract that cannot be signed without it."),
        ("customers:list",),
        ("customers",),
    ),
    Clause(
        "B1.2",
        _("Examine the agent's identity and authority."),
        _("Agents with the five elements of their power, period and amount; whether one may sign is answered in full."),
        _("The contract, where a signature outside the power is refused."),
        ("customers:list",),
        ("customers",),
    ),
    Clause(
        "B1.3",
        _("Examine the ability to perform."),
        _("The same check reads grade, room of the line, overdue debt, orders carried out, lawsuits and enforcement."),
        _("The contract that cannot be signed without it."),
        ("customers:list",),
        ("customers",),
    ),
    Clause(
        "B1.4",
        _("Examine supporting documents; verify them with the issuer or on site."),
        _(
            "Papers wait until somebody else than who brought them has verified them with the issuer, on site or "
            "online; the same scan under two customers is flagged; what is forged leaves scoring."
        ),
        places=("customers:inbox", "customers:list"),
        evidence=("facts",),
    ),
    Clause(
        "B2.1",
        _("Customers are managed by grade A, B, C or D, each with a limit, a term and a discount."),
        _(
            "Grade, limit, term and discount follow from the score sheet and change only by a request another signs; "
            "securities raise the line by the policy's share."
        ),
        places=(
            "credit:applications",
            "credit:line_requests",
            "credit:securities",
            "credit:rate_everybody",
            "credit:grade_reviews",
            "credit:card",
            "credit:fitted_cards",
            "office:policy",
        ),
        evidence=("lines", "applications", "line_requests", "ratings", "securities"),
    ),
    Clause(
        "B2.2",
        _("A form for every customer, kept up to date."),
        _("The credit sheet on the page, as PDF and Word, each field with its day and every change of it."),
        "",
        ("customers:list", "customers:create"),
        ("customers",),
    ),
    Clause(
        "B2.3",
        _("Application, investigation, approval, reply: rate, fix the grade, answer the customer in time."),
        _(
            "The application by us or by the customer's link, what it lacks, its clock in working days, investigation "
            "and references, the frozen rating, joint opinions, approval within authority, and the reply by letter."
        ),
        places=("credit:applications", "credit:line_requests", "credit:rate_everybody"),
        evidence=("applications", "ratings", "line_requests", "replies"),
    ),
    Clause(
        "B2.4",
        _("Track customers; a written annual review adjusts grade and limit."),
        _(
            "The daily run watches every customer; once a year each with a line is reviewed: a written report, what is "
            "proposed for grade, limit and term, signed in batch, with effect from a day; a report of the whole."
        ),
        places=("reviews:years", "collection:today", "credit:line_requests"),
        evidence=("reviews", "campaigns", "line_requests"),
    ),
    Clause(
        "B2.5",
        _("Late payers are downgraded by severity; malicious defaulters pay cash or are blacklisted."),
        _(
            "The ladder of the policy downgrades in the daily run; a malicious default is cash only at once; "
            "a blacklisted customer is refused on every path, its group and the persons behind it with it."
        ),
        places=("collection:today", "orders:holds", "customers:blacklist", "office:policy"),
        evidence=("downgrades", "standings"),
    ),
    Clause(
        "B2.6",
        _("Salespeople hand in information; results go back to the departments regularly."),
        _(
            "A quick note from the phone, which the credit office turns into a fact or dismisses with a reason; a "
            "digest for each department at the policy's pace."
        ),
        places=("customers:quick_note", "customers:inbox", "records:digests"),
        evidence=("notes", "digests"),
    ),
    Clause(
        "B3.1",
        _("When a counterparty breaks faith: cancel the credit sale, stop supply, go to law."),
        _(
            "Watched, supply stopped, cash only, suspended, blacklisted: each with its reason, binding orders at once; "
            "the blacklist with proposal, signature, notice, appeal and re-admission."
        ),
        _("Suppliers and the case at law."),
        ("customers:list", "customers:blacklist", "orders:holds"),
        ("standings",),
    ),
    Clause(
        "B3.2",
        _("When we break faith ourselves: notice with reasons, compensation, discipline."),
        lacks=_("The conduct case."),
    ),
    Clause(
        "B4.1",
        _("Contract files are handed over within a month and verified within a month."),
        lacks=_("Hand-over clocks and lists."),
    ),
    Clause(
        "B4.2",
        _("A complete credit file for every customer."),
        lacks=_("The meter of what is missing or stale."),
    ),
    Clause(
        "B4.3",
        _("Reading a file needs a request; lending and return are recorded; loss and leaks are pursued."),
        lacks=_("The register of loans."),
    ),
    Clause(
        "C1",
        _("A credit management body is set up."),
        lacks=_("The body, its members and deputies."),
    ),
    Clause(
        "C2",
        _("A vice-president is in charge; members are appointed."),
        _("Appointments with their period; authority follows the appointment from the next request on."),
        places=("office:people",),
        evidence=("appointments",),
    ),
    Clause(
        "C3.1",
        _("Spread the law of contract and credit."),
        lacks=_("Training and a library of laws and rules."),
    ),
    Clause(
        "C3.2",
        _("Write and revise policy and procedures; run appraisals."),
        _("Policy versions: draft, checked by rule, compared, in force from a day; every decision keeps its version."),
        _("A draft tried on the live portfolio; appraisal of departments and staff."),
        ("office:policy", "office:versions"),
        ("policies",),
    ),
    Clause(
        "C3.3",
        _("Investigate customers; a credit file that is kept dynamic."),
        _("The credit file: identity, line, exposure, payment record, facts with evidence, statements, decisions."),
        "",
        ("customers:list",),
        ("customers", "facts"),
    ),
    Clause(
        "C3.4",
        _("Grant credit: approve, follow, regular statistics."),
        _(
            "Rating of one or of all, lines approved within authority, followed in the daily run; what is granted and "
            "used by grade, industry, region and salesperson."
        ),
        places=("credit:applications", "credit:line_requests", "credit:rate_everybody", "records:granted"),
        evidence=("lines", "ratings"),
    ),
    Clause(
        "C3.5",
        _("Receivables: hold down their level, watch ageing daily, treat likely bad debts, prevent overdue."),
        _("The daily run with ageing that ties to the ledger; DSO and its family; disputes; who pays how."),
        _("Provision for expected loss."),
        ("collection:today", "receivables:aging", "records:figures"),
        ("days", "invoices", "receipts"),
    ),
    Clause(
        "C3.6",
        _("A standard dunning procedure and an effective recovery team; plans for overdue debts."),
        _("Dunning stages of the policy, letters with their delivery, a work list ranked by the money at stake."),
        _("Promises to pay, recovery plans, agency and lawyer, the clock of limitation."),
        ("collection:worklist", "collection:notices", "office:policy"),
        ("notices", "tasks"),
    ),
    Clause(
        "C3.7",
        _("Use the credit database to help sales open markets."),
        _("Unused room, upgrade candidates with what lacks, and quiet customers like good payers; internal use only."),
        places=("records:opportunities", "records:recommended"),
        evidence=("lines", "ratings"),
    ),
    Clause(
        "C4.1",
        _("The legal representative settles major issues, appraises, and is informed regularly."),
        _("What exceeds the authority of others waits for her on the home page."),
        _("The appraisal sheet and the monthly letter."),
        ("home", "credit:line_requests", "orders:holds"),
        ("line_requests", "overrides"),
    ),
    Clause(
        "C4.2",
        _("The head of credit: case meetings, policy, stopping unlawful contracts, ageing analysed daily."),
        _("The ageing of the day, the policy and the round on her desk."),
        _("Stopping a contract, the case library."),
        ("home", "collection:today", "office:policy"),
        ("days", "policies"),
    ),
    Clause(
        "C4.3",
        _("The credit administrator reviews contracts, keeps the contract seal, the ledger and the files."),
        lacks=_("The review queue, the register of the seal, the contract ledger."),
    ),
    Clause(
        "C4.4",
        _("Sales sign by law, check their own performance, keep informed, register, help with disputes."),
        lacks=_("The desk of sales with her contracts."),
    ),
    Clause(
        "C4.5",
        _("Finance informs of receipts and payments and analyses receivables by contract; technical opinion."),
        _("Import, matching by the order of Civil Code art. 560 or by hand, disputes and reversals."),
        _("The statement by contract and the technical opinion."),
        ("imports:list", "receivables:receipts", "receivables:invoices"),
        ("receipts", "matches", "imports"),
    ),
)
"""All 43 clauses, in the order of the regulation."""
