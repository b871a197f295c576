"""Two docks: the log of a run, every notification again. The queue has a file of its own."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from engine.records import RunStatus
from workbench.context import Context
from workbench.notifications import Notification
from workbench.shell.toasts import COLOURS, ICONS
from workbench.theme import SMALL, SPACE
from workbench.widgets.choice_box import ChoiceBox
from workbench.widgets.layout import button
from workbench.widgets.log_view import LogView
from workbench.widgets.states import StatefulStack

LOG_LINES = 400
LOG_EVERY_MS = 1000


class LogPanel(QWidget):
    """The end of a run's log, read again every second while it is shown."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._chosen = ""
        self.choice = ChoiceBox()
        self.choice.setAccessibleName("Run whose log is shown")
        self.choice.activated.connect(self._choose)
        self.view = LogView("Log")
        self.text = self.view.text
        self.view.head.insertWidget(0, self.choice)
        self.states = StatefulStack(self.view, context.theme)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE, SMALL, SPACE, SPACE)
        layout.setSpacing(SMALL)
        layout.addWidget(self.states, 1)
        self._timer = QTimer(self)
        self._timer.setInterval(LOG_EVERY_MS)
        self._timer.timeout.connect(self.read)
        context.runs.records_changed.connect(self._list_runs)
        self._list_runs()

    def _list_runs(self, *_: object) -> None:
        records = self._context.runs.records[:50]
        names = [f"{self._context.runs.name(record)} · {record.status.value}" for record in records]
        if names != [self.choice.itemText(row) for row in range(self.choice.count())]:
            self.choice.clear()
            for record, name in zip(records, names, strict=True):
                self.choice.addItem(name, record.id)
        # Without a choice of the user's: what trains, or trained last.
        shown = self._chosen or next((r.id for r in records if r.status is RunStatus.RUNNING), "")
        self.choice.setCurrentIndex(max(0, self.choice.findData(shown)) if records else -1)
        if not records:
            self.states.show_empty("No log yet", "A run writes its log while it trains.", "log")

    def _choose(self, row: int) -> None:
        self._chosen = str(self.choice.itemData(row) or "")
        self.read()

    def show_run(self, run_id: str) -> None:
        """Show this run's log."""
        self._chosen = run_id
        self._list_runs()
        self.read()

    def read(self) -> None:
        """Read the end of the log off the GUI thread."""
        run_id = self.choice.currentData()
        if run_id and self.isVisible():
            runs = self._context.workspace.runs
            self._context.run_in_thread(
                runs.log, run_id, lines=LOG_LINES, on_result=self._show, on_error=self.states.show_error, key="log-dock"
            )

    def _show(self, text: str) -> None:
        self.states.show_content()
        self.view.show_text(text)

    def showEvent(self, event: object) -> None:
        super().showEvent(event)  # type: ignore[arg-type]
        self._timer.start()
        self.read()

    def hideEvent(self, event: object) -> None:
        super().hideEvent(event)  # type: ignore[arg-type]
        self._timer.stop()


class NotificationsPanel(QWidget):
    """Every notification, newest first; the chosen one in full below."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.list = QListWidget()
        self.list.setAccessibleName("Notifications")
        self.details = QPlainTextEdit()
        self.details.setReadOnly(True)
        self.details.setAccessibleName("Details of the notification")
        split = QSplitter(Qt.Orientation.Horizontal)
        split.addWidget(self.list)
        split.addWidget(self.details)
        split.setSizes([500, 500])
        self.states = StatefulStack(split, context.theme)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE, SMALL, SPACE, SPACE)
        layout.addWidget(self.states, 1)
        layout.addWidget(button("Clear", self.clear, theme=context.theme, icon="close"), 0, Qt.AlignmentFlag.AlignRight)
        self.list.currentItemChanged.connect(self._show_details)
        context.notifier.added.connect(self._add)
        self.clear()
        for item in context.notifier.items:
            self._add(item)

    def _add(self, item: Notification) -> None:
        row = QListWidgetItem(f"{item.at:%H:%M:%S}  {item.text}")
        row.setIcon(self._context.theme.icon(ICONS[item.level], COLOURS[item.level]))
        row.setData(Qt.ItemDataRole.UserRole, item)
        self.list.insertItem(0, row)
        self.list.setCurrentRow(0)
        self.states.show_content()

    def clear(self) -> None:
        """Forget them."""
        self.list.clear()
        self._context.notifier.items.clear()
        self.states.show_empty("No notifications", "Errors and finished runs are listed here.", "bell")

    def _show_details(self, row: QListWidgetItem | None, _: object) -> None:
        item: Notification | None = row.data(Qt.ItemDataRole.UserRole) if row is not None else None
        parts = [item.text, item.hint, item.details] if item is not None else []
        self.details.setPlainText("\n\n".join(part for part in parts if part))
