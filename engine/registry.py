"""One small registry: models, operators, losses, similarities, readers and studies announce themselves here.

A plugin is one place. A folder ``engine/augment/crop/`` holds ``options.py`` (pydantic, no torch: announces name,
options and the dotted path of what it does) and the implementation, imported only when it is used. A plugin without
torch is one file. Adding a folder is all there is to adding a plugin: nothing else names it.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from engine.errors import ConfigurationError

Kind = Literal["model", "operator", "next_item_loss", "contrastive_loss", "similarity", "reader", "importer", "study"]

# Where plugins of each kind live, and whether one is a folder with ``options.py`` or a single file.
_HOMES: dict[str, bool] = {
    "models": True,
    "augment": True,
    "losses": True,
    "similarity": True,
    "data/readers": False,
    "data/importers": False,
    "studies": False,
}


class Options(BaseModel):
    """Base of every section and every plugin's options: frozen, unknown fields refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=())


def setting(
    default: Any,
    *,
    help: str,
    source: str,
    label: str = "",
    unit: str = "",
    zero: str = "",
    symbol: str = "",
    paper: Any = None,
    published: Any = None,
    advanced: bool = False,
    choices: Mapping[str, str] | None = None,
    **bounds: Any,
) -> Any:
    """Declare one parameter once; form, command line, stored JSON and tooltips are generated from it.

    ``source`` names the paper's section or equation, another publication, or the authors' code: users read it.
    ``paper`` and ``published`` are the values of the two readings where the authors' code departs from the paper.
    ``choices`` gives each literal value its words, ``zero`` gives 0 its own where it is no number of units.
    ``bounds`` are pydantic's ``ge``, ``le``, ``gt``, ``lt``, ``pattern``, ``max_length``.
    """
    extra = {
        "label": label,
        "unit": unit,
        "zero": zero,
        "symbol": symbol,
        "source": source,
        "paper": paper,
        "published": published,
        "advanced": advanced,
        "choices": dict(choices or {}),
    }
    return Field(default, description=help, json_schema_extra=extra, **bounds)


@dataclass(frozen=True)
class Entry:
    """One announced plugin. ``target`` is ``package.module:attribute``; ``facts`` are kind-specific constants."""

    kind: Kind
    name: str
    label: str
    help: str
    options: type[Options]
    target: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    def load(self) -> Any:
        """Import and return the implementation (this is what may import torch)."""
        module, _, attribute = self.target.partition(":")
        return getattr(importlib.import_module(module), attribute)


_entries: dict[tuple[str, str], Entry] = {}


def register(
    kind: Kind,
    name: str,
    *,
    label: str,
    help: str,
    target: str,
    options: type[Options] = Options,
    **facts: Any,
) -> Entry:
    """Announce a plugin. Raises ``ValueError`` when another one of its kind already has the name."""
    entry = Entry(kind, name, label, help, options, target, facts)
    known = _entries.setdefault((kind, name), entry)
    if known.target != target:
        raise ValueError(f"{kind} '{name}' is announced twice: {known.target} and {target}")
    return known


@cache
def _discover() -> None:
    root = Path(__file__).parent
    for home, is_folder in _HOMES.items():
        package = "engine." + home.replace("/", ".")
        pattern = "*/options.py" if is_folder else "[a-z]*.py"
        for path in sorted((root / home).glob(pattern)):
            stem = f"{path.parent.name}.options" if is_folder else path.stem
            importlib.import_module(f"{package}.{stem}")


def entries(kind: Kind) -> tuple[Entry, ...]:
    """All plugins of a kind, by name."""
    _discover()
    return tuple(_entries[key] for key in sorted(_entries) if key[0] == kind)


def entry(kind: Kind, name: str) -> Entry:
    """The plugin of that name. Raises ``ConfigurationError`` that lists the known names."""
    _discover()
    found = _entries.get((kind, name))
    if found is None:
        known = ", ".join(e.name for e in entries(kind))
        raise ConfigurationError(f"there is no {kind.replace('_', ' ')} called '{name}'.", f"Known: {known}.")
    return found


def options_of(found: Entry, section: BaseModel) -> Options:
    """The plugin's own options, read out of the configuration section that carries them."""
    return found.options(**{name: getattr(section, name) for name in found.options.model_fields})
