"""New notifications for a few seconds in the window's lower right corner; the Notifications dock keeps them all."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from workbench.notifications import Notification, Notifier
from workbench.theme import SPACE, Theme, set_role
from workbench.widgets.layout import label

SHOWN_MS = {"info": 5000, "good": 6000, "warning": 9000, "error": 15_000}
"""An error takes longest to read, but what it covers is wanted back too."""
ICONS = {"info": "info", "good": "check", "warning": "alert", "error": "alert"}
COLOURS = {"info": "accent", "good": "good", "warning": "warn", "error": "bad"}
MOST = 3


class Toast(QFrame):
    """One message."""

    def __init__(self, item: Notification, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        set_role(self, "toast" if item.level == "info" else f"toast-{item.level}")
        icon = QLabel()
        icon.setPixmap(theme.icon(ICONS[item.level], COLOURS[item.level]).pixmap(20, 20))
        text = label(item.text, "section", wrap=True, selectable=True)
        texts = QVBoxLayout()
        texts.setSpacing(2)
        texts.addWidget(text)
        if item.hint:
            texts.addWidget(label(item.hint, wrap=True, selectable=True))
        if item.details:
            texts.addWidget(label("Details are in View ▸ Notifications.", "muted"))
        close = QToolButton()
        close.setIcon(theme.icon("close", "muted"))
        close.setAccessibleName("Close this message")
        close.clicked.connect(self.dismiss)
        self.row = row = QHBoxLayout(self)
        row.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        row.setSpacing(SPACE)
        row.addWidget(icon, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(texts, 1)
        row.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        self.setFixedWidth(400)
        self.setAccessibleName(f"{item.level}: {item.text}")
        QTimer.singleShot(SHOWN_MS[item.level], self, self.dismiss)

    def needed_height(self) -> int:
        """Of wrapped text at this width: the plain size hint takes a narrower column than there is.

        With the frame's border, and a descender's depth more: text that can be selected measures itself a little short.
        """
        self.ensurePolished()
        texts = self.findChildren(QLabel)
        for text in texts:
            text.ensurePolished()
        self.row.invalidate()
        reserve = max(text.fontMetrics().descent() for text in texts)
        return self.heightForWidth(self.width()) + reserve

    def dismiss(self) -> None:
        """Go away."""
        self.hide()
        self.deleteLater()


class Toasts(QObject):
    """Stacks the newest messages over ``host``."""

    def __init__(self, notifier: Notifier, theme: Theme, host: QWidget) -> None:
        super().__init__(host)
        self._theme = theme
        self._host = host
        self.shown: list[Toast] = []
        notifier.added.connect(self._add)
        host.installEventFilter(self)

    def _add(self, item: Notification) -> None:
        toast = Toast(item, self._theme, self._host)
        toast.destroyed.connect(self._forget)
        self.shown.append(toast)
        for old in self.shown[:-MOST]:
            old.dismiss()
        toast.show()
        self._arrange()

    def _forget(self, _: QObject) -> None:
        import shiboken6

        self.shown = [toast for toast in self.shown if shiboken6.isValid(toast) and not toast.isHidden()]
        if shiboken6.isValid(self._host):
            self._arrange()

    def _arrange(self) -> None:
        bottom = self._host.height() - SPACE
        for toast in reversed([toast for toast in self.shown if not toast.isHidden()]):
            height = toast.needed_height()
            toast.resize(toast.width(), height)
            bottom -= height
            toast.move(self._host.width() - toast.width() - SPACE, bottom)
            bottom -= SPACE
            toast.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._host and event.type() == QEvent.Type.Resize:
            self._arrange()
        return False
