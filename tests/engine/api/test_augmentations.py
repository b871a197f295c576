"""The facade over augmentation: a user's own ids in, records in the user's own ids out."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from engine import registry
from engine.api.augmentations import Augmentations
from engine.augment.views import Augmenter
from engine.config import ExperimentConfig
from engine.data.dataset import load
from engine.data.splits import LeaveOneOut
from engine.errors import DataError, UsageError
from engine.records import TokenKind
from engine.similarity.source import correlations

SHOP = """\
7 100 30 2000 41 55 60 30
8 30 100 2000 41 99 60
9 100 2000 30
10 41 55 100 30 77 60 99 88 55 41 2000 30
11 5 6 7 100
"""


@pytest.fixture
def shop(tmp_path: Path) -> str:
    path = tmp_path / "shop.txt"
    path.write_text(SHOP, encoding="utf-8")
    return str(path)


def config(**values: Any) -> ExperimentConfig:
    return ExperimentConfig().replace({name.replace("__", "."): value for name, value in values.items()})


def test_a_preview_speaks_the_files_own_ids(shop: str) -> None:
    shown = Augmentations().preview(shop, "7", config(), "crop", views=3)
    assert shown.user == "7"
    assert [token.item for token in shown.original] == ["100", "30", "2000", "41"]
    assert (shown.branch, shown.short_length, shown.seed) == ("short", 4, 1)
    assert len(shown.views) == 3
    for view in shown.views:
        assert (view.operator, view.letter, view.offsets) == ("Crop", "C", (0, 1))
        (token,) = view.tokens
        assert token.item == shown.original[token.source].item
        assert token.kind is TokenKind.KEPT
        assert token.score is None
        assert view.dropped == tuple({0, 1, 2, 3} - {token.source})


def test_k_follows_the_training_input(shop: str) -> None:
    """User 10 has 12 items and a training input of 9 (FACTS F4)."""
    assert Augmentations().preview(shop, "10", config(augment__short_length=9), "mask").branch == "short"
    assert Augmentations().preview(shop, "10", config(augment__short_length=8), "mask").branch == "long"


@pytest.mark.parametrize(("token", "shown_as"), [("mask", "[mask]"), ("padding", "[padding]")])
def test_a_masked_token_says_what_stands_there(shop: str, token: str, shown_as: str) -> None:
    masked = config(augment__mask_rate=1.0, fidelity__mask_token=token)
    view = Augmentations().preview(shop, "7", masked, "mask").views[0]
    assert [(each.item, each.title, each.kind) for each in view.tokens] == [(shown_as, shown_as, TokenKind.MASKED)] * 4


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_it_is_what_training_does(shop: str, seed: int) -> None:
    """The policy's preview, against the batch that training would build of this user alone."""
    chosen = config(augment__short_length=5)
    dataset = load(shop)
    split = LeaveOneOut(dataset.sequences)
    table = correlations(chosen, split, dataset.item_count).at_epoch(0, None)
    items = torch.from_numpy(dataset.sequences[3][:-3].copy())
    generator = torch.Generator().manual_seed(seed)
    augmenter = Augmenter(chosen, dataset.item_count)
    batch = augmenter.views(items, torch.tensor([0, len(items)]), table, generator)
    names = ["[padding]", *dataset.item_ids[1:].tolist(), "[mask]"]
    shown = Augmentations().preview(shop, "10", chosen, seed=seed)
    assert [each.item for view in shown.views for each in view.tokens] == [names[item] for item in batch.items.tolist()]
    scores = [each.score for view in shown.views for each in view.tokens if each.score is not None]
    assert scores == pytest.approx(batch.scores.tolist())


def test_previews_can_be_sent_between_processes(shop: str) -> None:
    shown = Augmentations().preview(shop, "10", config(), "reorder")
    assert pickle.loads(pickle.dumps(shown)) == shown


def test_the_hybrid_shows_its_memory_based_part(shop: str) -> None:
    shown = [
        Augmentations().preview(shop, "10", config(similarity__name=name, similarity__hybrid_after_epoch=0), "insert")
        for name in ("hybrid", "item_cf")
    ]
    assert shown[0] == shown[1]
    assert any(token.kind is TokenKind.INSERTED for token in shown[0].views[0].tokens)


def test_a_similarity_without_a_model_is_refused_only_where_it_is_needed(shop: str) -> None:
    chosen = config(similarity__name="embedding")
    for operator in ("policy", "insert", "substitute"):
        with pytest.raises(UsageError, match="trained model"):
            Augmentations().preview(shop, "7", chosen, operator)
    assert Augmentations().preview(shop, "7", chosen, "mask").views[0].operator == "Mask"
    nothing_looked_up = chosen.replace({"augment.short_operators": "M", "augment.long_operators": "CR"})
    assert Augmentations().preview(shop, "7", nothing_looked_up).views[0].operator == "Mask"


def test_wrong_use_is_one_sentence(shop: str, tmp_path: Path) -> None:
    preview = Augmentations().preview
    with pytest.raises(UsageError, match="no user '12'"):
        preview(shop, "12", config())
    known = ", ".join(("policy", *(found.name for found in registry.entries("operator"))))
    with pytest.raises(UsageError, match="no operator called 'shout'") as caught:
        preview(shop, "7", config(), "shout")
    assert caught.value.hint == f"Known: {known}."
    with pytest.raises(UsageError, match="User '9' has 3 items and so no training input"):
        preview(shop, "9", config())
    with pytest.raises(UsageError, match="no file"):
        preview(str(tmp_path / "absent.txt"), "7", config())
    with pytest.raises(DataError, match="folder"):
        preview(str(tmp_path), "7", config())


def test_the_shortest_training_input_is_augmented(shop: str) -> None:
    shown = Augmentations().preview(shop, "11", config(), views=8)
    assert len(shown.original) == 1
    assert all(view.tokens for view in shown.views)


def test_importing_the_facade_imports_no_torch() -> None:
    code = "import sys, engine.api.augmentations; print('torch' in sys.modules)"
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.strip() == "False"
