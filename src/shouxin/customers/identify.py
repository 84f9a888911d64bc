"""Whom the rows of a file mean: by code, by credit code, by name or another name; strangers registered or refused."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from shouxin.lib.copying import any_of
from shouxin.lib.imports.faults import register_messages
from shouxin.lib.imports.kinds import Block, Column, Conditions, Refused, also
from shouxin.office import clock, moves, policies, posts, trail
from shouxin.office.models import Person, TrailEntry
from shouxin.rules.ids import check_uscc, normalise

from . import bulk, names, registry
from .models import Customer

CODE_ALIASES = also(
    "客户编码 客户编号 客户代码 客户号 往来单位编码 往来单位代码 单位编码 单位代码 对账对象编码 客商编码 "
    "客商编号 客商代码 购方编码 债务人编号",
    "customer code, customer no, customer no., customer number, customer id, cust_number, custnumber, "
    "customerid, account number, account no, bill-to, sold-to, sold-to party, kunnr, debtor, debtor no, "
    "customer",
)
NAME_ALIASES = also(
    "客户名称 客户全称 客户 客户简称 往来单位 往来单位名称 对账对象名称 购货单位 购货单位名称 购买方名称 "
    "购方名称 客商名称 客商 单位名称 企业名称 公司名称 债务人 对方户名 对方单位 付款人 付款单位 "
    "付款方名称 交易对方",
    "customer name, name_customer, name customer, debtor name, company name, bill-to name, payer name",
)
USCC_ALIASES = also(
    "统一社会信用代码 信用代码 社会信用代码 纳税人识别号 税号 购买方纳税人识别号 购方税号",
    "uscc, tax number, tax id, credit code, vat registration number",
)

CODE = Column("customer_code", _("customer code"), "code", CODE_ALIASES, length_max=40)
NAME = Column("customer_name", _("customer name"), "name", NAME_ALIASES)
USCC = Column("uscc", _("unified social credit code"), "code", USCC_ALIASES, length_max=24)
COLUMNS = (CODE, NAME, USCC)
"""The columns by which a row of any kind may name its customer; at least one of them must be there."""
_REMEMBERED_MAX = 200_000
ONE_OF = ("customer_code", "customer_name", "uscc")

register_messages(
    {
        "unknown_customer": _("There is no such customer. Register it first, or choose to create unknown customers."),
        "ambiguous_customer": _("The name means several customers: {codes}. Name the customer by its code."),
        "customer_mismatch": _("Code and credit code belong to different customers ({codes})."),
        "restricted": moves.RESTRICTED,
        "no_customer": _("The row names no customer."),
        "bad_code": _("A customer code has at most 40 letters (A to Z), digits, points, hyphens and underscores."),
        "code_capitals": _("Another customer has this code in other capitals."),
    }
)


class Identifier:
    """Finds the customers of a file's rows, batch by batch, with a bounded number of queries each.

    What was found is remembered for the run. With `unknown_customers="create"` a stranger is registered under
    the file's code (or the next number) with its name; other spellings of a known customer's name are kept.

    Rows of a customer whose data are restricted are refused, unless the file is of the books (`though_restricted`),
    which go on; no spelling of it is kept then.
    """

    def __init__(
        self,
        conditions: Conditions,
        *,
        strangers: str = "",
        keep_spellings: bool = True,
        though_restricted: bool = False,
    ) -> None:
        self.conditions = conditions
        self.creates = (strangers or conditions.unknown_customers) == "create"
        self.keeps_spellings = keep_spellings
        self.though_restricted = though_restricted
        if self.creates:
            bulk.require_office(conditions.by, on=conditions.today, at=conditions.at, verb="register")
        self._by_code: dict[str, int] = {}
        self._by_uscc: dict[str, int] = {}
        self._by_name: dict[str, tuple[int, ...]] = {}
        self._codes: dict[int, str] = {}
        self._known_names: dict[int, set[str]] = {}
        self._unnamed: set[int] = set()
        self._answers: dict[tuple[Any, ...], int | Refused] = {}
        self._alike: set[str] = set()

    def identify(self, rows: Sequence[Mapping[str, Any]]) -> list[int | Refused]:
        """For each row's values the id of its customer, or why there is none."""
        self._look_up(rows)
        found = [self._of(row) for row in rows]
        if self.creates:
            strangers = [row for row, answer in zip(rows, found, strict=True) if _is_unknown(answer)]
            if strangers:
                self._register(strangers)
                found = [
                    self._after_registering(row) if _is_unknown(each) else each
                    for row, each in zip(rows, found, strict=True)
                ]
        unrestricted = _without(_restricted_among(found), found)
        if self.keeps_spellings:
            self._keep_spellings(rows, unrestricted)
        return found if self.though_restricted else unrestricted

    def identify_block(self, rows: Block) -> list[int | Refused]:
        """The same for a block of checked rows; whoever is named the same way many times is looked for once."""
        named = list(zip(*(rows.columns[column.key] for column in COLUMNS), strict=True))
        if len(self._answers) > _REMEMBERED_MAX:
            self._answers.clear()
        answers = self._answers
        first: dict[tuple[Any, ...], int] = {}
        for place, name in enumerate(named):
            if name not in answers and name not in first:
                first[name] = place
        found = dict(zip(first, self.identify([rows[place].values for place in first.values()]), strict=True))
        self._answers |= {name: answer for name, answer in found.items() if isinstance(answer, int)}
        return [answers[name] if name in answers else found[name] for name in named]

    # --- finding ---------------------------------------------------------------------------------

    def _look_up(self, rows: Sequence[Mapping[str, Any]]) -> None:
        codes = {row["customer_code"] for row in rows if row["customer_code"]} - self._by_code.keys()
        usccs = {normalise(row["uscc"]) for row in rows if row["uscc"]} - self._by_uscc.keys()
        known = Customer.objects.only("code", "uscc", "name")  # what is sealed costs more to open than all the rest
        self.remember(known.filter(code__in=any_of(codes, "text")) if codes else ())
        self.remember(known.filter(uscc__in=any_of(usccs, "text")) if usccs else ())
        spelt = {
            row["customer_name"]
            for row in rows
            if row["customer_name"] and not row["customer_code"] and not row["uscc"]
        } - self._by_name.keys()
        if spelt:
            self._by_name |= {name: pks for name, pks in names.resolve(spelt).items() if pks}
            several = {pk for name in spelt for pk in self._by_name.get(name, ()) if len(self._by_name[name]) > 1}
            self._codes |= dict(Customer.objects.filter(pk__in=several).values_list("pk", "code")) if several else {}

    def remember(self, customers: Iterable[Customer]) -> None:
        """Know these customers without asking again."""
        for customer in customers:
            self._by_code[customer.code] = customer.pk
            if customer.uscc:
                self._by_uscc[customer.uscc] = customer.pk
            self._known_names.setdefault(customer.pk, set()).add(customer.name)
            if customer.name == customer.code:
                self._unnamed.add(customer.pk)

    def _of(self, row: Mapping[str, Any]) -> int | Refused:
        code, name = row["customer_code"], row["customer_name"]
        uscc = normalise(row["uscc"]) if row["uscc"] else ""
        by_code, by_uscc = self._by_code.get(code), self._by_uscc.get(uscc)
        if by_code and by_uscc and by_code != by_uscc:
            return Refused("customer_mismatch", {"codes": f"{code}, {uscc}"}, "customer_code")
        if by_code or (code and not by_uscc):
            return by_code or Refused("unknown_customer", {}, "customer_code")
        if by_uscc or (uscc and not name):
            return by_uscc or Refused("unknown_customer", {}, "uscc")
        if not name:
            return Refused("no_customer", {}, "customer_code")
        meant = self._by_name.get(name, ())
        if len(meant) > 1:
            codes = sorted(self._codes[pk] for pk in meant)
            return Refused("ambiguous_customer", {"codes": ", ".join(codes[:5])}, "customer_name")
        return meant[0] if meant else Refused("unknown_customer", {}, "customer_name")

    def _after_registering(self, row: Mapping[str, Any]) -> int | Refused:
        answer = self._of(row)
        code = row["customer_code"] or ""
        if _is_unknown(answer) and not well_coded(code):
            return Refused("bad_code", {}, "customer_code")
        return Refused("code_capitals", {}, "customer_code") if code in self._alike else answer

    # --- strangers and spellings -----------------------------------------------------------------

    def _register(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Register each stranger once, under the fullest of what the rows say; a bad credit code is left out."""
        first: dict[tuple[str, str], dict[str, Any]] = {}
        for row in rows:
            key = (
                ("code", row["customer_code"])
                if row["customer_code"]
                else ("name", row["customer_name"] or row["uscc"])
            )
            kept = first.setdefault(key, dict(row))
            for column in ("customer_name", "uscc", "salesperson_id", "department"):
                kept[column] = kept.get(column) or row.get(column)
        conditions = self.conditions
        currency = policies.in_force(conditions.today).policy.company.currency
        self._alike = in_other_capitals(row["customer_code"] for row in first.values() if row["customer_code"])
        wanted = [
            _stranger(row, currency)
            for row in first.values()
            if well_coded(row["customer_code"] or "") and row["customer_code"] not in self._alike
        ]
        taken: set[str] = set()
        for each in wanted:  # two strangers with one credit code: the second is registered without it
            if each.fields.get("uscc") in taken:
                each.fields.pop("uscc")  # type: ignore[attr-defined]
            taken.add(each.fields.get("uscc", ""))
        made = bulk.create_customers(
            wanted, by=conditions.by, on=conditions.today, at=conditions.at, source=conditions.source_system or "import"
        )
        self.remember(made)
        for customer in made:
            self._by_name.setdefault(customer.name, (customer.pk,))

    def _keep_spellings(self, rows: Sequence[Mapping[str, Any]], found: Sequence[int | Refused]) -> None:
        """Names that differ from the registered one are kept; a customer known only by its code gets its name."""
        spelt = {
            (pk, row["customer_name"])
            for row, pk in zip(rows, found, strict=True)
            if isinstance(pk, int) and row["customer_name"] and row["customer_code"]
        }
        new = sorted((pk, name) for pk, name in spelt if name not in self._known_names.get(pk, ()))
        if not new:
            return
        conditions = self.conditions
        told = {"by": conditions.by, "on": conditions.today, "at": conditions.at}
        source = conditions.source_system or "import"
        naming = {pk: name for pk, name in reversed(new) if self.creates and pk in self._unnamed}
        if naming:
            customers = Customer.objects.in_bulk(list(naming))
            changes = [(customers[pk], {"name": name}) for pk, name in naming.items()]
            bulk.change_customers(changes, source=source, **told)
            self._unnamed -= naming.keys()
        bulk.add_names([pair for pair in new if naming.get(pair[0]) != pair[1]], source=source, **told)
        for pk, name in new:
            self._known_names.setdefault(pk, set()).add(name)


def _restricted_among(found: Iterable[int | Refused]) -> set[int]:
    known = {each for each in found if isinstance(each, int)}
    restricted = Customer.objects.filter(pk__in=any_of(known, "bigint"), restricted_on__isnull=False)
    return set(restricted.values_list("pk", flat=True)) if known else set()


def _without(restricted: set[int], found: Iterable[int | Refused]) -> list[int | Refused]:
    """The same with a refusal in the place of every customer whose data are restricted."""
    return [
        Refused("restricted", {}, "customer_code") if isinstance(each, int) and each in restricted else each
        for each in found
    ]


def _is_unknown(answer: int | Refused) -> bool:
    return isinstance(answer, Refused) and answer.code == "unknown_customer"


def _stranger(row: Mapping[str, Any], currency: str) -> bulk.NewCustomer:
    uscc = normalise(row["uscc"]) if row.get("uscc") else ""
    known: dict[str, Any] = {"uscc": uscc} if uscc and check_uscc(uscc).ok else {}
    for column in ("salesperson_id", "department"):
        if row.get(column):
            known[column] = row[column]
    name = row["customer_name"] or row["customer_code"] or uscc
    return bulk.NewCustomer(name, row.get("currency") or currency, row["customer_code"] or "", known)


def well_coded(code: str) -> bool:
    """Whether a code may become a customer's; none is one that will be given."""
    return not code or bool(registry.CODE.fullmatch(code))


def in_other_capitals(codes: Iterable[str]) -> set[str]:
    """Of these codes of strangers the ones that differ only in capitals from a customer's, or from one before them."""
    new = list(dict.fromkeys(codes))
    capitals = any_of({code.upper() for code in new}, "text")
    rows = Customer.objects.annotate(capitals=Upper("code")).filter(capitals__in=capitals)
    taken = set(rows.values_list("capitals", flat=True)) if new else set()
    found = set()
    for code in new:
        if code.upper() in taken:
            found.add(code)
        taken.add(code.upper())
    return found


def people_named(words: Iterable[str]) -> dict[str, Person]:
    """Sign-in name or full name -> the one active person it means; several of one name mean nobody."""
    wanted = set(filter(None, words))
    found: dict[str, list[Person]] = {}
    for person in Person.objects.filter(is_active=True):
        for word in {person.username, person.name} & wanted:
            found.setdefault(word, []).append(person)
    return {word: people[0] for word, people in found.items() if len(people) == 1}


def may_import(person: Person) -> bool:
    """Whether she may import customers and facts: the credit office, or the command line."""
    return posts.is_system(person) or bool(posts.posts_of(person, on=clock.today()) & set(bulk.CREDIT_OFFICE))


def record_import(kind: str) -> Any:
    """Who leaves the trail line of a run of this kind, once: how many rows, and of which file."""

    def finished(conditions: Conditions, particulars: Mapping[str, Any]) -> None:
        about = f"import-run:{conditions.run_id}" if conditions.run_id else "import-run:"
        if conditions.again and TrailEntry.objects.filter(about=about, verb=f"import.{kind}").exists():
            return
        trail.record(f"import.{kind}", about=about, by=conditions.by, at=conditions.at, **particulars)

    return finished
