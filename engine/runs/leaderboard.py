"""Leaderboards: presets on one file, with one split, protocol and time for all; planned, and told when measured.

A run that has ended well with the very configuration is used as it is, one that was stopped goes on, and only what is
missing is trained. What cannot run is a row that says why. No torch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from engine import registry
from engine.config import ExperimentConfig, Preset, chosen_presets, fields_of, rate_falls
from engine.config.grouping import group_key, has_seeds, seed_of, seeds_for
from engine.config.naming import plain
from engine.data.dataset import SAMPLE, Dataset, load, locate
from engine.data.fits import refuse_impossible
from engine.data.splits import leave_one_out
from engine.errors import EngineError, UsageError
from engine.evaluation.paper import DATASETS
from engine.records import (
    Comparison,
    Leaderboard,
    LeaderboardPlan,
    LeaderboardRequest,
    LeaderboardRow,
    PaperNumbers,
    PlannedModel,
    PlannedRun,
    QueueState,
    RunRecord,
    RunStatus,
)
from engine.runs.comparison import METRICS, compare
from engine.runs.groups import Group
from engine.runs.schedule import auto_device

TAG = "leaderboard"
"""What the runs of leaderboards are tagged with."""
_ALIKE = (
    "data.train_fraction",
    "evaluate.seen_items",
    "evaluate.ties",
    "evaluate.noise_rate",
    "evaluate.validation_users",
    "fidelity.rank_special_tokens",
)
"""Settings that every row has at their defaults, whatever its preset says: data and protocol (FACTS F2, F3, F18)."""
_MOST_SEEDS = 50
_ORDER = {
    RunStatus.FINISHED: 0,
    RunStatus.RUNNING: 1,
    RunStatus.QUEUED: 2,
    RunStatus.STOPPED: 3,
    RunStatus.LOST: 3,
    RunStatus.FAILED: 4,
}


# The plan -------------------------------------------------------------------------------------------------------------


def plan(request: LeaderboardRequest, records: Sequence[RunRecord], queue: QueueState | None = None) -> LeaderboardPlan:
    """What the leaderboard takes, given the stored runs ``records`` (those in the trash left out), newest first.

    Raises ``UsageError`` for unknown or doubled names, seeds and a time that is none, ``DataError`` for data that
    cannot be read or leave nobody to train on.
    """
    _refuse(request)
    dataset = load(request.data)
    users = len(leave_one_out(dataset).users)
    presets = chosen_presets(request.models, request.data, dataset.item_count)
    stored: dict[tuple[str, int | None], list[RunRecord]] = {}
    for record in records:
        if record.fingerprint == dataset.fingerprint and record.status in _ORDER:
            stored.setdefault((group_key(record.config), seed_of(record)), []).append(record)
    models = tuple(_planned(item, request, dataset, stored) for item in presets)
    return LeaderboardPlan(
        request=request,
        dataset=dataset.name,
        fingerprint=dataset.fingerprint,
        models=models,
        resumes=tuple(run.run_id for model in models for run in model.runs if _goes_on(run, request)),
        notes=tuple(_queue_notes(request, queue)),
        users=users,
    )


def _refuse(request: LeaderboardRequest) -> None:
    if not request.seeds:
        raise UsageError("A leaderboard without a seed has no rows.", "Write e.g. 1-3.")
    if len(request.seeds) > _MOST_SEEDS:
        raise UsageError(f"{len(request.seeds)} seeds are more than a leaderboard takes.", f"At most {_MOST_SEEDS}.")
    if len(set(request.seeds)) < len(request.seeds):
        raise UsageError("A seed stands twice in the leaderboard.", "Name each once.")
    if not 0 < request.minutes <= 1_000_000:
        raise UsageError(
            f"{request.minutes:g} minutes are no time to train in.", "All rows get the same: more than 0 minutes."
        )


def _planned(
    item: Preset,
    request: LeaderboardRequest,
    dataset: Dataset,
    stored: Mapping[tuple[str, int | None], Sequence[RunRecord]],
) -> PlannedModel:
    trains = bool(registry.entry("model", item.config.model.name).facts["trains"])
    try:
        first = configuration(item, request, request.seeds[0])
        # What does not train draws nothing by chance: a second seed would be the same run.
        seeds = seeds_for(first.model_dump(mode="json"), request.seeds)
        configs = [first, *(configuration(item, request, seed) for seed in seeds[1:])]
        refuse_impossible(first, dataset)
    except EngineError as error:
        return PlannedModel(item.name, item.title, item.system, refusal=str(error), trains=trains)
    runs = [_run(config, stored) for config in configs]
    return PlannedModel(item.name, item.title, item.system, "", tuple(_notes(item, trains)), tuple(runs), trains)


def configuration(item: Preset, request: LeaderboardRequest, seed: int) -> ExperimentConfig:
    """A preset's run in the leaderboard. Raises ``ConfigurationError`` where the preset cannot be had so."""
    path = request.data if request.data == SAMPLE else str(locate(request.data))
    values: dict[str, Any] = {info.path: info.default for info in fields_of(ExperimentConfig()) if info.path in _ALIKE}
    values |= {
        "data.path": path,
        "train.seed": seed,
        "train.device": request.device,
        "train.max_minutes": request.minutes,
    }
    return item.config.replace(values)


def _run(config: ExperimentConfig, stored: Mapping[tuple[str, int | None], Sequence[RunRecord]]) -> PlannedRun:
    values = config.model_dump(mode="json")
    seed = config.train.seed if has_seeds(values) else None
    found = stored.get((group_key(values), seed), ())
    usable = [record for record in found if record.status is not RunStatus.FINISHED or record.metrics.get("test")]
    if not usable:
        return PlannedRun(config.train.seed, values)
    best = min(usable, key=lambda record: _ORDER[record.status])
    return PlannedRun(config.train.seed, values, best.id, str(best.status), " ".join((best.message, best.hint)).strip())


def _goes_on(run: PlannedRun, request: LeaderboardRequest) -> bool:
    return run.status in ("stopped", "lost") or (run.status == "failed" and request.retry)


def _notes(item: Preset, trains: bool) -> Iterable[str]:
    before = {info.path: info for info in fields_of(item.config)}
    for path in _ALIKE:
        info = before[path]
        if info.value != info.default:
            words = [info.choices.get(str(value), plain(value)) for value in (info.value, info.default)]
            yield f"{info.label.lower()}: {words[1]}, for all rows alike; the preset has {words[0]}"
    if trains and item.config.fidelity.negatives_exclude == "whole":
        yield "its negatives never are a held-out target, a mild leak that the authors' code has"
    if not trains:
        yield "does not train: one run, no seeds"


def _queue_notes(request: LeaderboardRequest, queue: QueueState | None) -> Iterable[str]:
    device = auto_device() if request.device == "auto" else request.device
    at_once = queue.at_once.get(device, 1) if queue is not None else 1
    if at_once > 1:
        yield f"{at_once} runs train on {device} at once and share it: their minutes are worth less than one's alone."
    if queue is not None and queue.is_paused:
        yield "The queue is paused: runs begin when it goes on."


# The table ------------------------------------------------------------------------------------------------------------


def board(
    planned: LeaderboardPlan,
    records: Mapping[str, RunRecord],
    *,
    metric: str,
    split: Literal["valid", "test"] = "test",
    paper: PaperNumbers | None = None,
) -> Leaderboard:
    """The table of what has finished. ``records`` are the runs of the plan by their ids, ``paper`` the paper's numbers
    on data of that name, where they are asked for: its Table 2 stands beside.

    Sorted by ``metric``, each row tested against the best on the same users (`engine.runs.comparison`). Raises what
    `compare` raises.
    """
    groups: dict[str, Group] = {}
    for model in planned.models:
        runs = [records[run.run_id] for run in model.runs if run.status == RunStatus.FINISHED]
        if runs:
            groups[model.preset] = tuple(runs)
    found = _compared(planned, groups, metric, split)
    order = list(found[1]) if found else []
    rows = [_row(model, groups.get(model.preset, ()), found, order, metric) for model in planned.models]
    rows.sort(key=lambda row: (row.place is None, row.place or 0))
    notes = [*planned.notes, *(found[0].notes if found else ()), *_machine_notes(list(groups.values()))]
    notes += _paper_notes(planned, paper)
    cells = tuple(cell for cell in paper.cells if cell.table == 2) if paper else ()
    return Leaderboard(planned, metric, tuple(rows), found[0] if found else None, cells, tuple(notes))


def _compared(
    planned: LeaderboardPlan, groups: Mapping[str, Group], metric: str, split: Literal["valid", "test"]
) -> tuple[Comparison, tuple[str, ...]] | None:
    """The measured rows, best first, compared with the best; and their presets in that order.

    The data are called what they are called now: a run may have trained on the same content under another name.
    """
    if not groups:
        return None
    if metric not in METRICS:
        raise UsageError(f"A leaderboard is not sorted by '{metric}'.", f"Known: {', '.join(METRICS)}.")
    means = {name: sum(run.metrics[split][metric] for run in group) / len(group) for name, group in groups.items()}
    order = tuple(sorted(groups, key=lambda name: -means[name]))
    titles = {model.preset: model.title for model in planned.models}
    labels = [titles[name] for name in order]
    found = compare([groups[name] for name in order], split=split, labels=labels, baseline=0)
    named = tuple(replace(group, dataset=planned.dataset) for group in found.groups)
    return replace(found, groups=named, data_users=found.data_users or planned.users), order


def _row(
    model: PlannedModel,
    group: Group,
    found: tuple[Comparison, tuple[str, ...]] | None,
    order: Sequence[str],
    metric: str,
) -> LeaderboardRow:
    state, missing = _state(model)
    cut_short = _cut_short(group)
    told = "; ".join(filter(None, [*missing, cut_short, *model.notes]))
    if found is None or not group:
        return LeaderboardRow(model.preset, model.title, model.system, None, state, told)
    comparison, place = found[0], order.index(model.preset)
    measures = {item.metric: item for item in comparison.measures if item.group == place}
    test = next((item for item in comparison.tests if item.metric == metric and item.second == place), None)
    return LeaderboardRow(
        preset=model.preset,
        title=model.title,
        system=model.system,
        place=place + 1,
        state=state,
        told=told,
        run_ids=tuple(run.id for run in group),
        seeds=tuple(run.seed for run in group),
        metrics={name: item.mean for name, item in measures.items()},
        stds={name: item.std for name, item in measures.items() if item.std is not None} or None,
        epochs=comparison.groups[place].epochs,
        best_epochs=tuple(None if run.best_epoch is None else run.best_epoch + 1 for run in group),
        minutes=comparison.groups[place].minutes,
        out_of_time=comparison.groups[place].out_of_time,
        cut_short=cut_short,
        difference=None if test is None else test.difference,
        p=None if test is None else test.p_holm,
    )


def _cut_short(group: Group) -> str:
    """Runs that their time ended before their learning rate had fallen, as it does over all of their epochs."""
    cut = [run for run in group if run.ended_by == "time" and rate_falls(run.config) and 0 < run.epoch + 1 < run.epochs]
    if not cut:
        return ""
    many, whose = ("s", "their") if len(cut) > 1 else ("", "its")
    seeds, epochs = ", ".join(str(run.seed) for run in cut), ", ".join(f"{run.epoch + 1:,}" for run in cut)
    return (
        f"seed{many} {seeds} ended by time at epoch{many} {epochs} of {cut[0].epochs:,}, before {whose} learning rate "
        "had fallen"
    )


def _state(model: PlannedModel) -> tuple[str, list[str]]:
    """Where a row stands, and what is missing in it."""
    if model.refusal:
        return "refused", [model.refusal]
    by_status: dict[str, list[PlannedRun]] = {}
    for run in model.runs:
        by_status.setdefault(run.status, []).append(run)
    told = []
    for status, runs in by_status.items():
        seeds = ", ".join(str(run.seed) for run in runs)
        word = f"seed {seeds}" if len(runs) == 1 else f"seeds {seeds}"
        if status == RunStatus.FAILED:
            told += [f"{word} failed: {runs[0].message}"]
        elif status != RunStatus.FINISHED:
            told += [f"{word} {status or 'not submitted'}"]
    done = len(by_status.get("finished", ()))
    if done == len(model.runs):
        return "done", told
    if done:
        return "partly", told
    return ("failed" if set(by_status) == {"failed"} else "waiting"), told


def _paper_notes(planned: LeaderboardPlan, paper: PaperNumbers | None) -> Iterable[str]:
    """What must be said where the paper's numbers are asked for, and are of other data or not there at all."""
    if paper is None:
        return
    if not paper.cells:
        known = f"{', '.join(DATASETS[:-1])} and {DATASETS[-1]}"
        yield f"The paper has no data set called {planned.dataset}: its Table 2 is about {known}."
    other = paper.other_users(planned.dataset, planned.users)
    if other:
        yield other


def _machine_notes(groups: Sequence[Group]) -> Iterable[str]:
    """The same minutes are the same time on one machine only."""
    trained = [run for group in groups for run in group if run.train_seconds]
    machines = dict.fromkeys((run.hardware.get("processor", ""), run.device) for run in trained)
    if len(machines) > 1:
        listed = "; ".join(" on ".join(filter(None, (device, processor))) for processor, device in machines)
        yield f"The runs were trained on {len(machines)} machines ({listed}): their minutes are not alike."
