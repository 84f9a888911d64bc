"""The fit on made-up truth: what it must find, what it must not invent, and what its figures mean."""

import random

import pytest

from shouxin.lib import fitting

N = 600


def world(seed=1):
    """One column that drives the bads, one that runs along with it, one of noise, one that is missing at random."""
    chance = random.Random(seed)
    drive = [chance.random() for _ in range(N)]
    bad = [chance.random() < 0.05 + 0.5 * each for each in drive]
    columns = {
        "drive": drive,
        "echo": [each + chance.gauss(0, 0.01) for each in drive],
        "noise": [chance.random() for _ in range(N)],
        "gaps": [None if chance.random() < 0.3 else each * 10 for each in drive],
    }
    return columns, bad


def test_it_finds_what_drives_and_does_not_count_it_twice():
    columns, bad = world()
    found = fitting.fit(columns, bad, range(N))
    names = [each.name for each in found.characteristics]
    assert len({"drive", "echo"} & set(names)) == 1
    assert all(each.information_value < 0.2 for each in found.characteristics if each.name == "noise")
    assert 0.62 < found.measures.auc < 0.8
    assert found.measures.brier < found.measures.brier_of_rate
    assert 0.6 < found.measures.slope < 1.5


def test_bins_are_monotone_and_hold_everybody():
    columns, bad = world()
    for name, values in columns.items():
        bins = fitting.bins_of(values, bad)
        if not bins:
            continue
        weights = [each.woe for each in bins if not each.missing]
        assert weights in (sorted(weights), sorted(weights, reverse=True)), name
        assert (sum(b.count for b in bins), sum(b.bad for b in bins)) == (N, sum(bad))
        for value in values:
            fitting.bin_for(bins, value)


def test_pure_chance_tells_nothing():
    """Labels dealt at random: out of sample it must not look better than chance."""
    columns, bad = world()
    random.Random(3).shuffle(bad)
    try:
        measures = fitting.fit(columns, bad, range(N)).measures
    except fitting.CannotFit:
        return
    assert measures.auc < 0.57


def test_a_customer_never_stands_on_both_sides():
    """Copies of one customer would let the model know its answers; grouped, they cannot help it."""
    chance = random.Random(5)
    columns = {"id": [chance.random() for _ in range(60) for _copy in range(6)]}
    fate = [chance.random() < 0.4 for _ in range(60)]
    bad = [each for each in fate for _copy in range(6)]
    groups = [number for number in range(60) for _copy in range(6)]
    alone = fitting.fit(columns, bad, groups).measures.auc
    leaking = fitting.fit(columns, bad, range(360)).measures.auc
    assert alone < leaking


@pytest.mark.parametrize(
    ("bad", "why"), [([True] * 5 + [False] * 100, {"bad": 5, "good": 100}), ([True] * 100, {"bad": 100, "good": 0})]
)
def test_too_little_says_what_is_missing(bad, why):
    with pytest.raises(fitting.CannotFit) as refused:
        fitting.fit({"one": [1.0] * len(bad)}, bad, range(len(bad)))
    assert refused.value.code == "one_class" and refused.value.particulars.items() >= why.items()


def test_drift():
    same = [10, 20, 30, 40]
    assert fitting.drift(same, same) == 0
    assert fitting.drift(same, [each * 7 for each in same]) < 0.001
    assert fitting.drift(same, same[::-1]) > 0.25


def test_kappa():
    assert fitting.kappa("AABB", "AABB", "AB") == 1
    assert fitting.kappa("ABCD", "ABDC", "ABCD") > fitting.kappa("ABCD", "DBCA", "ABCD")
