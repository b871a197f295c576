"""``coserec results``: what each preset measured, from stored runs to files and from files to a table."""

from __future__ import annotations

from pathlib import Path

import click

from engine.api import Workspace
from engine.cli.frame import emit, json_option, stored_workspace_option, table, tell
from engine.errors import UsageError


@click.command()
@click.argument("run_ids", metavar="[RUN]...", nargs=-1)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write what the presets of the workspace's runs, or of these RUNs, measured into this folder.",
)
@click.option(
    "--from",
    "source",
    type=click.Path(file_okay=False, path_type=Path),
    help="Read the results of this folder; without it, those that come with the program.",
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

    With --out, files from stored runs: those that have finished with exactly a preset's settings. Otherwise the
    table of such files.
    """
    api = workspace.results
    if run_ids and out is None:
        raise UsageError("RUN says what to write, but not where.", "Add --out DIR.")
    if out is not None and source is not None:
        raise UsageError("--out writes and --from reads.", "Give one of them.")
    if out is not None:
        written = api.write(out, run_ids)
        for run_id, reason in written.left_out:
            tell(f"{run_id} is left out: {reason}.")
        if as_json:
            left = [{"run": run_id, "reason": reason} for run_id, reason in written.left_out]
            emit({"files": [str(path) for path in written.files], "runs": list(written.runs), "left_out": left})
            return
        for path in written.files:
            click.echo(f"Written: {path}")
        return
    found = api.read(source)
    if as_json:
        emit({"results": [item.model_dump(mode="json") for item in found]})
    elif as_markdown:
        click.echo(api.markdown(found), nl=False)
    elif found:
        from engine.reports.measured import METRICS, cells

        rows = [[item.dataset, *cells(item)] for item in found]
        heads = ["data", "preset", "seeds", *METRICS, "epochs (best)", "minutes"]
        table([[cell.strip("`") for cell in row] for row in rows], heads)
    else:
        tell("There are no results yet.")


COMMANDS = (results,)
