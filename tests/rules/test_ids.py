import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn
from stdnum.cn import ric, uscc
from stdnum.iso7064 import mod_11_10

from shouxin.rules.ids import (
    DEPARTMENTS,
    check_bank_card,
    check_citizen_number,
    check_organisation_code,
    check_registration_number,
    check_uscc,
    citizen_check,
    luhn_check,
    mask_bank_account,
    mask_citizen_number,
    mask_name,
    mask_phone,
    organisation_check,
    registration_check,
    uscc_check,
    uscc_for,
)
from tests.shared_data import shared_data

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def digits(length):
    return st.text("0123456789", min_size=length, max_size=length)


made_up = st.builds(
    uscc_for,
    st.sampled_from(sorted(DEPARTMENTS)),
    st.sampled_from("1239"),
    digits(6),
    st.text(ALPHABET, min_size=8, max_size=8),
)


# --- unified social credit code ------------------------------------------------------------------


@pytest.mark.parametrize(
    "code",
    [
        "91350100M000100Y43",
        "91110000600037341L",
        pytest.param("914403001922038216", id="all digits, still text"),
        pytest.param("9144030071526726XG", id="the organisation part ends in X"),
        "91330100799655058B",
        "91310115MA1K3CUM7M",
    ],
)
def test_good_codes(code):
    found = check_uscc(code)
    assert (found.ok, found.normalised, found.expected_check) == (True, code, code[-1])


@pytest.mark.parametrize(
    ("code", "problem", "expected"),
    [
        pytest.param("91350100M000100Y4Z", "alphabet", "3", id="Z is no letter of the alphabet"),
        pytest.param("91310115MA1K3CUM7I", "alphabet", "M", id="nor is I"),
        pytest.param("91110000600037341N", "check_digit", "L", id="a wrong check character"),
        pytest.param("91350100M000100Y4", "length", None, id="one short"),
        ("", "length", None),
        pytest.param("9111000060003IOZSV", "alphabet", None, id="letters that do not exist"),
        pytest.param("9A3501A0M000100Y43", "alphabet", None, id="a letter in the division"),
        pytest.param("٩١350100M000100Y43", "alphabet", None, id="Arabic-Indic digits"),
        pytest.param("913501ⅠⅠM000100Y43", "alphabet", None, id="Roman numerals"),
    ],
)
def test_bad_codes(code, problem, expected):
    found = check_uscc(code)
    assert (found.ok, found.problem, found.expected_check) == (False, problem, expected)


def test_a_department_that_does_not_exist():
    body = "B1110000600037341"
    assert check_uscc(body + uscc_check(body)).problem == "department"


@pytest.mark.parametrize(
    "typed",
    ["91330100799655058b", "  91330100799655058B\n", "９１３３０１００７９９６５５０５８Ｂ", "91 330100 799655058 B"],
)
def test_typing_is_forgiven(typed):
    found = check_uscc(typed)
    assert found.ok
    assert found.normalised == "91330100799655058B"


def test_letters_of_other_alphabets_are_not_raised_to_ascii():
    assert check_uscc("91310115MA1K3CUM7М").problem == "alphabet"  # Cyrillic М
    assert check_organisation_code("ſ2143569X").problem == "alphabet"


def test_two_hundred_real_codes():
    codes = shared_data("cn_uscc", "uscc_valid_from_python_stdnum.txt").read_text(encoding="ascii").split()
    assert len(codes) == 200
    found = [check_uscc(code) for code in codes]
    assert [check.normalised for check in found if not check.ok] == []
    assert {check.warning for check in found} <= {None, "organisation_code"}


def test_an_organisation_part_that_fails_its_own_check_is_a_warning():
    body = "91350100M000100Y" + "5"
    found = check_uscc(body + uscc_check(body))
    assert (found.ok, found.warning) == (True, "organisation_code")
    assert check_uscc("91350100M000100Y43").warning is None


@given(made_up)
def test_made_up_codes_are_good_and_another_implementation_agrees(code):
    found = check_uscc(code)
    assert found.ok
    assert found.warning is None
    assert check_organisation_code(code[8:17]).ok
    if code[0].isdigit():  # the other implementation knows no departments with letters
        assert uscc.is_valid(code)


@given(made_up, st.integers(0, 17), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_always_caught(code, place, letter):
    wrong = code[:place] + letter + code[place + 1 :]
    assert check_uscc(wrong).ok == (wrong == code)


@given(made_up, st.integers(8, 16))
def test_two_neighbours_swapped_are_always_caught(code, place):
    wrong = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert check_uscc(wrong).ok == (wrong == code)


@pytest.mark.parametrize(
    "parts",
    [
        ("9", "1", "11010", "MA000001"),
        ("9", "1", "1101AB", "MA000001"),
        ("B", "1", "110105", "MA000001"),
        ("9", "1", "110105", "MA00000I"),
        ("9", "1", "110105", "MA00001"),
    ],
)
def test_parts_that_make_no_code_are_refused(parts):
    with pytest.raises(ValueError):
        uscc_for(*parts)


# --- the other codes -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "check"),
    [
        ("D2143569", "X"),
        ("MA1FL0JH", "7"),
        ("MA1FL0L1", "9"),
        ("MA1K3CUM", "7"),
        ("71526726", "X"),
        ("12345678", "8"),
    ],
)
def test_organisation_codes(body, check):
    assert organisation_check(body) == check
    assert check_organisation_code(f"{body}-{check}").ok
    assert check_organisation_code(f"{body}{'0' if check != '0' else '1'}").problem == "check_digit"


@given(st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=8, max_size=8))
def test_an_organisation_check_is_one_character(body):
    assert organisation_check(body) in tuple("0123456789X")


@pytest.mark.parametrize("number", ["310230001716146", "310230001716154"])
def test_registration_numbers(number):
    assert check_registration_number(number).ok
    assert check_registration_number(number[:-1] + "0").problem == "check_digit"


@given(digits(14))
def test_registration_numbers_agree_with_iso_7064(body):
    assert registration_check(body) == mod_11_10.calc_check_digit(body)


@pytest.mark.parametrize(
    "number", ["11010519491231002X", "440524188001010014", "360426199101010071", "44011320141005001X"]
)
def test_citizens_numbers(number):
    assert check_citizen_number(number.lower()).ok
    assert citizen_check(number[:17]) == number[17]


@pytest.mark.parametrize(
    ("number", "problem"),
    [
        ("110105194912310021", "check_digit"),
        pytest.param("11010519490230002" + citizen_check("11010519490230002"), "date", id="30 February"),
        pytest.param("110105491231002", "length", id="the old 15 digits"),
        ("1101051949123100XX", "alphabet"),
    ],
)
def test_bad_citizens_numbers(number, problem):
    assert check_citizen_number(number).problem == problem


@given(st.dates().map(lambda day: f"110105{day.year:04d}{day:%m%d}001"))
def test_citizens_numbers_agree_with_another_implementation(body):
    assert check_citizen_number(body + citizen_check(body)).ok
    assert ric.calc_check_digit(body + "0") == citizen_check(body)  # it ignores the last digit


@given(st.integers(11, 18).flatmap(digits))
def test_bank_cards_agree_with_another_implementation(body):
    assert luhn_check(body) == luhn.calc_check_digit(body)
    assert check_bank_card(body + luhn_check(body)).ok
    assert check_bank_card(body + str((int(luhn_check(body)) + 1) % 10)).problem == "check_digit"


@pytest.mark.parametrize(
    ("number", "problem"),
    [("4111 1111 1111 1111", None), ("41111111111", "length"), ("4" * 20, "length"), ("411111111111111x", "alphabet")],
)
def test_bank_cards(number, problem):
    assert check_bank_card(number).problem == problem


# --- masking -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mask", "text", "masked"),
    [
        (mask_phone, "13812345678", "138****5678"),
        (mask_phone, "+86 138 1234 5678", "138****5678"),
        (mask_phone, "0755-12345678", "075*****5678"),
        pytest.param(mask_phone, "12345678", "****", id="too short to show anything"),
        (mask_phone, "", "****"),
        (mask_citizen_number, "11010519491231002x", "110105********002X"),
        (mask_citizen_number, "110105", "****"),
        (mask_bank_account, "6222 0212 3456 1234", "****1234"),
        pytest.param(mask_bank_account, "1234", "****", id="four digits are all of it"),
        (mask_name, "张三", "张*"),
        (mask_name, "张三丰", "张*"),
        (mask_name, "欧阳修", "欧阳*"),
        pytest.param(mask_name, "欧阳", "欧*", id="surname 欧, given name 阳"),
        (mask_name, "张", "*"),
        (mask_name, "John Smith", "J*"),
        (mask_name, "", "*"),
    ],
)
def test_masks(mask, text, masked):
    assert mask(text) == masked


@given(st.sampled_from([mask_phone, mask_citizen_number, mask_bank_account]), st.integers(1, 30).flatmap(digits))
def test_a_mask_hides_at_least_four_characters_or_everything(mask, number):
    assert "****" in mask(number)
    assert sum(letter != "*" for letter in mask(number)) <= max(len(number) - 4, 0)
