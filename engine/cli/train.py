"""Commands that train: train, resume, work, and the hidden one that a training process runs."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from engine.api import Workspace
from engine.cli.follow import follow
from engine.cli.frame import (
    FAILED,
    emit,
    json_option,
    metric_table,
    named_runs,
    stored_workspace_option,
    table,
    tell,
    workspace_option,
)
from engine.cli.settings import SettingsCommand, all_fields, config_options, seeds_of
from engine.cli.signals import Asked, as_ctrl_c
from engine.config import ExperimentConfig, epochs_text, grid, parse_list, refuse_without_effect
from engine.config.grouping import has_seeds
from engine.config.naming import run_name
from engine.errors import UsageError, did_you_mean
from engine.records import RunRecord, RunStatus, to_plain

_queue_option = click.option("--queue", is_flag=True, help="Only put into the queue; `coserec work` works it off.")


@click.command(cls=SettingsCommand)
@click.argument("data", metavar="DATA", required=False)
@click.option("--seeds", default="", metavar="LIST", help="One run a seed: 1-3 or 1,2,7. Without it, train.seed.")
@click.option(
    "--set",
    "lists",
    multiple=True,
    metavar="PATH=LIST",
    help="Several values of a setting, e.g. loss.contrastive_weight=0.05,0.1; with others and the seeds, a grid.",
)
@click.option("--name", default="", help="A name for the runs; without it, one made from the settings.")
@_queue_option
@workspace_option
@json_option
@config_options
def train(
    data: str | None,
    seeds: str,
    lists: tuple[str, ...],
    name: str,
    queue: bool,
    workspace: Workspace,
    as_json: bool,
    config: ExperimentConfig,
    preset: str,
    settings: Mapping[str, str],
    begun: ExperimentConfig,
    **_: Any,
) -> None:
    """Train on DATA, one run a seed.

    Each run is a process of its own, one after another; the window shows them as its own. While another run of the
    workspace has the device, they wait. Ctrl+C and SIGTERM stop with a checkpoint.
    """
    if data is None and "data.path" not in settings:
        raise UsageError("There is no data set to train on.", "Write `coserec train DATA …`; 'sample' is bundled.")
    if data is not None and "data.path" in settings and config.data.path != data:
        raise UsageError(f"DATA says {data}, --data.path says {config.data.path}.", "Give one of them.")
    if data is not None:
        config = config.replace({"data.path": data})
    listed = seeds_of(seeds)
    if listed and "train.seed" in settings:
        raise UsageError("--seeds and --train.seed both say the seed.", "Give one of them.")
    varied = _lists_of(config, lists, settings)
    if listed and "train.seed" in varied:
        raise UsageError("--seeds and --set train.seed both say the seed.", "Give one of them.")
    planned = grid(config, varied, listed)
    refuse_without_effect(planned, begun, settings)
    if len(listed) > 1 and not all(has_seeds(one.model_dump(mode="json")) for one in planned):
        tell("What does not train gives the same with every seed: one run of it is enough.")
    if len(planned) > 1:
        tell(f"{len(planned)} runs.")
    with as_ctrl_c() as asked:
        submitted = workspace.runs.submit_all(planned, preset=preset, name=name)
        _run_out(workspace, [record.id for record in submitted], queue, as_json, asked)


def _lists_of(
    config: ExperimentConfig, lists: Sequence[str], settings: Mapping[str, str]
) -> dict[str, tuple[Any, ...]]:
    found: dict[str, tuple[Any, ...]] = {}
    for item in lists:
        path, sign, text = item.partition("=")
        if not sign:
            raise UsageError(f"--set {item} has no value.", "Write e.g. --set augment.crop_rate=0.1,0.2.")
        if path in settings or path in found:
            raise UsageError(f"{path} is given twice.", "Give one of them.")
        _refuse_unknown(path)
        found[path] = parse_list(config, path, text)
    return found


def _refuse_unknown(path: str) -> None:
    """Raise ``UsageError`` for a path that no setting of any model has."""
    known = [field.path for field in all_fields()]
    if path not in known:
        hint = did_you_mean(path, known) or "`coserec train --help` lists them."
        raise UsageError(f"--set {path}: there is no such setting.", hint)


@click.command()
@click.argument("run_ids", metavar="ID...", nargs=-1, required=True)
@_queue_option
@stored_workspace_option
@json_option
def resume(run_ids: tuple[str, ...], queue: bool, workspace: Workspace, as_json: bool) -> None:
    """Go on with runs that ended early, one after another.

    A stopped, failed or lost run goes on with the step after its last checkpoint, as a new attempt. Stop always leaves
    one; train.checkpoint_epochs and train.checkpoint_minutes say how often others are written.
    """
    records = named_runs(workspace, run_ids)
    with as_ctrl_c() as asked:
        workspace.runs.resume_all([record.id for record in records])
        _run_out(workspace, [record.id for record in records], queue, as_json, asked)


@click.command(cls=SettingsCommand)
@click.argument("data", metavar="DATA")
@workspace_option
@json_option
@config_options
def cost(
    data: str,
    workspace: Workspace,
    as_json: bool,
    config: ExperimentConfig,
    settings: Mapping[str, str],
    begun: ExperimentConfig,
    **_: Any,
) -> None:
    """Tell what training on DATA will take.

    Rehearses some steps, some ranking and some neighbours on the device that would be used, and starts no run.
    """
    refuse_without_effect((config,), begun, settings)
    found = workspace.costs.estimate(config.replace({"data.path": data}))
    if as_json:
        seconds = {"epoch_seconds": found.epoch_seconds, "most_seconds": found.most_seconds}
        emit(to_plain(found) | seconds)
        return
    what = f"pre-training, an epoch ({found.pretrain_steps:,} steps), in {epochs_text(found.pretrain_epochs)}, s"
    before = [(what, found.pretrain_seconds)] if found.pretrain_epochs else []
    rows = [
        ("device", found.device),
        ("memory-based neighbours, once, s", found.count_seconds),
        *before,
        (f"training, an epoch ({found.steps:,} steps of {found.users:,} users), s", found.train_seconds),
        ("validation, an epoch, s", found.validate_seconds),
        (
            f"model-based neighbours, an epoch, in at most {epochs_text(found.model_epochs)}, s",
            found.neighbours_seconds,
        ),
        ("testing at the end, s", found.test_seconds),
        (f"all {epochs_text(found.all_epochs)}, h", found.most_seconds / 3600),
        ("memory for arrays, GiB", found.memory / 2**30),
    ]
    table((name, value if isinstance(value, str) else f"{value:.3g}") for name, value in rows)


def _run_out(workspace: Workspace, ids: Sequence[str], queue: bool, as_json: bool, asked: Asked) -> None:
    from engine.runs.export import plain_run

    runs = workspace.runs
    records = tuple(runs.get(run_id) for run_id in ids) if queue else follow(runs, ids)
    if as_json:
        emit({"runs": [plain_run(record, runs.epochs(record.id)) for record in records]})
    else:
        _print(records)
    expected = (RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.FINISHED) if queue else (RunStatus.FINISHED,)
    if asked.code or any(record.status not in expected for record in records):
        click.get_current_context().exit(asked.code or FAILED)


def _print(records: Sequence[RunRecord]) -> None:
    for record in records:
        click.echo(f"{record.id}  {run_name(record)}  {record.status}  {record.message}".rstrip())
        if record.metrics:
            metric_table(record.metrics)


@click.command()
@stored_workspace_option
@json_option
def work(workspace: Workspace, as_json: bool) -> None:
    """Work off the queue without a window.

    Ends when the queue is empty. One worker a workspace.
    """
    with as_ctrl_c():
        try:
            started = workspace.runs.work()
        except KeyboardInterrupt:
            tell("The queue waits. A run that has begun goes on; `coserec stop ID` ends it.")
            raise click.Abort from None
    if as_json:
        emit({"started": started})
    else:
        click.echo(f"{started} run{'' if started == 1 else 's'} started; the queue is empty.")


@click.command(hidden=True)
@click.argument("run_id", metavar="ID")
@stored_workspace_option
@click.pass_context
def run(ctx: click.Context, run_id: str, workspace: Workspace, **_: Any) -> None:
    """Do a queued run in this process: what the window, `train` and `work` start."""
    ctx.exit(workspace.runs.execute(run_id))


@click.command("stand-by", hidden=True)
@workspace_option
@click.pass_context
def stand_by(ctx: click.Context, workspace: Workspace, **_: Any) -> None:
    """Import what a run needs, then do the run whose id comes on standard input: what the window keeps ready."""
    ctx.exit(workspace.runs.await_orders(sys.stdin))


COMMANDS = (train, cost, resume, work, run, stand_by)
