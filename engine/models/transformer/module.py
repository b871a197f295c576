"""The sequence encoder of SASRec, CL4SRec and CoSeRec (§3.2, FACTS F6): item and position embeddings and the blocks.

Legend: S sequences with T kept tokens in M slots of a layout, d hidden size, I items. The item table has I + 2 rows:
0 is padding, I + 1 the mask token (FACTS F20).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine import registry
from engine.config import ExperimentConfig
from engine.models.output import last_states
from engine.models.transformer.options import TransformerOptions
from engine.models.weights import refuse_misfit
from engine.modules.dropout import Dropout
from engine.modules.encoder import Encoder, EncoderBlock
from engine.modules.kernels.norm import embedded_norm
from engine.modules.layout import Layout, hidden_keys, packed_layout, padded_layout
from engine.modules.linear import reduced_type


class Transformer(nn.Module):
    """SeqEnc(·) of the paper (Eq. 2). The same item table embeds inputs and scores candidates."""

    def __init__(
        self,
        options: TransformerOptions,
        item_count: int,
        *,
        padding_row: Literal["zero", "random"] = "zero",
        hide_padding_items: bool = False,
        generator: torch.Generator | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        """Draw the initial weights with ``generator`` (on the CPU, so that every device starts alike).

        ``hide_padding_items``: items of id 0 inside a sequence are hidden as attention keys (FACTS F10). ``dtype``:
        of the encoder's products, None for the weights' own; weights and hidden states are float32 in any case.
        """
        super().__init__()
        size = options.hidden_size
        self.item_count = item_count
        self.max_length = options.max_length
        self.hide_padding_items = hide_padding_items
        self.item_embedding = nn.Embedding(item_count + 2, size, padding_idx=0)
        self.position_embedding = nn.Embedding(options.max_length, size)
        self.embedding_norm = nn.LayerNorm(size, eps=options.layer_norm_eps)
        self.dropout = Dropout(options.dropout)
        self.encoder = Encoder(
            size,
            layers=options.layers,
            heads=options.heads,
            feed_forward=options.feed_forward,
            dropout=options.dropout,
            activation=options.activation,
            eps=options.layer_norm_eps,
            dtype=dtype,
        )
        self._initialise(options.initializer_range, padding_row, generator)

    @classmethod
    def from_config(cls, config: ExperimentConfig, item_count: int, generator: torch.Generator | None = None) -> Self:
        """The model that ``config`` describes, on the CPU, with fresh weights."""
        options = registry.options_of(registry.entry("model", "transformer"), config.model)
        assert isinstance(options, TransformerOptions)
        return cls(
            options,
            item_count,
            padding_row=config.fidelity.padding_row,
            hide_padding_items=config.fidelity.mask_token == "padding",
            generator=generator,
            dtype=reduced_type(config.train.precision),
        )

    @torch.no_grad()
    def _initialise(self, deviation: float, padding_row: str, generator: torch.Generator | None) -> None:
        """N(0, deviation²) for every weight, 0 for every bias; the padding row never learns (FACTS F14)."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                module.weight.normal_(0, deviation, generator=generator)
                module.bias.zero_()
            elif isinstance(module, nn.Embedding):
                module.weight.normal_(0, deviation, generator=generator)
        if padding_row == "zero":
            self.item_embedding.weight[0].zero_()

    def packed(self, offsets: Tensor, items: Tensor) -> Layout:
        """The packed layout of these sequences: real tokens only. Here and below ``offsets`` lie on the host."""
        return packed_layout(offsets, self.max_length, hidden_items=self._hidden(items), device=items.device)

    def padded(self, offsets: Tensor, items: Tensor) -> Layout:
        """The padded layout of these sequences: ``max_length`` slots each (FACTS F14)."""
        return padded_layout(offsets, self.max_length, hidden_items=self._hidden(items), device=items.device)

    def _hidden(self, items: Tensor) -> Tensor | None:
        return hidden_keys(items) if self.hide_padding_items else None

    def embed(self, items: Tensor, layout: Layout) -> Tensor:
        """dropout(LayerNorm(item + position)) of every slot. items [A] → [M, d]."""
        if items.numel():
            slots = items[layout.token].where(layout.is_real, 0)  # [M]
        else:
            slots = torch.zeros_like(layout.token)
        tables = (self.item_embedding, slots, self.position_embedding, layout.position)
        return embedded_norm(*tables, self.embedding_norm, self.dropout)

    def encode_slots(self, items: Tensor, layout: Layout, slots: Tensor | None = None) -> Tensor:
        """Hidden states in the layout's own order, or of those ``slots`` int64 [K] alone. items [A] → [M, d] or [K, d];
        slots that are not real are undefined (packed), or the published padding positions (padded)."""
        return self.encoder(self.embed(items, layout), layout, slots)

    def outputs(self, hidden: Tensor) -> Tensor:
        """Hidden states as they are multiplied with the item table, [T, d]."""
        return hidden

    def output_table(self) -> Tensor:
        """The item table itself (FACTS F6), [I + 2, d]."""
        return self.item_embedding.weight

    def encode(self, items: Tensor, offsets: Tensor) -> Tensor:
        """Hidden states of the kept tokens, sequence by sequence. items [A], offsets [S + 1] → [T, d]."""
        layout = self.packed(offsets, items)
        return F.embedding(layout.token_slots(), self.encode_slots(items, layout))

    def encode_padded(self, items: Tensor, offsets: Tensor) -> Tensor:
        """Hidden states of all positions, padding included. items [A], offsets [S + 1] → [S, max_length, d]."""
        layout = self.padded(offsets, items)
        hidden = self.encode_slots(items, layout)
        return hidden.view(-1, self.max_length, hidden.shape[1])

    def last(self, items: Tensor, offsets: Tensor) -> Tensor:
        """Hidden state of each sequence's last token: what ranks the next item. [S, d]; empty sequences give 0."""
        return last_states(self, items, offsets)

    def queries(self, items: Tensor, offsets: Tensor) -> Tensor:
        """What scores the items as each sequence's next one: `last`. [S, d]"""
        return self.outputs(self.last(items, offsets))

    def load_published(self, state: Mapping[str, Tensor]) -> None:
        """Take weights named as the authors name them (FACTS F20).

        Raises ``UsageError`` where they do not fit.
        """
        refuse_misfit(self._published_views(), state)
        with torch.no_grad():
            for name, value in self._published_views().items():
                value.copy_(state[name])

    def published_state(self) -> dict[str, Tensor]:
        """Copies of the weights under the authors' names (FACTS F20)."""
        return {name: value.detach().clone() for name, value in self._published_views().items()}

    def _published_views(self) -> dict[str, Tensor]:
        """The authors' names → our parameters, or views into the joint query-key-value weights."""
        names: dict[str, Tensor] = {
            "item_embeddings.weight": self.item_embedding.weight,
            "position_embeddings.weight": self.position_embedding.weight,
            "LayerNorm.weight": self.embedding_norm.weight,
            "LayerNorm.bias": self.embedding_norm.bias,
        }
        for index, block in enumerate(self.encoder.blocks):
            assert isinstance(block, EncoderBlock)
            stem = f"item_encoder.layer.{index}"
            joint = block.attention.query_key_value
            weights, biases = joint.weight.detach().chunk(3), joint.bias.detach().chunk(3)
            for part, weight, bias in zip(("query", "key", "value"), weights, biases, strict=True):
                names[f"{stem}.attention.{part}.weight"] = weight
                names[f"{stem}.attention.{part}.bias"] = bias
            layers: dict[str, nn.Linear | nn.LayerNorm] = {
                "attention.dense": block.attention.dense,
                "attention.LayerNorm": block.attention_norm,
                "intermediate.dense_1": block.feed_forward.widen,
                "intermediate.dense_2": block.feed_forward.narrow,
                "intermediate.LayerNorm": block.output_norm,
            }
            for name, module in layers.items():
                names[f"{stem}.{name}.weight"] = module.weight
                names[f"{stem}.{name}.bias"] = module.bias
        return names
