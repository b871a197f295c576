"""The docks: what is queued, the log of a run, every notification again."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QProgressBar,
    QScrollArea,
    QSplitter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine.records import RunRecord, RunStatus
from workbench.context import Context
from workbench.notifications import Notification
from workbench.run_names import run_name
from workbench.shell.toasts import COLOURS, ICONS
from workbench.theme import SMALL, SPACE, set_role
from workbench.widgets.layout import button, label
from workbench.widgets.states import StatefulStack
from workbench.widgets.text import share_text, time_left_text

LOG_LINES = 400
LOG_EVERY_MS = 1000


class QueueRow(QWidget):
    """One running or queued run."""

    def __init__(self, context: Context, record: RunRecord) -> None:
        super().__init__()
        self._context = context
        self._id = record.id
        self.name = label(role="section")
        self.what = label(role="muted")
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.end = QToolButton()
        self.end.clicked.connect(self._end)
        texts = QHBoxLayout()
        texts.addWidget(self.name)
        texts.addStretch(1)
        texts.addWidget(self.what)
        left = QVBoxLayout()
        left.setSpacing(SMALL)
        left.addLayout(texts)
        left.addWidget(self.bar)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE, SMALL, SMALL, SMALL)
        row.addLayout(left, 1)
        row.addWidget(self.end)
        self.show_record(record)

    def show_record(self, record: RunRecord) -> None:
        """Bring the row up to date."""
        runs = record.status is RunStatus.RUNNING
        self.name.setText(run_name(record))
        self.bar.setVisible(runs)
        self.bar.setValue(round(1000 * (record.progress or 0)))
        self.bar.setAccessibleName(f"Progress of {run_name(record)}")
        parts = [record.phase or "starting", share_text(record.progress or 0)] if runs else ["waiting"]
        if runs and record.seconds_left is not None:
            parts.append(f"{time_left_text(record.seconds_left)} left")
        if record.stop_requested and runs:
            parts = ["stopping"]
        self.what.setText(" · ".join(parts))
        self.end.setIcon(self._context.theme.icon("stop" if runs else "cancel", "muted"))
        tip = "Stop with a checkpoint" if runs else "Take out of the queue"
        self.end.setToolTip(tip)
        self.end.setAccessibleName(f"{tip}: {run_name(record)}")
        self.end.setEnabled(not record.stop_requested)

    def _end(self) -> None:
        record = self._context.runs.get(self._id)
        if record is not None:
            self._context.control.stop([record])


class QueuePanel(QWidget):
    """Running runs, then queued ones in the order in which they will start."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.rows: dict[str, QueueRow] = {}
        self._list = QVBoxLayout()
        self._list.setSpacing(0)
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, SMALL, 0, SMALL)
        column.addLayout(self._list)
        column.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setWidget(inner)
        self.states = StatefulStack(area, context.theme)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.states)
        context.runs.records_changed.connect(self.refresh)
        context.runs.loaded_changed.connect(self.refresh)
        self.refresh()

    def refresh(self, *_: object) -> None:
        """Show what runs and waits now."""
        book = self._context.runs
        wanted = [*reversed(book.with_status(RunStatus.RUNNING)), *reversed(book.with_status(RunStatus.QUEUED))]
        for gone in set(self.rows) - {record.id for record in wanted}:
            row = self.rows.pop(gone)
            self._list.removeWidget(row)
            row.deleteLater()
        for place, record in enumerate(wanted):
            if record.id not in self.rows:
                self.rows[record.id] = QueueRow(self._context, record)
            row = self.rows[record.id]
            row.show_record(record)
            if self._list.indexOf(row) != place:
                self._list.removeWidget(row)
                self._list.insertWidget(place, row)
        if wanted:
            self.states.show_content()
        else:
            self.states.show_empty("Nothing is queued", "Queue a run on the Train page.", "queue")


class LogPanel(QWidget):
    """The end of a run's log, read again every second while it is shown."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._chosen = ""
        self.choice = QComboBox()
        self.choice.setAccessibleName("Run whose log is shown")
        self.choice.activated.connect(self._choose)
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setAccessibleName("Log")
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        set_role(self.text, "log")
        self.states = StatefulStack(self.text, context.theme)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE, SMALL, SPACE, SPACE)
        layout.setSpacing(SMALL)
        layout.addWidget(self.choice)
        layout.addWidget(self.states, 1)
        self._timer = QTimer(self)
        self._timer.setInterval(LOG_EVERY_MS)
        self._timer.timeout.connect(self.read)
        context.runs.records_changed.connect(self._list_runs)
        self._list_runs()

    def _list_runs(self, *_: object) -> None:
        records = self._context.runs.records[:50]
        names = [f"{run_name(record)} · {record.status.value}" for record in records]
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
        show_log(self.text, text)

    def showEvent(self, event: object) -> None:
        super().showEvent(event)  # type: ignore[arg-type]
        self._timer.start()
        self.read()

    def hideEvent(self, event: object) -> None:
        super().hideEvent(event)  # type: ignore[arg-type]
        self._timer.stop()


def show_log(view: QPlainTextEdit, text: str) -> None:
    """Put the text in, and stay at the end if the end was in sight."""
    if view.toPlainText() == text:
        return
    bar = view.verticalScrollBar()
    at_end, place = bar.value() >= bar.maximum() - 2, bar.value()
    view.setPlainText(text)
    bar.setValue(bar.maximum() if at_end else place)


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
