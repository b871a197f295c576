"""Lists of values and seeds: every combination once, what is wrong named."""

from __future__ import annotations

import itertools

import pytest

from engine.config import MOST_RUNS, ExperimentConfig, grid, parse_list, run_count
from engine.config.grouping import group_key
from engine.errors import ConfigurationError

BASE = ExperimentConfig()


def test_every_combination_once_and_the_seeds_of_one_together() -> None:
    lists = {"loss.contrastive_weight": (0.0, 0.1), "model.layers": (1, 2, 3)}
    made = grid(BASE, lists, (1, 2))
    found = [(c.loss.contrastive_weight, getattr(c.model, "layers"), c.train.seed) for c in made]  # noqa: B009
    assert found == list(itertools.product((0.0, 0.1), (1, 2, 3), (1, 2)))
    assert len({group_key(c.model_dump(mode="json")) for c in made}) == 6
    assert grid(BASE, {}) == (BASE,)


def test_what_does_not_train_is_one_run_whatever_the_seeds() -> None:
    base = BASE.replace({"loss.contrastive_weight": 0.0})
    lists = {"model.name": ("popularity", "transformer"), "evaluate.noise_rate": (0.0, 0.1), "evaluate.ties": ("id",)}
    made = grid(base, lists, (1, 2, 3))
    found = [(c.model.name, c.evaluate.noise_rate, c.train.seed) for c in made]
    noisy = [("popularity", 0.1, seed) for seed in (1, 2, 3)]
    trained = [("transformer", rate, seed) for rate in (0.0, 0.1) for seed in (1, 2, 3)]
    assert found == [("popularity", 0.0, 1), *noisy, *trained]
    assert run_count(base, lists, (1, 2, 3)) == len(made)
    assert run_count(BASE, {"model.layers": (1, 2)}, (1, 2)) == 4
    assert run_count(BASE, {}, ()) == 0


@pytest.mark.parametrize(
    ("path", "text", "values"),
    [
        ("augment.crop_rate", "0.1, .2", (0.1, 0.2)),
        ("model.layers", "1-3,5", (1, 2, 3, 5)),
        ("loss.next_item", "bce,cross_entropy", ("bce", "cross_entropy")),
        ("fidelity.rank_special_tokens", "true,false", (True, False)),
        ("train.learning_rate", "1e-3", (0.001,)),
    ],
)
def test_lists_are_read_as_the_settings_own_kind(path: str, text: str, values: tuple[object, ...]) -> None:
    assert parse_list(BASE, path, text) == values


@pytest.mark.parametrize(
    ("path", "text", "told"),
    [
        ("augment.crop_rate", "0.1, 7", "7"),
        ("augment.crop_rate", "0.1,, 0.2", "missing"),
        ("model.layers", "3-1", "backwards"),
        ("model.layers", "2, 1-2", "twice"),
        ("no.such", "1,2", "no such setting"),
        ("train.epochs", "1-99999", "more than"),
    ],
)
def test_what_is_wrong_is_named_with_its_field(path: str, text: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told) as caught:
        parse_list(BASE, path, text)
    assert caught.value.field == path


def test_too_many_runs_are_refused_before_anything_starts() -> None:
    seeds = tuple(range(1, MOST_RUNS // 2 + 2))
    with pytest.raises(ConfigurationError, match=r"2,002 runs"):
        grid(BASE, {"model.layers": (1, 2)}, seeds)
