"""Above the table of runs: filter, shelf, grouping, columns, and named views of all of these."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QInputDialog,
    QLineEdit,
    QMenu,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from engine.records import Shelf
from engine.records.query import QueryError
from workbench.item_models.runs_model import RunsModel
from workbench.settings import Settings
from workbench.theme import SMALL, Theme, repolish
from workbench.widgets.choice_box import ChoiceBox
from workbench.widgets.layout import label
from workbench.widgets.runs_table import RunsTable

FILTER_AFTER_MS = 60
"""A pause in typing after which the table follows."""
KEY = "runs/views"
SHELVES = {Shelf.SHOWN: "Runs", Shelf.ARCHIVED: "Archive", Shelf.TRASHED: "Trash"}
FILTER_HELP = (
    "Words that a run must contain, and conditions; all must hold.\n"
    "tag:paper   -tag:old   state:finished   data:Beauty   model:transformer   note:good\n"
    "NDCG@10>.03   valid/NDCG@20>=.05   seed<=3   epoch>10   minutes<5\n"
    "augment.crop_rate=.2   max_length>50   (any setting)"
)


class RunFilterBar(QWidget):
    """Drives a `RunsModel`; `view_changed` tells that what is shown has another frame now."""

    view_changed = Signal()

    def __init__(self, model: RunsModel, table: RunsTable, theme: Theme, settings: Settings) -> None:
        super().__init__()
        self._model, self._table, self._settings = model, table, settings
        self._build(theme)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(FILTER_AFTER_MS)
        self._timer.timeout.connect(self.apply)
        self.filter.textChanged.connect(self._typed)
        self.filter.returnPressed.connect(self.apply)
        down = QShortcut(QKeySequence(Qt.Key.Key_Down), self.filter, context=Qt.ShortcutContext.WidgetShortcut)
        down.activated.connect(self._go_to_rows)

    def _build(self, theme: Theme) -> None:
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter: beauty tag:paper NDCG@10>.03  (Ctrl+F)")
        self.filter.setAccessibleName("Filter runs")
        self.filter.setToolTip(FILTER_HELP)
        self.filter.setClearButtonEnabled(True)
        self.error = label("", "error", wrap=True)
        self.error.hide()
        self.shelf = ChoiceBox()
        self.shelf.setAccessibleName("Which runs: those in use, the archive, or the trash")
        for shelf, text in SHELVES.items():
            self.shelf.addItem(text, str(shelf))  # Qt would keep a string anyway, and no member of the enumeration
        self.shelf.activated.connect(lambda _: self.show_shelf(Shelf(self.shelf.currentData())))
        self.grouped = QCheckBox("Group seeds")
        self.grouped.setToolTip(
            "One row for all runs whose configuration differs in its seed alone: mean ± sample standard deviation (n), "
            "in the table and as a band in the plots. Right and Left open and close a group."
        )
        self.grouped.toggled.connect(self._set_grouped)
        self.views = self._menu_button("Views", theme, "filter", self._fill_views)
        self.columns = self._menu_button("Columns", theme, "table", self._fill_columns)
        row = QHBoxLayout()
        row.setSpacing(SMALL)
        for widget in (self.shelf, self.grouped):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self.views)
        row.addWidget(self.columns)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SMALL)
        column.addWidget(self.filter)
        column.addWidget(self.error)
        column.addLayout(row)

    def _menu_button(self, text: str, theme: Theme, icon: str, fill: Callable[[QMenu], None]) -> QPushButton:
        made = QPushButton(text)
        made.setAccessibleName({"Views": "Named views", "Columns": "Choose columns"}[text])
        theme.follow_icon(made, icon, "muted")
        menu = QMenu(made)
        menu.aboutToShow.connect(lambda: fill(menu))
        made.setMenu(menu)
        return made

    # Filter, shelf, groups ------------------------------------------------------------------------------------------

    def _typed(self, text: str) -> None:
        # Nothing typed: whoever has cleared the filter sees all at once.
        if text:
            self._timer.start()
        else:
            self.apply()

    def apply(self) -> None:
        """Filter by what is typed; what is wrong with it stands below."""
        self._timer.stop()
        try:
            self._model.set_filter(self.filter.text())
        except QueryError as error:
            self.error.setText(str(error))
        else:
            self.error.setText("")
        is_wrong = bool(self.error.text())
        self.error.setVisible(is_wrong)
        if bool(self.filter.property("wrong")) != is_wrong:
            self.filter.setProperty("wrong", is_wrong)
            repolish(self.filter)

    def _go_to_rows(self) -> None:
        """Down leaves the filter for what it has found."""
        self.apply()
        self._table.setFocus(Qt.FocusReason.OtherFocusReason)

    def set_text(self, text: str) -> None:
        """Filter by this, now."""
        self.filter.setText(text)
        self.apply()

    def show_shelf(self, shelf: Shelf) -> None:
        """Show the runs in use, the archive or the trash."""
        self.shelf.setCurrentIndex(self.shelf.findData(str(shelf)))
        self._model.set_shelf(shelf)
        self.view_changed.emit()

    def _set_grouped(self, on: bool) -> None:
        self._table.regroup(on)
        self.view_changed.emit()

    # Columns and views ----------------------------------------------------------------------------------------------

    def _fill_columns(self, menu: QMenu) -> None:
        menu.clear()
        self._table.fill_columns_menu(menu)

    @property
    def named(self) -> dict[str, Any]:
        """Saved views by name."""
        stored = self._settings.read(KEY, dict, {})
        return {name: view for name, view in stored.items() if isinstance(name, str) and isinstance(view, dict)}

    def _fill_views(self, menu: QMenu) -> None:
        menu.clear()
        menu.addAction("Save this view…", self._ask_name)
        views = self.named
        if views:
            menu.addSeparator()
        for name in views:
            menu.addAction(name, partial(self.show_view, name))
        if views:
            gone = menu.addMenu("Delete")
            for name in views:
                gone.addAction(name, partial(self.delete_view, name))

    def _ask_name(self) -> None:
        dialog = QInputDialog(self)
        dialog.setWindowTitle("Save this view")
        dialog.setLabelText("Filter, shelf, grouping, order and columns are kept under the name:")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.textValueSelected.connect(self.save_view)
        dialog.open()

    def save_view(self, name: str) -> None:
        """Keep the present view under a name; an older one of that name is replaced."""
        if name.strip():
            self._settings.write(KEY, self.named | {name.strip(): self.save_state()})

    def delete_view(self, name: str) -> None:
        """Forget a view."""
        self._settings.write(KEY, {other: view for other, view in self.named.items() if other != name})

    def show_view(self, name: str) -> None:
        """Bring a saved view back."""
        if name in self.named:
            self.restore_state(self.named[name])

    def save_state(self) -> dict[str, Any]:
        """The view, JSON-ready."""
        return {
            "filter": self.filter.text(),
            "shelf": str(self._model.shelf),
            "grouped": self._model.is_grouped,
            "table": self._table.save_state(),
        }

    def restore_state(self, state: dict[str, Any]) -> None:
        """What `save_state` gave; whatever makes no sense is passed over."""
        if isinstance(table := state.get("table"), dict):
            self._table.restore_state(table)
        if isinstance(text := state.get("filter"), str):
            self.set_text(text)
        if isinstance(on := state.get("grouped"), bool):
            self.grouped.setChecked(on)
        if (shelf := state.get("shelf")) in [str(known) for known in Shelf]:
            self.show_shelf(Shelf(shelf))
