"""The recipe of an import: how a file of interactions is read, and what is kept of it.

Form, command line and the stored JSON are generated from its fields.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import ValidationError, field_validator

from engine import registry
from engine.config.experiment import SettingInfo, in_words, setting_info
from engine.errors import ConfigurationError
from engine.records import GUESS
from engine.registry import Options, setting

READING = ("format", "separator", "header", "encoding", "user", "item", "rating", "time", "time_unit")
"""Fields that change what is read; the others work on what has been read."""


class ImportRecipe(Options):
    """How a file becomes a data set. What is empty or ``auto`` is guessed; a stored recipe has every guess resolved."""

    format: str = setting(
        GUESS,
        help="Format of the file; empty: guessed from its content.",
        source="ours; §5.1.1 starts from prepared data",
    )
    separator: Literal["auto", "comma", "tab", "semicolon", "pipe", "space", "double_colon"] = setting(
        "auto",
        help="What stands between the values of a line.",
        source="ours; §5.1.1 starts from prepared data",
        choices={
            "auto": "guessed",
            "comma": "comma  ,",
            "tab": "tab",
            "semicolon": "semicolon  ;",
            "pipe": "bar  |",
            "space": "space",
            "double_colon": "double colon  ::",
        },
        advanced=True,
    )
    header: Literal["auto", "yes", "no"] = setting(
        "auto",
        help="Whether the first line names the columns.",
        source="ours; §5.1.1 starts from prepared data",
        choices={"auto": "guessed", "yes": "yes", "no": "no"},
        label="First line is a header",
        advanced=True,
    )
    encoding: Literal["utf-8", "latin-1"] = setting(
        "utf-8",
        help="How the text is encoded. Titles that are not UTF-8 are read as Latin-1 in any case.",
        source="ours; §5.1.1 starts from prepared data",
        choices={"utf-8": "UTF-8", "latin-1": "Latin-1"},
        advanced=True,
    )
    user: str = setting(GUESS, help="Column of the users' ids.", source="ours; §5.1.1 starts from prepared data")
    item: str = setting(GUESS, help="Column of the items' ids.", source="ours; §5.1.1 starts from prepared data")
    rating: str = setting(
        GUESS, help="Column of the ratings; '-': none.", source="ours; §5.1.1 starts from prepared data"
    )
    time: str = setting(
        GUESS,
        help="Column of the times; '-': none, the order of the lines counts.",
        source="ours; §5.1.1 starts from prepared data",
    )
    time_unit: Literal[
        "auto", "seconds", "milliseconds", "microseconds", "nanoseconds", "date", "day_first", "month_first"
    ] = setting(
        "auto",
        help="What the times are. Dates without a zone are taken as UTC.",
        source="ours; §5.1.1 starts from prepared data",
        choices={
            "auto": "guessed",
            "seconds": "seconds since 1970",
            "milliseconds": "milliseconds since 1970",
            "microseconds": "microseconds since 1970",
            "nanoseconds": "nanoseconds since 1970",
            "date": "dates, year first or months in words",
            "day_first": "dates, day first (31/12/2020)",
            "month_first": "dates, month first (12/31/2020)",
        },
        label="Times are",
    )
    titles: str = setting(
        GUESS,
        help="File of item titles, two columns or a format's own; empty: the one beside the data, or the data's own "
        "column of titles; '-': none.",
        source="ours; §5.1.1 starts from prepared data",
        label="Item titles",
    )
    on_bad_rows: Literal["stop", "skip"] = setting(
        "stop",
        help="What to do when rows cannot be used: an id is missing, a number is none, columns are missing. A title "
        "that cannot be read costs no row: it is left out and told.",
        source="ours; §5.1.1 starts from prepared data",
        choices={"stop": "stop and list them", "skip": "import the valid rows"},
        label="Bad rows",
    )
    minimum_rating: float = setting(
        0.0, ge=0, le=1e6, help="Rows rated lower are dropped; 0 keeps all.", source="ours, step 1 of the preprocessing"
    )
    duplicates: Literal["keep", "first", "last", "consecutive"] = setting(
        "keep",
        help="What becomes of an item that a user has more than once.",
        source="ours, step 2 of the preprocessing; the authors' code",
        choices={
            "keep": "keep all",
            "first": "keep the first",
            "last": "keep the last",
            "consecutive": "drop immediate repeats",
        },
    )
    longest: int = setting(
        0,
        ge=0,
        le=10**9,
        help="Only a user's last so many actions are kept; 0 keeps all. Done before the core, so that the core holds.",
        source="ours, step 3 of the preprocessing",
        label="Longest sequence",
        unit="actions",
    )
    core: int = setting(
        5,
        ge=0,
        le=10**6,
        help="Users and items with fewer actions are dropped, again and again until none is left; 0 keeps all.",
        source="§5.1.1 (5-core), step 4 of the preprocessing",
        symbol="k",
        label="k-core",
        unit="actions",
    )
    ties: Literal["file", "item"] = setting(
        "file",
        help="Order of a user's actions at the same time.",
        source="ours; times that are only days have many",
        choices={"file": "as in the file", "item": "by item id"},
        label="Equal times",
    )
    name: str = setting(
        GUESS,
        max_length=80,
        help="Name of the data set; empty: from the file's name.",
        source="ours; §5.1.1 starts from prepared data",
    )

    @field_validator("format")
    @classmethod
    def _known(cls, value: str) -> str:
        return registry.entry("importer", value).name if value else value

    @property
    def reading(self) -> tuple[str, ...]:
        """The values that decide what is read: equal ones, the same rows."""
        return tuple(str(getattr(self, name)) for name in READING)

    def replace(self, values: Mapping[str, Any]) -> ImportRecipe:
        """A copy with some values changed; text is parsed as the field's type. Raises ``ConfigurationError``."""
        return parse_recipe(self.model_dump(mode="json") | dict(values))


def parse_recipe(values: Mapping[str, Any]) -> ImportRecipe:
    """A recipe from its JSON. Raises ``ConfigurationError`` with the first wrong field."""
    try:
        return ImportRecipe.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(in_words(first), field=where.replace("_", "-")) from None


def recipe_fields(recipe: ImportRecipe | None = None) -> Iterator[SettingInfo]:
    """Every field as a form shows it; ``path`` is the option of ``coserec import`` without its dashes."""
    shown = recipe or ImportRecipe()
    for name, info in ImportRecipe.model_fields.items():
        made = setting_info("import", name, info, getattr(shown, name))
        if name == "format":
            choices = {GUESS: "guessed"} | {entry.name: entry.label for entry in registry.entries("importer")}
            made = made.renamed(name, choices)
        else:
            made = made.renamed(name.replace("_", "-"), made.choices)
        yield made
