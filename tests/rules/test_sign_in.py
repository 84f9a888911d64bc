"""The rules of the door: both profiles, every boundary."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shouxin.rules.policy import Post
from shouxin.rules.sign_in import (
    PROFILES,
    SignInRules,
    classes_of,
    password_expired,
    password_faults,
    proof_fresh,
    second_factor_asked,
    session_over,
)

ASVS, DENGBAO = PROFILES["asvs"], PROFILES["dengbao"]
SET = date(2026, 1, 1)


@pytest.mark.parametrize(
    ("password", "rules", "faults"),
    [
        pytest.param("twelve chars", ASVS, (), id="long enough"),
        pytest.param("eleven char", ASVS, ("too_short",), id="one character too short"),
        pytest.param("全角字符也算一个字符的密码", ASVS, (), id="characters, not bytes"),
        pytest.param("x" * 128, ASVS, (), id="as long as may be"),
        pytest.param("x" * 129, ASVS, ("too_long",), id="one too long"),
        pytest.param("Abcdefg1", DENGBAO, (), id="three classes"),
        pytest.param("abcdefg1", DENGBAO, ("too_plain",), id="two classes"),
        pytest.param("Abc1", DENGBAO, ("too_short",), id="complex but short"),
        pytest.param("abc", DENGBAO, ("too_short", "too_plain"), id="both"),
    ],
)
def test_a_new_password(password: str, rules: SignInRules, faults: tuple[str, ...]) -> None:
    assert password_faults(password, rules) == faults


@given(st.text(min_size=1, max_size=40))
def test_no_more_classes_than_four_and_never_fewer_than_one(password: str) -> None:
    assert 1 <= classes_of(password) <= 4


@pytest.mark.parametrize(("days", "over"), [(0, False), (90, False), (91, True)])
def test_a_password_grows_old_under_dengbao_alone(days: int, over: bool) -> None:
    today = SET + timedelta(days=days)
    assert password_expired(DENGBAO, SET, today) == over
    assert not password_expired(ASVS, SET, today + timedelta(days=5000))


@pytest.mark.invariant("I-30")
@pytest.mark.parametrize(
    ("began", "seen", "over"),
    [
        pytest.param(0, 0, False, id="just begun"),
        pytest.param(-12 * 3600, -60, False, id="twelve hours"),
        pytest.param(-12 * 3600 - 1, -60, True, id="a second more"),
        pytest.param(-3600, -30 * 60, False, id="idle for half an hour"),
        pytest.param(-3600, -30 * 60 - 1, True, id="idle a second longer"),
        pytest.param(500, 500, False, id="the clock was set back"),
    ],
)
def test_a_session_ends(began: int, seen: int, over: bool) -> None:
    assert session_over(ASVS, began=began, seen=seen, now=0) == over


def test_the_second_factor_is_asked_of_the_posts_named() -> None:
    assert second_factor_asked(DENGBAO, frozenset({Post.SYSTEM_MANAGER, Post.SALES}))
    assert not second_factor_asked(DENGBAO, frozenset({Post.SALES}))
    assert not second_factor_asked(ASVS, frozenset(Post))


@pytest.mark.parametrize("change", [{"password_length_min": 7}, {"idle_minutes": 0}, {"profile": "none"}, {"x": 1}])
def test_rules_that_cannot_be(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SignInRules(**change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("age", "fresh"),
    [
        pytest.param(0, True, id="just now"),
        pytest.param(600, True, id="ten minutes"),
        pytest.param(601, False, id="a second more"),
        pytest.param(-5, True, id="the clock was set back"),
    ],
)
def test_a_proof_is_fresh_for_ten_minutes(age: int, fresh: bool) -> None:
    assert proof_fresh(ASVS, proved=1000.0, now=1000.0 + age) is fresh
    assert not proof_fresh(ASVS, proved=float("-inf"), now=1000.0), "never proved"
