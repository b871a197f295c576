"""``coserec results``: what each preset measured, from stored runs to files and from files to a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.api import Workspace
from engine.cli.frame import emit, is_given, json_option, stored_workspace_option, table, tell
from engine.cli.places import NewFolder
from engine.errors import UsageError

if TYPE_CHECKING:
    from engine.reports.measured import MeasuredPreset

LeftOut = tuple[tuple[str, str], ...]
"""Runs, each with the reason."""


@click.command()
@click.argument("run_ids", metavar="[RUN]...", nargs=-1)
@click.option(
    "--out",
    type=NewFolder(),
    help="Write what the presets of the workspace's runs, or of these RUNs, measured into this folder.",
)
@click.option(
    "--from",
    "source",
    type=click.Path(file_okay=False, path_type=Path),
    help="Read the results of this folder, which --out has written.",
)
@click.option("--markdown", "as_markdown", is_flag=True, help="Print them as the README has them.")
@stored_workspace_option
@json_option
def results(
    run_ids: tuple[str, ...],
    out: Path | None,
    source: Path | None,
    as_markdown: bool,
    workspace: Workspace,
    as_json: bool,
) -> None:
    """What each preset measured.

    Alone, the table of the results that come with the program. With --workspace on the command line, or with RUNs, the
    table of what that workspace's runs measured: those that have finished with exactly a preset's settings. With
    --out, these are written as files; with --from, such files are read.
    """
    api = workspace.results
    if out is not None and source is not None:
        raise UsageError("--out writes and --from reads.", "Give one of them.")
    has_runs = bool(run_ids) or is_given("folder")
    if source is not None and has_runs:
        raise UsageError("--from reads files, RUN and --workspace name runs.", "Give one of them.")
    if out is not None:
        written = api.write(out, run_ids)
        _tell_left_out(written.left_out)
        if as_json:
            files = [str(path) for path in written.files]
            emit({"files": files, "runs": list(written.runs), "left_out": _plain(written.left_out)})
            return
        for path in written.files:
            click.echo(f"Written: {path}")
        return
    if has_runs:
        found = api.of_runs(run_ids)
        _tell_left_out(found.left_out)
        _print(api.markdown(found.results) if as_markdown else "", found.results, as_json, found.left_out)
    else:
        read = api.read(source)
        _print(api.markdown(read) if as_markdown else "", read, as_json)


def _tell_left_out(left_out: LeftOut) -> None:
    for run_id, reason in left_out:
        tell(f"{run_id} is left out: {reason}.")


def _plain(left_out: LeftOut) -> list[dict[str, str]]:
    return [{"run": run_id, "reason": reason} for run_id, reason in left_out]


def _print(markdown: str, found: Sequence[MeasuredPreset], as_json: bool, left_out: LeftOut | None = None) -> None:
    """The table; ``left_out`` are runs, where it is of runs."""
    if as_json:
        tree: dict[str, Any] = {"results": [item.model_dump(mode="json") for item in found]}
        emit(tree | ({} if left_out is None else {"left_out": _plain(left_out)}))
    elif markdown:
        click.echo(markdown, nl=False)
    elif found:
        from engine.reports.measured import METRICS, cells

        rows = [[item.dataset, *cells(item)] for item in found]
        heads = ["data", "preset", "seeds", *METRICS, "epochs (best)", "minutes"]
        table([[cell.strip("`") for cell in row] for row in rows], heads)
    else:
        tell("There are no results yet.")


COMMANDS = (results,)
