"""``coserec leaderboard``: many models on one file, with one split, protocol and time for all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import click

from engine.api import Workspace
from engine.api.comparisons import refuse_beside_validation
from engine.cli.follow import follow
from engine.cli.frame import FAILED, emit, json_option, span, table, tell, workspace_option
from engine.cli.places import NewFile
from engine.cli.settings import seeds_of
from engine.cli.signals import as_ctrl_c
from engine.config import KS, STOPPING_METRIC, duration_text, minutes_text, rehearsable
from engine.errors import UsageError
from engine.records import (
    Leaderboard,
    LeaderboardPlan,
    LeaderboardRequest,
    LeaderboardRow,
    PlannedModel,
    RunStatus,
    to_plain,
)

METRICS = (*(f"HR@{k}" for k in KS), *(f"NDCG@{k}" for k in KS), "MRR")


class _LeaderboardCommand(click.Command):
    """Knows that presets are called models here: by its letters alone ``--preset`` is nearest to ``--retry``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if error.option_name in ("--preset", "--presets"):
                told = f"No such option '{error.option_name}'. Did you mean '--models'?"
                raise click.NoSuchOption(error.option_name, told, ctx=ctx) from None
            raise


@click.command(cls=_LeaderboardCommand)
@click.argument("data", metavar="DATA")
@click.option(
    "--models",
    default="",
    metavar="LIST",
    help="Presets or recommenders, e.g. gru4rec-strong,SASRec; without it, the strongest preset of every recommender.",
)
@click.option("--seeds", default="1-3", show_default=True, metavar="LIST", help="One run a seed: 1-3 or 1,2,7.")
@click.option(
    "--budget-minutes",
    "minutes",
    type=click.FloatRange(min=0, min_open=True),
    default=10.0,
    show_default=True,
    help="Training and validation of each run; then it ends, and its best weights are tested.",
)
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda", "mps"]),
    default="auto",
    show_default=True,
    help="Where all of them train.",
)
@click.option("--metric", default=STOPPING_METRIC, show_default=True, help="Sorts the rows, and tells them apart.")
@click.option("--split", type=click.Choice(["test", "valid"]), default="test", show_default=True, help="Whose targets.")
@click.option("--paper", is_flag=True, help="The paper's Table 2 beside, on its three data sets.")
@click.option("--plan", "only_plan", is_flag=True, help="Only tell what would run, and what that takes.")
@click.option("--queue", is_flag=True, help="Only put into the queue; `coserec work` works it off.")
@click.option("--show", "only_show", is_flag=True, help="Only tell what has finished; start nothing.")
@click.option("--retry", is_flag=True, help="Try runs again that have failed.")
@click.option("--csv", type=NewFile(), help="Also write a line a row to this file.")
@click.option("--latex", type=NewFile(), help="Also write a table for a paper.")
@workspace_option
@json_option
def leaderboard(
    data: str,
    models: str,
    seeds: str,
    minutes: float,
    device: str,
    metric: str,
    split: Literal["test", "valid"],
    paper: bool,
    only_plan: bool,
    queue: bool,
    only_show: bool,
    retry: bool,
    csv: Path | None,
    latex: Path | None,
    workspace: Workspace,
    as_json: bool,
) -> None:
    """Train and rank models on DATA.

    All have the same file, split, protocol and time. What has finished before is used again; stopped, by Ctrl+C too,
    the same command goes on with what is left. A model that cannot run on the data is a row that says why.
    """
    if sum((only_plan, queue, only_show)) > 1:
        raise UsageError("--plan, --queue and --show exclude each other.", "Give one of them.")
    _refuse_files(csv, latex)
    refuse_beside_validation(paper, split)
    if metric not in METRICS:
        raise UsageError(f"A leaderboard is not sorted by '{metric}'.", f"Known: {', '.join(METRICS)}.")
    names = tuple(filter(None, (name.strip() for name in models.split(","))))
    if models.strip() and not names:
        raise UsageError("--models names no model.", "Write e.g. --models SASRec,gru4rec-strong.")
    request = LeaderboardRequest(data, names, seeds_of(seeds), minutes, device, retry)
    api = workspace.leaderboards
    planned = api.plan(request)
    if not only_show:
        planned = _rehearsed(workspace, planned)
        _print_plan(planned)
    if only_plan or queue:
        warnings = {model.preset: model.warning for model in planned.models}
        planned = api.start(request).warned(warnings) if queue else planned
        if as_json:
            emit(_plain_plan(planned))
        return
    if not only_show:
        with as_ctrl_c() as asked:
            ids = _to_do(api.start(request))
            if ids:
                follow(workspace.runs, ids)
            asked.leave()  # the table takes a while, and whoever sends a signal kills after a while
    found = api.board(request, metric=metric, split=split, paper=paper)
    written = [str(api.export(found, path)) for path in (csv, latex) if path is not None]
    if as_json:
        emit(_plain(found) | {"written": written})
    else:
        _print(found)
        for path in written:
            click.echo(f"\nWritten: {path}")
    if not only_show and not found.is_complete:
        click.get_current_context().exit(FAILED)


def _refuse_files(csv: Path | None, latex: Path | None) -> None:
    """Before hours of training, not after them."""
    if csv is not None and csv.suffix.lower() not in (".csv", ".parquet"):
        raise UsageError(f"--csv {csv} is no table's name.", "Name a .csv or .parquet file.")
    if latex is not None and latex.suffix.lower() != ".tex":
        raise UsageError(f"--latex {latex} is no .tex file.", "Name a .tex file.")


def _to_do(planned: LeaderboardPlan) -> list[str]:
    """Runs that have not ended, in the order in which they were queued."""
    runs = [run for model in planned.models for run in model.runs if run.status in ("queued", "running")]
    return [run.run_id for run in sorted(runs, key=lambda run: planned.request.seeds.index(run.seed))]


# The plan


def _rehearsed(workspace: Workspace, planned: LeaderboardPlan) -> LeaderboardPlan:
    """The plan with its warnings; what is rehearsed for them is told, since it takes a while."""
    names = rehearsable(planned)
    if names:
        workspace.runs.sweep()  # the dead do not train
        if any(run.status is RunStatus.RUNNING for run in workspace.runs.all()):
            tell("Whether the time is enough is not rehearsed: a run trains, and its steps would be slow beside it.")
            return planned
        tell(f"Rehearsing some steps of {', '.join(names)}: is their time enough?")
    return workspace.leaderboards.rehearsed(planned)


def _print_plan(planned: LeaderboardPlan) -> None:
    request = planned.request
    seeds = "1 seed" if len(request.seeds) == 1 else f"{len(request.seeds)} seeds"
    models = "1 model" if len(planned.models) == 1 else f"{len(planned.models)} models"
    each = f"{minutes_text(request.minutes)} of training and validation each"
    tell(f"{planned.dataset}: {models}, {seeds}, {each}.")
    table([(model.title, model.preset, _runs_text(model), _told(model)) for model in planned.models], err=True)
    counts = [
        (len(planned.new), "to train"),
        (len(planned.resumes), "to go on"),
        (len(planned.waiting), "waiting or training"),
        (len(planned.finished), "finished already"),
    ]
    told = ", ".join(f"{count} {words}" for count, words in counts if count) or "nothing to run"
    tell(f"{told}; {_time_text(planned)}." if planned.to_do else f"{told}.")
    for model in planned.models:
        if model.warning:
            tell(f"! {model.title}: {model.warning.removesuffix('.')}.")
    for note in planned.notes:
        tell(note)


def _time_text(planned: LeaderboardPlan) -> str:
    """``at most 2 h 05 min, and the tests``; where nothing of it trains, the tests are all that takes time."""
    seconds = planned.most_seconds
    return f"at most {duration_text(seconds)}, and the tests" if seconds else "only their tests take time"


def _runs_text(model: PlannedModel) -> str:
    return model.runs_in_words({"": "new"})


def _told(model: PlannedModel) -> str:
    failed = [run.message for run in model.runs if run.status == "failed"][:1]
    return model.refusal or "; ".join([*failed, *model.notes])


def _plain_plan(planned: LeaderboardPlan) -> dict[str, Any]:
    totals = {"new": len(planned.new), "to_do": planned.to_do, "most_seconds": planned.most_seconds}
    return dict(to_plain(planned)) | totals


# The table


def _print(found: Leaderboard) -> None:
    comparison = found.comparison
    metrics = comparison.metrics if comparison else METRICS
    heads = ["", "model", *metrics, "n", "epochs", "minutes", "p, Holm", "told"]
    rows: list[Sequence[Any]] = [
        [
            str(row.place or ""),
            row.title,
            *(_metric_text(row, name) for name in metrics),
            str(row.n),
            span(row.epochs) + ("!" if row.out_of_time else ""),
            span([f"{value:.1f}" for value in row.minutes if value is not None]),
            "best" if row.place == 1 else "–" if row.p is None else f"{row.p:.2g}",
            row.state_in_words,
        ]
        for row in found.rows
    ]
    rows += [
        ["", f"{cell.model} (paper)", *(_paper_text(cell, name) for name in metrics), "", "", "", "", ""]
        for cell in found.paper
    ]
    table(rows, heads)
    if any(row.out_of_time for row in found.rows):
        click.echo(
            f"\n! ended because its time, {minutes_text(found.plan.request.minutes)}, was spent; its best weights are "
            "tested."
        )
    for cell in found.paper:
        for name, text in cell.faults:
            click.echo(f"! Table 2, {cell.dataset}, {cell.model}{f' {name}' if name else ''}: {text}")
    if comparison is not None and comparison.tests:
        click.echo(
            f"\np: the {found.metric} of {comparison.users:,} users against the best row's, Wilcoxon, Holm over "
            f"{comparison.family}."
        )
    for note in found.notes:
        click.echo(f"\n{note}")


def _metric_text(row: LeaderboardRow, name: str) -> str:
    if row.metrics is None or name not in row.metrics:
        return "–"
    spread = f" ± {row.stds[name]:.4f}" if row.stds and name in row.stds else ""
    return f"{row.metrics[name]:.4f}{spread}"


def _paper_text(cell: Any, name: str) -> str:
    is_faulty = any(fault in ("", name) for fault, _ in cell.faults)
    return f"{cell.metrics[name]:.4f}{'!' if is_faulty else ''}" if name in cell.metrics else "–"


def _plain(found: Leaderboard) -> dict[str, Any]:
    tree = dict(to_plain(found))
    tree["plan"] = _plain_plan(found.plan)
    return tree | {"is_complete": found.is_complete}


COMMANDS = (leaderboard,)
