"""Exports: whole files, null for what is not a number."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import pytest

from engine.errors import RunError, UsageError
from engine.records import EpochReport, RunStatus
from engine.runs.execute import execute
from engine.runs.export import export
from engine.store import Store
from tests.helpers import fake_training
from tests.helpers.fake_training import report, submit, tools


def rows_of(store: Store) -> list[tuple[object, tuple[EpochReport, ...]]]:
    done, _ = submit(store, 2)
    execute(store, done.id, tools=tools(fake_training.quick))
    return [(run, store.epochs(run.id)) for run in store.all()]


def test_json_has_everything(store: Store, tmp_path: Path) -> None:
    path = export(rows_of(store), tmp_path / "runs.json")  # type: ignore[arg-type]
    queued, done = json.loads(path.read_text(encoding="utf-8"))["runs"]
    assert queued["status"] == "queued"
    assert queued["epochs"] == []
    assert done["status"] == RunStatus.FINISHED
    assert done["config"]["train"]["epochs"] == 3
    assert done["metrics"]["test"]["NDCG@20"] == 1 / 3
    assert (queued["epoch"], queued["best_epoch"]) == (0, None)
    assert (done["epoch"], done["best_epoch"], [epoch["epoch"] for epoch in done["epochs"]]) == (3, 3, [1, 2, 3])
    assert [epoch["train_seconds"] for epoch in done["epochs"]] == [0.5] * 3
    assert done["epochs"][1]["losses"] == dict(report(1).losses)


def test_csv_has_a_line_an_epoch(store: Store, tmp_path: Path) -> None:
    path = export(rows_of(store), tmp_path / "runs.csv")  # type: ignore[arg-type]
    lines = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    assert [line["epoch"] for line in lines] == ["", "1", "2", "3"]
    assert lines[1]["train.epochs"] == "3"
    assert float(lines[2]["test/NDCG@20"]) == 1 / 3
    assert float(lines[2]["epoch/loss/next_item"]) == 1.24
    assert lines[0]["test/NDCG@20"] == ""


def test_what_is_not_a_number_becomes_null(store: Store, tmp_path: Path) -> None:
    (run,) = submit(store)
    odd = EpochReport(0, 1.0, 1.0, {"next_item": math.nan, "contrastive": math.inf}, {}, "memory")
    path = export([(run, (odd,))], tmp_path / "runs.json")
    text = path.read_text(encoding="utf-8")
    assert "NaN" not in text
    assert json.loads(text)["runs"][0]["epochs"][0]["losses"] == {"next_item": None, "contrastive": None}


def test_another_suffix_and_another_place_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"Name a \.json, \.csv or \.parquet file"):
        export([], tmp_path / "runs.xlsx")
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(RunError, match="cannot be written"):
        export([], tmp_path / "file" / "runs.json")


def test_a_failed_export_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = export([], tmp_path / "runs.json")
    before = path.read_bytes()

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(RunError, match="No space left"):
        export([], path)
    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ["runs.json"]
