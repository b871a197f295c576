"""Files that commands write: refused before any work where their folder does not exist; no folder is made for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from engine.api import Workspace
from engine.cli import main
from engine.cli.places import NewFile, NewFolder
from tests.engine.cli.conftest import Shell
from tests.helpers.finished_runs import finish


@pytest.fixture
def run(shell: Shell) -> str:
    workspace = Workspace(shell.workspace)
    (made,) = finish(workspace, 1.0, (1,))
    workspace.runs.close()
    return made.id


@pytest.mark.parametrize(
    "command",
    [
        ("compare", "RUN", "--output", "FILE.csv"),
        ("compare", "RUN", "--output", "FILE.pdf"),
        ("export", "RUN", "--output", "FILE.csv"),
        ("bundle", "RUN", "FILE.zip"),
        ("recommend", "RUN", "--user", "1", "--csv", "FILE.csv"),
        ("recommend", "RUN", "--all-users", "--output", "FILE.csv"),
        ("embeddings", "RUN", "--output", "FILE.npz"),
        ("results", "--out", "FILE"),
        ("leaderboard", "sample", "--models", "popularity", "--csv", "FILE.csv"),
        ("leaderboard", "sample", "--models", "popularity", "--latex", "FILE.tex"),
    ],
    ids=" ".join,
)
def test_a_folder_that_does_not_exist_is_not_made(
    shell: Shell, run: str, tmp_path: Path, command: tuple[str, ...]
) -> None:
    nowhere = tmp_path / "nowhere"
    words = [word.replace("RUN", run).replace("FILE", str(nowhere / "x")) for word in command]
    error = shell.runs(*words, code=2)["error"]
    assert (error["message"], error["hint"]) == (f"There is no folder {nowhere}.", "Make it, or choose another place.")
    assert not nowhere.exists()


def test_nor_for_the_neighbours(shell: Shell, tmp_path: Path) -> None:
    place = tmp_path / "nowhere" / "x.csv"
    message = shell.json("neighbours", "sample", "--item", "1", "--csv", place, code=2)["error"]["message"]
    assert "There is no folder" in message
    assert not place.parent.exists()


def test_a_folder_that_exists_is_enough(shell: Shell, run: str, tmp_path: Path) -> None:
    shell.runs("export", run, "--output", tmp_path / "x.csv")
    shell.runs("results", "--out", tmp_path / "new")
    assert (tmp_path / "x.csv").exists()
    assert list((tmp_path / "new").glob("*.json"))


def written(command: click.Command = main, path: str = "") -> Iterator[tuple[str, click.ParamType]]:
    """Every parameter that names a place which need not exist yet."""
    for parameter in command.params:
        kind = parameter.type
        if isinstance(kind, click.Path) and not kind.exists and parameter.name not in ("folder", "source"):
            yield f"{path} {parameter.name}", kind
    for name, one in command.commands.items() if isinstance(command, click.Group) else ():
        yield from written(one, f"{path} {name}")


def test_every_command_that_writes_does_so() -> None:
    found = dict(written())
    assert len(found) > 6
    assert {name for name, kind in found.items() if not isinstance(kind, NewFile | NewFolder)} == set()
