"""The demo's feature analysis: what sales and the credit office think of the larger customers, factor by factor."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from random import Random

from shouxin.customers import features
from shouxin.customers.models import Customer
from shouxin.office.models import Person
from shouxin.rules.days import add_months
from shouxin.rules.policy import FACTORS

from .company import DemoCustomer

JUDGED = 12
EVERY = 9
"""Every ninth customer, so that good and bad payers are among them."""
UNKNOWN = 0.1


def load(
    customers: Sequence[DemoCustomer],
    ids: Mapping[str, int],
    people: Mapping[str, Person],
    *,
    today: date,
    at: datetime,
) -> None:
    """Score a dozen customers, a few months ago, each by its salesperson after a visit."""
    chance = Random(18)
    for each in customers[: JUDGED * EVERY : EVERY]:
        level = chance.choice((4, 6, 7, 8))
        scores = {factor: _score(level, chance) for factor in FACTORS}
        call = {"by": people[each.region], "on": today, "at": at}
        customer = Customer.objects.get(pk=ids[each.code])
        features.score(customer, scores, source="visit", as_of=add_months(today, -3), **call)  # type: ignore[arg-type]


def _score(level: int, chance: Random) -> int | None:
    if chance.random() < UNKNOWN:
        return None
    return max(1, min(10, level + chance.randint(-2, 2)))
