"""Finds users by who is right about them: A right, B wrong, and every other combination of one to three runs."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QModelIndex, QSignalBlocker, QTimer, Signal, Slot
from PySide6.QtGui import QGuiApplication, QShowEvent
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QHeaderView, QVBoxLayout, QWidget

from engine.paths import default_workspace
from engine.records import FoundUsers
from workbench.context import Context
from workbench.item_models.recommended import LETTERS, found_users, outcome_words, user_columns
from workbench.item_models.rows import RowsModel
from workbench.theme import SMALL, SPACE
from workbench.widgets.cards import label, roomy
from workbench.widgets.choice_box import ChoiceBox, NumberBox
from workbench.widgets.layout import button
from workbench.widgets.numbers import count
from workbench.widgets.row_list import RowList
from workbench.widgets.states import StatefulStack

LIMIT = 2000
"""Users listed at most; the count is of all."""
WAIT_MS = 200
NO_LIMIT = 0
ORDERS = (
    ("Largest gain first", "difference", False),
    ("Largest loss first", "difference", True),
    ("Best rank first", "rank", False),
    ("Worst rank first", "rank", True),
    ("Longest history first", "length", False),
    ("Shortest history first", "length", True),
    ("As in the file", "file", False),
)


def workspace_option(context: Context) -> list[str]:
    """What a command needs to find this workspace."""
    directory = context.workspace.directory
    return [] if directory == default_workspace() else ["--workspace", str(directory)]


class UserFinder(QWidget):
    """``picked`` with a user's id. Give it runs with `set_runs`; it searches when it is asked to."""

    picked = Signal(str)
    arrived = Signal()
    """A search has been answered, or refused."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.run_ids: tuple[str, ...] = ()
        self.found: FoundUsers | None = None
        self._is_listed = False
        self.user = ""
        self.split = "test"
        self.outcome = ChoiceBox()
        self.answers = [ChoiceBox() for _ in LETTERS]
        self.captions = [label(letter, "muted") for letter in LETTERS]
        self.k, self.shortest, self.longest = NumberBox(), NumberBox(), NumberBox()
        self.order = ChoiceBox()
        self.model = RowsModel(())
        self.view = RowList()
        self.told = label("", "muted", wrap=True)
        self.copy_button = button(
            "Copy command", self.copy_command, theme=context.theme, icon="copy", tip="coserec users …, this search"
        )
        self.stack = StatefulStack(self.view, context.theme)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(WAIT_MS)
        self._timer.timeout.connect(self.search)
        self._fill()
        self._arrange()
        self._connect()

    def _fill(self) -> None:
        self.outcome.addItem("Any user", None)
        for letter, box in zip(LETTERS, self.answers, strict=True):
            for words, answer in (("any", ""), ("right", "right"), ("wrong", "wrong")):
                box.addItem(words, answer)
            box.setAccessibleName(f"Run {letter} is right, wrong or either")
            box.setToolTip(f"Right: {letter} has the target among its first k, as HR@k counts it")
        for words, order, is_reversed in ORDERS:
            self.order.addItem(words, (order, is_reversed))
        for spin, name, low, high, value, tip in (
            (self.k, "k", 1, 1000, 10, "Right is a target among the first k: what HR@k counts"),
            (self.shortest, "Shortest training input", 0, 100_000, 0, "Least length of the training input"),
            (self.longest, "Longest training input", NO_LIMIT, 100_000, NO_LIMIT, "Greatest length; ∞: no limit"),
        ):
            spin.setRange(low, high)
            spin.setValue(value)
            spin.setAccessibleName(name)
            spin.setToolTip(tip)
            roomy(spin)
        self.longest.setSpecialValueText("∞")
        self.outcome.setAccessibleName("Users by who is right")
        self.outcome.setToolTip("Every combination, with its number of users in this range of lengths")
        self.order.setAccessibleName("Order of the users")
        self.order.setToolTip("Gain: how many places the right run (else A) ranks the target better than the other")
        for box in (self.outcome, self.order):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(10)

    def _arrange(self) -> None:
        answers = QHBoxLayout()
        answers.setSpacing(SMALL)
        for caption, box in zip(self.captions, self.answers, strict=True):
            caption.setBuddy(box)
            answers.addWidget(caption)
            answers.addWidget(box, 1)
        at = label("k", "muted")
        at.setBuddy(self.k)
        answers.addWidget(at)
        answers.addWidget(self.k)
        lengths = QHBoxLayout()
        lengths.setSpacing(SMALL)
        lengths.addWidget(self.shortest, 1)
        lengths.addWidget(label("to", "muted"))
        lengths.addWidget(self.longest, 1)
        grid = QGridLayout()
        grid.setSpacing(SMALL)
        grid.setColumnStretch(1, 1)
        parts: tuple[tuple[str, QComboBox | QHBoxLayout], ...] = (
            ("Users", self.outcome),
            ("Where", answers),
            ("Length", lengths),
            ("Order", self.order),
        )
        for row, (words, part) in enumerate(parts):
            caption = label(words, "muted")
            grid.addWidget(caption, row, 0)
            if isinstance(part, QHBoxLayout):
                grid.addLayout(part, row, 1)
            else:
                caption.setBuddy(part)
                grid.addWidget(part, row, 1)
        foot = QHBoxLayout()
        foot.setSpacing(SMALL)
        foot.addWidget(self.told, 1)
        foot.addWidget(self.copy_button)
        self.view.setModel(self.model)
        self.view.setAccessibleName("Users found: Return shows one")
        self.view.setMinimumHeight(110)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, SPACE, 0, 0)
        column.setSpacing(SMALL)
        column.addLayout(grid)
        column.addWidget(self.stack, 1)
        column.addLayout(foot)

    def _connect(self) -> None:
        self.outcome.activated.connect(self._outcome_chosen)
        for box in (*self.answers, self.order):
            box.activated.connect(lambda _: self._changed())
        for spin in (self.k, self.shortest, self.longest):
            spin.valueChanged.connect(lambda _: self._timer.start())
        self.view.activated.connect(self._pick_row)
        self.view.clicked.connect(self._pick_row)

    # --- what is asked

    def set_runs(self, run_ids: Sequence[str]) -> None:
        """Search among other runs, from the next `search` on; what is asked of A, B and C stays."""
        self.run_ids = tuple(run_ids)
        self.found = None
        for place, (caption, box) in enumerate(zip(self.captions, self.answers, strict=True)):
            is_there = place < len(run_ids)
            caption.setVisible(is_there)
            box.setVisible(is_there)
            if not is_there:
                box.setCurrentIndex(0)

    def answered(self, answer: str) -> list[str]:
        """Letters of the runs that are asked to be ``right`` or ``wrong``."""
        there = list(zip(LETTERS, self.answers, strict=True))[: len(self.run_ids)]
        return [letter for letter, box in there if box.currentData() == answer]

    def question(self) -> dict[str, Any]:
        """What `search` asks for, as the facade takes it."""
        order, is_reversed = self.order.currentData()
        return {
            "right": self.answered("right"),
            "wrong": self.answered("wrong"),
            "k": self.k.value(),
            "split": self.split,
            "shortest": self.shortest.value(),
            "longest": self.longest.value() or None,
            "order": order,
            "is_reversed": is_reversed,
        }

    @Slot(int)
    def _outcome_chosen(self, _place: int) -> None:
        right = self.outcome.currentData()
        for place, box in enumerate(self.answers):
            chosen = "" if right is None or place >= len(self.run_ids) else "right" if place in right else "wrong"
            box.setCurrentIndex(box.findData(chosen))
        self.search()

    def _changed(self) -> None:
        with QSignalBlocker(self.outcome):
            self.outcome.setCurrentIndex(max(self._place_of_outcome(), 0))
        self.search()

    def _place_of_outcome(self) -> int:
        """The entry that says what the answers say; −1 where they leave a run open, and it says 'any' of none."""
        right = tuple(LETTERS.index(letter) for letter in self.answered("right"))
        if len(right) + len(self.answered("wrong")) < len(self.run_ids):
            return -1
        return next((n for n in range(1, self.outcome.count()) if tuple(self.outcome.itemData(n)) == right), -1)

    @Slot()
    def search(self) -> None:
        """Ask for the users."""
        self._timer.stop()
        if not self.run_ids:
            return
        if self.found is None:
            self.stack.show_loading("Reading the users' ranks …")
        self._context.run_in_engine(
            self._context.workspace.recommendations.users,
            self.run_ids,
            limit=LIMIT,
            **self.question(),
            on_result=self._show,
            on_error=self._failed,
            key=(id(self), "users"),
        )

    # --- what is found

    def _failed(self, error: BaseException) -> None:
        self._context.notifier.report_bug(error)
        self.found = None
        self.told.setText("")
        self.stack.show_error(error, "Try again", self.search)
        self.arrived.emit()

    def _show(self, found: FoundUsers) -> None:
        self.found, self._is_listed = found, False
        self._list_outcomes(found)
        listed = f"{count(found.count, 'user')} of {found.in_range:,}"
        self.told.setText(f"{listed}; the first {LIMIT:,} are listed" if found.count > len(found.ids) else listed)
        if found.ids:
            self.stack.show_content()
        elif not found.in_range:
            self.stack.show_empty("No user has this length", "Widen the range of lengths.", "filter")
        else:
            self.stack.show_empty("No user matches", "Ask for another combination, or another k.", "filter")
        self._list_users()
        self.arrived.emit()

    def _list_users(self) -> None:
        """Fill the list, once it can be seen: of one out of sight Qt measures every cell, seconds on a large screen."""
        found = self.found
        if found is None or not self.isVisible():
            return
        if not self._is_listed:
            self._is_listed = True
            columns = user_columns(found)
            if [column.title for column in columns] != [column.title for column in self.model.columns]:
                self._set_columns(found)
            self.model.set_rows(found_users(found))
        self._mark()

    def _set_columns(self, found: FoundUsers) -> None:
        before, self.model = self.model, RowsModel(user_columns(found))
        self.view.setModel(self.model)
        before.deleteLater()
        header = self.view.horizontalHeader()
        for column in range(self.model.columnCount()):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)

    def _list_outcomes(self, found: FoundUsers) -> None:
        runs = len(found.runs)
        with QSignalBlocker(self.outcome):
            self.outcome.clear()
            self.outcome.addItem(f"Any user · {found.in_range:,}", None)
            for item in found.outcomes:
                self.outcome.addItem(f"{outcome_words(item.right, runs)} · {item.users:,}", item.right)
            self.outcome.setCurrentIndex(max(self._place_of_outcome(), 0))

    def show_user(self, user: str) -> None:
        """Mark the user that is shown, where the list has it."""
        self.user = user
        self._mark()

    def _row(self) -> int:
        """Where the shown user stands in the list; −1 where it does not."""
        ids = self.found.ids if self.found is not None else ()
        return ids.index(self.user) if self.user in ids else -1

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._list_users()

    def _mark(self) -> None:
        if not self._is_listed or not self.view.isVisible():
            return
        row = self._row()
        if row < 0:
            self.view.clearSelection()
        elif self.view.currentIndex().row() != row:
            self.view.setCurrentIndex(self.model.index(row, 0))

    def _pick_row(self, index: QModelIndex) -> None:
        self.picked.emit(self.model.rows[index.row()].user)

    def beside(self, step: int) -> str:
        """The user ``step`` rows on in the list; of a user who is not in it, the first; empty without a list."""
        ids = self.found.ids if self.found is not None else ()
        row = self._row()
        return ids[(row + step) % len(ids) if row >= 0 else 0] if ids else ""

    def command(self) -> str:
        """The search as a command."""
        asked = self.question()
        parts = ["coserec", "users", *self.run_ids]
        for answer in ("right", "wrong"):
            for letter in asked[answer]:
                parts += [f"--{answer}", letter]
        parts += ["--k", str(asked["k"]), "--split", asked["split"], "--sort", asked["order"]]
        parts += ["--reverse"] if asked["is_reversed"] else []
        parts += ["--shortest", str(asked["shortest"])] if asked["shortest"] else []
        parts += ["--longest", str(asked["longest"])] if asked["longest"] else []
        return shlex.join([*parts, *workspace_option(self._context)])

    def copy_command(self) -> None:
        """Put the search on the clipboard as a command."""
        text = self.command()
        QGuiApplication.clipboard().setText(text)
        self._context.notifier.tell("Copied the command.", hint=text)
