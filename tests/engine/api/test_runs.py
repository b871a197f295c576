"""The door to runs: submitted with checked data, found, queued, resumed, exported."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.api import Workspace
from engine.api.runs import Runs
from engine.config import ExperimentConfig, preset
from engine.errors import DataError, RunError, StoreError, UsageError
from engine.records import FeedCursor, RunStatus
from engine.runs.execute import execute
from engine.store import Ending
from tests.helpers import fake_training
from tests.helpers.fake_training import submit, tools

ROOT = Path(__file__).parents[3]
POPULAR = ExperimentConfig().replace({"model.name": "popularity"})


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Twelve users over nine items."""
    lines = [f"{user} " + " ".join(str(1 + (user + step) % 9) for step in range(6)) for user in range(1, 13)]
    path = tmp_path / "shop.txt"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    opened = Workspace(tmp_path / "workspace").runs
    yield opened
    opened.close()


def test_seeds_make_runs_in_order(runs: Runs, shop: Path) -> None:
    config = POPULAR.replace({"data.path": str(shop), "evaluate.noise_rate": 0.1})  # noise is what its seed draws
    submitted = runs.submit(config, preset="popularity", seeds=(3, 1, 2))
    assert [run.seed for run in submitted] == [3, 1, 2]
    assert [run.config["train"]["seed"] for run in submitted] == [3, 1, 2]
    assert [run.name for run in submitted] == ["popularity"] * 3
    assert {run.preset for run in submitted} == {"popularity"}
    assert [run.seed for run in reversed(runs.all())] == [3, 1, 2]
    first = runs.next_queued()
    assert first is not None
    assert first.id == submitted[0].id
    assert runs.submit(config, name="mine")[0].name == "mine"


def test_a_relative_path_is_stored_as_an_absolute_one(runs: Runs, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop.parent)
    (run,) = runs.submit(POPULAR.replace({"data.path": "shop.txt"}))
    assert run.config["data"]["path"] == str(shop)
    assert (run.dataset, len(run.fingerprint)) == ("shop", 16)


def test_data_that_cannot_be_read_makes_no_run(runs: Runs, tmp_path: Path) -> None:
    (tmp_path / "bad.txt").write_text("1 2 three\n", encoding="utf-8")
    with pytest.raises(DataError, match="line 1"):
        runs.submit(POPULAR.replace({"data.path": str(tmp_path / "bad.txt")}))
    with pytest.raises(UsageError, match="There is no file"):
        runs.submit(POPULAR.replace({"data.path": str(tmp_path / "none.txt")}))
    assert runs.all() == ()


def test_the_preset_of_the_sample_is_submitted_as_sample(runs: Runs) -> None:
    (run,) = runs.submit(preset("sample").config)
    assert run.config["data"]["path"] == "sample"


def test_a_run_of_a_presets_other_name_is_stored_under_its_own(runs: Runs) -> None:
    (run,) = runs.submit(preset("cl4srec-paper").config, preset="cl4srec-paper")
    assert run.preset == "cl4srec"


def test_only_queued_runs_start(runs: Runs) -> None:
    (run,) = submit(runs.store)
    runs.cancel(run.id)
    with pytest.raises(RunError, match="is cancelled, not queued"):
        runs.start(run.id)


def test_several_stop_at_once_and_what_waits_leaves_the_queue(runs: Runs) -> None:
    one, other = submit(runs.store, 2)
    found = runs.stop_all([one.id, other.id])
    assert [record.id for record in found] == [one.id, other.id]
    assert {record.status for record in found} == {RunStatus.CANCELLED}


def test_none_is_queued_where_one_cannot_go_on(runs: Runs) -> None:
    (good,) = submit(runs.store)
    config = json.loads(ExperimentConfig().model_dump_json()) | {"warp": {}}
    (bad,) = submit(runs.store, config=config)
    for run in (good, bad):
        execute(runs.store, run.id, tools=tools(fake_training.broken))
    with pytest.raises(RunError, match="today's program refuses warp"):
        runs.resume_all([good.id, bad.id])
    assert runs.get(good.id).status is RunStatus.FAILED


def test_a_run_that_the_program_no_longer_understands_cannot_go_on(runs: Runs) -> None:
    config = json.loads(ExperimentConfig().model_dump_json()) | {"warp": {}}
    (run,) = submit(runs.store, config=config)
    execute(runs.store, run.id, tools=tools(fake_training.quick))
    assert runs.get(run.id).status is RunStatus.FAILED
    with pytest.raises(RunError, match=r"today's program refuses warp: there is no such setting"):
        runs.resume(run.id)
    assert runs.get(run.id).config["warp"] == {}


def test_resume_queues_again(runs: Runs) -> None:
    (run,) = submit(runs.store)
    execute(runs.store, run.id, tools=tools(fake_training.broken))
    assert runs.resume(run.id[:11]).status is RunStatus.QUEUED
    with pytest.raises(RunError, match="is queued"):
        runs.resume(run.id)


def test_the_log_survives_its_file(runs: Runs) -> None:
    (run,) = submit(runs.store)
    run.directory.mkdir(parents=True)
    (run.directory / "log.txt").write_text("one\ntwo\nthree\n", encoding="utf-8")
    assert runs.log(run.id, 2) == "two\nthree"
    execute(runs.store, run.id, tools=tools(fake_training.quick))
    (run.directory / "log.txt").unlink()
    assert runs.log(run.id).startswith("one\ntwo\nthree")


def test_exports_take_beginnings_of_ids_or_everything(runs: Runs, tmp_path: Path) -> None:
    one, _ = submit(runs.store, 2)
    path = runs.export([one.id], tmp_path / "one.json")
    assert [run["id"] for run in json.loads(path.read_text(encoding="utf-8"))["runs"]] == [one.id]
    path = runs.export([], tmp_path / "all.json")
    assert len(json.loads(path.read_text(encoding="utf-8"))["runs"]) == 2


def test_the_feed_comes_through_the_door(runs: Runs) -> None:
    (run,) = submit(runs.store)
    execute(runs.store, run.id, tools=tools(fake_training.quick))
    batch = runs.changes(FeedCursor())
    assert [found.id for found in batch.runs] == [run.id]
    assert tuple(batch.points) == runs.points(run.id)
    assert runs.changes(batch.cursor).runs == ()
    assert runs.changes(FeedCursor(), points_of=()).points == ()


def test_it_can_be_pickled_and_opens_anew(runs: Runs) -> None:
    (run,) = submit(runs.store)
    copied = pickle.loads(pickle.dumps(Workspace(runs.workspace)))
    assert copied.runs.get(run.id) == run
    copied.runs.close()
    assert copied.runs.all() == (run,)
    copied.runs.close()


def test_a_store_that_cannot_be_opened_is_said_at_use(tmp_path: Path) -> None:
    (tmp_path / "coserec.db").write_bytes(b"junk" * 1000)
    workspace = Workspace(tmp_path)
    with pytest.raises(StoreError, match="damaged or not a database"):
        workspace.runs.all()


def test_importing_the_door_imports_neither_torch_nor_sqlalchemy() -> None:
    code = "import sys, engine.api; sys.exit('torch' in sys.modules or 'sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_what_watches_runs_imports_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from engine.api import Workspace; from engine.records import FeedCursor;"
        "runs = Workspace(sys.argv[1]).runs; runs.changes(FeedCursor()); runs.sweep(); runs.next_queued(); runs.work();"
        "runs.export([], Path(sys.argv[1]) / 'x.json'); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, check=False).returncode == 0


@pytest.mark.slow
def test_a_started_worker_works_off_the_queue(runs: Runs) -> None:
    """The worker is real; the runs it starts end at once, because their data are gone."""
    from tests.helpers.waiting import wait_for

    (run,) = submit(runs.store, dataset_path="/nowhere", config=_elsewhere())
    pid = runs.start_worker()
    assert pid > 0
    record = wait_for(lambda: (found := runs.get(run.id)).status.is_end and found, seconds=60)
    assert record.status is RunStatus.FAILED
    assert "There is no file" in record.message
    wait_for(lambda: runs.store.lock_holder("worker") is None)


def _elsewhere() -> dict[str, object]:
    tree: dict[str, object] = POPULAR.replace({"data.path": "/nowhere/at/all.txt"}).model_dump(mode="json")
    return tree


def test_a_run_is_stopped_for_good_only_once(runs: Runs) -> None:
    (run,) = submit(runs.store)
    runs.store.claim(run.id, fake_training_mark())
    runs.store.end(run.id, 1, Ending(RunStatus.STOPPED, "done"))
    assert runs.request_stop(run.id).message == "done"
    assert runs.ensure_stopped(run.id).message == "done"


def fake_training_mark() -> object:
    from engine.store import ProcessMark

    return ProcessMark("host", 1, 1.0)


def test_a_run_of_two_stages_is_recorded_with_them(runs: Runs, shop: Path) -> None:
    config = preset("coserec-two-stage").config.replace(
        {"data.path": str(shop), "train.pretrain_epochs": 2, "train.epochs": 3, "train.device": "cpu"}
    )
    (run,) = runs.submit(config.replace({"model.hidden_size": 8, "model.layers": 1}))
    assert (run.name, run.epochs) == ("transformer 2+ seed 1", 5)
    runs.execute(run.id)
    ended = runs.get(run.id)
    assert ended.status is RunStatus.FINISHED
    assert ended.message.startswith("Trained 5 epochs, 2 of them pre-training; the best was epoch ")
    assert (ended.progress, ended.epoch, ended.hybrid_started) == (1.0, 4, False)
    epochs = runs.epochs(run.id)
    assert [epoch.stage for epoch in epochs] == ["pre-training"] * 2 + ["fine-tuning"] * 3
    names = {point.epoch: set() for point in runs.points(run.id)}  # type: ignore[var-annotated]
    for point in runs.points(run.id):
        names[point.epoch].add(point.name)
    assert "loss/contrastive" in names[1]
    assert "valid/NDCG@20" not in names[1]
    assert "valid/NDCG@20" in names[2]
    written = runs.export([run.id], shop.parent / "runs.csv").read_text(encoding="utf-8").splitlines()
    column = written[0].split(",").index("epoch/stage")
    assert [line.split(",")[column] for line in written[1:]] == [epoch.stage for epoch in epochs]
