"""From a file and a recipe to interactions: the format is found, the guesses are resolved, the rows are read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engine import registry
from engine.config.importing import ImportRecipe
from engine.data.importing import titles
from engine.data.importing.columns import Collector, Interactions
from engine.data.importing.files import head_of, is_gzip, stem_of
from engine.data.importing.guess import kind_of
from engine.data.importing.progress import Progress
from engine.data.importing.source import Source
from engine.data.importing.times import SCALES, either_way, seconds_of
from engine.data.reader_choice import own_reader
from engine.errors import ConfigurationError, DataError
from engine.records import NO_COLUMN, BadRow, ImportColumn, ImportLook

_PREVIEW = 100
_UNPACK = "Unpack it, and open the file inside."
_NO_DATA = (
    (b"pk\x03\x04", "a zip archive or an Excel workbook", "Unpack it, or save the sheet as CSV."),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (b"rar!", "a RAR archive", _UNPACK),
    (b"bzh", "a bzip2 file", _UNPACK),
    (b"\xfd7zxz", "an xz file", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "a zstd file", _UNPACK),
    (b"<!doctype html", "a web page and no data", "Download the file itself."),
    (b"<html", "a web page and no data", "Download the file itself."),
)
"""How files begin that are often dropped here, what they are and what to do; in lower case."""


def format_of(path: Path) -> str:
    """The format that knows the file best. Raises ``DataError`` for a file that nobody knows or that is empty."""
    head = head_of(path)
    if not head.strip():
        raise DataError("the file is empty.", "Choose another file.", path=path)
    for start, what, hint in _NO_DATA:
        if head.lstrip()[: len(start)].lower() == start:
            raise DataError(f"this is {what}.", hint, path=path)
    sure = {entry.name: float(entry.facts["recognises"](path, head)) for entry in registry.entries("importer")}
    best = max(sure, key=lambda name: sure[name])
    if not sure[best]:
        known = ", ".join(sorted(entry.label for entry in registry.entries("importer")))
        raise DataError("this is binary data in no format that is known.", f"Known: {known}.", path=path)
    return best


def source_of(path: Path, recipe: ImportRecipe) -> Source:
    """The importer for a file, with the format found where the recipe names none. Raises ``DataError``."""
    name = recipe.format or format_of(path)
    made: Source = registry.entry("importer", name).load()(path, recipe.replace({"format": name}))
    return made


def resolved(source: Source) -> Source:
    """The same source with every guess of its recipe filled in. Raises ``DataError`` naming what is missing."""
    source.recipe = source.resolved()
    return source


def look(path: Path, recipe: ImportRecipe) -> ImportLook:
    """What the beginning of the file shows. A column that cannot be guessed is a ``problem`` and no error.

    Raises ``DataError`` when the file cannot be read at all.
    """
    source = source_of(path, recipe)
    problem = title = ""
    shown = source.recipe
    try:
        shown = resolved(source).recipe
        file = titles.file_of(source, shown)
        title = source.title_column() if file == source.path else ""
        shown = shown.replace({"titles": str(file) if file else NO_COLUMN, "name": name_of(path, shown)})
    except (DataError, ConfigurationError) as error:
        problem = str(error).removeprefix(f"{path}: ").removeprefix(f"{path}, ")
        shown = shown.replace({role: column for role, column in source._named().items() if column})
    glimpse = source.glimpse
    columns = []
    for place, name in enumerate(glimpse.names):
        values = [row[place] for row in glimpse.rows if place < len(row)]
        examples = tuple(dict.fromkeys(value[:60] for value in values if value.strip()))[:3]
        columns.append(ImportColumn(name, kind_of(values), examples))
    return ImportLook(
        path=str(path),
        size=path.stat().st_size,
        columns=tuple(columns),
        rows=tuple(tuple(cell[:200] for cell in row) for row in glimpse.rows[:_PREVIEW]),
        recipe=shown.model_dump(mode="json"),
        label=registry.entry("importer", shown.format).label,
        problem=problem,
        title=title,
        notes=() if problem else _notes(source),
    )


def _notes(source: Source) -> tuple[str, ...]:
    """What the first rows leave open of a resolved source."""
    import pyarrow as pa

    place, unit = source.place("time"), source.recipe.time_unit
    if place is None or unit in SCALES:
        return ()
    values = [row[place] for row in source.glimpse.rows if place < len(row)]
    seconds, wrong = seconds_of(pa.array(values, pa.string()), unit)
    told = either_way(seconds[~wrong], unit)
    return (told,) if told else ()


def read(source: Source, progress: Progress) -> Interactions:
    """All rows of a resolved source. Raises ``DataError`` when the file is broken, none of its rows can be used, or it
    has one user only."""
    import pyarrow as pa

    progress.phase("Reading")
    collector = Collector(source.recipe)
    for block in source.blocks(progress.share):
        try:
            collector.add(block)
        except pa.ArrowException as error:
            reason = str(error).split("\n")[0].rstrip(".")[:160]
            raise DataError(
                f"a column holds what is no text, number or time: {reason}.",
                "Choose another column, or write it as text.",
                path=source.path,
            ) from None
    found = collector.interactions(source.sha256)
    if not found.rows:
        raise DataError("the file has no rows.", source.form, path=source.path)
    if not len(found.users):
        first = found.bad_rows[0]
        raise DataError(
            f"none of its {found.rows:,} rows can be used; the first: {first.reason}.",
            f"Check the format and the columns{_or_without(source.recipe, first.reason)}.",
            path=source.path,
            line=first.line,
        )
    if (found.users == found.users[0]).all():
        raise _one_user(source, found)
    return found


def _one_user(source: Source, found: Interactions) -> DataError:
    """That all rows are of one user; where rows cannot be used, first those: the other users may stand in them."""
    user = found.user_ids[found.users[0]]
    hint = "Check which column holds the users: --user COLUMN."
    if not found.bad_count:
        return DataError(f"all rows belong to one user, '{user}'.", hint, path=source.path)
    first = found.bad_rows[0]
    rest = f"the others belong to one user, '{user}'."
    message = f"{first.reason}; {_rows(found.bad_count)} in all cannot be used, and {rest}"
    return _at(first.line, message, f"Mend the file. {hint}", source.path, source.lines_are)


def _or_without(recipe: ImportRecipe, reason: str) -> str:
    """Ratings and times are not needed: how to leave the one out that cannot be read."""
    roles = (role for role in ("rating", "time") if getattr(recipe, role) != NO_COLUMN)
    role = next((role for role in roles if reason.startswith((f"the {role} ", f"there is no {role} "))), "")
    return f", or leave the {role}s out: --{role} -" if role else ""


def refuse_bad(path: Path, bad_count: int, bad_rows: Sequence[BadRow], lines_are: str) -> None:
    """Raise the ``DataError`` of a recipe that stops at bad rows, if there are any."""
    if bad_count:
        first = bad_rows[0]
        message = f"{first.reason}." if bad_count == 1 else f"{first.reason}; {_rows(bad_count)} in all cannot be used."
        hint = "Mend the file, or import the valid rows: --on-bad-rows skip."
        raise _at(first.line, message, hint, path, lines_are)


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _at(line: int, message: str, hint: str, path: Path, lines_are: str) -> DataError:
    """An error at a line, or at a row in formats without lines."""
    error = DataError(message, hint, path=path)
    error.line = line
    error.message = f"{path}, {lines_are} {line:,}: {message}"
    return error


def name_of(path: Path, recipe: ImportRecipe) -> str:
    """A name for the data set: the file's, or its folder's where every data set has a file of that name."""
    stem = stem_of(path)
    if recipe.name:
        stem = recipe.name
    elif stem.lower() in ("ratings", "u", "data", "interactions", "reviews", "train") and path.parent.name:
        stem = path.parent.name
    kept = "".join(sign if sign.isalnum() or sign in "-_. " else "-" for sign in stem).strip(" .-")
    return kept[:80] or "data"


def needs_import(path: Path) -> bool:
    """Whether opening the file means importing it: anything but what a reader of data sets takes as it is.

    A suffix that a reader announces is enough; only what goes to the fallback is looked into. Text that is CoSeRec's
    but for a few damaged words goes to it too, which tells what is wrong in which line.
    """
    if own_reader(path) is not None or not path.is_file():
        return False
    if is_gzip(path) or format_of(path) != "coserec_text":
        return True
    words = head_of(path, 2**16).split()
    return sum(word.isdigit() for word in words) < 0.8 * len(words)
