"""Series over seeds that ended at other epochs, and facts of runs as numbers, against loops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from engine.api import Workspace
from engine.config import ExperimentConfig, parse, preset
from engine.records import EpochReport, RunRecord
from engine.runs.curves import Along, curves, parallel, scatter
from tests.helpers.fake_runs import make_record
from tests.helpers.finished_runs import end, finish


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(tmp_path / "workspace")
    yield made
    made.runs.close()


def reports(values: Sequence[float | None], seconds: float) -> list[EpochReport]:
    """An epoch a value, all of one length; None: the epoch has not validated."""
    return [
        EpochReport(n, seconds, 0.0, {}, {} if value is None else {"MRR": value}, "", False)
        for n, value in enumerate(values)
    ]


@pytest.fixture
def group(workspace: Workspace) -> tuple[RunRecord, ...]:
    return finish(workspace, seeds=(1, 2))


def test_seeds_of_unequal_length(group: tuple[RunRecord, ...]) -> None:
    told = {group[0].id: reports([0.1, 0.2, 0.3, 0.4], 2.0), group[1].id: reports([0.3, 0.4], 6.0)}
    (one,) = curves([group], told.__getitem__, "valid/MRR")
    assert one.x.tolist() == [1, 2, 3, 4]
    assert one.mean == pytest.approx([0.2, 0.3, 0.3, 0.4])
    assert one.std == pytest.approx([np.std([0.1, 0.3], ddof=1), np.std([0.2, 0.4], ddof=1), 0, 0])
    assert one.n.tolist() == [2, 2, 1, 1]


@pytest.mark.parametrize("slow_ends_first", [True, False])
def test_time_never_runs_backwards(group: tuple[RunRecord, ...], *, slow_ends_first: bool) -> None:
    lengths = (6, 2) if slow_ends_first else (2, 6)
    told = {run.id: reports([0.1] * n, s) for run, n, s in zip(group, lengths, (2.0, 6.0), strict=True)}
    (one,) = curves([group], told.__getitem__, "valid/MRR", "time")
    left = 2.0 if slow_ends_first else 6.0
    assert one.x == pytest.approx([4, 8, *(8 + left * n for n in range(1, 5))])


def test_epochs_without_the_series_take_their_time(group: tuple[RunRecord, ...]) -> None:
    told = {group[0].id: reports([None, 0.2, None, 0.4], 2.0), group[1].id: reports([None, 0.2, 0.3, 0.4], 4.0)}
    (one,) = curves([group], told.__getitem__, "valid/MRR", "time")
    assert one.x == pytest.approx([6, 9, 12])
    assert one.n.tolist() == [2, 1, 2]


def test_what_is_no_number_is_no_point(group: tuple[RunRecord, ...]) -> None:
    told = {group[0].id: reports([0.1, np.inf, np.nan], 2.0), group[1].id: reports([0.3, 0.5, np.nan], 2.0)}
    (one,) = curves([group], told.__getitem__, "valid/MRR")
    assert one.mean == pytest.approx([0.2, 0.5])
    assert one.n.tolist() == [2, 1]
    told[group[1].id] = told[group[0].id] = reports([np.nan], 2.0)
    assert curves([group], told.__getitem__, "valid/MRR") == ()


def test_minutes_are_of_training_and_not_of_the_clock(workspace: Workspace) -> None:
    (run,) = workspace.runs.submit(finish_config(workspace))
    end(workspace, [run], seconds=90.0)
    assert [point.x for point in scatter([workspace.runs.get(run.id)], "minutes", "MRR")] == [1.5]


def test_a_run_that_does_not_train_has_no_epochs(workspace: Workspace) -> None:
    (run,) = workspace.runs.submit(finish_config(workspace))
    end(workspace, [run], ended_by="nothing")
    assert [point.x for point in scatter([workspace.runs.get(run.id)], "epochs_done", "MRR")] == [0]


def test_a_run_from_before_a_setting_is_a_point_too(group: tuple[RunRecord, ...]) -> None:
    older = {name: dict(values) if isinstance(values, dict) else values for name, values in group[0].config.items()}
    del older["loss"]["bce_negatives"]
    object.__setattr__(group[0], "config", older)
    assert [point.x for point in scatter(group, "loss.bce_negatives", "MRR")] == [1, 1]


def finish_config(workspace: Workspace) -> ExperimentConfig:
    return parse(finish(workspace, seeds=(9,))[0].config)


@pytest.mark.parametrize(("along", "begins"), [("epoch", 2.0), ("time", 6.0)])
def test_a_run_of_two_stages_says_where_the_second_begins(workspace: Workspace, along: Along, begins: float) -> None:
    (run,) = finish(workspace, name="s3rec-paper", values={"train.pretrain_epochs": 2})
    told = {run.id: reports([None, None, 0.1, 0.2], 3.0)}
    (one,) = curves([(run,)], told.__getitem__, "valid/MRR", along)
    assert one.fine_tuned_from == begins < one.x[0]
    ended = {run.id: reports([0.1], 3.0)}
    assert curves([(run,)], ended.__getitem__, "valid/MRR", along)[0].fine_tuned_from is None


def test_a_run_has_no_place_on_the_axis_of_a_setting_that_it_does_not_read() -> None:
    def measured(run_id: str, name: str, **values: object) -> RunRecord:
        config = preset(name).config.replace({path.replace("__", "."): value for path, value in values.items()})
        stored = config.model_dump(mode="json")
        return make_record(run_id, preset=name, config=stored, metrics={"test": {"MRR": 0.1}})

    records = [
        measured("late", "sample", similarity__hybrid_after_epoch=30),
        measured("early", "sample", similarity__hybrid_after_epoch=3, model__hidden_size=16),
        measured("plain", "sample", loss__contrastive_weight=0, augment__crop_rate=0.11),
        measured("memory", "popularity", train__epochs=300),
    ]
    found = parallel(records, "MRR")
    values = {run.run_id: dict(zip(found.fields, run.values, strict=True)) for run in found.runs}
    assert [run["similarity.hybrid_after_epoch"] for run in values.values()] == [30, 3, None, None]
    assert [run["loss.contrastive_weight"] for run in values.values()] == [0.1, 0.1, 0.0, None]
    assert [run["model.hidden_size"] for run in values.values()][1] == 16
    assert values["memory"]["model.hidden_size"] is None
    assert "train.epochs" not in found.fields, "those that train have one number of epochs"
    assert "augment.crop_rate" not in found.fields
    families = [run.family for run in found.runs]
    assert families == ["sample transformer"] * 3 + ["popularity popularity"]
    assert "model.hidden_size" in found.told_by_most(3)
    told = {point.run_id: point.x for point in scatter(records, "similarity.hybrid_after_epoch", "MRR")}
    assert told == {"late": 30, "early": 3}, "nor has it a dot of a scatter"
    assert {point.run_id for point in scatter(records, "model.hidden_size", "MRR")} == {"late", "early", "plain"}
