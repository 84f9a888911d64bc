"""The letter that tells a customer of its lowered grade and, where supply on credit stops, of that (domain 4.5)."""

from datetime import datetime

from shouxin.credit import reply_letters
from shouxin.credit.models import Line
from shouxin.credit.reply_letters import Letterhead
from shouxin.customers import mails
from shouxin.customers.models import Mail
from shouxin.lib import documents, numbering
from shouxin.office import trail
from shouxin.office.models import Person
from shouxin.office.policies import Edition
from shouxin.rules.daily import Verdict

from .facts import Known

KIND = "downgrade"
STOPPED = frozenset({"stopped", "cash_only"})


def write(
    known: Known, verdict: Verdict, before: Line, after: Line, *, edition: Edition, by: Person, at: datetime
) -> Mail:
    """Put the letter into the outbox, in the caller's transaction: what is overdue, old and new terms, the cure."""
    customer, today = known.customer, after.since
    number = numbering.take(f"TZ{today.year}", digits=5)[0]
    head = Letterhead(edition.policy.company, customer.name, number, today, reply_letters.spoken(known.language))
    overdue = [
        (item.document, reply_letters.day(item.falls_due_on, head.language), f"{item.currency} {item.uncontested:,.2f}")
        for item in sorted(known.items, key=lambda item: item.falls_due_on)
        if item.uncontested and item.overdue_days(today) > 0
    ]
    paper = reply_letters.downgraded(
        head, reply_letters.terms_of(before), reply_letters.terms_of(after), overdue=overdue,
        late=any(reason.code == "late_payments" for reason in verdict.reasons), stopped=verdict.standing in STOPPED,
        clean_months=edition.policy.downgrade.upgrade_clean_months,
    )  # fmt: skip
    return mails.write(
        kind=KIND, about=trail.name_of(after), to=customer.email, subject=f"{paper['title']} {number}",
        body=documents.plain(paper), by=by, at=at, customer=customer, paper=paper, language=head.language,
        paper_name=f"{paper['title']}-{number}",
    )  # fmt: skip
