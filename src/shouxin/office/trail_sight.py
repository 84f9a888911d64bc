"""Who may see which lines of the trail."""

from collections.abc import Collection
from datetime import date

from django.db.models import Q, QuerySet

from shouxin.rules.policy import Post

from . import posts, sight
from .models import Person, TrailEntry

REQUESTS_DECIDED_BY = frozenset(
    {Post.CREDIT_ADMINISTRATOR, Post.CREDIT_MANAGER, Post.VICE_PRESIDENT, Post.LEGAL_REPRESENTATIVE}
)
"""Who reads every request of a person about her data."""


def _resting(person: Person, held: Collection[Post]) -> Q:
    """The lines that rest with a restricted customer."""
    of_restricted, requests = Q(customer_id__in=sight.restricted()), Q(about__startswith="data-request:")
    return of_restricted & ~(requests if REQUESTS_DECIDED_BY & set(held) else requests & Q(by=person))


def seen_by(person: Person, *, on: date) -> QuerySet[TrailEntry]:
    """The lines a person may see: the auditor all; others those of their customers, the book's and their own.

    System and security manager see what concerns people and the machine, and no customer (I-20b, I-33). Lines of a
    customer whose data are restricted are kept for the auditor alone, her own acts left out too; what a person asked
    for about her data stays with those who decide it and with whoever took it down (PIPL art. 47).
    """
    held, lines = posts.posts_of(person, on=on), TrailEntry.objects.all()
    if Post.AUDITOR in held or posts.is_system(person):
        return lines
    lines = lines.exclude(_resting(person, held))
    seen = Q(by=person) | Q(about__startswith="policy", customer_id=None) | Q(about__startswith="exchange-rate")
    if held & {Post.SYSTEM_MANAGER, Post.SECURITY_MANAGER}:
        return lines.filter(seen | Q(customer_id=None, about__startswith="person:"))
    if held & sight.SEE_ALL:
        return lines.filter(seen | Q(customer_id__isnull=False))
    return lines.filter(seen | sight.rows_seen_by(person, on, "customer_id"))
