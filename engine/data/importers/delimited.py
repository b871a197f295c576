"""CSV, TSV and other separated text, with or without a header, quoted or not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from engine.data.importing.delimited import Layout, blocks, layout_of
from engine.data.importing.files import Feed, OnShare, head_of, suffixes_of
from engine.data.importing.guess import Roles
from engine.data.importing.source import ROLES, Block, Glimpse, Source, used_titles
from engine.errors import DataError
from engine.registry import register

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.config.importing import ImportRecipe


class Delimited(Source):
    """Separated text; formats with fixed columns derive from it."""

    form = "One interaction a line: user, item and, where there are, rating and time, separated by a comma or a tab."
    separator = "auto"
    header = "auto"
    quoted: bool | None = None
    roles = Roles()

    def _look(self) -> Glimpse:
        head = head_of(self.path)
        if not head.strip():
            raise DataError("the file is empty.", self.form, path=self.path)
        if b"\0" in head:
            raise DataError("this is binary data and not text.", self.form, path=self.path)
        self.layout = self._layout(head)
        if not self.layout.rows:
            raise DataError("there is no row below the header.", self.form, path=self.path)
        return Glimpse(self.layout.names, self.layout.rows, self.roles, self.layout.lines)

    def _layout(self, head: bytes) -> Layout:
        recipe = self.recipe
        return layout_of(
            head,
            separator=self.separator if recipe.separator == "auto" else recipe.separator,
            header=self.header if recipe.header == "auto" else recipe.header,
            encoding=recipe.encoding,
            quoted=self.quoted,
        )

    def resolved(self) -> ImportRecipe:
        # Refused here and not when looking: another separator is chosen beside what the first rows show.
        if len(self.layout.names) < 2:
            raise DataError(
                "its lines have only one column.", f"Name what separates them: --separator. {self.form}", path=self.path
            )
        return super().resolved()

    def blocks(self, on_share: OnShare | None = None) -> Iterator[Block]:
        self._feed = Feed(self.path, encoding=self.recipe.encoding, on_share=on_share)
        places = {role: place for role in ROLES if (place := self.place(role)) is not None}
        return blocks(self._feed, self.layout, places, self.title_column())

    def title_column(self) -> str:
        return self._title_by_name() if type(self) is Delimited else ""

    def own_titles(
        self, refused: NDArray[np.int64], on_share: OnShare | None = None
    ) -> Iterator[tuple[str | None, str | None]]:
        feed, title = Feed(self.path, encoding=self.recipe.encoding, on_share=on_share), self.title_column()
        # All the columns, so that a row is lost here where the interactions lose it.
        places = {role: place for role in ROLES if (place := self.place(role)) is not None}
        for block in blocks(feed, self.layout, places | {"title": self.layout.names.index(title)}, title):
            yield from used_titles(block.lines, block.columns["item"], block.columns["title"], refused)

    @property
    def sha256(self) -> str:
        return self._feed.sha256


def recognises(path: Path, head: bytes) -> float:
    """How sure it is, 0…1. Anything that splits into columns will do, when nothing else knows it better."""
    if b"\0" in head[:4096]:
        return 0.0
    if suffixes_of(path) in (".csv", ".tsv", ".tab", ".psv"):
        return 0.5
    return 0.15


register(
    "importer",
    "delimited",
    label="CSV, TSV, separated text",
    help="One interaction a line, separated by commas, tabs or the like, with or without a header.",
    target="engine.data.importers.delimited:Delimited",
    recognises=recognises,
    suffixes=(".csv", ".tsv", ".tab", ".psv"),
)
