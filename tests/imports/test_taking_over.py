"""Taking over: good rows in, refused rows back, nothing twice, nothing of a broken file (I-25)."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import override
from python_calamine import CalamineWorkbook

from shouxin.credit.models import CreditAccount, Line, Posting, Reservation
from shouxin.customers import standing
from shouxin.customers.models import Customer, Fact, GroupTie, OtherName
from shouxin.lib.imports import kinds, run
from shouxin.lib.imports import mapping as mappings
from shouxin.lib.imports.faults import FileFault
from shouxin.lib.imports.kinds import Conditions
from shouxin.office import clock, policies, posts
from shouxin.office.models import Person, TrailEntry
from shouxin.office.refusals import NotYourDuty
from shouxin.receivables.models import Contest, Instalment, Invoice, Receipt
from tests.people import TODAY, acme, member

from .handing import csv_text, sheet_file, text_file

Take = Callable[..., run.Result]

ACME = "C001"
CODES = "客户编码,客户名称,统一社会信用代码,集团编码"
INVOICES = "客户编码,客户名称,单据编号,单据日期,到期日,应收金额,币种"


@pytest.fixture
def take(db: None, tmp_path: Path) -> Take:
    """Take a text over; the refused rows come back at `errors.xlsx`."""
    policies.ensure()
    acme()

    def take(kind: str, table: str | Path, mapping: dict[str, Any] | None = None, **options: Any) -> run.Result:
        found = kinds.get(kind)
        names = ("by", "unknown_customers", "source_system")
        given = {"by": posts.system()} | {name: options.pop(name) for name in names if name in options}
        conditions = Conditions(at=timezone.now(), today=TODAY, currency="CNY", **given)
        path = text_file(tmp_path, table) if isinstance(table, str) else table
        errors = options.pop("errors_path", tmp_path / "errors.xlsx")
        return run.take_over(path, found, mappings.read(mapping, found), conditions, errors_path=errors, **options)

    return take


def _invoice(number: str, amount: str = "100.00", customer: str = ACME, day: str = "2026-01-05") -> str:
    return f"{customer},,{number},{day},2026-02-04,{amount},CNY"


def _counts(result: run.Result) -> tuple[int, int, int]:
    return result.tally.accepted, result.tally.unchanged, result.tally.refused


@pytest.mark.invariant("I-25")
def test_good_rows_are_taken_and_refused_ones_come_back_to_be_corrected(take: Take, tmp_path: Path) -> None:
    rows = [
        _invoice("1"),
        _invoice("2", "1.234"),
        _invoice("3", day="soon"),
        _invoice("4", customer="NOBODY"),
        _invoice("5"),
    ]

    first = take("invoices", csv_text(*rows, heading=INVOICES))

    assert _counts(first) == (2, 0, 3)
    assert first.errors_path == tmp_path / "errors.xlsx"
    sheet = CalamineWorkbook.from_path(first.errors_path).get_sheet_by_index(0).to_python()
    assert sheet[0][:7] == INVOICES.split(",")
    assert [(row[2], row[7]) for row in sheet[1:]] == [("2", 3.0), ("3", 4.0), ("4", 5.0)]
    assert sheet[1][9].startswith("应收金额: ")
    assert "date" in sheet[2][9]

    corrected = [[str(cell) for cell in row] for row in sheet]
    corrected[1][5], corrected[2][3], corrected[3][0] = "123", "2026-01-05", ACME
    again = take("invoices", sheet_file(tmp_path, corrected), errors_path=tmp_path / "second.xlsx")

    assert _counts(again) == (3, 0, 0)
    assert again.errors_path is None and not (tmp_path / "second.xlsx").exists()
    assert Invoice.objects.count() == 5


@pytest.mark.invariant("I-25")
def test_the_same_file_twice_changes_nothing(take: Take) -> None:
    table = csv_text(_invoice("1"), _invoice("2"), heading=INVOICES)
    assert _counts(take("invoices", table)) == (2, 0, 0)
    before = (Posting.objects.count(), TrailEntry.objects.count(), CreditAccount.objects.get().receivable)

    assert _counts(take("invoices", table)) == (0, 2, 0)

    assert (Posting.objects.count(), TrailEntry.objects.count(), CreditAccount.objects.get().receivable) == before


@pytest.mark.invariant("I-25")
def test_a_paper_that_is_there_with_another_amount_is_refused(take: Take) -> None:
    take("invoices", csv_text(_invoice("1"), heading=INVOICES))

    found = take("invoices", csv_text(_invoice("1", "200"), heading=INVOICES))

    assert _counts(found) == (0, 0, 1)
    assert found.faults[0].code == "number_taken"
    assert "100" in str(found.faults[0])


def test_everything_wrong_with_a_row_is_told_at_once(take: Take) -> None:
    found = take("invoices", csv_text(_invoice("1", "1.234", customer=""), heading=INVOICES))
    assert sorted(fault.code for fault in found.faults) == ["required", "too_many_decimals"]


@pytest.mark.invariant("I-25")
def test_the_whole_file_or_nothing(take: Take) -> None:
    table = csv_text(_invoice("1"), _invoice("2", "x"), heading=INVOICES)

    found = take("invoices", table, atomic=True)

    assert not found.written and found.errors_path
    assert _counts(found) == (1, 0, 1), "what would have been"
    assert not Invoice.objects.exists() and not Posting.objects.exists()
    assert not TrailEntry.objects.filter(verb__startswith="import.").exists()


def test_a_file_brings_in_no_customer_whose_code_looks_like_anothers(take: Take) -> None:
    rows = ("c001,甲,,", "客1,乙,,", "N1,丙,,", "n1,丁,,", "Ｃ002,戊\u200b己,,")
    found = take("customers", csv_text(*rows, heading=CODES))
    assert [fault.code for fault in found.faults] == ["code_capitals", "bad_code", "code_capitals"]
    assert set(Customer.objects.values_list("code", flat=True)) == {ACME, "N1", "C002"}
    assert Customer.objects.get(code="C002").name == "戊己"
    papers = take("invoices", csv_text(_invoice("1", customer="c001"), heading=INVOICES), unknown_customers="create")
    assert [fault.code for fault in papers.faults] == ["code_capitals"]


def test_a_customer_with_an_older_code_is_still_known(take: Take) -> None:
    acme(code="c001")
    take("customers", csv_text("c001,新名,,", "C001,别名,,", heading=CODES))
    assert dict(Customer.objects.values_list("code", "name")) == {"c001": "新名", "C001": "别名"}


def test_a_dry_run_answers_the_same_and_writes_nothing(take: Take) -> None:
    table = csv_text(_invoice("1"), _invoice("2", "x"), _invoice("3", customer="NEW"), heading=INVOICES)

    dry = take("invoices", table, dry_run=True, unknown_customers="create")

    assert not dry.written
    assert not Invoice.objects.exists() and Customer.objects.count() == 1
    wet = take("invoices", table, unknown_customers="create")
    assert dry.tally.as_json() == wet.tally.as_json()


@pytest.mark.invariant("I-25")
def test_a_broken_file_changes_nothing_however_late_it_breaks(take: Take, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(run, "BATCH_ROWS", 10)
    table = csv_text(*(_invoice(str(number)) for number in range(95)), '"never closed', heading=INVOICES)

    with pytest.raises(FileFault):
        take("invoices", table)

    assert not Invoice.objects.exists()
    assert not (tmp_path / "errors.xlsx").exists()


@pytest.mark.invariant("I-25")
def test_what_is_shown_before_is_what_comes_after(take: Take, tmp_path: Path) -> None:
    table = csv_text(
        _invoice("1", "1.10"), _invoice("2", "x"), _invoice("3", "-2.20"), _invoice("4", "7", "NOBODY"),
        "合计,,,,,9999,", heading=INVOICES,
    )  # fmt: skip
    kind = kinds.get("invoices")
    conditions = Conditions(by=posts.system(), at=timezone.now(), today=TODAY, currency="CNY")

    shown = run.look(text_file(tmp_path, table), kind, mappings.Mapping(), conditions)
    taken = take("invoices", table)

    assert shown.tally.rows == taken.tally.rows == 4
    assert shown.tally.sums["CNY"]["read"] == Decimal("5.90")
    sums = taken.tally.sums["CNY"]
    assert sums["read"] == Decimal("5.90") == sums["accepted"] + sums["refused"]
    assert sums["accepted"] == Decimal("-1.10") == CreditAccount.objects.get().receivable
    assert taken.tally.total_rows == [6]


def test_a_row_the_database_refuses_spoils_no_neighbour(take: Take, monkeypatch: Any) -> None:
    from django.db import IntegrityError

    from shouxin.receivables.imports import InvoiceWriter

    write = InvoiceWriter.write

    def moody(self: InvoiceWriter, rows: Any) -> Any:
        if any(row.values["doc_no"] == "13" for row in rows):
            raise IntegrityError("new row violates a rule\nDETAIL: secret values")
        return write(self, rows)

    monkeypatch.setattr(InvoiceWriter, "write", moody)
    found = take("invoices", csv_text(*(_invoice(str(number)) for number in range(40)), heading=INVOICES))

    assert _counts(found) == (39, 0, 1)
    assert found.faults[0].row == 15
    assert "secret" not in str(found.faults[0])


def test_the_batches_do_not_part_the_instalments_of_a_paper(take: Take, monkeypatch: Any) -> None:
    monkeypatch.setattr(run, "BATCH_ROWS", 3)
    heading = INVOICES + ",期次"
    rows = [f"{_invoice(str(paper), '10')},{part}" for paper in range(4) for part in (1, 2)]

    assert _counts(take("invoices", csv_text(*rows, heading=heading))) == (8, 0, 0)
    assert Invoice.objects.count() == 4 and Instalment.objects.count() == 8
    assert set(Invoice.objects.values_list("amount", flat=True)) == {Decimal("20.00")}
    assert _counts(take("invoices", csv_text(*rows, heading=heading))) == (0, 8, 0)


def test_progress_is_told(take: Take, monkeypatch: Any) -> None:
    monkeypatch.setattr(run, "BATCH_ROWS", 10)
    told: list[tuple[int, int]] = []

    take(
        "invoices",
        csv_text(*(_invoice(str(n)) for n in range(25)), heading=INVOICES),
        progress=lambda *at: told.append(at),
    )

    assert told == [(10, 25), (20, 25), (25, 25)]


# --- kinds ---------------------------------------------------------------------------------------


def test_paid_history_disputes_open_parts_and_red_invoices(take: Take) -> None:
    heading = "客户编码,单据编号,单据日期,到期日,应收金额,未核销金额,结清日期,是否争议,单据类型"
    rows = [
        "C001,1,2026-01-05,2026-02-04,100,,2026-02-10,,发票",
        "C001,2,2026-01-05,2026-02-04,100,40,,,发票",
        "C001,3,2026-01-05,2026-02-04,100,,,是,发票",
        "C001,4,2026-01-05,,-30,,,,红字发票",
        "C001,5,2026-01-05,2026-02-04,,70,,,期初",
        "C001,6,2026-01-05,2025-12-31,100,,,,发票",
        "C001,7,2026-01-05,2026-02-04,100,40,2026-01-31,,发票",
    ]

    found = take("invoices", csv_text(*rows, heading=heading))

    assert _counts(found) == (6, 0, 1)
    assert (found.faults[0].row, found.faults[0].code) == (7, "due_before_document")
    parts = {part.invoice.doc_no: part for part in Instalment.objects.select_related("invoice")}
    assert (parts["1"].settled, parts["1"].settled_on) == (100, date(2026, 2, 10))
    assert (parts["2"].settled, parts["2"].settled_on) == (60, None)
    assert parts["3"].contested == 100 and Contest.objects.count() == 1
    assert parts["4"].invoice.kind == "credit_note"
    assert (parts["5"].invoice.kind, parts["5"].amount) == ("opening", 70)
    assert CreditAccount.objects.get().receivable == 0 + 40 + 100 - 30 + 70 + 40


def test_receipts_from_a_bank_statement_find_their_payer_by_name(take: Take) -> None:
    OtherName.objects.create(customer=acme(), name="艾克米", source="test", since=TODAY)
    take("invoices", csv_text(_invoice("1", "100"), _invoice("2", "100"), heading=INVOICES))
    heading = "交易日期,对方户名,贷方发生额,流水号,附言"
    rows = ["2026-02-10,艾克米,100.00,T1,2", "2026-02-10,路人甲,5,T2,"]

    found = take("receipts", csv_text(*rows, heading=heading))

    assert _counts(found) == (1, 0, 1)
    assert found.faults[0].code == "unknown_customer"
    assert Receipt.objects.get().names == ["2"]
    assert Instalment.objects.get(invoice__doc_no="2").settled == 100, "what the payer named"
    assert _counts(take("receipts", csv_text(*rows, heading=heading))) == (0, 1, 1)


def test_customers_are_registered_changed_and_left_alone(take: Take) -> None:
    heading = "客户编码,客户名称,统一社会信用代码,联系电话,行业,注册资本(万元),业务员,集团编码"
    rows = [
        "C001,上海艾克米机械有限公司,91350100M000100Y43,021-1234,制造业,500,ann,",
        "G1,集团公司,,,,,,",
        "G2,子公司,,,C,,Ann,G1",
        "X1,坏代码公司,91350100M000100Y44,,,,,",
        "X2,无此人公司,,,,,nobody,",
        "X 3,代码有空格,,,,,,",
        "X4,集团不明,,,,,,G9",
    ]

    found = take("customers", csv_text(*rows, heading=heading))

    assert _counts(found) == (3, 0, 4)
    assert {(fault.row, fault.code) for fault in found.faults} == {
        (5, "uscc_check_digit"), (6, "unknown_salesperson"), (7, "bad_code"), (8, "unknown_head"),
    }  # fmt: skip
    one = Customer.objects.get(code="C001")
    assert (one.uscc, one.registered_capital, one.industry) == ("91350100M000100Y43", 5_000_000, "C")
    assert Customer.objects.get(code="G2").group_head.code == "G1"
    line = TrailEntry.objects.get(verb="change_customer", customer_id=one.pk)
    assert "021-1234" not in str(line.particulars), "no telephone in the trail (I-24)"
    assert TrailEntry.objects.filter(verb="register").count() == 2
    assert _counts(take("customers", csv_text(*rows, heading=heading))) == (0, 3, 4)


def test_a_customers_former_name_stays_findable(take: Take) -> None:
    take("customers", csv_text("C001,上海新名字有限公司", heading="客户编码,客户名称"))

    assert Customer.objects.get(code="C001").name == "上海新名字有限公司"
    assert OtherName.objects.get(customer__code="C001").name == "上海艾克米机械有限公司"
    assert _counts(take("invoices", csv_text(",上海艾克米机械有限公司,1,2026-01-05,,5,CNY", heading=INVOICES))) == (
        1,
        0,
        0,
    )


@pytest.mark.invariant("I-20")
def test_no_file_takes_a_blacklisted_customer_off_its_code_or_out_of_its_group(take: Take) -> None:
    known = "91350100M000100Y43"
    take("customers", csv_text(f"C001,,{known},", "G2,子公司,,C001", heading=CODES))
    standing.set_standing(
        Customer.objects.get(code="C001"), "blacklisted", why="fraud", by=member("vi"), on=TODAY, at=clock.now()
    )
    rows = ["C001,,91310000MA1FL0LX06,", "G1,集团公司,,", "G2,,,G1", f"N9,换了名字,{known},"]

    found = take("customers", csv_text(*rows[:2], heading=CODES))
    again = take("customers", csv_text(*rows[2:], heading=CODES))

    assert (_counts(found)[2], _counts(again)[2]) == (1, 1)
    assert Customer.objects.get(code="C001").uscc == known
    assert Customer.objects.get(code="G2").group_head == Customer.objects.get(code="C001")
    assert not Customer.objects.filter(code="N9").exists()


def test_unknown_customers_are_created_once_with_their_spellings(take: Take) -> None:
    rows = [
        "N1,新客户甲,1,2026-01-05,,5,CNY",
        "N1,新客户(甲),2,2026-01-05,,5,CNY",
        ",没有代码的客户,3,2026-01-05,,5,CNY",
    ]

    found = take("invoices", csv_text(*rows, heading=INVOICES), unknown_customers="create", source_system="u8")

    assert _counts(found) == (3, 0, 0)
    assert Customer.objects.get(code="N1").name == "新客户甲"
    assert OtherName.objects.get(customer__code="N1").name == "新客户(甲)"
    assert Customer.objects.filter(name="没有代码的客户").get().code.startswith("C")


RESTRICTED = {
    "customers": csv_text(f"{ACME},别名公司,,", heading=CODES),
    "lines": csv_text(f"{ACME},A,1000,30", heading="客户编码,信用等级,信用额度,账期"),
    "facts": csv_text(f"{ACME},revenue,12,财务报表,2025-12-31", heading="客户编码,指标,数值,来源,报告期"),
}


@pytest.mark.clause("A13")
@pytest.mark.parametrize("kind", RESTRICTED)
def test_no_file_changes_a_customer_whose_data_are_restricted(take: Take, kind: str) -> None:
    Customer.objects.update(restricted_on=TODAY)
    assert [fault.code for fault in take(kind, RESTRICTED[kind]).faults] == ["restricted"]
    assert not Line.objects.exists() and not Fact.objects.exists() and Customer.objects.get().name != "别名公司"


@pytest.mark.clause("A13")
def test_a_file_of_customers_hangs_nobody_beneath_one_whose_data_are_restricted(take: Take) -> None:
    Customer.objects.update(restricted_on=TODAY)
    found = take("customers", csv_text(f"M1,子公司,,{ACME}", f"{ACME},,,", heading=CODES))
    assert [fault.code for fault in found.faults] == ["unknown_head", "restricted"]
    assert not GroupTie.objects.exists() and Customer.objects.count() == 1


@pytest.mark.clause("A13")
def test_the_invoices_of_a_restricted_customer_go_on_and_teach_no_name(take: Take) -> None:
    Customer.objects.update(restricted_on=TODAY)
    row = _invoice("S1").replace(",,", ",别名公司,", 1)
    assert _counts(take("invoices", csv_text(row, heading=INVOICES))) == (1, 0, 0)
    assert not OtherName.objects.exists()


def test_a_name_that_means_two_customers_is_refused_with_their_codes(take: Take) -> None:
    for code in ("D1", "D2"):
        Customer.objects.create(code=code, name="重名公司", currency="CNY", created_at=timezone.now())

    found = take("invoices", csv_text(",重名公司,1,2026-01-05,,5,CNY", heading=INVOICES), unknown_customers="create")

    assert found.faults[0].code == "ambiguous_customer"
    assert "D1, D2" in str(found.faults[0])


def test_opening_lines_keep_none_zero_and_unlimited_apart(take: Take) -> None:
    for code in ("C002", "C003"):
        acme(code=code, name=code)
    heading = "客户编码,信用等级,信用额度,账期,生效日期"
    rows = [
        'C001,A级,"100,000.00",30天,2026-01-01',
        "C002,,0,0,2026-01-01",
        "C003,B,不限,60,2026-01-01",
        "C001,B,,30,2026-01-01",
    ]

    found = take("lines", csv_text(*rows, heading=heading))

    assert _counts(found) == (3, 0, 1)
    lines = {line.customer.code: line for line in Line.objects.select_related("customer")}
    assert (lines["C001"].limit_kind, lines["C001"].limit, lines["C001"].grade) == ("amount", 100_000, "A")
    assert (lines["C002"].limit_kind, lines["C002"].limit) == ("none", None)
    assert lines["C003"].limit_kind == "unlimited"
    assert lines["C001"].cause == "import"
    assert found.tally.sums == {} or "CNY" in found.tally.sums
    assert _counts(take("lines", csv_text(*rows, heading=heading))) == (0, 3, 1)
    other = take("lines", csv_text("C001,A,50000,30,2026-01-01", heading=heading))
    assert other.faults[0].code == "line_exists"


@pytest.mark.invariant("I-15")
def test_nobody_imports_a_line_beyond_her_authority(take: Take, cy: Person, fi: Person) -> None:
    table = csv_text("C001,A,99999999999,30", heading="客户编码,信用等级,信用额度,账期")

    assert take("lines", table, by=cy).faults[0].code == "above_authority"
    with pytest.raises(NotYourDuty):
        take("lines", table, by=fi)


@pytest.mark.parametrize(("language", "reason"), [("en", "at most 5 days ahead"), ("zh-hans", "最多在 5 天后")])
def test_an_imported_line_begins_no_further_ahead_than_the_policy_lets_one(
    take: Take, language: str, reason: str
) -> None:
    text = policies.shipped().replace("ahead_days_max: 366", "ahead_days_max: 5")
    policies.put(text, since=TODAY, why="near", by=posts.system(), on=TODAY, at=timezone.now())
    far, last = TODAY + timedelta(days=6), TODAY + timedelta(days=5)
    heading = "客户编码,信用等级,信用额度,账期,生效日期"

    refused = take("lines", csv_text(f"C001,A,1000,30,{far}", heading=heading)).faults[0]
    with override(language):
        assert (refused.code, refused.column) == ("too_far_ahead", "since") and reason in str(refused)
    assert _counts(take("lines", csv_text(f"C001,A,1000,30,{last}", heading=heading))) == (1, 0, 0)


def test_open_orders_count_until_they_are_checked_anew(take: Take) -> None:
    from shouxin.office import policies
    from shouxin.orders.checks import CheckRequest, decide

    heading = "客户编码,订单号,未发货金额"
    rows = ["C001,SO-1,300", "C001,SO-2,200"]
    assert _counts(take("orders", csv_text(*rows, heading=heading))) == (2, 0, 0)
    assert _counts(take("orders", csv_text(*rows, heading=heading))) == (0, 2, 0)
    assert take("orders", csv_text("C001,SO-1,301", heading=heading)).faults[0].code == "order_known"
    account = CreditAccount.objects.get()
    assert (account.undelivered, Reservation.objects.count()) == (500, 2)

    take("lines", csv_text("C001,A,1000,30", heading="客户编码,信用等级,信用额度,账期"))
    asked = CheckRequest("C001", Decimal("400"), "SO-1")
    decision = decide([asked], edition=policies.in_force(TODAY), today=TODAY, at=timezone.now(), by=posts.system())[0]

    account.refresh_from_db()
    assert decision.outcome == "approve"
    assert account.reserved + account.undelivered == 400 + 200, "superseded, not added (I-11)"


def test_facts_are_added_once(take: Take) -> None:
    heading = "客户编码,指标,数值,来源,报告期"
    rows = [
        "C001,debt_to_assets,0.55,财务报表,2025-12-31",
        "C001,statements_audited,是,财务报表,2025-12-31",
        'C001,revenue,"1,200,000",财务报表,2025-12-31',
        "C001,debt_to_assets,high,财务报表,2025-12-31",
        "C001,debt_to_assets,0.5,财务报表,2027-12-31",
    ]

    found = take("facts", csv_text(*rows, heading=heading))

    assert _counts(found) == (3, 0, 2)
    assert {fact.key: fact.value for fact in Fact.objects.all()} == {
        "debt_to_assets": "0.55", "statements_audited": True, "revenue": "1200000",
    }  # fmt: skip
    assert _counts(take("facts", csv_text(*rows, heading=heading))) == (0, 3, 2)


@pytest.mark.parametrize("kind", ["customers", "facts", "invoices", "receipts", "orders", "lines"])
def test_sales_and_auditors_import_nothing(kind: str, ann: Person, ed: Person) -> None:
    assert not kinds.get(kind).may(ann)
    assert not kinds.get(kind).may(ed)


def test_finance_may_not_register_customers_by_the_way(take: Take, fi: Person) -> None:
    with pytest.raises(NotYourDuty):
        take("invoices", csv_text(_invoice("1", customer="NEW"), heading=INVOICES), by=fi, unknown_customers="create")


def test_queries_do_not_grow_with_the_rows(take: Take, django_assert_max_num_queries: Any) -> None:
    few = csv_text(*(_invoice(str(n)) for n in range(10)), heading=INVOICES)
    many = csv_text(*(_invoice(str(n)) for n in range(1000, 2500)), heading=INVOICES)
    take("invoices", few)

    with django_assert_max_num_queries(60):
        take("invoices", many)

    assert CreditAccount.objects.aggregate(total=Sum("receivable"))["total"] == 1510 * 100
