"""A person's draft of the policy, written chapter by chapter on the pages until it is put in force or dropped (B2.1).

A draft is always a policy that can be read; what in it is unwise is said beside it. It follows the policy in force:
when that changes, the chapters she changed are carried over onto it. Nothing is decided by a draft.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction

from shouxin.lib.yaml_splice import splice
from shouxin.rules.policy import Policy

from . import policies, posts
from .models import Person, PolicyDraft, PolicyVersion
from .policies import Change, Fault
from .refusals import BadForm, Moved

NAME = "policy.yaml"


@dataclass(frozen=True)
class Draft:
    """What she has written so far against edition `base`; `version` 0: nothing yet."""

    base: int
    text: str
    policy: Policy
    version: int
    changes: tuple[Change, ...]

    @property
    def faults(self) -> list[Fault]:
        """Gaps, rules that never bite, settings without effect."""
        return policies.check(self.text, NAME)


def of(person: Person, on: date) -> Draft:
    """Her draft on the policy in force, or that policy itself where she has written nothing that differs from it."""
    edition = policies.in_force(on)
    base = PolicyVersion.objects.get(number=edition.number)
    row = PolicyDraft.objects.filter(person=person).first()
    if row is None:
        return Draft(base.number, base.text, edition.policy, 0, ())
    text = row.text if row.base == base.number else _carried(row, base.text)
    policy = policies.parse(text, NAME)
    return Draft(base.number, text, policy, row.version, tuple(policies.compare(edition.policy, policy)))


def _carried(row: PolicyDraft, onto: str) -> str:
    """The chapters that differ from what the draft was begun on, written into the policy in force."""
    before, mine = policies.at(row.base).policy, policies.parse(row.text, NAME)
    changed = [name for name in Policy.model_fields if getattr(before, name) != getattr(mine, name)]
    return _written(onto, {name: plain(mine)[name] for name in changed})


def plain(policy: Policy) -> dict[str, Any]:
    """The chapters as lists and mappings, with what was written and no defaults; theirs to change who asked."""
    return policy.model_dump(exclude_unset=True)


@transaction.atomic
def change(edit: Callable[[dict[str, Any]], None], *, version: int, by: Person, on: date, at: datetime) -> Draft:
    """Her draft with some chapters edited in place; `version` is the one she saw.

    Raises NotYourDuty, Moved where she has written elsewhere meanwhile, and BadForm with every fault where the result
    could not be read as a policy.
    """
    posts.require(by, *policies.AUTHORS, on=on, about="policy", verb="put_policy", at=at)
    Person.objects.select_for_update(no_key=True).get(pk=by.pk)  # where there is no draft yet, nothing else is hers
    row = PolicyDraft.objects.filter(person=by).first()
    if version != (row.version if row else 0):
        raise Moved
    before = of(by, on)
    text = edited(before, edit)
    PolicyDraft.objects.update_or_create(
        person=by, defaults={"base": before.base, "text": text, "version": version + 1, "changed_at": at}
    )
    return of(by, on)


def edited(draft: Draft, edit: Callable[[dict[str, Any]], None]) -> str:
    """The draft's text with some chapters edited, not kept. Raises BadForm where it were no policy any more."""
    chapters, old = plain(draft.policy), plain(draft.policy)
    edit(chapters)
    return _checked(draft.text, {name: value for name, value in chapters.items() if value != old.get(name)})


def _checked(text: str, chapters: dict[str, Any]) -> str:
    written = _written(text, chapters)
    try:
        policies.parse(written, NAME)
    except policies.PolicyFaults as refusal:
        raise BadForm([("", f"{fault.path}: {fault.message}") for fault in refusal.faults]) from None
    return written


def _written(text: str, chapters: dict[str, Any]) -> str:
    for name, value in chapters.items():
        text = splice(text, name, value)
    return text


def drop(by: Person) -> None:
    """Forget what she has written; the policy in force stays as it is."""
    PolicyDraft.objects.filter(person=by).delete()
