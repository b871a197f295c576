"""Every field of the configuration as an option by its dotted path, generated from the fields themselves."""

from __future__ import annotations

import functools
import inspect
import json
import types
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from engine import config as configuration
from engine import registry
from engine.config import ExperimentConfig, SettingInfo
from engine.errors import UsageError

_PREFIX = "setting_"


class SettingOption(click.Option):
    """An option that stands for one field."""

    def __init__(self, field: SettingInfo) -> None:
        self.field = field
        super().__init__(
            [f"--{field.path}", _PREFIX + field.path.replace(".", "__").replace("-", "_")],
            metavar=_metavar(field),
            help=_help(field),
            default=None,
        )


class SettingsCommand(click.Command):
    """Lists the fields in sections of their own, after the command's own options."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {"Options": []}
        for parameter in self.get_params(ctx):
            section = f"Settings: {parameter.field.section}" if isinstance(parameter, SettingOption) else "Options"
            line = parameter.get_help_record(ctx)
            if line is not None and not isinstance(parameter, click.Argument):
                sections.setdefault(section, []).append(line)
        for title, lines in sections.items():
            with formatter.section(title):
                formatter.write_dl(lines)


def all_fields() -> Iterator[SettingInfo]:
    """Every field that any configuration has: those of every model, each once."""
    default = ExperimentConfig()
    known = set()
    for base in (default, *(default.replace({"model.name": entry.name}) for entry in registry.entries("model"))):
        for field in configuration.fields_of(base):
            if field.path not in known:
                known.add(field.path)
                yield field


def config_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds ``--preset``, ``--config`` and every field; the command gets ``config``, ``preset``, ``settings``, ``base``,
    ``begun``.

    ``settings`` are the fields that were given on the command line, ``base`` names what they change, if anything, and
    ``begun`` is that. A command refuses those that change nothing, with `refuse_without_effect`, once it knows the
    configurations that it works with.
    """

    @click.option("--preset", default="", metavar="NAME", help="Begin from this preset; `coserec presets` lists them.")
    @click.option(
        "--config",
        "file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Begin from a configuration in a JSON file: what `coserec show ID --json` prints.",
    )
    @functools.wraps(command)
    def with_config(*args: Any, preset: str, file: Path | None, **values: Any) -> Any:
        given = {
            name.removeprefix(_PREFIX).replace("__", ".", 1): values.pop(name)
            for name in list(values)
            if name.startswith(_PREFIX)
        }
        given = {path: value for path, value in given.items() if value is not None}
        begun = _base(preset, file)
        config = begun.replace(given) if given else begun
        base = preset or str(file or "")
        return command(*args, config=config, preset=preset, settings=given, base=base, begun=begun, **values)

    options = [SettingOption(field) for field in all_fields()]
    with_config.__click_params__ = [*reversed(options), *getattr(with_config, "__click_params__", [])]  # type: ignore[attr-defined]
    return with_config


def _base(preset: str, file: Path | None) -> ExperimentConfig:
    if preset and file is not None:
        raise UsageError("--preset and --config both say where to begin.", "Give one of them.")
    if file is not None:
        try:
            tree = json.loads(file.read_text(encoding="utf-8"))
        except json.JSONDecodeError as error:
            raise UsageError(f"{file}, line {error.lineno}: {error.msg}.", "It must hold a JSON object.") from None
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{file} cannot be read: {error}.") from None
        if not isinstance(tree, dict):
            raise UsageError(f"{file} holds no JSON object.", "Write a configuration, or what `coserec show` prints.")
        return configuration.parse(tree.get("config", tree))
    return configuration.preset(preset).config if preset else ExperimentConfig()


def seeds_of(text: str) -> tuple[int, ...]:
    """``1-3,7`` → (1, 2, 3, 7). Raises ``UsageError``."""
    found: list[int] = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        first, dash, last = part.partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()) or (dash and int(last) < int(first)):
            raise UsageError(f"--seeds: '{part}' is no seed or range.", "Write e.g. 1-3 or 1,2,7.")
        if dash and int(last) - int(first) >= 10_000:
            raise UsageError(f"--seeds: '{part}' is more than 10,000 runs.", "Write a smaller range.")
        found.extend(range(int(first), int(last or first) + 1))
    if text and not found:
        raise UsageError("--seeds names no seed.", "Write e.g. 1-3 or 1,2,7.")
    if len(set(found)) != len(found):
        raise UsageError(f"--seeds {text}: a seed stands twice.", "Name each once.")
    return tuple(found)


def values_of(field: SettingInfo) -> tuple[str, ...]:
    """The values that a field can have, where they can be listed."""
    literals = [typing.get_args(kind) for kind in _alternatives(field.annotation)]
    return tuple(filter(None, field.choices)) or tuple(str(value) for values in literals for value in values)


def _metavar(field: SettingInfo) -> str:
    if values := values_of(field):
        return "|".join(values)
    kinds = [kind for kind in _alternatives(field.annotation) if kind is not type(None)]
    names = {int: "INTEGER", float: "NUMBER", bool: "true|false", str: "TEXT"}
    return names.get(kinds[0], "VALUE") if len(kinds) == 1 and inspect.isclass(kinds[0]) else "VALUE"


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return typing.get_args(annotation)
    return (annotation,)


def _help(field: SettingInfo) -> str:
    lower = f"{'more than' if field.lower_open else 'from'} {field.lower:,.10g}" if field.lower is not None else ""
    upper = f"{'less than' if field.upper_open else 'to'} {field.upper:,.10g}" if field.upper is not None else ""
    value = "" if field.default in (None, "") else f"default {field.default}"
    facts = [" ".join(filter(None, (lower, upper))), field.unit, value, field.source]
    symbol = f"{field.symbol}: " if field.symbol else ""
    return f"{symbol}{field.help} [{'; '.join(filter(None, facts))}]"
