"""The public data behind docs/*/scoring.md: how far the cards agree with a bank's grades and with bankruptcies."""

from functools import cache
from typing import Any

import pytest

from tests.shared_data import shared_data
from tools import scoring_evidence as evidence


@cache
def firms() -> dict[str, Any]:
    return evidence.firms_evidence(shared_data("cn_cumcm2020c_sme_credit"))


@pytest.mark.clause("B2.1")
def test_a_fitted_card_agrees_with_the_bank_far_beyond_chance() -> None:
    assert (firms()["firms"], firms()["defaults"]) == (123, 27)
    assert firms()["fitted"].auc > 0.78
    assert firms()["fitted_by_rank"].kappa > 0.4
    assert firms()["fitted_by_rank"].kappa > firms()["card_by_rank"].kappa


def test_a_card_that_knows_two_facts_of_fifteen_trusts_nobody() -> None:
    """Without statements and payment record the shipped card gives no small firm credit."""
    found = firms()["card_as_it_is"]
    assert {ours for _theirs, ours in found.crosswise} == {"D"}
    assert found.kappa == 0


def test_grades_by_rank_are_as_full_as_the_others() -> None:
    assert evidence.as_full_as(list("AABCD"), [0.9, 0.1, 0.5, 0.2, 0.7]) == ["D", "A", "B", "A", "C"]


def test_bankruptcies_are_ranked_better_than_by_the_published_formula() -> None:
    found = evidence.bankruptcy_evidence(shared_data("bk_polish"), most=1500)
    assert found["bankrupt"] > 40
    assert found["fitted"].auc > 0.72
    assert found["fitted"].auc > found["z2_auc"]
