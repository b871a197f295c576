"""Recommendations in the window: lists beside each other, marks in words, the search, attention, every state, keys."""

from __future__ import annotations

import csv
import shlex
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from engine.errors import RunError
from tests.helpers.fake_engine import FakeDatasets
from tests.helpers.fake_recommendations import NO_ATTENTION, NOT_SEARCHED, USERS, FakeRecommending
from tests.helpers.fake_runs import FakeRuns, fake_workspace, make_record
from workbench.context import Context, make_context
from workbench.engine_process import Errands
from workbench.item_models.recommended import listed
from workbench.item_models.rows import SHARE
from workbench.theme import Theme
from workbench.widgets.recommendations import Choice, RecommendationsView
from workbench.widgets.recommended_list import SCORE, TITLE, ListCard
from workbench.widgets.run_recommendations import told_apart

CHOICES = [Choice("r1", "SASRec · seed 1"), Choice("r2", "CoSeRec · seed 1"), Choice(NO_ATTENTION, "PopRec")]


@pytest.fixture
def fake() -> FakeRecommending:
    return FakeRecommending()


@pytest.fixture
def context(theme: Theme, runs: FakeRuns, fake: FakeRecommending, tmp_path: Path) -> Iterator[Context]:
    workspace = fake_workspace(tmp_path, runs)
    workspace.recommendations = fake  # type: ignore[assignment]
    made = make_context(workspace, theme, engine=Errands())
    yield made
    made.close()


@pytest.fixture
def view(qtbot: QtBot, context: Context) -> RecommendationsView:
    made = RecommendationsView(context)
    qtbot.addWidget(made)
    made.resize(1200, 700)
    made.show()
    return made


@pytest.fixture
def full(qtbot: QtBot, view: RecommendationsView) -> RecommendationsView:
    """Three runs, and the first user of the search."""
    view.set_choices(CHOICES, [choice.run for choice in CHOICES])
    qtbot.waitUntil(lambda: shows(view, "1"))
    return view


def shows(view: RecommendationsView, user: str) -> bool:
    return view.found is not None and view.found.user == user and view.stack.state == "content"


def texts(card: ListCard, column: int) -> list[str]:
    return [card.model.index(row, column).data() for row in range(card.model.rowCount())]


def test_without_a_run_it_says_what_to_do(view: RecommendationsView) -> None:
    assert (view.whole.state, view.whole.text) == ("empty", "No run is selected")


def test_the_first_user_of_the_search_is_shown_under_every_run(full: RecommendationsView) -> None:
    cards = full.lists.cards
    assert [card.name.full for card in cards] == ["A · SASRec · seed 1", "B · CoSeRec · seed 1", "C · PopRec"]
    assert [card.facts.text() for card in cards] == [
        "★ Target's rank 4 of 500",
        "★ Target's rank 250.5 of 500",
        "★ Target's rank never of 500",
    ]
    assert cards[0].details.text() == "best epoch 7 · sees the last 5 items · seen items left out"
    assert cards[2].details.text() == "sees no history · seen items left out"
    assert cards[2].notes.text() == "A certain miss."
    assert not cards[0].notes.isVisible()
    assert all(card.isVisible() for card in cards)


def test_the_target_and_shared_items_are_marked_in_words_and_symbols(full: RecommendationsView) -> None:
    card = full.lists.cards[0]
    assert texts(card, TITLE)[3] == "★ Target: Title 3"
    assert card.view.currentIndex().row() == 3
    assert full.found is not None
    for row, item in enumerate(full.found.runs[0].items):
        text = texts(card, TITLE)[row]
        assert text.startswith("● ") == (item.lists > 1 and not item.is_target)
        tip = card.model.index(row, TITLE).data(Qt.ItemDataRole.ToolTipRole)
        assert (f"in {item.lists} of the lists" in tip) == (item.lists > 1)
        assert ("the target" in tip) == item.is_target
    assert full.lists.history.facts.text() == "★ Test target: Title 3"
    assert texts(full.lists.history, TITLE) == ["Title 6", "Title 5", "Title 4", "★ Title 3", "Title 2"]


def test_scores_have_bars_from_the_first_to_the_last(full: RecommendationsView) -> None:
    card = full.lists.cards[1]
    shares = [card.model.index(row, SCORE).data(SHARE) for row in range(card.model.rowCount())]
    assert shares[0] == 1.0
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] > 0
    assert full.found is not None
    assert texts(card, SCORE)[0] == "9.500"
    assert [row.share for row in listed(full.found.runs[1])] == shares


def test_previous_and_next_go_through_the_search(qtbot: QtBot, full: RecommendationsView) -> None:
    QTest.keyClick(full.field, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: shows(full, "2"))
    assert full.field.text() == "2"
    assert full.finder.view.currentIndex().row() == 1
    full.before.click()
    qtbot.waitUntil(lambda: shows(full, "1"))
    full.before.click()
    qtbot.waitUntil(lambda: shows(full, str(USERS)))


def test_a_user_is_found_by_id_and_an_unknown_one_is_an_error_with_its_sentence(
    qtbot: QtBot, full: RecommendationsView
) -> None:
    full.field.setText(" 17 ")
    QTest.keyClick(full.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: shows(full, "17"))
    full.field.setText("nobody")
    QTest.keyClick(full.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: full.stack.state == "error")
    assert full.stack.text == "There is no user 'nobody' in Fake shop."
    assert not full.export_button.isEnabled()
    full.show_user("3")
    qtbot.waitUntil(lambda: shows(full, "3"))
    assert full.export_button.isEnabled()


def test_ids_are_proposed_while_one_is_typed(
    qtbot: QtBot, full: RecommendationsView, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = make_record("r1", config={"data": {"path": "sample"}})
    monkeypatch.setattr(context.runs, "get", lambda _run: record)
    monkeypatch.setattr(context.workspace, "datasets", FakeDatasets())
    full.field.setFocus()
    full.field.selectAll()
    QTest.keyClicks(full.field, "1")
    model = full.completer.model()
    qtbot.waitUntil(lambda: model.rowCount() > 0)
    assert [model.index(row, 0).data() for row in range(model.rowCount())] == ["1", "10", "11", "12"]
    full.completer.popup().hide()


def test_every_outcome_can_be_chosen(qtbot: QtBot, full: RecommendationsView, fake: FakeRecommending) -> None:
    finder = full.finder
    qtbot.waitUntil(lambda: finder.outcome.count() == 3)
    for place, answers in ((1, ["right"] * 3), (2, ["wrong"] * 3), (0, [""] * 3)):
        finder.outcome.setCurrentIndex(place)
        finder.outcome.activated.emit(place)
        assert [box.currentData() for box in finder.answers] == answers
        wanted = [letter for letter, answer in zip("ABC", answers, strict=True) if answer == "wrong"]
        qtbot.waitUntil(lambda wanted=wanted: fake.searched[-1]["wrong"] == wanted)  # type: ignore[misc]
        qtbot.waitUntil(lambda place=place: finder.outcome.currentIndex() == place)  # type: ignore[misc]


def test_a_right_b_wrong(qtbot: QtBot, full: RecommendationsView, fake: FakeRecommending) -> None:
    full.run_boxes[2].setCurrentIndex(0)
    full.run_boxes[2].activated.emit(0)
    finder = full.finder
    qtbot.waitUntil(lambda: finder.found is not None and len(finder.found.runs) == 2)
    words = [finder.outcome.itemText(n) for n in range(finder.outcome.count())]
    assert words == [
        "Any user · 30",
        "Both right · 0",
        "A right, B wrong · 10",
        "A wrong, B right · 10",
        "Both wrong · 10",
    ]
    finder.outcome.setCurrentIndex(2)
    finder.outcome.activated.emit(2)
    qtbot.waitUntil(lambda: finder.found is not None and finder.found.count == 10)
    assert [box.currentData() for box in finder.answers[:2]] == ["right", "wrong"]
    assert not finder.answers[2].isVisible()
    assert finder.told.text() == "10 users of 30"
    assert texts_of(finder) == [str(n) for n in range(1, 11)]
    assert [finder.model.columns[n].title for n in range(5)] == ["User", "Input", "Rank A", "Rank B", "B − A"]
    finder.answers[1].setCurrentIndex(0)
    finder.answers[1].activated.emit(0)
    qtbot.waitUntil(lambda: fake.searched[-1]["wrong"] == [])
    assert finder.outcome.currentIndex() == 0
    finder.k.setValue(5)
    qtbot.waitUntil(lambda: finder.found is not None and finder.found.k == 5)
    assert finder.found is not None
    assert finder.found.count == 5


def texts_of(finder: object) -> list[str]:
    model = finder.model  # type: ignore[attr-defined]
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def test_lengths_and_order_are_asked_for(qtbot: QtBot, full: RecommendationsView, fake: FakeRecommending) -> None:
    finder = full.finder
    finder.shortest.setValue(4)
    finder.longest.setValue(9)
    qtbot.waitUntil(lambda: finder.found is not None and finder.found.in_range == 6)
    finder.order.setCurrentIndex(1)
    finder.order.activated.emit(1)
    qtbot.waitUntil(lambda: texts_of(finder) == ["9", "8", "7", "6", "5", "4"])
    assert (fake.searched[-1]["order"], fake.searched[-1]["is_reversed"]) == ("difference", True)
    finder.longest.setValue(3)
    qtbot.waitUntil(lambda: finder.stack.state == "empty")
    assert finder.stack.text == "No user has this length"


def test_a_search_that_finds_nobody_says_so(qtbot: QtBot, full: RecommendationsView) -> None:
    finder = full.finder
    for box in finder.answers[:2]:
        box.setCurrentIndex(box.findData("right"))
    finder.answers[1].activated.emit(1)
    qtbot.waitUntil(lambda: finder.stack.state == "empty")
    assert finder.stack.text == "No user matches"
    full.after.click()  # the file's order, where the search has nobody
    qtbot.waitUntil(lambda: shows(full, "2"))


def test_a_found_user_is_picked_with_return(qtbot: QtBot, full: RecommendationsView) -> None:
    view = full.finder.view
    view.setCurrentIndex(full.finder.model.index(6, 0))
    QTest.keyClick(view, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: shows(full, "7"))


def test_runs_that_cannot_be_searched_still_recommend(qtbot: QtBot, view: RecommendationsView) -> None:
    view.set_choices([Choice(NOT_SEARCHED, "bare")], [NOT_SEARCHED])
    qtbot.waitUntil(lambda: shows(view, "1"))
    assert view.finder.stack.state == "error"
    assert view.finder.stack.text == f"Run {NOT_SEARCHED} kept no ranks of its users."


def test_attention_is_asked_for_when_its_tab_is_seen(
    qtbot: QtBot, full: RecommendationsView, fake: FakeRecommending
) -> None:
    assert not any(asked["attention"] for asked in fake.asked)
    full.tabs.setCurrentWidget(full.attention)
    shown = full.attention
    qtbot.waitUntil(lambda: shown.stack.state == "content")
    assert full.found is not None
    weights = full.found.runs[0].attention
    assert weights is not None
    assert [shown.layer_box.itemText(n) for n in range(shown.layer_box.count())] == ["Mean", "Layer 1", "Layer 2"]
    assert [shown.head_box.itemText(n) for n in range(shown.head_box.count())] == ["Mean", "Head 1", "Head 2", "Head 3"]
    assert shown.map.weights == pytest.approx(weights.weights.mean((0, 1)))
    shown.layer_box.setCurrentIndex(2)
    shown.layer_box.activated.emit(2)
    assert shown.map.weights == pytest.approx(weights.weights[1].mean(0))
    shown.head_box.setCurrentIndex(3)
    shown.head_box.activated.emit(3)
    assert shown.map.weights == pytest.approx(weights.weights[1, 2])
    assert shown.map.image.image == pytest.approx(weights.weights[1, 2])
    full.after.click()
    qtbot.waitUntil(lambda: full.found is not None and full.found.user == "2")
    assert (shown.layer_box.currentText(), shown.head_box.currentText()) == ("Layer 2", "Head 3")


def test_the_pointer_reads_value_and_titles_and_the_table_has_every_pair(
    qtbot: QtBot, full: RecommendationsView
) -> None:
    full.tabs.setCurrentWidget(full.attention)
    shown = full.attention
    qtbot.waitUntil(lambda: shown.stack.state == "content")
    weight = shown.map.weights[3, 1]
    assert shown.map.reading_at(QPointF(1.2, 2.9)) == f"4 Title 5 looks at 2 Title 3: {weight:.4f}"
    assert shown.map.reading_at(QPointF(9.0, 1.0)) == ""
    columns = dict(shown.map.columns())
    assert len(columns["Weight"]) == 15
    pairs = list(zip(columns["Query"], columns["Key"], columns["Weight"], strict=True))
    assert ("4 Title 5", "2 Title 3", pytest.approx(float(weight))) in pairs
    assert shown.map.full == pytest.approx(shown.map.weights[2:].max())
    labels = shown.map.getAxis("left").tickStrings([0.0, 4.0], 1, 1)
    assert labels == ["1", "5"]
    assert shown.map.getAxis("left").tickValues(4.5, -0.5, 300)[0][1][0] == 4.0


def test_a_model_without_attention_says_so(qtbot: QtBot, full: RecommendationsView) -> None:
    full.tabs.setCurrentWidget(full.attention)
    qtbot.waitUntil(lambda: full.attention.stack.state == "content")
    full.attention.run_box.setCurrentIndex(2)
    full.attention.run_box.activated.emit(2)
    assert (full.attention.stack.state, full.attention.stack.text) == ("empty", "PopRec has no attention weights")
    assert not full.attention.layer_box.isEnabled()


def test_loading_can_be_cancelled_and_an_error_tried_again(
    qtbot: QtBot, view: RecommendationsView, fake: FakeRecommending
) -> None:
    fake.wait = threading.Event()
    view.set_choices(CHOICES[:1], ["r1"])
    qtbot.waitUntil(lambda: view.stack.text == "Reading the weights and ranking all items …")
    view.stack._message.button.click()
    assert (view.stack.state, view.stack.text) == ("empty", "Cancelled")
    fake.wait.set()
    fake.fails = RunError("The model's scores are not numbers: training has diverged.", "Start again.")
    view.stack._message.button.click()
    qtbot.waitUntil(lambda: view.stack.state == "error")
    assert view.stack.text == "The model's scores are not numbers: training has diverged."
    fake.fails = None
    view.stack._message.button.click()
    qtbot.waitUntil(lambda: shows(view, "1"))


def test_nothing_is_asked_before_somebody_looks(qtbot: QtBot, context: Context, fake: FakeRecommending) -> None:
    made = RecommendationsView(context)
    qtbot.addWidget(made)
    made.set_choices(CHOICES, ["r1"])
    assert not fake.searched
    made.show()
    qtbot.waitUntil(lambda: shows(made, "1"))


def test_commands_and_csv(qtbot: QtBot, full: RecommendationsView, context: Context, tmp_path: Path) -> None:
    full.top.setValue(5)
    qtbot.waitUntil(lambda: full.found is not None and full.found.top == 5)
    full.copy_button.click()
    place = ["--workspace", str(context.workspace.directory)]
    expected = [
        "coserec",
        "recommend",
        "r1",
        "r2",
        NO_ATTENTION,
        "--user",
        "1",
        "--split",
        "test",
        "--top",
        "5",
        *place,
    ]
    assert shlex.split(QGuiApplication.clipboard().text()) == expected
    full.finder.answers[0].setCurrentIndex(1)
    full.finder.answers[2].setCurrentIndex(2)
    full.finder.copy_button.click()
    said = shlex.split(QGuiApplication.clipboard().text())
    assert said[:5] == ["coserec", "users", "r1", "r2", NO_ATTENTION]
    assert said[5:13] == ["--right", "A", "--wrong", "C", "--k", "10", "--split", "test"]
    path = tmp_path / "lists.csv"
    full.export_to(str(path))
    qtbot.waitUntil(path.exists)
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert full.found is not None
    assert [float(row["score"]) for row in rows[:5]] == [item.score for item in full.found.runs[0].items]


def test_the_other_split_is_asked_of_lists_and_search(
    qtbot: QtBot, full: RecommendationsView, fake: FakeRecommending
) -> None:
    full.split_box.setCurrentIndex(1)
    full.split_box.activated.emit(1)
    qtbot.waitUntil(lambda: full.found is not None and full.found.split == "valid")
    assert fake.searched[-1]["split"] == "valid"
    assert full.lists.history.facts.text() == "★ Validation target: Title 3"


def test_a_narrow_view_keeps_the_search_in_a_tab(qtbot: QtBot, full: RecommendationsView) -> None:
    assert full.finder.isVisible()
    assert full.tabs.count() == 2
    full.resize(520, 700)
    assert [full.tabs.tabText(n) for n in range(full.tabs.count())] == ["Lists", "Attention", "Find users"]
    full.tabs.setCurrentIndex(2)
    assert full.finder.isVisible()
    full.finder.picked.emit("9")
    qtbot.waitUntil(lambda: shows(full, "9"))
    assert full.tabs.currentIndex() == 0
    full.resize(1200, 700)
    assert full.finder.isVisible()
    assert full.tabs.count() == 2


def test_everything_is_named_and_reached_by_tab(full: RecommendationsView) -> None:
    for widget in (*full.run_boxes, full.field, full.before, full.after, full.split_box, full.top):
        assert widget.accessibleName()
        assert widget.toolTip()
    finder = full.finder
    for widget in (finder.outcome, *finder.answers, finder.k, finder.shortest, finder.longest, finder.order):
        assert widget.accessibleName()
        assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus


def test_names_are_cut_to_what_differs() -> None:
    assert told_apart(["sasrec · seed 1", "sasrec · epochs 6 · seed 1", "sasrec · seed 2"]) == [
        "seed 1",
        "epochs 6 · seed 1",
        "seed 2",
    ]
    assert told_apart(["sasrec · seed 1"]) == ["sasrec · seed 1"]
    assert told_apart(["same", "same"]) == ["same", "same"]


def test_the_list_of_users_is_marked_once_it_is_seen(qtbot: QtBot, full: RecommendationsView) -> None:
    """Out of sight Qt would measure every cell of every row for it."""
    full.resize(700, 700)  # the search is a tab now
    qtbot.waitUntil(lambda: full.tabs.indexOf(full.finder) >= 0)
    full.tabs.setCurrentIndex(0)
    full.finder.view.clearSelection()
    full.show_user("3")
    qtbot.waitUntil(lambda: shows(full, "3"))
    assert not full.finder.view.selectionModel().hasSelection()
    resets: list[bool] = []
    full.finder.model.modelReset.connect(lambda: resets.append(full.finder.isVisible()))
    full.finder.k.setValue(5)
    qtbot.waitUntil(lambda: full.finder.found is not None and full.finder.found.k == 5)
    full.tabs.setCurrentWidget(full.finder)
    assert resets == [True]
    assert full.finder.view.currentIndex().row() == 2
