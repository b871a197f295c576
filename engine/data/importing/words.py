"""How a data set was made of a file, in one line: what a protocol says of the preprocessing (paper §5.1.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.config.importing import ImportRecipe, parse_recipe
from engine.data.importing.stored import name_in
from engine.errors import EngineError
from engine.records import NO_COLUMN

_DIGITS = 12
"""Of the source's hash: enough to tell files apart; ``import.json`` has all of them."""
_DUPLICATES = {
    "keep": "duplicates kept",
    "first": "of duplicates the first kept",
    "last": "of duplicates the last kept",
    "consecutive": "immediate repeats dropped",
}
_DATES = {
    "date": "times are dates",
    "day_first": "times are dates, day first",
    "month_first": "times are dates, month first",
}


def preprocessing_in_words(facts: Mapping[str, Any]) -> str:
    """The recipe of an import in the order of its steps, then the times and the file, from what ``import.json`` says;
    that they are unknown, where another version has written it."""
    try:
        recipe = parse_recipe(facts["recipe"])
        report, source = facts["report"], facts["source"]
        bad, rows, tied = int(report["bad_count"]), int(report["rows"]), int(report["tied"])
        name, sha256 = name_in(str(source["path"])), str(source["sha256"])
    except (KeyError, TypeError, ValueError, EngineError):
        return "unknown: the import.json beside the data is of another version"
    left_out = [f"{bad:,} of {rows:,} rows could not be used and are left out"] if bad else []
    return "; ".join([*left_out, *_steps(recipe), *_times(recipe, tied), f"from {name} (sha256 {sha256[:_DIGITS]}…)"])


def _steps(recipe: ImportRecipe) -> list[str]:
    """The four steps; of those that drop nothing only duplicates and core, which every paper tells."""
    is_rated = recipe.minimum_rating > 0 and recipe.rating != NO_COLUMN
    return [
        *([f"rated {recipe.minimum_rating:g} or more"] if is_rated else []),
        _DUPLICATES[recipe.duplicates],
        *([f"the last {recipe.longest:,} of each user"] if recipe.longest else []),
        f"{recipe.core}-core" if recipe.core > 1 else "no core",
    ]


def _times(recipe: ImportRecipe, tied: int) -> list[str]:
    """The unit, which a wrong guess would have got wrong, and what decides between equal times, where there are any."""
    if recipe.time == NO_COLUMN:
        return ["no times: in the order of the file"]
    unit = _DATES.get(recipe.time_unit, f"times in {recipe.time_unit}")
    return [unit, f"equal times {'by item id' if recipe.ties == 'item' else 'in the order of the file'}"][
        : 1 + (tied > 0)
    ]
