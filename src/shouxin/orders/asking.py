"""Who asks, about whom: a caller's references to customers turned into the codes the check knows, within her sight."""

from collections.abc import Collection, Iterable
from datetime import date, datetime

from django.utils.translation import gettext as _

from shouxin.customers.models import Customer
from shouxin.lib.numbers import whole
from shouxin.office import posts, sight
from shouxin.office.models import Person
from shouxin.rules.policy import Policy, Post

CHECKERS = (
    Post.SALES,
    Post.CREDIT_ADMINISTRATOR,
    Post.CREDIT_MANAGER,
    Post.VICE_PRESIDENT,
    Post.LEGAL_REPRESENTATIVE,
    Post.FINANCE,
)


def may_check(by: Person, *, on: date) -> bool:
    """Whether she may ask for credit checks at all."""
    return posts.is_system(by) or bool(posts.posts_of(by, on=on) & set(CHECKERS))


def require_checker(by: Person, *, on: date, at: datetime) -> None:
    """Raise NotYourDuty for whoever takes no part in business: auditor, archivist, system manager."""
    if not posts.is_system(by):
        posts.require(by, *CHECKERS, on=on, about="credit-check", verb="check", at=at)


def too_far(day: date | None, policy: Policy, *, today: date) -> str:
    """Why a reservation may not be made to last until a day; "" where it may, or no day is said."""
    most = policy.order_check.reservation_days_max
    return _("At most %(days)s days from now.") % {"days": most} if day and (day - today).days > most else ""


def unfit(day: date | None, policy: Policy, *, today: date, as_of: date | None = None) -> str:
    """The same for what a person enters, who may also have mistaken the day: one that has passed will not do.

    `as_of`: the day asked about, where it is an earlier one. A system that asks again after its day is answered.
    """
    return _("This day has passed.") if day and day < (as_of or today) else too_far(day, policy, today=today)


def seen_among(customers: Collection[int], *, by: Person, on: date) -> set[int]:
    """Of these customers (ids) those she may see."""
    return set(sight.visible(Customer, by, on=on).filter(pk__in=customers).values_list("pk", flat=True))


def codes_of(references: Iterable[str | int], *, by: Person, on: date) -> dict[str, str]:
    """Reference (as text) -> customer code, for customers the caller may see; a code wins over an equal id.

    What is missing or out of sight is answered as it was given: the check says "unknown customer" to both alike (I-33).
    """
    given = {str(reference) for reference in references}
    ids = {pk for pk in map(whole, given) if pk is not None}
    if sight.sees_all(by, on) and not ids:
        return {each: each for each in given}  # codes, and the check itself knows best whose
    seen = sight.visible(Customer, by, on=on)
    by_id = {str(pk): code for pk, code in seen.filter(pk__in=ids).values_list("pk", "code")}
    by_code = {code: code for code in seen.filter(code__in=given).values_list("code", flat=True)}
    # The mark makes sure that an unseen customer's code finds nobody in the check either.
    return {each: by_code.get(each) or by_id.get(each) or f"?{each}" for each in given}
