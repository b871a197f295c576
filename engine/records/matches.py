"""The records that a search has found, or as many of them as a list shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Matches(Generic[T]):
    """``rows`` are those from place ``first``, counted from 0, of the ``total`` that match."""

    rows: tuple[T, ...]
    total: int
    first: int = 0
