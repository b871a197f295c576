"""Augmented views of a user's sequence, made by the code that trains on them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from engine import config as configuration
from engine import registry
from engine.config import ExperimentConfig
from engine.errors import UsageError
from engine.records import AugmentationPreview, AugmentedView, SequenceToken, TokenKind, ViewToken

if TYPE_CHECKING:
    from engine.augment.preview import ViewArrays
    from engine.data.dataset import Dataset
    from engine.similarity.table import NeighbourTable

POLICY = "policy"
"""The ``operator`` that draws operators as Eq. 12 says."""

MASK, PADDING = "[mask]", "[padding]"
"""Item and title of a token that is no item of the file: what Mask writes (FACTS F10)."""


class Augmentations:
    """Facade over ``engine.augment``."""

    def preview(
        self, path: str, user: str, config: ExperimentConfig, operator: str = POLICY, seed: int = 1, views: int = 2
    ) -> AugmentationPreview:
        """``views`` views of the user's training input. ``operator`` is ``policy`` (Eq. 12) or one operator's name.

        Correlated items are those of the first epoch; a hybrid shows its memory-based part, which is all there is
        before a model is trained (Algorithm 1, lines 2–5). A masked token's item is ``[mask]``, or ``[padding]`` where
        Mask writes that. Raises ``DataError`` for a bad file and ``UsageError`` for an unknown user or operator, a
        user without training input, or a similarity that needs a trained model.
        """
        from engine.augment.preview import preview
        from engine.data.dataset import load
        from engine.data.splits import SHORTEST, LeaveOneOut

        names = _operator_names(config, operator)
        dataset = load(path)
        row = dataset.user_row(user)
        split = LeaveOneOut(dataset.sequences.take(_rows(row)))
        if not len(split.train_inputs):
            raise UsageError(
                f"User '{user}' has {int(dataset.sequences.lengths[row])} items and so no training input.",
                f"Pick a user with at least {SHORTEST}.",
            )
        items = split.train_inputs[0]
        table = _neighbours(dataset, config, names)
        shown = preview(config, items, dataset.item_count, table, operator, seed, views)
        return AugmentationPreview(
            user=str(dataset.user_ids[row]),
            original=tuple(SequenceToken(*_named(dataset, item)) for item in items.tolist()),
            branch=shown.branch,
            short_length=shown.short_length,
            views=tuple(_view(dataset, view) for view in shown.views),
            seed=seed,
        )


def _operator_names(config: ExperimentConfig, operator: str) -> tuple[str, ...]:
    """The operators that a preview may use. Raises ``UsageError`` for one that does not exist."""
    known = {found.name: str(found.facts["letter"]) for found in registry.entries("operator")}
    if operator == POLICY:
        letters = config.augment.short_operators + config.augment.long_operators
        return tuple(name for name, letter in known.items() if letter in letters)
    if operator not in known:
        raise UsageError(f"There is no operator called '{operator}'.", f"Known: {', '.join((POLICY, *known))}.")
    return (operator,)


def _rows(row: int) -> Any:
    import numpy as np

    return np.array([row])


def _neighbours(dataset: Dataset, config: ExperimentConfig, names: tuple[str, ...]) -> NeighbourTable:
    """The first epoch's table; an empty one where no operator looks anything up."""
    if not any(registry.entry("operator", name).facts.get("looks_up") for name in names):
        from engine.similarity.table import NeighbourTable

        return NeighbourTable.empty(dataset.rows)
    # Only what correlations depend on is part of the key, so that moving another control finds the table made before.
    plain = ExperimentConfig(similarity=config.similarity, fidelity=config.fidelity)
    first = max(1, config.similarity.hybrid_after_epoch)
    return _first_table(dataset, plain.replace({"similarity.hybrid_after_epoch": first}).model_dump_json())


@lru_cache(maxsize=4)
def _first_table(dataset: Dataset, config: str) -> NeighbourTable:
    from engine.data.splits import LeaveOneOut
    from engine.similarity.source import correlations

    found = correlations(configuration.parse(config), LeaveOneOut(dataset.sequences), dataset.item_count)
    return found.at_epoch(0, None)


def _view(dataset: Dataset, view: ViewArrays) -> AugmentedView:
    looked_up = (TokenKind.SUBSTITUTED, TokenKind.INSERTED)
    arrays = (view.items.tolist(), view.sources.tolist(), view.kinds.tolist(), view.scores.tolist())
    tokens = tuple(
        ViewToken(*_named(dataset, item), source, TokenKind(kind), score if kind in looked_up else None)
        for item, source, kind, score in zip(*arrays, strict=True)
    )
    return AugmentedView(
        operator=view.operator.label,
        letter=str(view.operator.facts["letter"]),
        tokens=tokens,
        offsets=(0, len(tokens)),
        dropped=tuple(view.dropped.tolist()),
        reordered=view.reordered,
        note=view.note,
    )


def _named(dataset: Dataset, item: int) -> tuple[str, str]:
    """Id in the file and title of a dense id."""
    if item == 0:
        return PADDING, PADDING
    return (MASK, MASK) if item == dataset.mask_id else (str(dataset.item_ids[item]), dataset.title(item))
