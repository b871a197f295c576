"""Augment: samples, all users, pairs under an encoder, a run's own views, what differs from the paper."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from engine.errors import UsageError
from engine.records import RunRecord, RunStatus
from tests.helpers.fake_engine import FakeAugmentations
from tests.helpers.fake_runs import make_record
from workbench.context import Context
from workbench.live_feed import LiveBatch
from workbench.pages.augment import PAGE, AugmentPage


@pytest.fixture
def page(qtbot: QtBot, shop: Context) -> AugmentPage:
    made = PAGE.build(shop)
    assert isinstance(made, AugmentPage)
    qtbot.addWidget(made)
    made.resize(1300, 800)
    made.show()
    made.page_shown()
    qtbot.waitUntil(lambda: made.preview is not None)
    return made


@pytest.fixture
def facade(shop: Context) -> FakeAugmentations:
    return shop.workspace.augmentations  # type: ignore[return-value]


def stored(shop: Context, *records: RunRecord) -> None:
    """Runs that the store has, and has told the window."""
    for record in records:
        shop.workspace.runs.put(record)  # type: ignore[attr-defined]
    shop.runs.take(LiveBatch(records, {}, frozenset()))


def trained(shop: Context) -> RunRecord:
    """A run of the open data set with a best epoch."""
    record = make_record("r0007", best_epoch=3, fingerprint="f00d")
    stored(shop, record)
    return record


def test_twenty_samples_and_one_of_them_large(qtbot: QtBot, page: AugmentPage) -> None:
    page.tabs.setCurrentWidget(page.samples)
    qtbot.waitUntil(lambda: page.strips.rows.rowCount() == 20)
    page.strips.setFocus()
    qtbot.keyClick(page.strips, Qt.Key.Key_Down)
    told = page.strips.rows.index(1, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert told.startswith("Sample 2: ")
    table = dict(page.strips.columns())
    assert table["Sample"] == list(range(1, 21))
    kinds = ("Kept", "Masked", "Substituted", "Inserted", "Reordered")
    assert [sum(table[kind][n] for kind in kinds) for n in range(20)] == table["Items after"]
    assert told.startswith(f"Sample 2: {table['Operator'][1]}, {table['Items before'][1]} → ")
    assert told.endswith(str(table["Tokens"][1]))
    page.strips.activated.emit(page.strips.currentIndex())
    assert page.preview is not None
    assert len(page.preview.views) == 1
    assert page.preview.views[0].operator in told
    assert page.tabs.currentIndex() == 0


def test_an_epoch_shows_a_runs_own_views(qtbot: QtBot, page: AugmentPage, facade: FakeAugmentations) -> None:
    page.seed.setValue(9)
    page.epoch.setValue(3)
    qtbot.waitUntil(lambda: facade.epochs == [2])
    assert facade.configs[-1].train.seed == 9
    qtbot.waitUntil(lambda: "epoch 3 of a run with seed 9" in page.why.full)


def test_all_users_are_counted_part_by_part(qtbot: QtBot, page: AugmentPage, facade: FakeAugmentations) -> None:
    panel = page.effect_tab.widget
    page.tabs.setCurrentWidget(page.effect_tab)
    assert panel.stack.state == "empty"
    assert not panel.as_table.isEnabled()  # it opened a window of 0 rows
    with qtbot.waitSignal(panel.parts.finished):
        panel.button.click()
    assert [first for _, _, first in facade.parts] == [0, 16384, 32768]
    assert panel.found["memory"].users.sum() == 30
    assert panel.shift.groups["short"].sum() == 30
    assert panel.kept.columns()[0][0] == "share of the items kept, %"
    assert "30 users" in panel.words.text()
    assert panel.as_table.isEnabled()
    page.controls.k.setValue(page.controls.k.value() + 1)
    assert not panel.found
    assert panel.stack.state == "empty"


def test_cancel_ends_the_count(qtbot: QtBot, page: AugmentPage, facade: FakeAugmentations) -> None:
    panel = page.effect_tab.widget
    panel.parts.part_done.connect(lambda part, _: panel.parts.cancel() if part == 0 else None)
    page.tabs.setCurrentWidget(page.effect_tab)
    panel.button.click()
    qtbot.waitUntil(lambda: len(facade.parts) >= 1 and panel.button.isEnabled())
    assert not panel.parts.is_running
    assert len(facade.parts) == 1
    assert not panel.found  # a part of the users is not all users
    assert panel.stack.state == "empty"


def test_a_failed_count_says_so(qtbot: QtBot, page: AugmentPage, facade: FakeAugmentations) -> None:
    facade.fails = UsageError("The weights are gone.", "Train again.")
    page.tabs.setCurrentWidget(page.effect_tab)
    page.effect_tab.widget.button.click()
    qtbot.waitUntil(lambda: page.effect_tab.widget.stack.state == "error")
    assert page.effect_tab.widget.stack.text == "The weights are gone."
    assert page.effect_tab.widget.button.isEnabled()


def test_other_sources_need_a_run(qtbot: QtBot, page: AugmentPage, shop: Context, facade: FakeAugmentations) -> None:
    panel = page.effect_tab.widget
    page.tabs.setCurrentWidget(page.effect_tab)
    panel.source.setCurrentIndex(panel.source.findData("hybrid"))
    assert not panel.button.isEnabled()
    assert "needs a trained run" in panel.stack.text
    record = trained(shop)
    qtbot.waitUntil(panel.button.isEnabled)
    with qtbot.waitSignal(panel.parts.finished):
        panel.button.click()
    assert facade.parts[0] == ("hybrid", record.id, 0)
    assert "25" in panel.words.text()
    table = dict(panel.comparison())
    assert table["Other than memory-based"] == [15]
    told = [table[name] for name in ("model", "model_epoch", "model_is_best", "model_run_status")]
    assert told == [[record.id], [4], ["yes"], ["running"]]
    assert "run r0007, epoch 4, the best until now (running)" in panel.words.text()


def test_pairs_under_an_encoder(qtbot: QtBot, page: AugmentPage, shop: Context) -> None:
    panel = page.pairs_tab.widget
    page.tabs.setCurrentWidget(page.pairs_tab)
    assert "needs a trained run" in panel.stack.text
    trained(shop)
    qtbot.waitUntil(panel.button.isEnabled)
    with qtbot.waitSignal(panel.parts.finished):
        panel.button.click()
    assert panel.found is not None
    assert len(panel.found.positives) == 8
    assert "75" in panel.words.text()  # 6 of 8 ranks are 1
    assert "(last position)." in panel.words.text()
    assert panel.plot.legend.names == ("same user", "other users")
    assert panel.by_pair.legend.names == ("ranked first",)
    assert panel.by_pair.getViewBox().viewRange()[1][1] < 110
    assert panel.plot.groups["same user"].sum() == pytest.approx(100)
    table = dict(panel.operator_columns())
    assert sum(table["Users"]) == 8
    assert set(table["model_epoch"]) == {4}


def test_what_differs_from_the_published_code_is_named(page: AugmentPage) -> None:
    box = page.controls.reading_box
    box.setCurrentIndex(box.findData("paper"))
    assert "To the published code: " in page.reading.full
    assert "Counts: ceiling → floor; Masked item: the mask token → the padding id; " in page.reading.full
    assert "_" not in page.reading.full  # the form's words, no field's name
    box.setCurrentIndex(box.findData("published"))
    assert "To the published code: " not in page.reading.full
    assert "Counts: floor → ceiling; " in page.reading.full


def test_news_of_a_run_that_trains_leaves_the_choice_alone(qtbot: QtBot, shop: Context) -> None:
    from workbench.widgets.run_choice import RunChoice

    choice = RunChoice(shop)
    qtbot.addWidget(choice)
    assert choice.currentText() == "Looking for trained runs …"
    choice.show()
    qtbot.waitUntil(lambda: choice.currentText() == "No trained run of this data set")
    running = make_record("r0003", status=RunStatus.RUNNING, best_epoch=0, fingerprint="f00d")
    stored(shop, running)
    qtbot.waitUntil(lambda: choice.run == "r0003")
    changed: list[int] = []
    choice.run_changed.connect(lambda: changed.append(1))
    choice.currentIndexChanged.connect(changed.append)
    asked = sum(call[0] == "with_weights" for call in shop.workspace.runs.calls)  # type: ignore[attr-defined]
    for epoch in (1, 2):
        stored(shop, replace(running, best_epoch=epoch))
    assert choice.currentText().endswith("running, best until now: epoch 3")
    assert changed == []
    assert sum(call[0] == "with_weights" for call in shop.workspace.runs.calls) == asked  # type: ignore[attr-defined]


def test_runs_of_a_copy_of_the_file_are_offered_and_those_of_a_changed_file_are_not(
    qtbot: QtBot, page: AugmentPage, shop: Context
) -> None:
    here = shop.session.config.model_dump(mode="json")
    there = shop.session.config.replace({"data.path": "/elsewhere/copy.txt"}).model_dump(mode="json")
    copied = make_record("copied", best_epoch=3, config=there, fingerprint="f00d")
    changed = make_record("changed", best_epoch=3, config=here, fingerprint="older")
    stored(shop, copied, changed)
    page.tabs.setCurrentWidget(page.pairs_tab)
    choice = page.pairs_tab.widget.run
    qtbot.waitUntil(lambda: choice.run == "copied")
    assert choice.count() == 1


def test_augment_and_neighbours_offer_the_same_runs(qtbot: QtBot, page: AugmentPage, shop: Context) -> None:
    """Neighbours went by the data, Augment by the path and validated runs alone."""
    from workbench.pages import neighbours

    other = neighbours.PAGE.build(shop)
    qtbot.addWidget(other)
    stored(
        shop,
        make_record("r1", status=RunStatus.STOPPED, best_epoch=1, fingerprint="f00d"),
        make_record("r2", status=RunStatus.RUNNING, best_epoch=None, fingerprint="f00d"),
        make_record("r3", status=RunStatus.FINISHED, best_epoch=4, fingerprint="f00d"),
        make_record("r4", status=RunStatus.FINISHED, best_epoch=4, fingerprint="other"),
        make_record("r5", status=RunStatus.RUNNING, best_epoch=4, fingerprint="f00d"),
    )
    page.tabs.setCurrentWidget(page.pairs_tab)
    other.show()
    other.page_shown()
    ours, theirs = page.pairs_tab.widget.run, other.runs  # type: ignore[attr-defined]
    qtbot.waitUntil(lambda: bool(ours.offered) and bool(theirs.offered))
    texts = [ours.itemText(place) for place in range(ours.count())]
    assert texts[0].endswith(" · r5 · running, best until now: epoch 5")
    assert texts[1].endswith(" · r3")
    assert [theirs.itemText(place) for place in range(theirs.count())] == ["No model", *texts]
    assert texts[2].endswith("r1 · stopped, best until now: epoch 2")
    assert ours.run == theirs.run == "r3"  # the newest that is finished
    assert theirs.toolTip().startswith(texts[1])
