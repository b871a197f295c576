"""Records of compared runs: groups, measures with intervals, paired tests, slices, curves, the paper's numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Implausible:
    """Numbers that one ranking cannot have (FACTS F22): ``steps`` are the two cut-offs, 0 for none."""

    metrics: tuple[str, ...]
    steps: tuple[int, ...]
    message: str


@dataclass(frozen=True)
class ComparedGroup:
    """Runs that are one side of a comparison: the same configuration but for the seed, or a single run."""

    label: str
    run_ids: tuple[str, ...]
    seeds: tuple[int, ...]
    dataset: str
    fingerprint: str
    config_hash: str
    """12 hexadecimal digits of the configuration without its seed."""
    model: str
    preset: str
    epochs: tuple[int, ...] = ()
    """Epochs that each run has trained."""
    minutes: tuple[float | None, ...] = ()
    """Of training and validation, each run; None where it was not kept."""
    out_of_time: int = 0
    """Runs that ended because their time was spent (``train.max_minutes``)."""
    has_seeds: bool = True
    """Whether another seed could give another result: not where nothing trains."""
    unfinished: int = 0
    """Runs that were stopped, lost or have failed: their metrics are those of an unfinished training."""
    told_first: str = ""
    """The label with what tells it from its namesakes in front, for where its end may be cut; empty without such."""

    @property
    def n(self) -> int:
        return len(self.run_ids)


@dataclass(frozen=True)
class ComparedChoice:
    """A group of ended runs that can be compared, newest first: what a chooser lists."""

    label: str
    run_ids: tuple[str, ...]
    seeds: tuple[int, ...]
    dataset: str
    fingerprint: str
    protocol: str
    """Alike for groups that were ranked by the same rules."""
    metrics: Mapping[str, float]
    """Test metrics, means over the seeds."""
    stds: Mapping[str, float]
    """Empty for a single seed."""
    left_out: tuple[str, ...] = ()
    """Runs of the group that do not count: older ones of a seed that it has."""
    note: str = ""
    """Says so in words; empty where every run counts."""
    unfinished: Mapping[str, str] = field(default_factory=dict)
    """Run id → state of each run whose metrics are those of an unfinished training."""


@dataclass(frozen=True)
class SettingDifference:
    """A setting that the groups do not have alike: a value each, None where a group's configuration has no such one."""

    path: str
    label: str
    values: tuple[Any, ...]
    help: str = ""
    differs: bool = True


@dataclass(frozen=True)
class Measure:
    """One metric of one group: mean over its seeds, ``std`` over them (None for one), interval over users."""

    group: int
    metric: str
    mean: float
    std: float | None
    low: float
    high: float
    seeds: tuple[float, ...]
    """The metric of each run of the group."""


@dataclass(frozen=True)
class PairedTest:
    """``second`` against ``first`` (numbers of groups) on the same users, whose values are means over seeds."""

    metric: str
    first: int
    second: int
    difference: float
    """second − first, with its bootstrap interval ``low`` … ``high``."""
    low: float
    high: float
    relative: float | None
    """difference / first; None where first is 0."""
    p: float
    """Wilcoxon's signed-rank test, two-sided."""
    p_holm: float
    """Holm's adjustment over the comparison's family of tests."""
    effect: float
    """Cohen's d of the paired values."""
    rank_biserial: float
    better: int
    """Users for whom second is better than first."""
    worse: int
    equal: int
    p_seeds: float | None
    """Welch's t-test over seeds; None unless both groups have two or more."""


@dataclass(frozen=True, eq=False)
class SliceTable:
    """A metric of parts of the users: ``means``, ``lows`` and ``highs`` [groups, B], ``users`` [B]."""

    kind: str
    """``length`` or ``popularity``."""
    metric: str
    split: str
    labels: tuple[str, ...]
    users: NDArray[np.int64]
    means: NDArray[np.float64]
    lows: NDArray[np.float64]
    highs: NDArray[np.float64]
    shares: NDArray[np.float64]
    """What a bucket adds to a group's difference from the baseline, [groups, B]; they sum to it."""
    baseline: int = 0
    """Number of the group that the others are told apart from."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """Groups that were evaluated alike, and what can be said of them."""

    split: str
    groups: tuple[ComparedGroup, ...]
    metrics: tuple[str, ...]
    users: int
    """Evaluated users; 0 where ranks are missing and nothing could be paired."""
    measures: tuple[Measure, ...]
    tests: tuple[PairedTest, ...]
    family: int
    """How many tests Holm's adjustment is over."""
    settings: tuple[SettingDifference, ...]
    protocol: tuple[tuple[str, str], ...]
    """What all of them share: caption and value."""
    implausible: tuple[tuple[int, Implausible], ...]
    """Number of the group, and what its numbers cannot be."""
    notes: tuple[str, ...]
    level: float
    samples: int
    baseline: int = 0
    """Number of the group that the others are tested against, where not each is against each."""
    data_users: int = 0
    """Evaluated users; where ranks are missing, those of the data, if the paper has data of that name; 0: not known."""

    def measure(self, group: int, metric: str) -> Measure | None:
        return next((item for item in self.measures if item.group == group and item.metric == metric), None)


@dataclass(frozen=True, eq=False)
class ComparedCurve:
    """A group's series: ``x`` in epochs or seconds, ``mean`` over the seeds that have the point, ``std``, ``n`` [P]."""

    group: int
    series: str
    x: NDArray[np.float64]
    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    n: NDArray[np.int64]
    fine_tuned_from: float | None = None
    """Where on x pre-training ends and training proper begins; None for one stage, and where it never began."""


@dataclass(frozen=True)
class ScatterPoint:
    """One run: a setting's value against a metric's."""

    run_id: str
    name: str
    x: Any
    y: float


@dataclass(frozen=True)
class PaperCell:
    """A row of one of the paper's tables: metrics of a model on a data set, as printed, and what is wrong with them."""

    table: int
    dataset: str
    model: str
    metrics: Mapping[str, float]
    faults: tuple[tuple[str, str], ...] = ()
    """Metric (empty: the whole row) and a sentence that names the fact."""

    def faults_of(self, metric: str) -> tuple[str, ...]:
        """What is wrong with one number, in sentences."""
        return tuple(text for name, text in self.faults if name in ("", metric))


@dataclass(frozen=True)
class PaperNumbers:
    """The paper's results on one data set, or on all."""

    source: str
    cells: tuple[PaperCell, ...]
    users: int = 0
    """Users of the one data set, by Table 1; 0 for all data sets."""

    def other_data(self, found: Comparison) -> str:
        """What must be said where the compared data have the name of the paper's, and not its users; else nothing."""
        return self.other_users(found.groups[0].dataset, found.data_users or found.users)

    def other_users(self, name: str, users: int) -> str:
        """The same of a data set called ``name`` with so many evaluated ``users``; 0: not known."""
        if not (self.users and users) or self.users == users:
            return ""
        return f"{name} has {users:,} users here and {self.users:,} in the paper: its numbers are of other data."


@dataclass(frozen=True)
class ResultCell:
    """One result in a table of results. ``p`` is Holm's against the baseline, None where nothing was tested."""

    mean: float
    std: float | None
    n: int
    p: float | None = None
    is_best: bool = False
    is_second: bool = False
    has_seeds: bool = True
    is_reference: bool = False
    """Printed by the paper, not measured here: it takes no part in best and second."""
    run_ids: tuple[str, ...] = ()
    config_hash: str = ""
    fingerprint: str = ""
    fault: str = ""
    """What is wrong with a printed number (FACTS F21-F26); empty: nothing is known."""


@dataclass(frozen=True)
class ResultTable:
    """Models × metrics, or models × data sets and metrics, as a paper prints them."""

    rows: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    """Data set and metric."""
    cells: tuple[tuple[ResultCell | None, ...], ...]
    split: str
    baseline: str
    """Label of the row that p is against; empty without tests."""
    run_ids: tuple[tuple[str, ...], ...]
    """Of each row."""
    hashes: tuple[tuple[str, str], ...]
    """Configuration hash and data fingerprint, of each row that was measured here and each data set."""
    notes: tuple[str, ...] = ()
    families: tuple[int, ...] = ()
    """Tests that Holm's adjustment is over, of each data set that has any."""
