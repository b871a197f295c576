"""Named starting points: JSON files in ``resources/presets``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache

from engine import paths, registry
from engine.config.experiment import ExperimentConfig, with_fidelity
from engine.errors import UsageError


@dataclass(frozen=True)
class Preset:
    """A named starting point from ``resources/presets``."""

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
    loaded = []
    for path in paths.resource("presets").glob("*.json"):
        tree = json.loads(path.read_text(encoding="utf-8"))
        base = with_fidelity(ExperimentConfig(), tree["fidelity"])
        values = {
            f"{section}.{name}": value for section, group in tree["values"].items() for name, value in group.items()
        }
        words = (tree["title"], tree["description"], tree["source"])
        config = base.replace(values)
        system = tree.get("system") or registry.entry("model", config.model.name).label
        is_strong = tree.get("strong", path.stem.endswith("-strong"))
        aliases = tuple(tree.get("aliases", ()))
        preset = Preset(path.stem, *words, config, tree.get("made_for", ""), system, is_strong, aliases)
        loaded.append((tree.get("order", 100), path.stem, preset))
    return tuple(preset for _, _, preset in sorted(loaded, key=lambda item: item[:2]))


def preset(name: str) -> Preset:
    """The preset of that name or alias. Raises ``UsageError`` that lists the known names."""
    for found in presets():
        if name in (found.name, *found.aliases):
            return found
    raise UsageError(
        f"There is no preset called '{name}'.", "Known: " + ", ".join(item.name for item in presets()) + "."
    )


def own_name(name: str) -> str:
    """What lists call the preset of that name or alias; any other name, such as a preset's that is gone, as it is."""
    return next((found.name for found in presets() if name in found.aliases), name)
