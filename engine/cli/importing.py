"""The command that makes a data set of a user's own file."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

from engine.api import Workspace
from engine.cli.frame import emit, json_option, table, tell, workspace_option
from engine.cli.settings import SettingOption
from engine.config import ImportRecipe, recipe_fields
from engine.records import BadRow, ImportProgress, ImportReport, to_plain

_LISTED = 20


def _recipe_options(command: Any) -> Any:
    options = [SettingOption(field) for field in recipe_fields()]
    command.__click_params__ = [*reversed(options), *getattr(command, "__click_params__", [])]
    return command


@click.command("import")
@click.argument("file", metavar="FILE")
@click.option("--dry-run", is_flag=True, help="Count what the recipe leaves, and keep nothing.")
@click.option("--look", "only_look", is_flag=True, help="Show the columns and the guesses, and read no more.")
@json_option
@workspace_option
@_recipe_options
def import_(
    file: str, dry_run: bool, only_look: bool, as_json: bool, workspace: Workspace, **settings: str | None
) -> None:
    """Make a data set of FILE, plain or gzip, and keep it in the workspace.

    CoSeRec text, RecBole .inter, CSV, TSV, Parquet, MovieLens ratings, Amazon reviews. What is not given is
    guessed from the file; --look shows the guesses. Prints the path that the other commands take as DATA.
    """
    given = {name.removeprefix("setting_"): value for name, value in settings.items() if value is not None}
    recipe = ImportRecipe().replace({name.replace("-", "_"): value for name, value in given.items()})
    if only_look:
        _show_look(workspace, file, recipe, as_json)
        return
    on_progress = _Teller() if sys.stderr.isatty() else None
    if dry_run:
        report = workspace.imports.count(file, recipe, on_progress=on_progress)
        if as_json:
            emit(to_plain(report))
        else:
            _show_report(report)
        return
    result = workspace.imports.run(file, recipe, on_progress=on_progress)
    if as_json:
        emit(to_plain(result))
        return
    _show_report(result.report)
    tell("" if result.is_new else "It was imported by the same recipe before.")
    click.echo(result.path)


def _show_look(workspace: Workspace, file: str, recipe: ImportRecipe, as_json: bool) -> None:
    found = workspace.imports.look(file, recipe)
    if as_json:
        emit(to_plain(found))
        return
    click.echo(f"{found.label}  ({found.path}, {found.size:,} bytes)")
    roles = {str(found.recipe[role]): role for role in ("user", "item", "rating", "time")}
    roles[found.title] = "title"
    rows = [
        (column.name, column.kind, roles.get(column.name, ""), ", ".join(column.examples)) for column in found.columns
    ]
    table(rows, ("column", "kind", "role", "examples"))
    if found.recipe["time"] != "-":
        click.echo(f"times are {found.recipe['time_unit'].replace('_', ' ')}")
    for note in found.notes:
        tell(note)
    if found.problem:
        tell(found.problem)


def _show_report(report: ImportReport) -> None:
    table(
        [(stage.label, stage.users, stage.items, stage.actions) for stage in report.stages],
        ("after", "users", "items", "actions"),
    )
    if report.titled:
        click.echo(f"{report.titled:,} items have a title.")
    for note in report.notes:
        tell(note)
    _list_rows(report, f"of {report.rows:,} rows cannot be used", report.bad_rows, report.bad_count)
    _list_rows(report, "rows are used without their title", report.bad_titles, report.bad_title_count)


def _list_rows(report: ImportReport, what: str, rows: Sequence[BadRow], count: int) -> None:
    if count:
        tell(f"{count:,} {what}:")
        for row in rows[:_LISTED]:
            tell(f"  {report.lines_are} {row.line:,}: {row.reason}")
        if count > _LISTED:
            tell(f"  … and {count - _LISTED:,} more")


class _Teller:
    """One line of a terminal, written over and over."""

    def __call__(self, progress: ImportProgress) -> None:
        left = "" if progress.seconds_left is None else f", {progress.seconds_left:.0f} s left"
        text = f"{progress.phase} {progress.share:.0%}{left}"
        click.echo(f"\r{text:<60}", err=True, nl=progress.phase == "Writing" and progress.share >= 1)


COMMANDS = (import_,)
