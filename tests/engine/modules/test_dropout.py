"""Cheap masks are still dropout: right rate, right scale, independent, repeatable."""

from __future__ import annotations

import pytest
import torch
from scipy import stats

from engine.modules.dropout import Dropout, dropout_mask

CPU = torch.device("cpu")


@pytest.mark.parametrize("p", [0.5, 0.1, 0.3, 0.9])
def test_mask_has_the_rate_and_mean_one(p: float) -> None:
    torch.manual_seed(1)
    mask = dropout_mask((1000, 333), p, device=CPU, dtype=torch.float32)
    assert mask.shape == (1000, 333)
    dropped = int((mask == 0).sum())
    assert stats.binomtest(dropped, mask.numel(), p).pvalue > 1e-4
    assert torch.allclose(mask.unique(), torch.tensor([0, 1 / (1 - p)]), rtol=1e-4)


@pytest.mark.parametrize("p", [0.5, 0.3])
def test_elements_are_independent_of_their_neighbours_at_every_distance(p: float) -> None:
    torch.manual_seed(2)
    dropped = (dropout_mask((1 << 18,), p, device=CPU, dtype=torch.float32) == 0).double()
    for distance in (1, 2, 3, 4, 7, 8, 16, 63, 64, 65, 128):
        both = int((dropped[:-distance] * dropped[distance:]).sum())
        count = len(dropped) - distance
        deviation = (both - count * p**2) / (count * p**2 * (1 - p**2)) ** 0.5
        assert abs(deviation) < 5, distance


def test_bits_within_a_byte_are_uniform() -> None:
    torch.manual_seed(3)
    kept = dropout_mask((1 << 17, 8), 0.5, device=CPU, dtype=torch.float32) > 0
    codes = (kept.long() << torch.arange(8)).sum(1)
    assert stats.chisquare(torch.bincount(codes, minlength=256).numpy()).pvalue > 1e-4


@pytest.mark.parametrize("shape", [(0, 4), (1,), (3, 5), (65,)])
def test_any_shape_and_type(shape: tuple[int, ...]) -> None:
    for dtype in (torch.float32, torch.float64):
        for p in (0.5, 0.2):
            mask = dropout_mask(shape, p, device=CPU, dtype=dtype)
            assert mask.shape == shape
            assert mask.dtype == dtype


def test_the_same_seed_gives_the_same_mask_and_no_other() -> None:
    masks = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        masks.append(dropout_mask((100, 7), 0.5, device=CPU, dtype=torch.float32))
    assert torch.equal(masks[0], masks[1])
    assert not torch.equal(masks[0], masks[2])


def test_dropout_rests_while_evaluating_and_adds_in_one_pass() -> None:
    layer, x, residual = Dropout(0.5), torch.ones(50, 8), torch.full((50, 8), 3.0)
    assert set(layer.add(residual, x).unique().tolist()) == {3.0, 5.0}
    assert set(layer(x).unique().tolist()) == {0.0, 2.0}
    layer.eval()
    assert torch.equal(layer(x), x)
    assert torch.equal(layer.add(residual, x), residual + x)
