"""A value that a setting may have beside its default: for tests over every field."""

from __future__ import annotations

from engine.cli.settings import values_of
from engine.config import SettingInfo


def another(field: SettingInfo) -> object:
    """A valid value that is not the default."""
    if values := values_of(field):
        return next(value for value in values if value != field.default)
    if isinstance(field.default, bool):
        return not field.default
    if isinstance(field.default, int):
        return 2 * field.default or 1
    if isinstance(field.default, float):
        return field.default / 2 or 0.5
    return "MI"
