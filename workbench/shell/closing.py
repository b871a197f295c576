"""What becomes of a training when its window is closed: asked once, without blocking anything."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QPushButton, QVBoxLayout, QWidget

from workbench.theme import SPACE, TIGHT, WIDE, set_role
from workbench.widgets.layout import label

Answer = Literal["keep", "finish", "stop"]

CHOICES: tuple[tuple[Answer, str, str], ...] = (
    ("keep", "Keep training", "A worker without a window goes on with this run and with the queue."),
    ("finish", "Finish the current run", "It ends on its own; what is queued waits for the next start."),
    ("stop", "Stop with a checkpoint", "The run ends now and can be resumed later."),
)


class ClosingDialog(QDialog):
    """Emits `answered`; closing the dialog instead keeps the window open."""

    answered = Signal(str)

    def __init__(self, run_name: str, queued: int, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("A run is training")
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(440)
        waiting = f" {queued} more {'waits' if queued == 1 else 'wait'} in the queue." if queued else ""
        layout = QVBoxLayout(self)
        layout.setContentsMargins(WIDE, WIDE, WIDE, WIDE)
        layout.setSpacing(TIGHT)
        layout.addWidget(label(f"{run_name} is training.", "title", wrap=True))
        self.note = label(f"What should become of it when the window closes?{waiting}", "muted", wrap=True)
        layout.addWidget(self.note)
        self.buttons: dict[str, QPushButton] = {}
        for answer, text, hint in CHOICES:
            button = QPushButton(text)
            button.setAccessibleDescription(hint)
            button.clicked.connect(lambda _=False, chosen=answer: self._answer(chosen))
            layout.addSpacing(SPACE)
            layout.addWidget(button)
            layout.addWidget(label(hint, "muted", wrap=True))
            self.buttons[answer] = button
        set_role(self.buttons["keep"], "primary")
        self.buttons["keep"].setDefault(True)
        back = QPushButton("Go back to the window")
        set_role(back, "link")
        back.clicked.connect(self.reject)
        layout.addSpacing(WIDE)
        layout.addWidget(back)

    def _answer(self, chosen: str) -> None:
        for button in self.buttons.values():
            button.setEnabled(False)
        self.note.setText("Stopping: the checkpoint is being written …" if chosen == "stop" else "Closing …")
        self.answered.emit(chosen)

    def failed(self, text: str) -> None:
        """It could not be done: say so and let another answer be given."""
        set_role(self.note, "error")
        self.note.setText(text)
        for button in self.buttons.values():
            button.setEnabled(True)
