"""The policy in force: dated editions, each a YAML text read into `rules.policy.Policy`, none ever changed (C3.2)."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from importlib import resources
from typing import Any

import pydantic
from django.db import transaction
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from shouxin.lib import complaints, turns, yaml_text
from shouxin.lib.statements import send
from shouxin.rules import policy_check
from shouxin.rules.policy import Policy, Post

from . import clock, policy_words, posts, trail
from .models import Person, PolicyDraft, PolicyVersion
from .refusals import BadForm, CannotDecide, NotVisible, Refusal

AUTHORS = (Post.CREDIT_MANAGER, Post.VICE_PRESIDENT, Post.LEGAL_REPRESENTATIVE)
AUTHORITY_AUTHORS = (Post.LEGAL_REPRESENTATIVE,)
"""Who may change chapter `approval` and who releases orders: nobody may widen her own authority."""

FIRST_DAY = date(2000, 1, 1)
"""The shipped edition is in force from here, so that every day of a company's ledgers has a policy."""


@dataclass(frozen=True)
class Edition:
    """The policy with its number and first day. Every decision stores the number."""

    number: int
    since: date
    policy: Policy


@dataclass(frozen=True)
class Fault:
    """What is wrong in a policy file: line (from 1), key path such as `grades.A.term_days`, what is expected there."""

    file: str
    line: int
    path: str
    message: str

    def __str__(self) -> str:
        place = f"{self.path}: " if self.path else ""
        return f"{self.file}:{self.line}: {place}{self.message}"


class PolicyFaults(Refusal):
    """The text is no usable policy; `faults` lists everything that is wrong."""

    code = "policy_faults"
    status = 422
    message = _("This is not a usable policy.")
    cure = _("Correct the lines named.")

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        super().__init__()

    @property
    def errors(self) -> list[tuple[str, str]]:
        """(key path, line and message) for each fault."""
        return [(fault.path, f"{fault.file}:{fault.line}: {fault.message}") for fault in self.faults]

    def __str__(self) -> str:
        return "\n".join(map(str, self.faults))


@dataclass(frozen=True)
class Change:
    """One setting that differs: its key path, and what it was and is (None: not there)."""

    path: str
    old: Any
    new: Any


def in_force(on: date) -> Edition:
    """The edition that holds on a day. Raises CannotDecide where none had begun by then."""
    found = send(_IN_FORCE, on).fetchone()
    if found is None:
        raise CannotDecide(_("No policy was in force on %(day)s."), code="no_policy", day=on)
    return _kept(found[0])


def refuse_before_first(day: date, field: str = "as_of") -> None:
    """Raises BadForm for a day somebody asks about on which no policy was in force yet."""
    first = PolicyVersion.objects.order_by("since").values_list("since", flat=True).first()
    if first is not None and day < first:
        told = say("The first policy came into force on %(first)s; nothing can be worked out for a day before it.")
        raise BadForm([(field, told % {"first": first})])


_IN_FORCE = f"SELECT id FROM {PolicyVersion._meta.db_table} WHERE since <= %s ORDER BY since DESC, number DESC LIMIT 1"


@lru_cache(maxsize=32)
def _kept(pk: int) -> Edition:
    """The edition of a row: read once in each process, for no row is ever changed or given twice."""
    return _edition(PolicyVersion.objects.get(pk=pk))


def at(number: int) -> Edition:
    """The edition with this number, whenever it was in force. Raises NotVisible where there is none."""
    row = PolicyVersion.objects.filter(number=number).first()
    if row is None:
        raise NotVisible
    return _edition(row)


def shipped() -> str:
    """The policy the product comes with, as YAML."""
    return resources.files("shouxin.rules").joinpath("policy.yaml").read_text(encoding="utf-8")


def ensure() -> None:
    """Put the shipped policy in force as version 1 where the installation has none yet."""
    with transaction.atomic():
        if PolicyVersion.objects.exists():
            return
        PolicyVersion.objects.bulk_create(
            [PolicyVersion(number=1, since=FIRST_DAY, text=shipped(), put_at=clock.now())], ignore_conflicts=True
        )


def parse(text: str, name: str) -> Policy:
    """Read a policy from YAML; `name` is the file's, for the messages. Raises PolicyFaults with all faults."""
    try:
        read = yaml_text.read(text)
    except yaml_text.YamlFaults as error:
        raise PolicyFaults(
            [Fault(name, each.line, _dotted(each.path), each.message) for each in error.faults]
        ) from None
    try:
        return Policy.model_validate(read.value)
    except pydantic.ValidationError as error:
        raise PolicyFaults(_faults(error, read, name)) from None


def check(text: str, name: str) -> list[Fault]:
    """What is wrong with a policy that can be read: rules that never bite, gaps, settings without effect.

    Raises PolicyFaults where it cannot be read at all.
    """
    policy, lines = parse(text, name), yaml_text.read(text)
    return [_soft_fault(each, lines, name) for each in policy_check.faults(policy)]


@transaction.atomic
def put(text: str, *, since: date, by: Person, on: date, at: datetime, why: str, name: str = "policy.yaml") -> Edition:
    """A new edition, in force from a day, today at the earliest. The command line acts as the built-in person.

    Raises PolicyFaults, BadForm, and NotYourDuty: the credit manager, the vice-president and the legal
    representative write the policy; its chapter on authority only the legal representative.
    """
    policy = parse(text, name)
    turns.take("office.policy")
    latest = PolicyVersion.objects.order_by("-number")[0]
    changes = compare(in_force(max(since, on)).policy, policy)
    _require_author(by, changes, on=on, at=at)
    if since < on:
        raise BadForm([("since", _("A policy cannot begin in the past: what was decided then stays decided."))])
    row = PolicyVersion.objects.create(
        number=latest.number + 1, since=since, text=text, why=why.strip(), put_by=by, put_at=at
    )
    _forget_draft(by, policy)
    told = {change.path: [change.old, change.new] for change in changes}
    trail.record("put_policy", about=row, by=by, at=at, since=since, why=why, changes=told)
    return Edition(row.number, since, policy)


def _forget_draft(by: Person, policy: Policy) -> None:
    """What has been put is no draft any more; another one of hers is left alone."""
    for row in PolicyDraft.objects.filter(person=by):
        if parse(row.text, "draft") == policy:
            row.delete()


def compare(old: Policy, new: Policy) -> list[Change]:
    """Every setting that differs, in the book's order; list entries are named by their key, stage or post."""
    before, after = dict(_settings(old.model_dump())), dict(_settings(new.model_dump()))
    paths = dict.fromkeys([*before, *after])
    changed = [path for path in paths if before.get(path, _ABSENT) != after.get(path, _ABSENT)]
    return [Change(path, before.get(path), after.get(path)) for path in changed]


_ABSENT = object()


def _require_author(by: Person, changes: list[Change], *, on: date, at: datetime) -> None:
    if posts.is_system(by):
        return
    authority = any(_about_authority(change.path) for change in changes)
    posts.require(by, *(AUTHORITY_AUTHORS if authority else AUTHORS), on=on, about="policy", verb="put_policy", at=at)


def _about_authority(path: str) -> bool:
    return path.startswith("approval.") or path.endswith(".exceptions_by")


def _edition(row: PolicyVersion) -> Edition:
    return Edition(row.number, row.since, _parsed(row.text))


@lru_cache(maxsize=32)
def _parsed(text: str) -> Policy:
    return parse(text, "policy")


def _faults(error: pydantic.ValidationError, read: yaml_text.Read, name: str) -> list[Fault]:
    return [_fault(each, read, name) for each in error.errors(include_url=False)]


def _fault(error: Any, read: yaml_text.Read, name: str) -> Fault:
    if error["type"] == "value_error" and not error["loc"]:
        return _rule_fault(str(error["ctx"]["error"]), read, name)
    path = _known(error["loc"], read) + ((error["loc"][-1],) if error["type"] == "missing" else ())
    return Fault(name, read.line_of(path), _dotted(path), complaints.said(error))


def _rule_fault(told: str, read: yaml_text.Read, name: str) -> Fault:
    """The book's own rules name the place themselves: `grades.D.score_min: must be 0, …`."""
    path, _colon, message = told.partition(": ")
    missing = message.removeprefix("missing ")
    if missing != message:
        message = say("missing %(names)s") % {"names": missing}
    return Fault(name, read.line_of(tuple(path.split("."))), path, say(message))


def _soft_fault(fault: policy_check.Fault, read: yaml_text.Read, name: str) -> Fault:
    path = tuple(int(part) if part.isdigit() else part for part in fault.path.split("."))
    return Fault(name, read.line_of(path), fault.path, policy_words.said(fault))


def _known(loc: tuple[str | int, ...], read: yaml_text.Read) -> tuple[str | int, ...]:
    """The part of pydantic's location that is in the file: it also names union members and dictionary keys."""
    known: tuple[str | int, ...] = ()
    for part in loc:
        if (*known, part) in read.lines:
            known = (*known, part)
    return known


def _dotted(path: tuple[str | int, ...]) -> str:
    return ".".join(map(str, path))


def _settings(value: Any, path: str = "") -> list[tuple[str, Any]]:
    """(dotted path, value) of every leaf."""
    if isinstance(value, dict):
        entries = [(str(getattr(key, "value", key)), each) for key, each in value.items()]
    elif isinstance(value, (list, tuple)) and value and isinstance(value[0], dict):
        entries = [(_entry_name(each, place), each) for place, each in enumerate(value)]
    else:
        return [(path, value)]
    prefix = f"{path}." if path else ""
    return [leaf for name, each in entries for leaf in _settings(each, f"{prefix}{name}")] or [(path, value)]


def _entry_name(entry: dict[str, Any], place: int) -> str:
    return next((str(entry[name]) for name in ("key", "stage", "post") if name in entry), str(place))
