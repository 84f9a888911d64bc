"""Finding customers by part of a Chinese name, pinyin, initials, latin words, code or credit code.

Each customer carries its search keys in an indexed array; a query is a few "contains all of these keys", so that two
Chinese characters are as fast as twenty. The kinds of keys, with 重庆华联 (code C00012) as the example:

* Chinese characters and pairs: 重, 重庆, 庆, 庆华, …
* `>`: syllables, >chong, >zhong, >qing, … and beginnings of the first: >c, >ch, … (all readings of a character)
* `'`: two syllables in a row, the second perhaps only begun: 'chongq, 'chongqi, … 'chongqing, 'zhongq, … 'qingh, …
* `=`: two initials in a row: =cq, =zq, =qh, …
* `~`: beginnings of latin words; `#`: beginnings of the code, its digits, the credit code
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise, product
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Q, QuerySet

from . import names
from .models import Customer

READINGS_MAX = 3
SEGMENTATIONS_MAX = 6
TERMS_MAX = 6
FEW = 2_000
KEY_LENGTH = 40
LATIN_LENGTH = 12
_SYLLABLE_LENGTH = 6

_CHINESE = re.compile(r"[㐀-鿿\U00020000-\U0003134f]+")
_LATIN = re.compile(r"[a-z0-9]+")


def keys_of(customer: Customer, other_names: Iterable[str] = ()) -> list[str]:
    """All search keys of a customer with these other names, sorted."""
    keys: set[str] = set()
    for name in (customer.name, customer.short_name, *other_names):
        keys.update(_name_keys(name))
    keys.update(_code_keys(customer.code))
    if customer.uscc:
        keys.update({f"#{customer.uscc.lower()}", f"#{customer.uscc[8:17].lower()}"})
    return sorted(key[:KEY_LENGTH] for key in keys)


def recompute(customers: QuerySet[Customer]) -> int:
    """Write the keys of these customers afresh, in bounded batches; answers how many."""
    rows = customers.annotate(others=ArrayAgg("other_names__name", filter=~Q(other_names=None), default=[]))
    batch: list[Customer] = []
    done = 0
    for customer in rows.order_by("pk").iterator(chunk_size=2000):
        customer.search_keys = keys_of(customer, customer.others)
        batch.append(customer)
        if len(batch) == 2000:
            done += Customer.objects.bulk_update(batch, ["search_keys"])
            batch.clear()
    return done + (Customer.objects.bulk_update(batch, ["search_keys"]) if batch else 0)


def find(text: str, seen_by: Q) -> QuerySet[Customer]:
    """The customers meant by what somebody typed, of those she may see; all words typed must be found.

    Unordered: whoever shows a page orders it by key (`lib.api.page`).
    """
    return among(Customer.objects.filter(seen_by), text)


def among(rows: QuerySet[Customer], text: str) -> QuerySet[Customer]:
    """Of these customers those meant."""
    return rows.filter(condition(text, rows))


def of_customer(rows: QuerySet[Any], text: str, path: str = "customer") -> QuerySet[Any]:
    """Of these rows those of the customers meant; `path` leads from a row to its customer."""
    return rows.filter(**{f"{path}__in": Customer.objects.filter(condition(text)).values("pk")})


def condition(text: str, rows: QuerySet[Customer] | None = None) -> Q:
    """What a customer (of these `rows`, or any) must satisfy to be found. Text without letters or digits finds nobody.

    Few are looked up here and named by their ids: the database cannot tell how many rows match an array, and would read
    a whole list in its order to find the few. A text that means many is left to it as a condition.
    """
    wanted = _wanted(text)
    found = (Customer.objects.all() if rows is None else rows).filter(wanted)
    ids = list(found.order_by().values_list("pk", flat=True)[: FEW + 1])
    return Q(pk__in=ids) if len(ids) <= FEW else wanted


def _wanted(text: str) -> Q:
    plain = names.normalised(text.replace("\0", ""))
    terms = _terms(names.LEGAL_FORMS.sub(" ", plain)) or _terms(plain)
    wanted = Q(pk__in=()) if not terms else Q(restricted_on=None)
    for term in terms[:TERMS_MAX]:
        wanted &= _either(_chinese_keys(term) if _CHINESE.match(term) else _latin_keys(term))
    return wanted


def _either(alternatives: list[list[str]]) -> Q:
    found = Q()
    for keys in alternatives:
        found |= Q(search_keys__contains=keys)
    return found


def _terms(text: str) -> list[str]:
    return [run for run in re.findall(f"{_CHINESE.pattern}|{_LATIN.pattern}", text) if run]


# --- keys of a name ------------------------------------------------------------------------------


def _name_keys(name: str) -> Iterator[str]:
    plain = names.normalised(name)
    meaning = names.LEGAL_FORMS.sub(" ", plain)
    for run in _CHINESE.findall(plain):  # whoever types 有限公司 in full gets it too
        yield from run
        yield from (first + second for first, second in pairwise(run))
    for run in _CHINESE.findall(meaning):
        yield from _pinyin_keys(run)
    for word in _LATIN.findall(plain):
        yield from (f"~{beginning}" for beginning in _beginnings(word[:LATIN_LENGTH]))


def _pinyin_keys(run: str) -> Iterator[str]:
    """Of a run of characters: syllables, pairs of syllables, pairs of initials; all readings."""
    readings = _readings(run)
    yield from (f">{syllable}" for syllables in readings for syllable in syllables)
    yield from (f">{beginning}" for syllable in readings[0] for beginning in _beginnings(syllable))
    for first, second in pairwise(readings):
        for one, other in product(first, second):
            yield from (f"'{one}{beginning}" for beginning in _beginnings(other))
            yield f"={one[0]}{other[0]}"


def _beginnings(word: str) -> Iterator[str]:
    return (word[:end] for end in range(1, len(word) + 1))


def _readings(run: str) -> list[list[str]]:
    """For each character its readings, the one it has in these words first, READINGS_MAX at most."""
    from pypinyin import lazy_pinyin  # loading its dictionaries takes a moment: only where somebody is named

    in_words = [_plain(syllable) for syllable in lazy_pinyin(run, errors=lambda unknown: list(unknown))]
    if len(in_words) != len(run):
        in_words = [_alone(character)[0] for character in run]
    return [
        [each for each in dict.fromkeys((spoken, *_alone(character))) if each.isascii()][:READINGS_MAX]
        for spoken, character in zip(in_words, run, strict=True)
    ]


@lru_cache(maxsize=30_000)
def _alone(character: str) -> tuple[str, ...]:
    """The readings of one character by itself, the usual one first."""
    from pypinyin import Style, pinyin

    found = pinyin(character, style=Style.NORMAL, heteronym=True, errors=lambda unknown: list(unknown))
    return tuple(dict.fromkeys(_plain(syllable) for syllable in found[0]))


def _plain(syllable: str) -> str:
    """As typed without umlaut and tone: lü is typed lv."""
    return syllable.replace("ü", "v").replace("ê", "e").replace("ɡ", "g")


def _code_keys(code: str) -> Iterator[str]:
    for word in _LATIN.findall(code.lower()):
        yield from (f"#{beginning}" for beginning in _beginnings(word))
        digits = re.sub(r"^[a-z]*0*", "", word)
        if digits:
            yield f"#{digits}"


# --- what was typed ------------------------------------------------------------------------------


def _chinese_keys(run: str) -> list[list[str]]:
    return [[run] if len(run) == 1 else [first + second for first, second in pairwise(run)]]


def _latin_keys(word: str) -> list[list[str]]:
    """What a run of letters and digits may mean: a word or code that begins so, pinyin, initials."""
    found = [[f"~{word[:LATIN_LENGTH]}"], [f"#{word[: KEY_LENGTH - 1]}"]]
    if word.isalpha():
        found += [_spoken_keys(syllables) for syllables in _segmentations(word)]
        found += [[f"={first}{second}" for first, second in pairwise(word)]] if len(word) > 1 else []
    return found


def _spoken_keys(syllables: tuple[str, ...]) -> list[str]:
    """Every two neighbours; the last may be only begun."""
    if len(syllables) == 1:
        return [f">{syllables[0]}"]
    return [f"'{one}{other}" for one, other in pairwise(syllables)]


@lru_cache(maxsize=1024)
def _segmentations(word: str) -> tuple[tuple[str, ...], ...]:
    """The ways to read letters as syllables of which the last may be unfinished: xian is xian and xi'an."""
    found: list[tuple[str, ...]] = []

    def walk(rest: str, taken: tuple[str, ...]) -> None:
        if len(found) >= SEGMENTATIONS_MAX:
            return
        if any(syllable.startswith(rest) for syllable in _syllables()):
            found.append((*taken, rest))
        for end in range(min(len(rest) - 1, _SYLLABLE_LENGTH), 0, -1):
            if rest[:end] in _syllables():
                walk(rest[end:], (*taken, rest[:end]))

    if len(word) <= KEY_LENGTH:
        walk(word, ())
    return tuple(found)


@lru_cache(maxsize=1)
def _syllables() -> frozenset[str]:
    """All syllables of the standard language, as typed."""
    from pypinyin.constants import PINYIN_DICT

    characters = range(0x4E00, 0x9FFF)
    tones = str.maketrans("āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜüńňǹḿ", "aaaaeeeeiiiioooouuuuvvvvvnnnm")
    spoken = {reading.translate(tones) for code in characters for reading in PINYIN_DICT.get(code, "").split(",")}
    return frozenset(each for each in spoken if each.isascii() and each.isalpha() and len(each) <= _SYLLABLE_LENGTH)
