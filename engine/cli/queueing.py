"""``coserec queue``: what waits, in which order, paused or not, how many at once."""

from __future__ import annotations

import click

from engine.api import Workspace
from engine.cli.frame import emit, json_option, stored_workspace_option, table, tell
from engine.config.naming import run_name
from engine.records import QueueState, to_plain


def _show(workspace: Workspace, state: QueueState, as_json: bool) -> None:
    if as_json:
        emit(to_plain(state))
        return
    rules = ", ".join(f"{count} at once on {device}" for device, count in state.at_once.items()) or "one at once"
    is_idle = not state.is_paused and state.order and workspace.queue.worker() is None
    click.echo(f"{'Paused' if state.is_paused else 'Not paused'}; {rules}; {len(state.order)} waiting.")
    if is_idle:
        tell("No window and no `coserec work` works it off; a terminal that queued runs starts these itself.")
    records = [workspace.runs.get(run_id) for run_id in state.order]
    table([(str(place), run.id, run_name(run), run.dataset) for place, run in enumerate(records, 1)])


@click.group(invoke_without_command=True)
@stored_workspace_option
@json_option
@click.pass_context
def queue(ctx: click.Context, workspace: Workspace, as_json: bool) -> None:
    """The queue: what waits, in the order in which it will start; and commands that change it."""
    if ctx.invoked_subcommand is None:
        _show(workspace, workspace.queue.state(), as_json)


@queue.command()
@stored_workspace_option
@json_option
def pause(workspace: Workspace, as_json: bool) -> None:
    """Start no more runs; what trains goes on."""
    _show(workspace, workspace.queue.pause(), as_json)


@queue.command()
@stored_workspace_option
@json_option
def unpause(workspace: Workspace, as_json: bool) -> None:
    """Start runs again."""
    _show(workspace, workspace.queue.unpause(), as_json)


@queue.command()
@click.argument("run_ids", metavar="ID...", nargs=-1, required=True)
@click.option("--place", type=click.IntRange(min=1), default=1, show_default=True, help="1 runs next.")
@stored_workspace_option
@json_option
def move(run_ids: tuple[str, ...], place: int, workspace: Workspace, as_json: bool) -> None:
    """Put waiting runs elsewhere in the queue."""
    _show(workspace, workspace.queue.move(run_ids, place - 1), as_json)


@queue.command("at-once")
@click.argument("device", type=click.Choice(["cpu", "cuda", "mps"]))
@click.argument("count", type=click.IntRange(min=1))
@stored_workspace_option
@json_option
def at_once(device: str, count: int, workspace: Workspace, as_json: bool) -> None:
    """How many runs may train on a device at the same time."""
    _show(workspace, workspace.queue.set_at_once(device, count), as_json)


COMMANDS = (queue,)
