"""What comparing answers at the edges: an unknown run, runs without epochs, a comparison without tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.api import Workspace
from engine.config import differences, preset
from engine.errors import UsageError
from engine.reports import tables
from tests.helpers.finished_runs import finish


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(tmp_path / "workspace")
    finish(made, 0.8)
    finish(made, 1.0, values={"loss.contrastive_weight": 0.0})
    yield made
    made.runs.close()


@pytest.fixture
def groups(workspace: Workspace) -> tuple[tuple[str, ...], ...]:
    return tuple(item.run_ids for item in workspace.comparisons.choices())


def test_choices_of_an_unknown_run_are_refused_in_a_sentence(workspace: Workspace) -> None:
    with pytest.raises(UsageError, match="nosuch"):
        workspace.comparisons.choices(["nosuch"])
    records = workspace.runs.all()
    assert workspace.comparisons.choices(records) == workspace.comparisons.choices()


def test_curves_of_runs_without_epochs_are_refused_with_what_to_do(
    workspace: Workspace, groups: tuple[tuple[str, ...], ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PopRec counts, and has no epochs."""
    monkeypatch.setattr(workspace.runs, "epochs", lambda _: ())
    with pytest.raises(UsageError) as told:
        workspace.comparisons.figure("curves", groups, tmp_path / "f.pdf")
    assert told.value.hint == "These runs have no epochs: choose another figure."


def test_tests_have_the_same_columns_with_and_without_any(
    workspace: Workspace, groups: tuple[tuple[str, ...], ...]
) -> None:
    found = workspace.comparisons.compare(groups, metrics=("HR@10",))
    full = tables.tests_frame(found)
    assert len(full)
    assert list(full.columns) == list(tables.tests_frame(replace(found, tests=())).columns)
    assert set(full.columns) >= {"family", "first_runs", "second_configuration", "data"}


def test_settings_tried_over_one_preset_that_are_anothers_have_its_name(workspace: Workspace) -> None:
    own, strong = preset("sasrec-cross-entropy"), preset("sasrec-strong")
    changed = {path: there for path, (_, there) in differences(own.config, strong.config).items()}
    finish(workspace, name=own.name, values=changed)
    finish(workspace, name=own.name, values=changed | {"train.epochs": 7})
    finish(workspace, name=own.name)
    newest = [item.label for item in workspace.comparisons.choices()][:3]
    assert newest[0] == own.title
    assert newest[1].startswith(f"{own.title}, ")
    assert "epochs 7" in newest[1]
    assert newest[2] == strong.title
