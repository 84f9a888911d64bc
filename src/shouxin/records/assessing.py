"""An application meets the ledger: the rating is made anew and its answer frozen into the application (B2.1, B2.3)."""

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from shouxin.credit import applications
from shouxin.credit.models import Application
from shouxin.office.models import Person
from shouxin.office.policies import Edition
from shouxin.office.refusals import CannotDecide
from shouxin.receivables import ratings


@transaction.atomic
def assess(
    application: Application, *, version: int | None = None, edition: Edition, by: Person, today: date, at: datetime
) -> Application:
    """Rate the customer as of today and keep score, grade and suggestion with the application.

    Raises NotYourDuty, Moved, and CannotDecide where an exchange rate is missing.
    """
    pk = application.customer_id
    found = ratings.rate([pk], as_of=today, edition=edition, by=by, on=today, at=at)
    if missing := found.unmeasured.get(pk):
        raise CannotDecide(_("No exchange rate is known for %(currency)s."), code="currency_unknown",
                           currency=", ".join(missing))  # fmt: skip
    return applications.assess(application, found.kept[0], version=version, by=by, today=today, at=at)
