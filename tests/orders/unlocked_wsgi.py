"""The product without its guard: accounts are read, not locked. Only to show that the race test can fail."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

from shouxin.config.wsgi import application
from shouxin.credit import exposure
from shouxin.credit.models import CreditAccount


def read_only(customers):  # type: ignore[no-untyped-def]
    return {row.pk: row for row in CreditAccount.objects.filter(customer__in=exposure._with_groups(customers))}


exposure.lock = read_only

__all__ = ["application"]
