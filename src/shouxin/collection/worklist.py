"""The work list: what a post has to do about a customer, ranked by the money at stake (clause C3.6).

The daily run makes tasks and drops those no longer needed; a person does or drops them with a word on the result.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from shouxin.credit import securities
from shouxin.office import posts, sight, trail
from shouxin.office.models import Person
from shouxin.office.policies import Edition
from shouxin.office.refusals import BadForm, Moved
from shouxin.rules.daily import Verdict
from shouxin.rules.policy import Policy, Post

from .facts import LOOKED_AT, Known, notice_days_max
from .models import Task

ZERO = Decimal(0)
BROKEN = "broken"
STAGE_KINDS = {1: "call", 2: "demand", 3: "stop", 4: "lawyer"}
"""The task that goes with a stage of the dunning procedure; every later stage is legal action."""
OWN_KINDS = frozenset({*STAGE_KINDS.values(), "legal", *LOOKED_AT, BROKEN})
"""The tasks the run makes, and so drops; a visit is planned by people."""
LOOK_AT = frozenset(LOOKED_AT)
OVERSEERS = frozenset({Post.CREDIT_MANAGER, Post.CREDIT_ADMINISTRATOR})
"""Who may do and drop any task: the credit office answers for the whole list."""


@dataclass(frozen=True)
class Wish:
    """A task the day finds needed. `fresh`: it is new today; a standing need that was done is not asked for again."""

    kind: str
    post: Post
    due_on: date
    amount: Decimal = ZERO
    currency: str = ""
    stage: int | None = None
    note: str = ""
    fresh: bool = True


def wishes(known: Known, verdict: Verdict, *, edition: Edition, as_of: date) -> list[Wish]:
    """Everything the day wants done about one customer."""
    policy = edition.policy
    looked_at = (*_line_wish(known, policy, as_of), *_review_wish(known, as_of), *_security_wish(known, as_of))
    return [*_stage_wish(verdict, policy, as_of), *looked_at]


def _stage_wish(verdict: Verdict, policy: Policy, as_of: date) -> Iterator[Wish]:
    page = next((page for page in policy.dunning.stages if page.stage == verdict.stage), None)
    if not verdict.running or page is None or page.overdue_days_min <= 0:
        return
    yield Wish(
        kind=STAGE_KINDS.get(page.stage, "legal"),
        post=page.owner,
        due_on=as_of + timedelta(days=page.deadline_days or policy.dunning.quiet_days),
        amount=verdict.at_stake,
        currency=policy.company.currency,
        stage=page.stage,
        fresh=verdict.advanced,
    )


def _line_wish(known: Known, policy: Policy, as_of: date) -> Iterator[Wish]:
    """The end of a line is announced for so many days, and stays on the list as long after it, until it is renewed."""
    line = known.line
    if line is None or line.until is None or abs((line.until - as_of).days) > notice_days_max(policy):
        return
    fresh = ("line_expiring", line.until) not in known.done
    yield Wish("line_expiring", Post.CREDIT_ADMINISTRATOR, line.until, line.limit or ZERO, line.currency, fresh=fresh)


def _review_wish(known: Known, as_of: date) -> Iterator[Wish]:
    due_on, line = known.review_on, known.line
    if due_on is None or line is None or due_on > as_of:
        return
    fresh = ("review_due", due_on) not in known.done
    yield Wish("review_due", Post.CREDIT_ADMINISTRATOR, due_on, line.limit or ZERO, line.currency, fresh=fresh)


def _security_wish(known: Known, as_of: date) -> Iterator[Wish]:
    """The nearest end of a security, or of the time to claim from a guarantor; the note names every paper concerned."""
    days = {row: [day for day in securities.alarms(row) if day >= as_of] for row in known.ending}
    nearest = min(days, key=lambda row: min(days[row]), default=None)
    if nearest is None:
        return
    due_on = min(days[nearest])
    note = " · ".join(f"{row.document} {min(found):%Y-%m-%d}" for row, found in days.items())
    fresh = ("security_ending", due_on) not in known.done
    yield Wish(
        "security_ending", Post.CREDIT_ADMINISTRATOR, due_on, nearest.value, nearest.currency, note=note, fresh=fresh
    )


@dataclass
class Changes:
    """What becomes of one customer's tasks today."""

    make: list[Task]
    update: list[Task]
    drop: list[Task]


def changes(known: Known, wanted: Iterable[Wish], *, as_of: date) -> Changes:
    """Compare what is wanted with what is open: a task stays while it is wanted, with today's amount."""
    wanted = {wish.kind: wish for wish in wanted}
    found = Changes([], [], [])
    for kind, task in known.tasks.items():
        if kind not in wanted:
            found.drop += [task] if kind in OWN_KINDS else []
        elif _refresh(task, wanted[kind]):
            found.update.append(task)
    fresh = [wish for kind, wish in wanted.items() if wish.fresh and kind not in known.tasks]
    found.make += [_task(known, wish, as_of) for wish in fresh]
    return found


def _refresh(task: Task, wish: Wish) -> bool:
    """Bring an open task up to date; answers whether anything changed. Its due day stays while its stage does."""
    before = (task.amount, task.currency, task.stage, task.post, task.due_on)
    moved = task.stage != wish.stage or task.kind in LOOK_AT
    task.amount, task.currency, task.post = wish.amount, wish.currency, wish.post.value
    task.stage, task.due_on = wish.stage, wish.due_on if moved else task.due_on
    return before != (task.amount, task.currency, task.stage, task.post, task.due_on)


def _task(known: Known, wish: Wish, as_of: date) -> Task:
    return Task(
        customer=known.customer,
        kind=wish.kind,
        stage=wish.stage,
        post=wish.post.value,
        person=known.customer.salesperson if wish.post is Post.SALES else None,
        amount=wish.amount,
        currency=wish.currency,
        note=wish.note[:500],
        due_on=wish.due_on,
        made_on=as_of,
    )


def write(found: Iterable[Changes], *, as_of: date) -> None:
    """The tasks of many customers, in at most three statements."""
    found = list(found)
    Task.objects.bulk_create([task for each in found for task in each.make])
    updated = [task for each in found for task in each.update]
    if updated:
        Task.objects.bulk_update(updated, ["amount", "currency", "post", "stage", "due_on"], batch_size=1000)
    dropped = [task.pk for each in found for task in each.drop]
    if dropped:
        Task.objects.filter(pk__in=dropped, status="open").update(status="dropped", done_on=as_of)


def broken(customer_id: int, *, as_of: date, why: str) -> None:
    """Somebody has to look at a customer the run could not finish; said once."""
    Task.objects.get_or_create(
        customer_id=customer_id,
        kind=BROKEN,
        status="open",
        defaults={
            "post": Post.CREDIT_ADMINISTRATOR.value,
            "note": why[:500],
            "due_on": as_of,
            "made_on": as_of,
        },
    )


# --- what people do ------------------------------------------------------------------------------


def visible(person: Person, *, on: date) -> models.QuerySet[Task]:
    """Every task about a customer she may see."""
    return sight.visible(Task, person, on=on).select_related("customer", "person")


def mine(person: Person, *, on: date) -> models.QuerySet[Task]:
    """What is open for the posts she holds, her own and nobody's in particular, the most money first."""
    rows = _of_posts(person, on).filter(Q(person=None) | Q(person=person))
    return rows.order_by("-amount", "due_on", "pk")


def shares(person: Person, *, on: date) -> tuple[models.QuerySet[Task], models.QuerySet[Task]]:
    """The two parts of `mine`, her own and nobody's: of each an index knows the most money."""
    rows = _of_posts(person, on).select_related(None)
    return rows.filter(person=person), rows.filter(person=None)


def _of_posts(person: Person, on: date) -> models.QuerySet[Task]:
    held = [post.value for post in posts.posts_of(person, on=on)]
    return visible(person, on=on).filter(status="open", post__in=held)


def may_settle(task: Task, by: Person, *, on: date) -> bool:
    """Whether she may settle it: the post's holder (where a person is named, that one) or the credit office."""
    held = posts.posts_of(by, on=on)
    if held & OVERSEERS:
        return True
    return Post(task.post) in held and task.person_id in (None, by.pk)


def done(task: Task, *, by: Person, on: date, at: datetime, result: str) -> Task:
    """The task was done: `result` says what came of it."""
    return _settle(task, "done", by=by, on=on, at=at, result=result)


def drop(task: Task, *, by: Person, on: date, at: datetime, result: str) -> Task:
    """The task is not needed: `result` says why."""
    return _settle(task, "dropped", by=by, on=on, at=at, result=result)


@transaction.atomic
def _settle(task: Task, status: str, *, by: Person, on: date, at: datetime, result: str) -> Task:
    """Guard, change where it is still open, trail. Raises NotYourDuty, BadForm without a result, Moved."""
    if not may_settle(task, by, on=on):
        raise posts.not_your_duty(by, {Post(task.post), *OVERSEERS}, about=task, verb=f"task.{status}", at=at)
    result = result.strip()
    if not 0 < len(result) <= 500:
        raise BadForm([("result", _("Say in at most 500 characters what came of it."))])
    told = {"status": status, "done_on": on, "done_by": by, "result": result}
    if not Task.objects.filter(pk=task.pk, status="open").update(**told):
        raise Moved(_("This task is no longer open."))
    for name, value in told.items():
        setattr(task, name, value)
    trail.record(f"task.{status}", about=task, by=by, at=at, customer=task.customer_id, kind=task.kind, result=result)
    return task
