"""The command line in this process, on a workspace and a shop of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from engine.cli import main


@dataclass(frozen=True)
class Shell:
    """Runs commands with ``--workspace`` where it is asked for."""

    workspace: Path

    def __call__(self, *arguments: object, code: int = 0) -> Result:
        """Run a command and hold it to its exit code."""
        result = CliRunner().invoke(main, [str(argument) for argument in arguments])
        assert result.exit_code == code, f"{result.output}\n{result.exception!r}"
        return result

    def json(self, *arguments: object, code: int = 0) -> Any:
        """The one JSON object that the command prints to standard output."""
        out = self(*arguments, "--json", code=code).stdout
        assert out.count("\n") == 1
        return json.loads(out, parse_constant=_refuse)

    def runs(self, *arguments: object, code: int = 0) -> Any:
        """A command on the workspace, as JSON."""
        return self.json(*arguments, "--workspace", self.workspace, code=code)


def _refuse(word: str) -> None:
    raise AssertionError(f"{word} is no JSON")


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    return Shell(workspace)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Forty users over seventeen items, the first one with a title beyond ASCII."""
    lines = [f"{user} " + " ".join(str(1 + (user * 3 + step) % 17) for step in range(7)) for user in range(1, 41)]
    path = tmp_path / "shop.txt"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "shop.titles.tsv").write_text("4\tKaffeemühle ☕\n", encoding="utf-8")
    return path
