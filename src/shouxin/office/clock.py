"""The only reader of the clock. Everything else is told the day and the moment."""

from datetime import date, datetime

from django.utils import timezone


def now() -> datetime:
    """This moment, aware, for stamps of record; no deadline or amount is computed from it."""
    return timezone.now()


def today() -> date:
    """The business date: the calendar date in the installation's own time zone, never UTC's (I-29)."""
    return timezone.localdate(now(), timezone.get_default_timezone())
