"""What tokens of the API are for: the scopes a token may have, and which operation each of them opens.

A scope narrows what the owner of a token may do and never widens it. Whatever no line of PARTS names is opened for
reading by `read` and for writing by `all` alone, so that a new operation is shut to narrow tokens until somebody
writes it here.
"""

import re
from dataclasses import dataclass
from re import Pattern

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

READ, DECIDE, ALL = "read", "decide", "all"
HERE = "/api/v1/"
SENT = frozenset({"credit-checks", "reservations", "invoices", "receipts", "imports"})
"""The parts of the API that a token of the scope `decide` writes to."""
ANY = frozenset({"me"})
"""What every token may read: whose it is."""


@dataclass(frozen=True)
class Part:
    """Operations with a scope of their own, as whole addresses below /api/v1/; writing includes reading the part."""

    name: str
    reads: Pattern[str]
    writes: Pattern[str]

    @property
    def reading(self) -> str:
        """The scope that reads it."""
        return f"{self.name}:read"

    @property
    def writing(self) -> str:
        """The scope that reads and writes it."""
        return f"{self.name}:write"


PARTS: tuple[Part, ...] = (
    Part("holds", re.compile(r"holds(/[^/]+)?"), re.compile(r"holds/[^/]+/(recheck|reject|release)")),
    Part(
        "line-requests",
        re.compile(r"line-requests(/[^/]+)?|customers/[^/]+/lines"),
        re.compile(r"line-requests/[^/]+(/[^/]+)?|customers/[^/]+/lines"),
    ),
    Part(
        "customers",
        re.compile(
            r"customers(/[^/]+(/(agents|attachments|credit|facts|file|group|letters|lines|names|persons|rating|sheet"
            r"|standing|standings|ties|timeline|securities|journal|counterparty-check(\.[^/.]+)?))?)?"
        ),
        re.compile(
            r"customers(/[^/]+(/(agents|attachments|facts|form-links|names|persons|ties))?)?"
            r"|facts/[^/]+/(mark|verify)|agents/[^/]+/(attachments|check|revoke)|person-ties/[^/]+/end"
        ),
    ),
)
"""Not among them, and so for `all` alone: standing and blacklist, unmasking, ratings, securities."""

LABELS: dict[str, str | Promise] = {
    READ: _("Reading"),
    DECIDE: _("Reading, and what an order system sends"),
    "customers:read": _("Customers: reading their files"),
    "customers:write": _("Customers: reading and keeping their files"),
    "holds:read": _("Holds: reading"),
    "holds:write": _("Holds: reading, release, refusal, checking again"),
    "line-requests:read": _("Lines and line requests: reading"),
    "line-requests:write": _("Lines and line requests: reading, asking, deciding"),
    ALL: _("Everything its owner may do"),
}
NAMES = tuple(LABELS)


def opening(path: str, *, reads: bool) -> tuple[str, ...]:
    """The scopes that open an operation of the API by its path, such as /api/v1/holds/7; the narrowest first."""
    inner = path.removeprefix(HERE)
    if reads and inner in ANY:
        return NAMES
    own = [part for part in PARTS if (part.reads if reads else part.writes).fullmatch(inner)]
    narrow = [name for part in own for name in ((part.reading, part.writing) if reads else (part.writing,))]
    if reads:
        return (*narrow, READ, DECIDE, ALL)
    return (*narrow, DECIDE, ALL) if inner.partition("/")[0] in SENT else (*narrow, ALL)


def parted(text: str) -> list[str]:
    """The names in a token's scope: parted by blanks, each once, in the order of NAMES; unknown ones last."""
    asked = dict.fromkeys(text.split())
    return [name for name in NAMES if name in asked] + [name for name in asked if name not in LABELS]


def choices() -> list[tuple[str, str]]:
    """Every scope with its name and its words, for a form."""
    return [(name, f"{name}: {label}") for name, label in LABELS.items()]


def said(text: str) -> list[str]:
    """The scopes of a token in words of the reader's language."""
    return [str(LABELS.get(name, name)) for name in parted(text)]
