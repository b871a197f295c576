"""Augmented views of a user's sequence, made by the code that trains on them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from engine import config as configuration
from engine import registry
from engine.config import ExperimentConfig
from engine.errors import UsageError
from engine.records import (
    AugmentationEffect,
    AugmentationPreview,
    AugmentedView,
    PairSimilarities,
    SequenceToken,
    TokenKind,
    UsedWeights,
    ViewToken,
)

if TYPE_CHECKING:
    from engine.api.runs import Runs
    from engine.api.stored_weights import WeightsFile
    from engine.augment.preview import ViewArrays
    from engine.data.dataset import Dataset
    from engine.data.splits import LeaveOneOut
    from engine.similarity.table import NeighbourTable

POLICY = "policy"
"""The ``operator`` that draws operators as Eq. 12 says."""

SOURCES = ("memory", "model", "hybrid")
PART = 16384
"""Users that are counted at once."""


class Augmentations:
    """Facade over ``engine.augment``. ``runs`` is where the stored runs of an encoder come from."""

    def __init__(self, runs: Runs | None = None) -> None:
        self._runs = runs

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
        from engine.data.splits import LeaveOneOut

        names = _operator_names(config, operator)
        dataset = load(path)
        row = dataset.user_row(user)
        split = LeaveOneOut(dataset.sequences.take(_rows(row)))
        if not len(split.train_inputs):
            raise _no_input(dataset, user, row)
        items = split.train_inputs[0]
        table = _neighbours(dataset, config, names)
        shown = preview(config, items, dataset.item_count, table, operator, seed, views)
        return AugmentationPreview(
            user=str(dataset.user_ids[row]),
            original=tuple(SequenceToken(*dataset.named(item)) for item in items.tolist()),
            branch=shown.branch,
            short_length=shown.short_length,
            views=tuple(_view(dataset, view) for view in shown.views),
            seed=seed,
        )

    def in_training(self, path: str, user: str, config: ExperimentConfig, epoch: int = 0) -> AugmentationPreview:
        """The two views that a run of ``config`` makes of the user in its zero-based ``epoch``, seed ``train.seed``.

        The run's batches up to the user's are planned again. Raises ``UsageError`` as `preview` does, for an epoch
        whose correlations follow the model in training, for a user that the run leaves out, and where λ = 0.
        """
        import numpy as np

        from engine.augment.preview import view_of
        from engine.data.dataset import load
        from engine.training.replay import replay

        dataset = load(path)
        split = _split(dataset)
        row = dataset.user_row(user)
        place = int(np.searchsorted(split.users, row))
        if place == len(split.users) or split.users[place] != row:
            raise _no_input(dataset, user, row)
        items = split.train_inputs[place]
        found = replay(config, dataset, split, place, epoch)
        shown = [
            view_of(found.augmenter, found.views, index, len(items), found.first)
            for index in (found.place, found.users + found.place)
        ]
        return AugmentationPreview(
            user=str(dataset.user_ids[row]),
            original=tuple(SequenceToken(*dataset.named(item)) for item in items.tolist()),
            branch="short" if len(items) <= config.augment.short_length else "long",
            short_length=config.augment.short_length,
            views=tuple(_view(dataset, view) for view in shown),
            seed=config.train.seed,
        )

    def users_to_count(self, path: str) -> int:
        """How many users `effect` can count: those with a training input."""
        from engine.data.dataset import load

        return len(_split(load(path)).users)

    def effect(
        self,
        path: str,
        config: ExperimentConfig,
        seed: int = 1,
        source: str = "memory",
        checkpoint: str = "",
        first: int = 0,
        count: int | None = None,
        run: str = "",
    ) -> AugmentationEffect:
        """What the policy makes of ``count`` users from the ``first`` on (all by default), two views each.

        ``source`` says where correlated items come from: ``memory``, by the configuration's similarity or, where a
        model takes part in that, its memory-based side; or ``model`` or ``hybrid`` with the item embeddings of a stored
        ``run`` or of a file, ``checkpoint``. Parts that begin at multiples of `PART` add up
        (`AugmentationEffect.plus`) to the same numbers as the whole. Raises ``DataError`` and ``UsageError``.
        """
        from dataclasses import replace

        import numpy as np

        from engine.augment.effect import effect
        from engine.data.dataset import load

        if source not in SOURCES:
            raise UsageError(f"There is no correlation source called '{source}'.", f"Known: {', '.join(SOURCES)}.")
        dataset = load(path)
        split = _split(dataset)
        # Eq. 10 and 11 are compared with Eq. 9.
        config = _memory_based(config) if source == "memory" else config.replace({"similarity.name": "item_cf"})
        memory = _neighbours(dataset, config, _operator_names(config, POLICY))
        table, weights = memory, None
        if source != "memory":
            table, weights = _model_table(dataset, config, source, self._weights(run, checkpoint))
        last = len(split.users) if count is None else min(first + count, len(split.users))
        parts = [
            effect(
                config,
                split.train_inputs.take(np.arange(begin, min(begin + PART, last))),
                dataset.item_count,
                table,
                _mixed(seed, begin),
                source,
                memory,
            )
            for begin in range(first, max(last, first + 1), PART)
        ]
        whole = parts[0]
        for part in parts[1:]:
            whole = whole.plus(part)
        return replace(whole, weights=weights)

    def pairs(
        self, path: str, config: ExperimentConfig, checkpoint: str = "", seed: int = 1, part: int = 0, run: str = ""
    ) -> PairSimilarities | None:
        """How alike the two views of a user are under the encoder of ``run`` or of the file ``checkpoint``, beside
        views of other users.

        One batch (``part``) of the users in a random order; None after the last. The views are made as
        ``config.augment`` and ``config.fidelity`` say; representation, similarity, temperature, batch size and model
        are those of the weights' own run. Raises ``DataError`` and ``UsageError``.
        """
        from dataclasses import replace

        from engine.data.dataset import load
        from engine.training.pairs import pairs

        dataset = load(path)
        file = self._weights(run, checkpoint)
        if file is None:
            raise UsageError("Views are compared under a trained encoder.", "Choose a run, or train one.")
        own, model, weights = _encoder(dataset, file, config)
        config = _memory_based(config)
        own = own.model_copy(update={"augment": config.augment, "fidelity": config.fidelity})
        table = _neighbours(dataset, config, _operator_names(config, POLICY))
        found = pairs(model, own, dataset, _split(dataset), table, seed, part)
        return None if found is None else replace(found, weights=weights)

    def _weights(self, run: str, checkpoint: str) -> WeightsFile | None:
        """The file of weights that is meant. Raises ``UsageError``."""
        from engine.api.stored_weights import meant

        return meant(self._runs, run, checkpoint)


def _no_input(dataset: Dataset, user: str, row: int) -> UsageError:
    from engine.data.splits import SHORTEST

    return UsageError(
        f"User '{user}' has {int(dataset.sequences.lengths[row])} items and so no training input.",
        f"Pick a user with at least {SHORTEST}.",
    )


def _mixed(seed: int, begin: int) -> int:
    """A seed for each part of the users."""
    return seed if begin == 0 else (seed * 1_000_003 + begin) % 2**31


@lru_cache(maxsize=2)
def _split(dataset: Dataset) -> LeaveOneOut:
    from engine.data.splits import leave_one_out

    return leave_one_out(dataset)


def _encoder(
    dataset: Dataset, file: WeightsFile, config: ExperimentConfig
) -> tuple[ExperimentConfig, Any, UsedWeights]:
    """Configuration and model of stored weights, and which they are; bare weights take ``config``."""
    try:
        written = file.path.stat().st_mtime_ns
    except OSError:
        raise UsageError(f"There are no weights at {file.source}.", "Train the run, or choose another.") from None
    fallback = config.replace({"data.path": "sample"}).model_dump_json()
    own, model, epoch, is_best = _stored(dataset, str(file.path), written, fallback)
    return own, model, file.used(epoch, is_best)


@lru_cache(maxsize=1)
def _stored(
    dataset: Dataset,
    path: str,
    written: int,  # noqa: ARG001 (part of the key)
    fallback: str,
) -> tuple[ExperimentConfig, Any, int | None, bool | None]:
    from pathlib import Path

    from engine.training.checkpoint import read_weights
    from engine.training.stored import stored_model

    weights = read_weights(Path(path))
    own = configuration.parse(weights.config or fallback)
    model = stored_model(own, dataset, _split(dataset), Path(path))
    return own, model, weights.epoch_from_1, weights.is_best


def _model_table(
    dataset: Dataset, config: ExperimentConfig, source: str, file: WeightsFile | None
) -> tuple[NeighbourTable, UsedWeights]:
    """Eq. 10 or Eq. 11 on the item embeddings of stored weights."""
    if file is None:
        raise UsageError(
            f"The {source} correlation needs a trained run's item embeddings.", "Choose a run, or train one."
        )
    _, model, weights = _encoder(dataset, file, config)
    name = {"model": "embedding", "hybrid": "hybrid"}[source]
    plain = ExperimentConfig(similarity=config.similarity, fidelity=config.fidelity)
    key = plain.replace({"similarity.name": name, "similarity.hybrid_after_epoch": 1}).model_dump_json()
    return _late_table(dataset, key, model), weights


@lru_cache(maxsize=2)
def _late_table(dataset: Dataset, config: str, model: Any) -> NeighbourTable:
    from engine.similarity.source import correlations

    found = correlations(configuration.parse(config), _split(dataset), dataset.item_count)
    # The second epoch after E = 1 is a hybrid one under either rule of the switch (FACTS F16).
    return found.at_epoch(2, model.item_embedding.weight.detach())


def _operator_names(config: ExperimentConfig, operator: str) -> tuple[str, ...]:
    """The operators that a preview may use. Raises ``UsageError`` for one that does not exist."""
    known = {found.name: str(found.facts["letter"]) for found in registry.entries("operator")}
    if operator == POLICY:
        letters = config.augment.short_operators + config.augment.long_operators
        return tuple(name for name, letter in known.items() if letter in letters)
    if operator not in known:
        raise UsageError(f"There is no operator called '{operator}'.", f"Known: {', '.join((POLICY, *known))}.")
    return (operator,)


def _memory_based(config: ExperimentConfig) -> ExperimentConfig:
    """The configuration with a similarity that no model takes part in: its own, or the part of Eq. 9."""
    uses_model = registry.entry("similarity", config.similarity.name).facts["uses_model"]
    return config.replace({"similarity.name": "item_cf"}) if uses_model else config


def _rows(row: int) -> Any:
    import numpy as np

    return np.array([row])


def _neighbours(dataset: Dataset, config: ExperimentConfig, names: tuple[str, ...]) -> NeighbourTable:
    """The first epoch's table; an empty one where no operator looks anything up."""
    if not any(registry.entry("operator", name).facts["looks_up"] for name in names):
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
        ViewToken(*dataset.named(item), source, TokenKind(kind), score if kind in looked_up else None)
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
