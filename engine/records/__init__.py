"""What leaves the engine: frozen records, no ORM rows, no tensors. Safe to pickle and to keep.

Arrays are numpy arrays; nobody writes into them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.records.augmentation import (  # noqa: F401 (one door for all records)
    AugmentationEffect,
    PairSimilarities,
)
from engine.records.comparison import (  # noqa: F401 (one door for all records)
    ComparedChoice,
    ComparedCurve,
    ComparedGroup,
    Comparison,
    Implausible,
    Measure,
    PairedTest,
    PaperCell,
    PaperNumbers,
    ResultCell,
    ResultTable,
    ScatterPoint,
    SettingDifference,
    SliceTable,
)
from engine.records.importing import (  # noqa: F401 (one door for all records)
    GUESS,
    NO_COLUMN,
    BadRow,
    ImportColumn,
    ImportLook,
    ImportProgress,
    ImportReport,
    ImportResult,
    ImportStage,
)
from engine.records.inspection import (  # noqa: F401 (one door for all records)
    DatasetDetails,
    ItemTable,
    PaperTable,
    PlacedItem,
    TargetCounts,
    TextColumn,
    Timeline,
    UserSequence,
    UserTable,
)
from engine.records.leaderboard import (  # noqa: F401 (one door for all records)
    Leaderboard,
    LeaderboardPlan,
    LeaderboardRequest,
    LeaderboardRow,
    PlannedModel,
    PlannedRun,
)
from engine.records.marks import (  # noqa: F401 (one door for all records)
    LONGEST_NAME,
    MarksBefore,
    MarksNews,
    QueueState,
    RunMarks,
    Shelf,
    UsageSample,
)
from engine.records.matches import Matches  # noqa: F401 (one door)
from engine.records.neighbours import (  # noqa: F401 (one door for all records)
    HybridChoice,
    ItemRecord,
    NeighbourColumn,
    NeighbourComparison,
    NeighbourList,
    NeighbourRecord,
    NeighbourSummary,
    TopScores,
)
from engine.records.parallel import ParallelAxis, ParallelRun, ParallelRuns  # noqa: F401 (one door)
from engine.records.points import MetricPoint, PointBlock
from engine.records.protocol import (  # noqa: F401 (one door for all records)
    LeakFinding,
    ProtocolFact,
    RunProtocolRecord,
)
from engine.records.recommendations import (  # noqa: F401 (one door for all records)
    AttentionWeights,
    FoundUsers,
    HistoryItem,
    Outcome,
    Recommendations,
    RecommendedItem,
    RunRecommendation,
)
from engine.records.weights import StoredWeights, UsedWeights  # noqa: F401 (one door)


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

    @property
    def verb(self) -> str:
        """What a sentence says of the run.

        >>> RunStatus.FAILED.verb, RunStatus.STOPPED.verb
        ('has failed', 'is stopped')
        """
        return f"has {self}" if self in (RunStatus.FAILED, RunStatus.FINISHED) else f"is {self}"


class TokenKind(IntEnum):
    """What happened to one token of an augmented view (the edit script's alphabet)."""

    KEPT = 0
    MASKED = 1
    SUBSTITUTED = 2
    INSERTED = 3


TRAINING, PRETRAINING, FINE_TUNING = "training", "pre-training", "fine-tuning"
"""The stages of a run: one alone, or the last two, one after the other. A run's phase in them is called alike."""
STAGES = (TRAINING, PRETRAINING, FINE_TUNING)
PLAIN_KERNELS = "of PyTorch"
"""What computes a run's inner loops where the compiled code does not, and did in every run of before there was any."""


@dataclass(frozen=True)
class EpochReport:
    """One finished epoch: ``losses`` are means over its batches, ``correlation`` is memory, model or hybrid. Epochs of
    pre-training are not validated: they have no ``metrics``."""

    epoch: int
    train_seconds: float
    validate_seconds: float
    losses: Mapping[str, float]
    metrics: Mapping[str, float]
    correlation: str
    is_best: bool = False
    stage: str = TRAINING


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
    out_of_time: bool = False
    """Whether it ended because its time was spent (``train.max_minutes``)."""
    cut_at: int = 0
    """Steps that the last epoch had when the time was spent inside it; 0: the epoch is whole."""
    seconds: float = 0.0
    """Wall time of training and validation, all attempts together; the test is not in it."""


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
    ended_by: str = ""
    """Why the training ended: ``epochs`` (all were done), ``patience``, ``time``, ``asked``, ``nothing`` (there is
    nothing to train); empty before the end, and for runs from before it was kept."""
    train_seconds: float | None = None
    """Wall time of training and validation, all attempts together; None where it was not kept."""


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
    blocks: tuple[PointBlock, ...]
    """The new points."""
    cursor: FeedCursor
    whole: frozenset[str] = frozenset()
    """Runs whose points here are their whole current history: forget the points held of them before."""
    news: MarksNews = field(default_factory=MarksNews)
    """Marks, purges and the queue, as far as they have changed."""

    @property
    def points(self) -> tuple[MetricPoint, ...]:
        """The new points one by one."""
        return tuple(point for block in self.blocks for point in block.points())


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
    """Of all epochs, those that use model-based neighbours."""
    pretrain_epochs: int = 0
    """Epochs of pre-training before the first of ``epochs``."""
    pretrain_steps: int = 0
    """Batches of such an epoch."""
    pretrain_seconds: float = 0.0
    """Such an epoch; it is not validated."""
    limit_seconds: float = 0.0
    """The most that training and validation may take (``train.max_minutes``); 0: there is no limit."""

    @property
    def all_epochs(self) -> int:
        """At most this many in both stages."""
        return self.pretrain_epochs + self.epochs

    @property
    def epoch_seconds(self) -> float:
        """An epoch with its validation, before model-based neighbours are used."""
        return self.train_seconds + self.validate_seconds

    @property
    def seconds_before_fine_tuning(self) -> float:
        """Neighbours, and all epochs of pre-training: a run that has no longer has nothing to test."""
        return self.count_seconds + self.pretrain_epochs * self.pretrain_seconds

    @property
    def training_seconds(self) -> float:
        """Training and validation of all epochs, whatever the limit, if early stopping does not end them."""
        own = self.epochs * self.epoch_seconds + self.model_epochs * self.neighbours_seconds
        return self.seconds_before_fine_tuning + own

    @property
    def most_seconds(self) -> float:
        """The whole run, if early stopping does not end it."""
        training = self.training_seconds
        if self.limit_seconds:  # the last validation is whole, however late it begins
            training = min(training, self.limit_seconds + self.validate_seconds)
        return training + self.test_seconds


def to_plain(value: Any) -> Any:
    """The record as JSON-ready values: dataclasses to dicts, arrays to lists, paths and times to text."""
    if isinstance(value, TextColumn):
        return list(value)
    if isinstance(value, MetricPoint):
        return value._asdict()
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: to_plain(getattr(value, item.name)) for item in fields(value)}
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
