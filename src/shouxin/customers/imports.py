"""Files of customers."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from shouxin.lib.imports import kinds
from shouxin.lib.imports.faults import register_messages
from shouxin.lib.imports.kinds import Conditions, Kind, Outcome, Refused, Row
from shouxin.office import policies
from shouxin.office.models import Person
from shouxin.rules.ids import check_uscc, normalise

from . import bulk, fact_imports, standing
from .identify import ONE_OF, Identifier, may_import, people_named, record_import, well_coded
from .import_columns import CUSTOMER_COLUMNS
from .models import Customer
from .registry import USCC_PROBLEMS

register_messages(
    {
        **{f"uscc_{problem}": text for problem, text in USCC_PROBLEMS.items()},
        "unknown_salesperson": _("Nobody signs in under this name, or several people have it."),
        "unknown_head": _("There is no such group head; it must be registered, and head its own group."),
        "bad_email": _("This is no e-mail address."),
        "in_the_future": _("The day lies in the future."),
        "same_uscc": _("Another row of this file has the same credit code."),
        "held_fast": standing.HELD_FAST,
        "same_name": _("Another row of this file has the same name and no code."),
    }
)

_COPIED = (
    "short_name",
    "uscc_confirmed",
    "natural_person",
    "legal_representative",
    "registered_capital",
    "paid_in_capital",
    "founded_on",
    "address",
    "region",
    "telephone",
    "email",
    "contact",
    "bank",
    "bank_account",
    "industry",
    "credit_standard",
    "currency",
    "department",
    "customer_since",
)


def _check_customer(values: Mapping[str, Any]) -> Iterable[Refused]:
    if values["uscc"] and not values["uscc_confirmed"]:
        problem = check_uscc(values["uscc"]).problem
        if problem:
            yield Refused(f"uscc_{problem}", {}, "uscc")
    if values["email"]:
        try:
            validate_email(values["email"])
        except ValidationError:
            yield Refused("bad_email", {}, "email")


class CustomerWriter:
    """Registers strangers and writes what the file says differently of known customers; blanks erase nothing."""

    def __init__(self, conditions: Conditions) -> None:
        self.conditions = conditions
        bulk.require_office(conditions.by, on=conditions.today, at=conditions.at, verb="register")
        self.currency = policies.in_force(conditions.today).policy.company.currency
        # Names that differ are renamings here, not other spellings: the file is about the customers themselves.
        self.identifier = Identifier(conditions, strangers="refuse", keep_spellings=False)

    def write(self, rows: Sequence[Row]) -> list[Outcome]:
        """One outcome per row: accepted (new or changed), unchanged, or refused."""
        people = people_named(row.values["salesperson"] for row in rows)
        found = self.identifier.identify([row.values for row in rows])
        heads = self._heads(rows)
        known = Customer.objects.in_bulk([pk for pk in found if isinstance(pk, int)])
        held_fast = standing.held_fast(known.values(), self.conditions.today)
        outcomes: list[Outcome] = []
        new: dict[int, bulk.NewCustomer] = {}
        changes: list[tuple[Customer, dict[str, Any]]] = []
        seen: set[str] = set()
        for index, (row, answer) in enumerate(zip(rows, found, strict=True)):
            refusal = self._refusal(row, answer, people, heads, seen)
            if refusal:
                outcomes.append(refusal)
            elif isinstance(answer, int):
                changed = _differing(known[answer], self._fields(row, people, heads))
                if fast := held_fast[answer] & set(changed):
                    outcomes.append(Refused("held_fast", {}, "group_code" if fast & set(standing.HEAD) else min(fast)))
                    continue
                if changed:
                    changes.append((known[answer], changed))
                outcomes.append("accepted" if changed else "unchanged")
            else:
                new[index] = self._new(row, people, heads)
                outcomes.append("accepted")
        told = {"by": self.conditions.by, "on": self.conditions.today, "at": self.conditions.at}
        source = self.conditions.source_system or "import"
        made = bulk.create_customers(list(new.values()), source=source, **told)
        changes += self._late_heads([(rows[index], customer) for index, customer in zip(new, made, strict=True)], heads)
        bulk.change_customers(changes, source=source, **told)
        self.identifier.remember(made)
        return outcomes

    def _heads(self, rows: Sequence[Row]) -> dict[str, int | None]:
        """Code of a group head -> its id; None for one that this batch registers itself."""
        asked = {row.values["group_code"] for row in rows if row.values["group_code"]}
        if not asked:
            return {}
        found: dict[str, int | None] = dict.fromkeys(asked & {row.values["customer_code"] for row in rows})
        heads = Customer.objects.filter(code__in=asked, group_head=None).values_list("code", "pk")
        return found | dict(heads)

    def _refusal(
        self, row: Row, answer: int | Refused, people: Mapping[str, Person], heads: Mapping[str, Any], seen: set[str]
    ) -> Refused | None:
        values = row.values
        if isinstance(answer, Refused) and answer.code != "unknown_customer":
            return answer
        if values["salesperson"] and values["salesperson"] not in people:
            return Refused("unknown_salesperson", {}, "salesperson")
        head = values["group_code"]
        if head and (head not in heads or head == values["customer_code"]):
            return Refused("unknown_head", {}, "group_code")
        future = next(
            (key for key in ("founded_on", "customer_since") if _after(values[key], self.conditions.today)), ""
        )
        if future:
            return Refused("in_the_future", {}, future)
        for code, key, word in (
            ("same_uscc", "uscc", normalise(values["uscc"] or "")),
            ("same_name", "customer_name", "" if values["customer_code"] else values["customer_name"] or ""),
        ):
            if word in seen and word:
                return Refused(code, {}, key)
            seen.add(word)
        if not isinstance(answer, int) and values["customer_code"] and not well_coded(values["customer_code"]):
            return Refused("bad_code", {}, "customer_code")
        return None

    def _fields(self, row: Row, people: Mapping[str, Person], heads: Mapping[str, int | None]) -> dict[str, Any]:
        """What the row says about the customer, in the model's own fields; blanks are left out."""
        values = row.values
        fields = {key: values[key] for key in _COPIED if values[key] is not None}
        if values["customer_name"]:
            fields["name"] = values["customer_name"]
        if values["uscc"]:
            fields["uscc"] = normalise(values["uscc"])
        if values["salesperson"]:
            fields["salesperson_id"] = people[values["salesperson"]].pk
            fields.setdefault("department", people[values["salesperson"]].department)
        if values["group_code"] and heads.get(values["group_code"]):
            fields["group_head_id"] = heads[values["group_code"]]
        return fields

    def _new(self, row: Row, people: Mapping[str, Person], heads: Mapping[str, int | None]) -> bulk.NewCustomer:
        fields = self._fields(row, people, heads)
        name = fields.pop("name", None) or row.values["customer_code"] or fields.get("uscc", "")
        currency = fields.pop("currency", None) or self.conditions.currency or self.currency
        return bulk.NewCustomer(name, currency, row.values["customer_code"] or "", fields)

    def _late_heads(
        self, made: Sequence[tuple[Row, Customer]], heads: Mapping[str, int | None]
    ) -> list[tuple[Customer, dict[str, Any]]]:
        """Members whose head was registered by the same batch."""
        by_code = {customer.code: customer.pk for _row, customer in made}
        return [
            (customer, {"group_head_id": by_code[head]})
            for row, customer in made
            if (head := row.values["group_code"]) and heads.get(head) is None and head in by_code
        ]


def _after(day: date | None, today: date) -> bool:
    return day is not None and day > today


def _differing(customer: Customer, fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if getattr(customer, name) != value}


KIND = Kind(
    name="customers",
    label=_("Customers"),
    columns=CUSTOMER_COLUMNS,
    writer=CustomerWriter,
    may=may_import,
    key=("customer_code",),
    one_of=(ONE_OF,),
    check=_check_customer,
    finished=record_import("customers"),
    help=_("Registers customers and keeps their master data; blank cells erase nothing."),
)


def register() -> None:
    """Enter the kinds of this package; called when the application is ready."""
    kinds.register(KIND)
    kinds.register(fact_imports.KIND)
