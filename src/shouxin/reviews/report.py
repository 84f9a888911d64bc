"""The written reports of the annual review (B2.4, domain 4.14): of one customer, and of the whole.

One content each for page, PDF and Word, written in the reader's language from what was kept.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from shouxin.customers.facts import name_of, shown_value
from shouxin.customers.models import Customer
from shouxin.lib import documents
from shouxin.lib.documents import Block, Paper
from shouxin.office import policies
from shouxin.office.book import SECURITIES, phrase
from shouxin.rules.annual_review import Reason
from shouxin.rules.industries import INDUSTRIES
from shouxin.rules.line import Limit
from shouxin.rules.policy import Grade

from . import portfolio, words
from .found import Found
from .models import Campaign, Review
from .portfolio import Portfolio

Chapters = Iterable[tuple[str, Iterable[Block]]]


def _english() -> bool:
    return (get_language() or "").startswith("en")


def _paper(campaign: Campaign, title: str, blocks: Iterable[Block], head: Iterable[Any]) -> Paper:
    house = phrase(policies.at(campaign.policy_version).policy.company.name)
    return documents.paper(title, blocks, house=house, language="en" if _english() else "zh-hans", head=head)


def _numbered(chapters: Chapters) -> list[Block]:
    """The chapters one after another, each under its number."""
    told: list[Block] = []
    for number, (title, body) in enumerate(chapters, 1):
        told += [documents.heading(f"{number}. {title}"), *body]
    return told


# --- one customer ---------------------------------------------------------------------------------


def paper(review: Review, *, total: Decimal | None = None) -> Paper:
    """The annual review report of one customer, eleven chapters, with the decision as it stands.

    `total`: all sales of the year in the company's currency, for a reader who may know them.
    """
    found, campaign = review.found, review.campaign
    chapters: Chapters = [
        (_("Customer and changes"), _customer(review.customer, found)),
        (_("Trade of the year"), _trade(review, found, total)),
        (_("Use of the line"), _use(found)),
        (_("How it paid"), _payment(found)),
        (_("Financial development"), _finance(found)),
        (_("Credit as others see it"), _outside(found)),
        (_("Securities"), _securities(found)),
        (_("Score beside the year before"), _score(found)),
        (_("Risks"), _risks(found)),
        (_("Overall opinion"), _conclusion(review, found)),
        (_("Decision"), _decision(review)),
    ]
    title = _("Annual credit review %(year)s: %(customer)s") % {"year": campaign.year, "customer": review.customer.name}
    head = [(_("Customer code"), review.customer.code), (_("Period"), _period(campaign)),
            (_("Currency"), found.currency)]  # fmt: skip
    return _paper(campaign, title, _numbered(chapters), head)


def _period(campaign: Campaign) -> str:
    return f"{campaign.first} – {campaign.last}"


def _customer(customer: Customer, found: Found) -> Iterator[Block]:
    industry = INDUSTRIES[customer.industry][1 if _english() else 0] if customer.industry else ""
    yield documents.facts(
        [
            (_("Customer"), customer.name), (_("Industry"), industry), (_("Region"), customer.region),
            (_("Salesperson"), customer.salesperson), (_("Customer for"), _months(found.year.months)),
            (_("Standing"), words.standing(found.year.standing)),
        ]
    )  # fmt: skip
    fields = {field.name: str(field.verbose_name) for field in Customer._meta.fields}
    changed = [(each.on, fields.get(each.what, each.what)) for each in found.changes]
    yield _table_or(_("No particulars were changed."), [_("Day"), _("Changed")], changed)
    if found.standings:
        yield documents.table(
            [_("Day"), _("Standing"), _("Why")],
            [(each.on, words.standing(each.what), each.said) for each in found.standings],
        )


def _months(n: int) -> str:
    return _("%(n)s months") % {"n": n}


def _trade(review: Review, found: Found, total: Decimal | None) -> Iterator[Block]:
    year = found.year
    change = year.sales / year.sales_before - 1 if year.sales_before > 0 else None
    rows: list[tuple[str, Any]] = [
        (_("Sales of the year"), words.money(year.sales)),
        (_("Sales of the year before"), words.money(year.sales_before)),
        (_("Change on the year before"), words.percent(change)),
        (_("Invoices in twelve months"), found.payment.invoices),
    ]
    if total:
        rows.append((_("Share of all sales reviewed"), words.percent(review.sales_worth / total)))
    yield documents.facts(rows)


def _use(found: Found) -> Iterator[Block]:
    year = found.year
    peak = words.money(year.peak_use) + (f" ({found.peak_on})" if found.peak_on else "")
    rows = [
        (_("Line held"), words.terms(year.held, found.currency)),
        (_("Most used"), peak),
        (_("Used on average"), words.money(year.mean_use)),
        (_("Average share of the limit"), _share_of(year.mean_use, year.held.limit)),
        (_("Days above the limit"), year.times_over),
    ]
    yield documents.facts(rows)
    if found.lines:
        yield documents.table([_("Day"), _("Line"), _("Cause")],
                              [(each.on, each.said, words.cause(each.what)) for each in found.lines])  # fmt: skip
    yield documents.note(
        _("Used is the greater of what was owed by the documents' days and what the journal of exposure counted.")
    )


def _share_of(amount: Any, limit: Limit) -> str:
    return words.percent(amount / limit.amount if limit.amount else None)


def _payment(found: Found) -> Iterator[Block]:
    year, paid = found.year, found.payment
    yield documents.facts(
        [
            (_("Paid on time, by amount"), words.percent(year.on_time_share)),
            (_("Paid on time, by number"), words.percent(paid.on_time_by_count)),
            (_("Mean days late"), paid.mean_days_late), (_("Most days late"), year.max_days_late),
            (_("Late payments"), paid.late_payments), (_("Days of sales owed"), paid.days_sales),
            (_("Owed on the last day"), words.money(paid.owed)), (_("Overdue"), words.money(year.overdue)),
            (_("Overdue for more than a year"), words.money(paid.aged)), (_("In dispute"), words.money(paid.contested)),
        ]
    )  # fmt: skip


def _finance(found: Found) -> Iterator[Block]:
    keys = list(found.balances[-1].values) if found.balances else []
    rows = [
        [name_of(key), *(words.money(each.values.get(key)) for each in found.balances)]
        for key in keys
        if any(each.values.get(key) is not None for each in found.balances)
    ]
    columns = [_("Figure"), *(str(each.as_of) for each in found.balances)]
    yield _table_or(_("No financial statement is known."), columns, rows, right=range(1, len(columns)))


def _outside(found: Found) -> Iterator[Block]:
    ended = _("ended")
    rows = [
        (each.on, name_of(each.what), shown_value(each.said), ended if each.ended else "") for each in found.outside
    ]
    yield _table_or(_("Nothing was noted in the year."), [_("Day"), _("What"), _("Noted"), _("Since then")], rows)


def _securities(found: Found) -> Iterator[Block]:
    rows = [
        (SECURITIES.get(each.kind, each.kind), each.document, f"{words.money(each.value)} {each.currency}", each.until)
        for each in found.securities
    ]
    columns = [_("Security"), _("Document"), _("Value of the security"), _("Until")]
    yield _table_or(_("There was none in force on the last day."), columns, rows)


def _score(found: Found) -> Iterator[Block]:
    score = found.score
    if score.points is None:
        yield documents.text(_("It could not be rated."))
        return
    rated = found.year.rated
    yield documents.facts(
        [
            (_("Points"), score.points),
            (_("Points before"), f"{score.before} ({score.before_on})" if score.before_on else None),
            (_("Grade by the card"), rated.grade if rated else None),
            (_("Limit by the rating"), words.limit(rated.limit, found.currency) if rated else None),
            (_("Points resting on known answers"), words.percent(score.coverage)),
        ]
    )
    rows = [(name_of(each.fact), each.before, each.after) for each in score.answers]
    yield documents.table([_("Question"), _("Points before"), _("Points now")], rows, right=(1, 2))


def _risks(found: Found) -> Iterator[Block]:
    risks = [each for each in found.proposal.reasons if each.code in RISKS]
    yield from _lines([*risks, *found.proposal.lacking], _("None was found."))


RISKS = {"limit_was_exceeded", "paid_very_late", "sales_fell", "blacklisted", "limit_above_rating", "grade_worse"}
"""The reasons a reader has to know whatever is proposed."""


def _lines(reasons: Iterable[Reason], none: str) -> Iterator[Block]:
    told = list(dict.fromkeys(words.reason(each) for each in reasons))
    if not told:
        yield documents.text(none)
    for line in told:
        yield documents.text(f"· {line}")


def _conclusion(review: Review, found: Found) -> Iterator[Block]:
    old, new, currency = found.year.held, found.proposal.terms, found.currency
    rows = [
        (_("Grade"), old.grade, new.grade),
        (_("Limit"), words.limit(old.limit, currency), words.limit(new.limit, currency)),
        (_("Term"), words.days(old.term_days), words.days(new.term_days)),
        (_("Cash discount"), words.discount(old), words.discount(new)),
    ]
    yield documents.text(_("Proposal: %(action)s.") % {"action": review.get_action_display()})  # type: ignore[attr-defined]
    yield documents.table([_("Terms"), _("Terms held"), _("Terms proposed")], rows)
    yield from _lines(found.proposal.reasons, _("The year gives no cause to change it."))
    if review.remark:
        yield documents.text(_("Assessment: %(remark)s") % {"remark": review.remark})


def _decision(review: Review) -> Iterator[Block]:
    request = review.request
    state = str(words.STATES[words.state_of(review)][0])
    if request is None:
        yield documents.text(f"{state}: {review.fault}")
        return
    rows = [
        (_("State"), state), (_("Proposed by"), request.requested_by),
        (_("Decided by"), request.decided_by), (_("Decided on"), _day(request.decided_at)),
        (_("Effective from"), request.since), (_("Holds until"), request.until),
    ]  # fmt: skip
    yield documents.facts(rows)
    if request.status == "approved":
        told = {"grade": request.grade, "limit": words.asked_limit(review), "days": words.days(request.term_days)}
        yield documents.text(_("Signed: grade %(grade)s, %(limit)s, %(days)s.") % told)
    if request.decision_reason:
        yield documents.text(_("Reason: %(reason)s") % {"reason": request.decision_reason})
    yield documents.signature(_("Credit administrator"), _("Credit manager"), _("Approved by (seal)"))


def _day(moment: Any) -> date | None:
    return timezone.localdate(moment) if moment else None


def _table_or(none: str, columns: list[str], rows: Iterable[Any], *, right: Iterable[int] = ()) -> Block:
    """The table, or a sentence where it would be empty."""
    found = list(rows)
    return documents.table(columns, found, right=right) if found else documents.text(none)


# --- the whole ------------------------------------------------------------------------------------


def portfolio_paper(campaign: Campaign) -> Paper:
    """The report of the whole year."""
    whole = portfolio.of(campaign)
    currency = policies.at(campaign.policy_version).policy.company.currency
    chapters: Chapters = [
        (_("What was reviewed"), _coverage(campaign, whole)),
        (_("Moves of grade"), _moves(whole)),
        (_("Receivables by grade"), _grades(whole)),
        (_("Largest customers"), _largest(whole)),
        (_("Proposals and decisions"), _proposals(whole)),
        (_("What the year says of the policy"), _lines(whole.advice, _("Nothing speaks against it."))),
    ]
    blocks = _numbered(chapters)
    if campaign.summary:
        blocks += [documents.heading(_("Summary")), documents.text(campaign.summary)]
    blocks.append(documents.signature(_("Credit manager"), _("Vice-president"), _day(campaign.closed_at) or ""))
    head = [(_("Period"), _period(campaign)), (_("Currency"), currency),
            (_("Status"), campaign.get_status_display())]  # type: ignore[attr-defined] # fmt: skip
    return _paper(campaign, _("Annual credit review %(year)s") % {"year": campaign.year}, blocks, head)


def _coverage(campaign: Campaign, whole: Portfolio) -> Iterator[Block]:
    yield documents.facts(
        [
            (_("Customers"), whole.customers),
            (_("With a line"), whole.concerned),
            (_("Without a line"), whole.without_line),
            (_("Reviewed"), whole.reviewed),
            (_("Opened by"), campaign.opened_by),
            (_("Effective from"), campaign.effective_from),
        ]
    )


def matrix(whole: Portfolio) -> tuple[list[str], list[list[Any]]]:
    """(columns, rows) of the moves of grade: rows are the grades before, columns those after."""
    counts = {(before, after): n for before, after, n in whole.moved}
    grades = [*Grade]
    rows = [[before or words.NONE, *(counts.get((before, after), 0) for after in grades)]
            for before in dict.fromkeys([*grades, *(each[0] for each in whole.moved)])]  # fmt: skip
    return [_("Before \\ after"), *grades], rows


def _moves(whole: Portfolio) -> Iterator[Block]:
    columns, rows = matrix(whole)
    yield documents.table(columns, rows, right=range(1, len(columns)))
    better = sum(n for before, after, n in whole.moved if before and after < before)
    worse = sum(n for before, after, n in whole.moved if before and after > before)
    yield documents.note(
        _("Better: %(better)s, worse: %(worse)s; open proposals count as proposed, declined ones as kept.")
        % {"better": better, "worse": worse}
    )


def _grades(whole: Portfolio) -> Iterator[Block]:
    rows = [
        (each.grade, each.customers, words.money(each.sales), words.money(each.owed), words.money(each.overdue),
         words.percent(each.overdue_share), words.money(each.aged))
        for each in whole.grades
    ]  # fmt: skip
    total = (_("Total"), whole.reviewed, words.money(whole.sales), words.money(whole.owed), words.money(whole.overdue),
             words.percent(whole.share(whole.overdue)), words.money(whole.aged))  # fmt: skip
    columns = [_("Grade"), _("Customers"), _("Sales"), _("Owed"), _("Overdue, undisputed"),
               _("Overdue ratio, undisputed"), _("Over a year late")]  # fmt: skip
    yield documents.table(columns, [*rows, total], right=range(1, 7))


def _largest(whole: Portfolio) -> Iterator[Block]:
    wanted = [each.customer for each in (*whole.by_sales, *whole.by_overdue)]
    names = dict(Customer.objects.filter(pk__in=wanted).values_list("pk", "name"))
    for title, rows in ((_("Sales"), whole.by_sales), (_("Overdue"), whole.by_overdue)):
        told = [(names.get(each.customer), each.grade, words.money(each.amount)) for each in rows]
        yield _table_or(_("None."), [_("Customer"), _("Grade"), title], told, right=(2,))


def _proposals(whole: Portfolio) -> Iterator[Block]:
    actions: dict[str, Any] = dict(Review.ACTIONS)
    rows = [(actions[key], n) for key, n in whole.actions.items()]
    rows += [(words.STATES[key][0], n) for key, n in whole.states.items()]
    yield documents.table([_("Proposal or state"), _("Customers")], rows, right=(1,))
    rest = _("; not added: %(currencies)s, without a rate") % {"currencies": ", ".join(whole.unmeasured)}
    told = {"before": words.money(whole.limits_before), "after": words.money(whole.limits_after)}
    limits = _("Limits that are amounts: %(before)s before, %(after)s after") % told
    yield documents.text(limits + (rest if whole.unmeasured else "") + _("."))
