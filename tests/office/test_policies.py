"""The policy: read with its lines, refused with its faults, put by who may, compared setting by setting."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError
from django.utils import translation

from shouxin.office import clock, policies, rates
from shouxin.office.models import Person, PolicyVersion, TrailEntry
from shouxin.office.policies import PolicyFaults
from shouxin.office.refusals import BadForm, CannotDecide, NotYourDuty
from tests.api import Caller
from tests.people import TODAY, member

BOOK = policies.shipped()


@pytest.fixture(autouse=True)
def english() -> Any:
    with translation.override("en"):
        yield


def edited(*changes: tuple[str, str]) -> str:
    """The shipped book with some lines changed; each must be there."""
    text = BOOK
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def line_of(text: str, part: str) -> int:
    """The line (from 1) this part stands on."""
    return text[: text.index(part)].count("\n") + 1


@pytest.mark.invariant("I-31")
def test_shares_are_exact() -> None:
    share = policies.parse(BOOK, "policy.yaml").limits.net_worth_share
    assert (share, type(share)) == (Decimal("0.1"), Decimal)


@pytest.mark.parametrize(
    ("old", "new", "path", "message"),
    [
        pytest.param("term_days: 60", "term_days: sixty", "grades.A.term_days", "whole number", id="not a number"),
        pytest.param("term_days: 60", "term_dayz: 60", "grades.A.term_dayz", "not known", id="misspelt"),
        pytest.param("sales_months: 12", "sales_months: 0", "limits.sales_months", "at least 1", id="too small"),
        pytest.param("term_days: 60", "term_days: 60\n    term_days: 61", "grades.A.term_days", "twice", id="twice"),
        pytest.param("score_min: 0\n", "score_min: 1\n", "grades.D.score_min", "must be 0", id="a rule of the book"),
        pytest.param(
            "bands: [{up_to: 1,", "bands: [{up_to: 1E+999999,", "scorecard.0.questions.0.bands.0.up_to", "digits",
            id="more than a page can show",
        ),
        pytest.param("country: CN", "country: no", "calendar.country", "form", id="no is a word, not false"),
        pytest.param("holidays: []", "holidays: [2026-02-30]", "calendar.holidays.0", "not a date", id="no such day"),
        pytest.param(
            " blacklisted: decline", " blacklisted: warn", "order_check.severity.blacklisted", "warns", id="soft"
        ),
        pytest.param("timezone: Asia/Shanghai", "timezone: !!python/name:os", "company.timezone", "tags", id="tag"),
    ],
)  # fmt: skip
def test_a_fault_names_line_and_setting(old: str, new: str, path: str, message: str) -> None:
    text = edited((old, new))
    with pytest.raises(PolicyFaults) as refusal:
        policies.parse(text, "mine.yaml")
    fault = next(each for each in refusal.value.faults if each.path == path)
    key = path.rpartition(".")[2]
    assert fault.file == "mine.yaml"
    assert message in fault.message
    line = text.splitlines()[fault.line - 1]
    assert (key if not key.isdigit() else "holidays") in line


def test_all_faults_are_told_at_once() -> None:
    text = edited(("term_days: 60", "term_days: x"), ("sales_months: 12", "sales_months: 99"))
    with pytest.raises(PolicyFaults) as refusal:
        policies.parse(text, "mine.yaml")
    assert [fault.path for fault in refusal.value.faults] == ["grades.A.term_days", "limits.sales_months"]


def test_a_missing_setting_is_named_with_the_line_of_its_chapter() -> None:
    text = edited(("  due_date_shift: none\n", ""))
    with pytest.raises(PolicyFaults) as refusal:
        policies.parse(text, "mine.yaml")
    fault = refusal.value.faults[0]
    assert (fault.path, fault.message, fault.line) == (
        "calendar.due_date_shift", "is missing", line_of(text, "calendar:\n")
    )  # fmt: skip


@pytest.mark.parametrize("text", ["", "- a", "a: [", "[" * 5000, "a: &x 1\nb: *x", "\t", "a: \x00"])
def test_what_is_no_book_is_a_fault_not_an_accident(text: str) -> None:
    with pytest.raises(PolicyFaults):
        policies.parse(text, "mine.yaml")


def test_faults_are_told_in_chinese_too() -> None:
    with translation.override("zh-hans"), pytest.raises(PolicyFaults) as refusal:
        policies.parse(edited(("term_days: 60", "term_days: x")), "mine.yaml")
    assert "必须是整数" in str(refusal.value)


def test_a_rule_that_never_bites_is_shown_with_its_line() -> None:
    text = edited(("dunning_stage_max: 2", "dunning_stage_max: 9"))
    (fault,) = policies.check(text, "mine.yaml")
    assert (fault.path, fault.line) == ("order_check.dunning_stage_max", line_of(text, "dunning_stage_max"))
    assert policies.check(BOOK, "policy.yaml") == []


def test_every_fault_of_the_policy_check_has_words() -> None:
    from shouxin.office.policy_words import WORDS
    from shouxin.rules.policy_check import CODES

    assert set(WORDS) == set(CODES)


def test_what_differs_is_named_by_keys() -> None:
    text = edited(("term_days: 60", "term_days: 45"), ("amount_max: 100000}", "amount_max: 90000}"))
    changes = policies.compare(policies.parse(BOOK, "a"), policies.parse(text, "b"))
    assert [(each.path, each.old, each.new) for each in changes] == [
        ("grades.A.term_days", 60, 45),
        ("approval.authority.credit-manager.amount_max", Decimal(100000), Decimal(90000)),
    ]


# --- editions ------------------------------------------------------------------------------------


def put(by: Person, text: str = "", since: date = TODAY, why: str = "tighter") -> policies.Edition:
    """Put an edition with a shorter term, or this text."""
    text = text or edited(("term_days: 60", "term_days: 45"))
    return policies.put(text, since=since, by=by, on=TODAY, at=clock.now(), why=why)


@pytest.mark.clause("C3.2")
@pytest.mark.django_db
def test_each_day_has_the_edition_of_its_day(cy: Person) -> None:
    put(cy, since=TODAY + timedelta(7))
    terms = {days: policies.in_force(TODAY + timedelta(days)) for days in (-3000, 6, 7, 400)}
    assert {days: (each.number, each.policy.grades["A"].term_days) for days, each in terms.items()} == {
        -3000: (1, 60), 6: (1, 60), 7: (2, 45), 400: (2, 45)
    }  # fmt: skip
    assert policies.at(1).policy.grades["A"].term_days == 60
    line = TrailEntry.objects.get(verb="put_policy")
    assert line.particulars["changes"] == {"grades.A.term_days": [60, 45]}


@pytest.mark.django_db
def test_a_policy_never_begins_in_the_past(cy: Person) -> None:
    with pytest.raises(BadForm):
        put(cy, since=TODAY - timedelta(1))
    with pytest.raises(BadForm):
        put(cy, since=date.min)


@pytest.mark.django_db
@pytest.mark.parametrize("caller", ["ann", "bo", "fi", "ed", "ar", "sy"])
def test_others_do_not_write_the_policy(caller: str) -> None:
    with pytest.raises(NotYourDuty):
        put(member(caller))


@pytest.mark.invariant("I-15")
@pytest.mark.django_db
@pytest.mark.parametrize(("caller", "may"), [("cy", False), ("vi", False), ("le", True)])
@pytest.mark.parametrize(
    "change",
    [("amount_max: 100000}", "amount_max: 900000}"), ("exceptions_by: legal-", "exceptions_by: credit-manager #")],
)  # fmt: skip
def test_only_the_one_above_all_changes_authority(caller: str, may: bool, change: tuple[str, str]) -> None:
    if may:
        assert put(member(caller), edited(change)).number == 2
    else:
        with pytest.raises(NotYourDuty):
            put(member(caller), edited(change))


CREDIT_MANAGER = "    - {post: credit-manager, amount_max: 100000}\n"
HIGHEST = "    - {post: legal-representative, amount_max: null}\n"


@pytest.mark.invariant("I-15")
@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(
            (CREDIT_MANAGER, CREDIT_MANAGER.replace("100000", "9000000") + CREDIT_MANAGER), id="a second row first"
        ),
        pytest.param((CREDIT_MANAGER, CREDIT_MANAGER + CREDIT_MANAGER.replace("100000", "9000000")), id="or last"),
        pytest.param((HIGHEST, HIGHEST + CREDIT_MANAGER), id="the lowest post above the highest"),
    ],
)  # fmt: skip
def test_authority_changes_also_by_rows_written_twice_or_in_another_order(cy: Person, change: tuple[str, str]) -> None:
    text = edited(change)
    text = text.replace(CREDIT_MANAGER, "", 1) if change[0] == HIGHEST else text
    with pytest.raises(NotYourDuty):
        put(cy, text)
    changes = policies.compare(policies.parse(BOOK, "a"), policies.parse(text, "b"))
    assert [each for each in changes if each.path.startswith("approval.authority")]


@pytest.mark.invariant("I-15")
@pytest.mark.django_db
def test_no_edition_planted_for_a_later_day_takes_a_change_of_authority_back(cy: Person, le: Person) -> None:
    narrower = edited(("amount_max: 100000}", "amount_max: 10000}"))
    later = TODAY + timedelta(60)
    put(cy, since=later)
    with pytest.raises(BadForm, match="v2"):
        put(le, narrower)
    put(le, edited(("amount_max: 100000}", "amount_max: 10000}"), ("term_days: 60", "term_days: 45")), since=later)
    put(le, narrower)
    for day in (TODAY, later):
        [row, *_rest] = policies.in_force(day).policy.approval.authority
        assert row.amount_max == 10000


@pytest.mark.django_db
def test_a_change_of_authority_planned_for_later_holds_up_nothing(le: Person) -> None:
    put(le, edited(("amount_max: 100000}", "amount_max: 500000}")), since=TODAY + timedelta(60))
    put(le, edited(("amount_max: 100000}", "amount_max: 10000}")))
    assert policies.in_force(TODAY + timedelta(60)).policy.approval.authority[0].amount_max == 500000


@pytest.mark.django_db
def test_an_edition_is_never_changed() -> None:
    with pytest.raises(DatabaseError):
        PolicyVersion.objects.update(text="x")


@pytest.mark.invariant("I-7")
@pytest.mark.django_db
def test_no_policy_no_decision() -> None:
    with pytest.raises(CannotDecide):
        policies.in_force(date(1999, 12, 31))


@pytest.mark.django_db
def test_over_the_api(cy: Person, ann: Person) -> None:
    body = {"text": edited(("term_days: 60", "term_days: x")), "since": "2099-01-01", "why": "test"}
    answer = Caller(cy).post("/policies", body)
    assert answer.status_code == 422
    assert answer.data["errors"][0]["field"] == "grades.A.term_days"
    body["text"] = edited(("term_days: 60", "term_days: 45"))
    assert Caller(ann).post("/policies", body).status_code == 403
    assert Caller(cy).post("/policies", body, If_Match='"1"').data["number"] == 2
    behind = Caller(cy).post("/policies", body, If_Match='"1"')
    assert (behind.status_code, behind.data["code"]) == (409, "version_seen")
    assert "term_days: 45" in Caller(cy).get("/policies/2").data["text"]
    assert [each["number"] for each in Caller(ann).get("/policies").data["items"]] == [2, 1]


# --- rates ---------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_rate_of_the_day_and_its_source(fi: Person, django_assert_num_queries: Any) -> None:
    for days, rate in ((-2, "7.10"), (0, "7.12"), (0, "7.13")):
        rates.put("USD", Decimal(rate), since=TODAY + timedelta(days), source="PBOC", by=fi, on=TODAY, at=clock.now())
    with django_assert_num_queries(1):
        found = rates.rates(["USD", "EUR", "CNY"], on=TODAY, company_currency="CNY")
    assert found["USD"] == rates.Rate(Decimal("7.13"), TODAY, "PBOC")
    assert (found["CNY"].rate, "EUR" in found) == (Decimal(1), False)
    assert rates.rate("USD", on=TODAY - timedelta(1), company_currency="CNY").rate == Decimal("7.10")  # type: ignore[union-attr]
    assert rates.rate("USD", on=TODAY - timedelta(3), company_currency="CNY") is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("currency", "rate", "source", "field"),
    [("XXX", "1", "s", "currency"), ("USD", "0", "s", "rate"), ("USD", "NaN", "s", "rate"),
     ("USD", "1.123456789", "s", "rate"), ("USD", "1", " ", "source")],
)  # fmt: skip
def test_a_rate_that_cannot_be_is_refused(fi: Person, currency: str, rate: str, source: str, field: str) -> None:
    with pytest.raises(BadForm) as refusal:
        rates.put(currency, Decimal(rate), since=TODAY, source=source, by=fi, on=TODAY, at=clock.now())
    assert [name for name, _message in refusal.value.errors] == [field]
