"""How pages are found: a file is a page, and one that is none is refused by its name."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.errors import ConfigurationError
from workbench import app, pages

Add = Callable[[str, str], None]
PAGE = """
from PySide6.QtWidgets import QLabel, QVBoxLayout
from workbench.pages import Page, PageWidget

class Mine(PageWidget):
    def make(self):
        yield
        QVBoxLayout(self).addWidget(QLabel("mine"))

PAGE = Page("{id}", "Mine", "table", 25, Mine)
"""


@pytest.fixture
def add(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Add]:
    """Writes a file that stands beside the pages until the test ends."""
    folder = tmp_path / "pages"
    folder.mkdir()
    known = set(sys.modules)
    monkeypatch.setattr(pages, "__path__", [*pages.__path__, str(folder)])
    pages.pages.cache_clear()

    def write(name: str, text: str) -> None:
        (folder / f"{name}.py").write_text(text, encoding="utf-8")

    yield write
    pages.pages.cache_clear()
    for name in {name for name in set(sys.modules) - known if name.startswith("workbench.pages.")}:
        del sys.modules[name]
        delattr(pages, name.rpartition(".")[2])


def test_a_new_page_is_one_file(add: Add) -> None:
    add("mine", PAGE.format(id="mine"))
    assert [page.id for page in pages.pages()][3:5] == ["augment", "mine"], "in the rail by its order"


def test_two_pages_of_one_id_are_refused_by_their_files(add: Add) -> None:
    add("mine", PAGE.format(id="runs"))
    with pytest.raises(
        ConfigurationError,
        match=r"^Two pages have the id 'runs': workbench\.pages\.mine and workbench\.pages\.runs\. Give one of them",
    ):
        pages.pages()


@pytest.mark.parametrize("text", ["", "PAGE = 'mine'\n"], ids=["none", "no Page"])
def test_a_file_without_a_page_is_refused_by_its_name(add: Add, text: str) -> None:
    add("mine", text)
    with pytest.raises(ConfigurationError, match=r"^workbench\.pages\.mine is no page: it has no PAGE = Page\(…\)\."):
        pages.pages()


def test_a_file_that_begins_with_an_underscore_is_no_page(add: Add) -> None:
    add("_mine", "")
    assert "mine" not in {page.id for page in pages.pages()}


@pytest.mark.parametrize("arguments", [[], ["--demo", "pictures"]], ids=["window", "demo"])
def test_the_program_says_it_in_one_sentence_and_starts_nothing(
    add: Add, arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    add("mine", "")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(app, "make_application", lambda: None)  # there is one
    assert app.main(arguments) == 1
    said = capsys.readouterr().err
    assert said.startswith("workbench.pages.mine is no page")
    assert said.count("\n") == 1
    assert not (tmp_path / "pictures").exists()
