"""Names of configurations in a narrow column."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtGui import QFont, QFontMetrics
from pytestqt.qtbot import QtBot

from engine.records import ComparedChoice
from workbench.theme import Theme
from workbench.widgets.compare_chooser import DATA, NAME, CompareChooser
from workbench.widgets.name_delegate import shortened

LONG = "CoSeRec for the sample shop"


def test_the_title_is_cut_and_the_differences_are_not(qapp: object) -> None:
    metrics = QFontMetrics(QFont())
    names = [f"{LONG}, η 0.6, λ {weight}, epochs 3" for weight in (0.05, 0.2)]
    room = metrics.horizontalAdvance(names[0]) - 40
    cut = [shortened(name, metrics, room) for name in names]
    assert len(set(cut)) == 2
    assert all(text.startswith("CoSeRec") and "…, η 0.6, λ 0." in text and text.endswith("epochs 3") for text in cut)
    assert all(metrics.horizontalAdvance(text) <= room for text in cut)
    assert shortened(names[0], metrics, 10_000) == names[0]
    assert shortened(LONG, metrics, 30) == LONG  # Qt cuts it where it ends
    narrow = shortened(names[0], metrics, metrics.horizontalAdvance("η 0.6, λ 0.05"))
    assert narrow.startswith("…")
    assert narrow.endswith("epochs 3")


def test_where_the_differences_alone_have_no_room_the_recommender_stands_before_their_end(qapp: object) -> None:
    metrics = QFontMetrics(QFont())
    name = "CoSeRec, as the paper says: Beauty, next-item loss sampled_softmax"
    room = metrics.horizontalAdvance("CoSeRec …tem loss sampled_softmax")
    cut = shortened(name, metrics, room)
    assert cut.startswith("CoSeRec …")
    assert cut.endswith("loss sampled_softmax")
    assert metrics.horizontalAdvance(cut) <= room


def test_a_title_with_a_comma_keeps_its_model_and_its_differences(qapp: object) -> None:
    metrics = QFontMetrics(QFont())
    name = "SASRec, cross-entropy over all items, d 32, epochs 4"
    cut = shortened(name, metrics, metrics.horizontalAdvance(name) - 60)
    assert cut.startswith("SASRec, cross-")
    assert cut.endswith("…, d 32, epochs 4")


def test_the_data_set_has_a_column_only_where_there_are_two(qtbot: QtBot, theme: Theme) -> None:
    one = ComparedChoice("A", ("r1",), (1,), "shop", "f1", "{}", {"NDCG@20": 0.1}, {})
    chooser = CompareChooser(theme)
    qtbot.addWidget(chooser)
    chooser.model.set_choices([one, replace(one, run_ids=("r2",))])
    assert chooser.table.isColumnHidden(DATA)
    chooser.model.set_choices([one, replace(one, run_ids=("r2",), dataset="Beauty", fingerprint="f2")])
    assert not chooser.table.isColumnHidden(DATA)
    assert not chooser.table.isColumnHidden(NAME)
