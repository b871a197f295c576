"""Data sets: what is in a file, before anything is trained on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.records import (
    DatasetDetails,
    DatasetSummary,
    ItemRecord,
    Matches,
    SequenceToken,
    UserRecord,
    UserSequence,
)

if TYPE_CHECKING:
    from engine.data.dataset import Dataset


class Datasets:
    """Facade over ``engine.data``. ``path`` is a file, or ``sample`` for the bundled shop.

    Ids are the file's own, as text. A file that has not changed is read once. Every method raises ``UsageError`` when
    there is no such file and ``DataError``, with its line, when it cannot be used.
    """

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Suffixes of the files that the readers take as they are. Nothing is read for it."""
        from engine.data.reader_choice import suffixes

        return suffixes()

    def summary(self, path: str) -> DatasetSummary:
        """Table 1 of the file, its lengths and popularity. Raises ``DataError`` and ``UsageError``."""
        from engine.data.dataset import load
        from engine.data.summary import summarise

        return summarise(load(path))

    def users(self, path: str, text: str = "", limit: int = 200, around: str = "") -> Matches[UserRecord]:
        """Users whose id contains ``text``, in file order, an exact id first: ``limit`` of them, from the first on.

        Where the user ``around`` is among them but further down, the part with that user in its middle.
        """
        from engine.data.dataset import load

        dataset = load(path)
        wanted = text.strip()
        ids = dataset.user_ids.tolist()
        rows = [row for row, user in enumerate(ids) if wanted in user]
        rows.sort(key=lambda row: ids[row] != wanted)  # stable
        limit = max(limit, 0)
        place = next((place for place, row in enumerate(rows) if ids[row] == around), 0) if around else 0
        first = 0 if place < limit else min(place - limit // 2, len(rows) - limit)
        return Matches(tuple(_user(dataset, row) for row in rows[first : first + limit]), len(rows), first)

    def user_beside(self, path: str, user: str, step: int) -> UserRecord:
        """The user ``step`` places after ``user`` in file order, going round at the ends; an unknown one counts as the
        first. A large random ``step`` picks a user at random."""
        from engine.data.dataset import load

        dataset = load(path)
        found = np.flatnonzero(dataset.user_ids == user)
        return _user(dataset, (int(found[0] if len(found) else 0) + step) % len(dataset.user_ids))

    def items(self, path: str, text: str = "", limit: int = 200) -> Matches[ItemRecord]:
        """Items whose id or title contains ``text``, most popular first, an exact id before: the first ``limit``.

        Popularity is the number of users whose training part has the item; letter case does not matter.
        """
        from engine.data.dataset import load
        from engine.data.summary import training_users

        dataset = load(path)
        wanted = text.strip().casefold()
        ids = dataset.item_ids.tolist()
        users = training_users(dataset).tolist()
        found = [
            item
            for item in range(1, dataset.item_count + 1)
            if wanted in ids[item] or wanted in dataset.title(item).casefold()
        ]
        found.sort(key=lambda item: (ids[item] != wanted, -users[item], item))
        listed = tuple(ItemRecord(ids[item], dataset.title(item), users[item]) for item in found[: max(limit, 0)])
        return Matches(listed, len(found))

    def sequence(self, path: str, user: str) -> tuple[SequenceToken, ...]:
        """A user's whole sequence, oldest first. Raises ``UsageError`` for an unknown user."""
        from engine.data.dataset import load

        dataset = load(path)
        items = dataset.sequences[dataset.user_row(user)].tolist()
        return tuple(SequenceToken(str(dataset.item_ids[item]), dataset.title(item)) for item in items)

    def details(self, path: str) -> DatasetDetails:
        """Users and items as columns, repeated and cold targets, actions over time, and the paper's Table 1 where it
        is one of its data sets."""
        from engine.data.dataset import load
        from engine.data.inspection import inspect

        return inspect(load(path))

    def placed(self, path: str, user: str) -> UserSequence:
        """A user's whole sequence with the split on it. Raises ``UsageError`` for an unknown user."""
        from engine.data.dataset import load
        from engine.data.inspection import place

        return place(load(path), user)


def _user(dataset: Dataset, row: int) -> UserRecord:
    length = int(dataset.sequences.lengths[row])
    return UserRecord(str(dataset.user_ids[row]), length, max(length - 3, 0))
