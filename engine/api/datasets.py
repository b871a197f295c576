"""Data sets: what is in a file, before anything is trained on it."""

from __future__ import annotations

from engine.records import DatasetSummary, ItemRecord, SequenceToken, UserRecord


class Datasets:
    """Facade over ``engine.data``. ``path`` is a file, or ``sample`` for the bundled shop."""

    def summary(self, path: str) -> DatasetSummary:
        """Table 1 of the file, its lengths and popularity. Raises ``DataError`` and ``UsageError``."""
        raise NotImplementedError

    def users(self, path: str, text: str = "", limit: int = 200) -> tuple[UserRecord, ...]:
        """Users whose id contains ``text``, in file order, at most ``limit``."""
        raise NotImplementedError

    def items(self, path: str, text: str = "", limit: int = 200) -> tuple[ItemRecord, ...]:
        """Items whose id or title contains ``text``, most popular first, at most ``limit``; an exact id comes first."""
        raise NotImplementedError

    def sequence(self, path: str, user: str) -> tuple[SequenceToken, ...]:
        """A user's whole sequence, oldest first. Raises ``UsageError`` for an unknown user."""
        raise NotImplementedError
