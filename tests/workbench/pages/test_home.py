"""Home: the sample in one click, recent things with the missing ones said, dropping a file, resuming runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from engine.config import ImportRecipe
from engine.errors import StoreError
from engine.records import RunRecord, RunStatus
from tests.helpers.fake_runs import FakeRuns, make_record
from workbench.context import Context
from workbench.live_feed import LiveBatch
from workbench.pages.home import PAGE, WORKSPACES, HomePage, missing
from workbench.widgets.home_parts import ago


def made(qtbot: QtBot, shop: Context) -> HomePage:
    page = PAGE.build(shop)
    assert isinstance(page, HomePage)
    qtbot.addWidget(page)
    page.resize(1200, 800)
    page.show()
    page.page_shown()
    return page


@pytest.fixture
def page(qtbot: QtBot, shop: Context) -> HomePage:
    return made(qtbot, shop)


def tell(shop: Context, *records: RunRecord) -> None:
    shop.runs.take(LiveBatch(runs=list(records), curves={}, whole=set()))  # type: ignore[arg-type]


def test_open_sample_opens_it_and_looks_at_it(qtbot: QtBot, page: HomePage, shop: Context) -> None:
    with qtbot.waitSignal(shop.session.page_requested) as asked:
        qtbot.mouseClick(page.sample_button, Qt.MouseButton.LeftButton)
    assert asked.args == ["dataset", {}]
    assert shop.session.dataset == "sample"
    assert [row.button.text() for row in page.dataset_rows] == ["Sample shop"]


def test_recent_data_sets_are_listed_and_missing_ones_said(
    qtbot: QtBot, page: HomePage, shop: Context, tmp_path: Path
) -> None:
    there = tmp_path / "there.txt"
    there.write_text("1 2 3\n", encoding="utf-8")
    for path in (tmp_path / "gone.txt", there):
        shop.session.open_dataset(str(path))
    page.page_shown()
    assert [row.button.text() for row in page.dataset_rows] == ["there.txt", "gone.txt"]
    qtbot.waitUntil(lambda: page.dataset_rows[1].note.text() == "missing")
    assert not page.dataset_rows[1].button.isEnabled()
    assert page.dataset_rows[0].note.text() == "open"
    page.dataset_rows[1].forget.click()
    assert shop.session.recent_datasets == [str(there)]
    page.dataset_rows[0].button.click()
    assert shop.session.dataset == str(there)


def test_what_a_command_imported_stands_behind_what_was_opened_until_it_is_taken_off(
    qtbot: QtBot, page: HomePage, shop: Context, tmp_path: Path
) -> None:
    log = tmp_path / "log.csv"
    rows = [f"u{user},i{item},{item}" for user in range(10) for item in range(6)]
    log.write_text("\n".join(["user,item,time", *rows]) + "\n", encoding="utf-8")
    made = shop.workspace.imports.run(str(log), ImportRecipe())
    shop.session.open_dataset("sample")
    page.page_shown()
    qtbot.waitUntil(lambda: len(page.dataset_rows) == 2)
    assert [row.note.text() for row in page.dataset_rows] == ["open", "imported"]
    assert page.dataset_rows[1].path == made.path
    page.dataset_rows[1].forget.click()
    assert [row.path for row in page.dataset_rows] == ["sample"]
    page._imported = []
    page.page_shown()
    qtbot.waitUntil(lambda: page._imported == [made.path])
    assert [row.path for row in page.dataset_rows] == ["sample"], "it stays off"
    page.open_dataset(made.path)
    page.page_shown()
    assert [row.path for row in page.dataset_rows] == [made.path, "sample"], "but for who opens it"


def test_without_recent_data_sets_it_says_what_will_stand_there(page: HomePage) -> None:
    assert page.dataset_rows == []


def test_missing_never_counts_the_sample(tmp_path: Path) -> None:
    assert missing(["sample", str(tmp_path), str(tmp_path / "no")]) == {str(tmp_path / "no")}


@pytest.mark.filterwarnings("ignore:.*QDragEnterEvent:DeprecationWarning")
def test_a_dropped_file_is_opened(qtbot: QtBot, page: HomePage, shop: Context, tmp_path: Path) -> None:
    path = tmp_path / "shop.txt"
    path.write_text("1 2 3 4 5\n", encoding="utf-8")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    none, left = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton
    entering = QDragEnterEvent(QPointF(5, 5).toPoint(), Qt.DropAction.CopyAction, data, left, none)
    page.drop.dragEnterEvent(entering)
    assert entering.isAccepted()
    assert page.drop.property("role") == "drop-over"
    page.drop.dragLeaveEvent(QDragLeaveEvent())
    assert page.drop.property("role") == "drop"
    page.drop.dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, left, none))
    qtbot.waitUntil(lambda: Path(shop.session.dataset) == path)


def test_a_file_of_another_format_is_imported(qtbot: QtBot, page: HomePage, shop: Context, tmp_path: Path) -> None:
    path = tmp_path / "ratings.csv"
    path.write_text("userId,movieId,rating,timestamp\n1,2,3,978300760\n", encoding="utf-8")
    with qtbot.waitSignal(shop.session.import_requested) as asked:
        page.drop.dropped.emit([str(path)])
    assert asked.args == [str(path)]
    assert shop.session.dataset == "sample"


@pytest.mark.filterwarnings("ignore:.*QDragEnterEvent:DeprecationWarning")
def test_text_is_not_taken_for_a_file(page: HomePage) -> None:
    data = QMimeData()
    data.setText("hello")
    entering = QDragEnterEvent(
        QPointF(5, 5).toPoint(),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    entering.setAccepted(False)
    page.drop.dragEnterEvent(entering)
    assert not entering.isAccepted()


def test_choosing_a_file_does_not_block(qtbot: QtBot, page: HomePage, shop: Context) -> None:
    page.drop.button.click()
    dialog = page.findChild(QFileDialog)
    assert dialog is not None
    dialog.fileSelected.emit("picked.txt")
    qtbot.waitUntil(lambda: shop.session.dataset == str(Path("picked.txt").resolve()))
    dialog.close()


def test_runs_that_ended_badly_stand_there_and_resume(
    qtbot: QtBot, page: HomePage, shop: Context, runs: FakeRuns
) -> None:
    assert not page.runs.isVisible()
    lost = make_record("r0002", status=RunStatus.LOST, epoch=3, message="The process is gone.")
    runs.put(lost)
    tell(shop, make_record("r0001", status=RunStatus.FINISHED), lost)
    assert page.runs.isVisible()
    assert [row.reason.full for row in page.run_rows] == ["The process is gone."]
    page.run_rows[0].resume.click()
    qtbot.waitUntil(lambda: ("resume", "r0002") in runs.calls)
    tell(shop, make_record("r0002", status=RunStatus.QUEUED))
    assert page.run_rows == []
    assert not page.runs.isVisible()


def test_the_live_feed_does_not_rebuild_rows_that_say_the_same(page: HomePage, shop: Context) -> None:
    failed = make_record("r0002", status=RunStatus.FAILED, message="Out of memory.")
    tell(shop, failed)
    row = page.run_rows[0]
    tell(shop, failed, make_record("r0003", status=RunStatus.RUNNING, step=4))
    assert page.run_rows[0] is row


def test_a_run_that_ended_badly_leads_to_runs(qtbot: QtBot, page: HomePage, shop: Context) -> None:
    tell(shop, make_record("r0002", status=RunStatus.STOPPED))
    with qtbot.waitSignal(shop.session.page_requested) as asked:
        page.run_rows[0].shown.emit("r0002")
    assert asked.args == ["runs", {"run": "r0002"}]


def test_many_bad_ends_are_cut_to_five(page: HomePage, shop: Context) -> None:
    tell(shop, *(make_record(f"r{n:04d}", status=RunStatus.FAILED) for n in range(8)))
    assert len(page.run_rows) == 5


def test_a_store_that_cannot_be_read_is_said(page: HomePage, shop: Context) -> None:
    shop.runs.set_trouble(StoreError("the file is not a database."))
    assert page.runs.isVisible()


def test_workspaces_are_remembered(qtbot: QtBot, shop: Context, tmp_path: Path) -> None:
    shop.settings.write(WORKSPACES, [str(tmp_path / "old"), 7])
    page = made(qtbot, shop)
    assert [row.path for row in page.workspace_rows] == [str(shop.workspace.directory), str(tmp_path / "old")]
    assert not page.workspace_rows[0].button.isEnabled()
    qtbot.waitUntil(lambda: page.workspace_rows[1].note.text() == "missing")
    page.workspace_rows[1].forget.click()
    assert [row.path for row in page.workspace_rows] == [str(shop.workspace.directory)]


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=5), "5 hours ago"),
        (timedelta(hours=30), "yesterday"),
        (timedelta(days=40), "20 Jan 2026"),
    ],
)
def test_how_long_ago(passed: timedelta, words: str) -> None:
    now = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
    assert ago(now - passed, now) == words
