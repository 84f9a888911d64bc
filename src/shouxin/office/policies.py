"""The policy in force: dated editions, each a YAML text read into `rules.policy.Policy`, none ever changed (C3.2)."""

from collections.abc import Iterator, Sequence
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
from .refusals import BadForm, CannotDecide, Moved, NotVisible, Refusal

AUTHORS = (Post.CREDIT_MANAGER, Post.VICE_PRESIDENT, Post.LEGAL_REPRESENTATIVE)
AUTHORITY_AUTHORS = (Post.LEGAL_REPRESENTATIVE,)
"""Who may change chapter `approval` and who releases orders: nobody may widen her own authority."""

TEXTS_KEPT = 8
"""So many policy texts stay read in each process."""

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


def number() -> int:
    """The number of the latest edition, whenever it begins."""
    return PolicyVersion.objects.order_by("-number").values_list("number", flat=True)[0]


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


@lru_cache(maxsize=TEXTS_KEPT)
def parse(text: str, name: str) -> Policy:
    """Read a policy from YAML; `name` is the file's, for the messages. Raises PolicyFaults with all faults.

    The last few texts are remembered: reading one takes a tenth of a second, and a page about a draft asks for it
    several times.
    """
    try:
        read = _read(text)
    except yaml_text.YamlFaults as error:
        raise PolicyFaults(
            [Fault(name, each.line, _dotted(each.path), each.message) for each in error.faults]
        ) from None
    try:
        return Policy.model_validate(read.value)
    except pydantic.ValidationError as error:
        raise PolicyFaults(_faults(error, read, name)) from None


@lru_cache(maxsize=TEXTS_KEPT)
def _read(text: str) -> yaml_text.Read:
    return yaml_text.read(text)


def check(text: str, name: str) -> list[Fault]:
    """What is wrong with a policy that can be read: rules that never bite, gaps, settings without effect.

    Raises PolicyFaults where it cannot be read at all.
    """
    policy, lines = parse(text, name), _read(text)
    return [_soft_fault(each, lines, name) for each in policy_check.faults(policy)]


@transaction.atomic
def put(
    text: str, *, since: date, seen: int | None = None, by: Person, on: date, at: datetime, why: str,
    name: str = "policy.yaml",
) -> Edition:  # fmt: skip
    """A new edition, in force from a day, today at the earliest. The command line acts as the built-in person.

    `seen`: the latest edition when the caller began; raises Moved where somebody has put another one since, which this
    text knows nothing of. Raises PolicyFaults, BadForm, and NotYourDuty: the credit manager, the vice-president and
    the legal representative write the policy; its chapter on authority only the legal representative.
    """
    policy = parse(text, name)
    turns.take("office.policy")
    latest = PolicyVersion.objects.order_by("-number")[0]
    before = in_force(max(since, on)).policy
    changes = compare(before, policy)
    _require_author(by, before, policy, on=on, at=at)
    if seen is not None and seen != latest.number:
        raise Moved(_("v%(number)s was put after you opened this."), code="version_seen", number=latest.number,
                    cure=_("Look at what it changed, and begin from it."))  # fmt: skip
    if since < on:
        raise BadForm([("since", _("A policy cannot begin in the past: what was decided then stays decided."))])
    _refuse_taken_back(before, policy, since)
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
    """Every setting that differs, in the book's order; list entries are named by their key, stage or post.

    A list whose entries stand in another order differs by the order of their names.
    """
    before, after = dict(_settings(old.model_dump())), dict(_settings(new.model_dump()))
    orders, turned = dict(_orders(old.model_dump())), dict(_orders(new.model_dump()))
    for path in orders.keys() & turned.keys():
        if orders[path] != turned[path] and sorted(orders[path]) == sorted(turned[path]):
            before[path], after[path] = orders[path], turned[path]
    paths = dict.fromkeys([*before, *after])
    changed = [path for path in paths if before.get(path, _ABSENT) != after.get(path, _ABSENT)]
    return [Change(path, before.get(path), after.get(path)) for path in changed]


_ABSENT = object()


def _require_author(by: Person, before: Policy, after: Policy, *, on: date, at: datetime) -> None:
    if posts.is_system(by):
        return
    changed = _authority(before) != _authority(after)
    posts.require(by, *(AUTHORITY_AUTHORS if changed else AUTHORS), on=on, about="policy", verb="put_policy", at=at)


def _authority(policy: Policy) -> tuple[object, ...]:
    """All that says who may sign how much, as it stands: its order too gives authority (I-15)."""
    return policy.approval, *(terms.exceptions_by for terms in policy.grades.values())


def _refuse_taken_back(before: Policy, after: Policy, since: date) -> None:
    """Raise BadForm where an edition that begins later would bring back the authority which this one changes."""
    if _authority(before) == _authority(after):
        return
    for row in PolicyVersion.objects.filter(since__gt=since).order_by("since", "-number").distinct("since"):
        if _authority(_parsed(row.text)) == _authority(before):
            told = _("From %(day)s v%(number)s holds, with the authority as it was: put what is to hold then first.")
            raise BadForm([("since", told % {"day": row.since, "number": row.number})])


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
    elif _is_list_of_entries(value):
        entries = list(zip(_entry_names(value), value, strict=True))
    else:
        return [(path, value)]
    prefix = f"{path}." if path else ""
    return [leaf for name, each in entries for leaf in _settings(each, f"{prefix}{name}")] or [(path, value)]


def _orders(value: Any, path: str = "") -> Iterator[tuple[str, list[str]]]:
    """(dotted path, names of the entries in their order) of every list of entries."""
    if isinstance(value, dict):
        entries = [(str(getattr(key, "value", key)), each) for key, each in value.items()]
    elif _is_list_of_entries(value):
        entries = list(zip(_entry_names(value), value, strict=True))
        yield path, [name for name, _each in entries]
    else:
        return
    prefix = f"{path}." if path else ""
    for name, each in entries:
        yield from _orders(each, f"{prefix}{name}")


def _is_list_of_entries(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and bool(value) and isinstance(value[0], dict)


def _entry_names(entries: Sequence[dict[str, Any]]) -> list[str]:
    """Each entry's key, stage or post, else its place; one that is there twice is told by its place as well."""
    names = [
        next((str(entry[name]) for name in ("key", "stage", "post") if name in entry), str(place))
        for place, entry in enumerate(entries)
    ]
    return [f"{name}#{place}" if name in names[:place] else name for place, name in enumerate(names)]
