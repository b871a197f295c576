"""The encoder's initial weights and the authors' names (FACTS F6, F14, F20)."""

from __future__ import annotations

import pytest
import torch

from engine.config import preset
from engine.errors import UsageError
from engine.models.transformer.module import Transformer
from engine.models.transformer.options import TransformerOptions
from tests.engine.models.scored import scores_of

OPTIONS = TransformerOptions(hidden_size=8, heads=2, max_length=6)
BLOCK = [
    "attention.query",
    "attention.key",
    "attention.value",
    "attention.dense",
    "attention.LayerNorm",
    "intermediate.dense_1",
    "intermediate.dense_2",
    "intermediate.LayerNorm",
]


def a_model(seed: int = 1, options: TransformerOptions = OPTIONS) -> Transformer:
    return Transformer(options, 10, generator=torch.Generator().manual_seed(seed)).eval()


def test_published_names_are_those_of_the_authors() -> None:
    stems = ["LayerNorm", *(f"item_encoder.layer.{i}.{part}" for i in (0, 1) for part in BLOCK)]
    expected = {f"{stem}.{kind}" for stem in stems for kind in ("weight", "bias")}
    state = a_model().published_state()
    assert set(state) == expected | {"item_embeddings.weight", "position_embeddings.weight"}
    assert state["item_embeddings.weight"].shape == (12, 8)
    assert state["item_encoder.layer.0.attention.key.weight"].shape == (8, 8)


def test_published_weights_make_the_round_trip_and_the_same_scores() -> None:
    one, other = a_model(1), a_model(2)
    items, offsets = torch.tensor([1, 5, 3, 2, 2]), torch.tensor([0, 3, 5])
    assert not torch.allclose(scores_of(one, items, offsets), scores_of(other, items, offsets))
    other.load_published(one.published_state())
    assert torch.equal(scores_of(one, items, offsets), scores_of(other, items, offsets))
    assert all(torch.equal(value, other.state_dict()[name]) for name, value in one.state_dict().items())


def test_query_key_and_value_go_where_their_names_say() -> None:
    model = a_model()
    state = model.published_state()
    state["item_encoder.layer.1.attention.key.weight"] = torch.full((8, 8), 7.0)
    model.load_published(state)
    joint = model.encoder.blocks[1].attention.query_key_value.weight
    assert (joint[8:16] == 7).all()
    assert not (joint[:8] == 7).any()
    assert not (joint[16:] == 7).any()


def test_a_published_state_is_a_copy() -> None:
    model = a_model()
    for value in model.published_state().values():
        value.zero_()
    assert model.item_embedding.weight.any()


def test_weights_that_do_not_fit_are_refused_by_name() -> None:
    state = a_model().published_state()
    with pytest.raises(UsageError, match=r"missing: LayerNorm\.bias; unknown: head\.weight"):
        a_model().load_published(
            {"head.weight": torch.zeros(1)} | {k: v for k, v in state.items() if k != "LayerNorm.bias"}
        )
    with pytest.raises(UsageError, match=r"item_embeddings\.weight is 9 × 8 in the file, 12 × 8 here"):
        a_model().load_published(state | {"item_embeddings.weight": torch.zeros(9, 8)})
    with pytest.raises(UsageError, match=r"missing: item_encoder\.layer\.2"):
        a_model(options=OPTIONS.model_copy(update={"layers": 3})).load_published(state)


def test_initial_weights_are_normal_and_biases_zero() -> None:
    model = Transformer(TransformerOptions(), 2000, generator=torch.Generator().manual_seed(1))
    for name, value in model.state_dict().items():
        if name.endswith("bias"):
            assert not value.any(), name
        elif "norm" in name:
            assert (value == 1).all(), name
        else:
            assert float(value.std()) == pytest.approx(0.02, rel=0.05), name
            assert abs(float(value.mean())) < 0.002, name


def test_the_configuration_decides_padding_row_and_hidden_masks() -> None:
    for reading, is_random in (("paper", False), ("published", True)):
        model = Transformer.from_config(preset(f"coserec-{reading}").config, 10)
        assert bool(model.item_embedding.weight[0].any()) == is_random
        assert model.hide_padding_items == is_random


def test_scores_are_the_products_with_the_item_table() -> None:
    model = a_model()
    items, offsets = torch.tensor([1, 5, 3, 2, 2]), torch.tensor([0, 3, 5])
    scores = scores_of(model, items, offsets)
    assert scores.shape == (2, 12)
    assert torch.allclose(scores, model.last(items, offsets) @ model.item_embedding.weight.t(), atol=1e-6)
