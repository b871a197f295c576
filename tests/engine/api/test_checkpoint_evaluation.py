"""Stored weights, ours and the authors', give the metrics that training reported."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engine.api.evaluations import Evaluations
from engine.config import ExperimentConfig
from engine.data.dataset import load
from engine.errors import UsageError
from engine.records import TrainingResult
from engine.training import train
from engine.training.listening import Silent

CONFIG = ExperimentConfig().replace(
    {
        "train.epochs": 2,
        "train.device": "cpu",
        "model.hidden_size": 8,
        "model.max_length": 10,
        "train.learning_rate": 0.01,
        "evaluate.ties": "pessimistic",
    }
)
Trained = tuple[Path, Path, TrainingResult]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("trained")
    lines = [f"{user} " + " ".join(str(1 + (user * 3 + step) % 17) for step in range(7)) for user in range(1, 40)]
    shop = folder / "shop.txt"
    shop.write_text("\n".join(lines) + "\n", encoding="utf-8")
    result = train(CONFIG.replace({"data.path": str(shop)}), load(shop), listener=Silent(), directory=folder / "run")
    return shop, folder / "run", result


@pytest.mark.parametrize("split", ["valid", "test"])
@pytest.mark.parametrize("file", ["best.pt", "checkpoint.pt"])
def test_our_weights_give_the_runs_metrics(trained: Trained, file: str, split: str) -> None:
    shop, folder, result = trained
    found = Evaluations().checkpoint(str(shop), str(folder / file), CONFIG, split)  # type: ignore[arg-type]
    assert found == pytest.approx(dict(result.metrics[split]), abs=0)


def test_a_checkpoint_knows_its_configuration(trained: Trained) -> None:
    shop, folder, _ = trained
    found = Evaluations().stored_config(str(folder / "best.pt"))
    assert found == CONFIG.replace({"data.path": str(shop)})


def test_the_authors_names_are_read(trained: Trained, tmp_path: Path) -> None:
    shop, folder, result = trained
    from engine.training import setup
    from engine.training.checkpoint import read_weights

    dataset = load(shop)
    weights = read_weights(folder / "best.pt").values
    model = setup.model(CONFIG, dataset, None, torch.Generator())  # type: ignore[arg-type]
    model.load_state_dict(weights)
    torch.save(model.published_state(), tmp_path / "published.pt")
    found = Evaluations().checkpoint(str(shop), str(tmp_path / "published.pt"), CONFIG)
    assert found == pytest.approx(dict(result.metrics["test"]), abs=0)
    assert Evaluations().stored_config(str(tmp_path / "published.pt")) is None


def test_what_does_not_fit_is_said(trained: Trained, tmp_path: Path) -> None:
    shop, folder, _ = trained
    with pytest.raises(UsageError, match=r"item_embedding\.weight is 19 × 8 in the file, 19 × 16"):
        Evaluations().checkpoint(str(shop), str(folder / "best.pt"), CONFIG.replace({"model.hidden_size": 16}))
    with pytest.raises(UsageError, match="There is no checkpoint"):
        Evaluations().checkpoint(str(shop), str(tmp_path / "none.pt"), CONFIG)
    with pytest.raises(UsageError, match="has no weights"):
        Evaluations().checkpoint(str(shop), str(folder / "best.pt"), CONFIG.replace({"model.name": "popularity"}))


def test_weights_of_other_data_are_refused_even_where_their_shape_fits(trained: Trained, tmp_path: Path) -> None:
    shop, folder, _ = trained
    other = tmp_path / "other.txt"
    other.write_text(shop.read_text(encoding="utf-8").replace("1 4 ", "1 5 "), encoding="utf-8")
    with pytest.raises(UsageError, match="trained on other data"):
        Evaluations().checkpoint(str(other), str(folder / "best.pt"), CONFIG)
