"""What the window remembers between two starts: one factory, a version, and every value checked when it is read."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from PySide6.QtCore import QByteArray, QSettings

VERSION = 1
"""Raised when a stored value changes its meaning: older settings are then dropped, not guessed at."""

T = TypeVar("T")


def _native() -> QSettings:
    return QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, "coserec", "workbench")


# Tests put a factory of their own here; nothing else makes a QSettings.
factory: Callable[[], QSettings] = _native


class Settings:
    """Typed access to the stored values. A value of the wrong kind counts as absent."""

    def __init__(self) -> None:
        self._store = factory()
        if self.read("version", int, 0) != VERSION:
            self._store.clear()
            self.write("version", VERSION)

    def read(self, key: str, kind: type[T], default: T) -> T:
        """The stored value, or ``default`` where there is none of that type. Values are JSON, so types survive."""
        raw = self._store.value(key)
        if kind is bytes:
            return bytes(raw.data()) if isinstance(raw, QByteArray) else default  # type: ignore[return-value]
        try:
            value: Any = json.loads(raw) if isinstance(raw, str) else None
        except ValueError:
            return default
        # bool is an int to Python, but not to a reader of settings.
        if isinstance(value, kind) and isinstance(value, bool) == (kind is bool):
            return value
        return default

    def write(self, key: str, value: Any) -> None:
        """Store JSON-ready values, or bytes (window geometry)."""
        stored = QByteArray(value) if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False)
        self._store.setValue(key, stored)

    def forget(self, prefix: str) -> None:
        """Drop every key below ``prefix``."""
        self._store.remove(prefix)

    def save(self) -> None:
        """Write to disk now."""
        self._store.sync()
