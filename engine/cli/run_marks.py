"""``coserec runs rename|tag|note|colour|star|archive|trash|restore|purge``: names, marks, and where runs are kept."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import click

from engine.api import Workspace
from engine.cli.frame import emit, json_option, stored_workspace_option
from engine.config.naming import run_name
from engine.errors import UsageError
from engine.records import RunMarks, Shelf

_ids = click.argument("run_ids", metavar="ID...", nargs=-1, required=True)


def plain_marks(mark: RunMarks, stars: Collection[str]) -> dict[str, Any]:
    """The marks as the JSON of a run carries them."""
    return {
        "number": mark.number,
        "tags": list(mark.tags),
        "note": mark.note,
        "colour": mark.colour,
        "shelf": str(mark.shelf),
        "is_baseline": mark.run_id in stars,
    }


def _tell(workspace: Workspace, run_ids: Collection[str], as_json: bool, done: str) -> None:
    if as_json:
        stars = set(workspace.marks.baselines().values())
        marks = workspace.marks.of(list(run_ids))
        emit({"runs": [{"id": mark.run_id} | plain_marks(mark, stars) for mark in marks]})
    else:
        click.echo(f"{len(run_ids)} {'run' if len(run_ids) == 1 else 'runs'} {done}.")


@click.command()
@_ids
@click.option("--name", required=True, help="The name; an empty one: by preset and settings again.")
@stored_workspace_option
@json_option
def rename(run_ids: tuple[str, ...], name: str, workspace: Workspace, as_json: bool) -> None:
    """Call runs otherwise. What their settings have otherwise, and the seed, still stand behind the name."""
    workspace.marks.rename(run_ids, name)
    found = [workspace.runs.get(run_id) for run_id in run_ids]
    if as_json:
        emit({"runs": [{"id": record.id, "name": run_name(record)} for record in found]})
    else:
        for record in found:
            click.echo(f"{record.id} is called {run_name(record)}.")


@click.command()
@_ids
@click.option("--add", multiple=True, metavar="TAG", help="A tag to give; may be repeated.")
@click.option("--remove", multiple=True, metavar="TAG", help="A tag to take away; may be repeated.")
@stored_workspace_option
@json_option
def tag(
    run_ids: tuple[str, ...], add: tuple[str, ...], remove: tuple[str, ...], workspace: Workspace, as_json: bool
) -> None:
    """Give runs tags, or take them away."""
    if not add and not remove:
        raise UsageError("There is no tag to give or to take.", "Write --add TAG or --remove TAG.")
    workspace.marks.tag(run_ids, add, remove)
    _tell(workspace, run_ids, as_json, "tagged")


@click.command()
@click.argument("run_id", metavar="ID")
@click.argument("text", metavar="TEXT")
@stored_workspace_option
@json_option
def note(run_id: str, text: str, workspace: Workspace, as_json: bool) -> None:
    """Write a note to a run; an empty TEXT takes it away."""
    workspace.marks.note(run_id, text)
    _tell(workspace, [run_id], as_json, "noted")


@click.command()
@_ids
@click.option("--number", type=click.IntRange(min=0), help="Place in the window's series of looks; without: automatic.")
@stored_workspace_option
@json_option
def colour(run_ids: tuple[str, ...], number: int | None, workspace: Workspace, as_json: bool) -> None:
    """Choose the look that runs have in every plot of the window."""
    workspace.marks.colour(run_ids, number)
    _tell(workspace, run_ids, as_json, "coloured")


@click.command()
@click.argument("run_id", metavar="ID")
@click.option("--off", is_flag=True, help="Take the star away.")
@stored_workspace_option
@json_option
def star(run_id: str, off: bool, workspace: Workspace, as_json: bool) -> None:
    """Make a run its data set's baseline.

    The window shows how far the other runs of the data set are from it.
    """
    workspace.marks.star(run_id, is_starred=not off)
    _tell(workspace, [run_id], as_json, "unstarred" if off else "starred")


def _shelving(name: str, shelf: Shelf, help_text: str, done: str) -> click.Command:
    @click.command(name, help=help_text)
    @_ids
    @stored_workspace_option
    @json_option
    def shelve(run_ids: tuple[str, ...], workspace: Workspace, as_json: bool) -> None:
        workspace.marks.shelve(run_ids, shelf)
        _tell(workspace, run_ids, as_json, done)

    return shelve


archive = _shelving("archive", Shelf.ARCHIVED, "Put runs out of sight; they keep everything.", "archived")
trash = _shelving("trash", Shelf.TRASHED, "Put runs into the trash; `restore` takes them out again.", "in the trash")
restore = _shelving("restore", Shelf.SHOWN, "Take runs out of the archive or the trash.", "restored")


@click.command()
@click.argument("run_ids", metavar="[ID]...", nargs=-1)
@click.option("--all", "is_all", is_flag=True, help="Everything that is in the trash.")
@stored_workspace_option
@json_option
def purge(run_ids: tuple[str, ...], is_all: bool, workspace: Workspace, as_json: bool) -> None:
    """Delete runs that are in the trash for good, with their files."""
    if is_all == bool(run_ids):
        raise UsageError("Which runs are to be purged?", "Name them, or write --all for the whole trash.")
    wanted = [mark.run_id for mark in workspace.marks.of() if mark.shelf is Shelf.TRASHED] if is_all else run_ids
    purged = workspace.marks.purge(wanted)
    if as_json:
        emit({"purged": list(purged)})
    else:
        click.echo(f"{len(purged)} {'run' if len(purged) == 1 else 'runs'} purged.")
