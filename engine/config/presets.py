"""Named starting points: JSON files in ``resources/presets``, and in a model's own folder ``presets``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from engine import paths, registry
from engine.config.experiment import ExperimentConfig, with_fidelity
from engine.errors import ConfigurationError, EngineError, UsageError, known_or_meant

_MODELS = Path(__file__).parents[1] / "models"
_NEEDED = ("title", "description", "source", "fidelity", "values")
_MEND = "Mend the file, or take it away."


@dataclass(frozen=True)
class Preset:
    """A named starting point."""

    name: str
    title: str
    description: str
    source: str
    config: ExperimentConfig
    made_for: str = ""
    """The data set that the values were chosen for; empty: any."""
    system: str = ""
    """The recommender of Table 2 that it stands for: one Transformer is three of them."""
    is_strong: bool = False
    """Whether it is what the system reaches when tuned fairly: the name ends in ``-strong``, or the file says so."""
    aliases: tuple[str, ...] = ()
    """Other names that it answers to. Lists and stored runs have ``name``."""

    def fits(self, dataset: str) -> bool:
        """Whether a data set of that name or path may be the one the preset was made for."""
        return self.made_for.lower() in dataset.lower()


@cache
def presets() -> tuple[Preset, ...]:
    """All presets, in the order of their ``order`` key."""
    return read_presets((*paths.resource("presets").glob("*.json"), *_MODELS.glob("*/presets/*.json")))


def read_presets(files: Iterable[Path]) -> tuple[Preset, ...]:
    """The presets of these files, in the order of their ``order`` key.

    Raises ``ConfigurationError`` that names the file, for one that is no preset, and for two of one name.
    """
    loaded: dict[str, tuple[int, Preset, Path]] = {}
    for path in files:
        try:
            tree = json.loads(path.read_text(encoding="utf-8"))
            found = _made(path.stem, tree)
        except json.JSONDecodeError as error:
            raise ConfigurationError(f"{path}, line {error.lineno}, is no JSON: {error.msg}.", _MEND) from error
        except (AttributeError, TypeError) as error:
            raise ConfigurationError(f"{path} is no preset: {error}.", _MEND) from error
        except KeyError as error:
            raise ConfigurationError(f"{path} has no {error}.", f"A preset has {', '.join(_NEEDED)}.") from error
        except EngineError as error:
            raise ConfigurationError(f"{path}: {error.message}", error.hint) from error
        for name in (found.name, *found.aliases):
            if name in loaded:
                raise ConfigurationError(f"{path} and {loaded[name][2]} are both called '{name}'.", _MEND)
            loaded[name] = (tree.get("order", 100), found, path)
    ordered = sorted({item.name: (order, item.name, item) for order, item, _ in loaded.values()}.values())
    return tuple(item for _, _, item in ordered)


def _made(name: str, tree: Mapping[str, Any]) -> Preset:
    title, description, source = tree["title"], tree["description"], tree["source"]
    base = with_fidelity(ExperimentConfig(), tree["fidelity"])
    config = base.replace(
        {f"{section}.{key}": value for section, group in tree["values"].items() for key, value in group.items()}
    )
    return Preset(
        name=name,
        title=title,
        description=description,
        source=source,
        config=config,
        made_for=tree.get("made_for", ""),
        system=tree.get("system") or registry.entry("model", config.model.name).label,
        is_strong=tree.get("strong", name.endswith("-strong")),
        aliases=tuple(tree.get("aliases", ())),
    )


def preset(name: str) -> Preset:
    """The preset of that name or alias. Raises ``UsageError`` that lists the known names."""
    for found in presets():
        if name in (found.name, *found.aliases):
            return found
    known = [called for item in presets() for called in (item.name, *item.aliases)]
    raise UsageError(f"There is no preset called '{name}'.", known_or_meant(name, known))


def own_name(name: str) -> str:
    """What lists call the preset of that name or alias; any other name, such as a preset's that is gone, as it is."""
    return next((found.name for found in presets() if name in found.aliases), name)
