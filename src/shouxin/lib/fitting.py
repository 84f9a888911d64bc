"""A points table fitted to what happened: monotone bins, weights of evidence, a logistic model, measured out of sample.

Needs the extra `scoring` (scikit-learn). What comes out are plain numbers; no model object is ever kept.
"""

import math
import statistics
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Column = Sequence[float | None]
SMOOTHING = 0.5
"""Added to the goods and bads of each bin, so that an empty one has no infinite weight."""
IV_MIN = 0.02
CHARACTERISTICS_MAX = 12
CORRELATION_MAX = 0.75
"""Of two columns that say nearly the same, the one that says more is kept."""
LEAVES_MAX = 5
FOLDS = 5
ROUNDS = 3
BAD_MIN = 20
"""With fewer bad (or good) observations nothing is fitted: it would be chance."""


class CannotFit(ValueError):
    """What there is does not carry a fit; says why: `code`, and `particulars` with the numbers.

    Codes: `extra_missing`, `one_class` (too few bad or too few good), `few_customers`, `no_column`.
    """

    def __init__(self, code: str, **particulars: int) -> None:
        super().__init__(code)
        self.code, self.particulars = code, particulars


@dataclass(frozen=True)
class Bin:
    """Values above the bin before, up to and including `up_to` (None: the last); or the missing ones.

    `woe` is the log of the bin's share of goods over its share of bads: above 0 is better than the average.
    """

    up_to: float | None
    missing: bool
    woe: float
    count: int
    bad: int


@dataclass(frozen=True)
class Characteristic:
    """One column in bins, with its information value and its coefficient on the log odds of bad (never above 0)."""

    name: str
    bins: tuple[Bin, ...]
    information_value: float
    coefficient: float


@dataclass(frozen=True)
class Measures:
    """How well it ranks and how true its probabilities are, out of sample; the standard deviation is over the folds.

    `slope` and `intercept` of the log odds against what happened: 1 and 0 are perfectly calibrated.
    """

    auc: float
    auc_sd: float
    ks: float
    brier: float
    brier_of_rate: float
    slope: float
    intercept: float
    folds: int


@dataclass(frozen=True)
class Fitted:
    """The model on all observations, what the folds say of it, and each observation's out-of-sample probability."""

    characteristics: tuple[Characteristic, ...]
    intercept: float
    measures: Measures
    out_of_sample: tuple[float, ...]
    count: int
    bad: int


def fit(columns: Mapping[str, Column], bad: Sequence[bool], groups: Sequence[Hashable], *, seed: int = 0) -> Fitted:
    """Fit on all observations and measure by folds that never share a group (a customer). Raises CannotFit.

    `groups` says whose observation each is; the same input gives the same table.
    """
    _need(bad, groups)
    characteristics, intercept = _model(columns, bad)
    out_of_sample, aucs = _cross_validated(columns, bad, groups, seed)
    measures = measure(out_of_sample, bad, aucs)
    return Fitted(characteristics, intercept, measures, tuple(out_of_sample), len(bad), sum(bad))


def _need(bad: Sequence[bool], groups: Sequence[Hashable]) -> None:
    try:
        import sklearn  # noqa: F401
    except ImportError:
        raise CannotFit("extra_missing") from None
    goods, bads = len(bad) - sum(bad), sum(bad)
    if min(goods, bads) < BAD_MIN:
        raise CannotFit("one_class", bad=bads, good=goods, needed=BAD_MIN)
    if len(set(groups)) < 2 * FOLDS:
        raise CannotFit("few_customers", customers=len(set(groups)), needed=2 * FOLDS)


# --- bins ----------------------------------------------------------------------------------------


def bins_of(values: Column, bad: Sequence[bool]) -> tuple[Bin, ...]:
    """Monotone bins of one column with their weights of evidence; the missing apart. Empty: nothing to tell apart."""
    known = [(value, is_bad) for value, is_bad in zip(values, bad, strict=True) if value is not None]
    bounds = _bounds(known, least=max(10, len(bad) // 20))
    totals = (len(bad) - sum(bad), sum(bad))
    counted = _merged(_counted(known, bounds), totals) if bounds else []
    if len(counted) < 2:
        return ()
    bins = [_bin(up_to, False, count, bads, totals) for up_to, count, bads in counted]
    absent = [is_bad for value, is_bad in zip(values, bad, strict=True) if value is None]
    return (*bins, _missing(absent, totals))


def _bounds(known: Sequence[tuple[float, bool]], *, least: int) -> list[float]:
    """Where a tree whose leaves rise or fall throughout would cut; the direction is the one that ranks better."""
    from sklearn.tree import DecisionTreeClassifier

    bads = [is_bad for _value, is_bad in known]
    if len(known) < 2 * least or len(set(bads)) < 2:
        return []
    direction = 1 if _rises(known) else -1
    tree = DecisionTreeClassifier(
        max_leaf_nodes=LEAVES_MAX, min_samples_leaf=least, monotonic_cst=[direction], random_state=0
    )
    tree.fit([[value] for value, _ in known], bads)
    cuts = sorted(
        float(cut) for cut, feature in zip(tree.tree_.threshold, tree.tree_.feature, strict=True) if feature >= 0
    )
    return sorted({float(f"{cut:.4g}") for cut in cuts})


def _rises(known: Sequence[tuple[float, bool]]) -> bool:
    """Whether the bads stand rather among the high values: by the mean of their ranks."""
    ranked = [is_bad for _value, is_bad in sorted(known, key=lambda pair: pair[0])]
    ranks = [rank for rank, is_bad in enumerate(ranked) if is_bad]
    return sum(ranks) / len(ranks) >= (len(known) - 1) / 2


Counted = list[tuple[float | None, int, int]]


def _counted(known: Sequence[tuple[float, bool]], bounds: Sequence[float]) -> Counted:
    """(bound, how many, how many bad) for each bin, the last one open. Bounds are rounded first, then counted by."""
    found = []
    lower = -math.inf
    for upper in (*bounds, None):
        inside = [is_bad for value, is_bad in known if lower < value and (upper is None or value <= upper)]
        found.append((upper, len(inside), sum(inside)))
        lower = lower if upper is None else upper
    return found


def _merged(counted: Counted, totals: tuple[int, int]) -> Counted:
    """Neighbours joined until the weights rise or fall throughout and no bin is empty."""
    if len(counted) < 2:
        return counted
    weights = [_woe(count - bads, bads, totals) for _, count, bads in counted]
    rising = weights[-1] >= weights[0]
    for place in range(len(counted) - 1):
        step = weights[place + 1] - weights[place]
        if not counted[place][1] or not counted[place + 1][1] or (step <= 0 if rising else step >= 0):
            (_, count, bads), (upper, more, more_bad) = counted[place], counted[place + 1]
            joined = [*counted[:place], (upper, count + more, bads + more_bad), *counted[place + 2 :]]
            return _merged(joined, totals)
    return counted


def _woe(goods: int, bads: int, totals: tuple[int, int]) -> float:
    share_good = (goods + SMOOTHING) / (totals[0] + 2 * SMOOTHING)
    return math.log(share_good / ((bads + SMOOTHING) / (totals[1] + 2 * SMOOTHING)))


def _bin(up_to: float | None, missing: bool, count: int, bads: int, totals: tuple[int, int]) -> Bin:
    return Bin(up_to, missing, _woe(count - bads, bads, totals), count, bads)


def _missing(absent: Sequence[bool], totals: tuple[int, int]) -> Bin:
    """The missing ones by their own record; where they are too few to have one, neutral."""
    if len(absent) < max(10, sum(totals) // 20):
        return Bin(None, True, 0.0, len(absent), sum(absent))
    return _bin(None, True, len(absent), sum(absent), totals)


def bin_for(bins: Sequence[Bin], value: float | None) -> Bin:
    """The bin of a value."""
    if value is None:
        return next(each for each in bins if each.missing)
    return next(each for each in bins if not each.missing and (each.up_to is None or value <= each.up_to))


def _information_value(bins: Sequence[Bin], totals: tuple[int, int]) -> float:
    return sum(((b.count - b.bad) / totals[0] - b.bad / totals[1]) * b.woe for b in bins)


# --- the model -----------------------------------------------------------------------------------


def _model(columns: Mapping[str, Column], bad: Sequence[bool]) -> tuple[tuple[Characteristic, ...], float]:
    """Characteristics that tell something, each pulling the way its own record says."""
    totals = (len(bad) - sum(bad), sum(bad))
    binned = {name: bins for name, values in columns.items() if (bins := bins_of(values, bad))}
    told = sorted(binned, key=lambda name: -_information_value(binned[name], totals))
    woes = {name: [bin_for(binned[name], value).woe for value in columns[name]] for name in told}
    kept: list[str] = []
    for name in told:
        enough = _information_value(binned[name], totals) >= IV_MIN and len(kept) < CHARACTERISTICS_MAX
        if enough and all(abs(_correlation(woes[name], woes[other])) <= CORRELATION_MAX for other in kept):
            kept.append(name)
    while kept:
        coefficients, intercept = _logistic([woes[name] for name in kept], bad)
        wrong = max(range(len(kept)), key=lambda place: coefficients[place])
        if coefficients[wrong] < 0:
            found = [
                Characteristic(name, binned[name], _information_value(binned[name], totals), coefficient)
                for name, coefficient in zip(kept, coefficients, strict=True)
            ]
            return tuple(found), intercept
        kept.pop(wrong)  # it only takes back what another says: its points would run against its own record
    raise CannotFit("no_column")


def _correlation(one: Sequence[float], other: Sequence[float]) -> float:
    if len(set(one)) < 2 or len(set(other)) < 2:
        return 0.0
    return statistics.correlation(one, other)


def _logistic(features: Sequence[Sequence[float]], bad: Sequence[bool]) -> tuple[list[float], float]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1.0, max_iter=1000, solver="newton-cholesky").fit(
        list(zip(*features, strict=True)), list(bad)
    )
    return [float(each) for each in model.coef_[0]], float(model.intercept_[0])


def log_odds(characteristics: Sequence[Characteristic], intercept: float, row: Mapping[str, float | None]) -> float:
    """The log odds of bad for one observation."""
    return intercept + sum(c.coefficient * bin_for(c.bins, row.get(c.name)).woe for c in characteristics)


def probability(odds: float) -> float:
    """From log odds."""
    return 1 / (1 + math.exp(-odds)) if odds > -700 else 0.0


def calibrated(scores: Sequence[float], bad: Sequence[bool], groups: Sequence[Hashable]) -> Measures:
    """How good another card's scores are (higher is better): their probabilities fitted by folds, measured the same."""
    from sklearn.model_selection import StratifiedGroupKFold

    numbered = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    whose = [numbered[group] for group in groups]
    found, aucs = [0.0] * len(bad), []
    for train, test in StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0).split(whose, bad, whose):
        coefficients, intercept = _logistic([[scores[place] for place in train]], [bad[place] for place in train])
        for place in test:
            found[place] = probability(intercept + coefficients[0] * scores[place])
        if 0 < sum(bad[place] for place in test) < len(test):
            aucs.append(auc([-scores[place] for place in test], [bad[place] for place in test]))
    return measure(found, bad, aucs)


# --- how good it is ------------------------------------------------------------------------------


def _cross_validated(
    columns: Mapping[str, Column], bad: Sequence[bool], groups: Sequence[Hashable], seed: int
) -> tuple[list[float], list[float]]:
    """Each observation's probability from models that never saw its customer, averaged over rounds; the folds' AUC."""
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedGroupKFold

    sums, aucs = [0.0] * len(bad), []
    numbered = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    whose = [numbered[group] for group in groups]
    for turn in range(ROUNDS):
        folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed + turn)
        for train, test in folds.split(whose, bad, whose):
            predicted = _predicted(columns, bad, train, test)
            for place, each in zip(test, predicted, strict=True):
                sums[place] += each / ROUNDS
            truth = [bad[place] for place in test]
            if len(set(truth)) == 2:
                aucs.append(float(roc_auc_score(truth, predicted)))
    return sums, aucs


def _predicted(columns: Mapping[str, Column], bad: Sequence[bool], train: Any, test: Any) -> list[float]:
    learnt = [bad[place] for place in train]
    try:
        model, intercept = _model(
            {name: [values[place] for place in train] for name, values in columns.items()}, learnt
        )
    except CannotFit:
        return [sum(learnt) / len(learnt)] * len(test)
    rows = ({c.name: columns[c.name][place] for c in model} for place in test)
    return [probability(log_odds(model, intercept, row)) for row in rows]


def measure(probabilities: Sequence[float], bad: Sequence[bool], aucs: Sequence[float] = ()) -> Measures:
    """Rank and truth of probabilities: AUC, the greatest gap between goods and bads, Brier, calibration."""
    from sklearn.metrics import brier_score_loss, roc_auc_score, roc_curve

    false, true, _cuts = roc_curve(bad, probabilities)
    odds = [math.log(p / (1 - p)) for p in (min(max(p, 1e-6), 1 - 1e-6) for p in probabilities)]
    (slope,), intercept = _calibration(odds, bad)
    rate = sum(bad) / len(bad)
    mean = sum(aucs) / len(aucs) if aucs else 0.0
    return Measures(
        auc=float(roc_auc_score(bad, probabilities)),
        auc_sd=math.sqrt(sum((each - mean) ** 2 for each in aucs) / len(aucs)) if aucs else 0.0,
        ks=float(max(true - false)),
        brier=float(brier_score_loss(bad, probabilities)),
        brier_of_rate=rate * (1 - rate),
        slope=slope,
        intercept=intercept,
        folds=FOLDS,
    )


def _calibration(odds: Sequence[float], bad: Sequence[bool]) -> tuple[list[float], float]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1e6, max_iter=1000, solver="newton-cholesky").fit([[each] for each in odds], list(bad))
    return [float(model.coef_[0][0])], float(model.intercept_[0])


def auc(scores: Sequence[float], bad: Sequence[bool]) -> float:
    """How often a bad one has a higher score than a good one."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(bad, scores))


def kappa(one: Sequence[Any], other: Sequence[Any], labels: Sequence[Any]) -> float:
    """How far two gradings agree beyond chance, further apart counting more (weights by the square)."""
    from sklearn.metrics import cohen_kappa_score

    return float(cohen_kappa_score(list(one), list(other), labels=list(labels), weights="quadratic"))


def drift(expected: Sequence[int], actual: Sequence[int]) -> float:
    """Population stability index of two counts over the same bins: below 0.1 little, above 0.25 much has moved."""
    before, after = _shares(expected), _shares(actual)
    return sum((new - old) * math.log(new / old) for old, new in zip(before, after, strict=True))


def _shares(counts: Sequence[int]) -> list[float]:
    whole = sum(counts) + SMOOTHING * len(counts)
    return [(count + SMOOTHING) / whole for count in counts]
