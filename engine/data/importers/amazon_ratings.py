"""Amazon's ratings only: four columns without a header, user and item in either order (2014 and 2018 differ)."""

from __future__ import annotations

import re
from pathlib import Path

from engine.data.importers.amazon_reviews import metadata_beside, metadata_titles
from engine.data.importers.delimited import Delimited
from engine.data.importing.delimited import Layout
from engine.registry import register

_ASIN, _USER = rb"(B[0-9A-Z]{9}|\d{9}[0-9X])", rb"A[0-9A-Z]{9,27}"
_TAIL = rb",[1-5](\.\d+)?,\d{9,13}\s"
_USER_FIRST, _ITEM_FIRST = re.compile(_USER + rb"," + _ASIN + _TAIL), re.compile(_ASIN + rb"," + _USER + _TAIL)
_HEADER = re.compile(rb"user_id,parent_asin,rating,timestamp")


class AmazonRatings(Delimited):
    """2014: user, item, rating, time. 2018: item, user, rating, time. 2023: with a header, times in milliseconds."""

    form = "One rating a line: user, item, rating, Unix time; in the files of 2018 the item comes first."

    def _layout(self, head: bytes) -> Layout:
        found = super()._layout(head)
        if found.has_header or len(found.names) != 4:
            return found
        first = ("item", "user") if _ITEM_FIRST.match(head) else ("user", "item")
        return Layout(found.separator, False, False, (*first, "rating", "timestamp"), found.rows)

    def beside(self) -> Path | None:
        return metadata_beside(self.path)

    titles = metadata_titles


def recognises(path: Path, head: bytes) -> float:
    """By the form of the first line: ASIN and reviewer id, or the header of 2023."""
    del path
    return 0.95 if any(form.match(head) for form in (_USER_FIRST, _ITEM_FIRST, _HEADER)) else 0.0


register(
    "importer",
    "amazon_ratings",
    label="Amazon ratings only (CSV)",
    help="User, item, rating and time without reviews; titles come from the metadata file.",
    target="engine.data.importers.amazon_ratings:AmazonRatings",
    recognises=recognises,
    suffixes=(".csv",),
)
