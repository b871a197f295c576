"""One small registry: models, operators, losses, similarities, readers and studies announce themselves here.

A plugin is one place. A folder ``engine/augment/crop/`` holds ``options.py`` (pydantic, no torch: announces name,
options and the dotted path of what it does) and the implementation, imported only when it is used. A plugin without
torch is one file. Adding a folder is all there is to adding a plugin: nothing else names it.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from engine.errors import ConfigurationError, known_or_meant

Kind = Literal["model", "operator", "next_item_loss", "contrastive_loss", "similarity", "reader", "importer", "study"]

# Where plugins of each kind live, and whether one is a folder with ``options.py`` or a single file.
_HOMES: dict[Kind, tuple[str, bool]] = {
    "model": ("models", True),
    "operator": ("augment", True),
    "next_item_loss": ("losses", True),
    "contrastive_loss": ("losses", True),
    "similarity": ("similarity", True),
    "reader": ("data/readers", False),
    "importer": ("data/importers", False),
    "study": ("studies", False),
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


_MUST: Any = object()
_FUNCTION: Any = Callable
TASKS = ("next_item", "cloze", "own", "none")


@dataclass(frozen=True)
class Fact:
    """What a plugin announces beside its name. Without a ``default`` it must; in one of words, ``{label}`` is its own.

    ``told`` says what it means, for whoever forgets it.
    """

    types: type | tuple[type, ...]
    told: str
    default: Any = _MUST


FACTS: Mapping[Kind, Mapping[str, Fact]] = {
    "model": {
        "trains": Fact(bool, "whether it is trained at all"),
        "task": Fact(str, "next_item, cloze, own or none (engine.models.contract)"),
        "views": Fact(bool, "whether views of sequences can be made for it and contrasted"),
        "no_views": Fact(str, "the sentence that refuses views", "{label} makes no views of sequences."),
        "padded": Fact(bool, "whether it can encode padding that takes part", False),
        "no_padding": Fact(str, "the sentence that refuses such padding", "{label} works on real positions only."),
        "hides": Fact(bool, "whether it hides masked items from the others", False),
        "no_hiding": Fact(str, "the sentence that refuses to hide them", "{label} cannot hide masked items."),
        "captures": Fact(bool, "whether its steps can have fixed shapes (engine.training.fixed_step)", False),
        "knows_users": Fact(bool, "whether it has a row for each user", False),
        "negatives": Fact((int, str), "how many items its own loss draws, or its option that says so", 0),
        "unused": Fact(Mapping, "dotted path of a section or a setting → why it changes nothing", {}),
        "pretraining": Fact(str, "the name of its own pre-training", ""),
        "pretrain_epochs": Fact(int, "how many epochs of it", 0),
        "read_by_pretraining": Fact(tuple, "its options that only pre-training reads", ()),
    },
    "operator": {
        "letter": Fact(str, "the capital letter that stands for it, as in SIMCR"),
        "looks_up": Fact(bool, "whether it asks for correlated items", False),
        "rate": Fact(str, "its option that says how much it changes"),
    },
    "next_item_loss": {"negatives": Fact(str, "its option that says how many items it draws", "")},
    "contrastive_loss": {},
    "similarity": {
        "short": Fact(str, "what a narrow column calls it", "{label}"),
        "uses_memory": Fact(bool, "whether it reads who chose what"),
        "uses_model": Fact(bool, "whether it reads a model's item embeddings"),
        "reads": Fact(tuple, "settings of the section that no other similarity reads", ()),
        "neighbours": Fact(
            _FUNCTION, "sequences, item count, k, its options → every item's k best, without torch", None
        ),
    },
    "reader": {
        "suffixes": Fact(tuple, "what its files' names end in, in small letters", ()),
        "fallback": Fact(bool, "whether it reads what no reader has announced", False),
    },
    "importer": {
        "recognises": Fact(_FUNCTION, "how sure it is of a file: path, its beginning → 0 … 1"),
        "suffixes": Fact(tuple, "what its files' names end in, in small letters", ()),
    },
}
"""What each kind announces; a kind that is not here announces what it likes."""
_LETTER = re.compile(r"[A-Z]")
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
    """Announce a plugin; ``facts`` are those of `FACTS`.

    Raises ``ConfigurationError`` for a fact that is missing, unknown or of another type, for a letter that is none or
    another operator's, and when another plugin of the kind has the name.
    """
    called = f"The {kind.replace('_', ' ')} '{name}' ({target.partition(':')[0]})"
    entry = Entry(kind, name, label, help, options, target, _complete(kind, called, label, facts))
    if "name" in options.model_fields:
        raise ConfigurationError(f"{called} has an option 'name', which its section has.", "Call it otherwise.")
    if kind == "operator":
        _check_letter(entry, called)
    if kind == "similarity" and not entry.facts["uses_model"] and entry.facts["neighbours"] is None:
        raise ConfigurationError(
            f"{called} uses no model and does not announce 'neighbours'.", "Give register() neighbours=…."
        )
    if kind == "model" and entry.facts["task"] not in TASKS:
        raise ConfigurationError(f"{called} has the task '{entry.facts['task']}'.", f"Known: {', '.join(TASKS)}.")
    known = _entries.setdefault((kind, name), entry)
    if known != entry:
        raise ConfigurationError(f"{called} has the name of another one, {known.target}.", "Give it another name.")
    return known


def _complete(kind: Kind, called: str, label: str, facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """The facts with their defaults."""
    known = FACTS.get(kind)
    if known is None:
        return facts
    for name in facts:
        if name not in known:
            raise ConfigurationError(
                f"{called} announces '{name}', which nothing reads.", f"Known: {', '.join(known) or 'none'}."
            )
    for name, fact in known.items():
        if name not in facts and fact.default is _MUST:
            raise ConfigurationError(f"{called} does not announce '{name}': {fact.told}.", f"Give register() {name}=….")
        if name in facts and not isinstance(facts[name], fact.types):
            raise ConfigurationError(f"{called} announces {name}={facts[name]!r}.", f"It is {fact.told}.")
    words = {name: fact.default for name, fact in known.items()}
    words = {name: text.format(label=label) if isinstance(text, str) else text for name, text in words.items()}
    return words | dict(facts)


def _check_letter(found: Entry, called: str) -> None:
    letter = found.facts["letter"]
    if not _LETTER.fullmatch(letter):
        raise ConfigurationError(f"{called} has the letter '{letter}'.", "It must be one capital letter, A to Z.")
    for other in _entries.values():
        if other.kind == "operator" and other.name != found.name and other.facts["letter"] == letter:
            raise ConfigurationError(f"{called} has the letter {letter} of {other.label}.", "Give it another one.")


@cache
def _discover(home: str, is_folder: bool) -> None:
    package = "engine." + home.replace("/", ".")
    pattern = "*/options.py" if is_folder else "[a-z]*.py"
    for path in sorted((Path(__file__).parent / home).glob(pattern)):
        stem = f"{path.parent.name}.options" if is_folder else path.stem
        importlib.import_module(f"{package}.{stem}")


def entries(kind: Kind) -> tuple[Entry, ...]:
    """All plugins of a kind, by name."""
    # Its own home alone: options of models and operators are asked for while engine.config is being made, which
    # readers, importers and studies may import.
    _discover(*_HOMES[kind])
    return tuple(_entries[key] for key in sorted(_entries) if key[0] == kind)


def entry(kind: Kind, name: str) -> Entry:
    """The plugin of that name. Raises ``ConfigurationError`` that lists the known names."""
    _discover(*_HOMES[kind])
    found = _entries.get((kind, name))
    if found is None:
        hint = known_or_meant(name, [other.name for other in entries(kind)])
        raise ConfigurationError(f"there is no {kind.replace('_', ' ')} called '{name}'.", hint)
    return found


def options_of(found: Entry, section: BaseModel) -> Options:
    """The plugin's own options, read out of the configuration section that carries them."""
    return found.options(**{name: getattr(section, name) for name in found.options.model_fields})
