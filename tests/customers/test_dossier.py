"""The dossier: evidence, verification by somebody else, what leaves scoring, notes, statements, the credit sheet."""

import io
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from typing import Any

import docx
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse

from shouxin.customers import dossier, facts, registry, statements
from shouxin.customers.models import Fact, FactMark
from shouxin.office import attachments, clock
from shouxin.office.refusals import BadForm, Moved, NotYourDuty
from shouxin.records import credit_sheet
from tests.people import TODAY, acme, member

pytestmark = [pytest.mark.django_db, pytest.mark.clause("A7"), pytest.mark.clause("C3.3")]
PDF = b"%PDF-1.7\n%%EOF\n"


def call(by: str) -> dict[str, Any]:
    return {"by": member(by), "on": TODAY, "at": clock.now()}


def noted(key: str = "dishonest_debtor", value: Any = True, by: str = "ann", **more: Any) -> Fact:
    return facts.add(acme(), key, value, **{"source": "gazette", "as_of": TODAY} | more, **call(by))


def known() -> dict[str, Any]:
    return {key: fact.value for key, fact in facts.latest([acme().pk], TODAY)[acme().pk].items()}


def scan() -> SimpleUploadedFile:
    return SimpleUploadedFile("scan.pdf", PDF)


@pytest.mark.parametrize("kind", ["expired", "repaired"])
def test_what_is_repaired_or_expired_leaves_scoring_and_the_older_entry_does_not_come_back(kind: str) -> None:
    noted(as_of=date(2026, 1, 1))
    fact = noted()
    assert known() == {"dishonest_debtor": True}
    dossier.mark(fact, kind, "信用修复", **call("bo"))
    assert known() == {}


def test_what_was_noted_wrongly_lets_the_earlier_fact_count_again() -> None:
    noted("lawsuits", 1, as_of=date(2026, 1, 1))
    dossier.mark(noted("lawsuits", 9), "wrong", "another company", **call("bo"))
    assert known() == {"lawsuits": Decimal(1)}


def test_nobody_vouches_for_her_own_fact_and_nobody_marks_twice() -> None:
    fact = noted(by="bo")
    for attempt in (lambda: dossier.mark(fact, "expired", "x", **call("bo")),
                    lambda: dossier.verify(fact, "online", "genuine", checked_on=TODAY, **call("bo")),
                    lambda: dossier.mark(fact, "expired", "x", **call("ann"))):  # fmt: skip
        with pytest.raises(NotYourDuty):
            attempt()
    dossier.mark(fact, "expired", "x", **call("cy"))
    with pytest.raises(Moved):
        dossier.mark(fact, "repaired", "x", **call("vi"))
    assert FactMark.objects.count() == 1


@pytest.mark.clause("B1.4")
def test_a_paper_waits_until_somebody_else_has_verified_it_and_a_forged_one_is_a_veto() -> None:
    fact = noted("tax_grade", "A", evidence=scan(), particulars={"year": "2025"}, queried_on=TODAY)
    assert [each.name for each in attachments.listed(fact, by=member("bo"), on=TODAY)] == ["scan.pdf"]
    assert list(dossier.unverified(member("bo"), TODAY)) == [fact]
    dossier.verify(fact, "issuer", "forged", checked_on=TODAY, note="no such number", **call("bo"))
    assert not dossier.unverified(member("bo"), TODAY).exists()
    assert known() == {"forged_documents": True}
    assert dossier.state_of(dossier.get(fact.pk, by=member("bo"), on=TODAY))[1] == "grey"


@pytest.mark.parametrize(
    ("key", "particulars", "field"),
    [
        pytest.param("tax_grade", {"court": "x"}, "particulars", id="field of another list"),
        pytest.param("penalties", {"decided_on": "yesterday"}, "decided_on", id="no day"),
        pytest.param("penalties", {"reason": "x" * 501}, "reason", id="too long"),
    ],
)
def test_an_entry_has_the_fields_of_its_list(key: str, particulars: dict[str, str], field: str) -> None:
    with pytest.raises(BadForm) as refused:
        noted(key, 1 if key == "penalties" else "A", particulars=particulars)
    assert refused.value.errors[0][0] == field


def test_an_entry_counts_until_the_list_lets_it_go() -> None:
    noted("penalties", 1, as_of=date(2026, 3, 1), particulars={"decision_no": "沪罚1号", "publish_end": "2026-06-01"})
    assert known() == {}


@pytest.mark.clause("B2.6")
def test_a_note_from_the_road_becomes_a_fact_or_is_dismissed_with_a_reason(client: Client) -> None:
    client.force_login(member("ann"))
    form = {"customer": acme().pk, "subject": "operations", "note": "仓库空了一半", "evidence": scan()}
    assert client.post(reverse("customers:quick_note"), form).status_code == 302
    assert (
        client.post(reverse("customers:quick_note"), {"customer": acme().pk, "note": "听说换了老板"}).status_code == 302
    )
    assert client.get(reverse("customers:inbox")).status_code == 403
    client.force_login(member("bo"))
    page = client.get(reverse("customers:inbox")).content.decode()
    assert "仓库空了一半" in page and "scan.pdf" in page
    first, second = dossier.open_notes(member("bo"), TODAY).order_by("id")
    fact = {"key": "employees", "value": "12", "source": "visit", "as_of": TODAY.isoformat()}
    address = reverse("customers:add_fact", args=[acme().pk])
    assert client.post(f"{address}?from={first.pk}", fact).status_code == 302
    assert client.post(f"{address}?from={first.pk}", fact).status_code == 409, "dealt with already"
    assert client.post(reverse("customers:fact_act", args=[second.pk, "dismiss"]), {"reason": ""}).status_code == 422
    client.post(reverse("customers:fact_act", args=[second.pk, "dismiss"]), {"reason": "同名公司"})
    assert not dossier.open_notes(member("bo"), TODAY).exists()
    assert known()["employees"] == 12


FIGURES = {
    "total_assets": 1900, "current_assets": 1200, "current_liabilities": 800, "retained_earnings": 300,
    "net_worth": 900, "total_liabilities": 1000, "revenue": 2850, "profit_before_tax": 150, "interest_expense": 40,
    "depreciation": 60, "intangible_assets": 50, "market_value": 1500, "inventory": 400, "deferred_tax": 0,
}  # fmt: skip


def entered(year: int = 2025, **changes: Any) -> list[Fact]:
    figures = {key: None if value is None else Decimal(value) for key, value in (FIGURES | changes).items()}
    return statements.enter(acme(), figures, as_of=date(year, 12, 31), audited=True, **call("fi"))


@pytest.mark.clause("B2.1")
def test_three_years_of_statements_are_read_as_the_formulas_say() -> None:
    for year in (2022, 2023, 2024, 2025):
        entered(year)
    years = statements.years_of(acme(), TODAY)
    assert [day.year for day, _figures, _read in years] == [2023, 2024, 2025]
    read = {key: each.value for key, each in years[-1][2].items()}
    assert (read["z1"], read["z2"], read["z3"], read["bathory"]) == tuple(
        map(Decimal, ("3.2022", "2.4704", "3.5128", "2.8230"))
    )
    assert known()["net_worth"] == 900


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        pytest.param({"net_worth": 898}, "total_assets", id="does not balance by two"),
        pytest.param({"inventory": 1201}, "inventory", id="more stock than current assets"),
        pytest.param({"revenue": None}, "revenue", id="no revenue"),
        pytest.param({"current_liabilities": 1001}, "current_liabilities", id="more due soon than owed"),
    ],
)
def test_a_statement_that_does_not_add_up_is_refused(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(BadForm) as refused:
        entered(**changes)
    assert field in {name for name, _said in refused.value.errors}
    assert not Fact.objects.exists()


def test_a_cent_of_rounding_balances() -> None:
    assert entered(net_worth="899.99")


def test_the_page_of_statements_is_drawn(client: Client) -> None:
    entered()
    client.force_login(member("ann"))
    page = client.get(reverse("customers:statements", args=[acme().pk])).content.decode()
    assert "3.2022" in page and "predictors" in page


@pytest.mark.clause("B2.2")
def test_the_sheet_tells_of_each_field_its_day_and_its_past(client: Client) -> None:
    registry.change(acme(), legal_representative="王伟", **call("bo"))
    registry.change(acme(), legal_representative="李娜", **call("cy"))
    entries = {each.key: each for each in credit_sheet.entries(acme(), on=TODAY)}
    assert entries["legal_representative"].value == "李娜" and entries["legal_representative"].fresh_on
    moves = [(each.by, each.was, each.now) for each in credit_sheet.changes(acme())]
    assert moves[0] == ("Cy", "王伟", "李娜") and moves[1][2] == "王伟"
    client.force_login(member("ann"))
    answer = client.get(reverse("customers:sheet_file", args=[acme().pk, "docx"]))
    cells = [cell.text for table in docx.Document(io.BytesIO(answer.content)).tables for cell in table._cells]
    assert {"李娜", "王伟", acme().name} <= set(cells)
    assert client.get(reverse("customers:sheet_file", args=[acme().pk, "pdf"])).content.startswith(b"%PDF")
    assert client.get(reverse("customers:sheet", args=[acme().pk])).status_code == 200
    assert client.get(reverse("customers:sheet_file", args=[acme().pk, "exe"])).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_two_who_deal_with_one_note_at_once_one_is_told() -> None:
    note = noted(facts.NOTE, "门口贴有公告")
    start = threading.Barrier(2)

    def deal(verb: Callable[[], object]) -> str:
        try:
            start.wait()
            verb()
            return "done"
        except Moved:
            return "told"
        finally:
            connection.close()

    verbs = (
        lambda: dossier.mark(note, "dismissed", "不属实", **call("bo")),
        lambda: facts.add(acme(), "lawsuits", 1, source="visit", as_of=TODAY, from_note=note, **call("cy")),
    )
    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(deal, verbs)) == ["done", "told"]
    made = Fact.objects.filter(key="lawsuits").count()
    assert FactMark.objects.get(fact=note).kind == ("used" if made else "dismissed")
