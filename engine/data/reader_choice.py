"""Which reader opens a file: the one that announces its suffix, or the fallback for any other name.

Asking touches no file and imports no reader's own libraries: the window asks too.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engine import registry
from engine.errors import ConfigurationError


def suffixes() -> tuple[str, ...]:
    """What all readers announce, in lower case: what a file dialog offers."""
    return tuple(sorted({suffix for entry in registry.entries("reader") for suffix in _suffixes_of(entry)}))


def own_reader(path: Path) -> registry.Entry | None:
    """The reader that announces the suffix of ``path`` and takes such a file as it is; None where there is none.

    The fallback announces suffixes that everybody uses: what is in such a file says whether it has to be imported.
    Raises ``ConfigurationError`` for two readers of one suffix.
    """
    found = _announced(path)
    return None if found is None or found.facts.get("fallback") else found


def reader_of(path: Path) -> registry.Entry:
    """The reader of ``path``, whatever its name. Raises ``ConfigurationError`` where two could be it."""
    fallback = [entry for entry in registry.entries("reader") if entry.facts.get("fallback")]
    return _announced(path) or _only(fallback, "files of any other suffix")


def _announced(path: Path) -> registry.Entry | None:
    name = path.name.lower()
    found = {
        (suffix, entry.name): entry
        for entry in registry.entries("reader")
        for suffix in _suffixes_of(entry)
        if name.endswith(suffix)
    }
    if not found:
        return None
    longest = max((suffix for suffix, _ in found), key=len)  # '.lists.gz' before '.gz'
    return _only([entry for (suffix, _), entry in found.items() if suffix == longest], f"'{longest}' files")


def _suffixes_of(entry: registry.Entry) -> tuple[str, ...]:
    announced = entry.facts.get("suffixes", ())
    # ``(".lists")`` is a text and no tuple: each of its letters would be a suffix.
    listed = (announced,) if isinstance(announced, str) else announced
    return tuple(suffix.lower() for suffix in listed if suffix)


def _only(found: Sequence[registry.Entry], files: str) -> registry.Entry:
    # By name, one of two would quietly read the other's files.
    if len(found) > 1:
        names = " and ".join(f"'{entry.name}' ({entry.target.partition(':')[0]})" for entry in found)
        raise ConfigurationError(f"{len(found)} readers announce {files}: {names}.", "Take it out of all but one.")
    return found[0]
