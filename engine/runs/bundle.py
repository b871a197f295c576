"""A run as one file that another machine can take in: rows, weights, ranks, log and, if wanted, the data.

With data that were imported goes ``import.json``, which says how they were made of which file.

A zip of ``bundle.json`` (version, environment, rows, the files with their sizes and hashes) and the files. Nothing in
it is a pickle. It is written under a temporary name and renamed; taken in, every hash is compared before the run is
there.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.data.dataset import SAMPLE, load, locate
from engine.data.importing import stored
from engine.errors import EngineError, RunError
from engine.paths import file_sha256, run_log
from engine.records import RunRecord
from engine.runs.environment import hardware, versions
from engine.runs.files import writing
from engine.store import Store
from engine.store.moving import put, take

VERSION = 2
"""1: without `stored.FACTS` among the data. An older workbench would take it for the data file."""
SUFFIX = ".coserec-run.zip"
_HEAD = "bundle.json"
_NAME = re.compile(r"(run|data)/[A-Za-z0-9_][A-Za-z0-9_. -]{0,199}")
_CHUNK = 2**20
_LARGEST_HEAD = 2**29
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError)
"""What reading a member raises: damaged, cut off, and (the last) encrypted or packed in a way that Python has not."""


def write_bundle(store: Store, record: RunRecord, destination: Path, *, with_data: bool = True) -> Path:
    """Write ``record``, which has ended, to ``destination``. ``with_data``: the data file too, as it is now.

    Raises ``RunError`` when the run has not ended, its data are others now, or the file cannot be written.
    """
    if not record.status.is_end:
        raise RunError(f"Run {record.id} is {record.status}.", "Stop it first, or wait for its end.")
    found = {f"run/{path.name}": path for path in sorted(record.directory.glob("*")) if path.is_file()}
    # What a killed process left under a temporary name is no part of the run, and would be refused when taken in.
    files = {name: path for name, path in found.items() if _NAME.fullmatch(name)}
    if with_data:
        files |= _data_files(record)
    facts = f"data/{stored.FACTS}"
    made = _without_places(files.pop(facts)) if facts in files else b""
    told = {facts: {"size": len(made), "sha256": hashlib.sha256(made).hexdigest()}} if made else {}
    head = {
        "bundle": VERSION if made else 1,
        "run": record.id,
        "written_with": versions() | hardware(),
        "rows": take(store.database, record.id),
        "files": told
        | {name: {"size": path.stat().st_size, "sha256": file_sha256(path)} for name, path in files.items()},
    }
    with writing(destination) as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(_HEAD, json.dumps(head, ensure_ascii=False))
        if made:
            packed.writestr(facts, made)
        for name, path in files.items():
            packed.write(path, name)
    return destination


def _data_files(record: RunRecord) -> dict[str, Path]:
    path = str(record.config["data"]["path"])
    if path == SAMPLE:
        return {}
    try:
        is_same = load(path).fingerprint == record.fingerprint
    except EngineError as error:
        raise RunError(f"The data of run {record.id} cannot be read: {error.message}", "Leave the data out.") from None
    if not is_same:
        raise RunError(f"{path} has changed since run {record.id}.", "Leave the data out.")
    found = locate(path)
    beside = [found.with_name(f"{found.stem}.titles.tsv")]
    if found.suffix == stored.SUFFIX and _is_of(found.parent, record.fingerprint):
        beside.append(found.with_name(stored.FACTS))
    return {f"data/{_safe(file.name)}": file for file in (found, *beside) if file.is_file()}


def _without_places(file: Path) -> bytes:
    """How the data were made, for others: without the folders of this machine, and without the rows that were refused,
    which are no part of the data set."""
    found = json.loads(file.read_text(encoding="utf-8"))
    for part, key in (("source", "path"), ("titles", "path"), ("recipe", "titles"), ("asked", "titles")):
        if isinstance(section := found.get(part), dict) and isinstance(place := section.get(key), str):
            section[key] = stored.name_in(place)
    if isinstance(report := found.get("report"), dict):
        report |= {name: [] for name in ("bad_rows", "bad_titles") if name in report}
    return json.dumps(found, ensure_ascii=False).encode("utf-8")


def _is_of(folder: Path, fingerprint: str) -> bool:
    """Whether what a folder says of how its data were made is said of these data."""
    return (stored.facts_of(folder) or {}).get("fingerprint") == fingerprint


def _safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_. -]", "-", name).lstrip(" .-") or "data.txt"


def read_bundle(store: Store, path: Path) -> RunRecord:
    """Take the run of a bundle into the store's workspace, its data beside the imported data sets.

    Raises ``RunError``, and leaves nothing behind, when the file is no bundle, damaged or of a newer version, and when
    the workspace has the run already.
    """
    with _opened(path) as packed:
        head = _head(packed, path)
        run_id = str(head["run"])
        place = store.workspace / "runs" / run_id
        if place.exists():
            raise RunError(f"Run {run_id} is in this workspace already.", "Open it on the Runs page.")
        incoming = store.workspace / "runs" / f".{run_id}.incoming"
        shutil.rmtree(incoming, ignore_errors=True)
        home = _data_home(store.workspace, head)
        is_new = not home.exists()
        try:
            for name, facts in head["files"].items():
                _unpack(packed, name, facts, incoming / name, path)
            _refuse_other_data(incoming, head, path)
            rows = _at_home(home, incoming, head)
            (incoming / "run").mkdir(parents=True, exist_ok=True)
            (incoming / "run").rename(place)
            put(store.database, rows)
        except BaseException as error:
            shutil.rmtree(place, ignore_errors=True)
            if is_new:
                shutil.rmtree(home, ignore_errors=True)
            if isinstance(error, OSError):
                reason = error.strerror or str(error)
                raise RunError(f"{path} cannot be taken in: {reason}.", "Make room, or choose a workspace.") from None
            raise
        finally:
            shutil.rmtree(incoming, ignore_errors=True)
    return store.get(run_id)


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is no zip file, or is cut off"
        raise RunError(f"{path} is no bundle of a run: {reason}.", "Write or copy it again.") from None


def _head(packed: zipfile.ZipFile, path: Path) -> dict[str, Any]:
    wrong = RunError(f"{path} is no bundle of a run.", "`coserec bundle RUN FILE` writes one.")
    try:
        if packed.getinfo(_HEAD).file_size > _LARGEST_HEAD:
            raise wrong
        head = json.loads(packed.read(_HEAD))
        version, run_id, files = head["bundle"], str(head["run"]), head["files"]
        is_sound = isinstance(head["rows"], dict) and all(
            _NAME.fullmatch(name) and int(facts["size"]) >= 0 and str(facts["sha256"]) for name, facts in files.items()
        )
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, *_UNREADABLE):
        raise wrong from None
    if not isinstance(version, int) or version > VERSION:
        raise RunError(f"{path} was written by a newer version of the workbench.", "Upgrade this one.")
    if not is_sound or not re.fullmatch(r"[0-9a-z]{1,32}", run_id):
        raise wrong
    return dict(head)


def _unpack(packed: zipfile.ZipFile, name: str, facts: Mapping[str, Any], place: Path, path: Path) -> None:
    damaged = RunError(f"{path} is damaged: {name} is not what was written.", "Write or copy it again.")
    place.parent.mkdir(parents=True, exist_ok=True)
    digest, left = hashlib.sha256(), int(facts["size"])
    try:
        with packed.open(name) as source, place.open("wb") as target:
            while data := source.read(_CHUNK):
                left -= len(data)
                if left < 0:
                    raise damaged
                digest.update(data)
                target.write(data)
    except (KeyError, *_UNREADABLE):
        raise damaged from None
    if left or digest.hexdigest() != facts["sha256"]:
        raise damaged


def _data_home(workspace: Path, head: Mapping[str, Any]) -> Path:
    """Where the bundle's data belong. Raises ``RunError`` where its rows are not those of the run that it names."""
    runs = head["rows"].get("runs", ())
    if len(runs) != 1:
        raise RunError("The bundle holds no run.", "Write it again.")
    run = runs[0] if isinstance(runs[0], dict) else {}
    config = run.get("config")
    data = config.get("data") if isinstance(config, dict) else None
    if run.get("id") != head["run"] or not run.get("fingerprint") or not (isinstance(data, dict) and data.get("path")):
        raise RunError(f"The bundle's rows are not those of run {head['run']}.", "Write it again.")
    # The same actions may have been made of other files: what says how they were made keeps its own place.
    made = head["files"].get(f"data/{stored.FACTS}")
    origin = f"-{_safe(str(made['sha256']))[:8]}" if made else ""
    return workspace / "datasets" / f"bundled-{_safe(str(run['fingerprint']))[:12]}{origin}"


def _data_of(incoming: Path) -> tuple[Path | None, list[Path]]:
    """The data file that has been unpacked, None where the bundle brings none; and all files of the data."""
    files = sorted((incoming / "data").glob("*")) if (incoming / "data").is_dir() else []
    imported = [file for file in files if file.suffix == stored.SUFFIX]
    others = [file for file in files if not file.name.endswith(".titles.tsv")]
    return next(iter([*imported, *others]), None), files


def _refuse_other_data(incoming: Path, head: Mapping[str, Any], path: Path) -> None:
    """Raises ``RunError`` where the data are not those that the run was trained on."""
    main, files = _data_of(incoming)
    if main is None:
        return
    fingerprint = head["rows"]["runs"][0]["fingerprint"]
    try:
        is_same = load(str(main)).fingerprint == fingerprint
        if main.suffix == stored.SUFFIX and any(file.name == stored.FACTS for file in files):
            is_same = is_same and _is_of(main.parent, fingerprint)
    except EngineError:
        is_same = False
    if not is_same:
        raise RunError(f"The data in {path} are not those of run {head['run']}.", "Write it again.")


def _at_home(home: Path, incoming: Path, head: Mapping[str, Any]) -> dict[str, Any]:
    """The rows with the paths of this workspace: its log, and its data where the bundle brings them."""
    rows = dict(head["rows"])
    run = dict(rows["runs"][0])
    main, data = _data_of(incoming)
    if main is not None:
        home.mkdir(parents=True, exist_ok=True)
        for file in data:
            file.replace(home / file.name)
        path = str(home / main.name)
        run["config"] = {**run["config"], "data": {**run["config"]["data"], "path": path}}
        run["dataset_path"] = path
    run["log_path"] = run_log(run["id"])
    return {**rows, "runs": [run]}
