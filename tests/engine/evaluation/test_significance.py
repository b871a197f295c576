"""The statistics of comparisons against scipy and against naive loops, and how often they cry wolf."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from engine.evaluation.metrics import hit_rate, mean_reciprocal_rank, ndcg, of_each_user
from engine.evaluation.significance import (
    bca,
    holm,
    interval,
    mean_and_std,
    paired,
    rank_biserial,
    resampled_means,
    seed_test,
    share_interval,
    wilcoxon,
)

VALUES = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=3, max_size=40)
MORE = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=30, max_size=60)
"""With a dozen users scipy tries every sign, which takes long and is tested by itself."""


def some_ranks(users: int = 3000, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).geometric(0.01, users).astype(float) - 1


@pytest.mark.parametrize("k", [5, 10, 20])
def test_what_users_add_has_the_metric_for_its_mean(k: int) -> None:
    ranks = some_ranks()
    assert of_each_user(ranks, f"HR@{k}").mean() == pytest.approx(hit_rate(ranks, k))
    assert of_each_user(ranks, f"NDCG@{k}").mean() == pytest.approx(ndcg(ranks, k))
    assert of_each_user(ranks, "MRR").mean() == pytest.approx(mean_reciprocal_rank(ranks))


@pytest.mark.parametrize("users", [1, 4, 278])
@pytest.mark.parametrize("level", [0.95, 0.9])
def test_a_bucket_without_a_hit_is_not_certain(users: int, level: float) -> None:
    """Resamples of misses are misses: scipy's exact interval of 0 and of all of so many says what is known."""
    for hits, values in ((0, np.zeros(users)), (users, np.ones(users))):
        told = stats.binomtest(hits, users).proportion_ci(level, method="exact")
        assert share_interval(values, level=level) == pytest.approx((told.low, told.high), abs=1e-12)
    some = of_each_user(some_ranks(), "NDCG@10")
    assert share_interval(some) == interval(some)
    assert share_interval(np.full(users, 0.5)) == (0.5, 0.5)


@given(VALUES)
def test_mean_and_std_are_numpys(values: list[float]) -> None:
    mean, std = mean_and_std(values)
    assert mean == pytest.approx(np.mean(values))
    assert std == pytest.approx(np.std(values, ddof=1), abs=1e-12)
    assert mean_and_std(values[:1])[1] is None


def test_bca_is_scipys_on_the_same_resamples() -> None:
    values = np.random.default_rng(2).exponential(size=60) ** 2
    found = stats.bootstrap((values,), np.mean, method="BCa", n_resamples=999, rng=np.random.default_rng(3))
    low, high = bca(found.bootstrap_distribution, values, 0.95)
    assert (low, high) == pytest.approx((found.confidence_interval.low, found.confidence_interval.high), rel=2e-3)


@pytest.mark.parametrize("metric", ["HR@10", "NDCG@20", "MRR"])
def test_the_interval_is_close_to_scipys(metric: str) -> None:
    """MRR has too many different values for counts: its users are drawn one by one."""
    values = of_each_user(some_ranks(), metric)
    found = stats.bootstrap((values,), np.mean, n_resamples=600, batch=50, rng=np.random.default_rng(5))
    width = found.confidence_interval.high - found.confidence_interval.low
    assert interval(values) == pytest.approx(tuple(found.confidence_interval), abs=0.15 * width)


def test_both_ways_to_draw_give_one_distribution(monkeypatch: pytest.MonkeyPatch) -> None:
    values = of_each_user(some_ranks(500), "NDCG@20")
    counted = resampled_means(values, 4000, 1)
    assert len(np.unique(values)) * 16 <= len(values)
    monkeypatch.setattr("engine.evaluation.significance._FEW", 0)
    drawn = resampled_means(values, 4000, 2)
    assert stats.ks_2samp(counted, drawn).pvalue > 0.001
    assert counted.std() == pytest.approx(drawn.std(), rel=0.08)


def test_an_interval_repeats_and_knows_no_variation() -> None:
    values = of_each_user(some_ranks(), "NDCG@10")
    assert interval(values) == interval(values)
    assert interval(np.full(10, 0.25)) == (0.25, 0.25)


@given(MORE, st.randoms(use_true_random=False))
@settings(max_examples=15, deadline=None)
def test_the_paired_result_is_that_of_loops(values: list[float], chance: object) -> None:
    first = np.array(values)
    second = np.array([chance.choice([0.0, 0.25, 0.5, 1.0]) for _ in values])  # type: ignore[attr-defined]
    found = paired(first, second, samples=50)
    differences = [b - a for a, b in zip(first.tolist(), second.tolist(), strict=True)]
    assert found.difference == pytest.approx(sum(differences) / len(differences))
    assert (found.better, found.worse) == (sum(d > 0 for d in differences), sum(d < 0 for d in differences))
    assert found.better + found.worse + found.equal == len(values)
    assert found.rank_biserial == pytest.approx(naive_rank_biserial(differences))
    mean = sum(differences) / len(differences)
    std = math.sqrt(sum((d - mean) ** 2 for d in differences) / (len(differences) - 1))
    assert found.effect == pytest.approx(mean / std if std else 0.0)


def naive_rank_biserial(differences: list[float]) -> float:
    changed = [d for d in differences if d]
    up = down = 0.0
    for d in changed:
        below = sum(abs(other) < abs(d) for other in changed)
        same = sum(abs(other) == abs(d) for other in changed)
        rank = below + (same + 1) / 2
        up, down = (up + rank, down) if d > 0 else (up, down + rank)
    return (up - down) / (up + down) if changed else 0.0


def test_wilcoxon_is_the_normal_approximation_with_ties() -> None:
    differences = np.random.default_rng(4).choice([-0.5, -0.25, 0.0, 0.25, 0.5, 1.0], 400)
    changed = differences[differences != 0]
    ranks = stats.rankdata(np.abs(changed))
    n, up = len(changed), float(ranks[changed > 0].sum())
    ties = sum(count**3 - count for count in np.unique(ranks, return_counts=True)[1].tolist())
    deviation = math.sqrt(n * (n + 1) * (2 * n + 1) / 24 - ties / 48)
    z = (up - n * (n + 1) / 4) / deviation
    assert wilcoxon(differences) == pytest.approx(2 * stats.norm.sf(abs(z)), rel=1e-9)
    assert rank_biserial(differences) == pytest.approx(naive_rank_biserial(differences.tolist()))
    assert wilcoxon(np.zeros(5)) == 1.0


def test_wilcoxon_of_a_few_users_is_exact() -> None:
    """Five users, all better: two of the 32 signs are as far out."""
    assert wilcoxon(np.array([0.5, 0.25, 0.125, 1.0, 0.75, 0.0])) == pytest.approx(2 / 32)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_is_the_step_down_procedure(ps: list[float]) -> None:
    """At every level, rejected is what the loop of Holm's paper rejects."""
    adjusted = holm(ps)
    for level in (0.01, 0.05, 0.3, 0.9):
        rejected: set[int] = set()
        for place, index in enumerate(sorted(range(len(ps)), key=lambda n: ps[n])):
            if ps[index] * (len(ps) - place) > level:
                break
            rejected.add(index)
        assert {n for n, p in enumerate(adjusted) if p <= level} == rejected
    assert all(p >= own for p, own in zip(adjusted, ps, strict=True))


def test_the_test_over_seeds_is_welchs() -> None:
    one, other = [0.03, 0.031, 0.035], [0.02, 0.022, 0.021]
    assert seed_test(one, other) == pytest.approx(stats.ttest_ind(one, other, equal_var=False).pvalue)
    assert seed_test(one, other[:1]) is None
    assert seed_test([1.0, 1.0], [1.0, 1.0]) is None


def test_false_positives_are_near_their_level() -> None:
    """Two runs of one distribution, users alike between them: 400 pairs at 5 % are 20 ± 4.4 rejections."""
    generator = np.random.default_rng(11)
    by_test = by_interval = 0
    for _ in range(400):
        taste = generator.exponential(60, 400)
        one, other = (of_each_user(np.floor(generator.exponential(taste)), "NDCG@20") for _ in range(2))
        found = paired(one, other, samples=300)
        by_test += found.p <= 0.05
        by_interval += not found.low <= 0 <= found.high
    assert 7 <= by_test <= 35
    assert 7 <= by_interval <= 40


def test_a_real_difference_is_found() -> None:
    generator = np.random.default_rng(12)
    taste = generator.exponential(60, 4000)
    one, other = (of_each_user(np.floor(generator.exponential(taste * s)), "NDCG@20") for s in (1.0, 0.8))
    found = paired(one, other)
    assert found.p < 0.001
    assert 0 < found.low < found.difference < found.high
    back = paired(other, one)
    assert (back.difference, back.p) == pytest.approx((-found.difference, found.p))


def test_pairs_are_order_free() -> None:
    """A pair's answer does not depend on which other pairs are asked for."""
    values = [of_each_user(some_ranks(seed=seed), "HR@10") for seed in range(3)]
    once = [paired(values[a], values[b]) for a, b in itertools.combinations(range(3), 2)]
    again = [paired(values[a], values[b]) for a, b in reversed(list(itertools.combinations(range(3), 2)))]
    assert once == again[::-1]


def test_thirds_that_differ_in_their_last_bit_are_ties() -> None:
    """Means over three seeds: 1 - 2/3 is not the float 1/3, but no other difference."""
    generator = np.random.default_rng(5)
    first, second = generator.integers(0, 2, (2, 3, 400)).astype(float)
    found = paired(sum(first) / 3, sum(second) / 3)
    whole = second.sum(axis=0) - first.sum(axis=0)  # the same differences, three times as large and exact
    assert len(np.unique(np.abs(sum(second) / 3 - sum(first) / 3))) > len(np.unique(np.abs(whole)))
    assert found.p == pytest.approx(stats.wilcoxon(whole, zero_method="wilcox").pvalue)
    assert found.rank_biserial == pytest.approx(rank_biserial(whole))
    assert (found.better, found.worse) == (np.sum(whole > 0), np.sum(whole < 0))


def test_a_bias_counts_ties_that_differ_in_their_last_bit() -> None:
    whole = np.random.default_rng(1).integers(0, 4, 30).astype(float)
    means = resampled_means(whole, 2000, 1)
    assert np.any(means == whole.mean())
    for noise in (-1e-15, 1e-15):
        assert bca(means + noise, whole) == pytest.approx(bca(means, whole), abs=1e-9)
