"""The annual review in words: its proposals, what they rest on, what still lacks, what it says of the policy."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from shouxin.credit import signatures
from shouxin.credit.lines import LINE_CAUSES
from shouxin.credit.models import REQUEST_COLOURS, LimitKind, LineRequest
from shouxin.customers.models import StandingKind
from shouxin.lib import documents
from shouxin.rules.annual_review import Measure, Reason, Terms
from shouxin.rules.line import Limit

from .found import Found
from .models import Campaign, Review

Text = str | Promise
NONE = documents.UNSAID
ACTION_COLOURS = {"keep": "grey", "raise": "green", "lower": "amber"}
STATES: Mapping[str, tuple[Text, str]] = {
    **{key: (label, REQUEST_COLOURS[key]) for key, label in LineRequest.STATUSES},
    "fault": (gettext_lazy("Nothing could be proposed"), "red"),
}
"""Where a review stands -> its name and colour: the status of its request, or that it has none."""


def state_of(review: Review) -> str:
    """A key of STATES."""
    return review.request.status if review.request else "fault"


def limit(held: Limit, currency: str) -> str:
    """A limit: its amount with its currency, or which of the other three it is."""
    return f"{held.amount:,.2f} {currency}" if held.amount is not None else str(LimitKind(held.kind).label)


def terms(held: Terms, currency: str) -> str:
    """Grade, limit, term and discount in one line."""
    said = [str(held.grade), limit(held.limit, currency), days(held.term_days)]
    return " · ".join([*said, discount(held)] if held.discount else said)


def discount(held: Terms) -> str:
    """The cash discount, a dash where there is none."""
    if held.discount is None:
        return NONE
    return _("%(percent)s%% within %(days)s days") % {"percent": held.discount.percent, "days": held.discount.days}


def days(n: int) -> str:
    """So many days."""
    return ngettext("%(n)s day", "%(n)s days", n) % {"n": n}


def percent(share: Decimal | None) -> str:
    """A share as percent with one decimal, a dash where there is none."""
    return NONE if share is None else f"{share:.1%}"


def money(amount: Decimal | None) -> str:
    """An amount without its currency."""
    return NONE if amount is None else f"{amount:,.2f}"


def standing(key: str) -> str:
    """A standing's name."""
    return str(dict(StandingKind.choices).get(key, key))


def asked_limit(review: Review) -> str:
    """The limit the review's request asks for, a dash where there is none."""
    request = review.request
    return NONE if request is None else limit(signatures.asked_limit(request), request.currency)


def _plain(value: Measure) -> str:
    return NONE if value is None else str(value)


def _amount(value: Measure) -> str:
    return NONE if value is None else money(Decimal(str(value)))


def _share(value: Measure) -> str:
    return NONE if value is None else percent(Decimal(str(value)))


REASONS: Mapping[str, tuple[Text, Callable[[Measure], str]]] = {
    "not_rated": (gettext_lazy("It could not be rated."), _plain),
    "standing": (gettext_lazy("Its standing is not good: %(measured)s."), lambda value: standing(str(value))),
    "too_new": (gettext_lazy("A customer for %(measured)s months only; %(allowed)s are needed."), _plain),
    "not_on_time": (gettext_lazy("Paid on time: %(measured)s; %(allowed)s are needed."), _share),
    "overdue": (gettext_lazy("Overdue at the year's end: %(measured)s."), _amount),
    "blacklisted": (gettext_lazy("It is on the blacklist."), _plain),
    "grade_worse": (gettext_lazy("The rating gives grade %(measured)s, worse than %(allowed)s."), _plain),
    "grade_better": (gettext_lazy("The year has earned grade %(measured)s instead of %(allowed)s."), _plain),
    "no_credit": (gettext_lazy("The grade gives no credit; the limit of %(measured)s ends."), _amount),
    "unlimited_ended": (gettext_lazy("Under the worse grade the line gets a bound: %(allowed)s."), _amount),
    "limit_above_rating": (gettext_lazy("The limit of %(measured)s is above the rating's %(allowed)s."), _amount),
    "needed_above_rating": (
        gettext_lazy("The year has earned the limit of %(measured)s, though the rating gives %(allowed)s."), _amount,
    ),
    "hardly_used": (gettext_lazy("Of %(allowed)s at most %(measured)s was used."), _amount),
    "needed": (gettext_lazy("The line was needed: up to %(measured)s of %(allowed)s."), _amount),
    "limit_was_exceeded": (gettext_lazy("The limit was exceeded on %(measured)s days."), _plain),
    "paid_very_late": (gettext_lazy("Up to %(measured)s days late; the grade bears %(allowed)s."), _plain),
    "sales_fell": (gettext_lazy("Sales fell to %(measured)s from %(allowed)s."), _amount),
    "grades_do_not_separate": (
        gettext_lazy("Grade %(measured)s owes more of it late than grade %(allowed)s: look at the scorecard's bands."),
        _plain,
    ),
    "grade_overdue": (
        gettext_lazy("Of what this grade owes, too much is late: %(measured)s. Look at its limit, term and severity."),
        _plain,
    ),
    "many_unrated": (
        gettext_lazy("%(measured)s of %(allowed)s customers could not be rated: collect what is missing."), _plain,
    ),
}  # fmt: skip
"""What a reason says, with `measured` and `allowed` filled in, and how the two are written."""


def reason(found: Reason) -> str:
    """A reason in words."""
    text, write = REASONS[found.code]
    return str(text) % {"measured": write(found.measured), "allowed": write(found.allowed)}


def why(campaign: Campaign, found: Found) -> str:
    """The reason the line request carries."""
    reasons = " ".join(reason(each) for each in found.proposal.reasons) or _("The year gives no cause to change it.")
    action: dict[str, Any] = dict(Review.ACTIONS)
    told = {"year": campaign.year, "action": action[found.proposal.action], "reasons": reasons}
    return (_("Annual review %(year)s — %(action)s. %(reasons)s") % told)[:1000]


def cause(key: str) -> str:
    """What a line came of."""
    return str(LINE_CAUSES.get(key, key))
