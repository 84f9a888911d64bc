import csv
from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouxin.rules.days import (
    CHINA_TIME,
    Calendar,
    DateError,
    Term,
    add_months,
    due_date,
    guess_order,
    later,
    month_end,
    read_date,
)
from tests.shared_data import shared_data

WEEKENDS_ONLY = Calendar()
modern = st.dates(date(1950, 1, 1), date(2150, 12, 31))


def day(text):
    return date.fromisoformat(text)


def refusal(value, **named):
    with pytest.raises(DateError) as caught:
        read_date(value, **named)
    return caught.value.code


@pytest.fixture(scope="module")
def china():
    with shared_data("cn_holidays", "chinesecalendar_holidays.csv").open(encoding="utf-8") as lines:
        rows = [(day(line["date"]), line["kind"]) for line in csv.DictReader(lines)]
    return Calendar(
        holidays=frozenset(when for when, kind in rows if kind == "holiday"),
        workdays=frozenset(when for when, kind in rows if kind != "holiday"),
        years=frozenset(when.year for when, _ in rows),
    )


# --- working days --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_day", "worked"),
    [
        pytest.param("2025-10-01", "2025-10-09", id="国庆"),
        pytest.param("2026-01-01", "2026-01-04", id="a make-up Sunday"),
        pytest.param("2026-02-15", "2026-02-24", id="春节"),
        pytest.param("2026-05-01", "2026-05-06", id="劳动节"),
        pytest.param("2026-09-25", "2026-09-28", id="中秋"),
        pytest.param("2026-03-28", "2026-03-30", id="a Saturday"),
        pytest.param("2026-02-14", "2026-02-14", id="a make-up Saturday stays"),
        pytest.param("2025-09-28", "2025-09-28", id="a make-up Sunday stays"),
    ],
)
def test_the_next_workday(china, given_day, worked):
    assert china.next_workday(day(given_day)) == day(worked)


def test_the_previous_workday(china):
    assert china.previous_workday(day("2025-10-08")) == day("2025-09-30")
    assert china.previous_workday(day("2026-02-14")) == day("2026-02-14")


def test_add_workdays(china):
    assert china.add_workdays(day("2025-09-29"), 5) == day("2025-10-13")
    assert china.add_workdays(day("2026-02-10"), 10) == day("2026-03-02")
    assert china.add_workdays(day("2025-10-13"), -5) == day("2025-09-29")
    assert china.add_workdays(day("2025-10-01"), 0) == day("2025-10-01")


def test_a_make_up_day_wins_over_a_holiday_on_the_same_day():
    saturday = day("2026-02-14")
    both = Calendar(holidays=frozenset([saturday]), workdays=frozenset([saturday]))
    assert both.is_workday(saturday)


def test_an_unknown_year_falls_back_to_weekends_and_says_so(china):
    assert china.knows(day("2026-12-31"))
    assert not china.knows(day("2027-10-01"))
    assert china.is_workday(day("2027-10-01"))
    assert not china.is_workday(day("2027-10-02"))


@given(modern, st.integers(-60, 60))
def test_workdays_can_be_counted_back(start, n):
    start = WEEKENDS_ONLY.next_workday(start)
    there = WEEKENDS_ONLY.add_workdays(start, n)
    assert WEEKENDS_ONLY.is_workday(there)
    assert WEEKENDS_ONLY.add_workdays(there, -n) == start


# --- months and due dates ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2025-01-31", 1, "2025-02-28"),
        ("2024-01-31", 1, "2024-02-29"),
        pytest.param("2024-02-29", 36, "2027-02-28", id="no corresponding day"),
        ("2023-03-31", 36, "2026-03-31"),
        pytest.param("2025-08-31", 6, "2026-02-28", id="a guarantee without a period"),
        ("2025-12-31", 1, "2026-01-31"),
        ("2026-01-31", 1, "2026-02-28"),
        ("2025-03-31", -1, "2025-02-28"),
        ("2025-01-15", -1, "2024-12-15"),
        ("2025-01-15", 0, "2025-01-15"),
    ],
)
def test_add_months(start, months, end):
    assert add_months(day(start), months) == day(end)


@given(modern, st.integers(-240, 240))
def test_months_end_on_the_corresponding_day_or_the_months_end(start, months):
    end = add_months(start, months)
    assert (end.year * 12 + end.month) - (start.year * 12 + start.month) == months
    assert end.day == start.day or (end == month_end(end) and end.day < start.day)


@given(st.dates(), st.integers(-200_000, 200_000))
def test_so_many_months_later_is_a_day_or_the_last_or_first_there_is(start, months):
    month = start.year * 12 + start.month - 1 + months
    if month >= (date.max.year + 1) * 12:
        assert add_months(start, months) == date.max
    elif month < date.min.year * 12:
        assert add_months(start, months) == date.min
    else:
        assert divmod(month, 12) == (add_months(start, months).year, add_months(start, months).month - 1)


@given(st.dates(), st.integers(0, 200_000), st.integers(0, 200_000))
def test_more_months_never_end_earlier(start, fewer, more):
    assert add_months(start, fewer) <= add_months(start, fewer + more)


@pytest.mark.parametrize(
    ("term", "due"),
    [
        pytest.param(Term("invoice", "days", 30), "2026-04-09", id="30 days"),
        pytest.param(Term("reconciliation", "months", 1), "2026-04-10", id="月结30天 as one month"),
        pytest.param(Term("invoice", "eom_days", 30), "2026-04-30", id="月结30天 after the month's end"),
        pytest.param(Term("month_end", "days", 30), "2026-04-30", id="the same, the month's end as the event"),
        pytest.param(Term("invoice", "first_days", 30, months_ahead=1), "2026-05-01", id="次月结30天 from the 1st"),
        pytest.param(Term("invoice", "eom_days", 45), "2026-05-15", id="次月结30+15"),
        pytest.param(Term("invoice", "fixed_day", 15, months_ahead=2), "2026-05-15", id="次月结30+15 as a fixed day"),
        pytest.param(Term("invoice", "eom_days", 30, months_ahead=1), "2026-05-30", id="after next month's end"),
        pytest.param(Term("delivery", "fixed_day", 25), "2026-03-25", id="the coming 25th"),
        pytest.param(Term("delivery", "fixed_day", 10), "2026-03-10", id="the coming 10th is today"),
        pytest.param(Term("delivery", "fixed_day", 9), "2026-04-09", id="the 9th has passed"),
        pytest.param(Term("acceptance", "fixed_day", 31, months_ahead=1), "2026-04-30", id="the 31st of a short month"),
        pytest.param(Term("receipt_of_goods", "days", 0), "2026-03-10", id="on receipt"),
    ],
)
def test_the_readings_of_a_term(term, due):
    assert due_date(term, day("2026-03-10"), WEEKENDS_ONLY) == day(due)


@pytest.mark.parametrize(("shift", "due"), [("none", "2025-10-01"), ("next", "2025-10-09"), ("previous", "2025-09-30")])
def test_a_due_date_on_a_holiday(china, shift, due):
    assert due_date(Term("invoice", "days", 30, shift), day("2025-09-01"), china) == day(due)


@pytest.mark.parametrize(
    ("method", "n", "ahead"),
    [
        ("fixed_day", 0, 1),
        ("fixed_day", 32, 1),
        ("days", -1, 0),
        ("days", 30, 1),
        ("months", 1, 1),
        ("eom_days", 0, -1),
    ],
)
def test_a_term_that_means_nothing_is_refused(method, n, ahead):
    with pytest.raises(ValueError, match=r"negative|fixed day|months_ahead"):
        Term("invoice", method, n, months_ahead=ahead)


@given(
    st.sampled_from(["days", "months", "eom_days", "fixed_day"]),
    st.integers(1, 31),
    modern,
    st.sampled_from(["none", "next"]),
)
def test_nothing_is_due_before_its_event(method, n, base_day, shift):
    assert due_date(Term("invoice", method, n, shift), base_day, WEEKENDS_ONLY) >= base_day


@given(st.integers(0, 120), modern, st.sampled_from(["next", "previous"]))
def test_a_shifted_due_date_is_a_workday_at_most_two_days_away_without_holidays(n, base_day, shift):
    plain = due_date(Term("invoice", "days", n), base_day, WEEKENDS_ONLY)
    shifted = due_date(Term("invoice", "days", n, shift), base_day, WEEKENDS_ONLY)
    assert WEEKENDS_ONLY.is_workday(shifted)
    assert abs((shifted - plain).days) <= 2


# --- reading dates -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("2025-3-1", "2025-03-01"),
        ("2025/3/1", "2025-03-01"),
        ("2025.03.01", "2025-03-01"),
        ("20250301", "2025-03-01"),
        (20250301, "2025-03-01"),
        (20250301.0, "2025-03-01"),
        ("2025年3月1日", "2025-03-01"),
        ("2025 年 3 月 1 日", "2025-03-01"),
        ("２０２５－０３－０１", "2025-03-01"),
        (" 2025-03-01 ", "2025-03-01"),
        ("2025-03-01 10:20", "2025-03-01"),
        ("2025-03-01T23:30:00", "2025-03-01"),
        (date(2025, 3, 1), "2025-03-01"),
        (datetime(2025, 3, 1, 23, 59), "2025-03-01"),  # noqa: DTZ001 -- cells carry no zone
        pytest.param("2025-03-01T23:30:00Z", "2025-03-02", id="23:30Z is the next day in China"),
        pytest.param("2025-03-01T15:59:59.999Z", "2025-03-01", id="one second before midnight in China"),
        pytest.param("2025-03-01T16:00:00Z", "2025-03-02", id="midnight in China"),
        ("2025-03-01 23:30:00+08:00", "2025-03-01"),
        ("2025-03-01T00:30+0900", "2025-02-28"),
        (datetime(2025, 3, 1, 23, 30, tzinfo=timezone(timedelta(0))), "2025-03-02"),
        pytest.param("30-03-2020", "2020-03-30", id="only day first is possible"),
        pytest.param("1/26/2013", "2013-01-26", id="only month first is possible"),
        ("1/26/2013 12:00:00 AM", "2013-01-26"),
        pytest.param("05/05/2025", "2025-05-05", id="both readings agree"),
        (45000, "2023-03-15"),
        (45000.75, "2023-03-15"),
        ("45000", "2023-03-15"),
        ("45000.75", "2023-03-15"),
        (1, "1900-01-01"),
        pytest.param(59, "1900-02-28", id="the last day before Excel's false one"),
        pytest.param(61, "1900-03-01", id="the first day after it"),
    ],
)
def test_read_date(value, read):
    assert read_date(value) == day(read)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "blank"),
        ("", "blank"),
        ("　", "blank"),
        ("01/02/2025", "ambiguous"),
        ("13/14/2025", "no_such_day"),
        ("0000-00-00", "no_such_day"),
        ("2025-02-30", "no_such_day"),
        ("2025-02-29", "no_such_day"),
        ("20251301", "no_such_day"),
        ("2025-03-01 25:00", "no_such_day"),
        ("2025-03-01T10:00+99:00", "no_such_day"),
        ("1899-12-31", "out_of_range"),
        ("9999-12-31T23:30Z", "out_of_range"),
        (date(2200, 1, 1), "out_of_range"),
        ("民国114年3月1日", "not_gregorian"),
        ("25-3-1", "two_digit_year"),
        ("1/2/25", "two_digit_year"),
        ("2025-3/1", "not_a_date"),
        ("2025-03", "not_a_date"),
        ("114/03/01", "not_a_date"),
        ("合计", "not_a_date"),
        ("٢٠٢٥-٠٣-٠١", "not_a_date"),
        (True, "not_a_date"),
        (-1, "not_a_date"),
        (float("nan"), "not_a_date"),
        (float("inf"), "not_a_date"),
        (b"2025-03-01", "not_a_date"),
        pytest.param(0, "no_such_day", id="1900-01-00"),
        pytest.param(60, "excel_leap_day", id="1900-02-29"),
        (60.5, "excel_leap_day"),
        (202503, "out_of_range"),
        (2_000_000, "out_of_range"),
    ],
)
def test_read_date_refuses(value, code):
    assert refusal(value) == code


def test_a_given_order_decides_and_is_held_against_the_text():
    assert read_date("01/02/2025", order="dmy") == day("2025-02-01")
    assert read_date("01/02/2025", order="mdy") == day("2025-01-02")
    assert read_date("2025-02-01", order="dmy") == day("2025-02-01")
    assert refusal("1/26/2013", order="dmy") == "order_contradicted"
    assert refusal("01/02/2025", order="ymd") == "order_contradicted"


def test_a_workbook_that_counts_from_1904():
    assert read_date(0, epoch1904=True) == day("1904-01-01")
    assert read_date(60, epoch1904=True) == day("1904-03-01")
    assert read_date(45000 - 1462, epoch1904=True) == read_date(45000)


@given(modern, st.sampled_from(["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%Y年%m月%d日"]))
def test_every_year_first_form_is_read(when, form):
    assert read_date(when.strftime(form)) == when


@given(modern, st.sampled_from([("%d/%m/%Y", "dmy"), ("%m/%d/%Y", "mdy")]))
def test_year_last_is_read_by_its_order_or_not_at_all(when, form):
    text = when.strftime(form[0])
    assert read_date(text, order=form[1]) == when
    try:
        assert read_date(text) == when
    except DateError as error:
        assert error.code == "ambiguous"
        assert when.day <= 12


@given(modern)
def test_serials_count_days(when):
    serial = (when - date(1899, 12, 30)).days
    assert read_date(serial) == when
    assert read_date(serial - 1462, epoch1904=True) == when if when >= date(1904, 1, 1) else True


@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(CHINA_TIME)))  # noqa: DTZ001
def test_the_zone_a_time_is_written_in_does_not_change_its_day(moment):
    for hours in (-12, 0, 8, 14):
        text = moment.astimezone(timezone(timedelta(hours=hours))).isoformat(timespec="seconds")
        assert read_date(text) == moment.date()


@given(
    st.one_of(st.text(max_size=40), st.floats(), st.integers(), st.booleans(), st.none()),
    st.sampled_from([None, "ymd", "dmy", "mdy"]),
    st.booleans(),
)
def test_reading_anything_answers_or_refuses_with_a_code(value, order, epoch1904):
    try:
        assert isinstance(read_date(value, order=order, epoch1904=epoch1904), date)
    except DateError as error:
        assert error.code


@pytest.mark.parametrize(
    ("column", "order"),
    [
        pytest.param(["01/02/2025", "30/03/2025", "合计", ""], "dmy", id="one value decides"),
        pytest.param(["01/02/2025", "03/30/2025"], "mdy", id="month first"),
        pytest.param(["01/02/2025", "03/04/2025"], None, id="none decides"),
        pytest.param(["30/03/2025", "03/30/2025"], None, id="two contradict"),
        pytest.param(["30/03/2025", "2025-03-30"], None, id="two forms in one column"),
        pytest.param(["2025-03-30", "2025年4月1日"], "ymd", id="year first"),
        pytest.param(["13/14/2025", "12"], None, id="no dates"),
        pytest.param([], None, id="an empty column"),
    ],
)
def test_guess_order(column, order):
    assert guess_order(column) == order


@pytest.mark.parametrize(
    ("name", "column", "order"),
    [
        ("open_items_usd_nulldata.csv", "posting_date", "dmy"),
        ("open_items_with_original_columns.csv", "due_in_date", "ymd"),
    ],
)
def test_the_two_date_forms_of_a_real_ledger(name, column, order):
    with shared_data("ar_highradius", name).open(newline="", encoding="utf-8") as lines:
        texts = [line[column] for line in csv.DictReader(lines) if line[column]]
    assert guess_order(texts) == order
    days = [read_date(text, order=order) for text in texts]
    assert date(2019, 1, 1) < min(days) < max(days) < date(2021, 1, 1)


@given(st.dates(), st.integers(0, 4_000_000))
def test_so_many_days_later_is_a_day_or_the_last_there_is(day: date, days: int) -> None:
    after = later(day, days)
    assert (after - day).days == days or (after == date.max and (date.max - day).days < days)
