"""Which preset stands for which recommender: what a leaderboard sets side by side when nobody names its rows."""

from __future__ import annotations

from collections.abc import Sequence

from engine.config.losses import negatives_of
from engine.config.presets import Preset, own_name, presets
from engine.errors import UsageError, known_or_meant


def standing(dataset: str, item_count: int | None = None) -> tuple[Preset, ...]:
    """One preset of each recommender for a data set of that name or path, in the presets' order.

    Of a recommender's presets that fit the data, a strong one comes before any other, one that was made for the data
    before one for any, and otherwise the first. Where ``item_count`` is known, presets that draw as many negatives as
    there are items stand back, since they cannot run.
    """
    found: dict[str, Preset] = {}
    for item in presets():
        if not item.fits(dataset) or not _has_negatives(item, item_count):
            continue
        best = found.get(item.system)
        if best is None or _weight(item) > _weight(best):
            found[item.system] = item
    return tuple(item for item in presets() if found.get(item.system) is item)


def _has_negatives(item: Preset, item_count: int | None) -> bool:
    return item_count is None or negatives_of(item.config) < item_count


def _weight(item: Preset) -> tuple[bool, bool]:
    return item.is_strong, bool(item.made_for)


def chosen(names: Sequence[str], dataset: str, item_count: int | None = None) -> tuple[Preset, ...]:
    """The presets of these names; the name of a recommender (``SASRec``, ``caser``) means its `standing` preset.

    No names: all that stand. Raises ``UsageError`` for an unknown name and for a preset that is named twice.
    """
    if not names:
        return standing(dataset, item_count)
    by_name = {item.name: item for item in presets()}
    standing_ones = standing(dataset, item_count)
    by_system = {key.lower(): item for item in standing_ones for key in (item.system, item.config.model.name)}
    by_system |= {item.system.lower(): item for item in standing_ones}
    made: dict[str, str] = {}  # the name that each was given by
    for name in names:
        item = by_name.get(own_name(name)) or by_system.get(name.lower())
        if item is None:
            known = list(dict.fromkeys([*by_name, *(preset.system for preset in by_system.values())]))
            raise UsageError(f"There is no preset or recommender called '{name}'.", known_or_meant(name, known))
        if item.name in made:
            before = made[item.name]
            what = f"'{name}' is named twice" if before == name else f"'{before}' and '{name}' both mean {item.name}"
            raise UsageError(f"{what}.", "Name each preset once.")
        made[item.name] = name
    return tuple(by_name[name] for name in made)
