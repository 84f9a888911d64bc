"""The register of customers: who they are (B2.2), every change with who, when, from what to what."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from shouxin.lib import numbering, sealed
from shouxin.lib.numbers import whole
from shouxin.lib.statements import Reply, array, ask
from shouxin.office import policies, posts, sight, trail
from shouxin.office.models import Person
from shouxin.office.refusals import BadForm, Moved, NotVisible
from shouxin.rules import ids
from shouxin.rules.currencies import CURRENCIES
from shouxin.rules.industries import INDUSTRIES
from shouxin.rules.policy import Post
from shouxin.rules.text import Unreadable, one_spelling, visible

from . import groups, names, search, standing
from .models import Customer, OtherName

CREDIT_OFFICE = (Post.CREDIT_ADMINISTRATOR, Post.CREDIT_MANAGER)
REGISTRARS = (*CREDIT_OFFICE, Post.SALES)
EDITORS = (*REGISTRARS, Post.FINANCE)
"""Whoever may write some field: which, `_require_keeper` says."""
CONTACT_FIELDS = frozenset({"short_name", "contact", "telephone", "email", "address", "region"})
BANK_FIELDS = frozenset({"bank", "bank_account"})
FIELDS = CONTACT_FIELDS | BANK_FIELDS | frozenset(
    {
        "name", "uscc", "uscc_confirmed", "natural_person", "id_number", "legal_representative",
        "registered_capital", "paid_in_capital", "founded_on", "industry", "credit_standard", "currency",
        "salesperson", "department", "group_head", "customer_since",
    }
)  # fmt: skip
"""What can be written. The code is given once: papers name the customer by it."""

CODE = re.compile(r"[A-Za-z0-9._-]{1,40}")
"""What a customer's code may be: it is part of addresses, and no two may look alike. Older ones stay as they are."""

_SEARCHED = frozenset({"name", "short_name", "uscc"})
MASKS: Mapping[str, Callable[[str], str]] = {
    "telephone": ids.mask_phone,
    "bank_account": ids.mask_bank_account,
    "id_number": ids.mask_citizen_number,
    "email": ids.mask_email,
    "address": ids.mask_address,
}
"""How each masked particular is shown; `address` of natural persons alone. Who may read it in full says the policy."""

CANDIDATES_MAX = 200


@dataclass(frozen=True)
class Double:
    """A customer who may be the same company; `likeness` of 100."""

    customer: Customer
    likeness: int


@dataclass(frozen=True, slots=True)
class Known:
    """A customer as the order check knows it. `head_id`: the head of its group, or itself."""

    id: int
    code: str
    currency: str
    head_id: int


def ask_known(codes: Iterable[str]) -> Reply[dict[str, Known]]:
    """Code -> customer, as one of the questions of a pipeline; codes nobody is known by are left out,
    and so are those of restricted customers: what is only stored is not decided upon."""
    return ask(
        f"SELECT id, code, currency, COALESCE(group_head_id, id) FROM {Customer._meta.db_table} "
        "WHERE code = ANY(%s::text[]) AND restricted_on IS NULL",
        array(set(codes)),
        read=lambda rows: {row[1]: Known(*row) for row in rows},
    )


# --- verbs ---------------------------------------------------------------------------------------


@transaction.atomic
def create(*, by: Person, on: date, at: datetime, code: str = "", **fields: Any) -> Customer:
    """A new customer; without a code the next number is given. Sales register only customers of their own.

    Whether the company is known already is asked first (`doubles`); the same credit code twice is refused.
    Raises NotYourDuty and BadForm with everything that is wrong.
    """
    held = _require_registrar(by, on=on, at=at)
    code, fields = _one_spelling(code), _given(fields)
    if not held & set(CREDIT_OFFICE) and not posts.is_system(by):
        fields = _own(fields, by)
    fields.setdefault("currency", "")
    fields["currency"] = fields["currency"] or policies.in_force(on).policy.company.currency
    errors = [*_code_errors(code), *_errors(fields, Customer(), on=on)]
    if not fields.get("name"):
        errors.append(("name", _("is missing")))
    if errors:
        raise BadForm(errors)
    head = fields.pop("group_head", None)
    customer = Customer(code=code or _next_code(), created_at=at, **fields)
    customer.search_keys = search.keys_of(customer)
    customer.save(force_insert=True)
    if head is not None:
        groups.follow(customer, head, by=by, on=on, at=at)
        fields["group_head"] = head
    trail.record("register", about=customer, by=by, at=at, code=customer.code, **_shown(fields))
    return customer


@transaction.atomic
def change(
    customer: Customer, *, by: Person, on: date, at: datetime, version: int | None = None, **changes: Any
) -> Customer:
    """Write the fields that differ, with their history; `version` is the one the caller saw.

    Sales keep the contacts of their customers, finance the bank, the credit office everything. A former name stays
    findable. Raises NotYourDuty, BadForm, Moved where somebody was faster.
    """
    _require_keeper(customer, _differing(customer, changes), by=by, on=on, at=at)
    return correct(customer, by=by, on=on, at=at, version=version, **changes)


def correct(
    customer: Customer, *, by: Person, on: date, at: datetime, version: int | None = None, **changes: Any
) -> Customer:
    """The same for a correction that two people have decided: whose duty that is was asked before."""
    changes = _differing(customer, changes)
    seen = customer.version if version is None else version
    if errors := _change_errors(customer, changes, on=on):
        raise BadForm(errors)
    if not changes:
        return _unmoved(customer, seen)
    was = {name: getattr(customer, name) for name in changes}
    tied = "group_head" in changes
    head = changes.pop("group_head", None)
    for name, value in changes.items():
        setattr(customer, name, value)
    if "name" in changes:
        OtherName.objects.get_or_create(customer=customer, name=was["name"], defaults={"source": "former", "since": on})
    if _SEARCHED & set(changes):
        changes["search_keys"] = search.keys_of(customer, customer.other_names.values_list("name", flat=True))
    marks = sealed.marks(Customer, changes)
    if not Customer.objects.filter(pk=customer.pk, version=seen).update(version=seen + 1, **changes, **marks):
        raise Moved
    if tied:
        groups.follow(customer, head, by=by, on=on, at=at)
        changes["group_head"] = head
    customer.version, customer.search_keys = seen + 1, changes.pop("search_keys", customer.search_keys)
    told, before = _shown(changes), _shown(was)
    trail.record(
        "change_customer", about=customer, by=by, at=at, changes={name: [before[name], told[name]] for name in told}
    )
    return customer


def require_registrable(fields: Mapping[str, Any], *, on: date) -> None:
    """Raises BadForm with everything for which `create` would refuse these values, the code among them, on the day."""
    given = _given({name: value for name, value in fields.items() if name != "code"})
    if errors := [*_code_errors(_one_spelling(fields.get("code", ""))), *_errors(given, Customer(), on=on)]:
        raise BadForm(errors)


def require_writable(customer: Customer, changes: Mapping[str, Any], *, on: date) -> None:
    """Raises BadForm with everything for which `change` would refuse these values on the day."""
    if errors := _change_errors(customer, _differing(customer, changes), on=on):
        raise BadForm(errors)


def confirm_uscc(customer: Customer, reason: str, *, by: Person, on: date, at: datetime) -> Customer:
    """The credit code is right although its check fails: somebody of the credit office has seen the licence."""
    if not reason.strip():
        raise BadForm([("reason", _("Say how it was confirmed."))])
    return change(customer, uscc_confirmed=reason.strip(), by=by, on=on, at=at)


@transaction.atomic
def add_name(customer: Customer, name: str, *, source: str, by: Person, on: date, at: datetime) -> None:
    """Another spelling under which papers name the customer; from now on imports and search know it."""
    posts.require(by, *EDITORS, on=on, about=customer, verb="add_name", at=at)
    name = " ".join(visible(name).split())
    if not 0 < len(name) <= 200:
        raise BadForm([("name", _("must have 1 to 200 characters"))])
    _other, new = OtherName.objects.get_or_create(
        customer=customer, name=name, defaults={"source": source, "since": on}
    )
    if new:
        search.recompute(Customer.objects.filter(pk=customer.pk))
        trail.record("add_name", about=customer, by=by, at=at, name=name, source=source)


def unmask(
    customer: Customer, reason: str, *, by: Person, on: date, at: datetime, fields: Iterable[str] = ()
) -> dict[str, str]:
    """These masked particulars in full; that they were read, by whom and why, stays in the trail (domain 3.5).

    Without `fields` telephone and bank account, as far as her posts reach. Raises NotYourDuty where the policy gives
    one of those named to other posts, BadForm without a reason or for what is not masked.
    """
    wanted = tuple(fields) or tuple(
        name for name in ("telephone", "bank_account") if posts.posts_of(by, on=on) & set(unmaskers(name, on))
    )
    if unknown := set(wanted) - MASKS.keys():
        raise BadForm([("field", _("%(name)s is not masked.") % {"name": ", ".join(sorted(unknown))})])
    for name in wanted or ("telephone",):
        posts.require(by, *unmaskers(name, on), on=on, about=customer, verb="unmask", at=at)
    if not reason.strip():
        raise BadForm([("reason", _("Say why it must be read."))])
    trail.record("unmask", about=customer, by=by, at=at, fields=sorted(wanted), why=reason.strip())
    return {name: getattr(customer, name) for name in wanted}


def unmaskers(field: str, on: date) -> tuple[Post, ...]:
    """The posts that may read the particular in full on the day."""
    found: tuple[Post, ...] = getattr(policies.in_force(on).policy.personal_data.unmask, field)
    return found


# --- questions -----------------------------------------------------------------------------------


def visible_customer(reference: str | int, *, by: Person, on: date) -> Customer:
    """The customer with this id (a number) or code (a text that is not all digits), if she may see it; NotVisible."""
    text = str(reference)
    if isinstance(reference, int) or re.fullmatch(r"[0-9]{1,18}", text):
        return sight.get_visible(Customer, by, int(text), on=on)
    found = sight.visible(Customer, by, on=on).filter(code=text.replace("\0", "")).first()
    if found is None:
        raise NotVisible
    return found


def stored_customer(reference: str | int) -> Customer:
    """The same for whoever may find the restricted too: stored is stored. Raises NotVisible where there is none."""
    text = str(reference)
    wanted = {"code": text.replace("\0", "")} if (pk := whole(text)) is None else {"pk": pk}
    found = Customer.objects.filter(**wanted).first()
    if found is None:
        raise NotVisible
    return found


def seller(username: str) -> Person | None:
    """Who signs in with this name and can look after customers; None where nobody does."""
    return Person.objects.filter(username=username, is_active=True).exclude(username=posts.SYSTEM).first()


def doubles(name: str, *, seen_by: Q, but: int | None = None, limit: int = 10) -> list[Double]:
    """Customers whose name is so alike that a person should look, most alike first; only among those she may see.

    Nobody finds one whose data are restricted.
    """
    candidates = Customer.objects.filter(seen_by, _shares_three(names.core(name)[1]), restricted_on=None)
    found = [
        Double(each, round(names.alike(name, each.name)))
        for each in candidates.exclude(pk=but).defer("search_keys").order_by("-pk")[:CANDIDATES_MAX]
    ]
    return sorted((each for each in found if each.likeness >= names.ALIKE_MIN), key=lambda each: -each.likeness)[:limit]


def masked(customer: Customer) -> dict[str, str]:
    """What is masked as lists, pages and files show it: nobody's particulars in full by default (PIPL art. 51)."""
    return {name: masked_value(customer, name) for name in MASKS}


def masked_value(customer: Customer, name: str) -> str:
    """One particular as it is shown by default; a company's address is no secret."""
    value: str = getattr(customer, name)
    return masked_text(customer, name, value)


def masked_text(customer: Customer, name: str, text: str) -> str:
    """The same for a text that is, or is to be, this particular of the customer."""
    masks = name in MASKS and (name != "address" or customer.natural_person)
    return MASKS[name](text) if text and masks else text


def same_account(customer: Customer, *, seen_by: Q) -> list[Customer]:
    """Other customers with the same bank account, of those she may see: the same hands may be behind them."""
    if not customer.bank_account_index:
        return []
    rows = Customer.objects.filter(seen_by, bank_account_index=customer.bank_account_index, restricted_on=None)
    return list(rows.exclude(pk=customer.pk).only("code", "name").order_by("pk")[:10])


def _shares_three(core: str) -> Q:
    """Three letters in a row in common, found by their two overlapping pairs; short names as a whole."""
    if len(core) < 3 or not re.fullmatch(r"[㐀-鿿]+", core):
        return search.condition(core)
    shared = Q()
    for start in range(min(len(core) - 2, 20)):
        shared |= Q(search_keys__contains=[core[start : start + 2], core[start + 1 : start + 3]])
    return shared


# --- what may be written, and by whom ------------------------------------------------------------


def _require_registrar(by: Person, *, on: date, at: datetime) -> frozenset[Post]:
    if posts.is_system(by):
        return frozenset()
    return posts.require(by, *REGISTRARS, on=on, about="customer:", verb="register", at=at)


def _require_keeper(customer: Customer, changes: Mapping[str, Any], *, by: Person, on: date, at: datetime) -> None:
    """Who may write all of these fields."""
    if posts.is_system(by):
        return
    held = posts.require(by, *EDITORS, on=on, about=customer, verb="change_customer", at=at)
    allowed = FIELDS if held & set(CREDIT_OFFICE) else frozenset[str]()
    allowed |= CONTACT_FIELDS if Post.SALES in held else frozenset()
    allowed |= BANK_FIELDS if Post.FINANCE in held else frozenset()
    if set(changes) - allowed:
        raise posts.not_your_duty(by, CREDIT_OFFICE, about=customer, verb="change_customer", at=at)


def _own(fields: dict[str, Any], by: Person) -> dict[str, Any]:
    """What sales register is theirs: their customer, in their department, without the credit office's own fields."""
    for field, value in (("salesperson", by), ("department", by.department)):
        if fields.setdefault(field, value) != value:
            raise BadForm([(field, _("Sales register only customers of their own."))])
    for field in ("uscc_confirmed", "credit_standard", "group_head"):
        if fields.get(field):
            raise BadForm([(field, _("This is for the credit office to fill in."))])
    return fields


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields as they are kept: texts without surplus blanks and what nobody sees, the credit code as printed."""
    unknown = set(fields) - FIELDS
    if unknown:
        raise BadForm([(name, _("is not known here")) for name in sorted(unknown)])
    kept = {
        name: " ".join(visible(value).split()) if isinstance(value, str) else value for name, value in fields.items()
    }
    for name in ("uscc", "id_number"):
        if kept.get(name):
            kept[name] = ids.normalise(kept[name])
    return kept


def _differing(customer: Customer, changes: Mapping[str, Any]) -> dict[str, Any]:
    """What would be written, as it is kept, where it differs from what stands."""
    return {name: value for name, value in _given(changes).items() if getattr(customer, name) != value}


def _change_errors(customer: Customer, changes: Mapping[str, Any], *, on: date) -> list[tuple[str, Any]]:
    held = standing.held_fast([customer], on)[customer.pk] if customer.pk and changes else frozenset()
    return [*((name, standing.HELD_FAST) for name in sorted(held & set(changes))), *_errors(changes, customer, on=on)]


def _errors(fields: Mapping[str, Any], customer: Customer, *, on: date) -> list[tuple[str, Any]]:
    return [
        *_length_errors(fields),
        *_value_errors(fields, on=on),
        *_uscc_errors(fields, customer),
        *_id_number_errors(fields, customer),
        *_group_errors(fields.get("group_head"), customer, on=on),
    ]


def _length_errors(fields: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    for name, value in fields.items():
        room = Customer._meta.get_field(name).max_length  # type: ignore[union-attr]
        if isinstance(value, str) and room and len(value) > room and name != "uscc":
            yield name, _("must have at most %(room)s characters") % {"room": room}


def _value_errors(fields: Mapping[str, Any], *, on: date) -> Iterable[tuple[str, Any]]:
    if "name" in fields and not re.search(r"\w", fields["name"]):
        yield "name", _("is missing")
    if "currency" in fields and fields["currency"] not in CURRENCIES:
        yield "currency", _("This currency is not known; use its three letters, such as USD.")
    if fields.get("industry") and fields["industry"] not in INDUSTRIES:
        yield "industry", _("must be a section letter of GB/T 4754, A to T")
    for name in ("registered_capital", "paid_in_capital"):
        if fields.get(name) is not None and not 0 <= fields[name] < Decimal(10) ** 15:
            yield name, _("must be an amount of at least 0")
    for name in ("founded_on", "customer_since"):
        if fields.get(name) and fields[name] > on:
            yield name, _("cannot be in the future")
    if fields.get("email"):
        try:
            validate_email(fields["email"])
        except ValidationError:
            yield "email", _("is not an e-mail address")


def _uscc_errors(fields: Mapping[str, Any], customer: Customer) -> Iterable[tuple[str, Any]]:
    """The check digit, unless somebody has confirmed the code; and that nobody else has it."""
    code = fields.get("uscc", customer.uscc)
    if not code or not {"uscc", "uscc_confirmed"} & set(fields):
        return
    confirmed = fields.get("uscc_confirmed", "" if "uscc" in fields else customer.uscc_confirmed)
    problem = ids.check_uscc(code).problem
    if problem == "length" or len(code) > 18:
        yield "uscc", _("must have 18 characters")
    elif problem and not confirmed:
        yield "uscc", USCC_PROBLEMS[problem]
    if "uscc" in fields and Customer.objects.filter(uscc=code).exclude(pk=customer.pk).exists():
        yield "uscc", _("Another customer is registered with this code; ask the credit office.")


def _id_number_errors(fields: Mapping[str, Any], customer: Customer) -> Iterable[tuple[str, Any]]:
    """Only natural persons have one, it must be right, and nobody else may be registered with it."""
    number = fields.get("id_number", "")
    if not number:
        return
    if not fields.get("natural_person", customer.natural_person):
        yield "id_number", _("Only a natural person has an identity number.")
    elif not ids.check_citizen_number(number).ok:
        yield "id_number", _("is not an identity number: 18 characters, the last a check character")
    mark = sealed.marks(Customer, {"id_number": number})["id_number_index"]
    if Customer.objects.filter(id_number_index=mark).exclude(pk=customer.pk).exists():
        yield "id_number", _("Another customer is registered with this number; ask the credit office.")


USCC_PROBLEMS = {
    "length": _("must have 18 characters"),
    "alphabet": _("has a letter that such a code never has (I, O, S, V, Z among them)"),
    "department": _("begins with a letter that stands for no registering authority"),
    "date": _("is not a credit code"),
    "check_digit": _(
        "Its check character does not fit: one character is wrong. If the licence says so, give a reason."
    ),
}


NO_SUCH_PERSON = _("Nobody signs in with this name.")


def _group_errors(head: Customer | None, customer: Customer, *, on: date) -> Iterable[tuple[str, Any]]:
    """Nobody hangs beneath itself, however far down."""
    if head is not None and customer.pk and groups.would_close_ring(customer.pk, head.pk, on):
        yield "group_head", groups.RING


def _one_spelling(code: str) -> str:
    try:
        return one_spelling(code)
    except Unreadable:
        return code  # refused for what it holds


def _code_errors(code: str) -> Iterable[tuple[str, Any]]:
    if not code:
        return
    if not CODE.fullmatch(code):
        yield "code", _("must be letters (A to Z), digits, points, hyphens and underscores, at most 40")
    elif taken := Customer.objects.filter(code__iexact=code).values_list("code", flat=True).first():
        yield "code", _("This code is taken.") if taken == code else _("This code is taken, in other capitals.")


def _next_code() -> str:
    """The next free number: imports may have brought some of the series along."""
    while Customer.objects.filter(code=(code := numbering.take("C")[0])).exists():
        continue
    return code


def _unmoved(customer: Customer, seen: int) -> Customer:
    if not Customer.objects.filter(pk=customer.pk, version=seen).exists():
        raise Moved
    return customer


def _shown(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields as the trail may keep them: what is masked, masked (I-24)."""
    return {name: MASKS[name](value) if name in MASKS and value else value for name, value in fields.items()}
