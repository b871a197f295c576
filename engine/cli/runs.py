"""Commands about stored runs: runs, show, stop, export."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from engine.api import Workspace
from engine.cli import run_marks
from engine.cli.frame import (
    emit,
    json_option,
    metric_table,
    named_runs,
    refuse_unused,
    spread,
    stored_workspace_option,
    table,
    tell,
    workspace_option,
)
from engine.cli.places import NewFile
from engine.config import STOPPING_METRIC, epochs_text
from engine.config.filtering import number_named, run_filter
from engine.config.grouping import changes_nothing
from engine.config.naming import configuration_name, run_name
from engine.errors import UsageError
from engine.records import (
    TRAINING,
    ComparedChoice,
    EpochReport,
    RunMarks,
    RunProtocolRecord,
    RunRecord,
    RunStatus,
    Shelf,
    UsageSample,
    to_plain,
)
from engine.records.query import QueryError

EXAMPLE = "sasrec tag:paper NDCG@10>.03 contrastive_weight=0"
FILTER = f"Words, tag:, state:, data:, model:, preset:, note: and comparisons that must all hold: '{EXAMPLE}'."


@click.group(invoke_without_command=True)
@stored_workspace_option
@click.option(
    "--status",
    type=click.Choice([str(status) for status in RunStatus]),
    multiple=True,
    help="Only runs of this state; may be repeated.",
)
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Only runs with this tag; may be repeated.")
@click.option(
    "--shelf",
    type=click.Choice([str(shelf) for shelf in Shelf]),
    default=str(Shelf.SHOWN),
    show_default=True,
    help="Those in use, the archived, or the trash.",
)
@click.option("--filter", "text", metavar="TEXT", default="", help=FILTER)
@click.option("--sort", metavar="NUMBER", default="", help="By a metric, a setting, seed, …; -NUMBER: highest first.")
@click.option("--limit", type=click.IntRange(min=1), help="At most this many; without --sort, the newest.")
@click.option("--grouped", is_flag=True, help="Seeds of one configuration together: test metrics, mean ± std (n).")
@json_option
@click.pass_context
def runs(
    ctx: click.Context,
    workspace: Workspace,
    status: tuple[str, ...],
    tags: tuple[str, ...],
    shelf: str,
    text: str,
    sort: str,
    limit: int | None,
    grouped: bool,
    as_json: bool,
) -> None:
    """The runs of the workspace, newest first; and what is said of them: tags, notes, stars, archive, trash."""
    if ctx.invoked_subcommand is not None:
        alone, behind = ("`coserec runs` alone",), (f"it behind '{ctx.invoked_subcommand}'",)
        lists = dict.fromkeys(("status", "tags", "shelf", "text", "sort", "limit", "grouped"), alone)
        refuse_unused({**lists, "folder": behind, "as_json": behind}, ctx.invoked_subcommand)
        return
    workspace.runs.sweep()
    is_asked_for, records = _filter(text), workspace.runs.all()
    marks = {mark.run_id: mark for mark in workspace.marks.of()}

    def is_wanted(record: RunRecord) -> bool:
        mark = marks[record.id]
        is_kept = mark.shelf == shelf and set(tags) <= set(mark.tags) and (not status or record.status in status)
        return is_kept and is_asked_for(record, mark)

    found = _in_order([record for record in records if is_wanted(record)], sort)
    if grouped:
        _tell_groups(workspace.comparisons.choices(found)[:limit], as_json)
        return
    found = found[:limit]
    stars = set(workspace.marks.baselines().values())
    if as_json:
        from engine.runs.export import plain_record

        emit({"runs": [plain_record(r) | run_marks.plain_marks(marks[r.id], stars) for r in found]})
        return
    if not found:
        is_filtered = text or status or tags or shelf != Shelf.SHOWN
        tell("No such run." if is_filtered else f"No runs in {workspace.directory}.")
        return
    _list(found, marks, stars)


runs.add_command(run_marks.rename)
runs.add_command(run_marks.tag)
runs.add_command(run_marks.note)
runs.add_command(run_marks.colour)
runs.add_command(run_marks.star)
for _shelving in (run_marks.archive, run_marks.trash, run_marks.restore, run_marks.purge):
    runs.add_command(_shelving)


def _filter(text: str) -> Callable[[RunRecord, RunMarks], bool]:
    try:
        return run_filter(text)
    except QueryError as error:
        raise UsageError(f"The filter cannot be understood: {error}", f"Write e.g. --filter '{EXAMPLE}'.") from None


def _in_order(found: list[RunRecord], sort: str) -> list[RunRecord]:
    """The runs by a number; those without it last, either way, and equal ones the newest first."""
    if not sort:
        return found
    name, sign = sort.removeprefix("-"), -1 if sort.startswith("-") else 1
    try:
        number = number_named(name)
    except QueryError as error:
        raise UsageError(f"Runs cannot be sorted by '{name}'.", str(error)) from None

    def key(record: RunRecord) -> tuple[bool, float]:
        value = number(record)
        return (value is None, 0.0 if value is None else sign * value)

    return sorted(found, key=key)


def _tell_groups(found: Sequence[ComparedChoice], as_json: bool) -> None:
    """Configurations without their seed, in the order of the first run of each."""
    if as_json:
        emit({"groups": [to_plain(item) for item in found]})
        return
    if not found:
        tell("No such run has test metrics.")
        return
    metrics = list(dict.fromkeys(name for item in found for name in item.metrics))
    rows = [
        (item.label, item.dataset, len(item.run_ids), *(_mean(item, name) for name in metrics), " ".join(item.run_ids))
        for item in found
    ]
    table(rows, ("configuration", "data", "n", *(f"test {name}" for name in metrics), "runs"))
    for item in found:
        if item.note:
            click.echo(f"\n{item.label}: {item.note}")


def _mean(item: ComparedChoice, name: str) -> str:
    return spread(item.metrics[name], item.stds.get(name)) if name in item.metrics else "–"


def _list(found: list[RunRecord], marks: dict[str, RunMarks], stars: set[str]) -> None:
    rows = [
        (
            "*" if record.id in stars else "",
            record.id,
            str(record.status),
            "" if record.progress is None else f"{record.progress:.0%}",
            record.dataset,
            configuration_name(record, with_preset=True),
            str(record.seed),
            _metric(record, "valid"),
            _metric(record, "test"),
            f"{record.created_at.astimezone():%Y-%m-%d %H:%M}",
            ", ".join(marks[record.id].tags),
        )
        for record in found
    ]
    heads = (
        "",
        "id",
        "state",
        "done",
        "data",
        "configuration",
        "seed",
        f"valid {STOPPING_METRIC}",
        "test",
        "made",
        "tags",
    )
    table(rows, heads)


def _metric(record: RunRecord, split: str) -> str:
    value = record.metrics.get(split, {}).get(STOPPING_METRIC)
    return "–" if value is None else f"{value:.4f}"


@click.command()
@click.argument("run_id", metavar="ID")
@stored_workspace_option
@click.option("--epochs", "count", type=click.IntRange(min=1), default=10, show_default=True, help="How many epochs.")
@click.option("--protocol", is_flag=True, help="Also the protocol card with the leak check; reads the data.")
@click.option("--usage", "with_usage", is_flag=True, help="Also what it used of the machine.")
@click.option("--log", "lines", type=click.IntRange(min=1), help="Also the last lines of its log, this many.")
@json_option
def show(
    run_id: str,
    workspace: Workspace,
    count: int,
    protocol: bool,
    with_usage: bool,
    lines: int | None,
    as_json: bool,
) -> None:
    """One run: state, settings, epochs, metrics, files.

    A unique beginning or end of the ID is enough. Without --json, the best and the last epochs are shown.
    """
    from engine.runs.export import plain_run

    workspace.runs.sweep()
    record = workspace.runs.get(run_id)
    epochs = workspace.runs.epochs(record.id)
    artifacts = workspace.runs.artifacts(record.id)
    log = workspace.runs.log(record.id, lines) if lines else ""
    card = workspace.protocols.of(record.id) if protocol else None
    samples = workspace.runs.usage(record.id) if with_usage else ()
    if as_json:
        stars = set(workspace.marks.baselines().values())
        marks = run_marks.plain_marks(workspace.marks.of([record.id])[0], stars)
        tree = plain_run(record, epochs) | {"artifacts": [to_plain(item) for item in artifacts], "marks": marks}
        tree |= {"protocol": to_plain(card) | {"verdict": card.verdict}} if card is not None else {}
        tree |= {"usage": [to_plain(item) for item in samples]} if with_usage else {}
        emit(tree | ({"log": log} if lines else {}))
        return
    _print_head(record)
    if record.metrics:
        click.echo()
        metric_table(record.metrics)
    if epochs:
        click.echo()
        best = [report for report in epochs[:-count] if report.epoch == record.best_epoch]
        _print_epochs((*best, *epochs[-count:]))
    _print_configuration(record)
    for item in artifacts:
        click.echo(f"{item.path}  {item.size:,} bytes  sha256 {item.sha256}")
    if card is not None:
        _print_protocol(card)
    if with_usage:
        _print_usage(samples)
    if log:
        click.echo(f"\n{log}")


def _print_configuration(record: RunRecord) -> None:
    """What the run reads; JSON has all of it."""
    click.echo()
    is_nothing = changes_nothing(record.config)
    for section, values in record.config.items():
        if isinstance(values, dict):
            read = {name: value for name, value in values.items() if not is_nothing(f"{section}.{name}")}
            told = ", ".join(f"{name}={value}" for name, value in read.items())
            click.echo(f"{section}: {told}" if told else f"{section}: nothing of it is read")


def _print_protocol(card: RunProtocolRecord) -> None:
    """The facts, and what the leak check found."""
    click.echo()
    table([(fact.name, fact.value, fact.source) for fact in card.facts])
    table([(finding.verdict, finding.name, finding.told) for finding in card.findings])


def _print_usage(samples: tuple[UsageSample, ...]) -> None:
    click.echo()
    rows = [
        (
            f"{sample.at.astimezone():%H:%M:%S}",
            f"{sample.processor:.0%}",
            f"{sample.memory / 2**20:,.0f}",
            f"{sample.memory_free / 2**20:,.0f}",
            "–" if sample.gpu is None else f"{sample.gpu:.0%}",
            "–" if sample.gpu_memory is None else f"{sample.gpu_memory / 2**20:,.0f}",
        )
        for sample in samples
    ]
    table(rows, ("time", "processor", "memory MiB", "free MiB", "GPU", "GPU MiB"))


def _print_head(record: RunRecord) -> None:
    told = " ".join(filter(None, (record.message, record.hint)))
    facts: list[tuple[str, Any]] = [
        ("run", f"{record.id}  {run_name(record)}"),
        ("state", f"{record.status}{f', {record.phase}' if record.phase else ''}, attempt {record.attempt}"),
        ("", told),
        ("progress", "" if record.progress is None else f"{record.progress:.0%} of {epochs_text(record.epochs)}"),
        ("data", f"{record.dataset}  {record.fingerprint}"),
        ("preset", record.preset),
        ("seed", str(record.seed)),
        ("device", record.device),
        ("best epoch", "" if record.best_epoch is None else str(record.best_epoch + 1)),
        ("process", f"{record.pid} on {record.host}" if record.pid else ""),
        ("versions", ", ".join(f"{name} {version}" for name, version in record.versions.items())),
        ("machine", ", ".join(_of_machine(*fact) for fact in record.hardware.items() if fact[1])),
        ("folder", str(record.directory)),
    ]
    table([fact for fact in facts if fact[1]])


def _of_machine(name: str, value: str) -> str:
    told = {"threads": f"{value} thread{'' if value == '1' else 's'}", "kernels": f"kernels {value}"}
    return told.get(name, value)


def _print_epochs(epochs: tuple[EpochReport, ...]) -> None:
    losses = list(dict.fromkeys(name for report in epochs for name in report.losses))
    stages = ("stage",) if any(report.stage != TRAINING for report in epochs) else ()
    rows = [
        (
            f"{report.epoch + 1}{' *' if report.is_best else ''}",
            *(f"{report.losses[name]:.4f}" if name in report.losses else "–" for name in losses),
            f"{report.metrics[STOPPING_METRIC]:.4f}" if STOPPING_METRIC in report.metrics else "–",
            f"{report.train_seconds:.2f}",
            f"{report.validate_seconds:.2f}",
            report.correlation,
            *(report.stage for _ in stages),
        )
        for report in epochs
    ]
    table(rows, ("epoch", *losses, f"valid {STOPPING_METRIC}", "train s", "validate s", "correlation", *stages))


@click.command()
@click.argument("run_ids", metavar="ID...", nargs=-1, required=True)
@stored_workspace_option
@click.option(
    "--patience",
    type=click.FloatRange(min=0),
    default=5.0,
    show_default=True,
    help="Seconds before SIGTERM, and then before a run is killed; one that lives has a minute more to end its step.",
)
@json_option
def stop(run_ids: tuple[str, ...], workspace: Workspace, patience: float, as_json: bool) -> None:
    """Stop runs with a checkpoint, or cancel them.

    A running run stops at its next step; a queued one is taken out of the queue.
    """
    named = [record.id for record in named_runs(workspace, run_ids)]
    found = workspace.runs.stop_all(named, patience)
    if as_json:
        told = [{"id": record.id, "status": str(record.status), "message": record.message} for record in found]
        emit((told[0] if len(told) == 1 else {}) | {"runs": told})
        return
    for record in found:
        click.echo(f"{record.id} {record.status}. {record.message}".rstrip())


def _not_in_the_trash(workspace: Workspace) -> list[RunRecord]:
    shelves = {mark.run_id: mark.shelf for mark in workspace.marks.of()}
    records = workspace.runs.all()
    kept = [record for record in records if shelves.get(record.id) is not Shelf.TRASHED]
    if records and not kept:
        raise UsageError("Every run is in the trash.", "Restore one, or name the runs.")
    return kept


@click.command()
@click.argument("run_ids", metavar="[ID]...", nargs=-1)
@click.option(
    "--output",
    required=True,
    type=NewFile(),
    help=".json, .csv, .parquet; .tex for a table of the results.",
)
@stored_workspace_option
@json_option
def export(run_ids: tuple[str, ...], output: Path, workspace: Workspace, as_json: bool) -> None:
    """Write runs to a .json, .csv, .parquet or .tex file.

    With configuration, metrics and epochs, a line an epoch; without IDs, every run but those in the trash. The .tex is
    a table of test metrics, mean ± standard deviation over seeds (`coserec compare` tests them too and draws figures).
    """
    is_table = output.suffix.lower() == ".tex"
    if output.suffix.lower() not in (".json", ".csv", ".parquet", ".tex"):
        raise UsageError(
            f"Runs cannot be exported to '{output.name}'.", "Name a .json, .csv, .parquet or, for a table, .tex file."
        )
    kept = [] if run_ids else _not_in_the_trash(workspace)
    chosen = run_ids or [record.id for record in kept if not is_table or record.metrics.get("test")]
    if is_table:
        api = workspace.comparisons
        path = api.export_table(api.table(api.groups(chosen)), output)
    else:
        path = workspace.runs.export(chosen, output)
    if as_json:
        emit({"output": str(path)})
    else:
        click.echo(f"Written: {path}")


@click.command()
@click.argument("run_id", metavar="ID")
@click.argument("output", type=NewFile())
@click.option("--data/--no-data", "with_data", default=True, show_default=True, help="The data file too.")
@stored_workspace_option
@json_option
def bundle(run_id: str, output: Path, with_data: bool, workspace: Workspace, as_json: bool) -> None:
    """Write a run as one .zip: configuration, metrics, epochs, ranks, weights, log, environment and data."""
    path = workspace.bundles.write(run_id, output, with_data=with_data)
    if as_json:
        emit({"output": str(path)})
    else:
        click.echo(f"Written: {path}")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@workspace_option
@json_option
def unbundle(file: Path, workspace: Workspace, as_json: bool) -> None:
    """Take the run of a bundle into the workspace."""
    record = workspace.bundles.read(file)
    if as_json:
        from engine.runs.export import plain_record

        emit({"run": plain_record(record)})
    else:
        click.echo(f"{record.id}  {run_name(record)}  {record.status}")


COMMANDS = (runs, show, stop, export, bundle, unbundle)
