"""The bundled shop: made by its generator, shaped like Table 1, and worth learning from."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine import paths
from engine.data import sample
from engine.data.dataset import load
from engine.data.sequences import Sequences
from engine.data.splits import LeaveOneOut


def test_the_generator_makes_the_committed_files(tmp_path: Path) -> None:
    sample.write(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["shop.titles.tsv", "shop.txt"]
    for path in tmp_path.iterdir():
        assert path.read_bytes() == paths.resource("sample", path.name).read_bytes()


def test_it_is_a_command(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "engine.data.sample", str(tmp_path / "new" / "folder")]
    subprocess.run(command, check=True)
    assert (tmp_path / "new" / "folder" / "shop.txt").stat().st_size > 10_000


def test_it_is_shaped_like_table_1() -> None:
    dataset = load("sample")
    sequences = dataset.sequences
    popularity = np.sort(np.bincount(sequences.items)[1:])
    assert 1_900 <= len(sequences) <= 2_200
    assert 600 <= dataset.item_count <= 1_000
    assert sequences.lengths.min() == 5
    assert popularity.min() >= 5  # the 5-core
    assert 8 < sequences.lengths.mean() < 10
    assert np.median(sequences.lengths) < sequences.lengths.mean() < sequences.lengths.max() / 5
    assert 0.5 < np.mean(sequences.lengths - 3 <= 4) < 0.75  # Beauty at K = 4: .629 (FACTS F4)
    assert popularity[-len(popularity) // 5 :].sum() > 0.4 * popularity.sum()
    assert np.median(popularity) < 0.8 * popularity.mean()


def test_every_item_has_a_title_of_its_own() -> None:
    dataset = load("sample")
    assert dataset.titles is not None
    titles = dataset.titles[1:].tolist()
    assert all(titles)
    assert len(set(titles)) == dataset.item_count


def test_the_last_item_says_what_comes_next_and_shuffling_takes_it_away() -> None:
    dataset = load("sample")
    popular = hits_at_10(dataset.sequences, dataset.rows, after=False)
    ordered = hits_at_10(dataset.sequences, dataset.rows, after=True)
    mixed = hits_at_10(shuffled(dataset.sequences), dataset.rows, after=True)
    assert ordered > 0.3
    assert ordered > 4 * popular
    assert ordered > 3 * mixed


def shuffled(sequences: Sequences) -> Sequences:
    order = np.lexsort((np.random.default_rng(1).random(len(sequences.items)), sequences.owners))
    return Sequences(sequences.items[order], sequences.offsets)


def hits_at_10(sequences: Sequences, rows: int, after: bool) -> float:
    """HR@10 on test targets: by what followed the last item in other training parts, or by popularity alone."""
    split = LeaveOneOut(sequences)
    training = split.training_part
    popularity = np.bincount(training.items, minlength=rows) / len(training.items)
    followed: NDArray[np.float64] = np.zeros((rows, rows))
    pairs = training.owners[:-1] == training.owners[1:]
    np.add.at(followed, (training.items[:-1][pairs], training.items[1:][pairs]), 1.0)
    inputs = split.test_inputs
    scores = followed[inputs.items[inputs.offsets[1:] - 1]] * after + popularity
    scores[inputs.owners, inputs.items] = -1
    own = scores[np.arange(len(scores)), split.test_targets]
    return float(np.mean((scores > own[:, None]).sum(axis=1) < 10))
