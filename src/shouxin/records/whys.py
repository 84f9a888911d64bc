"""Why a line or a standing is what it is, for who does not read Chinese.

The daily run keeps its sentence in Chinese, the language of the record; the reasons behind it are kept as codes with
their values (`CustomerDay.reasons`), so they can be told in any language.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.utils.translation import get_language

from shouxin.collection import reasons
from shouxin.collection.models import CustomerDay
from shouxin.customers.models import Customer

TELLING = ("rung_reached", "late_payments", "stage_by_days", "standing_worsened", "standing_lifted", "episode_ended")


def tell(customer: Customer, rows: Iterable[Any]) -> None:
    """Give each row of the house (`since`, `why`) its `told`: the kept sentence, or the reasons of its day."""
    rows = list(rows)
    days = {row.since for row in rows} if not (get_language() or "").startswith("zh") else set()
    told = _told(customer, days)
    for row in rows:
        row.told = told.get(row.since, row.why) if _of_the_house(row) else row.why


def _of_the_house(row: Any) -> bool:
    """Whether the daily run wrote it: a downgrade, or a standing that carries the policy's version."""
    return row.cause == "downgrade" if hasattr(row, "cause") else row.policy_version is not None


def _told(customer: Customer, days: set[date]) -> dict[date, str]:
    if not days:
        return {}
    kept = CustomerDay.objects.filter(customer=customer, day__as_of__in=days).values_list("day__as_of", "reasons")
    said = {day: reasons.all_told(each for each in found if each["code"] in TELLING) for day, found in kept}
    return {day: "; ".join(words) for day, words in said.items() if words}
