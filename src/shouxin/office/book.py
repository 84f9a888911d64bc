"""The policy as a book to be read: chapters with tables and sentences in the reader's language, not its YAML."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from shouxin.rules.policy import (
    FACTORS,
    REASON_CODES,
    Addition,
    Band,
    Discount,
    GradeTerms,
    Policy,
    Post,
    Question,
    Text,
    Trigger,
)
from shouxin.rules.policy import (
    ORIENTATIONS as ORIENTATION_KEYS,
)

from .factor_words import FACTORS as FACTOR_WORDS
from .factor_words import ORIENTATIONS
from .models import POST_LABELS

Word = str | Promise

METHODS: dict[str, Word] = {
    "sales_volume": gettext_lazy("by sales"),
    "collections": gettext_lazy("by collections"),
    "net_worth": gettext_lazy("by net worth"),
    "working_assets": gettext_lazy("by working assets"),
    "paid_in_capital": gettext_lazy("by paid-in capital"),
    "feature_analysis": gettext_lazy("by feature analysis"),
    "net_worth_card": gettext_lazy("by the net-worth card"),
}
SEVERITIES: dict[str, Word] = {
    "warn": gettext_lazy("warns"),
    "hold": gettext_lazy("holds the order"),
    "decline": gettext_lazy("declines the order"),
}
MASKED_WORDS: dict[str, Word] = {
    "telephone": gettext_lazy("telephone"),
    "email": gettext_lazy("e-mail for letters"),
    "address": gettext_lazy("address of a natural person"),
    "bank_account": gettext_lazy("bank account"),
    "id_number": gettext_lazy("identity number"),
}
STANDINGS: dict[str, Word] = {
    "watched": gettext_lazy("watched"),
    "stopped": gettext_lazy("supply stopped"),
    "cash_only": gettext_lazy("cash only"),
}
ANSWERS: dict[str, Word] = {
    "true": gettext_lazy("yes"),
    "false": gettext_lazy("no"),
    "good": gettext_lazy("good (reference)"),
    "fair": gettext_lazy("fair (reference)"),
    "poor": gettext_lazy("poor (reference)"),
}
"""The answers that are words."""

SECURITIES: dict[str, Word] = {
    "mortgage": gettext_lazy("Mortgage"),
    "pledge": gettext_lazy("Pledge"),
    "joint_guarantee": gettext_lazy("Joint guarantee"),
    "general_guarantee": gettext_lazy("General guarantee"),
    "bank_guarantee": gettext_lazy("Bank guarantee"),
    "deposit": gettext_lazy("Deposit"),
    "insurance": gettext_lazy("Credit insurance"),
}
REASONS: dict[str, Word] = {
    "blacklisted": gettext_lazy("The customer is blacklisted"),
    "suspended": gettext_lazy("Business is suspended"),
    "stopped": gettext_lazy("Supply is stopped"),
    "cash_only": gettext_lazy("The customer pays before delivery"),
    "no_line": gettext_lazy("No line was ever granted"),
    "line_expired": gettext_lazy("The line has run out"),
    "limit_exceeded": gettext_lazy("The limit would be exceeded"),
    "group_limit_exceeded": gettext_lazy("The group's pool would be exceeded"),
    "overdue_days": gettext_lazy("An item is overdue too long"),
    "overdue_amount": gettext_lazy("Too much is overdue"),
    "dunning_level": gettext_lazy("Dunning has gone too far"),
    "document_too_large": gettext_lazy("The order is too large for the grade"),
    "terms_loosened": gettext_lazy("Better terms than the line grants"),
    "review_overdue": gettext_lazy("The periodic review is overdue"),
    "contract_stopped": gettext_lazy("The contract is stopped"),
    "unknown_customer": gettext_lazy("The customer is not registered"),
    "currency_unknown": gettext_lazy("An exchange rate is missing"),
    "proof_failed": gettext_lazy("The account waits to be looked at"),
}


@dataclass(frozen=True)
class Table:
    """Heads and rows of a chapter; `caption` may be empty. Rows that are numbers stand in `numeric` columns."""

    heads: Sequence[str]
    rows: Sequence[Sequence[Any]]
    caption: str = ""
    numeric: frozenset[int] = frozenset()

    @property
    def marked(self) -> list[list[tuple[Any, bool]]]:
        """Cells with whether they stand on the right."""
        return [[(cell, place in self.numeric) for place, cell in enumerate(row)] for row in self.rows]

    @property
    def marked_heads(self) -> list[tuple[str, bool]]:
        """Heads with whether they stand on the right."""
        return [(head, place in self.numeric) for place, head in enumerate(self.heads)]


@dataclass(frozen=True)
class Chapter:
    """One chapter: its key in the YAML, its title, sentences, tables."""

    key: str
    title: str
    sentences: Sequence[str] = ()
    tables: Sequence[Table] = ()


def _market(policy: Policy) -> Chapter:
    rule, told = policy.market, policy.digest
    sentences = [
        _("Recommended are units in good standing from grade %(grade)s up, customers for %(months)s months, with "
          "%(clean)s months without a late payment and %(paid)s invoices paid, nothing overdue and no dispute.")
        % {"grade": rule.grade_min, "months": rule.months_min, "clean": rule.clean_months_min,
           "paid": rule.paid_invoices_min},
        _("Sales are shown unused room from %(share)s of the line, customers within %(points)s points of the next "
          "grade, and those without an invoice for %(months)s months that are like good payers.")
        % {"share": share(rule.headroom_share_min), "points": number(rule.upgrade_points_max),
           "months": rule.quiet_months},
        _("Each department is told every week of what concerns it.") if told.cadence == "weekly" else
        _("Each department is told every month of what concerns it."),
    ]  # fmt: skip
    return Chapter("market", _("Recommending and opportunities"), sentences, [])


def chapters(policy: Policy) -> list[Chapter]:
    """The whole book, in the order in which it is lived."""
    makers = (
        _grades,
        _scorecard,
        _triggers,
        _limits,
        _features,
        _market,
        _downgrade,
        _aging,
        _dunning,
        _approval,
        _order_check,
        _personal_data,
        _evidence,
    )
    return [make(policy) for make in makers]


def phrase(text: Text) -> str:
    """A phrase of the book in the reader's language."""
    return text.zh if (get_language() or "").startswith("zh") else text.en


# --- the grades ----------------------------------------------------------------------------------


def _grades(policy: Policy) -> Chapter:
    heads = [_("Grade"), _("Meaning"), _("Score from"), _("Share of the suggested limit"), _("Largest limit"),
             _("Term"), _("Longest term"), _("Discount"), _("Held when overdue more than"), _("Largest order"),
             _("Review every"), _("Exceptions by")]  # fmt: skip
    rows = [_grade_row(grade.value, terms) for grade, terms in policy.grades.items()]
    newcomer = policy.new_customer
    sentence = _(
        "A new customer (fewer than %(invoices)s paid invoices) has grade %(grade)s at best and a limit of %(limit)s "
        "at most."
    ) % {"invoices": newcomer.paid_invoices_min, "grade": newcomer.grade_max, "limit": money(newcomer.limit_max)}
    table = Table(heads, rows, numeric=frozenset({2, 3, 4, 5, 6, 8, 9, 10}))
    return Chapter("grades", _("Grades: limit, term and discount"), [sentence], [table])


def _grade_row(grade: str, terms: GradeTerms) -> list[Any]:
    return [
        grade, phrase(terms.meaning), number(terms.score_min), number(terms.limit_coefficient), money(terms.limit_max),
        days(terms.term_days), days(terms.term_days_max), discount(terms.discount), days(terms.overdue_days_max),
        money(terms.document_max), _("%(months)s months") % {"months": terms.review_months}, post(terms.exceptions_by),
    ]  # fmt: skip


# --- scorecard, vetoes and caps ------------------------------------------------------------------


def _scorecard(policy: Policy) -> Chapter:
    heads = [_("Question"), _("Answers and points"), _("At most"), _("Unknown"), _("Stale after")]
    tables = [
        Table(
            heads,
            [question_row(question) for question in group.questions],
            _("%(name)s: %(weight)s points") % {"name": phrase(group.text), "weight": number(group.weight)},
            frozenset({2, 3, 4}),
        )
        for group in policy.scorecard
    ]
    return Chapter("scorecard", _("Scorecard"), [_("The points add up to 100; the grade follows from them.")], tables)


def question_row(question: Question) -> list[Any]:
    """A question in words: what it asks, the scale, its points at most and unknown, when it is too old."""
    fresh = days(question.fresh_days) if question.fresh_days is not None else _("never stale")
    told = " · ".join(bands(question.bands))
    return [phrase(question.text), told, number(question.points_max), number(question.unknown_points), fresh]


def bands(bands: Sequence[Band]) -> Iterator[str]:
    """A scale in words, band by band."""
    for band in bands:
        yield f"{_answer(band)}: {number(band.points)}"


def _answer(band: Band | Addition) -> str:
    if band.value is not None:
        return str(ANSWERS.get(str(band.value).lower(), band.value))
    return _("above") if band.up_to is None else f"≤ {number(band.up_to)}"


def _triggers(policy: Policy) -> Chapter:
    rows = [[phrase(each.text), condition(each), each.grade.value] for each in policy.triggers]
    sentence = _("Whatever the score: whom one of these meets has the grade named at best. D is a veto.")
    return Chapter(
        "triggers", _("Vetoes and caps"), [sentence], [Table([_("What"), _("Condition"), _("At best")], rows)]
    )


def condition(trigger: Trigger) -> str:
    """When a veto or cap holds, in words."""
    if trigger.missing:
        return _("not known")
    if trigger.equals is not None:
        return f"= {trigger.equals}"
    return f"> {number(trigger.more_than)}" if trigger.more_than is not None else _("yes")


# --- limits, downgrade, ageing -------------------------------------------------------------------


def _limits(policy: Policy) -> Chapter:
    book, lines = policy.limits, policy.lines
    methods = ", ".join(str(METHODS[each]) for each in book.use)
    sentences = [
        _("The suggested limit is the least of those that can be computed: %(methods)s.") % {"methods": methods},
        _("No customer may owe more than %(amount)s; limits are rounded down to %(step)s.")
        % {"amount": money(book.concentration_max), "step": money(book.round_down_to)},
        _("Net worth counts with %(share)s, paid-in capital with %(capital)s; sales of %(months)s months are read.")
        % {"share": share(book.net_worth_share), "capital": share(book.paid_in_capital_share),
           "months": book.sales_months},
        _("A line runs %(months)s months; its end is announced %(days)s days before.")
        % {"months": lines.months, "days": ", ".join(map(str, lines.expiry_notice_days))},
        _("It may begin at most %(days)s days ahead.") % {"days": lines.ahead_days_max},
    ]  # fmt: skip
    heads = [_("Value up to"), _("Share of working assets")]
    rows = [[_("above") if up_to is None else number(up_to), share(part)] for up_to, part in book.working_assets]
    table = Table(heads, rows, str(METHODS["working_assets"]), frozenset({0, 1}))
    tables = [table, *_net_worth_card(policy), _securities(policy)]
    return Chapter("limits", _("How a limit is suggested"), [*sentences, *_secured(policy)], tables)


def _secured(policy: Policy) -> Iterator[str]:
    rule = policy.securities
    words = _("Securities raise lines of the grades %(grades)s by at most %(share)s of the line, at most %(amount)s.")
    yield words % {
        "grades": ", ".join(rule.grades), "share": share(rule.raise_share_max), "amount": money(rule.raise_max),
    }  # fmt: skip
    yield _("The end of a security is announced %(days)s days before.") % {
        "days": ", ".join(map(str, rule.notice_days))
    }


def _securities(policy: Policy) -> Table:
    rows = [[str(SECURITIES[kind]), share(part)] for kind, part in policy.securities.shares.items()]
    return Table([_("Kind of security"), _("Share of its value that counts")], rows, _("Securities"), frozenset({1}))


def _net_worth_card(policy: Policy) -> Iterator[Table]:
    rows = [[phrase(each.text), " · ".join(_additions(each.bands))] for each in policy.limits.net_worth_card]
    if rows:
        yield Table([_("Question"), _("Answers and shares of net worth")], rows, _("Net-worth card"))


def _additions(bands: Sequence[Addition]) -> Iterator[str]:
    for band in bands:
        yield f"{_answer(band)}: {share(band.share)}"


def _features(policy: Policy) -> Chapter:
    model = policy.features
    sentences = [
        _("Weights in use: %(orientation)s.") % {"orientation": ORIENTATIONS[model.orientation]},
        _("A factor nobody scored counts 0.") if model.unknown == "zero" else _("A factor nobody scored is left out."),
        _("With less than %(share)s of the weight scored the model does not count.")
        % {"share": share(model.coverage_min)},
        _("Up to %(none)s of the possible points there is no credit, up to %(watch)s the customer is watched closely.")
        % {"none": share(model.no_credit_up_to), "watch": share(model.watch_up_to)},
    ]
    rows = [
        [FACTOR_WORDS[factor], *(number(model.weights[each][factor]) for each in ORIENTATION_KEYS)]
        for factor in FACTORS
    ]
    heads = [_("Factor"), *(str(ORIENTATIONS[each]) for each in ORIENTATION_KEYS)]
    return Chapter("features", _("Feature analysis"), sentences, [Table(heads, rows, numeric=frozenset({1, 2, 3}))])


def _downgrade(policy: Policy) -> Chapter:
    book = policy.downgrade
    rows = [
        [days(rung.overdue_days_min), _fall(rung.to, rung.steps), STANDINGS.get(rung.standing or "", "—"),
         _("no") if rung.no_increase else _("yes")]
        for rung in book.ladder
    ]  # fmt: skip
    sentences = [
        _("Overdue sums below %(amount)s never cost a grade.") % {"amount": money(book.amount_min)},
        _("%(count)s late payments within %(months)s months cost %(steps)s grade.")
        % {"count": book.late_payments_count, "months": book.late_payments_months, "steps": book.late_payments_steps},
        _("A way back up takes %(months)s months without delay.") % {"months": book.upgrade_clean_months},
    ]
    heads = [_("Overdue from"), _("Grade"), _("Standing"), _("May the line be raised")]
    return Chapter("downgrade", _("Downgrade ladder"), sentences, [Table(heads, rows, numeric=frozenset({0}))])


def _fall(to: Any, steps: int) -> str:
    if to:
        return _("to %(grade)s") % {"grade": to}
    return _("%(steps)s lower") % {"steps": steps} if steps else _("stays")


def _aging(policy: Policy) -> Chapter:
    bounds = policy.aging.up_to
    spans = [_("not due"), *[_span(low, high) for low, high in zip((0, *bounds), (*bounds, None), strict=True)]]
    sentence = _("Age is counted in days after the due date; the upper bound belongs to its bucket.")
    return Chapter("aging", _("Ageing"), [sentence, " | ".join(spans)])


def _span(low: int, high: int | None) -> str:
    return f"> {low}" if high is None else f"{low + 1}–{high}"


# --- dunning, authority, order check -------------------------------------------------------------


def _dunning(policy: Policy) -> Chapter:
    heads = [_("Stage"), _("Name of the stage"), _("Overdue from"), _("Duty of"), _("Letter"), _("Evidence"),
             _("Deadline"), _("Standing")]  # fmt: skip
    rows = [
        [each.stage, phrase(each.name), days(each.overdue_days_min), post(each.owner), _yes(each.notice),
         _yes(each.evidence), days(each.deadline_days), STANDINGS.get(each.standing or "", "—")]
        for each in policy.dunning.stages
    ]  # fmt: skip
    sentence = _("Claims up to %(amount)s are not dunned; between two letters lie at least %(days)s days.") % {
        "amount": money(policy.dunning.amount_min),
        "days": policy.dunning.quiet_days,
    }
    return Chapter("dunning", _("Dunning"), [sentence], [Table(heads, rows, numeric=frozenset({0, 2, 6}))])


def _approval(policy: Policy) -> Chapter:
    book = policy.approval
    rows = [[post(each.post), money(each.amount_max, _("without bound"))] for each in book.authority]
    sentences = [
        _("Measured is what the customer may owe in all after the approval; requests within %(days)s days add up.")
        % {"days": book.split_days},
        _("Grade D with credit: %(post)s. Unlimited lines: %(unlimited)s. Beyond the suggestion: %(over)s.")
        % {"post": post(book.grade_d_by), "unlimited": post(book.unlimited_by), "over": post(book.over_suggestion_by)},
        _("A temporary limit lasts at most %(days)s days.") % {"days": book.temporary_days_max},
    ]
    return Chapter("approval", _("Authority"), sentences,
                   [Table([_("Post"), _("Signs up to")], rows, numeric=frozenset({1}))])  # fmt: skip


def _order_check(policy: Policy) -> Chapter:
    book = policy.order_check
    rows = [[REASONS[code], SEVERITIES[book.severity[code]], _by_grade(policy, code)] for code in REASON_CODES]
    sentences = [
        _("A reservation lives %(days)s days, or until the day the order ships, at most %(most)s days ahead. A release "
          "lives at most %(release)s days; the order may come back %(share)s larger.")
        % {"days": book.reservation_days, "most": book.reservation_days_max, "release": book.release_days,
           "share": share(book.release_tolerance)},
        _("Overdue sums up to %(min)s are a residue and hold nothing; dunning up to stage %(stage)s does not either.")
        % {"min": money(book.overdue_amount_min), "stage": book.dunning_stage_max},
    ]  # fmt: skip
    heads = [_("Reason"), _("What it does"), _("Otherwise for a grade")]
    return Chapter("order_check", _("Order check"), sentences, [Table(heads, rows)])


def _by_grade(policy: Policy, code: str) -> str:
    own = {grade: terms.severity[code] for grade, terms in policy.grades.items() if code in terms.severity}
    return ", ".join(f"{grade}: {SEVERITIES[severity]}" for grade, severity in own.items())


def _personal_data(policy: Policy) -> Chapter:
    guard = policy.personal_data
    rows = [[MASKED_WORDS[name], ", ".join(map(post, getattr(guard.unmask, name)))] for name in MASKED_WORDS]
    sentences = [
        _("A masked particular is shown in full only to these posts, one at a time and with a reason that is kept."),
        _("Uploads, workbooks of refused rows and old sessions are cleared away after %(hours)s hours; the file of a "
          "natural person is kept %(years)s years after the last business.")
        % {"hours": guard.purge_hours, "years": guard.keep_years},
        _("A protection impact assessment is looked at again after %(months)s months, which is told %(days)s days "
          "before, and kept for %(years)s years after it was in force.")
        % {"months": guard.assessment_months, "days": guard.assessment_notice_days,
           "years": guard.assessment_keep_years},
    ]  # fmt: skip
    return Chapter("personal_data", _("Personal data"), sentences, [Table([_("Particular"), _("Shown to")], rows)])


def _evidence(policy: Policy) -> Chapter:
    rules = policy.evidence
    sentences = [
        _("A file kept as evidence has at most %(size)s MB; photos are kept with at most %(edge)s pixels along the "
          "longer edge, without the place and the device.")
        % {"size": rules.file_mb_max, "edge": rules.photo_edge_max},
    ]  # fmt: skip
    return Chapter("evidence", _("Evidence"), sentences, [])


# --- values --------------------------------------------------------------------------------------


def money(amount: Decimal | None, none: str = "") -> str:
    """An amount of the company's currency; None is without bound."""
    return none or _("without bound") if amount is None else f"{amount:,.2f}".removesuffix(".00")


def number(value: Decimal | int | None) -> str:
    """A number without trailing zeros."""
    return "—" if value is None else f"{Decimal(value).normalize():f}"


def share(value: Decimal) -> str:
    """0.8 as 80 %."""
    return f"{number(value * 100)} %"


def days(value: int) -> str:
    """So many days."""
    return _("%(days)s days") % {"days": value}


def discount(value: Discount | None) -> str:
    """2/10 in words."""
    if value is None:
        return "—"
    return _("%(percent)s %% within %(days)s days") % {"percent": number(value.percent), "days": value.days}


def post(value: Post) -> str:
    """The post's name."""
    return str(POST_LABELS[value])


def _yes(value: bool) -> str:
    return _("yes") if value else _("no")
