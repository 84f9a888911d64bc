"""What we know about a customer: each fact with its kind of source, its day and its collector (A7). Never edited.

A newer fact of the same key takes the place of the older one. A fact that no longer counts (信用修复)
is followed by one of value null; one that is published only until a day ends by itself after that day.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from shouxin.office import attachments, posts, trail
from shouxin.office.book import ANSWERS
from shouxin.office.factor_words import FACTORS
from shouxin.office.models import Person
from shouxin.office.refusals import BadForm
from shouxin.rules import scorecard
from shouxin.rules.policy import Post

from . import dossier, subjects
from .models import Customer, Fact, FactMark
from .names_of_facts import LEDGER_FACTS, NAMES

COLLECTORS = (Post.SALES, Post.CREDIT_ADMINISTRATOR, Post.CREDIT_MANAGER, Post.FINANCE, Post.VICE_PRESIDENT)
NOTE = "note"
"""The key of a quick note from the road (B2.6)."""
ENDED = ("repaired", "expired", "forged")
"""The marks that take a fact out of scoring."""
SOURCES = frozenset(name for name, _label in Fact.SOURCES)
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,8})?")
_UNTIL = "until"

Value = Decimal | str | bool | None


@transaction.atomic
def add(
    customer: Customer,
    key: str,
    value: Any,
    *,
    source: str,
    as_of: date,
    by: Person,
    on: date,
    at: datetime,
    note: str = "",
    until: date | None = None,
    subject: str = "",
    particulars: Mapping[str, str] | None = None,
    queried_on: date | None = None,
    evidence: UploadedFile | None = None,
    from_note: Fact | None = None,
) -> Fact:
    """Something learnt about the customer. `value` None: the earlier fact no longer counts. `until`: its last day.

    Numbers come as Decimal, int or text and are kept as text. Raises NotYourDuty, and BadForm for an answer the
    scorecard could not read: a fact that is silently ignored would be worse than none. `evidence`: the paper it stands
    on; `from_note`: the quick note it was made of, which is dealt with by it (B2.6).
    """
    posts.require(by, *COLLECTORS, on=on, about=customer, verb="add_fact", at=at)
    fact = checked(customer.pk, key, value, source=source, as_of=as_of, by=by, on=on, at=at, note=note, until=until,
                   subject=subject, particulars=particulars, queried_on=queried_on)  # fmt: skip
    fact.save(force_insert=True)
    if evidence is not None:
        attachments.attach(evidence, about=fact, customer=customer, by=by, at=at, field="evidence", trailed=False)
    if from_note is not None:
        dossier.end(from_note, "used", f"{key}", by=by, at=at)
    trail.record(
        "add_fact", about=customer, by=by, at=at, key=key, value=told(fact)[0], until=told(fact)[1], source=source,
        as_of=as_of, note_used=from_note and from_note.pk, file=evidence.name if evidence else None,
    )  # fmt: skip
    return fact


def typed(key: str, text: str) -> Any:
    """Yes and no in either language as true and false where the question wants that; empty: it no longer counts."""
    if not text.strip():
        return None
    if scorecard.FACTS.get(key) != scorecard.YES_NO:
        return text.strip()
    known = {"yes": True, "true": True, "是": True, "有": True, "no": False, "false": False, "否": False, "无": False}
    answer = known.get(text.strip().lower())
    if answer is None:
        raise BadForm([("value", _("Answer with yes or no."))])
    return answer


def checked(
    customer_id: int,
    key: str,
    value: Any,
    *,
    source: str,
    as_of: date,
    by: Person | None,
    on: date,
    at: datetime,
    note: str = "",
    until: date | None = None,
    subject: str = "",
    particulars: Mapping[str, str] | None = None,
    queried_on: date | None = None,
) -> Fact:
    """The fact, looked at but not written: for imports, which write many at once. Raises BadForm."""
    errors: list[tuple[str, Any]] = []
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", key):
        errors.append(("key", _("must be small letters, digits and underscores, such as debt_to_assets")))
    kept, complaint = _kept(key, value)
    if complaint:
        errors.append(("value", complaint))
    if source not in SOURCES:
        errors.append(("source", _("is not a kind of source")))
    if as_of > on:
        errors.append(("as_of", _("cannot be in the future")))
    if subject and subject not in dict(Fact.SUBJECTS):
        errors.append(("subject", _("is not a subject area")))
    if queried_on is not None and queried_on > on:
        errors.append(("queried_on", _("cannot be in the future")))
    said, wrong = _particulars(key, particulars or {})
    errors += wrong
    until = until or _end(said, as_of)
    if until is not None and until < as_of:
        errors.append(("until", _("cannot be before the fact itself")))
    if errors:
        raise BadForm(errors)
    if until is not None or kept is None:
        kept = {"value": kept, _UNTIL: until.isoformat() if until else None}
    return Fact(
        customer_id=customer_id,
        key=key,
        value=kept,
        source=source,
        as_of=as_of,
        subject=subject or subjects.subject_of(key, source == "statement"),
        particulars=said,
        queried_on=queried_on,
        note=note,
        collected_by=by,
        collected_at=at,
    )


def latest(customers: Iterable[int], on: date) -> dict[int, dict[str, scorecard.Fact]]:
    """Customer id -> key -> the fact that counts on the day, as the rules read it; one query for all customers.

    One noted wrongly is as if it had never been; one repaired, expired or forged leaves its question unknown.
    """
    marks = FactMark.objects.filter(fact=OuterRef("pk"))
    found: dict[int, dict[str, scorecard.Fact]] = defaultdict(dict)
    rows = (
        Fact.objects.filter(~Exists(marks.filter(kind="wrong")), customer__in=set(customers), as_of__lte=on)
        .annotate(ended=Exists(marks.filter(kind__in=ENDED)))
        .order_by("customer", "key", "-as_of", "-id")
        .distinct("customer", "key")
        .values_list("customer_id", "key", "value", "as_of", "source", "ended")
    )
    for customer, key, kept, as_of, source, ended in rows:
        value = None if ended else read(key, kept, on)
        if value is not None:
            found[customer][key] = scorecard.Fact(key, value, as_of, source)
    return found


def name_of(key: str) -> str:
    """A fact's key in words."""
    return str(FACTORS.get(key.removeprefix("feature_")) or LEDGER_FACTS.get(key) or NAMES.get(key, key))


def shown_value(value: Any) -> str:
    """A fact's value for people: yes and no, numbers grouped, words as they are."""
    if isinstance(value, dict):
        value = value.get("value")
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        return str(ANSWERS.get(str(value), value))
    return f"{number:,f}" if abs(number) >= 1000 else f"{number:f}"


def read(key: str, kept: Any, on: date) -> Value:
    """What a kept value means on a day: None where it no longer counts. Numbers of known facts become Decimal."""
    if isinstance(kept, dict):
        kept = kept["value"] if (kept[_UNTIL] or "9999") >= on.isoformat() else None
    if kept is None or isinstance(kept, bool):
        return kept
    numeric = scorecard.FACTS.get(key, scorecard.NUMBER) == scorecard.NUMBER
    return Decimal(kept) if numeric and _NUMBER.fullmatch(str(kept)) else str(kept)


def told(fact: Fact) -> tuple[Any, date | None]:
    """(value, last day it counts) as somebody fed them."""
    if not isinstance(fact.value, dict):
        return fact.value, None
    until = fact.value[_UNTIL]
    return fact.value["value"], date.fromisoformat(until) if until else None


def _particulars(key: str, given: Mapping[str, str]) -> tuple[dict[str, str], list[tuple[str, Any]]]:
    """(the fields of a public list that were filled in, what is wrong with them)."""
    said = {name: str(value).strip() for name, value in given.items() if str(value or "").strip()}
    wrong: list[tuple[str, Any]] = [
        ("particulars", _("%(name)s is no field of this list") % {"name": name})
        for name in said if name not in subjects.PARTICULARS.get(key, ())
    ]  # fmt: skip
    wrong += [(name, _("must have at most 500 characters")) for name, value in said.items() if len(value) > 500]
    wrong += [(name, _("must be a day such as 2026-03-09")) for name, value in said.items()
              if name in subjects.DAYS and not _is_day(value)]  # fmt: skip
    return said, wrong


def _is_day(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


def _end(said: Mapping[str, str], as_of: date) -> date | None:
    """The last day an entry of a public list counts, where the list names it: never before the entry itself."""
    days = [said[name] for name in subjects.ENDS if _is_day(said.get(name, ""))]
    return max(date.fromisoformat(min(days)), as_of) if days else None


def _kept(key: str, value: Any) -> tuple[Any, Any]:
    """(the value as it is stored, what is wrong with it)."""
    answers = scorecard.FACTS.get(key)
    if value is None:
        return None, None
    if answers == scorecard.YES_NO:
        return (value, None) if isinstance(value, bool) else (None, _("must be true or false"))
    if isinstance(value, bool):
        return (value, None) if answers is None else (None, _("must not be true or false"))
    if isinstance(value, (int, Decimal, str)):
        return _kept_text(str(value).strip(), answers)
    return None, _("must be a text, a number, true, false or null")


def _kept_text(text: str, answers: tuple[str, ...] | None) -> tuple[str | None, Any]:
    if answers == scorecard.NUMBER:
        return _plain_number(text)
    if answers and text not in answers:
        return None, _("is not among the answers: %(answers)s") % {"answers": ", ".join(answers)}
    if not 0 < len(text) <= 500:
        return None, _("must have 1 to 500 characters")
    return text, None


def _plain_number(text: str) -> tuple[str | None, Any]:
    try:
        number = Decimal(text)
        plain = format(number, "f") if number.is_finite() and abs(number.adjusted()) < 16 else ""
    except InvalidOperation:
        plain = ""
    return (plain, None) if _NUMBER.fullmatch(plain) else (None, _("must be a number with at most 8 decimals"))
