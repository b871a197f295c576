"""What an importer is: it looks at the beginning of a file, and gives its rows in blocks of raw columns.

An importer is one file in ``engine/data/importers/`` and announces a subclass of `Source`. What the values mean (ids,
ratings, times) is judged in one place for all of them: ``columns.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from engine.data.importing.files import OnShare
from engine.data.importing.guess import Roles, first_undated, roles_beside, roles_by_name, roles_of
from engine.errors import DataError
from engine.records import NO_COLUMN, BadRow

if TYPE_CHECKING:
    # Importers announce themselves while the configuration is being made.
    from engine.config.importing import ImportRecipe

ROLES = ("user", "item", "rating", "time")


@dataclass(frozen=True)
class Block:
    """Rows as they stand in the file. ``columns`` maps roles to pyarrow arrays [R], of text or of numbers; ``lines``
    [R] are the rows' numbers in the file, from 1. ``bad`` are rows that could not be split into columns, or whose
    values are no text; ``bad_titles`` are rows that can be used, but for the title in `Source.title_column`."""

    lines: NDArray[np.int64]
    columns: Mapping[str, Any]
    bad: Sequence[BadRow] = ()
    bad_titles: Sequence[BadRow] = ()


@dataclass(frozen=True)
class Glimpse:
    """The beginning of a file: column names, rows as text, and what the importer's format says of the columns."""

    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    roles: Roles = field(default_factory=Roles)
    """Columns that the format itself names; the others are guessed."""
    lines: tuple[int, ...] = ()
    """Numbers of the rows in the file (`Block.lines`), where they are known."""


class Source:
    """Base of importers. ``recipe`` is the user's; `resolved` fills in what it leaves open."""

    lines_are: ClassVar[str] = "line"
    form: ClassVar[str] = ""
    """What a file of this format looks like, in one sentence."""

    def __init__(self, path: Path, recipe: ImportRecipe) -> None:
        self.path = path
        self.recipe = recipe
        self.glimpse = self._look()

    def _look(self) -> Glimpse:
        """Read the beginning. Raises ``DataError``."""
        raise NotImplementedError

    def blocks(self, on_share: OnShare | None = None) -> Iterator[Block]:
        """All rows, in blocks. Raises ``DataError``. Afterwards `sha256` is known."""
        raise NotImplementedError

    @property
    def sha256(self) -> str:
        """Hash of the file's bytes, once `blocks` has read them all."""
        raise NotImplementedError

    def beside(self) -> Path | None:
        """The file of titles that this format has beside its data, if it is there."""
        return None

    def title_column(self) -> str:
        """The data's own column that is called as titles are; empty where there is none or the format has others."""
        return ""

    def own_titles(
        self, refused: NDArray[np.int64], on_share: OnShare | None = None
    ) -> Iterator[tuple[str | None, str | None]]:
        """Item id and `title_column` of every row that is used, in the file's order: not of those whose number
        (`Block.lines`) is in ``refused``. Only where there is such a column."""
        raise NotImplementedError

    def titles(self, path: Path, on_share: OnShare | None = None) -> Iterator[tuple[str, str]] | None:
        """Item ids and titles of a file in a form of this format's own; None: any two-column file."""
        del path, on_share
        return None

    def resolved(self) -> ImportRecipe:
        """The recipe with columns and unit of time filled in. Raises ``DataError`` naming what is missing."""
        named = self._named()
        for role in ("user", "item"):
            if not named[role]:
                others = {column for other, column in named.items() if other != role}
                left = [name for name in self.glimpse.names if name not in others]
                raise DataError(
                    f"no column looks like the {role}s' ids among {_listed(left or self.glimpse.names)}.",
                    f"Name it: --{role} COLUMN.",
                    path=self.path,
                )
        for role, column in named.items():
            if column not in (NO_COLUMN, *self.glimpse.names):
                raise DataError(
                    f"there is no column '{column}' for the {role}s; it has {_listed(self.glimpse.names)}.",
                    f"Name one of them: --{role} COLUMN.",
                    path=self.path,
                )
        if named["user"] == named["item"]:
            raise DataError(
                f"column '{named['user']}' cannot be users and items at once.", "Choose two.", path=self.path
            )
        if named["time"] == NO_COLUMN and not self.recipe.time:
            self._refuse_doubtful_dates()
        return self.recipe.replace({**named, "time_unit": self._unit(named["time"])})

    def _refuse_doubtful_dates(self) -> None:
        """Raise ``DataError`` for a column of dates that was not taken for the times because too many are none: in the
        order of the file the actions would be others'."""
        by_name = vars(roles_by_name(self.glimpse.names, self.glimpse.roles)).values()
        chosen = {*by_name, *(getattr(self.recipe, role) for role in ROLES)}
        for place, name in enumerate(self.glimpse.names):
            cells = [row[place] if place < len(row) else "" for row in self.glimpse.rows]
            row = None if name in chosen else first_undated(cells)
            if row is not None:
                known = row < len(self.glimpse.lines)
                where = f" ({self.lines_are} {self.glimpse.lines[row]:,})" if known else ""
                raise DataError(
                    f"column '{name}' looks like dates, but '{cells[row].strip()[:40]}'{where} is none.",
                    f"Name it with --time '{name}': such rows are listed then, and left out by --on-bad-rows skip. "
                    "Or leave the times out: --time -.",
                    path=self.path,
                )

    def _named(self) -> dict[str, str]:
        given = {role: getattr(self.recipe, role) for role in ROLES}
        guessed = roles_of(self.glimpse.names, self.glimpse.rows, self.glimpse.roles)
        roles = roles_beside(given, guessed, self.glimpse.names)
        found = {role: getattr(roles, role) for role in ROLES}
        for role in ("rating", "time"):
            found[role] = found[role] or NO_COLUMN
        return found

    def _title_by_name(self) -> str:
        """The column that a known name calls titles, unless it has another role."""
        named = self._named()
        found = roles_by_name(self.glimpse.names, taken=[name for name in named.values() if name]).title
        return found if named["item"] else ""

    def _unit(self, column: str) -> str:
        from engine.data.importing.guess import time_unit

        if column == NO_COLUMN or self.recipe.time_unit != "auto":
            return "seconds" if self.recipe.time_unit == "auto" else self.recipe.time_unit
        place = self.glimpse.names.index(column)
        return time_unit([row[place] for row in self.glimpse.rows if place < len(row)])

    def place(self, role: str) -> int | None:
        """Index of the column that has the role in a resolved recipe; None where there is none."""
        column = getattr(self.recipe, role)
        return None if column == NO_COLUMN else self.glimpse.names.index(column)


def used_titles(
    lines: NDArray[np.int64], items: Any, titles: Any, refused: NDArray[np.int64]
) -> Iterator[tuple[Any, Any]]:
    """Pairs of two Arrow columns [R] of the rows whose numbers ``lines`` [R] are not ``refused``."""
    import pyarrow as pa

    if len(refused):
        stays = pa.array(~np.isin(lines, refused))
        items, titles = items.filter(stays), titles.filter(stays)
    yield from zip(items.to_pylist(), titles.to_pylist(), strict=True)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{name[:40]}'" for name in names[:8])
    return f"{shown}, …" if len(names) > 8 else shown or "no columns"
