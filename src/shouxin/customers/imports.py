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
from shouxin.rules import groups as tree
from shouxin.rules.ids import check_uscc, normalise

from . import bulk, fact_imports, groups, standing
from .identify import ONE_OF, Identifier, in_other_capitals, may_import, people_named, record_import, well_coded
from .import_columns import CUSTOMER_COLUMNS
from .models import Customer
from .registry import USCC_PROBLEMS

register_messages(
    {
        **{f"uscc_{problem}": text for problem, text in USCC_PROBLEMS.items()},
        "unknown_salesperson": _("Nobody signs in under this name, or several people have it."),
        "unknown_head": _("No customer has this code: register the parent first, or in the same file."),
        "ring": groups.RING,
        "bad_percent": _("must be above 0 and at most 100"),
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
    if values["share_percent"] is not None and not 0 < values["share_percent"] <= 100:
        yield Refused("bad_percent", {}, "share_percent")


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
        hung: dict[int, tree.Tie] = {}
        ties = groups.ties_on(self.conditions.today) if heads else {}
        seen: set[str] = set()
        strangers = (row for row, each in zip(rows, found, strict=True) if isinstance(each, Refused))
        alike = in_other_capitals(row.values["customer_code"] for row in strangers if row.values["customer_code"])
        for index, (row, answer) in enumerate(zip(rows, found, strict=True)):
            refusal = self._refusal(row, answer, people, heads, seen, alike)
            wish = _wish(row, answer if isinstance(answer, int) else _unborn(index), heads, ties)
            if not refusal and wish and tree.closes_ring(wish.child, wish.parent, ties):
                refusal = Refused("ring", {}, "group_code")
            if refusal:
                outcomes.append(refusal)
                continue
            if isinstance(answer, int):
                changed = _differing(known[answer], self._fields(row, people))
                told = {*changed, *([standing.HEAD[0]] if wish else [])}
                if fast := held_fast[answer] & told:
                    outcomes.append(Refused("held_fast", {}, "group_code" if fast & set(standing.HEAD) else min(fast)))
                    continue
                if changed:
                    changes.append((known[answer], changed))
                outcomes.append("accepted" if told else "unchanged")
            else:
                new[index] = self._new(row, people)
                outcomes.append("accepted")
            if wish:
                ties[wish.child] = hung[index] = wish
        for index in _orphans(hung, new):
            outcomes[index] = Refused("unknown_head", {}, "group_code")
            changes = [each for each in changes if each[0].pk != hung[index].child]
            new.pop(index, None)
            del hung[index]
        moment = {"by": self.conditions.by, "on": self.conditions.today, "at": self.conditions.at}
        source = self.conditions.source_system or "import"
        made = bulk.create_customers(list(new.values()), source=source, **moment)
        bulk.change_customers(changes, source=source, **moment)
        born = {_unborn(index): customer.pk for index, customer in zip(new, made, strict=True)}
        groups.tie_many(_born(hung.values(), born), source=source, **moment)
        self.identifier.remember(made)
        return outcomes

    def _heads(self, rows: Sequence[Row]) -> dict[str, int]:
        """Code of a parent -> its id, or the place holder of one that this batch registers itself.

        One whose data are restricted is not known (PIPL art. 47).
        """
        asked = {row.values["group_code"] for row in rows if row.values["group_code"]}
        if not asked:
            return {}
        found = {row.values["customer_code"]: _unborn(index) for index, row in enumerate(rows)
                 if row.values["customer_code"] in asked}  # fmt: skip
        return found | dict(Customer.objects.filter(code__in=asked, restricted_on=None).values_list("code", "pk"))

    def _refusal(
        self,
        row: Row,
        answer: int | Refused,
        people: Mapping[str, Person],
        heads: Mapping[str, Any],
        seen: set[str],
        alike: set[str],
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
        if not isinstance(answer, int) and values["customer_code"] in alike:
            return Refused("code_capitals", {}, "customer_code")
        return None

    def _fields(self, row: Row, people: Mapping[str, Person]) -> dict[str, Any]:
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
        return fields

    def _new(self, row: Row, people: Mapping[str, Person]) -> bulk.NewCustomer:
        fields = self._fields(row, people)
        name = fields.pop("name", None) or row.values["customer_code"] or fields.get("uscc", "")
        currency = fields.pop("currency", None) or self.conditions.currency or self.currency
        return bulk.NewCustomer(name, currency, row.values["customer_code"] or "", fields)


def _unborn(index: int) -> int:
    """What stands for the customer a row is going to register."""
    return -1 - index


def _wish(row: Row, child: int, heads: Mapping[str, int], ties: Mapping[int, tree.Tie]) -> tree.Tie | None:
    """The tie the row asks for, where it is not there already; what the row leaves out stays as it is."""
    values = row.values
    parent = heads.get(values["group_code"] or "")
    if parent is None:
        return None
    now = ties.get(child)
    now = now if now and now.parent == parent else None
    kind = values["tie_kind"] or (now.kind if now else "controlled")
    percent = values["share_percent"] if values["share_percent"] is not None else now.percent if now else None
    wish = tree.Tie(child, parent, kind, percent)
    return None if wish == now else wish


def _orphans(hung: Mapping[int, tree.Tie], new: Mapping[int, Any]) -> list[int]:
    """The rows whose parent was to be registered by a row that is refused, and those that hang on them in turn."""
    lost: set[int] = set()
    while found := {
        index
        for index, tie in hung.items()
        if index not in lost and tie.parent < 0 and (-1 - tie.parent not in new or -1 - tie.parent in lost)
    }:
        lost |= found
    return sorted(lost)


def _born(hung: Iterable[tree.Tie], born: Mapping[int, int]) -> list[tree.Tie]:
    """The ties with the ids of those who are registered now."""
    return [tree.Tie(born.get(tie.child, tie.child), born.get(tie.parent, tie.parent), tie.kind, tie.percent)
            for tie in hung]  # fmt: skip


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
