"""Correlated items: what stands behind Substitute and Insert, one similarity beside the other."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from engine import registry
from engine.config import ExperimentConfig, parse
from engine.errors import UsageError
from engine.records import (
    ItemRecord,
    NeighbourColumn,
    NeighbourComparison,
    NeighbourList,
    NeighbourRecord,
    NeighbourSummary,
    UsedWeights,
)
from engine.records.weights import HEADS, weights_cells

if TYPE_CHECKING:
    from engine.api.runs import Runs
    from engine.api.stored_weights import WeightsFile
    from engine.data.dataset import Dataset
    from engine.similarity.neighbours import Neighbours as Found

MOST = 1000
"""Neighbours that can be asked for at once."""
MEMORY, MODEL, HYBRID = "item_cf", "embedding", "hybrid"
"""The three of Eq. 9, 10 and 11."""
_KEPT = 50  # neighbours of every item that stay in memory, so that the next look-up is instant

Counted = Literal["inputs", "training"]


class Neighbours:
    """Facade over ``engine.similarity``. ``runs`` is where the stored runs of a model-based part come from."""

    def __init__(self, runs: Runs | None = None) -> None:
        self._runs = runs

    def of(
        self, path: str, item: str, k: int = 10, similarity: str = MEMORY, config: ExperimentConfig | None = None
    ) -> NeighbourList:
        """The ``k`` best neighbours of ``item``, an id of the file. ``config`` says which items count (FACTS F15).

        ``users`` of item and neighbours is |N(i)| of Eq. 9: users with the item in what is counted. Raises
        ``DataError`` for a bad file and ``UsageError`` for an unknown item, a k below 1 or above 1000, or a similarity
        that needs a trained model.
        """
        found = self.compare(path, item, k, (similarity,), config=config)
        column = found.columns[0]
        return NeighbourList(found.item, similarity, column.neighbours, column.note)

    def compare(
        self,
        path: str,
        item: str,
        k: int = 10,
        similarities: Sequence[str] = (),
        *,
        run: str = "",
        checkpoint: str = "",
        config: ExperimentConfig | None = None,
    ) -> NeighbourComparison:
        """The ``k`` best neighbours of ``item`` under each similarity, and whose list the hybrid takes (Eq. 11).

        The model's side are the item embeddings of a stored ``run`` or of a file of weights, ``checkpoint``; without
        ``similarities``, Eq. 9 alone or, where there is a model, Eq. 9, 10 and 11. ``config`` holds the switches of
        FACTS F15 and F16; None takes those that the weights' run was trained with. Scores are as training computes them
        from these embeddings. Raises as `of` does, and ``UsageError`` for weights that cannot be read or are of other
        data. Imports torch only where a model takes part.
        """
        from engine.data.dataset import load

        if not 1 <= k <= MOST:
            raise UsageError(f"{k} neighbours cannot be shown.", f"Ask for 1 to {MOST}.")
        source = self._source(run, checkpoint)
        names = tuple(dict.fromkeys(similarities)) or ((MEMORY, MODEL, HYBRID) if source else (MEMORY,))
        announced = [registry.entry("similarity", name) for name in names]
        _refuse_without_model(announced, source)
        dataset = load(path)
        dense = dataset.item_id(item)
        sides = _Sides(dataset, source, config, max(k, _KEPT))
        model = sides.model_of(dense) if source else None
        columns = []
        for entry in announced:
            if not entry.facts["uses_model"]:
                records = _listed(dataset, sides.memory(entry.name), dense, k)
            else:
                assert model is not None
                records = model.hybrid(k) if entry.facts["uses_memory"] else model.neighbours(k)
            note = _note(records, k, entry.facts["uses_model"])
            columns.append(NeighbourColumn(entry.name, entry.label, entry.help, records, note))
        return NeighbourComparison(
            item=ItemRecord(str(dataset.item_ids[dense]), dataset.title(dense), int(sides.memory(MEMORY).users[dense])),
            columns=tuple(columns),
            choice=model.choice() if model is not None else None,
            source=run or checkpoint,
            correlation_items=sides.fidelity.correlation_items,
            hybrid_candidates=sides.fidelity.hybrid_candidates,
            missing_neighbour=sides.fidelity.missing_neighbour,
            weights=sides.weights(),
        )

    def summary(
        self,
        path: str,
        similarities: Sequence[str] = (),
        *,
        run: str = "",
        checkpoint: str = "",
        config: ExperimentConfig | None = None,
    ) -> NeighbourSummary:
        """Every item's best score under each similarity but the hybrid, and how often the hybrid takes which side.

        Arguments and errors are those of `compare`.
        """
        from engine.data.dataset import load
        from engine.similarity.top_scores import top_scores

        source = self._source(run, checkpoint)
        names = tuple(dict.fromkeys(similarities)) or ((MEMORY, MODEL) if source else (MEMORY,))
        announced = [registry.entry("similarity", name) for name in names]
        _refuse_without_model(announced, source)
        dataset = load(path)
        sides = _Sides(dataset, source, config, _KEPT)
        tops = []
        for entry in announced:
            if entry.facts["uses_memory"] and entry.facts["uses_model"]:
                continue
            best = sides.model_best() if entry.facts["uses_model"] else sides.memory(entry.name).best
            tops.append(top_scores(entry.name, entry.label, best))
        taken = sides.taken() if source else None
        return NeighbourSummary(dataset.item_count, tuple(tops), taken, run or checkpoint, sides.weights())

    def export(self, found: NeighbourComparison, destination: Path) -> Path:
        """Write every column to ``destination`` as CSV, one line a neighbour, numbers unrounded; whole or not at all.

        Raises ``UsageError`` when the disk refuses it.
        """
        from engine.runs.files import writing

        with writing(destination, UsageError) as stream:
            stream.write(as_csv(found).encode("utf-8"))
        return destination

    def csv(self, found: NeighbourComparison) -> str:
        """What `export` writes, as text; reads nothing."""
        return as_csv(found)

    def _source(self, run: str, checkpoint: str) -> WeightsFile | None:
        """The file of weights that is meant. Raises ``UsageError``."""
        from engine.api.stored_weights import meant

        return meant(self._runs, run, checkpoint)


class _Sides:
    """The two sides of Eq. 11 for one data set and one configuration."""

    def __init__(self, dataset: Dataset, source: WeightsFile | None, config: ExperimentConfig | None, k: int) -> None:
        self.dataset, self.source, self.k = dataset, source, k
        self.table: Any = None
        if source is not None:
            from engine.api.item_tables import item_table

            self.table = item_table(source.path, dataset)
            if config is None and self.table.config:
                config = parse(self.table.config)
        self._config = config or ExperimentConfig()
        self.fidelity = self._config.fidelity

    def weights(self) -> UsedWeights | None:
        """Whose embeddings the model's side are."""
        return self.source.used(self.table.epoch, self.table.is_best) if self.source is not None else None

    def memory(self, similarity: str) -> Found:
        """Top-k of every item by a similarity that no model takes part in."""
        entry = registry.entry("similarity", similarity)
        options = registry.options_of(entry, self._config.similarity)
        return _memory(self.dataset, similarity, options, self.fidelity.correlation_items, self.k)

    def _ranked(self) -> Any:
        from engine.api.item_tables import model_neighbours

        return model_neighbours(self.table, self.fidelity.hybrid_candidates, self.k)

    def model_of(self, item: int) -> Any:
        """Both sides of one item."""
        from engine.api.hybrid_choice import ItemSides

        return ItemSides(
            self.dataset, item, self.memory(MEMORY), self._ranked(), self.fidelity.missing_neighbour, self._shared(item)
        )

    def model_best(self) -> Any:
        """Every item's best model-based score."""
        from engine.api.hybrid_choice import best_of_model

        return best_of_model(self._ranked())

    def taken(self) -> dict[str, int]:
        """Items by the side whose list the hybrid takes."""
        from engine.api.hybrid_choice import taken

        return taken(self.memory(MEMORY), self._ranked(), self.fidelity.missing_neighbour)

    def _shared(self, item: int) -> Any:
        """Users who have both ``item`` and another, [rows]."""
        chosen, by_item = _who_has_what(self.dataset, self.fidelity.correlation_items)
        return (by_item[[item]] @ chosen).toarray()[0].astype(int)


def _refuse_without_model(announced: Sequence[registry.Entry], source: WeightsFile | None) -> None:
    for entry in announced:
        if entry.facts["uses_model"] and source is None:
            raise UsageError(
                f"'{entry.label}' needs a trained model's item embeddings.",
                f"Name a run or a file of weights, or choose the memory-based similarity ({MEMORY}).",
            )


@lru_cache(maxsize=6)
def _memory(dataset: Dataset, similarity: str, options: registry.Options, counted: Counted, k: int) -> Found:
    from engine.data.splits import LeaveOneOut

    sequences = LeaveOneOut(dataset.sequences).correlation_sequences(counted)
    count = registry.entry("similarity", similarity).facts["neighbours"]
    found: Found = count(sequences, dataset.item_count, k, options)
    return found


@lru_cache(maxsize=2)
def _who_has_what(dataset: Dataset, counted: Counted) -> tuple[Any, Any]:
    from engine.data.splits import LeaveOneOut
    from engine.similarity.counting import who_has_what

    chosen = who_has_what(LeaveOneOut(dataset.sequences).correlation_sequences(counted), dataset.item_count)
    return chosen, chosen.T.tocsr()


def _listed(dataset: Dataset, found: Found, item: int, k: int) -> tuple[NeighbourRecord, ...]:
    ids = found.ids[item, :k]
    ids = ids[ids > 0]
    scores, normalised = found.scores[item].tolist(), found.normalised_of(item).tolist()
    return tuple(
        NeighbourRecord(
            item=str(dataset.item_ids[other]),
            title=dataset.title(other),
            score=scores[place],
            normalised=normalised[place],
            shared_users=0 if found.shared is None else int(found.shared[item, place]),
            users=int(found.users[other]),
        )
        for place, other in enumerate(ids.tolist())
    )


def _note(records: tuple[NeighbourRecord, ...], k: int, uses_model: bool) -> str:
    if not records and uses_model:
        return "It has no neighbour here: a random item stands in for one."
    if not records:
        return "No user has this item together with another one in what is counted: it has no neighbour."
    if len(records) < k:
        return f"It has no more than {len(records)} neighbour{'' if len(records) == 1 else 's'}."
    return ""


def as_csv(found: NeighbourComparison) -> str:
    """Every column of a comparison, one line a neighbour, numbers unrounded, with the run, epoch and state of the
    weights."""
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    heads = ("item", "similarity", "rank", "neighbour", "title", "score", "normalised", "shared_users", "users")
    writer.writerow((*heads, "hybrid_takes", *HEADS))
    taken = found.choice.taken if found.choice else ""
    for column in found.columns:
        for rank, row in enumerate(column.neighbours, 1):
            numbers = (row.score, row.normalised, row.shared_users, row.users)
            head = (found.item.item, column.similarity, rank, row.item, row.title)
            writer.writerow((*head, *numbers, taken, *weights_cells(found.weights)))
    return text.getvalue()
