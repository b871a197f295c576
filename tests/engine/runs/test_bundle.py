"""A run in a bundle: everything crosses, its metrics come out again, and what is no bundle leaves nothing behind."""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from engine.api import Workspace
from engine.cli import main
from engine.config import ImportRecipe, parse, preset
from engine.errors import RunError
from engine.paths import resource
from engine.records import RunRecord, RunStatus, Shelf
from engine.runs.execute import execute

TINY = {
    "model.hidden_size": 8,
    "model.layers": 1,
    "train.epochs": 2,
    "train.batch_size": 512,
    "train.device": "cpu",
}


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, RunRecord]:
    """A workspace with a run that has really been trained, on a file of its own."""
    folder = tmp_path_factory.mktemp("origin")
    data = folder / "my shop.txt"
    shutil.copy(resource("sample", "shop.txt"), data)
    shutil.copy(resource("sample", "shop.titles.tsv"), folder / "my shop.titles.tsv")
    workspace = Workspace(folder / "workspace")
    (run,) = workspace.runs.submit(preset("sample").config.replace({**TINY, "data.path": str(data)}), preset="sample")
    assert execute(workspace.runs.store, run.id) == 0
    return workspace, workspace.runs.get(run.id)


@pytest.fixture
def bundle(origin: tuple[Workspace, RunRecord], tmp_path: Path) -> Path:
    return origin[0].bundles.write(origin[1].id, tmp_path / "run.zip")


def test_a_bundle_reproduces_the_run_in_a_fresh_workspace(
    origin: tuple[Workspace, RunRecord], bundle: Path, tmp_path: Path
) -> None:
    first, run = origin
    shutil.rmtree(tmp_path / "elsewhere", ignore_errors=True)
    fresh = Workspace(tmp_path / "elsewhere")
    taken = fresh.bundles.read(bundle)
    path = str(taken.config["data"]["path"])
    assert Path(path).is_relative_to(fresh.directory)
    config = {**run.config, "data": {**run.config["data"], "path": path}}
    ours = {name: getattr(run, name) for name in ("directory", "config", "pid")}
    assert replace(taken, **ours) == run
    assert taken.config == config
    assert taken.status is RunStatus.FINISHED
    assert fresh.runs.epochs(run.id) == first.runs.epochs(run.id)
    assert {item.name: item.sha256 for item in fresh.runs.artifacts(run.id)} == {
        item.name: item.sha256 for item in first.runs.artifacts(run.id)
    }
    found = fresh.evaluations.checkpoint(path, str(taken.directory / "best.pt"), parse(taken.config), "test")
    assert found == pytest.approx(run.metrics["test"], abs=0)
    (again,) = fresh.runs.submit(parse(taken.config), preset=taken.preset)
    assert execute(fresh.runs.store, again.id) == 0
    assert fresh.runs.get(again.id).metrics == run.metrics
    with np.load(taken.directory / "ranks.npz") as one, np.load(run.directory / "ranks.npz") as other:
        assert all((one[name] == other[name]).all() for name in other)
    fresh.runs.close()


def test_the_command_makes_the_workspace_of_another_machine(
    origin: tuple[Workspace, RunRecord], bundle: Path, tmp_path: Path
) -> None:
    told = CliRunner().invoke(main, ["unbundle", str(bundle), "--workspace", str(tmp_path / "new"), "--json"])
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["run"]["id"] == origin[1].id


def test_a_run_is_taken_in_once(bundle: Path, tmp_path: Path) -> None:
    fresh = Workspace(tmp_path / "elsewhere")
    run = fresh.bundles.read(bundle)
    with pytest.raises(RunError, match="in this workspace already"):
        fresh.bundles.read(bundle)
    fresh.marks.shelve([run.id], Shelf.TRASHED)
    fresh.marks.purge([run.id])
    assert fresh.bundles.read(bundle).id == run.id
    fresh.runs.close()


def test_without_data_the_path_stays(origin: tuple[Workspace, RunRecord], tmp_path: Path) -> None:
    path = origin[0].bundles.write(origin[1].id, tmp_path / "run.zip", with_data=False)
    fresh = Workspace(tmp_path / "elsewhere")
    assert fresh.bundles.read(path).config == origin[1].config
    assert not (fresh.directory / "datasets").exists()
    fresh.runs.close()


def changed(bundle: Path, name: str, content: bytes | None) -> Path:
    """The bundle with another content of one file; None leaves it out."""
    path = bundle.with_name("changed.zip")
    with zipfile.ZipFile(bundle) as old, zipfile.ZipFile(path, "w") as new:
        for item in old.namelist():
            if item != name:
                new.writestr(item, old.read(item))
        if content is not None:
            new.writestr(name, content)
    return path


def head_of(bundle: Path) -> dict[str, Any]:
    with zipfile.ZipFile(bundle) as packed:
        found: dict[str, Any] = json.loads(packed.read("bundle.json"))
    return found


def refused(path: Path, tmp_path: Path) -> str:
    fresh = Workspace(tmp_path / "elsewhere")
    with pytest.raises(RunError) as error:
        fresh.bundles.read(path)
    assert fresh.runs.all() == ()
    assert not list(fresh.directory.glob("runs/*"))
    assert not list(fresh.directory.glob("datasets/*"))
    fresh.runs.close()
    return error.value.message


def test_damaged_files_are_told_and_leave_nothing(bundle: Path, tmp_path: Path) -> None:
    weights = f"run/{'best.pt'}"
    assert "is not what was written" in refused(changed(bundle, weights, b"other"), tmp_path)
    assert "is not what was written" in refused(changed(bundle, weights, None), tmp_path)
    cut = bundle.with_name("cut.zip")
    cut.write_bytes(bundle.read_bytes()[:-200])
    assert "is no bundle of a run: it is no zip file, or is cut off" in refused(cut, tmp_path)
    assert "is no bundle of a run." in refused(changed(bundle, "bundle.json", b"[]"), tmp_path)
    assert "is no bundle of a run." in refused(changed(bundle, "bundle.json", None), tmp_path)


@pytest.mark.parametrize("name", ["run/../../out.txt", "/out.txt", "run/.hidden", "elsewhere/x"])
def test_names_that_lead_out_of_the_bundle_are_refused(name: str, bundle: Path, tmp_path: Path) -> None:
    head = head_of(bundle)
    head["files"][name] = {"size": 1, "sha256": "x"}
    assert "is no bundle of a run." in refused(changed(bundle, "bundle.json", json.dumps(head).encode()), tmp_path)
    assert not (tmp_path / "out.txt").exists()


def test_newer_versions_and_rows_that_do_not_fit_are_refused(bundle: Path, tmp_path: Path) -> None:
    head = head_of(bundle)
    newer = json.dumps(head | {"bundle": 99}).encode()
    assert "written by a newer version" in refused(changed(bundle, "bundle.json", newer), tmp_path)
    rows = head["rows"]
    for told, wrong in (
        ("columns that this version does not know: colour", {"runs": [rows["runs"][0] | {"colour": 1}]}),
        ("a time that is none", {"runs": [rows["runs"][0] | {"created_at": "soon"}]}),
        ("has not ended", {"runs": [rows["runs"][0] | {"status": "running"}]}),
        ("rows are of several runs", {"epochs": [rows["epochs"][0] | {"run_id": "other"}]}),
        ("holds no run", {"runs": []}),
        ("not those of run", {"runs": [rows["runs"][0] | {"id": "another"}]}),
        ("not those of run", {"runs": [rows["runs"][0] | {"config": None}]}),
        ("not those of run", {"runs": [{name: value for name, value in rows["runs"][0].items() if name != "id"}]}),
        ("not those of run", {"runs": ["a run"]}),
        ("rows are damaged", {"runs": [rows["runs"][0] | {"status": "gone"}]}),
        ("rows are damaged", {"epochs": ["an epoch"]}),
        ("rows are damaged", {"epochs": [*rows["epochs"], {"run_id": head["run"]}]}),
    ):
        content = json.dumps(head | {"rows": rows | wrong}).encode()
        assert told in refused(changed(bundle, "bundle.json", content), tmp_path)


def test_a_run_that_goes_on_and_data_that_have_changed_are_refused(
    origin: tuple[Workspace, RunRecord], tmp_path: Path
) -> None:
    workspace, run = origin
    (waiting,) = workspace.runs.submit(parse(run.config))
    with pytest.raises(RunError, match="is queued"):
        workspace.bundles.write(waiting.id, tmp_path / "x.zip")
    data = Path(run.config["data"]["path"])
    before = data.read_text(encoding="utf-8")
    try:
        data.write_text(before.replace("\n", " 7\n", 1), encoding="utf-8")
        with pytest.raises(RunError, match="has changed since run"):
            workspace.bundles.write(run.id, tmp_path / "x.zip")
    finally:
        data.write_text(before, encoding="utf-8")
    assert not (tmp_path / "x.zip").exists()


def test_data_that_are_not_the_runs_are_refused(bundle: Path, tmp_path: Path) -> None:
    """Their hash in the bundle is right: they are another data set, and could lie where other runs have theirs."""
    head = head_of(bundle)
    name = next(name for name in head["files"] if name.startswith("data/") and name.endswith(".txt"))
    for content in (b"1 1 2 3 4 5\n2 2 3 4 5 1\n", b"no data"):
        files = head["files"] | {name: {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}}
        path = changed(bundle, name, content)
        other = changed(
            path.rename(path.with_name("step.zip")), "bundle.json", json.dumps(head | {"files": files}).encode()
        )
        assert "are not those of run" in refused(other, tmp_path)


def test_what_a_killed_process_left_does_not_travel(origin: tuple[Workspace, RunRecord], tmp_path: Path) -> None:
    workspace, run = origin
    left = run.directory / ".ranks.npz.123.abcd"
    left.write_bytes(b"half")
    try:
        path = workspace.bundles.write(run.id, tmp_path / "run.zip")
    finally:
        left.unlink()
    fresh = Workspace(tmp_path / "elsewhere")
    assert fresh.bundles.read(path).id == run.id
    fresh.runs.close()


def test_a_full_disk_is_one_sentence_and_leaves_nothing(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "rename", full)
    assert refused(bundle, tmp_path).endswith("cannot be taken in: No space left on device.")


def test_an_encrypted_member_is_damage(bundle: Path, tmp_path: Path) -> None:
    content = bytearray(bundle.read_bytes())
    for signature, flags in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        place = -1
        while (place := content.find(signature, place + 1)) >= 0:
            if content[place : place + flags + 80].find(b"best.pt") >= 0:
                content[place + flags] |= 1
    path = bundle.with_name("locked.zip")
    path.write_bytes(bytes(content))
    assert "is not what was written" in refused(path, tmp_path)


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, RunRecord, Path]:
    """A workspace with a run on a data set that was imported from a file whose name no bundle may have."""
    folder = tmp_path_factory.mktemp("imported")
    source = folder / "käufe.csv"
    rows = "".join(f"u{u},i{n},{1 + n % 5},{1_500_000_000 + n}\n" for u in range(9) for n in range(6))
    source.write_text("user,item,rating,time\n" + rows, encoding="utf-8")
    workspace = Workspace(folder / "workspace")
    made = workspace.imports.run(str(source), ImportRecipe(core=3, minimum_rating=2))
    values = {"model.name": "popularity", "data.path": made.path, "train.device": "cpu"}
    (run,) = workspace.runs.submit(preset("sample").config.replace(values))
    assert execute(workspace.runs.store, run.id) == 0
    return workspace, workspace.runs.get(run.id), source


def preprocessing(workspace: Workspace, run_id: str) -> str:
    return {fact.name: fact.value for fact in workspace.protocols.of(run_id).facts}["Preprocessing"]


def test_how_the_data_were_made_travels_with_them(imported: tuple[Workspace, RunRecord, Path], tmp_path: Path) -> None:
    first, run, source = imported
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    told = f"rated 2 or more; duplicates kept; 3-core; times in seconds; from käufe.csv (sha256 {digest[:12]}…)"
    assert preprocessing(first, run.id) == told
    bundle = first.bundles.write(run.id, tmp_path / "run.zip")
    facts = zipfile.ZipFile(bundle).read("data/import.json")
    assert head_of(bundle)["files"]["data/import.json"]["sha256"] == hashlib.sha256(facts).hexdigest()
    assert head_of(bundle)["bundle"] == 2, "an older workbench would take it for the data file"
    assert str(source.parent).encode() not in facts, "whose folders these were is nobody's business"
    assert json.loads(facts)["source"]["path"] == source.name
    fresh = Workspace(tmp_path / "fresh")
    path = Path(fresh.bundles.read(bundle).config["data"]["path"])
    assert path.name == "k-ufe.coserec"
    assert path.with_name("import.json").read_bytes() == facts
    assert preprocessing(fresh, run.id) == told
    report = fresh.imports.report(str(path))
    assert report is not None
    assert (report.path, report.recipe["core"], report.report.stages[0].actions) == (str(path), 3, 54)
    fresh.runs.close()
    assert "data/import.json is not what was written" in refused(changed(bundle, "data/import.json", b"{}"), tmp_path)


def test_a_bundle_from_before_has_no_recipe_and_is_taken_in(
    imported: tuple[Workspace, RunRecord, Path], tmp_path: Path
) -> None:
    bundle = imported[0].bundles.write(imported[1].id, tmp_path / "run.zip")
    head = head_of(bundle)
    del head["files"]["data/import.json"]
    head["bundle"] = 1
    without = changed(bundle, "data/import.json", None).rename(tmp_path / "without.zip")
    old = changed(without, "bundle.json", json.dumps(head).encode())
    fresh = Workspace(tmp_path / "fresh")
    run = fresh.bundles.read(old)
    assert Path(run.config["data"]["path"]).is_file()
    assert preprocessing(fresh, run.id) == "unknown: there is no import.json beside the data"
    fresh.runs.close()


def test_a_recipe_of_other_data_is_refused(imported: tuple[Workspace, RunRecord, Path], tmp_path: Path) -> None:
    """Its hash in the bundle is right, but it is said of something else."""
    bundle = imported[0].bundles.write(imported[1].id, tmp_path / "run.zip")
    head = head_of(bundle)
    content = b'{"fingerprint": "0123456789abcdef"}'
    head["files"]["data/import.json"] = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    other = changed(bundle, "data/import.json", content).rename(tmp_path / "other.zip")
    assert "are not those of run" in refused(changed(other, "bundle.json", json.dumps(head).encode()), tmp_path)
