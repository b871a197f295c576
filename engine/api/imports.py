"""Imports: a user's file of interactions becomes a data set of the workspace, by a recipe that is kept with it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.config.importing import ImportRecipe, parse_recipe
from engine.errors import DataError, EngineError
from engine.paths import file_sha256
from engine.records import ImportLook, ImportProgress, ImportReport, ImportResult, to_plain

if TYPE_CHECKING:
    from engine.data.dataset import Dataset
    from engine.data.importing.assemble import Kept, Ordered
    from engine.data.importing.progress import Progress
    from engine.data.importing.source import Source

OnProgress = Callable[[ImportProgress], None]
_TEMPORARY = ".import-"
_CHOSEN = "most frequent of the used rows"
"""How an item's title is chosen of the data's own column; stored, because it once was the first of all rows."""

_FACTS = {"source", "titles", "recipe", "report", "fingerprint", "name"}
"""What an ``import.json`` of this version says at least."""

_last_read: dict[tuple[Any, ...], Any] = {}
"""What this process has read last: counting again, and importing what was counted, reads nothing."""


def new_job() -> str:
    """A name for a job of this process."""
    return f"{os.getpid()}-{secrets.token_hex(4)}"


class Imports:
    """Facade over ``engine.data.importing``. ``path`` is the user's file; nothing is ever written beside it.

    ``job`` names a folder for what is unfinished: another process reads how far it is (`progress`), and after it was
    killed takes away what it left (`discard`). Methods raise ``UsageError`` when there is no such file and
    ``DataError``, with its line, when it cannot be used.
    """

    def __init__(self, workspace: Path) -> None:
        self.directory = workspace / "datasets"

    def needs_import(self, path: str) -> bool:
        """Whether the file is one that only an import opens. One that no format knows is one too: the import says what
        it is, and the data set that is open stays. Files that cannot be read need none: opening tells why.

        Raises ``ConfigurationError`` for a suffix that two readers announce.
        """
        from engine.data.importing.reading import needs_import

        try:
            return needs_import(Path(path).expanduser())
        except DataError:
            return True
        except OSError:
            return False

    def look(self, path: str, recipe: ImportRecipe | None = None) -> ImportLook:
        """Format, columns, first rows, and the recipe with every guess filled in, from the file's beginning."""
        from engine.data.dataset import locate
        from engine.data.importing import reading

        return reading.look(locate(path), recipe or ImportRecipe())

    def count(
        self, path: str, recipe: ImportRecipe, *, job: str = "", on_progress: OnProgress | None = None
    ) -> ImportReport:
        """What the recipe would leave. Bad rows are counted and never refused here; nothing is written."""
        with self._reporting(job, on_progress) as progress:
            _, _, _, report = self._prepare(path, recipe, progress)
        return report

    def run(
        self, path: str, recipe: ImportRecipe, *, job: str = "", on_progress: OnProgress | None = None
    ) -> ImportResult:
        """Import the file and keep the result; what has been imported by the same recipe before is found at once.

        Raises ``DataError`` also for bad rows, where the recipe stops at them, and when too little is left.
        """
        from engine.data.dataset import locate
        from engine.data.importing import assemble, reading

        found = locate(path)
        if (known := self._known(found, recipe)) is not None:
            return known
        job = job or new_job()
        with self._reporting(job, on_progress) as progress:
            source, ordered, kept, report = self._prepare(path, recipe, progress)
            if recipe.on_bad_rows == "stop":
                reading.refuse_bad(found, report.bad_count, report.bad_rows, report.lines_are)
            assemble.refuse_empty(found, kept)
            if (known := self._known(found, recipe, ordered.interactions.sha256)) is not None:
                return known
            return self._store(found, recipe, progress, (source, ordered, kept, report), self._folder(job) / "data")

    def report(self, path: str) -> ImportResult | None:
        """How an imported data set came about; None for a file that was not imported."""
        from engine.data.importing import stored

        folder = Path(path).parent
        facts = stored.facts_of(folder) if Path(path).suffix == stored.SUFFIX else None
        return self._result(folder, facts, is_new=False) if facts else None

    def all(self) -> tuple[ImportResult, ...]:
        """The workspace's imported data sets, the last one first; those that cannot be read are passed over."""
        found = []
        for folder, facts in self._kept():
            with contextlib.suppress(OSError):  # taken away meanwhile
                if (result := self._result(folder, facts, is_new=False)) is not None:
                    found.append((folder.stat().st_mtime_ns, result))
        return tuple(result for _, result in sorted(found, key=lambda item: item[0], reverse=True))

    def progress(self, job: str) -> ImportProgress | None:
        """How far a job is; None while nothing is known."""
        try:
            return ImportProgress(**json.loads((self._folder(job) / "progress.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def discard(self, job: str) -> None:
        """Take away what a job has left. Its process must have ended."""
        shutil.rmtree(self._folder(job), ignore_errors=True)
        with contextlib.suppress(OSError):
            self.directory.rmdir()  # where the job made it; another import's keeps it

    # -----------------------------------------------------------------------------------------------------------------

    def _folder(self, job: str) -> Path:
        return self.directory / f"{_TEMPORARY}{job}"

    @contextlib.contextmanager
    def _reporting(self, job: str, on_progress: OnProgress | None) -> Iterator[Progress]:
        from engine.data.importing.progress import Progress

        place = self._folder(job) / "progress.json"

        def tell(found: ImportProgress) -> None:
            if job:
                # Whoever waits misses a report at most: Windows refuses to replace a file that is being read.
                with contextlib.suppress(OSError):
                    place.parent.mkdir(parents=True, exist_ok=True)
                    temporary = place.with_suffix(".new")
                    temporary.write_text(json.dumps(to_plain(found)), encoding="utf-8")
                    temporary.replace(place)
            if on_progress is not None:
                on_progress(found)

        try:
            yield Progress(tell if job or on_progress else None)
        finally:
            if job:
                self.discard(job)

    def _prepare(
        self, path: str, recipe: ImportRecipe, progress: Progress
    ) -> tuple[Source, Ordered, Kept, ImportReport]:
        from engine.data.dataset import locate
        from engine.data.importing import assemble, reading, titles

        found = locate(path)
        source = reading.resolved(reading.source_of(found, recipe))
        status = found.stat()
        key = (str(found), status.st_size, status.st_mtime_ns, source.recipe.reading)
        if key not in _last_read:
            _last_read.clear()  # before reading: two of them need not fit into memory
            _last_read[key] = assemble.Ordered(reading.read(source, progress))
        ordered: Ordered = _last_read[key]
        progress.phase("Preprocessing")
        kept = assemble.keep(ordered, source.recipe)
        are_own = titles.are_own(source, source.recipe)
        report = assemble.report_of(ordered.interactions, kept, source.recipe, source.lines_are, own_titles=are_own)
        return source, ordered, kept, report

    def _store(
        self,
        path: Path,
        asked: ImportRecipe,
        progress: Progress,
        prepared: tuple[Source, Ordered, Kept, ImportReport],
        folder: Path,
    ) -> ImportResult:
        from engine.data.importing import assemble, reading, titles

        source, ordered, kept, report = prepared
        name = reading.name_of(path, source.recipe)
        dataset = assemble.dataset_of(ordered.interactions, kept, name, path)
        progress.phase("Reading titles")
        file = titles.file_of(source, source.recipe)
        if file is not None:
            refused = ordered.interactions.refused_lines
            found = titles.titles_of(source, file, dataset.item_ids.tolist(), progress.share, refused=refused)
            dataset = assemble.with_titles(dataset, found or None)
            report = replace(report, titled=len(found))
            if not found:
                why = f"{file.name} has a title of none of its items."
                if file == source.path and (column := source.title_column()):
                    why = f"Column '{column}' says different things of one item: it was not taken for titles."
                report = replace(report, notes=(*report.notes, why))
        progress.phase("Writing")
        recipe = source.recipe.replace({"titles": str(file) if file else "-", "name": name})
        facts = {
            "source": _stamp(path) | {"sha256": ordered.interactions.sha256},
            "titles": _stamp(file) | {"chosen": _CHOSEN} if file else None,
            "asked": asked.model_dump(mode="json"),
            "recipe": recipe.model_dump(mode="json"),
            "report": to_plain(report),
            "fingerprint": dataset.fingerprint,
            "name": name,
        }
        return self._publish(folder, self.directory / f"{name}-{_key(facts)}", dataset, facts)

    def _publish(self, folder: Path, place: Path, dataset: Dataset, facts: Mapping[str, Any]) -> ImportResult:
        from engine.data.importing import stored

        self._sweep()
        try:
            folder.mkdir(parents=True)
            stored.write(folder, dataset, facts)
            stored.publish(folder, place)
        except OSError as error:
            hint = "Free some space, or choose another workspace."
            raise DataError(f"the data set cannot be kept: {error.strerror or error}.", hint, path=place) from None
        made = self._result(place, to_plain(facts), is_new=True)
        if made is None:
            raise DataError("another import has taken this place.", "Import it again.", path=place)
        return made

    def _sweep(self) -> None:
        """Take away what imports have left that were killed: their folders name their process."""
        import psutil

        for folder in self.directory.glob(f"{_TEMPORARY}*"):
            pid = folder.name.removeprefix(_TEMPORARY).split("-")[0]
            if not pid.isdigit() or not psutil.pid_exists(int(pid)):
                shutil.rmtree(folder, ignore_errors=True)

    def _kept(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        """Folders of what was imported, and their facts."""
        from engine.data.importing import stored

        for folder in sorted(self.directory.glob("*-*")):
            facts = None if folder.name.startswith(".") else stored.facts_of(folder)
            if facts is not None and _is_whole(facts):
                yield folder, facts

    def _known(self, path: Path, recipe: ImportRecipe, sha256: str = "") -> ImportResult | None:
        """The same file by the same recipe, imported before: found by size and time of change, or by its content."""
        asked = recipe.model_dump(mode="json")
        size = path.stat().st_size
        content = sha256
        for folder, facts in self._kept():
            if asked not in (facts.get("asked"), facts.get("recipe")):
                continue
            source, file = facts["source"], facts["titles"]
            if file is not None and file.get("chosen") != _CHOSEN:
                continue  # titled by another rule, under which the first title of an item was its own
            if source["size"] != size or not _is_unchanged(file) or not _same_titles(path, recipe, file):
                continue
            if source["path"] != str(path) or not _is_unchanged(source):
                content = content or file_sha256(path)
                if content != source["sha256"]:
                    continue
            if (found := self._result(folder, facts, is_new=False)) is not None:
                return found
        return None

    def _result(self, folder: Path, facts: Mapping[str, Any], *, is_new: bool) -> ImportResult | None:
        from engine.data.importing import stored

        try:
            path = stored.data_in(folder, str(facts["name"]))
            report = stored.report_from(facts["report"])
            recipe = parse_recipe(facts["recipe"]).model_dump(mode="json")
            fingerprint = str(facts["fingerprint"])
        except (KeyError, TypeError, EngineError):  # of another version: a bundle may bring them
            return None
        return ImportResult(str(path), facts["name"], fingerprint, recipe, report, is_new) if path.is_file() else None


def _stamp(path: Path) -> dict[str, Any]:
    status = path.stat()
    return {"path": str(path), "size": status.st_size, "changed": status.st_mtime_ns}


def _is_whole(facts: Mapping[str, Any]) -> bool:
    """Whether all is there that is read of it: it may have come by a bundle of another version."""
    source, titles = facts.get("source"), facts.get("titles")
    is_told = isinstance(source, dict) and {"path", "size", "changed", "sha256"} <= source.keys()
    return facts.keys() >= _FACTS and is_told and (titles is None or isinstance(titles, dict))


def _is_unchanged(stamp: Mapping[str, Any] | None) -> bool:
    try:
        return stamp is None or _stamp(Path(stamp["path"])).items() <= dict(stamp).items()
    except OSError:
        return False


def _same_titles(path: Path, recipe: ImportRecipe, stamp: Mapping[str, Any] | None) -> bool:
    """Whether the titles that an import would find now are those of the stamp."""
    if stamp is None and recipe.titles == "":
        from engine.data.importing import reading, titles

        return titles.file_of(reading.source_of(path, recipe), recipe) is None
    return True


def _key(facts: Mapping[str, Any]) -> str:
    """12 hexadecimal digits of what was imported and how."""
    what = [facts["source"]["sha256"], facts["recipe"], facts["titles"], facts["fingerprint"]]
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:12]
