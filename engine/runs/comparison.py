"""Groups of runs compared on the users they share: measures with intervals, paired tests, slices. No torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.config import KS
from engine.config.grouping import has_seeds, left_out_words, once_a_seed
from engine.config.naming import flat, plain
from engine.data.dataset import Dataset
from engine.data.splits import LeaveOneOut, leave_one_out
from engine.errors import EngineError, UsageError
from engine.evaluation import significance, slices
from engine.evaluation.metrics import of_each_user
from engine.evaluation.paper import name_of
from engine.evaluation.plausibility import implausible
from engine.records import Comparison, Implausible, Measure, PairedTest, RunRecord, SliceTable
from engine.runs import groups as grouping
from engine.runs.data import data_of, preprocessing_of
from engine.runs.groups import Group
from engine.runs.ranks import refuse_other_users, stored_ranks

Which = Literal["valid", "test"]
Pairs = Literal["baseline", "all"]
METRICS = (*(f"HR@{k}" for k in KS), *(f"NDCG@{k}" for k in KS), "MRR")
MOST = 50
"""Groups compared at once."""
Values = NDArray[np.float64]


def compare(
    groups: Sequence[Group],
    *,
    metrics: Sequence[str] = METRICS,
    tested: Sequence[str] = (),
    split: Which = "test",
    pairs: Pairs = "baseline",
    baseline: int = 0,
    labels: Sequence[str] = (),
) -> Comparison:
    """What the groups scored, and how sure their differences are.

    ``tested`` are the metrics of the paired tests (none: all of ``metrics``), ``pairs`` says which groups are paired:
    each with the ``baseline``, or each with each. Holm's adjustment is over all tests of the call. Of runs of one seed
    in a group the newest finished one counts, and a note says so.

    Raises ``UsageError`` for more than 50 groups, a run without metrics, an unknown metric, runs that were evaluated by
    different protocols, and groups that differ in more than their seeds; ``RunError`` for damaged ranks.
    """
    metrics = tuple(dict.fromkeys(metrics))
    tested = tuple(dict.fromkeys(tested)) or metrics
    _refuse(groups, metrics, split, baseline)
    for metric in tested:
        if metric not in metrics:
            raise UsageError(f"{metric} cannot be tested: it is not compared.", f"Compared: {', '.join(metrics)}.")
    every, groups = groups, [once_a_seed(group) for group in groups]
    left_out = [left_out_words(*pair) for pair in zip(every, groups, strict=True)]
    records = [record for group in groups for record in group]
    users, values = _values(groups, metrics, split)
    measures = [
        measure
        for number, group in enumerate(groups)
        for measure in _measures(number, group, metrics, split, None if values is None else values[number])
    ]
    tests = [] if values is None else _tests(groups, measures, values, tested, pairs, baseline)
    described = grouping.described(groups, labels)
    unlike = grouping.unlike_presets(groups, [group.label for group in described])
    return Comparison(
        split=split,
        groups=described,
        metrics=metrics,
        users=users,
        measures=tuple(measures),
        tests=tuple(tests),
        family=len(tests),
        settings=grouping.settings(groups),
        protocol=_card(records[0], users, split),
        implausible=tuple(_implausible(groups, split)),
        notes=(*filter(None, left_out), *unlike, *_notes(groups, split, has_ranks=values is not None)),
        level=significance.LEVEL,
        samples=significance.SAMPLES,
        baseline=baseline,
        data_users=users or _users_of(records[0]),
    )


def _users_of(record: RunRecord) -> int:
    """Users of the run's data; 0 where nobody asks, since the paper has no such data, and where they cannot be read."""
    if not name_of(record.dataset):
        return 0
    try:
        return len(leave_one_out(data_of(record)).users)
    except EngineError:
        return 0


def _refuse(groups: Sequence[Group], metrics: Sequence[str], split: str, baseline: int) -> None:
    records = [record for group in groups for record in group]
    if not 1 <= len(groups) <= MOST:
        raise UsageError(f"{len(groups)} groups cannot be compared.", f"Choose 1 to {MOST}.")
    if not 0 <= baseline < len(groups):
        raise UsageError(f"There is no group {baseline + 1} to be the baseline.", f"There are {len(groups)}.")
    for metric in metrics:
        of_each_user(np.zeros(1), metric)
    grouping.refuse_unmeasured(records, split)
    grouping.refuse_unlike(records)
    for group in groups:
        grouping.seeds_alike(group)


def _values(groups: Sequence[Group], metrics: Sequence[str], split: str) -> tuple[int, list[dict[str, Values]] | None]:
    """Evaluated users, and of each group metric → value of each user, [E], the mean over its seeds.

    None where a run kept no ranks. Raises ``UsageError`` when two runs ranked other users.
    """
    users: NDArray[np.int64] | None = None
    found: list[dict[str, Values]] = []
    for group in groups:
        sums: dict[str, Values] = {}
        for record in group:
            stored = stored_ranks(record, split)
            if stored is None:
                return 0, None
            if users is None:
                users = stored.users
            else:
                refuse_other_users(record.id, stored.users, groups[0][0].id, users)
            for metric in metrics:
                value = of_each_user(stored.ranks, metric)
                sums[metric] = sums[metric] + value if metric in sums else value
        found.append({metric: total / len(group) for metric, total in sums.items()})
    return 0 if users is None else len(users), found


def _measures(
    number: int, group: Group, metrics: Sequence[str], split: str, values: dict[str, Values] | None
) -> list[Measure]:
    made = []
    for metric in metrics:
        seeds = [_metric(record, metric, split) for record in group]
        mean, std = significance.mean_and_std(seeds)
        low, high = (np.nan, np.nan) if values is None else significance.share_interval(values[metric])
        made.append(Measure(number, metric, mean, std, low, high, tuple(seeds)))
    return made


def _metric(record: RunRecord, metric: str, split: str) -> float:
    """A run's metric, from its ranks where it kept them: any cut-off, and the very numbers that the tests are about."""
    stored = stored_ranks(record, split)
    if stored is not None:
        return float(np.mean(of_each_user(stored.ranks, metric)))
    value = record.metrics[split].get(metric)
    if value is None:
        raise UsageError(f"Run {record.id} has no {split} {metric}.", f"It has {', '.join(record.metrics[split])}.")
    return value


def _tests(
    groups: Sequence[Group],
    measures: Sequence[Measure],
    values: Sequence[dict[str, Values]],
    metrics: Sequence[str],
    pairs: Pairs,
    baseline: int,
) -> list[PairedTest]:
    numbers = range(len(groups))
    if pairs == "all":
        chosen = [(one, other) for one in numbers for other in numbers if one < other]
    else:
        chosen = [(baseline, other) for other in numbers if other != baseline]
    asked = [(metric, one, other) for metric in metrics for one, other in chosen]
    found = [significance.paired(values[one][metric], values[other][metric]) for metric, one, other in asked]
    adjusted = significance.holm([item.p for item in found])
    seeds = {(item.group, item.metric): item.seeds for item in measures}
    made = []
    for (metric, one, other), item, p_holm in zip(asked, found, adjusted, strict=True):
        before = float(np.mean(values[one][metric]))
        made.append(
            PairedTest(
                metric=metric,
                first=one,
                second=other,
                difference=item.difference,
                low=item.low,
                high=item.high,
                relative=item.difference / before if before else None,
                p=item.p,
                p_holm=p_holm,
                effect=item.effect,
                rank_biserial=item.rank_biserial,
                better=item.better,
                worse=item.worse,
                equal=item.equal,
                p_seeds=significance.seed_test(seeds[one, metric], seeds[other, metric]),
            )
        )
    return made


def _card(record: RunRecord, users: int, split: str) -> tuple[tuple[str, str], ...]:
    """What all runs of the comparison share, in words."""
    target = "last item" if split == "test" else "item before the last"
    protocol = grouping.protocol_of(record)
    known = grouping.known_settings()
    rows = [
        ("Data", f"{record.dataset}, fingerprint {record.fingerprint}"),
        ("Preprocessing", preprocessing_of(record)),
        ("Split", f"leave-one-out; {split} target: the {target}"),
        ("Evaluated users", f"{users:,}" if users else "not kept"),
        ("Candidates", "all items, none sampled"),
    ]
    for path, caption in grouping.PROTOCOL.items():
        value = protocol[path]
        words = known[path].choices.get(str(value), plain(value))
        rows.append((caption.capitalize(), words))
    return tuple(rows)


def _implausible(groups: Sequence[Group], split: str) -> list[tuple[int, Implausible]]:
    found = []
    for number, group in enumerate(groups):
        for record in group:
            half = grouping.protocol_of(record)["evaluate.ties"] == "mean"
            found += [(number, item) for item in implausible(record.metrics[split], half_ranks=half)]
    return found


def _notes(groups: Sequence[Group], split: str, *, has_ranks: bool) -> list[str]:
    """What a reader must know before quoting the numbers."""
    notes = []
    if not has_ranks:
        notes.append(f"No intervals and no tests: {_without_ranks(groups, split)} kept no ranks of the users.")
    counts = sorted({len(group) for group in groups if has_seeds(group[0].config)})
    if counts and counts[0] == 1 and len(groups) > 1:
        notes.append("One seed on a side: the tests tell of these trained models, not of what another seed would give.")
    if len(counts) > 1:
        notes.append(f"The groups have {counts[0]} to {counts[-1]} seeds: their standard deviations are not alike.")
    for group in groups:
        for record in group:
            if record.status != "finished":
                notes.append(f"Run {record.id} {record.status.verb}: its metrics are those of an unfinished training.")
    early = [record.id for group in groups for record in group if record.hybrid_started is False]
    if early:
        what = f"Run {early[0]}" if len(early) == 1 else f"{len(early)} runs ({', '.join(early[:3])}"
        what += "" if len(early) == 1 else ", …)" if len(early) > 3 else ")"
        notes.append(f"{what} ended before the hybrid phase began.")
    return notes


def _without_ranks(groups: Sequence[Group], split: str) -> str:
    missing = [record.id for group in groups for record in group if stored_ranks(record, split) is None]
    more = f" and {len(missing) - 3} others" if len(missing) > 3 else ""
    return f"{'run' if len(missing) == 1 else 'runs'} {', '.join(missing[:3])}{more}"


def slice_table(
    groups: Sequence[Group], metric: str, kind: str, split: Which = "test", baseline: int = 0
) -> SliceTable:
    """A metric by training length, with every compared K the end of a bucket, or by the target's popularity.

    The shares are of each group's difference from the ``baseline``.

    Raises what `compare` raises, ``UsageError`` where ranks are missing or the data file has changed, ``DataError``.
    """
    _refuse(groups, (metric,), split, baseline)
    groups = [once_a_seed(group) for group in groups]
    users, values = _values(groups, (metric,), split)
    first = groups[0][0]
    if values is None:
        raise UsageError(
            f"Users cannot be told apart: {_without_ranks(groups, split)} kept no ranks.",
            "Compare runs whose ranks.npz is there.",
        )
    dataset = data_of(first)
    split_of = leave_one_out(dataset)
    if len(split_of.users) != users:
        raise UsageError(f"Run {first.id} did not rank the users of {dataset.path}.", "Compare other runs.")
    found = _buckets(groups, kind, dataset, split_of, split)
    means = np.stack([slices.means(value[metric], found) for value in values])
    pairs = [slices.intervals(value[metric], found) for value in values]
    return SliceTable(
        kind=kind,
        metric=metric,
        split=split,
        labels=found.labels,
        users=found.users,
        means=means,
        lows=np.stack([low for low, _ in pairs]),
        highs=np.stack([high for _, high in pairs]),
        shares=(means - means[baseline]) * found.users / found.users.sum(),
        baseline=baseline,
    )


def _buckets(
    groups: Sequence[Group], kind: str, dataset: Dataset, split_of: LeaveOneOut, split: Which
) -> slices.Buckets:
    if kind == "length":
        ks = [flat(record.config).get("augment.short_length", 0) for group in groups for record in group]
        return slices.by_length(split_of, [k for k in ks if isinstance(k, int)])
    if kind == "popularity":
        return slices.by_popularity(dataset, split_of, split)
    raise UsageError(f"There are no slices by '{kind}'.", "Known: length, popularity.")
