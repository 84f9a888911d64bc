import csv
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouxin.rules.money import (
    AmountError,
    convert,
    date_in_words,
    in_words,
    parse_amount,
    read_amount,
    round_down_to,
    round_half_up,
    share_out,
)
from tests.shared_data import shared_data

cents = st.integers(-(10**15) + 1, 10**15 - 1).map(lambda number: Decimal(number).scaleb(-2))


def refusal(read, *args, **named):
    with pytest.raises(AmountError) as caught:
        read(*args, **named)
    return caught.value.code


# --- the contract with programs ------------------------------------------------------------------


@pytest.mark.invariant("I-31")
@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("0", "0.00"),
        ("-0", "0.00"),
        ("12.5", "12.50"),
        ("-0.01", "-0.01"),
        ("007", "7.00"),
        pytest.param("9999999999999.99", "9999999999999.99", id="the largest"),
    ],
)
def test_parse_amount(text, amount):
    assert str(parse_amount(text)) == amount


@pytest.mark.invariant("I-31")
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "not_an_amount"),
        (" 1", "not_an_amount"),
        pytest.param("1\n", "not_an_amount", id="a line end after it"),
        ("+1", "not_an_amount"),
        ("1.", "not_an_amount"),
        (".5", "not_an_amount"),
        ("NaN", "not_an_amount"),
        ("-Infinity", "not_an_amount"),
        ("１２", "not_an_amount"),
        ("١٢", "not_an_amount"),
        ("1_000", "not_an_amount"),
        ("1,000.00", "bad_grouping"),
        ("1e309", "precision_lost"),
        ("1E5", "precision_lost"),
        ("0.001", "too_many_decimals"),
        pytest.param("10000000000000", "too_large", id="one digit too many"),
        pytest.param("9" * 5000, "not_an_amount", id="a hostile field"),
    ],
)
def test_parse_amount_refuses(text, code):
    assert refusal(parse_amount, text) == code


@given(cents)
def test_every_amount_survives_being_written_and_parsed(amount):
    assert parse_amount(str(amount)) == amount
    assert read_amount(f"{amount:,.2f}") == amount


def test_an_error_shows_at_most_sixty_characters():
    with pytest.raises(AmountError) as caught:
        parse_amount("x" * 10_000)
    assert caught.value.text == "x" * 60


# --- ledgers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        ("￥1,234.50", "1234.50"),
        ("¥ 1234.5", "1234.50"),
        ("$12", "12.00"),
        ("-$12", "-12.00"),
        ("¥-12", "-12.00"),
        ("+12", "12.00"),
        ("１２３", "123.00"),
        ("－１，２３４．５０", "-1234.50"),
        ("\u2212" + "5", "-5.00"),
        ("　88.80　", "88.80"),
        pytest.param("(1,234.50)", "-1234.50", id="parentheses are negative"),
        ("（1,234.50）", "-1234.50"),
        ("(¥5)", "-5.00"),
        pytest.param("1234.50-", "-1234.50", id="a trailing minus is negative"),
        pytest.param("500(贷)", "-500.00", id="credit is negative"),
        ("500 （贷）", "-500.00"),
        ("500贷", "-500.00"),
        ("500(借)", "500.00"),
        pytest.param("-500(借)", "-500.00", id="a red entry on the debit side"),
        ("3.2万元", "32000.00"),
        ("3.2 万", "32000.00"),
        pytest.param("1.234567万元", "12345.67", id="ten-thousands may have six decimals"),
        ("5千元", "5000.00"),
        ("1.5亿元", "150000000.00"),
        ("12元", "12.00"),
        (".50", "0.50"),
        ("000123", "123.00"),
        ("-0", "0.00"),
        (7, "7.00"),
        (-7.5, "-7.50"),
        pytest.param(0.1 + 0.2, "0.30", id="a spreadsheet's noise"),
        (1234567890123.45, "1234567890123.45"),
        (1e5, "100000.00"),
        (-0.0, "0.00"),
        (Decimal("1.230"), "1.23"),
    ],
)
def test_read_amount(value, amount):
    assert str(read_amount(value)) == amount


@pytest.mark.parametrize("blank", [None, "", "  ", "　", "-", "－", "--", "—"])
def test_a_blank_cell_is_none_and_not_zero(blank):
    assert read_amount(blank) is None


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("1,23,4", "bad_grouping"),
        ("1,2345", "bad_grouping"),
        ("0,123", "bad_grouping"),
        ("1234,567", "bad_grouping"),
        pytest.param("1.234,50", "bad_grouping", id="a European amount"),
        ("1.23457E+12", "precision_lost"),
        ("1.23E+18", "precision_lost"),
        ("1.234", "too_many_decimals"),
        pytest.param("1.230", "too_many_decimals", id="1230 in half the world"),
        ("1.2345678万元", "too_many_decimals"),
        (1.234, "too_many_decimals"),
        (1.0000012, "too_many_decimals"),
        (Decimal("1.001"), "too_many_decimals"),
        ("99999999999999", "too_large"),
        ("1000000000万元", "too_large"),
        (1e300, "too_large"),
        pytest.param(10**5000, "too_large", id="a hostile number"),
        (Decimal("1E+999999"), "too_large"),
        pytest.param(Decimal("9999999999999.996"), "too_many_decimals", id="would round to one digit too many"),
        ("(-5)", "two_signs"),
        ("-5(贷)", "two_signs"),
        ("-5-", "two_signs"),
        ("(5", "not_an_amount"),
        ("5)", "not_an_amount"),
        ("NaN", "not_an_amount"),
        ("Infinity", "not_an_amount"),
        (float("nan"), "not_an_amount"),
        (float("-inf"), "not_an_amount"),
        (Decimal("NaN"), "not_an_amount"),
        ("壹万元", "not_an_amount"),
        ("١٢٣", "not_an_amount"),
        ("①", "not_an_amount"),
        ("1 234", "not_an_amount"),
        ("1  234", "not_an_amount"),
        ("12 .50", "not_an_amount"),
        ("万元", "not_an_amount"),
        ("¥", "not_an_amount"),
        ("#REF!", "not_an_amount"),
        ("=1+1", "not_an_amount"),
        (True, "not_an_amount"),
        (date(2025, 3, 1), "not_an_amount"),
        pytest.param("1" + " " * 100_000 + "2", "not_an_amount", id="a hostile field"),
    ],
)
def test_read_amount_refuses(value, code):
    assert refusal(read_amount, value) == code


def test_the_column_heading_gives_the_unit_and_the_cell_overrules_it():
    assert read_amount("3.2", unit=10_000) == Decimal("32000.00")
    assert read_amount(1.2345, unit=10_000) == Decimal("12345.00")
    assert read_amount("3.2元", unit=10_000) == Decimal("3.20")
    with pytest.raises(ValueError, match="power of ten"):
        read_amount("1", unit=300)


@given(cents)
def test_a_spreadsheet_cell_keeps_its_cents(amount):
    if abs(amount) < 10**12:  # a float holds 15 digits
        assert read_amount(float(amount)) == amount


@given(st.one_of(st.text(max_size=80), st.floats(), st.integers(), st.decimals(), st.booleans()))
def test_reading_anything_answers_or_refuses_with_a_code(value):
    try:
        amount = read_amount(value)
    except AmountError as error:
        assert error.code
    else:
        assert amount is None or (amount.as_tuple().exponent == -2 and abs(amount) < 10**13)


def real_amounts(name, column):
    with shared_data("ar_highradius", name).open(newline="", encoding="utf-8") as lines:
        return [line[column] for line in csv.DictReader(lines) if line[column]]


def test_a_real_ledger_is_read_to_the_cent():
    texts = real_amounts("open_items_with_original_columns.csv", "total_open_amount")
    assert len(texts) > 9000
    assert all(read_amount(text) == Decimal(text) for text in texts)


def test_amounts_somebody_converted_without_rounding_are_refused_rather_than_rounded():
    texts = real_amounts("open_items_usd_nulldata.csv", "converted_usd")
    unrounded = {text for text in texts if len(text.partition(".")[2]) > 2}
    assert 0 < len(unrounded) < len(texts)
    assert {refusal(read_amount, text) for text in unrounded} == {"too_many_decimals"}
    assert all(read_amount(text) == Decimal(text) for text in texts if text not in unrounded)


# --- rounding and sharing ------------------------------------------------------------------------


@pytest.mark.invariant("I-32")
@pytest.mark.parametrize(
    ("amount", "rounded"),
    [("0.005", "0.01"), ("-0.005", "-0.01"), ("0.0049", "0.00"), ("-0.001", "0.00"), ("2.675", "2.68"), ("1", "1.00")],
)
def test_a_half_goes_away_from_zero(amount, rounded):
    assert str(round_half_up(Decimal(amount))) == rounded


def test_round_half_up_to_other_places():
    assert str(round_half_up(Decimal("1234.5"), 0)) == "1235"
    assert round_half_up(Decimal("1250"), -2) == 1300
    assert refusal(round_half_up, Decimal("NaN")) == "not_an_amount"


@pytest.mark.parametrize(
    ("amount", "step", "rounded"),
    [
        ("129999.99", "10000", "120000"),
        ("130000", "10000", "130000"),
        ("9999.99", "10000", "0"),
        ("-5", "10", "-10"),
        ("-10", "10", "-10"),
        ("0.29", "0.1", "0.2"),
    ],
)
def test_round_down_to(amount, step, rounded):
    assert round_down_to(Decimal(amount), Decimal(step)) == Decimal(rounded)


@pytest.mark.parametrize("step", ["0", "-1"])
def test_a_step_is_above_zero(step):
    with pytest.raises(ValueError, match="above 0"):
        round_down_to(Decimal(1), Decimal(step))


@given(cents, st.integers(1, 10**9).map(lambda number: Decimal(number).scaleb(-2)))
def test_rounding_down_never_gains_and_loses_less_than_a_step(amount, step):
    rounded = round_down_to(amount, step)
    assert rounded <= amount < rounded + step
    assert rounded % step == 0


def weigh(*weights):
    return [Decimal(weight) for weight in weights]


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        pytest.param("70000", ["40000", "60000"], ["28000", "42000"], id="民法典 560, pro rata"),
        pytest.param("100", ["1", "1", "1"], ["33.34", "33.33", "33.33"], id="the earlier part takes the cent"),
        pytest.param("-100", ["1", "1", "1"], ["-33.34", "-33.33", "-33.33"], id="a credit note"),
        pytest.param("0.01", ["1", "2"], ["0", "0.01"], id="to the part that lost most"),
        pytest.param("5", ["0", "1"], ["0", "5"], id="no weight, no part"),
        ("0", ["1", "1"], ["0", "0"]),
    ],
)
def test_share_out(total, weights, parts):
    assert share_out(Decimal(total), weigh(*weights)) == weigh(*parts)


@pytest.mark.invariant("I-32")
@given(cents, st.lists(st.decimals(0, 10**9, places=4), min_size=1, max_size=12).filter(any))
def test_parts_add_up_to_the_whole_and_stay_within_a_cent_of_their_share(total, weights):
    parts = share_out(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part * sum(weights) - total * weight) < sum(weights) * Decimal("0.01")


@pytest.mark.parametrize(
    ("total", "weights"), [("1", []), ("1", ["0", "0"]), ("1", ["2", "-1"]), ("0.001", ["1"])], ids=str
)
def test_share_out_refuses(total, weights):
    with pytest.raises(ValueError, match=r"weights|cents"):
        share_out(Decimal(total), weigh(*weights))


def test_thirty_digits_are_shared_out_and_rounded_to_the_cent():
    total = Decimal("9" * 30 + ".98")
    assert sum(map(Fraction, share_out(total, weigh("1", "2")))) == Fraction(total)
    assert round_half_up(Decimal("9" * 30 + ".005")) == Decimal("9" * 30 + ".01")


@pytest.mark.parametrize("weights", [[], ["0", "0"], ["2", "-1"]], ids=str)
def test_weights_are_named_in_the_refusal(weights):
    with pytest.raises(ValueError, match=r"^weights must not be negative and must add up to more than 0$"):
        share_out(Decimal(1), weigh(*weights))


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        ([1], "not_an_amount", "[1]"),
        (Decimal("1.234"), "too_many_decimals", "1.234"),
        (Decimal("1.0000001"), "too_many_decimals", "1.0000001"),
        (Decimal("1." + "0" * 40 + "1"), "too_many_decimals", "1." + "0" * 40 + "1"),
        (Decimal("NaN"), "not_an_amount", "NaN"),
        ("1" * 60, "too_large", "1" * 60),
        ("1" * 61, "not_an_amount", "1" * 60),
        ("0" * 58 + ".123", "not_an_amount", "0" * 58 + ".1"),
    ],
)
def test_a_refused_value_is_named(value, code, text):
    with pytest.raises(AmountError) as refused:
        read_amount(value)
    assert (refused.value.code, refused.value.text) == (code, text)


def test_sixty_characters_are_read_and_no_more():
    assert read_amount("0" * 57 + "1.5") == Decimal("1.50")
    with pytest.raises(AmountError):
        read_amount("0" * 58 + "1.5")


def test_a_number_that_is_none_is_named_when_it_is_rounded():
    with pytest.raises(AmountError) as refused:
        round_half_up(Decimal("Infinity"))
    assert refused.value.text == "Infinity"


def test_convert_rounds_the_exact_product_once():
    assert convert(Decimal("100.00"), Decimal("7.17355")) == Decimal("717.36")
    assert convert(Decimal("-0.01"), Decimal("0.5")) == Decimal("-0.01")
    # 0.00499…9 (30 nines) is below the half; at 28 digits it would have become one.
    assert convert(Decimal("1.00"), Decimal("0.00" + "4" + "9" * 30)) == Decimal("0.00")


@pytest.mark.parametrize("rate", ["0", "-7", "NaN", "Infinity"])
def test_a_rate_is_above_zero(rate):
    with pytest.raises(ValueError, match="rate"):
        convert(Decimal(1), Decimal(rate))


# --- in words ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("0", "零元整"),
        ("0.01", "壹分"),
        ("0.05", "伍分"),
        ("0.10", "壹角整"),
        ("0.50", "伍角整"),
        ("0.15", "壹角伍分"),
        ("1.05", "壹元零伍分"),
        ("10.50", "壹拾元零伍角整"),
        ("100.05", "壹佰元零伍分"),
        ("1409.50", "壹仟肆佰零玖元伍角整"),
        ("6007.14", "陆仟零柒元壹角肆分"),
        ("1680.32", "壹仟陆佰捌拾元零叁角贰分"),
        ("107000.53", "壹拾万柒仟元零伍角叁分"),
        ("16409.02", "壹万陆仟肆佰零玖元零贰分"),
        ("325.04", "叁佰贰拾伍元零肆分"),
        ("10001", "壹万零壹元整"),
        ("10010", "壹万零壹拾元整"),
        ("10100", "壹万零壹佰元整"),
        ("1010000", "壹佰零壹万元整"),
        ("1001000", "壹佰万壹仟元整"),
        ("10203040.56", "壹仟零贰拾万叁仟零肆拾元零伍角陆分"),
        ("100000001", "壹亿零壹元整"),
        ("100010000", "壹亿零壹万元整"),
        ("100001234", "壹亿零壹仟贰佰叁拾肆元整"),
        ("2000500000", "贰拾亿零伍拾万元整"),
        ("1234567890.12", "壹拾贰亿叁仟肆佰伍拾陆万柒仟捌佰玖拾元零壹角贰分"),
        ("1000000000000", "壹万亿元整"),
        ("1000100000000", "壹万零壹亿元整"),
        ("-88.80", "负捌拾捌元捌角整"),
        ("999999999.995", "壹拾亿元整"),
        pytest.param("-0.004", "零元整", id="no negative nothing"),
    ],
)
def test_in_words(amount, words):
    assert in_words(Decimal(amount)) == words


def read_back(words):
    """The amount that the words name, by adding up; an independent way round."""
    total = section = digit = Decimal(0)
    for letter in words.removeprefix("负").removesuffix("整").removesuffix("零元"):
        if letter in (digits := "零壹贰叁肆伍陆柒捌玖"):
            digit = Decimal(digits.index(letter))
        elif letter in (places := {"拾": 10, "佰": 100, "仟": 1000}):
            section, digit = section + digit * places[letter], Decimal(0)
        elif letter in (groups := {"万": 10**4, "亿": 10**8}):
            total = (total + section + digit) * groups[letter] if letter == "亿" else total + (section + digit) * 10**4
            section = digit = Decimal(0)
        else:
            worth = {"元": Decimal(1), "角": Decimal("0.1"), "分": Decimal("0.01")}[letter]
            total, section, digit = total + (section + digit) * worth, Decimal(0), Decimal(0)
    return -total if words.startswith("负") else total


@given(cents)
def test_words_name_the_amount_and_no_other(amount):
    words = in_words(amount)
    assert read_back(words) == amount
    assert "零零" not in words
    assert words.endswith(("整", "分"))


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ("2026-02-12", "贰零贰陆年零贰月壹拾贰日"),
        ("2026-01-15", "贰零贰陆年零壹月壹拾伍日"),
        ("2026-10-20", "贰零贰陆年零壹拾月零贰拾日"),
        ("2026-11-30", "贰零贰陆年壹拾壹月零叁拾日"),
        ("2026-12-10", "贰零贰陆年壹拾贰月零壹拾日"),
        ("2026-03-05", "贰零贰陆年叁月零伍日"),
        ("2026-03-21", "贰零贰陆年叁月贰拾壹日"),
    ],
)
def test_date_in_words(day, words):
    assert date_in_words(date.fromisoformat(day)) == words
