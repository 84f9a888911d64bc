"""Exchange rates: one unit of a currency in the company's currency, from a day on, with its source."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from shouxin.rules.currencies import CURRENCIES
from shouxin.rules.policy import Post

from . import posts, trail
from .models import ExchangeRate, Person
from .refusals import BadForm

KEEPERS = (Post.FINANCE, Post.CREDIT_MANAGER, Post.CREDIT_ADMINISTRATOR)


@dataclass(frozen=True)
class Rate:
    """What one unit is worth in the company's currency, since when, and who says so."""

    rate: Decimal
    since: date
    source: str


def rate(currency: str, *, on: date, company_currency: str) -> Rate | None:
    """The rate that holds on a day; None where none was ever put, so that the caller cannot decide (I-7)."""
    return rates([currency], on=on, company_currency=company_currency).get(currency)


def rates(currencies: Iterable[str], *, on: date, company_currency: str) -> dict[str, Rate]:
    """Currency -> its rate on the day, in one query; currencies without a rate are left out."""
    asked = set(currencies)
    rows = (
        ExchangeRate.objects.filter(currency__in=asked - {company_currency}, since__lte=on)
        .order_by("currency", "-since", "-id")
        .distinct("currency")
    )
    found = {row.currency: Rate(row.rate, row.since, row.source) for row in rows} if asked - {company_currency} else {}
    if company_currency in asked:
        found[company_currency] = Rate(Decimal(1), on, company_currency)
    return found


@transaction.atomic
def put(currency: str, rate: Decimal, *, since: date, source: str, by: Person, on: date, at: datetime) -> ExchangeRate:
    """A rate from a day on; a later row for the same day replaces it, none is ever edited.

    Raises NotYourDuty (finance and the credit office keep the rates) and BadForm.
    """
    if not posts.is_system(by):
        posts.require(by, *KEEPERS, on=on, about=f"exchange-rate:{currency}", verb="put_rate", at=at)
    errors = []
    if currency not in CURRENCIES:
        errors.append(("currency", _("This currency is not known; use its three letters, such as USD.")))
    if not rate.is_finite() or not 0 < rate < 10**10 or rate != round(rate, 8):
        errors.append(("rate", _("The rate must be above 0 and have at most 8 decimals.")))
    if not source.strip():
        errors.append(("source", _("Say where the rate comes from.")))
    if errors:
        raise BadForm(errors)
    row = ExchangeRate.objects.create(
        currency=currency, rate=rate, since=since, source=source.strip(), put_by=by, put_at=at
    )
    trail.record("put_rate", about=row, by=by, at=at, currency=currency, rate=rate, since=since, source=source)
    return row
