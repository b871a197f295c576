"""Records of leaderboards: what is asked for, what will run, and the table of what was measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from engine.records.comparison import Comparison, PaperCell


@dataclass(frozen=True)
class LeaderboardRequest:
    """One file, split, protocol and time for all; ``models`` are presets, none: one of every recommender."""

    data: str
    models: tuple[str, ...] = ()
    seeds: tuple[int, ...] = (1, 2, 3)
    minutes: float = 10.0
    """Of training and validation, for each run (``train.max_minutes``)."""
    device: str = "auto"
    retry: bool = False
    """Whether runs that have failed are tried again."""


@dataclass(frozen=True)
class PlannedRun:
    """A run of a leaderboard: one that is stored already, or one to be submitted."""

    seed: int
    config: Mapping[str, Any]
    run_id: str = ""
    """Empty: there is none yet."""
    status: str = ""
    """Of the stored run."""
    message: str = ""

    @property
    def is_new(self) -> bool:
        return not self.run_id


@dataclass(frozen=True)
class PlannedModel:
    """A row of a leaderboard before it is measured."""

    preset: str
    title: str
    system: str
    refusal: str = ""
    """Why it cannot run on the data; empty where it can."""
    notes: tuple[str, ...] = ()
    """What it has otherwise than its preset says, so that all rows are measured alike."""
    runs: tuple[PlannedRun, ...] = ()
    trains: bool = True
    warning: str = ""
    """What its time is too short for, where a rehearsal has told (`engine.config.too_short`)."""

    def runs_in_words(self, words: Mapping[str, str]) -> str:
        """``2 done, 1 new``: how many runs are in which state, with ``words`` for some states; ``cannot run``."""
        if self.refusal:
            return "cannot run"
        counts = Counter(words.get(run.status, run.status) for run in self.runs)
        return ", ".join(f"{count} {word}" for word, count in counts.items())


@dataclass(frozen=True)
class LeaderboardPlan:
    """What a leaderboard takes before it starts."""

    request: LeaderboardRequest
    dataset: str
    fingerprint: str
    models: tuple[PlannedModel, ...]
    resumes: tuple[str, ...]
    """Ids of stored runs that go on from their checkpoints."""
    notes: tuple[str, ...] = ()
    users: int = 0
    """Whom every row is evaluated on."""

    def warned(self, warnings: Mapping[str, str]) -> LeaderboardPlan:
        """The plan with a warning for each preset of ``warnings``."""
        models = (replace(model, warning=warnings.get(model.preset, "")) for model in self.models)
        return replace(self, models=tuple(models))

    @property
    def new(self) -> tuple[PlannedRun, ...]:
        """Runs that have to be submitted."""
        return tuple(run for model in self.models for run in model.runs if run.is_new)

    @property
    def finished(self) -> tuple[str, ...]:
        """Ids of stored runs that are used as they are."""
        return self._with("finished")

    @property
    def waiting(self) -> tuple[str, ...]:
        """Ids of runs that wait or train already."""
        return self._with("queued", "running")

    def _with(self, *statuses: str) -> tuple[str, ...]:
        return tuple(run.run_id for model in self.models for run in model.runs if run.status in statuses)

    @property
    def to_do(self) -> int:
        """Runs that are not finished and will be: new ones, resumed ones, and those that wait or train."""
        return len(self.new) + len(self.resumes) + len(self.waiting)

    @property
    def most_seconds(self) -> float:
        """Training and validation of `to_do`, one after the other; each run's last validation and test come to it."""
        undone = ("", "queued", "running")
        count = sum(
            model.trains and (run.status in undone or run.run_id in self.resumes)
            for model in self.models
            for run in model.runs
        )
        return 60.0 * self.request.minutes * count


@dataclass(frozen=True)
class LeaderboardRow:
    """A model's measurements over its finished seeds, or why there are none."""

    preset: str
    title: str
    system: str
    place: int | None
    """From 1; None without a measurement."""
    state: str
    """``done``, ``partly`` (some seeds are), ``waiting``, ``failed``, ``refused``."""
    told: str
    """What is missing and why; what the row has otherwise than its preset."""
    run_ids: tuple[str, ...] = ()
    """Finished runs; everything below is of them, in this order."""
    seeds: tuple[int, ...] = ()
    metrics: Mapping[str, float] | None = None
    """Means over the seeds; None where nothing has finished."""
    stds: Mapping[str, float] | None = None
    """None for one seed."""
    epochs: tuple[int, ...] = ()
    best_epochs: tuple[int | None, ...] = ()
    """From 1, as in every table and JSON document."""
    minutes: tuple[float | None, ...] = ()
    """Of training and validation."""
    out_of_time: int = 0
    """Runs that ended because their time was spent."""
    cut_short: str = ""
    """Which of them did so before their learning rate had fallen; part of ``told``."""
    difference: float | None = None
    """From the best row, in the metric that the rows are sorted by."""
    p: float | None = None
    """Of that difference, Holm-adjusted; None for the best row and where users' ranks are missing."""

    @property
    def n(self) -> int:
        return len(self.run_ids)

    @property
    def state_in_words(self) -> str:
        """``waiting: seeds 1, 2 queued``: the state and what is told of it, neither of them twice."""
        # A done row's state goes without saying, and what is told of a failed one begins with it.
        return self.told if self.state in ("done", "failed") else f"{self.state}: {self.told}"


@dataclass(frozen=True, eq=False)
class Leaderboard:
    """Rows from best to worst, then those without a measurement."""

    plan: LeaderboardPlan
    metric: str
    rows: tuple[LeaderboardRow, ...]
    comparison: Comparison | None
    """Of the measured rows, in their order; None where nothing has finished."""
    paper: tuple[PaperCell, ...]
    """Table 2 of the paper on this data set, where it was asked for and there is one."""
    notes: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        """Whether every seed of every model that can run has finished."""
        return all(row.state in ("done", "refused") for row in self.rows)
