"""What natural persons may ask for, and two people decide (PIPL art. 24, 44 to 47): a copy, a correction, restriction,
deletion, and a person's look at a refusal that rules alone decided.

Restricted means stored and nothing else: no search finds the customer, no letter is written or leaves, no rating is
made, no order is checked; tasks, letters, requests and holds about it rest out of sight, and nobody moves them. What it
owes stays in the books and in every sum. What the law or an open business keeps from deletion is restricted instead.
"""

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.apps import apps
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from shouxin.lib.numbers import whole
from shouxin.office import attachments, disclosures, kept_answers, moves, personal, policies, posts, trail
from shouxin.office.models import Person, TrailEntry
from shouxin.office.privacy import sharings
from shouxin.office.refusals import TOO_LONG, BadForm, Moved, NotVisible
from shouxin.rules.flow import Flow, flow, step
from shouxin.rules.policy import Post

from . import corrections, registry, standing
from .models import Customer, DataRequest

ANSWER_MAX = 500
DECISION = "credit-decision"
DECISIONS_NAMED = 5
HEADS = (Post.CREDIT_MANAGER, Post.VICE_PRESIDENT, Post.LEGAL_REPRESENTATIVE)
ASKERS = (Post.SALES, Post.CREDIT_ADMINISTRATOR, *HEADS)
READERS = (*ASKERS, Post.AUDITOR)
OUTLIVING = frozenset({"copy", "lift", "delete"})
"""What a person whose data are restricted may still ask for: her right to see them goes on (art. 45)."""
FLOW: Flow = flow(
    "data request",
    "asked",
    [
        step("confirm", "asked", "done", *HEADS),
        step("decline", "asked", "declined", *HEADS),
        step("withdraw", "asked", "withdrawn", *ASKERS),
    ],
    rests=False,
)
ERASED = ("short_name", "uscc", "uscc_confirmed", "id_number", "legal_representative", "address", "region", "telephone",
          "email", "contact", "bank", "bank_account", "credit_standard")  # fmt: skip


@transaction.atomic
def ask(
    customer: Customer, kind: str, *, why: str, by: Person, on: date, at: datetime, changes: Mapping[str, str] = {},
    about: str = "",
) -> DataRequest:  # fmt: skip
    """Take a request down; it waits for a second person. `changes` are the fields to be corrected, as written down,
    each under its name or its label; `about` the customer's own decision a review looks at, if it is one.

    Raises NotYourDuty, BadForm (not a natural person, nothing to correct, a value that no such field can have), Moved
    where the same is asked already.
    """
    posts.require(by, *ASKERS, on=on, about=customer, verb="data_request.ask", at=at)
    errors: list[tuple[str, Any]] = []
    if not customer.natural_person:
        errors.append(("customer", _("These rights are a natural person's; change a company's particulars as usual.")))
    if kind not in dict(DataRequest.KINDS):
        errors.append(("kind", _("is not a kind of request")))
    if not 0 < len(why.strip()) <= 500:
        errors.append(("why", _("Say what the person asks for, in at most 500 characters.")))
    if (kind == "correct") != bool(changes):
        errors.append(("changes", _("A correction names fields of the customer, other requests none.")))
    else:
        changes, wrong = _corrections(customer, changes, by=by, on=on)
        errors += wrong
    if about.strip():
        errors += _about_errors(customer, kind, about)
    if errors:
        raise BadForm(errors)
    if customer.data_requests.filter(kind=kind, status=FLOW.start, about=about).exists():
        raise Moved(_("This has been asked for already and waits for a second person."), code="asked_already", cure="")
    made = DataRequest.objects.create(
        customer=customer, kind=kind, why=why.strip(), about=about, asked_by=by, asked_at=at,
        changes=json.dumps(dict(changes), ensure_ascii=False) if changes else "",
    )  # fmt: skip
    trail.record("data_request.ask", about=made, by=by, at=at, kind=kind, fields=sorted(changes), concerns=about)
    return made


@transaction.atomic
def decide(request: DataRequest, verb: str, *, answer: str, by: Person, on: date, at: datetime) -> DataRequest:
    """Confirm, decline or withdraw; confirming does it, in the same transaction. Never by the one who took it down.

    Raises NotYourDuty, Moved (decided already; deletion before its time), BadForm without an answer.
    """
    own = request.asked_by_id == by.pk
    if own != (verb == "withdraw"):
        raise posts.not_your_duty(by, about=request, verb=verb, at=at, code="second_person",
                                  cure=_("Two people decide: whoever took it down may only withdraw it."))  # fmt: skip
    answer = answer.strip()
    if not answer:
        raise BadForm([("answer", _("Say what the person is answered."))])
    if len(answer) > ANSWER_MAX:
        raise BadForm([("answer", TOO_LONG % {"most": ANSWER_MAX})])
    fresh = DataRequest.objects.select_related("customer").select_for_update(of=("self",)).get(pk=request.pk)
    moves.move(fresh, FLOW, verb, by=by, on=on, at=at, decided_by=by, decided_at=at, answer=answer)
    if verb == "confirm":
        EFFECTS[fresh.kind](fresh, by, on, at)
    return fresh


def _corrections(
    customer: Customer, changes: Mapping[str, str], *, by: Person, on: date
) -> tuple[Mapping[str, str], list[tuple[str, Any]]]:
    """The changes by the fields' names, and what the register would refuse, named `changes.field`."""
    try:
        changes = corrections.named(changes)
    except BadForm as refusal:
        return changes, list(refusal.errors)
    try:
        registry.require_writable(customer, corrections.read(changes, by=by, on=on), on=on)
    except BadForm as refusal:
        return changes, [(f"changes.{field}", message) for field, message in refusal.errors]
    return changes, []


def _about_errors(customer: Customer, kind: str, about: str) -> list[tuple[str, Any]]:
    """What is wrong with the decision named: only a review has one, and it is the customer's own."""
    if kind != "review":
        return [("about", _("Only a review names a decision; leave this empty."))]
    word, _colon, number = about.partition(":")
    own, pk = decisions_of(customer), whole(number)
    if word == DECISION and pk is not None and own.filter(pk=pk).exists():
        return []
    latest = str(_("; ")).join(told_decision(each) for each in own[:DECISIONS_NAMED])
    if not latest:
        return [("about", _("No order of this customer has been decided upon; leave this empty."))]
    return [("about", _("This is no decision about the customer. The latest: %(decisions)s.") % {"decisions": latest})]


def decisions_of(customer: Customer) -> models.QuerySet[Any]:
    """What was decided about the customer's orders, the latest first."""
    rows: models.QuerySet[Any] = apps.get_model("orders", "CreditDecision")._default_manager.filter(customer=customer)
    return rows.order_by("-pk")


def told_decision(decision: Any) -> str:
    """A decision as a request names it, with its order, outcome and day."""
    told = (decision.order_no, decision.get_outcome_display(), f"{timezone.localtime(decision.at):%Y-%m-%d}")
    return f"{DECISION}:{decision.pk} ({', '.join(map(str, told))})"


def waiting_for(person: Person, on: date) -> int:
    """How many requests wait for her as the second person; none for whoever may not decide."""
    if not posts.posts_of(person, on=on) & set(HEADS):
        return 0
    return DataRequest.objects.filter(status=FLOW.start).exclude(asked_by=person).count()


def _correct(request: DataRequest, by: Person, on: date, at: datetime) -> None:
    """What was written down is read again: what it names may have changed since."""
    changes = corrections.read(json.loads(request.changes), by=by, on=on)
    registry.correct(request.customer, by=by, on=on, at=at, **changes)


def _restrict(request: DataRequest, by: Person, on: date, at: datetime) -> None:
    Customer.objects.filter(pk=request.customer_id).update(restricted_on=on)


def _lift(request: DataRequest, by: Person, on: date, at: datetime) -> None:
    Customer.objects.filter(pk=request.customer_id).update(restricted_on=None)


def _delete(request: DataRequest, by: Person, on: date, at: datetime) -> None:
    """Erase what names the person. Numbers of papers stay without a name; the trail stays as the law wants it."""
    until = kept_until(request.customer, on)
    if until > on:
        raise Moved(
            _("The law keeps this file until %(until)s."), code="kept_by_law", until=until.isoformat(),
            cure=_("Restrict it until then: it is stored and used for nothing."),
        )  # fmt: skip
    customer = request.customer
    kept = known_by(customer, on)
    if "name" not in kept:
        customer.name = f"#{customer.pk}"
    for name in set(ERASED) - set(kept):
        setattr(customer, name, "")
    if kept:
        told = f"{request.answer} {KEPT_BY_THE_BLACKLIST}"
        if len(told) > ANSWER_MAX:
            most = ANSWER_MAX - len(told) + len(request.answer)
            raise BadForm([("answer", TOO_LONG % {"most": most})])
        DataRequest.objects.filter(pk=request.pk).update(answer=told)
        request.answer = told
        trail.record("keep_for_blacklist", about=customer, by=by, at=at, fields=list(kept))
    customer.search_keys, customer.restricted_on, customer.version = [], on, customer.version + 1
    customer.save()
    customer.other_names.all().delete()
    attachments.erase(customer)
    kept_answers.forget(customer.pk, customer.code, since=customer.created_at)
    DataRequest.objects.filter(customer=customer).update(changes="")


def known_by(customer: Customer, on: date) -> tuple[str, ...]:
    """What the blacklist must keep of a listed person to know it again: the identity number, or else the name.

    Nothing of somebody who is not listed. It rests sealed, is used for nothing else, and goes with the listing.
    """
    if standing.effective([customer], on)[customer.pk] != standing.BLACKLISTED:
        return ()
    return ("id_number",) if customer.id_number else ("name",)


KEPT_BY_THE_BLACKLIST = _(
    "Kept, and used for nothing else, is what the blacklist knows you by, as long as the listing lasts "
    "(PIPL art. 13(1)(2), art. 47); it is deleted with the listing."
)


def _nothing(request: DataRequest, by: Person, on: date, at: datetime) -> None:
    """A copy is fetched afterwards; a review is its answer."""


EFFECTS = {"copy": _nothing, "review": _nothing, "correct": _correct, "restrict": _restrict, "lift": _lift,
           "delete": _delete}  # fmt: skip


def kept_until(customer: Customer, on: date) -> date:
    """The day until which a file must be kept: the policy's years after the last business recorded about it.

    One that never did any business may go at once.
    """
    last = TrailEntry.objects.filter(customer_id=customer.pk).exclude(verb__in=NO_BUSINESS).order_by("-at").first()
    if last is None:
        return on
    years = policies.in_force(on).policy.personal_data.keep_years
    day = timezone.localdate(last.at)
    return day.replace(year=day.year + years, day=min(day.day, 28))


NO_BUSINESS = (*disclosures.SEEING, "ask_who_saw", "register", "change_customer", "add_name", "add_fact",
               "score_features", "refuse", "data_request.ask", "confirm", "decline", "withdraw", "rate")  # fmt: skip
"""Lines that tell of looking and of keeping the file, and of no business."""


def copy_of(request: DataRequest, *, by: Person, on: date, at: datetime) -> str:
    """Everything personal that is kept about the customer, in full, as JSON; that it left is recorded (art. 45).

    Under `given_to`: who outside the company got such data since the customer was registered (art. 17, 23).

    Raises Moved unless two people have agreed to it.
    """
    posts.require(by, *HEADS, Post.CREDIT_ADMINISTRATOR, on=on, about=request, verb="data_request.copy", at=at)
    if (request.kind, request.status) != ("copy", "done"):
        raise Moved(_("Two people have to agree before a copy is made."), code="not_confirmed", cure="")
    trail.record("export_personal_data", about=request.customer, by=by, at=at, why=request.why)
    given = sharings.given_since(request.customer.created_at)
    found: dict[str, list[dict[str, Any]]] = {"given_to": given}
    for model, path in personal.LEADS.items():
        names = [field.name for field in personal.FIELDS if field.model == model]
        found[model] = [{name: getattr(row, name) for name in names} for row in _rows(model, path, request.customer)]
    return json.dumps(found, ensure_ascii=False, indent=2, cls=DjangoJSONEncoder)


def _rows(model: str, path: str, customer: Customer) -> models.QuerySet[Any]:
    rows: models.QuerySet[Any] = apps.get_model(model)._default_manager.all()
    return rows.filter(pk__in=rows.filter(**{path: customer.pk}).values("pk")).order_by("pk")


def verbs_for(request: DataRequest, by: Person, on: date) -> list[str]:
    """What this person may do with it now."""
    own = request.asked_by_id == by.pk
    return [verb for verb in moves.verbs_for(request, FLOW, by, on) if (verb == "withdraw") == own]


def corrected(request: DataRequest) -> list[str]:
    """What a correction writes, a sentence for each field: from what to what while it waits, and to what afterwards."""
    texts = json.loads(request.changes) if request.changes else {}
    return corrections.shown(request.customer, texts, before=request.status == FLOW.start)


def told(request: DataRequest, *, by: Person, on: date) -> dict[str, Any]:
    """A request as API and command line tell it, with what this person may do now."""
    names = ("id", "kind", "why", "about", "status", "asked_at", "decided_at", "answer")
    return {name: getattr(request, name) for name in names} | {
        "customer": request.customer_id,
        "corrected": corrected(request),
        "asked_by": request.asked_by.username,
        "decided_by": request.decided_by.username if request.decided_by else None,
        "verbs": verbs_for(request, by, on),
    }


def seen_by(person: Person, on: date) -> models.QuerySet[DataRequest]:
    """The requests she may read: heads, credit office and auditor all, sales those they took down."""
    held = posts.posts_of(person, on=on)
    rows = DataRequest.objects.select_related("customer__salesperson", "customer__group_head", "asked_by", "decided_by")
    if held & {*HEADS, Post.CREDIT_ADMINISTRATOR, Post.AUDITOR} or posts.is_system(person):
        return rows
    return rows.filter(asked_by=person)


def get(pk: int, *, by: Person, on: date) -> DataRequest:
    """One of them. Raises NotVisible."""
    found = seen_by(by, on).filter(pk=pk).first() if 0 < pk < 2**63 else None
    if found is None:
        raise NotVisible
    return found


def customer_for(reference: str | int, kind: str, *, by: Person, on: date) -> Customer:
    """The customer a request is about; for what outlives a restriction the heads find the restricted too.

    Raises NotVisible.
    """
    if kind in OUTLIVING and posts.posts_of(by, on=on) & set(HEADS):
        return registry.stored_customer(reference)
    return registry.visible_customer(reference, by=by, on=on)
