"""Workspace · data set · device · queue · save state, each a click away from what it tells of."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtWidgets import QStatusBar, QToolButton

from engine.config import duration_text
from engine.records import DeviceInfo, RunRecord, RunStatus
from workbench.context import Context
from workbench.widgets.text import memory_text, share_text


class StatusBar(QStatusBar):
    """Follows session, run book and devices."""

    def __init__(
        self, context: Context, show_queue: Callable[[], None], show_notifications: Callable[[], None]
    ) -> None:
        super().__init__()
        self._context = context
        self._refusal: BaseException | None = None
        """With what the store refused the last write; None where it has taken one since."""
        self.setSizeGripEnabled(False)
        session = context.session
        self.workspace = self._part("folder", "Workspace", lambda: session.open_page("home"))
        self.dataset = self._part("dataset", "Data set", lambda: session.open_page("dataset"))
        self.device = self._part("device", "Device", lambda: session.open_page("train"))
        self.queue = self._part("queue", "Queue", show_queue)
        self.saved = self._part("check", "Save state", show_queue)
        context.theme.follow(self.saved, self._show_saved_icon)
        context.runs.trouble_changed.connect(self._show_saved_icon)
        self.bell = self._part("bell", "Notifications", show_notifications, permanent=True)
        self.workspace.setText(context.workspace.directory.name or str(context.workspace.directory))
        self.workspace.setToolTip(f"Workspace: {context.workspace.directory}")
        self.device.setText("looking for devices …")
        session.dataset_changed.connect(self._show_dataset)
        context.runs.records_changed.connect(self._written)  # the feed tells of it: whoever wrote, it was taken
        context.control.changed.connect(self._written)
        context.control.refused.connect(self._show_refusal)
        context.runs.loaded_changed.connect(self.show_queue_state)
        context.runs.trouble_changed.connect(self.show_queue_state)
        context.notifier.added.connect(self._show_bell)
        self._show_dataset()
        self.show_queue_state()
        self._show_bell()

    def _part(self, icon: str, name: str, action: Callable[[], None], *, permanent: bool = False) -> QToolButton:
        part = QToolButton()
        part.setToolButtonStyle(part.toolButtonStyle().ToolButtonTextBesideIcon)
        part.setAutoRaise(True)
        part.setAccessibleName(name)
        part.clicked.connect(lambda: action())
        self._context.theme.follow_icon(part, icon, "muted")
        if permanent:
            self.addPermanentWidget(part)
        else:
            self.addWidget(part)
        return part

    def _show_dataset(self) -> None:
        self.dataset.setText(self._context.session.dataset_name)
        self.dataset.setToolTip(f"Open data set: {self._context.session.dataset}")

    def show_devices(self, devices: Sequence[DeviceInfo]) -> None:
        """Name the device that 'automatic' takes, with its free memory."""
        best = next((item for item in devices if item.name != "cpu"), devices[0] if devices else None)
        if best is None:
            self.device.setText("no device")
            return
        free = f" · {memory_text(best.free_memory)} free" if best.free_memory is not None else ""
        self.device.setText(f"{best.label}{free}")
        self.device.setToolTip("\n".join(f"{item.label}. {item.note}".strip() for item in devices))

    def _written(self, *_: object) -> None:
        self._show_refusal(None)

    def _show_refusal(self, error: BaseException | None) -> None:
        self._refusal = error
        self.show_queue_state()
        self._show_saved_icon()

    def show_queue_state(self, *_: object) -> None:
        """What runs and what waits, and whether the store takes what is written."""
        book = self._context.runs
        running = book.with_status(RunStatus.RUNNING)
        queued = len(book.with_status(RunStatus.QUEUED))
        self.queue.setText(queue_text(running, queued))
        if book.trouble is not None:
            self.saved.setText("store out of reach")
            self.saved.setToolTip(str(book.trouble))
        elif self._refusal is not None:
            self.saved.setText("store cannot be written")
            self.saved.setToolTip(str(self._refusal))
        else:
            self.saved.setText("all saved" if book.is_loaded else "opening the store …")
            self.saved.setToolTip("Runs are written to the workspace's store as they happen; nothing needs saving.")

    def _show_saved_icon(self, *_: object) -> None:
        is_bad = self._context.runs.trouble is not None or self._refusal is not None
        self.saved.setIcon(self._context.theme.icon(*(("alert", "bad") if is_bad else ("check", "muted"))))

    def _show_bell(self, *_: object) -> None:
        count = len(self._context.notifier.items)
        self.bell.setText(str(count) if count else "")
        self.bell.setToolTip(f"{count} notifications" if count else "No notifications")


def queue_text(running: Sequence[RunRecord], queued: int) -> str:
    """``1 training, 42 %, 3 min left · 2 waiting``."""
    if not running:
        return f"{queued} waiting" if queued else "queue empty"
    first = running[0]
    parts = [f"{len(running)} training"]
    if first.progress is not None:
        parts.append(share_text(first.progress))
    if first.stop_requested:
        parts.append("stopping")
    elif first.seconds_left is not None:
        parts.append(f"{duration_text(first.seconds_left)} left")
    return ", ".join(parts) + (f" · {queued} waiting" if queued else "")
