"""Whether two runs, or two groups of seeds, differ on the same users: intervals, paired tests, effect sizes. No torch.

Users are the units: each has one value of a metric under either side, averaged over a side's seeds first. So the tests
are about *these trained models*; what other seeds would have given is told by mean ± std over seeds and, where both
sides have two seeds or more, by `seed_test`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Values = NDArray[np.float64]

SAMPLES = 2000
"""Resamples of a bootstrap interval."""
LEVEL = 0.95
_FEW = 1 / 16
"""Up to this share of different values a resample is drawn as their counts, beyond as users: which is faster."""
_DRAWS_AT_ONCE = 1 << 22
_DIGITS = 12
"""Decimals to which differences are told apart: metrics are of order 1, and double precision has about 16."""


@dataclass(frozen=True)
class PairedResult:
    """``difference`` is second − first in the metric's own unit, with its bootstrap interval; p is Wilcoxon's."""

    difference: float
    low: float
    high: float
    p: float
    effect: float
    """Cohen's d of paired values: mean difference / standard deviation of the differences."""
    rank_biserial: float
    """Matched-pairs rank-biserial correlation: (favourable − unfavourable) / all rank sums, −1…1."""
    better: int
    worse: int
    equal: int


def mean_and_std(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean and sample standard deviation (n − 1) over seeds; None for the latter of a single one.

    >>> mean_and_std([1.0, 3.0])
    (2.0, 1.4142135623730951)
    """
    mean = math.fsum(values) / len(values)
    if len(values) < 2:
        return mean, None
    return mean, math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


def interval(values: Values, *, level: float = LEVEL, samples: int = SAMPLES, seed: int = 1) -> tuple[float, float]:
    """Bootstrap interval of the mean of ``values`` [U] over users: bias-corrected and accelerated (BCa).

    The same values and seed give the same interval. Without variation it is the mean itself.
    """
    mean = float(np.mean(values))
    if not len(values) or np.ptp(values) == 0:
        return mean, mean
    return bca(resampled_means(values, samples, seed), values, level)


def share_interval(values: Values, *, level: float = LEVEL) -> tuple[float, float]:
    """`interval` of a metric, each of whose ``values`` [U] lies in 0 … 1.

    Where all users are missed, or all are right, resamples know no other user, but the next one may be: there it is
    the exact interval of a share (Clopper and Pearson 1934), which holds for every metric of that range.

    >>> [round(end, 4) for end in share_interval(np.zeros(100))]
    [0.0, 0.0362]
    """
    if len(values) and np.ptp(values) == 0 and values[0] in (0, 1):
        other = float(((1 - level) / 2) ** (1 / len(values)))
        return (other, 1.0) if values[0] else (0.0, 1 - other)
    return interval(values, level=level)


def resampled_means(values: Values, samples: int, seed: int) -> Values:
    """Means of ``samples`` draws of U users with replacement, [samples].

    A draw matters only by how often each *different* value is in it, and those counts are multinomial: the metrics of a
    run have as many values as cut-offs, so thousands of resamples of thousands of users cost milliseconds.
    """
    generator = np.random.default_rng(seed)
    different, counts = np.unique(values, return_counts=True)
    if len(different) <= _FEW * len(values):
        rows = max(1, _DRAWS_AT_ONCE // len(different))
        shares = counts / len(values)
        parts = [
            generator.multinomial(len(values), shares, size=min(rows, samples - begin)) @ different / len(values)
            for begin in range(0, samples, rows)
        ]
        return np.concatenate(parts)
    rows = max(1, _DRAWS_AT_ONCE // len(values))
    parts = [
        values[generator.integers(0, len(values), size=(min(rows, samples - begin), len(values)))].mean(axis=1)
        for begin in range(0, samples, rows)
    ]
    return np.concatenate(parts)


def bca(means: Values, values: Values, level: float = LEVEL) -> tuple[float, float]:
    """The BCa interval (Efron 1987) of the mean of ``values`` [U] from its bootstrap distribution ``means``.

    z₀ is the normal quantile of the share of resamples below the mean (ties count half), a comes from the jackknife,
    which for a mean is Σd³ / 6(Σd²)^1.5 with d the deviations from it.
    """
    mean = float(np.mean(values))
    # Equal sums of thirds differ in their last bits, by the order of summing: those are ties too.
    near = np.round(means - mean, _DIGITS)
    below = float(np.mean(near < 0) + np.mean(near == 0) / 2)
    deviations = values - mean
    spread = float(np.sum(deviations**2))
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    if 0 < below < 1 and spread > 0:
        bias = float(stats.norm.ppf(below))
        acceleration = float(np.sum(deviations**3)) / (6 * spread**1.5)
        shifted = bias + stats.norm.ppf(tails)
        tails = stats.norm.cdf(bias + shifted / (1 - acceleration * shifted))
    low, high = np.quantile(means, tails).tolist()
    return low, high


def paired(
    first: Values, second: Values, *, level: float = LEVEL, samples: int = SAMPLES, seed: int = 1
) -> PairedResult:
    """Second against first, users paired; both [U], aligned.

    Wilcoxon's signed-rank test drops users without a difference and is two-sided; p is 1 where all are equal. On HR,
    whose differences have one size, it is the sign test.
    """
    # What two orders of summing seeds make of equal values is no difference, and no other one: 1 - 2/3 and 1/3 are not
    # the same number, but the same rank.
    differences = np.round(second - first, _DIGITS)
    low, high = interval(differences, level=level, samples=samples, seed=seed)
    deviation = float(np.std(differences, ddof=1)) if len(differences) > 1 else 0.0
    mean = float(np.mean(differences))
    return PairedResult(
        difference=mean,
        low=low,
        high=high,
        p=wilcoxon(differences),
        effect=mean / deviation if deviation else 0.0,
        rank_biserial=rank_biserial(differences),
        better=int(np.sum(differences > 0)),
        worse=int(np.sum(differences < 0)),
        equal=int(np.sum(differences == 0)),
    )


def wilcoxon(differences: Values) -> float:
    """Two-sided p of Wilcoxon's signed-rank test of ``differences`` [U]; users without one are left out."""
    if not np.any(differences):
        return 1.0
    return float(stats.wilcoxon(differences, zero_method="wilcox").pvalue)


def rank_biserial(differences: Values) -> float:
    """(R⁺ − R⁻) / (R⁺ + R⁻) over the ranks of the absolute differences that are not 0; 0 where there are none.

    >>> round(rank_biserial(np.array([3.0, -1.0, 2.0, 0.0])), 4)
    0.6667
    """
    changed = differences[differences != 0]
    if not len(changed):
        return 0.0
    ranks = stats.rankdata(np.abs(changed))
    return float(np.sum(np.sign(changed) * ranks) / np.sum(ranks))


def seed_test(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Welch's t-test between two sides' metrics, a value a seed; None unless both have two seeds that differ."""
    if min(len(first), len(second)) < 2 or (np.ptp(first) == 0 and np.ptp(second) == 0):
        return None
    told = [(float(np.mean(side)), float(np.std(side, ddof=1)), len(side)) for side in (first, second)]
    return float(stats.ttest_ind_from_stats(*told[0], *told[1], equal_var=False).pvalue)


def holm(ps: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values, in the order given: the i-th smallest of m times m − i + 1, never falling, at most 1.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    adjusted = [0.0] * len(ps)
    highest = 0.0
    for place, index in enumerate(sorted(range(len(ps)), key=lambda index: ps[index])):
        highest = max(highest, min(1.0, ps[index] * (len(ps) - place)))
        adjusted[index] = highest
    return adjusted
