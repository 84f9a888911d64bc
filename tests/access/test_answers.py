"""Nothing of a foreign customer in any answer: not in a row, a count, a total, a chart, a suggestion, an export (I-33).

What Ann reads is the same to the last character whether or not the customers of the other department exist. That holds
for names and amounts, and for every number that is added up from them.
"""

import re
from typing import Any

import pytest

from . import table
from .calls import answer, described
from .table import Row
from .world import FOREIGN, NOBODY, World

pytestmark = [pytest.mark.django_db, pytest.mark.invariant("I-33")]
LISTS = ("customers/", "orders/checks/", "orders/holds/", "orders/reservations/", "receivables/invoices/",
         "receivables/receipts/", "receivables/aging/items", "collection/tasks/", "collection/notices/",
         "credit/line-requests/", "office/trail/", "orders/holds/overrides/")  # fmt: skip
VOLATILE = re.compile(
    r'(csrfmiddlewaretoken" value=|X-CSRFToken": )"[^"]*"|"request": "[0-9a-f]+"|"at":"[^"]*","live":true'
    r"|(?<=<b>Opened the credit file</b>)<time>[^<]*"
)
"""What differs from one answer to the next by itself: tokens, numbers of requests, the moment a report was made or the
file was opened, which this reading does itself."""
NOT_FOR_HER = frozenset({"GET office/people/<int:number>/", "GET office/personal-data/"})
"""A page of the security manager's, and the notice that names to whom data are given (PIPL art. 17)."""


def asked() -> list[tuple[str, Row]]:
    """Everything that is read, with the exports of the lists and a search for the mark."""
    reads = {**{name: table.OPERATIONS[name] for name in described() if name in table.OPERATIONS}, **table.PAGES}
    found = [(name, row) for name, row in reads.items() if name.startswith("GET") and isinstance(row, Row)]
    found += [(f"GET {path}", table.page(table.LOOKERS, query="export=csv")) for path in LISTS]
    found.append(("GET customers/suggest", table.page(table.LOOKERS, query=f"q={FOREIGN}")))
    found.append(("GET orders/check/customers", table.page(table.LOOKERS, query=f"q={FOREIGN}")))
    found.append(("GET /customers", table.row(table.LOOKERS, query=f"q={FOREIGN}")))
    return [(name, row) for name, row in found if name not in NOT_FOR_HER and "system" not in name]


def read(house: World, caller: str) -> dict[str, Any]:
    """Call -> status and text of what it answers, without what changes from call to call."""
    told = {}
    for name, row in asked():
        got = answer(house, caller, name, row, house.own)
        content = b"".join(got.streaming_content) if got.streaming else got.content
        told[f"{name}?{row.query}"] = (got.status_code, VOLATILE.sub("", content.decode("utf-8", "replace")))
    return told


def test_what_ann_reads_does_not_depend_on_what_she_may_not_see(own_house: World) -> None:
    own_house.browser("ann").get("/")
    before = read(own_house, "ann")
    assert sum(status == 200 for status, _text in before.values()) > 60
    own_house.add_foreign()
    after = read(own_house, "ann")
    differing = [name for name, told in before.items() if told != after[name]]
    assert not differing, {name: _difference(before[name][1], after[name][1]) for name in differing}
    for blind in ("sy", "se", NOBODY):
        shown = [name for name, (_status, text) in read(own_house, blind).items() if _marked(text)]
        assert not shown, f"{blind} reads of customers"
    everything = read(own_house, "cy")  # the control: who may see them does, on nearly every list
    assert sum(FOREIGN in text for _status, text in everything.values()) > 20


def _marked(text: str) -> bool:
    return any(f"{mark}-" in text or f"{mark}贸易" in text for mark in ("OWN7", FOREIGN))


def _difference(before: str, after: str) -> str:
    place = next((at for at, (one, other) in enumerate(zip(before, after, strict=False)) if one != other), len(before))
    return f"…{before[place - 80 : place + 60]}… | …{after[place - 80 : place + 60]}…"
