"""The pages that tell the grading and limit algorithms: every table in them is computed again."""

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from shouxin.rules import ratios
from shouxin.rules.authority import RequestedLine, who_may
from shouxin.rules.grading import Episode, downgrade, grade
from shouxin.rules.limits import assess_working_assets, suggest
from shouxin.rules.line import Limit, allows, room
from shouxin.rules.money import round_half_up
from shouxin.rules.policy import Grade, Post
from shouxin.rules.scorecard import FACTS, NUMBER, YES_NO, Fact, score
from tests.book import book
from tests.rules.test_limits import SOUND, WAN, balance
from tests.rules.test_ratios import STATEMENT

DOCS = Path(__file__).parents[2] / "docs"
TODAY = date(2026, 6, 30)
EMPTY, YES = ("–", ""), ("yes", "是")


@pytest.fixture(params=["en", "zh"])
def tables(request):
    """The tables of the page in one language, by name: rows of cells, without the heading."""
    text = (DOCS / request.param / "policy-grading.md").read_text(encoding="utf-8")
    found = re.findall(r"<!-- table: ([\w-]+) -->\n((?:\|.*\n?)+)", text)
    return {name: [cells(line) for line in body.splitlines()[2:]] for name, body in found}


def cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def number(cell):
    """A cell as a number: 1,200.50 · −3.9 · 12.5 %; None for an empty one."""
    if cell in EMPTY:
        return None
    plain = Decimal(cell.replace(",", "").replace("−", "-").removesuffix("%").strip())
    return plain / 100 if cell.endswith("%") else plain


def limit(cell):
    return Limit(cell) if cell in ("none", "unset", "unlimited") else Limit.of(number(cell))


def fact(key, cell):
    answers = FACTS[key]
    if not cell:
        return Fact(key, None)
    return Fact(key, number(cell) if answers == NUMBER else cell == "true" if answers == YES_NO else cell, TODAY)


def test_the_pages_tell_all_tables(tables):
    assert set(tables) == {
        *("sheet", "grades", "steps", "ladder", "episode", "suggestions", "bands"),
        *("working-assets", "room", "authority", "predictors", "discounts"),
    }


def test_sheet(tables):
    *rows, total, coverage = tables["sheet"]
    sheet = score(book(), {row[1]: fact(row[1], row[2]) for row in rows}, TODAY)
    told = [(row[0], row[1], row[3], number(row[4]), number(row[5])) for row in rows]
    assert told == [(each.question, each.fact, each.band, each.points, each.points_max) for each in sheet.answers]
    assert (number(total[4]), number(coverage[4])) == (sheet.points, sheet.coverage)


def test_grades(tables):
    for row, (key, terms) in zip(tables["grades"], book().grades.items(), strict=True):
        assert row[0] == key
        told = [number(cell) for cell in row[1:]]
        assert told == [
            terms.score_min,
            terms.limit_coefficient,
            terms.limit_max,
            terms.term_days,
            terms.term_days_max,
        ]


def test_steps(tables):
    for points, paid, true, steps, expected in tables["steps"]:
        facts = {"debt_to_assets": Fact("debt_to_assets", Decimal(0))}
        facts |= {true: Fact(true, True)} if true else {}
        sheet = replace(score(book(), facts, TODAY), points=number(points))
        found = grade(book(), sheet, paid_invoices=int(paid))
        assert ", ".join(f"{step.code} {step.after}" for step in found.steps) == steps
        assert found.grade == expected


def fallen(current, days, episode, late_payments=0):
    return downgrade(
        book(),
        current,
        max_overdue_days=int(days),
        overdue_amount=Decimal(1000) if int(days) else Decimal(0),
        late_payments=int(late_payments),
        episode=episode,
    )


def test_ladder(tables):
    for days, from_a, from_b, standing, no_increase in tables["ladder"]:
        first = fallen(Grade.A, days, Episode(Grade.A))
        assert (first.grade, first.standing or "–", first.no_increase) == (from_a, standing, no_increase in YES)
        assert fallen(Grade.B, days, Episode(Grade.B)).grade == from_b


def test_episode(tables):
    current, episode = Grade.A, Episode(Grade.A)
    for days, late_payments, rung, expected, standing in tables["episode"]:
        found = fallen(current, days, episode, late_payments)
        assert (found.rung_fired, found.grade, found.standing or "–") == (number(rung), expected, standing)
        current, episode = found.grade, found.episode


def test_suggestions(tables):
    for row in tables["suggestions"]:
        found = suggest(book(), Grade(row[0]), SOUND, paid_invoices=int(row[1]))
        assert [number(cell) for cell in row[2:6]] == [method.amount for method in found.methods if method.counts]
        assert (limit(row[6]), row[7], int(row[8])) == (found.limit, found.binding, found.term_days)


def test_bands(tables):
    told = [(None if row is tables["bands"][-1] else number(row[0]), number(row[1])) for row in tables["bands"]]
    assert told == list(book().limits.working_assets)


def test_working_assets(tables):
    for row in tables["working-assets"]:
        model = assess_working_assets(book().limits.working_assets, **balance(*map(number, row[:5])))
        found = [model.working_assets / WAN, model.a, model.b, model.c, model.d, model.value, model.share]
        assert [number(cell) for cell in row[5:12]] == found
        assert number(row[12]) == model.working_assets / WAN * model.share


def test_room(tables):
    for line, exposure, passes, left in tables["room"]:
        assert allows(limit(line), number(exposure)) is (passes in YES)
        assert room(limit(line), number(exposure)) == limit(left)


def test_authority(tables):
    for total, others, case, post in tables["authority"]:
        asked = Grade.D if case == "grade_d" else Grade.B
        request = RequestedLine(limit(total), asked, "new", case == "over_suggestion")
        assert who_may(book(), request, limit(total), number(others)).post is Post(post)


def test_predictors(tables):
    for name, value, low, high, reading in tables["predictors"]:
        found = getattr(ratios, name)(STATEMENT)
        assert found == number(value)
        if name in ratios.CUT_OFFS:
            assert (number(low), number(high)) == ratios.CUT_OFFS[name]
            assert ratios.zone(found, name) == reading


def test_discounts(tables):
    for percent, days, term, *costs in tables["discounts"]:
        for year_days, cost in zip((365, 360), costs, strict=True):
            found = ratios.cost_of_forgoing(number(percent), int(days), int(term), year_days=year_days)
            assert round_half_up(found, 4) == number(cost)
