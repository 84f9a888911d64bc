"""Days: working days, calendar months, due dates, and reading the dates other systems write.

Nothing here knows what day it is. A period excludes the day it starts on (民法典 201).
"""

import calendar as gregorian
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, timedelta, timezone
from typing import Literal

from shouxin.rules.text import Unreadable, half_width

ONE_DAY = timedelta(days=1)
# China keeps one zone without summer time since 1991; a fixed offset needs no time-zone files on the machine.
CHINA_TIME = timezone(timedelta(hours=8), "Asia/Shanghai")


# --- working days --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Calendar:
    """The days people work, as the State Council's yearly notices set them.

    `holidays`: days off, whatever the weekday; `workdays`: make-up days worked (调休), which win over both
    weekend and holiday; `years`: the years whose notice is included. In any other year only weekends are off.
    """

    holidays: frozenset[date] = frozenset()
    workdays: frozenset[date] = frozenset()
    years: frozenset[int] = frozenset()

    def is_workday(self, day: date) -> bool:
        """Whether people work that day."""
        if day in self.workdays:
            return True
        return day.weekday() < 5 and day not in self.holidays

    def knows(self, day: date) -> bool:
        """Whether the notice for that day's year is included; if not, an answer about it deserves a warning."""
        return day.year in self.years

    def next_workday(self, day: date) -> date:
        """The day itself if it is worked, else the first later day that is (民法典 203)."""
        while not self.is_workday(day):
            day += ONE_DAY
        return day

    def previous_workday(self, day: date) -> date:
        """The day itself if it is worked, else the last earlier day that is."""
        while not self.is_workday(day):
            day -= ONE_DAY
        return day

    def add_workdays(self, day: date, n: int) -> date:
        """The n-th workday after the day (before it, if n is negative), which itself is not counted; n = 0: the day."""
        step = ONE_DAY if n > 0 else -ONE_DAY
        for _ in range(abs(n)):
            day += step
            while not self.is_workday(day):
                day += step
        return day


# --- calendar months -----------------------------------------------------------------------------


def month_end(day: date) -> date:
    """The last day of that day's month."""
    return day.replace(day=gregorian.monthrange(day.year, day.month)[1])


def add_months(day: date, n: int) -> date:
    """The corresponding day n months later (earlier, if negative), else that month's last day (民法典 202).

    The last day there is where that would lie beyond it, and the first where it would lie before.
    """
    return _day_of_month(day, n, day.day)


def later(day: date, days: int) -> date:
    """So many days after; the last day there is where that would lie beyond it ("until further notice": 9999-12-31)."""
    return day + timedelta(days=days) if days <= (date.max - day).days else date.max


def _day_of_month(day: date, months_ahead: int, number: int) -> date:
    """Day `number` of the month `months_ahead` after that day's month, or the month's last day if it is shorter.

    The last or first day there is where the calendar has no such month.
    """
    years, month = divmod(day.month - 1 + months_ahead, 12)
    if not MINYEAR <= day.year + years <= MAXYEAR:
        return date.max if months_ahead > 0 else date.min
    last = month_end(date(day.year + years, month + 1, 1))
    return last.replace(day=min(number, last.day))


# --- due dates -----------------------------------------------------------------------------------

Base = Literal[
    "signing",  # 合同签订
    "delivery",  # 发货
    "receipt_of_goods",  # 签收
    "acceptance",  # 验收
    "invoice",  # 开票
    "receipt_of_invoice",  # 收票
    "reconciliation",  # 对账确认
    "month_end",  # 月末, the end of the month the given day falls in
]
Method = Literal["days", "months", "eom_days", "first_days", "fixed_day"]
Shift = Literal["none", "next", "previous"]


@dataclass(frozen=True)
class Term:
    """When payment is due, counted from a base event, spelled out because "月结30天" alone has four readings.

    `base`: the event whose day is counted from. `method`:
    * `days`: n days after the base day; `months`: n calendar months after it;
    * `eom_days`: n days after the end of the month `months_ahead` after the base month (0: the same month);
    * `first_days`: n days after the first day of that month (月结 counted from the 1st, usually 1 month ahead);
    * `fixed_day`: day n of that month, its last day if shorter; with 0 months ahead the first such day
      that is not before the base day.

    `shift`: what happens when that day is not worked. Raises ValueError for numbers that mean nothing.
    """

    base: Base
    method: Method
    n: int
    shift: Shift = "none"
    months_ahead: int = 0

    def __post_init__(self) -> None:
        if self.n < 0 or self.months_ahead < 0:
            raise ValueError("n and months_ahead must not be negative")
        if self.method == "fixed_day" and not 1 <= self.n <= 31:
            raise ValueError(f"a fixed day is 1 to 31, not {self.n}")
        if self.method in ("days", "months") and self.months_ahead:
            raise ValueError(f"{self.method} counts from the base day: months_ahead means nothing there")


def due_date(term: Term, base_day: date, calendar: Calendar) -> date:
    """The last day on which payment is on time; the debt is overdue from the next day on.

    Where the calendar does not know the year, a shift sees weekends only: ask `calendar.knows` and say so.
    """
    start = month_end(base_day) if term.base == "month_end" else base_day
    due = _unshifted(term, start)
    if term.shift == "next":
        return calendar.next_workday(due)
    if term.shift == "previous":
        return calendar.previous_workday(due)
    return due


def _unshifted(term: Term, start: date) -> date:
    match term.method:
        case "days":
            return start + timedelta(days=term.n)
        case "months":
            return add_months(start, term.n)
        case "eom_days":
            return _day_of_month(start, term.months_ahead, 31) + timedelta(days=term.n)
        case "first_days":
            return _day_of_month(start, term.months_ahead, 1) + timedelta(days=term.n)
        case "fixed_day":
            due = _day_of_month(start, term.months_ahead, term.n)
            return due if due >= start else _day_of_month(start, 1, term.n)


# --- reading dates -------------------------------------------------------------------------------

Order = Literal["ymd", "dmy", "mdy"]

YEARS = range(1900, 2200)
"""The years a paper of the business can be of."""
_TIME = (
    r"(?:(?:T|\s+)(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.[0-9]{1,9})?)?"
    r"(?:\s?(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})|\s?[AaPp][Mm])?)?"
)
_YEAR_FIRST = (
    re.compile(r"(?P<year>[0-9]{4})(?P<mark>[-/.])(?P<month>[0-9]{1,2})(?P=mark)(?P<day>[0-9]{1,2})" + _TIME),
    re.compile(r"(?P<year>[0-9]{4})\s?年\s?(?P<month>[0-9]{1,2})\s?月\s?(?P<day>[0-9]{1,2})\s?[日号]" + _TIME),
    re.compile(r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})" + _TIME),
)
_YEAR_LAST = re.compile(r"(?P<one>[0-9]{1,2})(?P<mark>[-/.])(?P<two>[0-9]{1,2})(?P=mark)(?P<year>[0-9]{4})" + _TIME)
_SHORT_YEAR = re.compile(r"[0-9]{1,2}([-/.])[0-9]{1,2}\1[0-9]{1,2}")
_SERIAL = re.compile(r"[0-9]{5}(\.[0-9]+)?")


class DateError(Unreadable):
    """A value refused as a date.

    Codes: `blank`, `not_a_date`, `no_such_day` (02-30), `ambiguous` (01/02/2025, and no order given),
    `order_contradicted` (1/26/2013 in a column said to be day first), `two_digit_year`,
    `not_gregorian` (民国), `excel_leap_day` (serial 60, the 1900-02-29 that never was),
    `out_of_range` (a year before 1900 or after 2199).
    """


def read_date(value: object, *, order: Order | None = None, epoch1904: bool = False) -> date:
    """The day a ledger's cell means: text, a date or datetime, or a spreadsheet's serial number.

    Year-first text is read as it stands. Text with the year last needs `order` unless only one reading
    exists (30-03-2020). A time with a zone is moved to China's calendar day (23:30Z is the next day);
    a time without one is dropped. `epoch1904`: the workbook counts days from 1904.
    Raises DateError.
    """
    if value is None:
        raise DateError("blank", "")
    if isinstance(value, str):
        return _read_text(value, order, epoch1904)
    if isinstance(value, datetime):
        return _china_day(value)
    if isinstance(value, date):
        return _in_range(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _read_number(value, epoch1904)
    raise DateError("not_a_date", repr(value))


def guess_order(values: Iterable[object]) -> Order | None:
    """The one order in which every date of a column can be read, or None if several or none can.

    Each text rules out the orders it cannot have (30-03-2020 leaves day first); blanks, numbers and
    texts that are no dates say nothing. So one value must decide, and none may contradict it.
    """
    possible: set[Order] = {"ymd", "dmy", "mdy"}
    for value in values:
        if isinstance(value, str):
            possible &= _orders(value) or possible
    return possible.pop() if len(possible) == 1 else None


def _orders(text: str) -> set[Order]:
    body = half_width(text).strip()
    if _match_year_first(body):
        return {"ymd"}
    found = _YEAR_LAST.fullmatch(body)
    return _year_last_orders(found) if found else set()


def _year_last_orders(found: re.Match[str]) -> set[Order]:
    """The orders in which the month is a month."""
    months: dict[Order, str] = {"dmy": found["two"], "mdy": found["one"]}
    return {order for order, month in months.items() if int(month) <= 12}


def _read_text(text: str, order: Order | None, epoch1904: bool) -> date:
    body = half_width(text).strip()
    if not body:
        raise DateError("blank", "")
    if found := _match_year_first(body):
        return _day_of(found, found["month"], found["day"])
    if found := _YEAR_LAST.fullmatch(body):
        return _read_year_last(found, order)
    if _SERIAL.fullmatch(body):
        return _read_number(float(body), epoch1904)
    if "民国" in body or "民國" in body:
        raise DateError("not_gregorian", text)
    raise DateError("two_digit_year" if _SHORT_YEAR.fullmatch(body) else "not_a_date", text)


def _match_year_first(body: str) -> re.Match[str] | None:
    return next(filter(None, (shape.fullmatch(body) for shape in _YEAR_FIRST)), None)


def _read_year_last(found: re.Match[str], order: Order | None) -> date:
    one, two = found["one"], found["two"]
    orders = _year_last_orders(found)
    if not orders:
        raise DateError("no_such_day", found.string)
    if order is not None and order not in orders:
        raise DateError("order_contradicted", found.string)
    if order is None and len(orders) > 1 and int(one) != int(two):
        raise DateError("ambiguous", found.string)
    day_first = (order or orders.pop()) == "dmy"
    return _day_of(found, two if day_first else one, one if day_first else two)


def _day_of(found: re.Match[str], month: str, day: str) -> date:
    hour, minute, second = (int(found[part] or 0) for part in ("hour", "minute", "second"))
    try:
        moment = datetime(int(found["year"]), int(month), int(day), hour, minute, second, tzinfo=_zone(found["zone"]))
    except ValueError:
        raise DateError("no_such_day", found.string) from None
    return _china_day(moment)


def _zone(text: str | None) -> timezone | None:
    """The zone of Z, +0800 or +08:00; raises ValueError for a day's offset or more."""
    if text is None:
        return None
    if text == "Z":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return timezone(-offset if text[0] == "-" else offset)


def _read_number(number: float, epoch1904: bool) -> date:
    """A serial number of either epoch (its fraction is the time of day), or 20250301 held as a number."""
    if not 0 <= number <= 99_999_999:  # NaN fails this too
        raise DateError("not_a_date", str(number))
    serial = int(number)
    if serial >= 10_000_000 and serial == number:
        return _read_text(str(serial), None, epoch1904)
    if serial > 200_000:  # about the year 2447
        raise DateError("out_of_range", str(number))
    if epoch1904:
        return _in_range(date(1904, 1, 1) + timedelta(days=serial))
    return _from_serial_1900(serial)


def _from_serial_1900(serial: int) -> date:
    """Excel kept a fault of Lotus 1-2-3: it believes in 1900-02-29, so serials above 60 stand one day too high."""
    if serial == 0:
        raise DateError("no_such_day", "0")
    if serial == 60:
        raise DateError("excel_leap_day", "60")
    return _in_range(date(1899, 12, 31) + timedelta(days=serial if serial < 60 else serial - 1))


def _china_day(moment: datetime) -> date:
    day = _in_range(moment.date())  # before it is moved, for moving year 1 or 9999 overflows
    return day if moment.tzinfo is None else _in_range(moment.astimezone(CHINA_TIME).date())


def _in_range(day: date) -> date:
    if day.year not in YEARS:
        raise DateError("out_of_range", day.isoformat())
    return day
