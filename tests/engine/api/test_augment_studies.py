"""Effects over all users, the views of a training run, pairs under an encoder: against loops and a real `Trainer`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.api.augmentations import Augmentations
from engine.augment.effect import effect
from engine.augment.views import AugmentedBatch, Augmenter
from engine.config import ExperimentConfig, preset
from engine.data.dataset import load
from engine.data.splits import leave_one_out
from engine.errors import UsageError
from engine.records import AugmentationEffect, TokenKind
from engine.training.listening import Silent
from engine.training.trainer import Trainer

TINY = {
    "model.hidden_size": 8,
    "model.max_length": 20,
    "train.batch_size": 64,
    "train.epochs": 2,
    "train.device": "cpu",
    "data.path": "sample",
}


@pytest.fixture(scope="module")
def config() -> ExperimentConfig:
    return preset("sample").config.replace(TINY)


@pytest.fixture(scope="module")
def trained(config: ExperimentConfig, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[list[np.ndarray]]]:
    """A real run of two epochs, and every batch of views that it made: users' rows, items, offsets."""
    directory = tmp_path_factory.mktemp("run")
    captured: list[list[np.ndarray]] = []
    patch = pytest.MonkeyPatch()
    views, step = Augmenter.views, Trainer._step

    def capturing_step(self: Trainer, batch):  # type: ignore[no-untyped-def]
        captured.append([batch.rows.numpy()])
        return step(self, batch)

    def capturing_views(self: Augmenter, *arguments) -> AugmentedBatch:  # type: ignore[no-untyped-def]
        made = views(self, *arguments)
        captured[-1] += [made.items.numpy(), made.offsets.numpy(), made.kinds.numpy()]
        return made

    try:
        patch.setattr(Trainer, "_step", capturing_step)
        patch.setattr(Augmenter, "views", capturing_views)
        Trainer(config, load("sample"), listener=Silent(), directory=directory).run()
    finally:
        patch.undo()
    return directory / "best.pt", captured


@pytest.mark.parametrize("epoch", [0, 1])
def test_the_preview_is_the_batch_of_a_real_training(
    config: ExperimentConfig, trained: tuple[Path, list[list[np.ndarray]]], epoch: int
) -> None:
    dataset = load("sample")
    split = leave_one_out(dataset)
    _, captured = trained
    steps = len(captured) // 2
    for step in (0, steps - 1):
        rows, items, offsets, kinds = captured[epoch * steps + step]
        for place in (0, len(rows) - 1):
            user = str(dataset.user_ids[split.users[rows[place]]])
            shown = Augmentations().in_training("sample", user, config, epoch)
            for view, index in zip(shown.views, (place, len(rows) + place), strict=True):
                part = slice(offsets[index], offsets[index + 1])
                expected = [
                    "[mask]" if item == dataset.mask_id else str(dataset.item_ids[item]) for item in items[part]
                ]
                assert [token.item for token in view.tokens] == expected
                assert [token.kind for token in view.tokens] == kinds[part].tolist()
                for token in view.tokens:
                    if token.kind is TokenKind.KEPT:
                        assert token.item == shown.original[token.source].item


def test_in_training_says_what_it_cannot_replay(config: ExperimentConfig) -> None:
    facade = Augmentations()
    with pytest.raises(UsageError, match="λ = 0"):
        facade.in_training("sample", "1", config.replace({"loss.contrastive_weight": 0.0}))
    late = config.replace({"similarity.name": "hybrid", "similarity.hybrid_after_epoch": 1})
    with pytest.raises(UsageError, match="embeddings of the model in training"):
        facade.in_training("sample", "1", late, epoch=5)


def naive(config: ExperimentConfig, seed: int, users: int) -> dict[str, object]:
    """The counts of `effect` by a loop over users and tokens."""
    from engine.similarity.source import correlations

    dataset = load("sample")
    split = leave_one_out(dataset)
    inputs = split.train_inputs.take(np.arange(users))
    table = correlations(config.replace({"similarity.name": "item_cf"}), split, dataset.item_count).at_epoch(0, None)
    drawn = int(np.random.SeedSequence([seed, 0]).generate_state(1, np.uint64)[0] >> np.uint64(1))
    augmenter = Augmenter(config, dataset.item_count)
    batch = augmenter.views(
        torch.from_numpy(inputs.items.astype(np.int64)),
        torch.from_numpy(inputs.offsets),
        table,
        torch.Generator().manual_seed(drawn),
    )
    shifts, kept, overlap, letters, untouched, short = [], [], [], [], 0, 0
    for user in range(users):
        original = inputs[user].tolist()
        short += len(original) <= config.augment.short_length
        sets = []
        for index in (user, users + user):
            part = slice(int(batch.offsets[index]), int(batch.offsets[index + 1]))
            view, kinds = batch.items[part].tolist(), batch.kinds[part].tolist()
            shifts.append(len(view) - len(original))
            kept.append(kinds.count(TokenKind.KEPT) / len(original))
            letters.append(augmenter.slots[int(batch.operators[index])].letter)
            steps = np.diff(batch.sources[part].numpy())
            whole = min(len(original), augmenter.max_length)
            untouched += len(view) == whole and not any(kinds) and bool((steps == 1).all())
            sets.append({item for item in view if 1 <= item <= dataset.item_count})
        union = sets[0] | sets[1]
        overlap.append(len(sets[0] & sets[1]) / len(union) if union else 1.0)
    return {
        "shift": sum(shifts),
        "kept": sum(kept),
        "overlap": sum(overlap),
        "letters": {letter: letters.count(letter) for letter in set(letters)},
        "untouched": untouched,
        "short": short,
        "shifts": shifts,
    }


@pytest.mark.parametrize("reading", ["coserec-paper-sports", "coserec-published-sports"])
def test_the_counts_are_those_of_a_loop(reading: str) -> None:
    config = preset(reading).config.replace({"data.path": "sample"})
    found = Augmentations().effect("sample", config, seed=3, first=0, count=150)
    expected = naive(config, 3, 150)
    assert found.users.sum() == 150
    assert found.users[0] == expected["short"]
    assert found.sums.sum(0) == pytest.approx([expected[name] for name in ("shift", "kept", "overlap")])
    counted = dict(zip(found.letters, found.operators.sum(0).tolist(), strict=True))
    assert {letter: count for letter, count in counted.items() if count} == expected["letters"]
    assert found.untouched.sum() == expected["untouched"]
    span = AugmentationEffect.SPAN
    cells = np.bincount(np.clip(expected["shifts"], -span, span) + span, minlength=2 * span + 1)
    assert found.shifts.sum(0).tolist() == cells.tolist()
    assert found.kept.sum() == 300
    assert found.overlap.sum() == 150
    assert found.differing == 0


def test_parts_add_up(config: ExperimentConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.api.augmentations.PART", 100)
    facade = Augmentations()
    users = facade.users_to_count("sample")
    whole = facade.effect("sample", config)
    parts = [facade.effect("sample", config, first=first, count=100) for first in range(0, users, 100)]
    total = parts[0]
    for part in parts[1:]:
        total = total.plus(part)
    for name in ("users", "shifts", "kept", "overlap", "operators", "untouched"):
        assert getattr(total, name).tolist() == getattr(whole, name).tolist()
    assert total.means() == pytest.approx(whole.means())
    assert whole.users.sum() == users


def test_an_empty_part_counts_nobody(config: ExperimentConfig) -> None:
    found = Augmentations().effect("sample", config, count=0)
    assert found.users.sum() == 0
    assert found.means()["kept"] == 0


def test_stand_ins_and_another_source(config: ExperimentConfig, trained: tuple[Path, list[list[np.ndarray]]]) -> None:
    from engine.similarity.table import NeighbourTable

    facade = Augmentations()
    only = config.replace({"augment.short_operators": "S", "augment.long_operators": "S"})
    memory = facade.effect("sample", only)
    model = facade.effect("sample", only, source="model", checkpoint=str(trained[0]))
    assert memory.weights is None
    assert model.weights is not None
    assert (model.weights.source, model.weights.is_best) == (str(trained[0]), True)
    assert memory.looked_up == model.looked_up > 0
    assert memory.differing == 0
    assert model.differing is not None
    assert 0 < model.differing <= model.looked_up
    dataset = load("sample")
    rows = dataset.rows
    ids = torch.zeros(rows, 1, dtype=torch.int64)
    ids[1, 0] = 2  # only the first item has a neighbour
    table = NeighbourTable.of(ids, (ids > 0).float())
    inputs = leave_one_out(dataset).train_inputs
    random_ = only.replace({"fidelity.missing_neighbour": "random"})
    found = effect(random_, inputs, dataset.item_count, table, 1)
    assert 0 < found.stand_ins <= found.looked_up
    assert found.score_sum == pytest.approx(found.looked_up - found.stand_ins)


def test_a_model_source_needs_weights(config: ExperimentConfig, tmp_path: Path) -> None:
    facade = Augmentations()
    with pytest.raises(UsageError, match="needs a trained run"):
        facade.effect("sample", config, source="hybrid")
    with pytest.raises(UsageError, match="no weights at"):
        facade.effect("sample", config, source="model", checkpoint=str(tmp_path / "none.pt"))
    with pytest.raises(UsageError, match="no correlation source"):
        facade.effect("sample", config, source="magic")


def test_pairs_are_those_of_a_loop(config: ExperimentConfig, trained: tuple[Path, list[list[np.ndarray]]]) -> None:
    """Representations of the public encoder, one view at a time, and every comparison by hand."""
    from engine.training.stored import stored_model

    found = Augmentations().pairs("sample", config, str(trained[0]), seed=5)
    assert found is not None
    dataset = load("sample")
    split = leave_one_out(dataset)
    model = stored_model(config, dataset, split, trained[0])
    size = config.train.batch_size
    rows = np.random.default_rng(5).permutation(len(split.users))[:size]
    from engine.similarity.source import correlations

    table = correlations(config.replace({"similarity.name": "item_cf"}), split, dataset.item_count).at_epoch(0, None)
    inputs = split.train_inputs.take(rows)
    drawn = int(np.random.SeedSequence([5, 0]).generate_state(1, np.uint64)[0] >> np.uint64(1))
    batch = Augmenter(config, dataset.item_count).views(
        torch.from_numpy(inputs.items.astype(np.int64)),
        torch.from_numpy(inputs.offsets),
        table,
        torch.Generator().manual_seed(drawn),
    )
    assert config.loss.representation in ("real_concat", "padded_concat")
    longest = config.model.max_length  # type: ignore[attr-defined]
    vectors = []
    with torch.no_grad():
        for index in range(2 * size):
            items = batch.items[int(batch.offsets[index]) : int(batch.offsets[index + 1])]
            offsets = torch.tensor([0, len(items)])
            if config.loss.representation == "padded_concat":
                vectors.append(model.encode_padded(items, offsets).flatten())
            else:
                hidden = model.encode(items, offsets)
                vectors.append(torch.nn.functional.pad(hidden, (0, 0, longest - len(hidden), 0)).flatten())
    product = (torch.stack(vectors) @ torch.stack(vectors).T / config.loss.temperature).numpy()
    for user in range(0, size, 7):
        assert found.positives[user] == pytest.approx(product[user, size + user], rel=1e-4, abs=1e-4)
        others = [product[user, other] for other in range(2 * size) if other % size != user]
        assert len(others) == found.others
        assert abs(found.ranks[0, user] - 1 - sum(value > product[user, size + user] for value in others)) <= 0.5
    told = found.summary()
    assert told["chance"] == pytest.approx(1 / (2 * size - 1))
    assert sum(users for _, _, users, _ in found.by_operators()) == size


def test_pairs_end_after_the_last_batch(config: ExperimentConfig, trained: tuple[Path, list[list[np.ndarray]]]) -> None:
    facade = Augmentations()
    assert facade.pairs("sample", config, str(trained[0]), part=10_000) is None
    first, second = (facade.pairs("sample", config, str(trained[0]), part=part) for part in (0, 1))
    assert first is not None
    assert second is not None
    both = first.plus(second)
    assert both.ranks.shape == (2, len(first.positives) + len(second.positives))
    assert not np.array_equal(first.positives, second.positives)
