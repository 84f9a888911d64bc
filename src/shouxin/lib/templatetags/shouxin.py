"""The small parts of a page: icons, amounts, grades, statuses, bars, charts, form fields. See docs/en/pages.md."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cache
from typing import Any
from urllib.parse import urlencode

from django import forms, template
from django.conf import settings
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.forms import BoundField
from django.http import UnreadablePostError
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

register = template.Library()

NOTHING = "—"
COLOURS = frozenset({"green", "amber", "red", "blue", "grey", "purple"})
GRADES = frozenset("ABCD")


# --- icons ---------------------------------------------------------------------------------------


@register.simple_tag
def icon(name: str, label: str = "", extra: str = "") -> SafeString:
    """A drawing of the sprite (tools/icons.txt). Without `label` it is decoration and hidden from readers."""
    told = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    address = f"{_sprite()}#{name}"
    return format_html('<svg class="icon {}" {}><use href="{}"></use></svg>', extra, told, address)


@cache
def _sprite() -> str:
    return static("img/icons.svg")


WRITTEN = ("reason", "said", "remark", "conditions", "note", "answer", "why", "summary", "name", "result", "word")
"""Fields in which people write. Nothing else that was sent is shown again."""


@register.simple_tag(takes_context=True)
def written(context: dict[str, Any]) -> list[str]:
    """What was written into the form that is being refused, so that it can be copied and is not lost."""
    request = context.get("request")
    if request is None or request.method != "POST":
        return []
    try:
        return [text for field in WRITTEN if (text := request.POST.get(field, "").strip())]
    except (BadRequest, SuspiciousOperation, UnreadablePostError):
        return []


# --- amounts and dates ---------------------------------------------------------------------------


def as_decimal(value: Any) -> Decimal | None:
    """The amount, or None where there is none (None, an empty string, something that is no number)."""
    if value is None or value == "" or isinstance(value, bool):
        return None
    try:
        number = value if isinstance(value, Decimal) else Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def grouped(value: Any, places: int = 2) -> str:
    """12345.6 as "12,345.60", in either language; "—" for None."""
    number = as_decimal(value)
    if number is None:
        return NOTHING
    return f"{number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):,f}".replace("-", "−")


@register.filter
def amount(value: Any, currency: str = "") -> SafeString:
    """An amount of money as it stands in a cell: grouped, switchable to 万元; the currency only where it is named.

    The page is in the company's currency; give `currency` for an amount that may be in another one.
    """
    number = as_decimal(value)
    if number is None:
        return format_html('<span class="amount is-nothing">{}</span>', NOTHING)
    sign = " is-negative" if number < 0 else ""
    foreign = currency if currency and currency != base_currency() else ""
    before = format_html('<small class="currency">{}</small> ', foreign) if foreign else ""
    return format_html(
        '<span class="amount{}" data-amount="{}">{}{}</span>', sign, f"{number:f}", before, grouped(number)
    )


@register.filter
def plain_amount(value: Any) -> str:
    """An amount as text alone, for titles and labels."""
    return grouped(value)


def base_currency() -> str:
    """The company's currency, in which pages are read unless an amount names another."""
    return getattr(settings, "COMPANY_CURRENCY", "CNY")


@register.filter
def percent(value: Any, places: int = 1) -> str:
    """0.8731 as "87.3%"; "—" for None. The value is a share, not already a percentage."""
    number = as_decimal(value)
    return NOTHING if number is None else f"{grouped(number * 100, places)}%"


@register.filter
def day(value: date | datetime | str | None) -> str:
    """2026-03-09, the same in both languages; "—" for None. A moment is read in local time."""
    if not value:
        return NOTHING
    if isinstance(value, datetime) and timezone.is_aware(value):
        value = timezone.localtime(value)
    return value.strftime("%Y-%m-%d") if isinstance(value, date) else str(value)


@register.filter
def moment(value: datetime | None) -> str:
    """2026-03-09 14:05 in local time; "—" for None."""
    if not value:
        return NOTHING
    return (timezone.localtime(value) if timezone.is_aware(value) else value).strftime("%Y-%m-%d %H:%M")


# --- grade, status -------------------------------------------------------------------------------


@register.filter
def grade(value: str | None) -> SafeString:
    """The grade A to D as a badge; "—" with an explanation where there is none yet."""
    letter = str(value or "").upper()
    if letter not in GRADES:
        return format_html('<span class="grade is-nothing" title="{}">{}</span>', _("Not graded yet"), NOTHING)
    return format_html(
        '<span class="grade grade-{}" title="{}">{}</span>', letter.lower(), _("Grade") + " " + letter, letter
    )


@register.simple_tag
def status(label: Any, colour: str = "grey", title: str = "") -> SafeString:
    """A coloured dot and a word. Colours: green, amber, red, blue, grey, purple."""
    shade = colour if colour in COLOURS else "grey"
    told = format_html(' title="{}"', title) if title else ""
    return format_html('<span class="state state-{}"{}>{}</span>', shade, told, label)


# --- exposure ------------------------------------------------------------------------------------

BUCKETS = ("reserved", "undelivered", "unbilled", "receivable", "bills")


def bucket_labels() -> dict[str, str]:
    """The buckets of exposure in the order value passes through them, in the current language."""
    return {
        "reserved": _("Reserved"),
        "undelivered": _("Undelivered"),
        "unbilled": _("Unbilled"),
        "receivable": _("Receivable"),
        "bills": _("Bills at risk"),
    }


@register.inclusion_tag("components/exposure_bar.html")
def exposure_bar(
    exposure: Any,
    limit: Any = None,
    currency: str = "",
    compact: bool = False,
    watch: Any = "0.9",
    unlimited: bool = False,
) -> dict[str, Any]:
    """What counts against the line, bucket by bucket, with the limit as a mark.

    `exposure` has reserved, undelivered, unbilled, receivable, bills, deposits (a mapping or an object; amounts of the
    account's currency, deposits positive). `limit` None: not set; 0: cash only. Amber from `watch` of the limit on, red
    above the limit (equal passes).
    """
    held = {name: max(_part(exposure, name), Decimal(0)) for name in BUCKETS}
    deposits = max(_part(exposure, "deposits"), Decimal(0))
    gross = sum(held.values(), Decimal(0))
    used = max(gross - deposits, Decimal(0))
    bound = as_decimal(limit)
    scale = max(gross, bound or Decimal(0), Decimal(1))
    return {
        "parts": _segments(held, scale),
        "deposit": _segment(min(deposits, gross), used, scale) if deposits and gross else None,
        "deposits": deposits,
        "mark": _share(bound, scale) if bound else None,
        "level": "ok" if unlimited else _level(used, bound, as_decimal(watch) or Decimal("0.9")),
        "share": used / bound if bound else None,
        "used": used,
        "limit": bound,
        "available": None if bound is None else max(bound - used, Decimal(0)),
        "unlimited": unlimited,
        "currency": currency,
        "compact": compact,
    }


def _part(exposure: Any, name: str) -> Decimal:
    value = exposure.get(name) if isinstance(exposure, Mapping) else getattr(exposure, name, None)
    return as_decimal(value) or Decimal(0)


def _segments(held: Mapping[str, Decimal], scale: Decimal) -> list[dict[str, Any]]:
    labels, segments, from_ = bucket_labels(), [], Decimal(0)
    for name, value in held.items():
        segments.append({"name": name, "label": labels[name], "value": value, **_segment(value, from_, scale)})
        from_ += value
    return segments


def _segment(value: Decimal, from_: Decimal, scale: Decimal) -> dict[str, str]:
    return {"x": _share(from_, scale), "width": _share(value, scale)}


def _share(value: Decimal, scale: Decimal) -> str:
    return f"{value / scale * 100:.2f}%"


def _level(used: Decimal, limit: Decimal | None, watch: Decimal) -> str:
    if limit is None or (limit == 0 and used == 0):
        return "none"
    if used > limit:
        return "over"
    return "watch" if used >= limit * watch else "ok"


# --- charts --------------------------------------------------------------------------------------


@register.inclusion_tag("components/chart.html")
def chart(kind: str, drawing: Mapping[str, Any], name: str, title: str = "", height: str = "m") -> dict[str, Any]:
    """A chart with the same numbers as a table beneath it. `name` is its id on the page; `height` s, m or l.

    Kinds: `bars`, `stacked`, `across` (stacked, lying), `lines`, `donut`. `drawing`: {"labels": […], "series":
    [{"name", "values": […], "colour"?}], "unit": "amount"|"days"|"share"|"count", "mark"?: {"name", "value"},
    "colours"?: "grades"|"ages"|"buckets"}. A donut has one series. None among the values is a gap.
    """
    labels, series = list(drawing["labels"]), list(drawing["series"])
    unit = drawing.get("unit", "count")
    rows = [(label, [_told(s["values"][i], unit) for s in series]) for i, label in enumerate(labels)]
    plain = {**drawing, "labels": [str(each) for each in labels], "series": [_plain_series(each) for each in series]}
    plain |= {"kind": kind, "unit": unit, "title": str(title)}
    if mark := drawing.get("mark"):
        plain["mark"] = {"name": str(mark["name"]), "value": _number(mark["value"])}
    drawn = {"plain": plain, "series": series, "rows": rows}
    return {"name": name, "source": f"{name}-data", "title": title, "height": height, **drawn}


def _plain_series(series: Mapping[str, Any]) -> dict[str, Any]:
    return {**series, "name": str(series["name"]), "values": [_number(value) for value in series["values"]]}


def _number(value: Any) -> float | None:
    # For the eye alone: nothing is computed from what a chart shows.
    number = as_decimal(value)
    return None if number is None else float(number)


def _told(value: Any, unit: str) -> Any:
    if unit == "amount":
        return amount(value)
    if unit == "share":
        return percent(value)
    return grouped(value, 1 if unit == "days" else 0)


# --- forms ---------------------------------------------------------------------------------------


@register.inclusion_tag("components/field.html")
def field(bound: BoundField, label: str = "", hint: str = "") -> dict[str, Any]:
    """One field of a form: label, input, help, errors under it. `label` and `hint` replace the form's own."""
    return {
        "field": bound,
        "label": label or bound.label,
        "hint": hint or bound.help_text,
        "widget": _dressed(bound),
        "check": _is_check(bound),
    }


def _is_check(bound: BoundField) -> bool:
    return isinstance(bound.field.widget, forms.CheckboxInput)


def _dressed(bound: BoundField) -> SafeString:
    """The input with the classes of the kit and, where it was refused, the mark and the link to the reason."""
    widget = bound.field.widget
    dress = {"class": f"{widget.attrs.get('class', '')} {_class_of(widget)}".strip()}
    if bound.errors:
        dress["class"] += " is-invalid"
        dress["aria-invalid"] = "true"
        dress["aria-describedby"] = f"{bound.auto_id}_error"
    return bound.as_widget(attrs=dress)


def _class_of(widget: forms.Widget) -> str:
    if isinstance(widget, (forms.CheckboxInput, forms.RadioSelect, forms.CheckboxSelectMultiple)):
        return "form-check-input"
    return "form-select" if isinstance(widget, forms.Select) else "form-control"


# --- addresses -----------------------------------------------------------------------------------


@register.simple_tag(takes_context=True)
def address(context: Mapping[str, Any], **changes: Any) -> str:
    """This page's own query string with some parameters changed; None or "" takes one away."""
    query = context["request"].GET.copy()
    return changed_query(query, **changes)


def changed_query(query: Any, **changes: Any) -> str:
    """`?a=1&b=2` with changes; "?" alone where nothing is left, which is this page without any query."""
    pairs = [(key, value) for key in query for value in query.getlist(key) if key not in changes]
    pairs += [(key, value) for key, value in changes.items() if value not in (None, "")]
    return "?" + urlencode(pairs)


@register.simple_tag
def language_name() -> str:
    """The current language as browsers name it."""
    return "zh-Hans" if (get_language() or "").startswith("zh") else "en"


def joined(parts: Iterable[Any], between: str = "") -> SafeString:
    """Safe pieces one after the other."""
    return format_html_join(between, "{}", ((part,) for part in parts))
