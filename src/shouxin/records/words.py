"""The figures in words: names, meanings, formulas with their inputs named, and why there is no value."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Word = str | Promise

NAMES: dict[str, Word] = {
    "dso": _("DSO, simple"),
    "countback_dso": _("DSO, countback"),
    "best_possible_dso": _("Best possible DSO"),
    "average_days_delinquent": _("Average days delinquent"),
    "overdue_ratio": _("Overdue ratio"),
    "collection_effectiveness": _("Collection effectiveness"),
    "turnover": _("Receivables turnover"),
    "turnover_days": _("Turnover in days"),
    "limit_utilisation": _("Limit utilisation"),
    "weighted_overdue_days": _("Weighted overdue days"),
}
MEANINGS: dict[str, Word] = {
    "dso": _("How many days' sales stand open."),
    "countback_dso": _("The same, months used up newest first: not fooled by the season."),
    "best_possible_dso": _("What it would be if everybody paid on the due date."),
    "average_days_delinquent": _("What late payment costs: DSO less the best possible."),
    "overdue_ratio": _("The part of the receivables that is past due."),
    "collection_effectiveness": _("Of what could have been collected in the period, the part that was."),
    "turnover": _("How often the receivables turned into money in the year."),
    "turnover_days": _("How long it takes to turn them once."),
    "limit_utilisation": _("How much of the limits granted is in use."),
    "weighted_overdue_days": _("How old what is overdue is on average, by amount."),
}
FORMULAS: dict[str, Word] = {
    "dso": _("receivables ÷ credit sales × days"),
    "countback_dso": _("whole days + left ÷ sales of the month × days of the month"),
    "best_possible_dso": _("not due ÷ credit sales × days"),
    "average_days_delinquent": _("(receivables − not due) ÷ credit sales × days"),
    "overdue_ratio": _("overdue ÷ receivables"),
    "collection_effectiveness": _("(opening + credit sales − closing) ÷ (opening + credit sales − closing not due)"),
    "turnover": _("credit sales ÷ ((opening + closing) ÷ 2)"),
    "turnover_days": _("days of the year × (opening + closing) ÷ 2 ÷ credit sales"),
    "limit_utilisation": _("exposure ÷ limit"),
    "weighted_overdue_days": _("amount-days ÷ amounts"),
}
INPUTS: dict[str, Word] = {
    "receivables": _("receivables"),
    "credit_sales": _("credit sales"),
    "days": _("days"),
    "not_due": _("not due"),
    "overdue": _("overdue"),
    "whole_days": _("whole days"),
    "left": _("left"),
    "month_sales": _("sales of the month"),
    "month_days": _("days of the month"),
    "opening": _("opening"),
    "closing": _("closing"),
    "closing_not_due": _("closing not due"),
    "year_days": _("days of the year"),
    "exposure": _("exposure"),
    "limit": _("limit"),
    "amount_days": _("amount-days"),
    "amounts": _("amounts"),
}
COUNTS = frozenset({"days", "whole_days", "month_days", "year_days"})
"""Inputs that are days, not amounts."""

WHY_NONE: dict[str, Word] = {
    "no_sales": _("No credit sales in the period."),
    "no_receivables": _("Nothing is owed."),
    "nothing_overdue": _("Nothing is overdue."),
    "nothing_collectable": _("Nothing could have been collected."),
    "credit_balance": _("The customers have paid too much."),
    "history_exhausted": _("The sales known do not reach back far enough."),
    "limit_unset": _("No customer has a limit."),
    "limit_none": _("No customer has a limit."),
    "limit_unlimited": _("The limit has no bound."),
}
UNITS: dict[str, Word] = {"days": _("days"), "share": "", "times": _("times")}
