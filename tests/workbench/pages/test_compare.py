"""The Compare page on a real store with made-up ranks: ticking, refusing, tabs, the paper, files, the keyboard."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyqtgraph as pg
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QScrollArea
from pytestqt.qtbot import QtBot

from engine.api import Workspace
from engine.errors import DataError, UsageError
from tests.helpers.finished_runs import finish
from workbench.context import Context, make_context
from workbench.engine_process import Errands
from workbench.item_models.compare_choices import ChoicesModel
from workbench.pages.compare import TABS, ComparePage
from workbench.theme import Theme
from workbench.widgets.compare_parallel import ParallelTab
from workbench.widgets.compare_parts import (
    CurvesTab,
    OverviewTab,
    PaperTab,
    ScatterTab,
    SettingsTab,
    SlicesTab,
    TestsTab,
)

PATIENCE = 30_000


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """Oldest first: two groups of two seeds, and a run of another protocol."""
    made = Workspace(tmp_path_factory.mktemp("workspace"))
    finish(made, 0.8, (1, 2))
    finish(made, 1.0, (1, 2), {"loss.contrastive_weight": 0.0})
    finish(made, 1.0, (1,), {"evaluate.ties": "optimistic"})
    yield made
    made.runs.close()


@pytest.fixture
def context(theme: Theme, stored: Workspace) -> Iterator[Context]:
    made = make_context(stored, theme, engine=Errands())
    yield made
    made.close()


@pytest.fixture
def page(qtbot: QtBot, context: Context) -> ComparePage:
    made = ComparePage(context)
    qtbot.addWidget(made)
    made.resize(1300, 800)
    made.show()
    made.page_shown()
    qtbot.waitUntil(lambda: len(made.chooser.model.choices) == 3, timeout=PATIENCE)
    return made


@pytest.fixture
def compared(qtbot: QtBot, page: ComparePage) -> ComparePage:
    """The two groups of one protocol."""
    tick(page, 2, 1)
    qtbot.waitUntil(lambda: is_shown(page, 2), timeout=PATIENCE)
    return page


def tick(page: ComparePage, *rows: int) -> None:
    choices = page.chooser.model.choices
    page.chooser.model.tick_runs([])
    for row in rows:
        page.chooser.model.toggle(page.chooser.model.rows.index(choices[row]))


def is_shown(page: ComparePage, groups: int) -> bool:
    return page.found is not None and len(page.found.groups) == groups and page.stack.state == "content"


def open_tab(page: ComparePage, name: str) -> None:
    page.tabs.setCurrentIndex(TABS.index(name))


def test_two_protocols_are_refused_with_the_field(qtbot: QtBot, page: ComparePage) -> None:
    """At first the newest is ticked, with what was ranked alike; the others are there to be ticked by mistake."""
    assert len(page.chooser.model.ticked) == 1
    tick(page, 0, 1)
    qtbot.waitUntil(lambda: page.stack.state == "error", timeout=PATIENCE)
    assert "evaluate.ties" in page.stack.text
    assert not page.can_export()
    button = page.stack._message.button
    assert button.text() == "Untick what differs from CoSeRec for the sample shop, ties optimistic"
    button.click()
    qtbot.waitUntil(lambda: is_shown(page, 1), timeout=PATIENCE)
    assert page.chooser.model.ticked == [page.chooser.model.choices[0]]


def test_what_failed_can_be_asked_again(
    qtbot: QtBot, compared: ComparePage, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[Exception] = [DataError("the disk is gone.", "Plug it in.")]

    def slices(*arguments: object) -> object:
        if failures:
            raise failures[0]
        return whole(*arguments)  # type: ignore[arg-type]

    whole = context.workspace.comparisons.slices
    monkeypatch.setattr(context.workspace.comparisons, "slices", slices)
    tab = compared.parts["Where from"]
    assert isinstance(tab, SlicesTab)
    open_tab(compared, "Where from")
    stacks = tab.stacks.values()
    qtbot.waitUntil(lambda: {stack.state for stack in stacks} == {"error"}, timeout=PATIENCE)
    failures.clear()
    tab.stacks["length"]._message.button.click()
    qtbot.waitUntil(lambda: {stack.state for stack in stacks} == {"content"}, timeout=PATIENCE)
    failures.append(UsageError("no such thing.", ""))
    compared.metric_box.setCurrentIndex(1)
    compared.metric_box.activated.emit(1)
    qtbot.waitUntil(lambda: {stack.state for stack in stacks} == {"error"}, timeout=PATIENCE)
    assert tab.stacks["length"]._message.button.isHidden(), "what is wrong in itself is not offered again"
    failures.clear()
    open_tab(compared, "Tests")
    open_tab(compared, "Where from")
    qtbot.waitUntil(lambda: {stack.state for stack in stacks} == {"content"}, timeout=PATIENCE)


def test_ticks_compare_and_the_overview_shows_it(compared: ComparePage) -> None:
    overview = compared.parts["Overview"]
    assert isinstance(overview, OverviewTab)
    assert compared.found is not None
    means = [item.mean for n in range(2) if (item := compared.found.measure(n, "NDCG@20"))]
    assert overview.plot.drawn()[:, 0] == pytest.approx(means)
    assert "2 groups · 4 runs" in compared.heading.subtitle.text()
    table = overview.table.model
    assert table.rowCount() == 2
    best = str(table.index(int(np.argmax(means)), 2).data())
    assert best.endswith("▲")
    assert "±" in best
    assert overview.plot.reading_at(QPointF(-0.2, 0)).startswith("λ 0.1: ")
    compared.compare()
    assert compared.heading.subtitle.text() == "2 groups", "the rest was of the comparison before"


def test_the_controls_end_where_the_cards_do(compared: ComparePage) -> None:
    overview = compared.parts["Overview"]
    assert isinstance(overview, OverviewTab)
    ends = [item.mapTo(compared, QPoint(item.width(), 0)).x() for item in (compared.paper, overview.card)]
    assert ends[0] == ends[1]


def test_nothing_scrolls_in_a_window_of_900_pixels(qtbot: QtBot, compared: ComparePage) -> None:
    compared.resize(1340, 790)  # what menu, toolbar and status bar leave
    for name in ("Overview", "Where from"):
        open_tab(compared, name)
        tab = compared.parts[name]
        if isinstance(tab, SlicesTab):
            stacks = tab.stacks.values()
            qtbot.waitUntil(lambda: {stack.state for stack in stacks} == {"content"}, timeout=PATIENCE)  # noqa: B023
        area = compared.tabs.currentWidget()
        assert isinstance(area, QScrollArea)
        qtbot.waitUntil(lambda: area.widget().height() <= area.viewport().height(), timeout=PATIENCE)  # noqa: B023


def test_another_metric_needs_no_other_comparison(compared: ComparePage) -> None:
    before = compared.found
    compared.metric_box.setCurrentIndex(compared.metric_box.findData("HR@10"))
    compared.metric_box.activated.emit(compared.metric_box.currentIndex())
    overview = compared.parts["Overview"]
    assert isinstance(overview, OverviewTab)
    assert compared.found is before
    item = compared.found.measure(0, "HR@10") if compared.found else None
    assert item is not None
    assert overview.plot.drawn()[0, 0] == pytest.approx(item.mean)
    assert dict(overview.plot.columns())["mean"][0] == item.mean


def test_settings_show_what_differs_or_all(compared: ComparePage) -> None:
    tab = compared.parts["Settings"]
    open_tab(compared, "Settings")
    assert isinstance(tab, SettingsTab)
    assert [tab.table.model.index(0, n).data() for n in (0, 2, 3)] == ["loss.contrastive_weight", "0.1", "0"]
    assert tab.table.model.rowCount() == 1
    compared.toggle_differences()
    assert tab.isVisible()
    assert tab.table.model.rowCount() > 30
    assert "Ties" in [tab.protocol.model.index(row, 0).data() for row in range(tab.protocol.model.rowCount())]


def test_from_another_tab_differences_are_shown_first(compared: ComparePage) -> None:
    tab = compared.parts["Settings"]
    assert isinstance(tab, SettingsTab)
    open_tab(compared, "Overview")
    compared.toggle_differences()
    assert compared.tabs.tabText(compared.tabs.currentIndex()) == "Settings"
    assert tab.only.isChecked()
    compared.toggle_differences()
    assert not tab.only.isChecked()


def test_the_baseline_turns_the_tests_round(qtbot: QtBot, compared: ComparePage) -> None:
    tab = compared.parts["Tests"]
    open_tab(compared, "Tests")
    assert isinstance(tab, TestsTab)
    assert tab.table.model.rowCount() == 7
    first = str(tab.table.model.index(0, 3).data())
    compared.baseline.setCurrentIndex(1)
    compared.baseline.activated.emit(1)
    qtbot.waitUntil(lambda: str(tab.table.model.index(0, 3).data()) != first, timeout=PATIENCE)
    turned = str(tab.table.model.index(0, 3).data())
    assert {first[0], turned[0]} == {"+", "−"}
    assert first[1:] == turned[1:]
    assert "Holm-adjusted over 7 tests" in tab.table.words.text()


def test_where_a_gain_comes_from(qtbot: QtBot, compared: ComparePage) -> None:
    open_tab(compared, "Where from")
    tab = compared.parts["Where from"]
    assert isinstance(tab, SlicesTab)
    qtbot.waitUntil(lambda: set(tab.tables) == {"length", "popularity"}, timeout=PATIENCE)
    table = tab.tables["length"]
    assert tab.cards["length"].plot.drawn() == pytest.approx(table.means)
    assert sum(dict(tab.cards["length"].plot.columns())["users"]) == 2 * 2048
    assert "the largest part" in tab.cards["length"].words.text()
    first, second = (group.label for group in compared.found.groups)  # type: ignore[union-attr]
    name = f"part of the difference from {first}"
    shares = dict(tab.cards["length"].plot.columns())[name]
    assert shares == pytest.approx(table.shares.reshape(-1).tolist())
    assert sum(shares) == pytest.approx(float((table.means[1] - table.means[0]) @ table.users) / 2048)
    compared.baseline.setCurrentIndex(1)
    compared.baseline.activated.emit(1)
    qtbot.waitUntil(lambda: tab.tables["length"].baseline == 1, timeout=PATIENCE)
    assert tab.cards["length"].words.text().startswith(f"{first} − {second}: ")


def test_a_run_without_ranks_is_named_once_and_everywhere(qtbot: QtBot, theme: Theme, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    (bare,) = finish(workspace, 0.8, has_ranks=False)
    finish(workspace, 1.0, values={"loss.contrastive_weight": 0.0})
    context = make_context(workspace, theme, engine=Errands())
    page = ComparePage(context)
    qtbot.addWidget(page)
    page.show()
    page.page_shown()
    qtbot.waitUntil(lambda: is_shown(page, 2), timeout=PATIENCE)
    overview, tests, slices = (page.parts[name] for name in ("Overview", "Tests", "Where from"))
    assert isinstance(overview, OverviewTab)
    assert isinstance(tests, TestsTab)
    assert isinstance(slices, SlicesTab)
    assert overview.card.subtitle.text() == "NDCG@20, test"
    why = f"No intervals and no tests: run {bare.id} kept no ranks of the users."
    open_tab(page, "Tests")
    assert tests.table.words.text() == why
    open_tab(page, "Where from")
    assert slices.stacks["length"]._message.hint.text() == why
    assert slices.stacks["popularity"].isHidden()
    context.close()
    workspace.runs.close()


def test_curves_by_epoch_and_by_time(qtbot: QtBot, compared: ComparePage) -> None:
    open_tab(compared, "Curves")
    tab = compared.parts["Curves"]
    assert isinstance(tab, CurvesTab)
    qtbot.waitUntil(lambda: len(tab.plot.curves) == 2, timeout=PATIENCE)
    assert tab.plot.curves[0].x.tolist() == [1, 2, 3]
    assert tab.plot.reading_at(QPointF(2, 0)).startswith("epoch 2 · λ 0.1: ")
    tab.along.setCurrentIndex(1)
    tab.along.activated.emit(1)
    qtbot.waitUntil(lambda: tab.plot.is_time, timeout=PATIENCE)
    assert tab.plot.curves[0].x.tolist() == [2.5, 5.0, 7.5]
    assert "min" in tab.plot.reading_at(QPointF(0.1, 0))


def test_scatter_over_the_differing_setting(qtbot: QtBot, compared: ComparePage) -> None:
    open_tab(compared, "Scatter")
    tab = compared.parts["Scatter"]
    assert isinstance(tab, ScatterTab)
    qtbot.waitUntil(lambda: len(tab.plot.points) == 4, timeout=PATIENCE)
    assert tab.field.currentData() == "loss.contrastive_weight"
    columns = dict(tab.plot.columns())
    assert compared.found is not None
    assert list(columns) == ["run", "group", "loss.contrastive_weight", "test NDCG@20"]
    assert columns["group"] == [compared.found.groups[n].label for n in (0, 0, 1, 1)]
    dots = [item for item in tab.plot._items if isinstance(item, pg.ScatterPlotItem)]
    assert len({item.opts["symbol"] for item in dots}) == len({str(item.opts["brush"].color()) for item in dots}) == 2
    assert tab.plot.legend is not None
    assert tab.plot.legend.names == tab.labels
    assert tab.plot.points[0].run_id in tab.plot.reading_at(QPointF(0.1, tab.plot.points[0].y))


def test_parallel_axes_of_what_differs_and_a_filter_by_keyboard(qtbot: QtBot, compared: ComparePage) -> None:
    open_tab(compared, "Parallel")
    tab = compared.parts["Parallel"]
    assert isinstance(tab, ParallelTab)
    qtbot.waitUntil(lambda: tab.runs is not None and len(tab.runs.runs) == 4, timeout=PATIENCE)
    assert [axis.name for axis in tab.plot.axes] == ["loss.contrastive_weight", "train.seed", "test NDCG@20"]
    assert compared.found is not None
    best = tab.plot.found.runs[tab.plot.best or 0] if tab.plot.found else None
    assert best is not None
    group = next(group for group in compared.found.groups if best.run_id in group.run_ids)
    seed = group.seeds[group.run_ids.index(best.run_id)]
    assert tab.card.words.text().startswith(f"4 of 4 runs kept; the best: {group.label} · seed {seed}, {best.run_id}")
    tab.field.setText("contrastive_weight>0")
    assert tab.card.words.text().startswith("2 of 4 runs kept")
    tab.field.setText("contrastive_weight>0 ndcg@20>9")
    assert tab.card.words.text() == "0 of 4 runs kept."
    tab.field.setText("wight>0")
    assert "no column 'wight'" in tab.problem.text()
    tab.clear.click()
    assert tab.problem.isHidden()
    assert tab.plot.kept().all()
    tab.menu.actions()[0].toggle()
    assert [axis.name for axis in tab.plot.axes] == ["train.seed", "test NDCG@20"]


def test_the_paper_is_shown_laid_over_and_checked(qtbot: QtBot, compared: ComparePage, context: Context) -> None:
    tab = compared.parts["Paper"]
    assert isinstance(tab, PaperTab)
    open_tab(compared, "Paper")
    qtbot.waitUntil(lambda: tab.table.model.rowCount() == 43, timeout=PATIENCE)
    open_tab(compared, "Overview")
    assert not compared.paper.isEnabled()
    compared._set_paper(context.workspace.comparisons.paper("Beauty"))
    compared.paper.setCurrentIndex(compared.paper.findData("CoSeRec"))
    compared.paper.activated.emit(0)
    overview = compared.parts["Overview"]
    assert isinstance(overview, OverviewTab)
    assert overview.plot.shown.lines == (("CoSeRec, paper", 0.0503),)
    assert overview.table.model.index(2, 0).data() == "CoSeRec (paper)"
    assert "2,048 users here and 22,363 in the paper" in overview.notes.text()
    scatter = compared.parts["Scatter"]
    assert isinstance(scatter, ScatterTab)
    open_tab(compared, "Scatter")
    assert scatter.plot.lines == overview.plot.shown.lines
    open_tab(compared, "Overview")
    compared.split_box.setCurrentIndex(compared.split_box.findData("valid"))
    compared.compare()
    qtbot.waitUntil(lambda: is_shown(compared, 2) and not compared.paper.isEnabled(), timeout=PATIENCE)
    assert overview.plot.shown.lines == ()
    open_tab(compared, "Scatter")
    assert scatter.plot.lines == ()
    assert overview.table.model.rowCount() == 2
    assert "validation" in compared.paper.toolTip()
    for text, answer in (
        ("HR@5=.0242 NDCG@5=.0388", "allows at most"),
        ("HR@5=.0537 NDCG@5=.0361", "can belong together"),
        ("HR@5", "is not METRIC=VALUE"),
        ("", "Write HR@k"),
    ):
        tab.field.setText(text)
        tab.check()
        qtbot.waitUntil(lambda: answer in tab.answer.text(), timeout=PATIENCE)  # noqa: B023


def test_latex_goes_to_the_clipboard(qtbot: QtBot, compared: ComparePage) -> None:
    QGuiApplication.clipboard().clear()
    compared.copy_latex()
    qtbot.waitUntil(lambda: r"\toprule" in QGuiApplication.clipboard().text(), timeout=PATIENCE)


def test_exports(qtbot: QtBot, compared: ComparePage, tmp_path: Path) -> None:
    for name in ("t.tex", "t.csv", "all.json", "bars.svg"):
        compared.export_to(str(tmp_path / name))
    qtbot.waitUntil(lambda: len([p for p in tmp_path.iterdir() if p.name[0] != "."]) == 4, timeout=PATIENCE)
    assert len(json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))["groups"]) == 2
    open_tab(compared, "Where from")
    told: list[str] = []
    compared.context.notifier.added.connect(lambda item: told.append(item.text))
    compared.export_to(str(tmp_path / "f.pdf"))
    both = f"Wrote {tmp_path / 'f-length.pdf'} and {tmp_path / 'f-popularity.pdf'}."
    qtbot.waitUntil(lambda: both in told, timeout=PATIENCE)


def test_a_file_of_no_kind_is_refused_with_every_kind(compared: ComparePage, tmp_path: Path) -> None:
    told: list[str] = []
    compared.context.notifier.added.connect(lambda item: told.append(f"{item.text} {item.hint}"))
    compared.export_to(str(tmp_path / "all.xyz"))
    assert told == ["A comparison cannot be a '.xyz' file. Name one of .pdf, .svg, .png, .tex, .csv, .parquet, .json."]


def test_nothing_ticked_and_nothing_found(qtbot: QtBot, compared: ComparePage) -> None:
    compared.chooser.table.selectRow(2)
    compared.chooser.field.setText("no such group")
    assert compared.chooser.stack.text == "No groups match"
    compared.chooser.field.clear()
    assert compared.chooser.table.selectionModel().isRowSelected(2)  # what a filter hides it gives back
    compared.chooser.clear_button.click()
    qtbot.waitUntil(lambda: compared.stack.text == "Nothing is ticked", timeout=PATIENCE)
    assert not compared.can_export()


def test_a_comparison_that_arrives_late_is_not_shown(
    qtbot: QtBot, compared: ComparePage, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    comparisons = context.workspace.comparisons
    whole = comparisons.compare
    done: list[bool] = []
    heard: list[object] = []

    def compare(*arguments: object, **keywords: object) -> object:
        try:
            return whole(*arguments, **keywords)  # type: ignore[arg-type]
        finally:
            done.append(True)

    monkeypatch.setattr(comparisons, "compare", compare)
    compared.compare()
    compared.chooser.model.clear_ticks()
    compared.compare()
    qtbot.waitUntil(lambda: bool(done), timeout=PATIENCE)
    context.run_in_engine(comparisons.choices, on_result=heard.append)  # answers come in their order
    qtbot.waitUntil(lambda: bool(heard), timeout=PATIENCE)
    assert compared.stack.text == "Nothing is ticked"
    assert not compared.can_export()


def test_space_ticks_and_unticks(qtbot: QtBot, compared: ComparePage) -> None:
    table = compared.chooser.table
    table.selectRow(1)
    QTest.keyClick(table, Qt.Key.Key_Space)
    assert len(compared.chooser.model.ticked) == 1
    QTest.keyClick(table, Qt.Key.Key_Return)
    assert len(compared.chooser.model.ticked) == 2


def test_the_selected_row_stays_and_comes_with_the_keyboard(page: ComparePage) -> None:
    table, model = page.chooser.table, page.chooser.model
    page.chooser.field.setFocus()
    assert not table.selectionModel().hasSelection()
    table.setFocus(Qt.FocusReason.TabFocusReason)
    assert table.currentIndex().row() == 0
    assert table.selectionModel().hasSelection()
    table.selectRow(2)
    model.set_choices(model.choices[1:])  # the first one has been thrown away
    assert [index.row() for index in table.selectionModel().selectedRows()] == [1]


@pytest.mark.parametrize(("key", "is_taken"), [(Qt.Key.Key_E, False), (Qt.Key.Key_D, False), (Qt.Key.Key_A, True)])
def test_keys_of_the_page_work_in_its_filter(page: ComparePage, key: Qt.Key, is_taken: bool) -> None:
    event = QKeyEvent(QEvent.Type.ShortcutOverride, key, Qt.KeyboardModifier.ControlModifier)
    event.ignore()
    page.chooser.field.event(event)
    assert event.isAccepted() is is_taken


def test_an_empty_workspace_and_a_failing_store(qtbot: QtBot, theme: Theme, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "empty")
    context = make_context(workspace, theme, engine=Errands())
    page = ComparePage(context)
    qtbot.addWidget(page)
    page.page_shown()
    qtbot.waitUntil(lambda: page.whole.state == "empty", timeout=PATIENCE)
    with qtbot.waitSignal(context.session.page_requested) as asked:
        page.whole._message.button.click()
    assert asked.args[0] == "train"
    page._not_listed(DataError("the disk is gone.", "Plug it in."))
    assert (page.whole.state, page.whole.text) == ("error", "the disk is gone.")
    context.close()
    workspace.runs.close()


def test_another_page_names_the_runs(qtbot: QtBot, page: ComparePage) -> None:
    run = page.chooser.model.choices[1].run_ids[0]
    page.open_state(runs=[run], unknown=1)
    qtbot.waitUntil(lambda: is_shown(page, 1), timeout=PATIENCE)
    assert page.ids == (page.chooser.model.choices[1].run_ids,)


def test_the_view_comes_back(qtbot: QtBot, compared: ComparePage, context: Context) -> None:
    open_tab(compared, "Tests")
    state = json.loads(json.dumps(compared.save_state()))
    other = ComparePage(context)
    qtbot.addWidget(other)
    other.restore_state(state)
    other.page_shown()
    qtbot.waitUntil(lambda: other.ids == compared.ids, timeout=PATIENCE)
    assert other.tabs.tabText(other.tabs.currentIndex()) == "Tests"
    other.restore_state({"ticked": 3, "split": ["a"], "tab": "no", "metric": None})


def test_a_group_that_gets_a_seed_stays_ticked(stored: Workspace) -> None:
    model = ChoicesModel()
    choices = stored.comparisons.choices()
    model.set_choices(choices)
    model.toggle(0)
    from dataclasses import replace

    grown = replace(choices[0], run_ids=(*choices[0].run_ids, "new"), seeds=(1, 2))
    model.set_choices((grown, *choices[1:]))
    assert model.ticked == [grown]
