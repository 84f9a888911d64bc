import pytest

from shouxin.rules.policy_check import CODES, faults
from shouxin.rules.scorecard import FACTS, NUMBER
from tests.book import book, changed

YEARS = "scorecard.0.questions.0"
TAX = "scorecard.3.questions.1"
WARN_ALL = {f"order_check.severity.{code}": "warn" for code in ("overdue_days", "overdue_amount", "dunning_level")}
NO_STANDINGS = {
    "downgrade.ladder": [{"overdue_days_min": 31, "steps": 1}],
    **{f"dunning.stages.{number}.standing": None for number in (3, 4, 5)},
}


def bands(*rows):
    return [dict(zip(("up_to", "points"), row, strict=True)) for row in rows]


def words(*rows):
    return [dict(zip(("value", "points"), row, strict=True)) for row in rows]


def rung(days, **effect):
    return {"overdue_days_min": days, **effect}


def row(post, amount):
    return {"post": post, "amount_max": amount}


HEAD, VICE, LEGAL = "credit-manager", "vice-president", "legal-representative"
TAX_WORDS = words(("A", 5), ("B", 4), ("M", 3), ("C", 1), ("D", 0))

CASES = [
    # scorecard
    ("key_twice", "scorecard.standing", {f"{YEARS}.key": "capital"}),
    ("key_twice", "scorecard", {"scorecard.0.key": "finance"}),
    ("key_twice", "triggers", {"triggers.0.key": "forged"}),
    ("weights_not_100", "scorecard", {"scorecard.0.weight": 16}),
    ("group_weight_differs", "scorecard.standing.weight", {"scorecard.0.weight": 14, "scorecard.1.weight": 26}),
    ("fact_not_fed", "scorecard.standing.years.fact", {f"{YEARS}.fact": "age"}),
    ("fact_not_fed", "triggers.dishonest.fact", {"triggers.0.fact": "bad_name"}),
    ("answers_do_not_fit", "scorecard.standing.years.bands", {f"{YEARS}.fact": "tax_grade"}),
    ("answers_do_not_fit", "scorecard.outside.tax.bands", {f"{TAX}.fact": "lawsuits"}),
    ("answers_do_not_fit", "scorecard.outside.tax.bands", {f"{TAX}.bands": [*TAX_WORDS, *words(("E", 0))]}),
    (
        "answers_do_not_fit",
        "scorecard.finance.cash_flow.bands",
        {"scorecard.1.questions.3.bands": words(("true", 5), ("false", 0))},
    ),
    ("answers_do_not_fit", "triggers.dishonest", {"triggers.0.fact": "lawsuits"}),
    ("answers_do_not_fit", "triggers.dishonest", {"triggers.0.more_than": 5}),
    ("answers_do_not_fit", "triggers.tax_d", {"triggers.9.equals": "Z"}),
    ("bands_mixed", "scorecard.standing.years.bands", {f"{YEARS}.bands": [*bands((None, 8)), *words(("A", 1))]}),
    ("bands_mixed", "scorecard.outside.tax.bands", {f"{TAX}.bands": [{"up_to": 1, "value": "A", "points": 5}]}),
    ("bands_not_ascending", "scorecard.standing.years.bands", {f"{YEARS}.bands": bands((5, 1), (3, 2), (None, 8))}),
    ("bands_not_ascending", "scorecard.standing.years.bands", {f"{YEARS}.bands": bands((3, 1), (3, 2), (None, 8))}),
    ("bands_not_closed", "scorecard.standing.years.bands", {f"{YEARS}.bands": bands((1, 1), (3, 8))}),
    ("bands_not_closed", "scorecard.outside.tax.bands", {f"{TAX}.bands": TAX_WORDS[:4]}),
    ("bands_not_closed", "scorecard.finance.cash_flow.bands", {"scorecard.1.questions.3.bands": words((True, 5))}),
    ("band_never_reached", "scorecard.standing.years.bands.1", {f"{YEARS}.bands": bands((None, 8), (3, 1))}),
    ("band_never_reached", "scorecard.outside.tax.bands", {f"{TAX}.bands": [*TAX_WORDS, *words(("A", 1))]}),
    ("points_above_max", "scorecard.standing.years.bands", {f"{YEARS}.bands": bands((3, 1), (None, 9))}),
    ("points_max_never_reached", "scorecard.standing.years", {f"{YEARS}.bands": bands((3, 1), (None, 7))}),
    ("unknown_points_above_max", "scorecard.standing.years.unknown_points", {f"{YEARS}.unknown_points": 9}),
    ("trigger_without_effect", "triggers.dishonest.grade", {"triggers.0.grade": "A"}),
    ("trigger_conditions_contradict", "triggers.long_overdue", {"triggers.10.missing": True}),
    # grades
    (
        "grade_out_of_reach",
        "grades.A.score_min",
        {"grades.A.score_min": 96, "scorecard.4.questions.1.bands": bands((None, 0))},
    ),
    ("term_above_max", "grades.B.term_days", {"grades.B.term_days": 50}),
    ("discount_without_term", "grades.D.discount", {"grades.D.discount": {"percent": 1, "days": 0}}),
    ("discount_after_term", "grades.C.discount", {"grades.C.discount": {"percent": 1, "days": 15}}),
    ("worse_grade_better_terms", "grades.B.limit_coefficient", {"grades.B.limit_coefficient": "1.3"}),
    ("worse_grade_better_terms", "grades.C.limit_max", {"grades.C.limit_max": None}),
    ("worse_grade_better_terms", "grades.C.limit_max", {"grades.C.limit_max": 5000001}),
    ("worse_grade_better_terms", "grades.B.term_days", {"grades.B.term_days": 61, "grades.B.term_days_max": 90}),
    ("worse_grade_better_terms", "grades.C.overdue_days_max", {"grades.C.overdue_days_max": 16}),
    ("setting_ignored", "grades.D.limit_coefficient", {"grades.D.limit_coefficient": "0.1"}),
    ("setting_ignored", "grades.D.limit_max", {"grades.D.limit_max": 5}),
    ("setting_ignored", "grades.C.limit_coefficient", {"grades.C.limit_max": 0}),
    # limits
    ("no_method", "limits.use", {"limits.use": []}),
    ("method_twice", "limits.use", {"limits.use": ["net_worth", "net_worth"]}),
    ("bands_not_closed", "limits.working_assets", {"limits.working_assets": [[1, "0.2"]]}),
    ("bands_not_ascending", "limits.working_assets", {"limits.working_assets": [[1, 0], [0, 1], [None, 1]]}),
    ("rounds_to_nothing", "new_customer.limit_max", {"limits.round_down_to": 200000}),
    ("rounds_to_nothing", "limits.concentration_max", {"limits.concentration_max": 999}),
    ("setting_ignored", "new_customer.grade_max", {"new_customer.paid_invoices_min": 0}),
    ("setting_ignored", "new_customer.limit_max", {"new_customer.limit_max": 5000001}),
    # lines
    ("temporary_outlives_line", "approval.temporary_days_max", {"lines.months": 2}),
    ("notice_before_line", "lines.expiry_notice_days.0", {"lines.months": 1}),
    # downgrade, ageing, dunning
    ("ladder_never_lowers", "downgrade.ladder", {"downgrade.ladder": [rung(1, standing="watched")]}),
    ("rung_not_ascending", "downgrade.ladder.2", {"downgrade.ladder.2.overdue_days_min": 31}),
    ("rung_without_effect", "downgrade.ladder.0", {"downgrade.ladder.0.standing": None}),
    ("rung_without_effect", "downgrade.ladder.1", {"downgrade.ladder": [rung(1, to="D"), rung(31, steps=1)]}),
    ("standing_eases", "downgrade.ladder.3", {"downgrade.ladder.3.standing": "watched"}),
    ("standing_eases", "downgrade.ladder.2", {"downgrade.ladder.2.no_increase": False}),
    ("setting_ignored", "downgrade.late_payments_count", {"downgrade.late_payments_steps": 0}),
    ("buckets_not_ascending", "aging.up_to", {"aging.up_to": [30, 60, 60]}),
    ("stage_not_ascending", "dunning.stages.2", {"dunning.stages.2.overdue_days_min": 3}),
    ("stage_not_ascending", "dunning.stages.2", {"dunning.stages.2.stage": 1}),
    ("stage_within_quiet_days", "dunning.stages.1", {"dunning.stages.1.overdue_days_min": -1}),
    ("evidence_without_notice", "dunning.stages.5.evidence", {"dunning.stages.5.evidence": True}),
    ("setting_ignored", "dunning.stages.5.deadline_days", {"dunning.stages.5.deadline_days": 5}),
    # authority
    ("authority_not_ascending", "approval.authority.1", {"approval.authority.1.amount_max": 100000}),
    ("authority_shadowed", "approval.authority.1", {"approval.authority.0.amount_max": None}),
    ("post_twice", "approval.authority", {"approval.authority": [row(HEAD, 1), row(HEAD, 2), row(LEGAL, None)]}),
    ("post_may_not_approve", "approval.authority.0", {"approval.authority.0.post": "sales"}),
    ("post_without_authority", "approval.grade_d_by", {"approval.grade_d_by": "finance"}),
    ("post_without_authority", "grades.A.exceptions_by", {"grades.A.exceptions_by": "sales"}),
    ("nobody_unbounded", "approval.authority", {"approval.authority.2.amount_max": 9000000}),
    ("splits_not_added", "approval.split_days", {"approval.split_days": 0}),
    # order check
    ("no_rule_holds", "grades.A", {**WARN_ALL, **NO_STANDINGS}),
    ("never_fires", "order_check.dunning_stage_max", {"order_check.dunning_stage_max": 5}),
    ("never_fires", "order_check.watch_share", {"order_check.watch_share": "1.1"}),
    ("tolerance_too_wide", "order_check.release_tolerance", {"order_check.release_tolerance": 1}),
    # calendar
    ("rest_day_and_workday", "calendar", {"calendar.holidays": ["2026-10-01"], "calendar.workdays": ["2026-10-01"]}),
    ("date_twice", "calendar.holidays", {"calendar.holidays": ["2026-10-01", "2026-10-01"]}),
    ("date_twice", "calendar.workdays", {"calendar.workdays": ["2026-10-10", "2026-10-10"]}),
]


def found(policy):
    return {(fault.code, fault.path) for fault in faults(policy)}


def test_the_shipped_policy_has_no_fault():
    assert faults(book()) == ()


@pytest.mark.parametrize(("code", "path", "changes"), CASES, ids=[f"{code} {path}" for code, path, _ in CASES])
def test_a_fault_is_named_with_its_path(code, path, changes):
    assert (code, path) in found(changed(changes))


def test_every_code_has_a_case_and_every_case_a_code():
    assert {code for code, _, _ in CASES} == set(CODES)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"downgrade.ladder": [rung(91, to="D")], **WARN_ALL}, id="the ladder ends in D"),
        pytest.param({**NO_STANDINGS}, id="the days overdue hold"),
        pytest.param({**WARN_ALL, "downgrade.ladder": NO_STANDINGS["downgrade.ladder"]}, id="dunning stops supply"),
        pytest.param(
            {
                **WARN_ALL,
                **NO_STANDINGS,
                "order_check.severity.overdue_amount": "hold",
                "order_check.overdue_amount_max": 5000,
            },
            id="the overdue amount holds",
        ),
    ],
)
def test_one_rule_that_holds_is_enough(changes):
    assert "no_rule_holds" not in {code for code, _ in found(changed(changes))}


def test_a_grade_may_be_the_only_one_nothing_holds():
    softened = {f"grades.A.severity.{code}": "warn" for code in ("overdue_days", "overdue_amount", "dunning_level")}
    assert {path for code, path in found(changed({**softened, **NO_STANDINGS})) if code == "no_rule_holds"} == {
        "grades.A"
    }


def test_thresholds_that_no_debt_can_reach_hold_nobody():
    unset = {**NO_STANDINGS, "order_check.dunning_stage_max": 9}
    unset |= {f"grades.{grade}.overdue_days_max": 3660 for grade in "ABCD"}
    held = {path for code, path in found(changed(unset)) if code == "no_rule_holds"}
    # D needs no threshold: it has no line at all.
    assert held == {"grades.A", "grades.B", "grades.C"}


def test_a_company_may_feed_facts_of_its_own():
    policy = changed({f"{YEARS}.fact": "age"})
    assert faults(policy, {**FACTS, "age": NUMBER}) == ()


def test_methods_that_are_not_used_keep_their_settings_without_a_fault():
    assert faults(changed({"limits.use": ["net_worth"], "limits.paid_in_capital_share": "0.05"})) == ()
