"""The data facades in memory: a shop of thirty items and a dozen users, without a file, torch or a process."""

from __future__ import annotations

import random
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np

from engine.api import Workspace
from engine.api.neighbours import as_csv
from engine.config import ExperimentConfig
from engine.data.dataset import Dataset, build
from engine.data.inspection import inspect, place
from engine.errors import DataError, UsageError
from engine.records import (
    AugmentationEffect,
    AugmentationPreview,
    AugmentedView,
    DatasetDetails,
    DatasetSummary,
    HybridChoice,
    ItemRecord,
    Matches,
    NeighbourColumn,
    NeighbourComparison,
    NeighbourList,
    NeighbourRecord,
    NeighbourSummary,
    PairSimilarities,
    SequenceToken,
    TokenKind,
    TopScores,
    UsedWeights,
    UserRecord,
    UserSequence,
    ViewToken,
)
from tests.helpers.fake_runs import FakeRuns, fake_workspace

TITLES = ("Tent for two", "Sleeping bag, three seasons", "Trekking poles", "Head torch", "Gas stove", "Enamel mug")
LENGTHS = (4, 5, 5, 6, 7, 8, 8, 9, 12, 15, 20, 40)
LONELY = "30"
"""The item without a neighbour."""


def title_of(item: str) -> str:
    return f"{TITLES[int(item) % len(TITLES)]} {item}"


def make_summary(path: str = "sample", lengths: tuple[int, ...] = LENGTHS, name: str = "Fake shop") -> DatasetSummary:
    """A summary whose numbers follow from ``lengths``."""
    raw = np.bincount(lengths)
    training = np.bincount([max(length - 3, 0) for length in lengths])
    popularity = np.array(sorted((max(1, sum(lengths) // (3 * rank)) for rank in range(1, 31)), reverse=True))
    return DatasetSummary(
        name=name,
        path=path,
        fingerprint="f00d",
        users=len(lengths),
        items=30,
        actions=sum(lengths),
        average_length=sum(lengths) / len(lengths),
        sparsity=1 - sum(lengths) / (len(lengths) * 30),
        shortest=min(lengths),
        longest=max(lengths),
        raw_lengths=raw,
        training_lengths=training,
        popularity=popularity,
        evaluated_users=len(lengths),
        too_short_users=2,
        users_with_repeats=3,
        repeated_targets=1,
        cold_targets=2,
        has_titles=True,
    )


class FakeDatasets:
    """``wait`` holds every answer back until the test sets it."""

    suffixes = (".coserec", ".txt")

    def __init__(self) -> None:
        self.fails: Exception | None = None
        self.wait: threading.Event | None = None
        self.calls: list[tuple[str, ...]] = []
        self.has_times = True

    def _enter(self, *call: str) -> None:
        self.calls.append(call)
        if self.wait is not None:
            self.wait.wait(10)
        if self.fails is not None:
            raise self.fails
        if Path(call[1]).name == "bad.txt":
            raise DataError("'x7' is not an item id.", "Item ids are whole numbers from 1.", path="bad.txt", line=12)

    def summary(self, path: str) -> DatasetSummary:
        self._enter("summary", path)
        return make_summary(path, name="Fake shop" if path == "sample" else Path(path).name)

    def details(self, path: str) -> DatasetDetails:
        self._enter("details", path)
        return replace(inspect(self._dataset(path)), fingerprint="f00d")

    def placed(self, path: str, user: str) -> UserSequence:
        self._enter("placed", path, user)
        return place(self._dataset(path), user)

    def _dataset(self, path: str) -> Dataset:
        """The fake shop's sequences, with an hour between actions and the same titles as everywhere here."""
        rows = [[int(token.item) for token in self._tokens(n + 1)] for n in range(len(LENGTHS))]
        flat = np.array([item for row in rows for item in row])
        users, offsets = np.arange(1, len(rows) + 1), np.cumsum([0, *LENGTHS])
        made = build(Path(path), users, flat, offsets, {item: title_of(str(item)) for item in flat.tolist()})
        return replace(made, times=np.arange(len(flat)) * 3600 if self.has_times else None)

    def users(self, path: str, text: str = "", limit: int = 200, around: str = "") -> Matches[UserRecord]:
        del around  # a dozen users are all in sight
        self._enter("users", path, text)
        rows = [UserRecord(str(n + 1), length, length - 3) for n, length in enumerate(LENGTHS)]
        found = [row for row in rows if text in row.user]
        return Matches(tuple(found[:limit]), len(found))

    def user_beside(self, path: str, user: str, step: int) -> UserRecord:
        self._enter("user_beside", path, user)
        rows = self.users(path).rows
        place = next((n for n, row in enumerate(rows) if row.user == user), 0)
        return rows[(place + step) % len(rows)]

    def items(self, path: str, text: str = "", limit: int = 200) -> Matches[ItemRecord]:
        self._enter("items", path, text)
        rows = [ItemRecord(str(n), title_of(str(n)), 31 - n) for n in range(1, 31)]
        found = [row for row in rows if text.lower() in row.title.lower() or text in row.item]
        return Matches(tuple(sorted(found, key=lambda row: row.item != text)[:limit]), len(found))

    def sequence(self, path: str, user: str) -> tuple[SequenceToken, ...]:
        self._enter("sequence", path, user)
        if not user.isdigit() or not 1 <= int(user) <= len(LENGTHS):
            raise UsageError(f"There is no user '{user}'.", "Pick one from the list.")
        return self._tokens(int(user))

    @staticmethod
    def _tokens(user: int) -> tuple[SequenceToken, ...]:
        picked = [str((user * 5 + n * 7) % 29 + 1) for n in range(LENGTHS[user - 1])]
        return tuple(SequenceToken(item, title_of(item)) for item in picked)


class FakeNeighbours:
    def __init__(self) -> None:
        self.fails: Exception | None = None
        self.calls: list[tuple[str, int]] = []

    def of(
        self, path: str, item: str, k: int = 10, similarity: str = "item_cf", config: ExperimentConfig | None = None
    ) -> NeighbourList:
        del path, config
        self.calls.append((item, k))
        if self.fails is not None:
            raise self.fails
        if not item.isdigit() or not 1 <= int(item) <= 30:
            raise UsageError(f"There is no item '{item}' in Fake shop.", "Search for it by its title.")
        record = ItemRecord(item, title_of(item), 31 - int(item))
        if item == LONELY:
            return NeighbourList(record, similarity, (), "No user has this item together with another one.")
        others = [str(n) for n in range(1, 30) if str(n) != item][:k]
        rows = tuple(
            NeighbourRecord(other, title_of(other), 4.2 / (rank + 1), 1 / (rank + 1), 30 - rank, 31 - int(other))
            for rank, other in enumerate(others)
        )
        return NeighbourList(record, similarity, rows)

    def compare(
        self,
        path: str,
        item: str,
        k: int = 10,
        similarities: tuple[str, ...] = ("item_cf",),
        *,
        run: str = "",
        config: ExperimentConfig | None = None,
    ) -> NeighbourComparison:
        """The same list in every column; the hybrid takes the model's."""
        found = self.of(path, item, k, config=config)
        columns = tuple(
            NeighbourColumn(name, name, "", found.neighbours[place:], found.note)
            for place, name in enumerate(similarities)
        )
        choice = HybridChoice("model", 0.25, 0.75, "The model's best neighbour scores 0.7500.") if run else None
        counted = config.fidelity.correlation_items if config else "inputs"
        return NeighbourComparison(found.item, columns, choice, run, counted, "items", "keep", _used(run))

    def summary(
        self, path: str, similarities: tuple[str, ...] = (), *, run: str = "", config: ExperimentConfig | None = None
    ) -> NeighbourSummary:
        del path, config
        edges, counts = np.linspace(0, 1, 5), np.array([4, 3, 2, 1])
        names = [name for name in similarities if name != "hybrid"]
        tops = tuple(TopScores(n, n, 12, 2, 0, 1, 0.5, 0.5, edges * 3, counts, edges, counts[::-1]) for n in names)
        return NeighbourSummary(12, tops, {"memory": 3, "model": 9, "none": 0} if run else None, run, _used(run))

    def csv(self, found: NeighbourComparison) -> str:
        return as_csv(found)

    def export(self, found: NeighbourComparison, destination: Path) -> Path:
        # Whole or not there, as the engine writes it: who waits for the file reads it at once.
        beside = destination.with_suffix(".part")
        beside.write_text(as_csv(found), encoding="utf-8")
        return beside.replace(destination)


class FakeAugmentations:
    """Views by simple rules from the seed: enough to have every kind of token."""

    def __init__(self, datasets: FakeDatasets) -> None:
        self.datasets = datasets
        self.calls: list[tuple[str, str, int]] = []
        self.configs: list[ExperimentConfig] = []
        self.epochs: list[int] = []
        self.parts: list[tuple[str, str, int]] = []
        self.fails: Exception | None = None

    def preview(
        self, path: str, user: str, config: ExperimentConfig, operator: str = "policy", seed: int = 1, views: int = 2
    ) -> AugmentationPreview:
        self.calls.append((user, operator, seed))
        self.configs.append(config)
        original = self.datasets.sequence(path, user)[:-3]
        is_short = len(original) <= config.augment.short_length
        letters = {"S": "substitute", "I": "insert", "M": "mask", "C": "crop", "R": "reorder"}
        chosen = random.Random(seed)
        pool = config.augment.short_operators if is_short else config.augment.long_operators
        names = [letters[chosen.choice(pool)] for _ in range(views)] if operator == "policy" else [operator] * views
        made = tuple(make_view(name, original, random.Random(f"{seed}/{n}"), config) for n, name in enumerate(names))
        branch = "short" if is_short else "long"
        return AugmentationPreview(user, original, branch, config.augment.short_length, made, seed)

    def in_training(self, path: str, user: str, config: ExperimentConfig, epoch: int = 0) -> AugmentationPreview:
        self.epochs.append(epoch)
        return self.preview(path, user, config, seed=config.train.seed)

    def users_to_count(self, path: str) -> int:  # noqa: ARG002
        return 3 * 16384

    def effect(
        self,
        path: str,  # noqa: ARG002
        config: ExperimentConfig,  # noqa: ARG002
        seed: int = 1,  # noqa: ARG002
        source: str = "memory",
        checkpoint: str = "",
        first: int = 0,
        count: int | None = None,  # noqa: ARG002
        run: str = "",
    ) -> AugmentationEffect:
        self.parts.append((source, run or checkpoint, first))
        if self.fails is not None:
            raise self.fails
        return AugmentationEffect(
            source=source,
            letters=("C", "I", "M", "R", "S"),
            users=np.array([6, 4]),
            shifts=np.eye(2, 101, 50, dtype=np.int64) * 10,
            kept=np.eye(2, 21, dtype=np.int64) * 10,
            overlap=np.eye(2, 21, dtype=np.int64) * 5,
            operators=np.full((2, 5), 2),
            untouched=np.zeros((2, 5), dtype=np.int64),
            sums=np.array([[1.0, 8.0, 3.0], [2.0, 4.0, 2.0]]),
            looked_up=20,
            stand_ins=1,
            score_sum=10.0,
            unmatched=0,
            differing=0 if source == "memory" else 5,
            weights=_used(run),
        )

    def pairs(
        self,
        path: str,  # noqa: ARG002
        config: ExperimentConfig,  # noqa: ARG002
        checkpoint: str = "",
        seed: int = 1,  # noqa: ARG002
        part: int = 0,
        run: str = "",
    ) -> PairSimilarities | None:
        self.parts.append(("pairs", run or checkpoint, part))
        if part >= 2:
            return None
        return PairSimilarities(
            similarity="dot / τ = 1",
            representation="last",
            letters=("C", "I", "M", "R", "S"),
            others=6,
            positives=np.array([3.0, 4.0, 5.0, 6.0], dtype=np.float32),
            negatives=np.linspace(0, 5, 12, dtype=np.float32),
            ranks=np.array([[1.0, 1.0, 2.0, 1.0], [1.0, 3.0, 1.0, 1.0]]),
            operators=np.array([[0, 1, 2, 3], [1, 0, 2, 4]]),
            weights=_used(run),
        )


def _used(run: str) -> UsedWeights | None:
    return UsedWeights(run, 4, True, "running") if run else None


def make_view(
    name: str, original: tuple[SequenceToken, ...], chance: random.Random, config: ExperimentConfig | None = None
) -> AugmentedView:
    """One view by the operator ``name``."""
    rates = (config or ExperimentConfig()).augment
    count = -(-len(original) * getattr(rates, f"{name}_rate") // 1)
    count = int(min(count, len(original)))
    letter = name[0].upper()
    kept = [ViewToken(token.item, token.title, n, TokenKind.KEPT) for n, token in enumerate(original)]
    dropped: tuple[int, ...] = ()
    reordered: tuple[int, int] | None = None
    if name == "crop":
        start = chance.randint(0, len(original) - max(count, 1))
        kept = kept[start : start + max(count, 1)]
        dropped = tuple(n for n in range(len(original)) if n not in {token.source for token in kept})
    elif name == "reorder" and count > 1:
        start = chance.randint(0, len(original) - count)
        part = kept[start : start + count]
        chance.shuffle(part)
        kept[start : start + count] = part
        reordered = (start, start + count)
    elif name in ("mask", "substitute", "insert"):
        kept = _changed(name, kept, set(chance.sample(range(len(original)), count)))
    note = f"{getattr(rates, f'{name}_rate'):g} × {len(original)} = 0: none." if count == 0 else ""
    return AugmentedView(name.capitalize(), letter, tuple(kept), (0, len(kept)), dropped, reordered, note)


def _changed(name: str, tokens: list[ViewToken], places: set[int]) -> list[ViewToken]:
    out: list[ViewToken] = []
    for token in tokens:
        other = str(int(token.item) % 29 + 1)
        if token.source not in places:
            out.append(token)
        elif name == "mask":
            out.append(ViewToken("[mask]", "[mask]", token.source, TokenKind.MASKED))
        elif name == "substitute":
            out.append(ViewToken(other, title_of(other), token.source, TokenKind.SUBSTITUTED, 0.62))
        else:
            out += [ViewToken(other, title_of(other), token.source, TokenKind.INSERTED, 0.48), token]
    return out


def fake_engine(directory: Path, runs: FakeRuns | None = None) -> Workspace:
    """A workspace whose data, neighbours, views and runs are all in memory."""
    workspace = fake_workspace(directory, runs)
    datasets = FakeDatasets()
    workspace.datasets = datasets  # type: ignore[assignment]
    workspace.neighbours = FakeNeighbours()  # type: ignore[assignment]
    workspace.augmentations = FakeAugmentations(datasets)  # type: ignore[assignment]
    return workspace
