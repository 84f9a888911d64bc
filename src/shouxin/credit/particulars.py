"""The boxes of the paper forms: application (domain 4.1), investigation (4.2), a referee's answers; how they are read.

Values are texts; a box is a line, several lines, an amount, a day, or a tick ("yes"). What is not a box is refused.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from shouxin.lib.numbers import whole
from shouxin.office.refusals import BadForm
from shouxin.rules.money import AmountError, parse_amount

Kind = Literal["line", "lines", "amount", "day", "tick", "number", "choice"]
YES = "yes"
LENGTH_MAX = {"line": 200, "lines": 2000}
CONSENT_VERSION = "2026-11"
"""The wording of the customer's promise and permission; a new wording gets a new version."""


@dataclass(frozen=True)
class Box:
    """One box of a form. `secret`: printed masked unless the reader may see it in full."""

    key: str
    label: str | Promise
    kind: Kind = "line"
    choices: tuple[tuple[str, str | Promise], ...] = ()
    secret: bool = False


APPLICATION: tuple[Box, ...] = (
    Box("contact", _("Contact")),
    Box("telephone", _("Telephone"), secret=True),
    Box("email", _("E-mail for the reply"), secret=True),
    Box("main_products", _("Main products"), "lines"),
    Box("expected_purchases", _("Expected purchases a year"), "amount"),
    Box("current_debt", _("Owed to us at present"), "amount"),
    Box("settlement", _("How it is paid")),
    Box("term_basis", _("From when the term runs")),
    Box("bank", _("Bank")),
    Box("bank_account", _("Bank account"), secret=True),
    Box("taxpayer_type", _("Kind of taxpayer")),
    Box("trade_references", _("Main suppliers: name, limit, term (three at least)"), "lines"),
    Box("statements", _("Financial statements handed in"), "lines"),
    Box("security", _("Security offered"), "lines"),
    Box("sme_declaration", _("Declares itself a small or medium enterprise"), "tick"),
    Box("consent", _("We promise that this is true and allow inquiries about our credit"), "tick"),
    Box("sales_opinion", _("Opinion of sales"), "lines"),
)
OWN_OFFICE = frozenset({"sales_opinion"})
"""Boxes the customer does not see."""

INVESTIGATION: tuple[Box, ...] = (
    Box("conclusion", _("Overall opinion"), "lines"),
    Box("risks", _("Risks"), "lines"),
    Box("shareholders", _("Shareholders"), "lines"),
    Box("controller", _("Actual controller")),
    Box("related", _("Related companies"), "lines"),
    Box("premises", _("Premises: own or rented")),
    Box("equipment", _("Equipment")),
    Box("employees", _("Employees"), "number"),
    Box("suppliers_and_customers", _("Five largest suppliers and customers"), "lines"),
    Box("capacity_used", _("Capacity used")),
    Box("annual_sales", _("Sales a year"), "amount"),
    Box("banks", _("Banks, credit lines, their opinion"), "lines"),
    Box("payment_habits", _("How it pays"), "lines"),
    Box("public_record", _("Courts, taxes, market supervision: when looked up, what was found"), "lines"),
    Box("trade_opinion", _("Opinion in the trade"), "lines"),
    Box("visited_on", _("Visited on"), "day"),
    Box("visitors", _("Visited by")),
    Box("met", _("Whom we met")),
    Box("observed", _("What was seen"), "lines"),
    Box("sources", _("Sources and how far they are trusted"), "lines"),
)
REFERENCE: tuple[Box, ...] = (
    Box("known_since", _("In business with them since")),
    Box("highest_credit", _("Highest credit in the last year"), "amount"),
    Box("term_days", _("Payment term in days"), "number"),
    Box("payment", _("How they pay"), "choice", (
        ("prompt", _("On time")),
        ("within_30", _("Up to 30 days late")),
        ("over_30", _("More than 30 days late")),
        ("unpaid", _("Debts were left unpaid")),
    )),
    Box("remarks", _("Remarks"), "lines"),
)  # fmt: skip


def read(boxes: Iterable[Box], given: Mapping[str, Any], *, where: str = "") -> dict[str, str]:
    """What was filled in, by box; empty boxes are left out. Raises BadForm naming every box that cannot be read.

    `where` goes before the names of faulty boxes (`details.`). A box that is not on the form is a fault.
    """
    known = {box.key: box for box in boxes}
    found, faults = {}, []
    for key, value in given.items():
        try:
            text = _read(known[key], value)
        except KeyError:
            faults.append((f"{where}{key}", _("The form has no such box.")))
        except ValueError as error:
            faults.append((f"{where}{key}", error.args[0]))
        else:
            found |= {key: text} if text else {}
    if faults:
        raise BadForm(faults)
    return found


def _read(box: Box, value: Any) -> str:
    """One box's text. Raises ValueError with what is wrong with it."""
    if isinstance(value, bool) or box.kind == "tick":
        return YES if value in (True, YES, "on", "true", "1") else ""
    text = "" if value is None else str(value).replace("\x00", "").strip()
    if not text:
        return ""
    if len(text) > LENGTH_MAX.get(box.kind, 200):
        raise ValueError(_("At most %(n)s characters.") % {"n": LENGTH_MAX.get(box.kind, 200)})
    checks = {"amount": _amount, "day": _day, "number": _number, "choice": lambda text: _choice(box, text)}
    return checks[box.kind](text) if box.kind in checks else text


def _amount(text: str) -> str:
    try:
        amount = parse_amount(text.replace(",", ""))
    except AmountError:
        raise ValueError(_("An amount such as 1200.00.")) from None
    if amount < 0:
        raise ValueError(_("An amount from 0 upwards."))
    return f"{amount:.2f}"


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError(_("Write the date as 2026-03-09.")) from None


def _number(text: str) -> str:
    if (number := whole(text, 7)) is None:
        raise ValueError(_("A whole number."))
    return str(number)


def _choice(box: Box, text: str) -> str:
    if text not in dict(box.choices):
        raise ValueError(_("Not among the answers."))
    return text


def kept(values: Mapping[str, str]) -> str:
    """As it rests in a sealed column."""
    return json.dumps(dict(values), ensure_ascii=False, sort_keys=True)


def filled(text: str) -> dict[str, str]:
    """What a sealed column holds."""
    found: dict[str, str] = json.loads(text or "{}")
    return found


def shown(boxes: Iterable[Box], values: Mapping[str, str], *, in_full: bool = False) -> Iterator[tuple[Any, str]]:
    """(label, text) of every box in the form's order, empty where nothing is filled in; secrets masked."""
    for box in boxes:
        text = values.get(box.key, "")
        if box.kind == "choice":
            text = str(dict(box.choices).get(text, text))
        elif box.kind == "tick":
            text = str(_("yes")) if text else ""
        elif box.kind == "amount" and text:
            text = f"{parse_amount(text):,.2f}"
        yield box.label, masked(text) if box.secret and not in_full else text


def masked(text: str) -> str:
    """The last four signs; enough to recognise what one knows."""
    return f"…{text[-4:]}" if len(text) > 4 else "…" if text else ""


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, list[str]]:
    """Box -> [old, new] where they differ."""
    keys = sorted({*before, *after})
    return {key: [before.get(key, ""), after.get(key, "")] for key in keys if before.get(key) != after.get(key)}
