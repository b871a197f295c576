"""Which reader opens a file. A new one is one file: nothing else knows its suffix."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from engine.api import Workspace
from engine.data.dataset import load
from engine.data.reader_choice import own_reader, reader_of, suffixes
from engine.errors import ConfigurationError, DataError
from tests.helpers.made_up_reader import TEXT, announce

ROOT = Path(__file__).parents[3]
WHO = r"'left' \(tests\.helpers\.made_up_reader\) and 'right' \(tests\.helpers\.made_up_reader\)"


def test_the_readers_that_are_there() -> None:
    assert suffixes() == (".coserec", ".dat", ".seq", ".txt")
    names = {name: reader_of(Path(name)).name for name in ("a.txt", "a.coserec", "A.COSEREC", "a.csv", "a")}
    assert list(names.values()) == ["coserec_text", "imported", "imported", "coserec_text", "coserec_text"]
    own = own_reader(Path("a.coserec"))
    assert own is not None
    assert own.name == "imported"
    assert own_reader(Path("a.txt")) is None, "everybody writes .txt: its content says whether it has to be imported"


def test_a_new_readers_file_needs_no_import(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "mine.JLists"
    path.write_text(TEXT)
    workspace = Workspace(tmp_path / "workspace")
    assert workspace.imports.needs_import(str(path))
    announce(monkeypatch, "jlists")
    assert not workspace.imports.needs_import(str(path))
    assert ".jlists" in workspace.datasets.suffixes
    assert load(path).user_ids.tolist() == ["7", "2"]


def test_a_new_readers_own_sentence_is_what_one_reads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A line of it looks like a review of Amazon's, which would have to be imported."""
    path = tmp_path / "mine.jlists"
    path.write_text('{"reviewerID": "u1", "asin": "b7", "unixReviewTime": 5}\n')
    with pytest.raises(DataError, match="this looks like Amazon reviews"):
        load(path)  # nobody announces it: the fallback's own sentence would be of no help
    announce(monkeypatch, "jlists")
    with pytest.raises(DataError, match=r"mine\.jlists, line 1: this is no list of numbers\. Write \[user, item, …\]"):
        load(path)


def test_two_readers_of_one_suffix_are_refused_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "mine.jlists"
    path.write_text(TEXT)
    announce(monkeypatch, "left", "right")
    for ask in (load, Workspace(tmp_path / "workspace").imports.needs_import):
        with pytest.raises(ConfigurationError, match=rf"^2 readers announce '\.jlists' files: {WHO}\. Take it out"):
            ask(str(path))
    assert load("sample").name == "shop", "whoever opens something else is not stopped by it"


def test_two_fallbacks_are_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    announce(monkeypatch, "jlists", fallback=True)
    assert reader_of(Path("a.jlists")).name == "jlists"
    with pytest.raises(ConfigurationError, match=r"2 readers announce files of any other suffix: 'coserec_text' "):
        reader_of(Path("a.odd"))


def test_a_suffix_may_have_two_parts_and_stand_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    announce(monkeypatch, "packed", suffixes=(".jlists.gz",))
    announce(monkeypatch, "any", suffixes=(".gz"))  # no tuple: a comma is missing
    assert reader_of(Path("a.jlists.gz")).name == "packed"
    assert reader_of(Path("a.txt.gz")).name == "any"
    assert reader_of(Path("no-suffix")).name == "coserec_text"
    assert reader_of(Path("a.g")).name == "coserec_text"


USE = """
import sys
from pathlib import Path
from engine.api import Workspace
workspace = Workspace(sys.argv[2])
assert ".jlists" in workspace.datasets.suffixes
assert not workspace.imports.needs_import(sys.argv[1])
print(workspace.datasets.summary(sys.argv[1]).users)
"""


def test_a_new_reader_is_one_file(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "engine", tmp_path / "engine", ignore=shutil.ignore_patterns("__pycache__"))
    text = (ROOT / "tests" / "helpers" / "made_up_reader.py").read_text(encoding="utf-8")
    text = text[: text.index("def announce")].replace("import pytest\n", "")
    text += (
        "registry.register('reader', 'jlists', label='Lists', help='Lists.', suffixes=('.jlists',),"
        " target='engine.data.readers.jlists:read')\n"
    )
    (tmp_path / "engine" / "data" / "readers" / "jlists.py").write_text(text, encoding="utf-8")
    data = tmp_path / "mine.jlists"
    data.write_text(TEXT)
    command = [sys.executable, "-c", USE, str(data), str(tmp_path / "workspace")]
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout.strip() == "2", done.stderr
