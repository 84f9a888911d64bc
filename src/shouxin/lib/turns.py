"""Taking turns where there is no row to lock: what nobody may change cannot be locked for change either."""

from django.db import connection


def take(what: str) -> None:
    """Wait until nobody else writes this kind of thing, and keep the turn until the transaction is over."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [what])
