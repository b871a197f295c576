"""Names of files and folders that a command is to make: only where there is a folder to make them in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from engine.errors import UsageError


class _New(click.Path):
    """Refused before any work where the folder around it does not exist: a slip of the finger would make folders, and
    hours of training would end without their table."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        place = Path(str(super().convert(value, param, ctx)))
        if not place.parent.is_dir():
            raise UsageError(f"There is no folder {place.parent}.", "Make it, or choose another place.")
        return place


class NewFile(_New):
    """A file that will be written."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False, path_type=Path)


class NewFolder(_New):
    """A folder that will be made where it is not there yet."""

    def __init__(self) -> None:
        super().__init__(file_okay=False, path_type=Path)
