"""Correlated items: what stands behind Substitute and Insert."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from engine import registry
from engine.config import ExperimentConfig
from engine.errors import UsageError
from engine.records import ItemRecord, NeighbourList, NeighbourRecord

if TYPE_CHECKING:
    from engine.data.dataset import Dataset
    from engine.similarity.neighbours import Neighbours as Found

MOST = 1000
"""Neighbours that can be asked for at once."""
_KEPT = 50  # neighbours of every item that stay in memory, so that the next look-up is instant


class Neighbours:
    """Facade over ``engine.similarity``."""

    def of(
        self, path: str, item: str, k: int = 10, similarity: str = "item_cf", config: ExperimentConfig | None = None
    ) -> NeighbourList:
        """The ``k`` best neighbours of ``item``, an id of the file. ``config`` says which items count (FACTS F15).

        ``users`` of item and neighbours is |N(i)| of Eq. 9: users with the item in what is counted. Raises
        ``DataError`` for a bad file and ``UsageError`` for an unknown item, a k below 1 or above 1000, or a similarity
        that needs a trained model.
        """
        from engine.data.dataset import load

        if not 1 <= k <= MOST:
            raise UsageError(f"{k} neighbours cannot be shown.", f"Ask for 1 to {MOST}.")
        announced = registry.entry("similarity", similarity)
        if announced.facts["uses_model"]:
            raise UsageError(
                f"'{announced.label}' needs a trained model's item embeddings.",
                "Choose the memory-based similarity (item_cf), or train first.",
            )
        dataset = load(path)
        dense = dataset.item_id(item)
        counted = (config or ExperimentConfig()).fidelity.correlation_items
        found = _memory(dataset, similarity, counted, max(k, _KEPT))
        return _listed(dataset, found, dense, k, similarity)


@lru_cache(maxsize=2)
def _memory(dataset: Dataset, similarity: str, counted: Literal["inputs", "training"], k: int) -> Found:
    from engine.data.splits import LeaveOneOut

    sequences = LeaveOneOut(dataset.sequences).correlation_sequences(counted)
    found: Found = registry.entry("similarity", similarity).facts["neighbours"](sequences, dataset.item_count, k)
    return found


def _listed(dataset: Dataset, found: Found, item: int, k: int, similarity: str) -> NeighbourList:
    ids = found.ids[item, :k]
    ids = ids[ids > 0]
    scores, normalised = found.scores[item].tolist(), found.normalised_of(item).tolist()
    records = tuple(
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
    note = ""
    if not records:
        note = "No user has this item together with another one in what is counted: it has no neighbour."
    elif len(records) < k:
        note = f"It has no more than {len(records)} neighbour{'' if len(records) == 1 else 's'}."
    self_ = ItemRecord(str(dataset.item_ids[item]), dataset.title(item), int(found.users[item]))
    return NeighbourList(self_, similarity, records, note)
