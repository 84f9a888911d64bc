"""The faults of a readable policy (`rules.policy_check`) in words."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from shouxin.rules.policy_check import Fault

WORDS: dict[str, str | Promise] = {
    "key_twice": _("the key “%(value)s” is used twice"),
    "weights_not_100": _("the weights of the chapters add up to %(sum)s, not to 100"),
    "group_weight_differs": _("the weight is %(weight)s, but the questions give %(sum)s points at most"),
    "fact_not_fed": _("nobody ever feeds the fact “%(fact)s”"),
    "answers_do_not_fit": _("the answers here are not those the fact “%(fact)s” can have"),
    "bands_mixed": _("numbers and words are mixed in one scale"),
    "bands_not_ascending": _("the bounds do not ascend"),
    "bands_not_closed": _("some answers fall into no band; end the scale with null, or name every answer"),
    "band_never_reached": _("this band is never reached: the one before it is open"),
    "points_above_max": _("a band gives %(points)s points, more than points_max %(points_max)s"),
    "points_max_never_reached": _("no band gives the points_max of %(points_max)s, only %(points)s"),
    "unknown_points_above_max": _("an unknown answer earns %(points)s, more than points_max %(points_max)s"),
    "trigger_without_effect": _("a cap at the best grade has no effect"),
    "trigger_conditions_contradict": _("only one of more_than, equals and missing can hold"),
    "grade_out_of_reach": _("no score reaches this grade: %(points)s points at most"),
    "term_above_max": _("the term is longer than the longest term of the grade"),
    "discount_without_term": _("a discount for early payment, but no term"),
    "discount_after_term": _("the discount days (%(days)s) do not end before the term (%(term_days)s)"),
    "worse_grade_better_terms": _("a worse grade has better terms: %(worse)s against %(better)s"),
    "setting_ignored": _("this setting never has an effect"),
    "no_method": _("no limit method is used, so nothing is ever suggested"),
    "method_twice": _("the method %(value)s is listed twice"),
    "rounds_to_nothing": _("the cap %(cap)s is less than the rounding step %(round_down_to)s: every limit becomes 0"),
    "rung_not_ascending": _("this rung does not begin later than the one before it"),
    "rung_without_effect": _("this rung changes nothing"),
    "standing_eases": _("a later rung is milder than the one before it"),
    "ladder_never_lowers": _("no rung ever lowers the grade"),
    "stage_not_ascending": _("this stage does not begin later than the one before it"),
    "stage_within_quiet_days": _("only %(gap)s days after the stage before it, while %(quiet_days)s must pass"),
    "evidence_without_notice": _("evidence needs a letter, and no letter is sent"),
    "authority_not_ascending": _("the authority (%(amount)s) is not above the one before it (%(before)s)"),
    "authority_shadowed": _("never asked: somebody before it signs without bound"),
    "post_twice": _("the post %(value)s is listed twice"),
    "post_may_not_approve": _("the post %(post)s may not approve credit"),
    "post_without_authority": _("the post %(post)s decides here, but is not in the authority table"),
    "nobody_unbounded": _("nobody signs without bound, so large requests can never be approved"),
    "splits_not_added": _("requests are not added up, so a large one can be split to avoid the higher authority"),
    "no_rule_holds": _("no rule ever holds an order of a late payer of this grade"),
    "never_fires": _("this threshold can never be passed"),
    "tolerance_too_wide": _("a released order could come back at twice its size"),
    "temporary_outlives_line": _("a temporary limit may last longer than a line"),
    "notice_before_line": _("the notice falls before the line begins"),
    "buckets_not_ascending": _("the bounds do not ascend"),
    "rest_day_and_workday": _("%(day)s is both a rest day and a working day"),
    "date_twice": _("%(value)s is listed twice"),
}


RULES = (
    _("A, B, C and D are needed, in this order"),
    _("score_min must fall from A to D, or bands overlap"),
    _("must be 0, or the scores below it have no grade"),
    _("no such reason code"),
    _("cannot be 'warn'; a limit that only warns is no limit"),
)
"""What the rules of `rules.policy.Policy` say, in their own words, so that these are translated."""


def said(fault: Fault) -> str:
    """The fault in the current language."""
    return str(WORDS[fault.code]) % fault.params
