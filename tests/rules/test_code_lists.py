import pytest

from shouxin.rules.currencies import CURRENCIES, CurrencyError, read_currency
from shouxin.rules.industries import INDUSTRIES


def test_the_twenty_sections_in_both_languages():
    assert "".join(INDUSTRIES) == "ABCDEFGHIJKLMNOPQRST"
    assert all(zh and en.isascii() for zh, en in INDUSTRIES.values())


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("cny", "CNY"),
        ("RMB", "CNY"),
        ("人民币", "CNY"),
        ("￥", "CNY"),
        ("¥", "CNY"),
        (" ＵＳＤ ", "USD"),
        ("美元", "USD"),
        ("us$", "USD"),
        ("US Dollar", "USD"),
        ("HK$", "HKD"),
        ("港币", "HKD"),
        ("日元", "JPY"),
        ("新台币", "TWD"),
        ("欧元", "EUR"),
    ],
)
def test_read_currency(text, code):
    assert read_currency(text) == code


@pytest.mark.parametrize(
    ("text", "code"), [("", "blank"), ("　", "blank"), ("$", "ambiguous"), ("XXX", "unknown"), ("盾", "unknown")]
)
def test_read_currency_refuses(text, code):
    with pytest.raises(CurrencyError) as caught:
        read_currency(text)
    assert caught.value.code == code


def test_no_spelling_names_two_currencies():
    names = [
        (name.upper(), currency.code)
        for currency in CURRENCIES.values()
        for name in {currency.code, currency.zh, currency.en, *currency.aliases}
    ]
    assert len({name for name, _ in names}) == len(names)
    assert all(read_currency(name) == code for name, code in names)


@pytest.mark.parametrize(("code", "minor_digits"), [("CNY", 2), ("JPY", 0), ("KRW", 0), ("VND", 0), ("KWD", 3)])
def test_minor_digits(code, minor_digits):
    assert CURRENCIES[code].minor_digits == minor_digits
