"""The currencies the product knows (ISO 4217), and how ledgers spell them."""

from dataclasses import dataclass

from shouxin.rules.text import Unreadable, half_width


@dataclass(frozen=True)
class Currency:
    """A currency: its ISO 4217 code, decimals of its smallest unit, names, and other spellings in ledgers."""

    code: str
    minor_digits: int
    zh: str
    en: str
    aliases: tuple[str, ...] = ()


class CurrencyError(Unreadable):
    """A text refused as a currency: `blank`, `ambiguous` (a bare $) or `unknown`."""


_ALL = (
    # A bare ¥ is the yuan in a Chinese ledger; the offshore yuan, CNH, is the same money and no ISO code.
    Currency("CNY", 2, "人民币", "Chinese yuan", ("RMB", "CNH", "¥", "元", "CN¥", "RMB¥", "人民币元", "人民幣", "圆")),
    Currency("USD", 2, "美元", "US dollar", ("US$", "美金", "U.S. dollar")),
    Currency("EUR", 2, "欧元", "Euro", ("€", "歐元")),
    Currency("GBP", 2, "英镑", "Pound sterling", ("£", "英鎊")),
    Currency("JPY", 0, "日元", "Japanese yen", ("日圆", "日币", "JP¥")),
    Currency("HKD", 2, "港元", "Hong Kong dollar", ("HK$", "港币", "港幣", "港纸")),
    Currency("MOP", 2, "澳门元", "Macanese pataca", ("MOP$", "澳门币")),
    Currency("TWD", 2, "新台币", "New Taiwan dollar", ("NT$", "台币", "新臺幣")),
    Currency("KRW", 0, "韩元", "South Korean won", ("₩", "韩币", "韩圆")),
    Currency("SGD", 2, "新加坡元", "Singapore dollar", ("S$", "新加坡币", "新元")),
    Currency("AUD", 2, "澳大利亚元", "Australian dollar", ("A$", "澳元", "澳币")),
    Currency("NZD", 2, "新西兰元", "New Zealand dollar", ("NZ$", "纽币")),
    Currency("CAD", 2, "加拿大元", "Canadian dollar", ("C$", "加元", "加币")),
    Currency("CHF", 2, "瑞士法郎", "Swiss franc"),
    Currency("SEK", 2, "瑞典克朗", "Swedish krona"),
    Currency("NOK", 2, "挪威克朗", "Norwegian krone"),
    Currency("DKK", 2, "丹麦克朗", "Danish krone"),
    Currency("PLN", 2, "波兰兹罗提", "Polish zloty"),
    Currency("CZK", 2, "捷克克朗", "Czech koruna"),
    Currency("HUF", 2, "匈牙利福林", "Hungarian forint"),
    Currency("RUB", 2, "俄罗斯卢布", "Russian rouble", ("卢布", "₽")),
    Currency("KZT", 2, "哈萨克斯坦坚戈", "Kazakhstani tenge", ("坚戈",)),
    Currency("TRY", 2, "土耳其里拉", "Turkish lira", ("₺",)),
    Currency("THB", 2, "泰铢", "Thai baht", ("฿", "泰币")),
    Currency("VND", 0, "越南盾", "Vietnamese dong", ("₫",)),
    Currency("IDR", 2, "印度尼西亚盾", "Indonesian rupiah", ("印尼盾", "印尼卢比")),
    Currency("MYR", 2, "马来西亚林吉特", "Malaysian ringgit", ("RM", "林吉特", "马币", "令吉")),
    Currency("PHP", 2, "菲律宾比索", "Philippine peso", ("₱",)),
    Currency("INR", 2, "印度卢比", "Indian rupee", ("₹",)),
    Currency("PKR", 2, "巴基斯坦卢比", "Pakistani rupee"),
    Currency("AED", 2, "阿联酋迪拉姆", "UAE dirham", ("迪拉姆",)),
    Currency("SAR", 2, "沙特里亚尔", "Saudi riyal"),
    Currency("ILS", 2, "以色列新谢克尔", "Israeli new shekel", ("₪",)),
    Currency("KWD", 3, "科威特第纳尔", "Kuwaiti dinar"),
    Currency("BHD", 3, "巴林第纳尔", "Bahraini dinar"),
    Currency("OMR", 3, "阿曼里亚尔", "Omani rial"),
    Currency("ZAR", 2, "南非兰特", "South African rand", ("兰特",)),
    Currency("EGP", 2, "埃及镑", "Egyptian pound"),
    Currency("NGN", 2, "尼日利亚奈拉", "Nigerian naira", ("₦",)),
    Currency("BRL", 2, "巴西雷亚尔", "Brazilian real", ("R$", "雷亚尔")),
    Currency("MXN", 2, "墨西哥比索", "Mexican peso", ("MX$",)),
    Currency("CLP", 0, "智利比索", "Chilean peso"),
)

CURRENCIES: dict[str, Currency] = {currency.code: currency for currency in _ALL}
"""The currencies by their ISO 4217 code."""


def _spelling(text: str) -> str:
    return "".join(half_width(text).split()).upper()


_BY_SPELLING = {
    _spelling(name): currency.code
    for currency in _ALL
    for name in (currency.code, currency.zh, currency.en, *currency.aliases)
}


def read_currency(text: str) -> str:
    """The ISO 4217 code of a currency as a ledger spells it (cny, RMB, 人民币, ￥, 美元, HK$).

    A bare $ is refused: it is the sign of some twenty currencies. Raises CurrencyError.
    """
    spelling = _spelling(text)
    if spelling in _BY_SPELLING:
        return _BY_SPELLING[spelling]
    if not spelling:
        raise CurrencyError("blank", text)
    raise CurrencyError("ambiguous" if spelling == "$" else "unknown", text)
