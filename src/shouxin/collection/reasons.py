"""Why a day did what it did to a customer, in words."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from shouxin.customers.models import StandingKind

from .letters import grouped

WORDS = {
    "episode_began": _("Overdue from today"),
    "episode_ended": _("Nothing is overdue any more"),
    "contested_left_out": _("The disputed part is left out"),
    "credits_cover": _("Payments and credit notes not yet applied are taken off"),
    "no_due_date": _("An item without a due date counts from its document date"),
    "nothing_due": _("Nothing is due"),
    "below_amount_min": _("What is left is too small to be pursued"),
    "before_first_stage": _("The first stage has not been reached"),
    "due_soon": _("An instalment falls due soon"),
    "stage_by_days": _("Dunning stage %(stage)s by the days overdue"),
    "stage_kept": _("Dunning stage %(stage)s is kept until the debt is paid"),
    "letter": _("A letter claims %(claim)s %(currency)s"),
    "no_letter": _("This stage writes no letter"),
    "already_sent": _("The letter of this stage was written before"),
    "quiet": _("The last letter is too recent for another"),
    "rung_reached": _("%(overdue_days)s days overdue: the ladder's rung from %(overdue_days_min)s days holds"),
    "late_payments": _("%(late_payments)s late payments; the rule bites at %(late_payments_count)s"),
    "residue": _("%(overdue_amount)s overdue is below the %(amount_min)s from which it costs a grade"),
    "standing_worsened": _("Standing: %(before)s → %(after)s"),
    "standing_lifted": _("Standing lifted: %(before)s → %(after)s"),
    "standing_of_people": _("A person has set “%(standing)s”; it stands until the next stage or rung"),
}
"""One text for each code of `rules.daily`, `rules.dunning` and `rules.grading.downgrade`."""

CHANGES = ("episode_began", "episode_ended", "letter", "late_payments", "standing_worsened", "standing_lifted")
"""The codes that tell of something done, not of something found."""

AMOUNTS = frozenset({"claim", "overdue_amount", "amount_min"})
STANDINGS = dict(StandingKind.choices)


def told(reason: Mapping[str, Any]) -> str:
    """A kept reason in the reader's language; a code of a later release is shown as it stands."""
    text = WORDS.get(reason["code"])
    if text is None:
        return str(reason["code"])
    return str(text) % {key: _shown(key, value) for key, value in reason.items()}


def _shown(key: str, value: Any) -> Any:
    """A standing by its name, an amount in groups of three."""
    if not isinstance(value, str):
        return value
    return grouped(value) if key in AMOUNTS else STANDINGS.get(value, value)


def all_told(reasons: Iterable[Mapping[str, Any]]) -> list[str]:
    """The reasons in words, in their order."""
    return [told(reason) for reason in reasons]
