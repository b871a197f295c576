"""A file that the user names: opened at once where a reader announces its suffix, imported otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tests.helpers.made_up_reader import TEXT, announce
from workbench import app
from workbench.context import Context
from workbench.widgets.home_parts import ask_for_file, file_filter


@pytest.fixture
def lists(tmp_path: Path) -> str:
    path = tmp_path / "mine.jlists"
    path.write_text(TEXT)
    return str(path)


def test_a_new_readers_file_is_opened_without_the_import(
    qtbot: QtBot, context: Context, lists: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with qtbot.waitSignal(context.session.import_requested):
        context.open_file(lists)
    announce(monkeypatch, "jlists")
    asked: list[str] = []
    context.session.import_requested.connect(asked.append)
    with qtbot.waitSignal(context.session.page_requested) as opened:
        context.open_file(lists)
    assert (opened.args[0], context.session.dataset, asked) == ("dataset", lists, [])


def test_a_file_that_two_readers_want_leaves_what_is_open(
    qtbot: QtBot, context: Context, lists: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    announce(monkeypatch, "left", "right")
    with qtbot.waitSignal(context.notifier.added) as told:
        context.open_file(lists)
    assert told.args[0].text.startswith("2 readers announce '.jlists' files: 'left'")
    assert context.session.dataset == "sample"


def test_the_window_starts_with_a_file_that_two_readers_want(
    qtbot: QtBot, tmp_path: Path, lists: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    announce(monkeypatch, "left", "right")
    window = app.make_window(str(tmp_path / "workspace"), lists)
    qtbot.addWidget(window)
    assert window.context.session.dataset == lists
    window.close_without_asking()


def test_the_file_dialog_offers_what_is_announced(
    qtbot: QtBot, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    announce(monkeypatch, "jlists")
    offered = file_filter(context.workspace.datasets.suffixes)
    kinds = offered[len("Data (") : offered.index(")")].split()
    assert {"*.jlists", "*.coserec", "*.txt", "*.csv", "*.inter", "*.parquet", "*.gz"} <= set(kinds)
    assert len(kinds) == len(set(kinds))
    dialog = ask_for_file(None, "", lambda _: None, (".jlists",))  # type: ignore[arg-type]
    qtbot.addWidget(dialog)
    assert "*.jlists" in dialog.nameFilters()[0]
