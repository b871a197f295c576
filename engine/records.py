"""What leaves the engine: frozen records, no ORM rows, no tensors. Safe to pickle and to keep.

Arrays are numpy arrays; nobody writes into them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, is_dataclass, replace
from datetime import datetime
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray


class RunStatus(StrEnum):
    """Where a run stands. The last five are ends."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    LOST = "lost"
    CANCELLED = "cancelled"

    @property
    def is_end(self) -> bool:
        return self not in (RunStatus.QUEUED, RunStatus.RUNNING)

    @property
    def can_resume(self) -> bool:
        return self in (RunStatus.STOPPED, RunStatus.FAILED, RunStatus.LOST)


class TokenKind(IntEnum):
    """What happened to one token of an augmented view (the edit script's alphabet)."""

    KEPT = 0
    MASKED = 1
    SUBSTITUTED = 2
    INSERTED = 3


@dataclass(frozen=True)
class EpochReport:
    """One finished epoch: ``losses`` are means over its batches, ``correlation`` is memory, model or hybrid."""

    epoch: int
    train_seconds: float
    validate_seconds: float
    losses: Mapping[str, float]
    metrics: Mapping[str, float]
    correlation: str
    is_best: bool = False


@dataclass(frozen=True)
class TrainingResult:
    """How a training ended. ``ranks`` maps ``valid`` and ``test`` to float64 ranks from 0, one a user of ``users``."""

    epochs: tuple[EpochReport, ...]
    best_epoch: int | None
    metrics: Mapping[str, Mapping[str, float]]
    ranks: Mapping[str, NDArray[np.float64]]
    users: NDArray[np.int64]
    stopped: bool
    stopped_early: bool
    hybrid_started: bool | None
    """None where the configuration asks for no hybrid."""
    device: str
    checkpoint: Path | None


@dataclass(frozen=True)
class RunRecord:
    """One run as the store knows it. Times are UTC. ``progress`` is 0…1 or None before the first step."""

    id: str
    name: str
    status: RunStatus
    attempt: int
    preset: str
    config: Mapping[str, Any]
    """The stored configuration's JSON, also where today's code no longer parses it."""
    dataset: str
    fingerprint: str
    seed: int
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    heartbeat_at: datetime | None
    pid: int | None
    host: str
    device: str
    phase: str
    epoch: int
    epochs: int
    step: int
    steps: int
    progress: float | None
    seconds_left: float | None
    best_epoch: int | None
    hybrid_started: bool | None
    stop_requested: bool
    message: str
    hint: str
    metrics: Mapping[str, Mapping[str, float]]
    """``valid`` and ``test`` → metric → value; empty until the run ends."""
    versions: Mapping[str, str]
    directory: Path
    hardware: Mapping[str, str] = field(default_factory=dict)
    """Processor, memory, accelerator and system of the attempt, as the training process found them."""


@dataclass(frozen=True)
class MetricPoint:
    """One stored value of one series of a run, e.g. ``loss/next_item``, ``valid/NDCG@20``, ``time/train_seconds``."""

    run_id: str
    attempt: int
    sequence: int
    epoch: int
    step: int
    name: str
    value: float


@dataclass(frozen=True)
class FeedCursor:
    """How far a reader has read: per (run, attempt) the last sequence number it saw."""

    seen: Mapping[tuple[str, int], int] = field(default_factory=dict)
    revision: int = 0
    """Number of the last change of the store that it saw."""


@dataclass(frozen=True)
class FeedBatch:
    """What is new in the store since a cursor: changed runs, new points, and the next cursor."""

    runs: tuple[RunRecord, ...]
    points: tuple[MetricPoint, ...]
    cursor: FeedCursor
    whole: frozenset[str] = frozenset()
    """Runs whose points here are their whole current history: forget the points held of them before."""


@dataclass(frozen=True)
class ArtifactRecord:
    """A file of a run, with the size in bytes and the SHA-256 that it had when it was written."""

    run_id: str
    name: str
    attempt: int
    path: Path
    size: int
    sha256: str


@dataclass(frozen=True)
class DeviceInfo:
    """A device a run can use. Memory in bytes; None where it cannot be told."""

    name: str
    """``cpu``, ``cuda`` or ``mps``: the value of ``train.device``."""
    label: str
    total_memory: int | None
    free_memory: int | None
    note: str = ""


@dataclass(frozen=True)
class DatasetSummary:
    """Table 1 of a data set, its lengths, its popularity and what the protocol makes of it."""

    name: str
    path: str
    fingerprint: str
    users: int
    items: int
    actions: int
    average_length: float
    sparsity: float
    """1 − actions / (users × items), 0…1."""
    shortest: int
    longest: int
    raw_lengths: NDArray[np.int64]
    """Histogram: index is the length, value the number of users."""
    training_lengths: NDArray[np.int64]
    """The same for the training inputs ``items[:-3]`` (FACTS F1, F4)."""
    popularity: NDArray[np.int64]
    """Actions per item, most popular first."""
    evaluated_users: int
    too_short_users: int
    """Users with fewer than 4 items: kept for correlations, left out of evaluation."""
    users_with_repeats: int
    repeated_targets: int
    """Users whose test target is already in their input (FACTS F3)."""
    cold_targets: int
    """Users whose test target no training part contains."""
    has_titles: bool

    def short_share(self, k: int) -> float:
        """Share of evaluated users whose training input has at most ``k`` items (FACTS F4)."""
        total = int(self.training_lengths.sum())
        return float(self.training_lengths[: k + 1].sum() / total) if total else 0.0


@dataclass(frozen=True)
class ItemRecord:
    """An item: ``item`` is the id in the user's own file."""

    item: str
    title: str
    users: int
    """Number of users whose training part contains it."""


@dataclass(frozen=True)
class NeighbourRecord:
    """One neighbour of an item; ``normalised`` is min-max over all pairs (Eq. 11)."""

    item: str
    title: str
    score: float
    normalised: float
    shared_users: int
    users: int


@dataclass(frozen=True)
class NeighbourList:
    """An item's top-k under one similarity."""

    item: ItemRecord
    similarity: str
    neighbours: tuple[NeighbourRecord, ...]
    note: str = ""
    """E.g. that the item has no neighbour."""


@dataclass(frozen=True)
class UserRecord:
    """A user: ``user`` is the id in the user's own file; lengths of the raw sequence and the training input."""

    user: str
    length: int
    training_length: int


@dataclass(frozen=True)
class SequenceToken:
    """One item of a user's sequence."""

    item: str
    title: str


@dataclass(frozen=True)
class ViewToken:
    """One token of a view: where it came from and what happened to it."""

    item: str
    title: str
    source: int
    """Position in the original that it came from."""
    kind: TokenKind
    score: float | None = None
    """Normalised correlation of a substituted or inserted item; None otherwise."""


@dataclass(frozen=True)
class AugmentedView:
    """One augmented view; ``dropped`` are original positions that are in it no more (cropped, or beyond max_length)."""

    operator: str
    letter: str
    tokens: tuple[ViewToken, ...]
    offsets: tuple[int, ...]
    dropped: tuple[int, ...]
    reordered: tuple[int, int] | None
    """Half-open range of view positions that Reorder shuffled."""
    note: str = ""
    """Why the operator changed nothing, where it did not."""


@dataclass(frozen=True)
class AugmentationPreview:
    """A user's training input and views of it, made by the training code."""

    user: str
    original: tuple[SequenceToken, ...]
    branch: str
    """``short`` or ``long`` (Eq. 12)."""
    short_length: int
    views: tuple[AugmentedView, ...]
    seed: int


@dataclass(frozen=True)
class CostEstimate:
    """What a run will cost on ``device``, by a rehearsal: times in seconds, memory in bytes."""

    device: str
    users: int
    """Who train."""
    steps: int
    """Batches of an epoch."""
    train_seconds: float
    """An epoch's training."""
    validate_seconds: float
    """An epoch's validation."""
    neighbours_seconds: float
    """Model-based neighbours, once an epoch in the epochs that use them; 0 where none does."""
    count_seconds: float
    """Memory-based neighbours, once before the first epoch; 0 where nobody asks for them."""
    test_seconds: float
    """Ranking all users' validation and test targets at the end."""
    memory: int
    """The most that the arrays of the run hold at one time."""
    epochs: int
    """At most this many."""
    model_epochs: int
    """Of them, those that use model-based neighbours."""

    @property
    def epoch_seconds(self) -> float:
        """An epoch with its validation, before model-based neighbours are used."""
        return self.train_seconds + self.validate_seconds

    @property
    def most_seconds(self) -> float:
        """The whole run, if early stopping does not end it."""
        return (
            self.count_seconds
            + self.epochs * self.epoch_seconds
            + self.model_epochs * self.neighbours_seconds
            + self.test_seconds
        )


def to_plain(value: Any) -> Any:
    """The record as JSON-ready values: dataclasses to dicts, arrays to lists, paths and times to text."""
    if is_dataclass(value) and not isinstance(value, type):
        return to_plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (Path, datetime)):
        return str(value) if isinstance(value, Path) else value.isoformat()
    return value


# Import (engine.data.importing) ---------------------------------------------------------------------------------------

GUESS = ""
"""Value of a recipe's column or file that is guessed."""
NO_COLUMN = "-"
"""Value of a recipe's column or file that is not used although there is one."""


@dataclass(frozen=True)
class ImportColumn:
    """A column of a file before it is imported; ``kind`` is integer, number, date, text or empty."""

    name: str
    kind: str
    examples: tuple[str, ...]


@dataclass(frozen=True)
class ImportLook:
    """What the beginning of a file shows: its columns, its first rows, and the recipe with every guess filled in."""

    path: str
    size: int
    columns: tuple[ImportColumn, ...]
    rows: tuple[tuple[str, ...], ...]
    recipe: Mapping[str, Any]
    label: str
    """The format in words."""
    problem: str = ""
    """Why it cannot be imported with this recipe, in one sentence; empty when it can."""


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be used: its line in the file, from 1 (its row, in formats without lines), and why."""

    line: int
    reason: str


@dataclass(frozen=True)
class ImportStage:
    """What is left after one step of the preprocessing."""

    name: str
    label: str
    users: int
    items: int
    actions: int


@dataclass(frozen=True)
class ImportReport:
    """What an import read, dropped and keeps. ``bad_rows`` are the first thousand of ``bad_count``."""

    rows: int
    bad_count: int
    bad_rows: tuple[BadRow, ...]
    stages: tuple[ImportStage, ...]
    core_rounds: int
    tied: int
    """Actions that share their time with the user's action before: their order is the recipe's ``ties``."""
    too_short: int
    """Users left with fewer than 4 actions: the protocol evaluates and trains on the others (FACTS F1)."""
    titled: int
    """Items left that have a title."""
    notes: tuple[str, ...]
    """What a user should know of it, a sentence each."""
    lines_are: str = "line"
    """``line`` or ``row``: what the numbers of bad rows count."""

    @property
    def kept(self) -> ImportStage:
        """The last stage."""
        return self.stages[-1]


@dataclass(frozen=True)
class ImportProgress:
    """How far an import is: ``share`` 0…1 of the phase that is named, seconds left where they can be told."""

    phase: str
    share: float
    seconds_left: float | None


@dataclass(frozen=True)
class ImportResult:
    """An imported data set: ``path`` is what every page and command opens. ``is_new`` is False when it was there."""

    path: str
    name: str
    fingerprint: str
    recipe: Mapping[str, Any]
    report: ImportReport
    is_new: bool


# --- Augment: the views of many users, and of many users under an encoder


@dataclass(frozen=True, eq=False)
class AugmentationEffect:
    """What augmentation does to many users, two views each; partial counts add up with `plus`.

    The first axis is the branch of Eq. 12: 0 short, 1 long. Histograms of ``BINS`` = 21 cells hold shares in steps of
    5 %, the last one exactly 100 %; ``shifts`` [2, 101] counts views by (their length − the training input's), from
    −50 to 50, the ends with all beyond. ``operators`` and ``untouched`` [2, letters] count the views that each operator
    made, and those that it left as they were.
    """

    BINS: ClassVar[int] = 21
    SPAN: ClassVar[int] = 50

    source: str
    """Where correlated items came from: ``memory``, ``model`` or ``hybrid``."""
    letters: tuple[str, ...]
    users: NDArray[np.int64]
    shifts: NDArray[np.int64]
    kept: NDArray[np.int64]
    """Views by the share of the training input's items that they keep as they are, [2, 21]."""
    overlap: NDArray[np.int64]
    """Users by the Jaccard index of the two views' sets of items (mask and padding left out), [2, 21]."""
    operators: NDArray[np.int64]
    untouched: NDArray[np.int64]
    sums: NDArray[np.float64]
    """[2, 3]: the exact sums of shifts and shares kept over the views, and of Jaccard indices over the users."""
    looked_up: int
    """Substituted and inserted tokens."""
    stand_ins: int
    """Of these, random items for an item without a neighbour (FACTS F15)."""
    score_sum: float
    """Their normalised correlations, added up."""
    unmatched: int
    """Chosen items that were left as they were for want of a neighbour."""
    differing: int | None
    """Looked-up tokens that are another item than memory-based correlation gives in the same draw; None if unknown."""

    def plus(self, other: AugmentationEffect) -> AugmentationEffect:
        """Both together."""
        added = {
            name: getattr(self, name) + getattr(other, name)
            for name in (*_EFFECT_ARRAYS, "looked_up", "stand_ins", "score_sum", "unmatched")
        }
        unknown = self.differing is None or other.differing is None
        differing = None if unknown else (self.differing or 0) + (other.differing or 0)
        return replace(self, differing=differing, **added)

    @property
    def short_share(self) -> float:
        """Share of the users on the short branch, 0…1."""
        return float(self.users[0] / max(int(self.users.sum()), 1))

    def means(self) -> dict[str, float]:
        """Mean length shift, share kept and overlap over both branches, and the mean score of looked-up tokens."""
        users = max(int(self.users.sum()), 1)
        shift, kept, overlap = self.sums.sum(0).tolist()
        found = max(self.looked_up, 1)
        return {
            "length_shift": shift / (2 * users),
            "kept": kept / (2 * users),
            "overlap": overlap / users,
            "score": self.score_sum / found,
            "stand_in_share": self.stand_ins / found,
        }


_EFFECT_ARRAYS = ("users", "shifts", "kept", "overlap", "operators", "untouched", "sums")


@dataclass(frozen=True, eq=False)
class PairSimilarities:
    """How alike two views of one user are under an encoder, beside views of other users of its batch (Eq. 14).

    ``positives`` float [P] one a user; ``negatives`` float [Q] a fixed random sample; ``ranks`` float [2, P] the place
    of the partner among itself and the ``others`` = 2N − 2 views of other users, from 1, ties in the middle, seen from
    the first and from the second view; ``operators`` int [2, P] into ``letters``.
    """

    similarity: str
    representation: str
    letters: tuple[str, ...]
    others: int
    positives: NDArray[np.float32]
    negatives: NDArray[np.float32]
    ranks: NDArray[np.float64]
    operators: NDArray[np.int64]

    def plus(self, other: PairSimilarities) -> PairSimilarities:
        """Both batches' users; ``others`` stays that of the first batch."""
        joined: dict[str, Any] = {
            name: np.concatenate((getattr(self, name), getattr(other, name)), axis=-1)
            for name in ("positives", "negatives", "ranks", "operators")
        }
        return replace(self, **joined)

    def summary(self) -> dict[str, float]:
        """Means, share of views whose partner is the nearest of all, median rank, and what chance would give."""
        return {
            "users": len(self.positives),
            "positive_mean": float(self.positives.mean()),
            "negative_mean": float(self.negatives.mean()),
            "first_share": float((self.ranks <= 1).mean()),
            "median_rank": float(np.median(self.ranks)),
            "chance": 1 / (self.others + 1),
        }

    def by_operators(self) -> tuple[tuple[str, str, int, float], ...]:
        """(letter, letter, users, share ranked first) of every unordered pair of operators that was drawn."""
        low, high = np.sort(self.operators, axis=0)
        first = (self.ranks <= 1).mean(0)
        rows = []
        for a, b in sorted(set(zip(low.tolist(), high.tolist(), strict=True))):
            chosen = (low == a) & (high == b)
            rows.append((self.letters[a], self.letters[b], int(chosen.sum()), float(first[chosen].mean())))
        return tuple(rows)
