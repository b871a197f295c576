"""RecBole's atomic files: ``.inter`` with typed columns (``user_id:token``), titles from ``.item`` beside it."""

from __future__ import annotations

import re
from pathlib import Path

from engine.data.importers.delimited import Delimited
from engine.data.importing.delimited import Layout
from engine.data.importing.files import suffixes_of
from engine.registry import register

_TYPED = re.compile(rb":(token|float)(_seq)?\b")


class RecBole(Delimited):
    """Tab-separated, with a header whose names carry types; no quotes. One without types is found as any header is: a
    file that begins with its first row has lost the header, and must not lose that row too."""

    form = "The first line names typed columns: user_id:token, item_id:token, rating:float, timestamp:float."
    quoted = False

    def _layout(self, head: bytes) -> Layout:
        self.header = "yes" if _TYPED.search(head.split(b"\n", 1)[0]) else "auto"
        return super()._layout(head)

    def title_column(self) -> str:
        return self._title_by_name()

    def beside(self) -> Path | None:
        name = self.path.name
        stem = name[: name.lower().rindex(".inter")] if ".inter" in name.lower() else self.path.stem
        return next(
            (path for ending in (".item", ".item.gz") if (path := self.path.with_name(stem + ending)).is_file()), None
        )


def recognises(path: Path, head: bytes) -> float:
    """By its suffix, or by the types in the first line."""
    first = head.split(b"\n", 1)[0]
    if b":token" in first:
        return 0.98
    return 0.7 if suffixes_of(path) == ".inter" else 0.0


register(
    "importer",
    "recbole",
    label="RecBole .inter",
    help="RecBole's atomic file: tab-separated, the header names typed columns; titles come from .item.",
    target="engine.data.importers.recbole:RecBole",
    recognises=recognises,
    suffixes=(".inter",),
)
