"""The small parts of a page, without a browser."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.template import Context, Template
from django.template.loader import get_template, render_to_string
from django.utils import translation

import shouxin
from shouxin.lib.menu import STAGES, drawn_for, menu_for
from shouxin.lib.templatetags import shouxin as parts
from shouxin.office import sight
from shouxin.rules.policy import Post

SOURCE = Path(shouxin.__file__).parent
TEMPLATES = sorted(SOURCE.rglob("templates/**/*.html"))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("1234567.891"), "1,234,567.89"),
        (Decimal("0.005"), "0.01"),
        ("-12.5", "−12.50"),
        (0, "0.00"),
        (None, "—"),
        ("", "—"),
        ("abc", "—"),
        (Decimal("NaN"), "—"),
        (Decimal("9999999999999.99"), "9,999,999,999,999.99"),
    ],
    ids=str,
)
def test_an_amount_in_groups_of_three(value: Any, text: str) -> None:
    assert parts.grouped(value) == text


def test_only_a_foreign_currency_is_named() -> None:
    assert "USD" in parts.amount(Decimal(5), "USD")
    assert "CNY" not in parts.amount(Decimal(5), "CNY")


@pytest.mark.parametrize(
    ("used", "limit", "level"),
    [
        (899, 1000, "ok"),
        (900, 1000, "watch"),
        (1000, 1000, "watch"),
        (Decimal("1000.01"), 1000, "over"),
        (0, 0, "none"),
        (1, 0, "over"),
        (5, None, "none"),
    ],
    ids=[
        "below the watch",
        "at the watch",
        "at the limit",
        "a cent above",
        "cash only",
        "owing on cash only",
        "not set",
    ],
)
def test_the_colour_of_an_exposure(used: Any, limit: Any, level: str) -> None:
    assert parts.exposure_bar({"receivable": used}, limit)["level"] == level


def test_deposits_lower_the_exposure_and_never_below_nothing() -> None:
    told = parts.exposure_bar({"reserved": 100, "receivable": 200, "deposits": 400}, 1000)
    assert (told["used"], told["available"]) == (0, 1000)
    assert parts.exposure_bar({"receivable": 300, "deposits": 100}, 500)["available"] == 300


def test_a_grade_that_is_none_says_so() -> None:
    assert "grade-a" in parts.grade("A")
    assert "—" in parts.grade("") and "—" in parts.grade("<b>")


def test_nothing_a_user_wrote_is_markup() -> None:
    shown = Template("{% load shouxin %}{% status x 'red' x %}{% icon 'x' x %}{{ x|day }}").render(
        Context({"x": "<b>'\""})
    )
    assert "<b>" not in shown


# --- menu ----------------------------------------------------------------------------------------


@pytest.mark.urls("tests.browser.kit")
def test_the_menu_shows_what_a_post_sees() -> None:
    of = {post: [e.address for stage in menu_for({post}) for e in stage.entries] for post in Post}
    assert "/collection/today" in of[Post.CREDIT_MANAGER] and "/collection/today" not in of[Post.SALES]
    assert "/office/people" in of[Post.SYSTEM_MANAGER] and "/office/people" not in of[Post.SALES]
    none = {post for post, addresses in of.items() if "/customers/" not in addresses}
    assert none == set(Post) - sight.LOOKERS and all(not menu_for({post})[1:-1] for post in none)


@pytest.mark.urls("tests.browser.kit")
def test_the_menu_marks_the_deepest_entry_above_the_page() -> None:
    marked = [e.address for stage in menu_for(set(Post), "/customers/12/credit/") for e in stage.entries if e.current]
    assert marked == ["/customers/"]


@pytest.mark.urls("tests.browser.kit")
@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("post", Post)
def test_the_menu_is_drawn_for_each_post_place_and_language(post: Post, language: str) -> None:
    with translation.override(language):
        for path in ("/customers/12/", "/customers/13/", "/"):
            told = render_to_string("shell/side.html", {"menu": menu_for({post}, path)})
            assert drawn_for(frozenset({post}), path) == told


@pytest.mark.urls("shouxin.config.health")
def test_an_entry_without_an_address_is_not_shown(settings: Any) -> None:
    settings.ROOT_URLCONF = type("urls", (), {"urlpatterns": []})
    assert menu_for(set(Post)) == ()


def test_every_entry_of_the_menu_has_its_chinese() -> None:
    with translation.override("zh-hans"):
        labels = [str(label) for stage in STAGES for label in (stage.label, *(e.label for e in stage.entries)) if label]
    assert [label for label in labels if label.isascii() and label != "API"] == []


# --- templates -----------------------------------------------------------------------------------


def test_every_icon_named_in_a_template_or_the_menu_is_in_the_sprite() -> None:
    sprite = set(re.findall(r'<symbol id="([^"]+)"', (SOURCE / "static/img/icons.svg").read_text()))
    named = {entry.icon for stage in STAGES for entry in stage.entries}
    for path in TEMPLATES:
        text = path.read_text("utf-8")
        named |= set(re.findall(r"""\{% icon ["']([^"']+)""", text)) | set(re.findall(r'\bicon="([^"]+)"', text))
    assert named <= sprite


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_a_template_can_be_read_and_keeps_to_the_content_security_policy(path: Path) -> None:
    text = path.read_text("utf-8")
    get_template(path.as_posix().rpartition("/templates/")[2])
    assert not re.search(r"""\sstyle=["']|<style|\son[a-z]+=["']|javascript:|hx-on|hx-vals=["']js""", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)(?![^>]*application/json)", text)
    assert not re.search(r"""(?:src|href|action)=["']https?://""", text)


@pytest.mark.parametrize("path", sorted((SOURCE / "static").rglob("*.css")), ids=lambda path: path.name)
def test_no_style_sheet_asks_another_host(path: Path) -> None:
    assert not re.search(r"""(?:url\(|@import)\s*["']?(?:https?:)?//""", path.read_text("utf-8"))


# --- refusals ------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_an_address_that_leads_nowhere_says_what_next(client: Any, language: str) -> None:
    client.cookies["django_language"] = language
    answer = client.get("/nowhere/")
    assert answer.status_code == 404
    assert ("没有此项内容" if language == "zh-hans" else "no such thing") in answer.content.decode()


@pytest.mark.parametrize("name", ["500.html", "lib/refused.html"])
def test_the_last_resort_needs_neither_request_nor_database(name: str) -> None:
    text = get_template(name).render({"title": "T", "why": "W"})
    assert "data-why" in text and "<nav" not in text
