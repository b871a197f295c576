"""What every recommender of the registry must do. A new one is tested by being there.

Shapes; gradients reach every parameter; one batch can be over-fitted; save and load; determinism; exact resume.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine import registry
from engine.augment.views import Augmenter
from engine.config import ExperimentConfig, parse
from engine.data.splits import leave_one_out
from engine.errors import ConfigurationError, UsageError
from engine.models.contract import Examples, Interactions, UserSequences
from engine.training import checkpoint, setup, stages, train
from engine.training.cost import rehearse
from engine.training.listening import Silent
from engine.training.replay import replay
from engine.training.stored import stored_model
from engine.training.trainer import Trainer
from tests.engine.training.small import Notes, circles, told

DATA = circles()
MODELS = [entry.name for entry in registry.entries("model")]
TRAINED = [entry.name for entry in registry.entries("model") if entry.facts["trains"]]
VARIANTS: dict[str, list[dict[str, Any]]] = {
    "gru4rec": [{"model.window": 3}, {"model.tied": True, "model.bias": False, "model.layers": 2}],
    "caser": [{"model.targets": 1, "model.prefixes": True, "model.activation": "tanh"}],
    "bert4rec": [{"loss.next_item": "bce"}, {"train.optimiser": "adamw", "train.rate_decay": "linear"}],
    "s3rec": [
        {"train.pretrain_epochs": 2, "model.segment_weight": 0.5},
        {"train.pretrain_epochs": 1, "model.masked_item_loss": "next_item", "model.pretrain_prefixes": True},
    ],
    "sasrec_original": [{"model.heads": 2, "model.layers": 2}],
    "bpr_mf": [{"train.optimiser": "rmsprop", "train.weight_decay": 1e-3, "train.clip_norm": 1.0}],
}
CASES = [(name, values) for name in TRAINED for values in ({}, *VARIANTS.get(name, []))]
VIEWED = [
    ("transformer", {"loss.contrastive_weight": 0.1, "loss.next_item": "bce"}),
    ("transformer", {"loss.contrastive_weight": 0.1, "loss.representation": "padded_concat"}),
    ("gru4rec", {"loss.contrastive_weight": 0.1, "loss.next_item": "sampled_softmax", "loss.softmax_negatives": 8}),
]
DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
UNREACHED: dict[str, set[str]] = {"s3rec": {"masked_head.weight", "masked_head.bias"}}
"""Parameters that no gradient reaches in training proper, by model: those that pre-training alone learns. What is
pre-trained has none."""


def small(name: str, **values: Any) -> ExperimentConfig:
    """The model at its smallest, without what is random in it but the negatives."""
    fields = registry.entry("model", name).options.model_fields
    tiny = {"hidden_size": 8, "layers": 1, "max_length": 8, "dropout": 0.0, "input_dropout": 0.0, "window": 0}
    tiny["window"] = 4 if name == "caser" else 0
    chosen = {f"model.{key}": value for key, value in tiny.items() if key in fields}
    trained = {"train.epochs": 3, "train.batch_size": 32, "train.device": "cpu", "train.learning_rate": 0.01}
    base = {"model.name": name, "loss.contrastive_weight": 0.0, "loss.next_item": "cross_entropy"}
    base["train.pretrain_epochs"] = 0
    return ExperimentConfig().replace(base).replace(chosen | trained | values)


def a_trainer(config: ExperimentConfig, tmp_path: Path) -> Trainer:
    trainer = Trainer(config, DATA, listener=Silent(), directory=tmp_path)
    trainer.model = setup.model(config, DATA, trainer.split, trainer.generators.initial).to(trainer.device)
    trainer._prepare()
    trainer.model.train()
    return trainer


def label(case: Any) -> str:
    return case if isinstance(case, str) else "-".join(f"{key.split('.')[1]}={value}" for key, value in case.items())


@pytest.mark.parametrize("name", MODELS)
def test_every_user_gets_a_score_for_every_item(name: str) -> None:
    config, split = small(name), leave_one_out(DATA)
    model = setup.model(config, DATA, split, torch.Generator().manual_seed(1))
    scorer = setup.scorer(config, DATA, split, "test", model, torch.device("cpu"))
    rows = np.arange(3, 20, dtype=np.int64)
    scores = torch.cat(list(scorer(rows)))
    assert scores.shape == (17, DATA.item_count + 2)
    assert torch.isfinite(scores).all()
    # Users do not depend on who is ranked beside them.
    assert torch.allclose(scores[4:5], next(scorer(rows[4:5])), atol=1e-5)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("name", "values"), CASES, ids=label)
def test_gradients_reach_every_parameter(name: str, values: dict[str, Any], device: str, tmp_path: Path) -> None:
    trainer = a_trainer(small(name, **values, **{"train.device": device}), tmp_path)
    before = {key: value.detach().clone() for key, value in trainer.model.named_parameters()}
    reached = set()
    planned = stages.plans(trainer.config)
    for plan in planned:
        trainer._enter(plan)
        losses = trainer._step(trainer.data.batch(trainer.data.of_users(trainer.rows)[:40]))
        assert losses.shape == (len(trainer.objectives),)
        assert torch.isfinite(losses).all()
        for key, parameter in trainer.model.named_parameters():
            if parameter.grad is not None and parameter.grad.any():
                reached.add(key)
                assert not torch.equal(parameter, before[key]), key
    assert set(before) - reached == (UNREACHED.get(name, set()) if len(planned) == 1 else set())


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("name", "values"), CASES, ids=label)
def test_one_batch_can_be_learnt_by_heart(name: str, values: dict[str, Any], device: str, tmp_path: Path) -> None:
    rate = 0.005 if hasattr(small(name).model, "heads") else 0.02  # attention wants the smaller steps
    wide = {"train.device": device, "train.learning_rate": rate, "train.rate_decay": "none"}
    if hasattr(small(name).model, "hidden_size"):
        wide["model.hidden_size"] = 32
    heart = {"model.mask_rate": 0.2, "model.last_only": 1.0} if name == "bert4rec" else {}
    trainer = a_trainer(small(name, **(values | wide | heart)), tmp_path)
    trainer._enter(stages.plans(trainer.config)[-1])
    batch = trainer.data.batch(trainer.data.of_users(trainer.rows)[:12])
    first = float(trainer._step(batch))
    for _ in range(150):
        last = float(trainer._step(batch))
    assert last < 0.35 * first


@pytest.mark.parametrize(("name", "values"), [*CASES, *VIEWED], ids=label)
def test_runs_repeat_resume_and_are_read_again(name: str, values: dict[str, Any], tmp_path: Path) -> None:
    with_dropout = {f"model.{key}": 0.2 for key in ("dropout", "input_dropout") if hasattr(small(name).model, key)}
    config = small(name, **values, **with_dropout)
    whole = train(config, DATA, listener=Silent(), directory=tmp_path / "whole")
    again = train(config, DATA, listener=Silent(), directory=tmp_path / "again")
    assert told(again.epochs) == told(whole.epochs)
    other = train(config.replace({"train.seed": 2}), DATA, listener=Silent(), directory=tmp_path / "other")
    assert told(other.epochs) != told(whole.epochs)

    steps = a_trainer(config, tmp_path).steps
    stopped = train(config, DATA, listener=Notes(steps + 2), directory=tmp_path / "parts")
    assert stopped.stopped
    assert len(stopped.epochs) == 1
    torch.manual_seed(77)
    resumed = train(config, DATA, listener=Silent(), directory=tmp_path / "parts", resume=True)
    assert told(resumed.epochs) == told(whole.epochs)
    assert resumed.metrics == whole.metrics
    assert np.array_equal(resumed.ranks["test"], whole.ranks["test"])

    split = leave_one_out(DATA)
    model = stored_model(config, DATA, split, tmp_path / "whole" / "best.pt")
    scorer = setup.scorer(config, DATA, split, "test", model, torch.device("cpu"))
    stored = checkpoint.read(tmp_path / "whole" / "best.pt")["model"]
    assert all(torch.equal(value, stored[key]) for key, value in model.state_dict().items())
    found = next(scorer(np.arange(5, dtype=np.int64)))
    assert torch.isfinite(found).all()


@pytest.mark.parametrize("name", TRAINED)
def test_views_are_made_or_refused_with_a_reason(name: str, tmp_path: Path) -> None:
    facts = registry.entry("model", name).facts
    if not facts["views"]:
        with pytest.raises(ConfigurationError, match="no views") as refused:
            small(name).replace({"loss.contrastive_weight": 0.1})
        assert refused.value.field == "loss.contrastive_weight"
        assert ExperimentConfig().replace({"model.name": name}).loss.contrastive_weight == 0
        return
    config = small(name, **{"loss.contrastive_weight": 0.1})
    result = train(config, DATA, listener=Silent(), directory=tmp_path)
    assert set(result.epochs[0].losses) == {"next_item", "contrastive", "total"}
    if not facts["padded"]:
        with pytest.raises(ConfigurationError, match=r"padding|real positions") as refused:
            config.replace({"loss.representation": "padded_concat"})
        assert refused.value.field == "loss.representation"


@pytest.mark.parametrize("name", [name for name in TRAINED if registry.entry("model", name).facts["views"]])
def test_masked_items_are_hidden_as_announced(name: str) -> None:
    """With the mask written as padding, what stands in its place must not reach the others' states (FACTS F10)."""
    hides = registry.entry("model", name).facts["hides"]
    tree = small(name, **{"loss.contrastive_weight": 0.1}).model_dump(mode="json")
    tree["fidelity"]["mask_token"] = "padding"
    model = registry.entry("model", name).load().from_config(parse(tree), DATA.item_count)
    items, offsets = torch.tensor([3, 0, 5]), torch.tensor([0, 3])
    with torch.no_grad():
        before = model.eval().encode_slots(items, layout := model.packed(offsets, items))[layout.is_real]
        model.item_embedding.weight[0] += torch.linspace(-9, 9, model.item_embedding.embedding_dim)
        after = model.encode_slots(items, model.packed(offsets, items))[layout.is_real]
    assert torch.allclose(before[-1], after[-1]) == hides


def test_a_sample_of_users_is_ranked_with_their_own_vectors(tmp_path: Path) -> None:
    config = small("bpr_mf", **{"evaluate.validation_users": 30})
    trainer = a_trainer(config, tmp_path)
    rows = trainer.split.sampled_rows(30)
    with torch.no_grad():
        expected = trainer.model.user_embedding.weight[rows] @ trainer.model.item_embedding.weight.t()
    assert torch.allclose(next(trainer.scorers["valid"](np.arange(30, dtype=np.int64))), expected, atol=1e-5)
    assert not np.array_equal(rows, np.arange(30))


def examples_of_a_user(kind: Examples, length: int) -> int:
    """By the words of the contract, for a training part of so many items: where a window can end."""
    if isinstance(kind, UserSequences):
        return 1
    if isinstance(kind, Interactions):
        return length
    least = kind.targets + (1 if kind.prefixes else kind.inputs)
    return max(1, sum(end >= least for end in range(1, length + 1)))


@pytest.mark.parametrize("name", MODELS)
def test_its_cost_is_foretold(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.training.cost._STEPS", 1)
    found = rehearse(small(name), DATA)
    if name not in TRAINED:
        assert found.steps == 0
        return
    lengths = leave_one_out(DATA).training_part.lengths
    kind = getattr(a_trainer(small(name), tmp_path).model, "examples", UserSequences())
    assert found.steps == -(-sum(examples_of_a_user(kind, length) for length in lengths.tolist()) // 32)
    assert found.train_seconds > 0
    assert found.memory > 0


def test_views_are_foretold_where_they_are_those_of_whole_sequences(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"loss.contrastive_weight": 0.1, "similarity.name": "item_cf"}
    config, split = small("bert4rec", **asked), leave_one_out(DATA)
    made: list[torch.Tensor] = []
    views = Augmenter.views

    def noted(self: Augmenter, *arguments: Any) -> Any:
        found = views(self, *arguments)
        made.append(found.ragged.items)
        return found

    monkeypatch.setattr(Augmenter, "views", noted)
    train(config.replace({"train.epochs": 1}), DATA, listener=Silent(), directory=tmp_path)
    trained = list(made)
    made.clear()
    replay(config, DATA, split, row=7, epoch=0)
    assert made
    assert all(torch.equal(one, other) for one, other in zip(made, trained, strict=False))
    with pytest.raises(UsageError, match="windows"):
        replay(small("gru4rec", **asked, **{"model.window": 3}), DATA, split, row=7, epoch=0)
