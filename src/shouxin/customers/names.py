"""Names of companies: what two spellings have in common, and whom a name on a paper means."""

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache

from django.db.models import Q
from rapidfuzz import fuzz

from shouxin.rules.text import half_width

from .models import Customer, OtherName
from .places import PLACES

LEGAL_FORMS = re.compile(
    r"股份有限责任公司|有限责任公司|股份有限公司|集团有限公司|控股有限公司|有限合伙企业|特殊普通合伙|普通合伙|有限合伙|"
    r"有限公司|股份公司|集团公司|总公司|公司|集团|股份|"
    r"\b(?:co|ltd|inc|llc|limited|corp|corporation|company|gmbh|plc|pte)\b\.?"
)
"""What says only which kind of company it is, longest first."""

ALIKE_MIN = 83
"""From this likeness (of 100) of two cores on a person should look: one character in six may differ."""

_PLACE = re.compile(f"({'|'.join(sorted(PLACES, key=len, reverse=True))})(省|市|自治区|地区)?")
_COUNTY = re.compile(r"[一-鿿]{1,3}?(?:区|县|镇)(?=[一-鿿]{4})")
_BRACKETS = str.maketrans(dict.fromkeys("()[]{}<>《》【】〈〉「」", " "))
_SHEETS_OF_BRACKETS = (str.maketrans("()", "（）"), str.maketrans("（）", "()"))


def normalised(name: str) -> str:
    """The name in half-width lower case, brackets and runs of blanks as one blank."""
    return " ".join(half_width(name).translate(_BRACKETS).lower().split())


@lru_cache(maxsize=4096)
def core(name: str) -> tuple[str, str]:
    """(place, what is left): 上海市艾克米机械有限公司 -> (上海, 艾克米机械). A place in brackets counts too."""
    text = LEGAL_FORMS.sub(" ", normalised(name))
    place = _PLACE.match(text) or re.search(rf"(?<=\s){_PLACE.pattern}(?=\s|$)", text)
    if place:
        text = text[: place.start()] + " " + text[place.end() :]
    text = _COUNTY.sub("", text.strip(), count=1) if place else text
    return place[1] if place else "", re.sub(r"[\W_]+", "", text)


def alike(one: str, other: str) -> float:
    """How alike two names are, 0 to 100: of their cores, and 0 where both name a place and not the same one."""
    (place, left), (other_place, right) = core(one), core(other)
    if place and other_place and place != other_place:
        return 0.0
    return fuzz.ratio(left, right) if left and right else 0.0


def resolve(names: Iterable[str], seen_by: Q | None = None) -> dict[str, tuple[int, ...]]:
    """Name -> ids of the customers it may mean: none unknown, one clear, several ambiguous. Two queries in all.

    A customer's own name comes before another's former or imported name. Brackets match in either width.
    """
    wanted = {name: _spellings(name) for name in set(names)}
    spellings = {each for found in wanted.values() for each in found}
    visible = Customer.objects.filter(seen_by or Q())
    own = _by_name(visible.filter(name__in=spellings).values_list("name", "pk"))
    missing = {each for name in wanted if not _ids(own, wanted[name]) for each in wanted[name]}
    others = OtherName.objects.filter(name__in=missing)
    if seen_by:
        others = others.filter(customer__in=visible)
    aliases = _by_name(others.values_list("name", "customer_id")) if missing else {}
    return {name: _ids(own, found) or _ids(aliases, found) for name, found in wanted.items()}


def _spellings(name: str) -> set[str]:
    name = name.strip()
    return {name, *(name.translate(sheet) for sheet in _SHEETS_OF_BRACKETS)}


def _by_name(rows: Iterable[tuple[str, int]]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    for name, pk in rows:
        found[name].add(pk)
    return found


def _ids(known: dict[str, set[int]], spellings: Iterable[str]) -> tuple[int, ...]:
    return tuple(sorted({pk for each in spellings for pk in known.get(each, ())}))
