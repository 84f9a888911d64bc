"""The daily run told as stories: a debt that ages day by day, a cure, days missed, a customer that breaks."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shouxin.collection import facts, rounds
from shouxin.collection.models import CustomerDay, Day, Notice, Task
from shouxin.credit.models import Line
from shouxin.customers import standing as standings
from shouxin.customers.models import Customer, Standing
from shouxin.office import policies
from shouxin.office.models import Person, TrailEntry
from shouxin.office.refusals import NotYourDuty
from shouxin.receivables import aging, invoices, owed
from shouxin.receivables.models import Episode, ProofRun
from shouxin.rules import daily
from shouxin.rules.payment_record import payment_record
from tests.people import acme

from . import world
from .world import AT, DUE, D, after, another, days, grade, line, owe, pay, run, standing

pytestmark = pytest.mark.django_db


def sent() -> list[int]:
    """The stages of the letters written, in order."""
    return list(Notice.objects.order_by("pk").values_list("stage", flat=True))


def open_tasks(customer: Customer | None = None) -> dict[str, str]:
    """Kind -> post of the open tasks."""
    return dict(Task.objects.filter(customer=customer or acme(), status="open").values_list("kind", "post"))


@pytest.mark.clause("B2.5")
@pytest.mark.clause("C3.6")
def test_a_debt_grows_old_and_is_paid() -> None:
    """B, 500 000 until paid: reminder, four letters, B to C to D, stop of supply, cash only; then the money comes."""
    line("B")
    owe("10000.00")
    seen: dict[int, tuple[list[int], str, str, dict[str, str]]] = {}
    for number, day in days(-8, 125):
        assert day.status == "done"
        seen[number] = (sent(), grade(), standing(), open_tasks())
    letters, grades, stands, tasks = ({number: each[place] for number, each in seen.items()} for place in range(4))
    assert letters[-8] == []
    assert letters[-7] == [0] == letters[2]
    assert letters[3] == [0, 1] == letters[29]
    assert letters[30] == [0, 1, 2] == letters[59]
    assert letters[60] == [0, 1, 2, 3] == letters[89]
    assert letters[90] == [0, 1, 2, 3, 4] == letters[125]

    assert [grades[n] for n in (0, 30, 31, 60, 61, 90, 91, 125)] == ["B", "B", "C", "C", "D", "D", "D", "D"]
    assert [stands[n] for n in (0, 1, 31, 59, 60, 61, 90, 91, 125)] == [
        "good", "watched", "watched", "watched", "stopped", "stopped", "stopped", "cash_only", "cash_only",
    ]  # fmt: skip
    assert tasks[2] == {}
    assert tasks[3] == {"call": "sales"}
    assert tasks[30] == {"demand": "credit-administrator"}
    assert tasks[60] == {"stop": "credit-manager"}
    assert tasks[90] == {"lawyer": "vice-president"}
    assert tasks[120] == {"legal": "legal-representative"}

    pay("10000.00", on=after(126))
    cured = run(after(126))
    assert (grade(), standing(), open_tasks()) == ("D", "good", {}), "the grade does not come back by itself"
    assert cured.counts["ended"] == 1
    episode = Episode.objects.get()
    assert (episode.began_on, episode.ended_on) == (after(1), after(126))
    assert sent() == [0, 1, 2, 3, 4], "no letter after the money"


@pytest.mark.clause("B2.5")
def test_each_downgrade_is_a_line_of_its_own_with_its_reason() -> None:
    line("A", limit="600000.00")
    owe("10000.00")
    for _number, _day in days(28, 65):
        pass
    found = list(Line.objects.order_by("pk").values_list("grade", "limit", "cause", "since"))
    assert found == [
        ("A", D("600000.00"), "request", date(2026, 1, 1)),
        ("B", D("400000.00"), "downgrade", after(31)),
        ("C", D("250000.00"), "downgrade", after(61)),
    ]
    assert "31" in Line.objects.get(grade="B").why
    assert TrailEntry.objects.filter(verb="line.downgrade").count() == 2


@pytest.mark.clause("B2.5")
@pytest.mark.invariant("I-26")
def test_a_run_that_begins_late_applies_every_rung_passed() -> None:
    """The ladder counts from the grade at the start: the first run on day 65 lowers B by two, once."""
    line("B")
    owe("10000.00")
    run(after(65))
    assert (grade(), standing(), sent()) == ("D", "stopped", [3])
    run(after(66))
    assert Line.objects.filter(cause="downgrade").count() == 1


@pytest.mark.invariant("I-26")
def test_twice_on_a_day_changes_nothing() -> None:
    line("B")
    owe("10000.00")
    run(after(31))
    before = world.end_state()
    trail = TrailEntry.objects.count()
    assert run(after(31)).pk == Day.objects.get().pk
    assert world.end_state() == before
    assert (TrailEntry.objects.count(), ProofRun.objects.count()) == (trail, 1)


def _history() -> None:
    """Three customers with debts, part payments and a dispute."""
    line("B")
    owe("10000.00", "S-1")
    beta, gamma = another("C002"), another("C003")
    line("A", customer=beta)
    owe("5000.00", "S-2", customer=beta, due=after(5))
    owe("700.00", "S-3", customer=gamma, due=after(20))
    pay("5000.00", on=after(22), customer=beta, doc_no="B-2")
    pay("4000.00", on=after(28), doc_no="B-3")


@pytest.mark.invariant("I-27")
def test_missed_days_caught_up_end_where_daily_runs_end() -> None:
    _history()
    from django.db import transaction

    with transaction.atomic():
        for number in range(36):
            run(after(number))
        daily_state = world.end_state()
        transaction.set_rollback(True)
    run(after(0))
    run(after(5))
    run(after(35))
    assert [day.as_of for day in Day.objects.order_by("pk")] == [after(number) for number in range(36)]
    caught_up = world.end_state()
    for mine, theirs in zip(caught_up, daily_state, strict=True):
        assert mine == theirs


@pytest.mark.invariant("I-27")
def test_a_long_gap_is_not_caught_up_unasked() -> None:
    owe("10000.00")
    run(after(0))
    with pytest.raises(rounds.GapTooLong, match="32"):
        run(after(33))
    assert Day.objects.count() == 1
    run(after(33), start=after(33))
    assert [day.as_of for day in Day.objects.order_by("pk")] == [after(0), after(33)]
    run(after(34))
    assert Day.objects.count() == 3


@pytest.mark.invariant("I-27")
def test_no_day_is_run_after_a_later_one() -> None:
    run(after(10))
    with pytest.raises(rounds.DayPassed):
        run(after(9))


@pytest.mark.clause("C3.5")
def test_the_day_keeps_the_ageing_and_it_ties_to_the_ledger() -> None:
    owe("10000.00")
    owe("500.00", "S-2", due=after(-40))
    pay("300.00", on=after(31), match=False)
    day = run(after(31))
    sheet = day.aging["CNY"]
    assert (sheet["total"], sheet["overdue"], sheet["unapplied"]) == ("10200.00", "10500.00", "-300.00")
    assert sheet["buckets"][:4] == ["0.00", "0.00", "10000.00", "500.00"]
    assert sheet["ties"] and sheet["ledger"] == "10200.00"
    assert day.proof == {"difference": "0.00", "accounts": 1}


def test_a_broken_customer_stops_nobody_else() -> None:
    """Its currency has no rate: it is left out and named; the next run does it as soon as there is one."""
    beta, gamma = another("C002"), another("C003", currency="USD")
    owe("10000.00")
    owe("2000.00", "S-2", customer=beta)
    owe("200.00", "S-3", customer=gamma, currency="USD")
    day = run(after(3))
    assert day.status == "failed"
    assert [fault["customer"] for fault in day.faults] == [gamma.pk]
    assert "USD" in day.faults[0]["why"]
    assert sorted(Notice.objects.values_list("customer__code", flat=True)) == ["C001", "C002"]
    assert open_tasks(gamma) == {"broken": "credit-administrator"}

    later = run(after(4))
    assert later.status == "failed", "the day after is not run for a customer whose day before is open"
    assert CustomerDay.objects.filter(customer=gamma).count() == 0

    from shouxin.office import posts, rates

    rates.put("USD", D("7.1"), since=after(0), source="bank", by=posts.system(), on=after(4), at=AT)
    run(after(4))
    assert set(Day.objects.values_list("status", flat=True)) == {"done"}
    found = CustomerDay.objects.filter(customer=gamma).order_by("day__as_of")
    assert [each.day.as_of for each in found] == [after(3), after(4)]
    assert open_tasks(gamma) == {"call": "sales"}
    assert Task.objects.get(customer=gamma, status="open").amount == D("1420.00")
    assert Notice.objects.filter(customer=acme()).count() == 1, "who was done is not done again"


def test_whatever_breaks_inside_a_customer_is_rolled_back_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    beta = another("C002")
    owe("10000.00")
    owe("2000.00", "S-2", customer=beta)
    ask = daily.decide

    def fragile(policy: Any, known: Any, *, today: date) -> Any:
        if any(item.document == "S-2" for item in known.items):
            raise RuntimeError("a seeded fault")
        return ask(policy, known, today=today)

    monkeypatch.setattr(daily, "decide", fragile)
    day = run(after(3))
    assert [(fault["customer"], fault["why"]) for fault in day.faults] == [(beta.pk, "RuntimeError: a seeded fault")]
    assert not Episode.objects.filter(customer=beta).exists()
    assert day.counts["customers"] == 1
    monkeypatch.setattr(daily, "decide", ask)
    assert run(after(3)).status == "done"
    assert Day.objects.get().counts["customers"] == 2


@pytest.mark.clause("C3.6")
def test_disputed_parts_rest_in_dunning_and_ladder() -> None:
    line("B")
    invoice = owe("10000.00")
    small = owe("400.00", "S-2", due=after(40))
    invoices.contest(invoice, why="wrong goods", today=after(0), at=AT, by=None)
    run(after(44))
    assert (grade(), standing()) == ("B", "watched"), "only the 400 of four days count"
    notice = Notice.objects.get()
    assert notice.stage == 1
    assert notice.claimed == {"CNY": "400.00"}
    claimed = {row["document"]: (row["amount"], row["contested"], row["claimed"]) for row in notice.items}
    assert claimed == {"S-1": ("10000.00", "10000.00", "0.00"), small.doc_no: ("400.00", "", "400.00")}
    assert notice.letter["labels"]["contested_note"] in notice.body


@pytest.mark.clause("C3.6")
def test_unapplied_money_nets_the_claim() -> None:
    owe("10000.00")
    pay("9950.00", on=after(2), match=False)
    run(after(3))
    assert Notice.objects.count() == 0, "50 are left: a residue leads nothing"
    owe("1000.00", "S-2", due=after(1))
    run(after(4))
    notice = Notice.objects.get()
    assert notice.claimed == {"CNY": "1050.00"}
    assert notice.letter["ledgers"][0]["credit"] == "-9950.00"
    assert "-9,950.00" in notice.body and "1,050.00" in notice.body


@pytest.mark.clause("B2.5")
def test_three_late_payments_cost_a_grade_once() -> None:
    line("A")
    for number in range(3):
        owe("1000.00", f"S-{number}", due=after(10 * number))
        pay("1000.00", on=after(10 * number + 1), doc_no=f"B-{number}")
    for _number, _day in days(0, 20):
        pass
    assert grade() == "A"
    run(after(21))
    assert grade() == "B", "the third late payment came in today"
    for _number, _day in days(22, 30):
        pass
    assert grade() == "B"
    owe("1000.00", "S-9", due=after(30))
    pay("1000.00", on=after(31), doc_no="B-9")
    run(after(31))
    assert grade() == "B", "the same set of late payments does not cost another"


def test_late_payments_are_counted_as_the_rule_counts_them() -> None:
    for number, late in enumerate((-3, 0, 1, 5, 40)):
        owe("1000.00", f"S-{number}", due=after(number))
        pay("500.00", on=after(number + late), doc_no=f"B-{number}")
        pay("500.00", on=after(number + late + 1), doc_no=f"C-{number}")
    pk = acme().pk
    for as_of in (after(0), after(3), after(9), after(60), after(400)):
        history = owed.settled_history([pk], as_of=as_of, rates={"CNY": D(1)})[pk]
        record = payment_record(
            as_of=as_of, settled=history.settled, open_items=history.open_items, late_payments_months=12
        )
        assert facts.late_payments([pk], as_of=as_of, months=12).get(pk, 0) == record.late_payments


def test_what_people_set_stands_until_the_next_rung(cy: Person) -> None:
    owe("10000.00")
    run(after(62))
    assert standing() == "stopped"
    standings.set_standing(acme(), "good", why="plan of payment agreed", by=cy, on=after(62), at=AT)
    run(after(63))
    assert standing() == "good"
    run(after(90))
    assert standing() == "stopped", "the next stage"
    run(after(91))
    assert standing() == "cash_only"


def test_only_standings_of_the_run_are_lifted(cy: Person) -> None:
    standings.set_standing(acme(), "stopped", why="fraud suspected", by=cy, on=after(-20), at=AT)
    owe("10000.00")
    run(after(91))
    assert standing() == "cash_only"
    pay("10000.00", on=after(92))
    run(after(92))
    assert standing() == "stopped", "back to what people had set"


def test_the_blacklist_is_left_alone(cy: Person) -> None:
    standings.set_standing(acme(), "blacklisted", why="malicious default", by=cy, on=after(-20), at=AT)
    owe("10000.00")
    run(after(91))
    assert list(Standing.objects.values_list("standing", flat=True)) == ["blacklisted"]


def test_a_line_that_ends_and_a_review_that_is_due_are_tasks() -> None:
    line("C", since=date(2025, 12, 1), until=after(20))
    run(after(-11))
    assert open_tasks() == {"review_due": "credit-administrator"}, "C is reviewed every three months"
    run(after(-10))
    assert open_tasks() == {"review_due": "credit-administrator", "line_expiring": "credit-administrator"}
    line("C", since=after(-9))
    run(after(-9))
    assert open_tasks() == {}, "renewed: both are no longer needed"


def test_a_task_done_is_not_asked_for_again(bo: Person) -> None:
    from shouxin.collection import worklist

    line("B", until=after(5))
    owe("10000.00")
    run(after(3))
    for task in Task.objects.filter(status="open"):
        worklist.done(task, by=bo, on=after(3), at=AT, result="spoken")
    run(after(4))
    assert open_tasks() == {}
    run(after(30))
    assert "demand" in open_tasks()


def test_reservations_past_their_day_are_let_go() -> None:
    from shouxin.credit import exposure, reservations
    from shouxin.credit.models import Reservation

    account = exposure.open_accounts([(acme().pk, "CNY")])[acme().pk, "CNY"]
    exposure.lock([acme().pk])
    wanted = [reservations.Wanted(account, "", "SO-1", D("300.00"), after(0))]
    reservations.make(wanted, today=after(-30), at=AT, by=None)
    run(after(0))
    assert Reservation.objects.get().reserved == D("300.00")
    day = run(after(1))
    assert Reservation.objects.get().reserved == D("0.00")
    assert (day.counts["reservations_expired"], day.proof["difference"]) == (1, "0.00")


def test_only_the_credit_office_runs_the_day(ann: Person, fi: Person, cy: Person) -> None:
    for person in (ann, fi):
        with pytest.raises(NotYourDuty):
            run(DUE, by=person)
    assert run(DUE, by=cy).by == cy


def test_a_batch_of_customers_costs_as_many_queries_as_one() -> None:
    owe("10000.00")
    run(after(2))
    with CaptureQueriesContext(connection) as one:
        run(after(3))
    for number in range(30):
        owe("1000.00", f"T-{number}", customer=another(f"X{number:03d}"), due=after(1))
    with CaptureQueriesContext(connection) as many:
        run(after(4))
    assert Notice.objects.count() == 31
    assert len(many) <= len(one) + 10, "standings are set today; nothing is asked for each customer"


def test_the_edition_of_the_day_decides() -> None:
    text = policies.shipped().replace("overdue_days_min: 3, owner: sales", "overdue_days_min: 9, owner: sales")
    from shouxin.office import posts

    policies.put(text, since=after(2), by=posts.system(), on=after(0), at=AT, why="later")
    owe("10000.00")
    for _number, _day in days(-7, 8):
        pass
    assert sent() == [0]
    run(after(9))
    assert sent() == [0, 1]
    assert Day.objects.get(as_of=after(9)).policy_version == 2
    assert timedelta(days=10) == Notice.objects.get(stage=1).deadline - after(9)


@pytest.mark.parametrize("back", [0, 3, 40, 90])
def test_the_ageing_of_the_day_is_the_report_of_that_day(back: int) -> None:
    """Summed in the database by due day, it is what the rule makes of every single item."""
    invoice = owe("10000.00", "S-1")
    owe("500.55", "S-2", due=after(-40))
    owe("70.00", "S-3", customer=another("C003"), due_on=None)
    owe("-80.00", "S-4", kind="credit_note")
    owe("900.00", "S-5", currency="USD", due=after(50))
    invoices.contest(invoice, why="wrong goods", amount=D("400.00"), today=after(1), at=AT, by=None)
    pay("2000.10", on=after(30))
    pay("33.00", on=after(31), doc_no="B-2", match=False)
    as_of, policy = after(91 - back), policies.in_force(DUE).policy
    report = aging.report(as_of=as_of, up_to=policy.aging.up_to, seen_by=None, today=as_of)
    found = rounds.snapshot(as_of=as_of, policy=policy)
    assert found.keys() == report.totals.keys()
    for currency, sheet in report.totals.items():
        told = found[currency]
        assert [D(amount) for amount in told["buckets"]] == list(sheet.buckets)
        same = ("unapplied", "total", "overdue", "contested")
        assert [D(told[name]) for name in same] == [getattr(sheet, name) for name in same]
        assert (told["items"], told["ties"]) == (sheet.count, True)
