"""What all commands share: errors to exit codes, ``--json``, ``--workspace``, tables."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib import metadata
from typing import Any, ClassVar, NoReturn, TextIO

import click
from click.core import ParameterSource

from engine.api import Workspace
from engine.cli.signals import Ended
from engine.errors import ConfigurationError, EngineError, UsageError, known_or_meant
from engine.records import RunRecord

FAILED = 1
WRONG_USE = 2
_WANTS_JSON = "engine.cli.json"


def engine_version() -> str:
    """The installed version; ``unknown`` in a checkout that is not installed."""
    try:
        return metadata.version("coserec-workbench")
    except metadata.PackageNotFoundError:
        return "unknown"


def is_given(parameter: str) -> bool:
    """Whether the option stands on the command line, not only in the environment or at its default."""
    return click.get_current_context().get_parameter_source(parameter) is ParameterSource.COMMANDLINE


def refuse_unused(used_by: Mapping[str, tuple[str, ...]], form: str) -> None:
    """Raise ``UsageError`` for an option of the command line that has no effect in its ``form``: ``used_by`` gives the
    forms, by the option that chooses them, in which each parameter counts."""
    context = click.get_current_context()
    for parameter in context.command.params:
        forms = used_by.get(parameter.name or "", (form,))
        if is_given(parameter.name or "") and form not in forms:
            raise UsageError(
                f"{parameter.opts[0]} has no effect {f'with {form}' if form else 'here'}.",
                f"Leave it out, or use {' or '.join(forms)}.",
            )


class EngineGroup(click.Group):
    """Turns the engine's errors into one sentence and an exit code, and suggests the command that was meant."""

    # The order of a first acquaintance, not of the alphabet.
    ORDER: ClassVar[tuple[str, ...]] = (
        *("inspect", "import", "neighbours", "augment", "popularity", "presets", "devices"),
        *("cost", "train", "leaderboard", "evaluate", "runs", "show", "compare"),
        *("recommend", "users", "embeddings"),
        *("results", "check", "paper"),
        *("stop", "resume", "queue", "export", "bundle", "unbundle", "work"),
    )

    def list_commands(self, ctx: click.Context) -> list[str]:
        names = super().list_commands(ctx)
        return sorted(names, key=lambda name: self.ORDER.index(name) if name in self.ORDER else len(self.ORDER))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[_WANTS_JSON] = "--json" in args
        with _told_in_json(ctx):
            return super().parse_args(ctx, args)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        name = args[0] if args else ""
        if name and self.get_command(ctx, name) is None and not name.startswith("-"):
            every = ((command, self.get_command(ctx, command)) for command in self.list_commands(ctx))
            known = [command for command, found in every if found is not None and not found.hidden]
            raise click.UsageError(f"There is no command '{name}'. {known_or_meant(name, known)}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        # Titles are in any script; a console that cannot show one must not end the command.
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")
        try:
            with _told_in_json(ctx):
                return super().invoke(ctx)
        except EngineError as error:
            fail(ctx, error)


@contextlib.contextmanager
def _told_in_json(ctx: click.Context) -> Iterator[None]:
    """What click itself refuses, and a Ctrl+C, are an object on standard output too, where JSON is asked for."""
    try:
        yield
    except click.ClickException as error:
        _emit_error(ctx, "UsageError", error.format_message())
        raise
    except (click.Abort, KeyboardInterrupt):
        _emit_error(ctx, "Interrupted", "Interrupted from the keyboard.")
        raise
    except Ended as ended:
        _emit_error(ctx, "Interrupted", f"Ended by {ended.name}.")
        raise


def _emit_error(ctx: click.Context, kind: str, message: str, hint: str = "") -> None:
    if ctx.meta.get(_WANTS_JSON):
        emit({"error": {"kind": kind, "message": message, "hint": hint}})


def fail(ctx: click.Context, error: EngineError) -> NoReturn:
    """One sentence to standard error (an object to standard output where JSON is asked for), and the exit code."""
    tell(click.style(f"Error: {error.message}", fg="red") + (f" {error.hint}" if error.hint else ""))
    _emit_error(ctx, type(error).__name__, error.message, error.hint)
    ctx.exit(WRONG_USE if isinstance(error, (UsageError, ConfigurationError)) else FAILED)


def emit(tree: Mapping[str, Any]) -> None:
    """The command's one JSON object. NaN becomes null; letters beyond ASCII are escaped, so any pipe carries them."""
    from engine.runs.export import without_nan

    click.echo(json.dumps(without_nan(tree), allow_nan=False))


def tell(text: str) -> None:
    """A line of progress, to standard error. Where nobody reads it any more, or the disk is full, it is lost and the
    command goes on."""
    try:
        click.echo(text, err=True)
    except OSError:
        sys.stderr = _Unheard(sys.stderr)


class _Unheard(io.TextIOBase):
    """In the place of a stream that has failed: takes the next words if it can, and never complains."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            return self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.flush()


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds ``--json`` as the argument ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object to standard output.")(command)


def workspace_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds ``--workspace`` and passes the opened `Workspace` as the argument ``workspace``."""
    return _with_workspace(command, makes=True)


def stored_workspace_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The same for commands about what is stored already: a folder named by mistake is refused, not made."""
    return _with_workspace(command, makes=False)


def _with_workspace(command: Callable[..., Any], *, makes: bool) -> Callable[..., Any]:
    @click.option(
        "--workspace",
        "folder",
        type=click.Path(file_okay=False),
        envvar="COSEREC_WORKSPACE",
        show_envvar=True,
        help="Folder with the store and the runs; without it, the user's data folder.",
    )
    @functools.wraps(command)
    def with_workspace(*args: Any, folder: str | None, **values: Any) -> Any:
        workspace = Workspace(folder)
        if folder and not makes and not workspace.directory.is_dir():
            raise UsageError(f"There is no workspace {folder}.", "`coserec train` makes one; check --workspace.")
        try:
            return command(*args, workspace=workspace, **values)
        finally:
            workspace.runs.close()

    return with_workspace


def named_runs(workspace: Workspace, run_ids: Sequence[str]) -> tuple[RunRecord, ...]:
    """The runs of a command line, each once. Raises ``UsageError`` for one that is not there, before any is touched."""
    records = [workspace.runs.get(run_id) for run_id in run_ids]
    return tuple({record.id: record for record in records}.values())


data_argument = click.argument("data", metavar="DATA")


def table(rows: Iterable[Sequence[Any]], heads: Sequence[str] = (), *, err: bool = False) -> None:
    """Print columns; numbers to the right. ``err``: to standard error, as progress."""
    cells = [[_cell(value) for value in row] for row in rows]
    lines = ([list(heads)] if heads else []) + cells
    if not lines:
        return
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    numeric = [bool(cells) and all(_is_number(row[column]) for row in cells) for column in range(len(widths))]
    for line in lines:
        padded = [
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(line, widths, numeric, strict=True)
        ]
        click.echo("  ".join(padded).rstrip(), err=err)


def spread(mean: float, std: float | None) -> str:
    """A metric over seeds: ``0.0287 ± 0.0004``; without ± for a single one."""
    return f"{mean:.4f}" + (f" ± {std:.4f}" if std is not None else "")


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _is_number(text: str) -> bool:
    return text in ("–", "") or text.replace(",", "").replace(".", "").lstrip("-−").split("e")[0].isdigit()


def span(values: Sequence[Any]) -> str:
    """All alike as one, otherwise the smallest and the largest number.

    >>> span([3, 3]), span(["9.5", "10.5"]), span([])
    ('3', '9.5–10.5', '–')
    """
    found = sorted({str(value) for value in values}, key=float)
    if not found:
        return "–"
    return found[0] if len(found) == 1 else f"{found[0]}–{found[-1]}"


def metric_table(metrics: Mapping[str, Mapping[str, float]]) -> None:
    """One line a split, one column a metric, 4 decimals as the paper prints them."""
    names = list(dict.fromkeys(name for values in metrics.values() for name in values))
    lines = [
        [split, *(f"{values[name]:.4f}" if name in values else "–" for name in names)]
        for split, values in metrics.items()
    ]
    table(lines, ["", *names])
