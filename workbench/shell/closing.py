"""What becomes of a training, and of the queue, when the window is closed: asked once, without blocking anything."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QPushButton, QVBoxLayout, QWidget

from workbench.theme import SPACE, TIGHT, WIDE, set_role
from workbench.widgets.layout import label

Answer = Literal["keep", "finish", "stop", "leave"]

CHOICES: tuple[tuple[Answer, str, str], ...] = (
    ("keep", "Keep training", "A worker without a window goes on with this run and with the queue."),
    ("finish", "Finish the current run", "It ends on its own; what is queued waits for the next start."),
    ("stop", "Stop with a checkpoint", "The run ends now and can be resumed later."),
)

CHOICES_OF_QUEUE: tuple[tuple[Answer, str, str], ...] = (
    ("keep", "Keep training", "A worker without a window works off the queue."),
    ("leave", "Leave them queued", "They wait for the next start."),
)
"""Where no run is this window's own, but it is the one that would work off the queue."""


class ClosingDialog(QDialog):
    """Asks about the run ``run_name`` that this window trains, or, where that is empty, about the queue alone.

    Emits `answered`; closing the dialog instead keeps the window open.
    """

    answered = Signal(str)

    def __init__(self, run_name: str, queued: int, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("A run is training" if run_name else "Runs wait in the queue")
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(440)
        verb = "waits" if queued == 1 else "wait"
        many = " and " in run_name or run_name.endswith(" runs")
        if run_name:
            title = f"{run_name} {'are' if many else 'is'} training."
            waiting = f" {queued} more {verb} in the queue." if queued else ""
            question = f"What should become of {'them' if many else 'it'} when the window closes?{waiting}"
        else:
            title = f"{queued} {'run' if queued == 1 else 'runs'} {verb} in the queue."
            question = "Nobody else works it off. What should become of it when the window closes?"
        layout = QVBoxLayout(self)
        layout.setContentsMargins(WIDE, WIDE, WIDE, WIDE)
        layout.setSpacing(TIGHT)
        layout.addWidget(label(title, "title", wrap=True))
        self.note = label(question, "muted", wrap=True)
        layout.addWidget(self.note)
        self.buttons: dict[str, QPushButton] = {}
        for answer, text, hint in CHOICES if run_name else CHOICES_OF_QUEUE:
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
