"""What the runs about to be queued will cost: asked for by a button, told in a few lines, void when settings change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine import registry
from engine.config import ExperimentConfig, duration_text, epochs_text
from engine.records import CostEstimate
from workbench.context import Context
from workbench.engine_process import Task
from workbench.theme import TIGHT
from workbench.widgets.layout import button, label
from workbench.widgets.queue_time import earlier_pace
from workbench.widgets.text import memory_text

ASK = "Estimate time and memory"
UNKNOWN = "Not estimated yet: some real steps are rehearsed, which takes seconds."
VOID = "Settings have changed since the estimate."
BUSY = "Reading the data and rehearsing some steps …"


class CostLine(QWidget):
    """Holds the estimate of one configuration, the seed aside."""

    changed = Signal()
    """There is an estimate now, or there is none any more; or an earlier run's pace is known better."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.context = context
        self.estimate: CostEstimate | None = None
        self._config: ExperimentConfig | None = None
        self._task: Task | None = None
        self.text = label(UNKNOWN, "muted", wrap=True)
        self.error = label("", "error", wrap=True)
        self.error.hide()
        self.button = button(
            ASK,
            self.toggle,
            role="link",
            tip="Rehearse some training steps, some ranking and some neighbours on the device chosen; starts no run",
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(TIGHT)
        for part in (self.text, self.error, self.button):
            column.addWidget(part)
        column.setAlignment(self.button, Qt.AlignmentFlag.AlignLeft)
        context.paces.changed.connect(self.changed)

    def show_config(self, config: ExperimentConfig, is_valid: bool) -> None:
        """The form holds this now. An estimate of something else is void."""
        config = config.replace({"train.seed": 1})
        self.button.setEnabled(is_valid or self._task is not None)
        if config == self._config:
            return
        had, self._config = self.estimate is not None or self._task is not None, config
        self._end()
        self.error.hide()
        if had:
            self.estimate = None
            self.text.setText(VOID)
            self.changed.emit()

    def total_text(self, runs: int, lists: Mapping[str, Sequence[Any]] | None = None) -> str:
        """`` · at most 1 h 30 min`` for so many runs one after the other; `` · about …`` for a grid, or by the pace of
        earlier runs where nothing was rehearsed; nothing where nothing is known."""
        if not runs or self._config is None:
            return ""
        if self.estimate is not None:
            seconds = self.estimate.most_seconds
            each = self._epochs(lists)
            if not lists or each == [self.estimate.epochs]:
                word = "about" if lists else "at most"
                return f" · {word} {duration_text(runs * seconds)}"
            before = self.estimate.pretrain_epochs * self.estimate.pretrain_seconds
            rest = (seconds - before) / max(self.estimate.epochs, 1)
            mean = before + rest * sum(each) / len(each)
            return f" · about {duration_text(runs * mean)}"
        # What does not train has epochs in its settings too, and they cost nothing.
        trains = registry.entry("model", self._config.model.name).facts["trains"]
        pace = earlier_pace(self.context.runs, self._config, self.context.paces.of) if trains else None
        if pace is None:
            return ""
        each = self._epochs(lists)
        mean = self._config.train.pretrain_epochs + sum(each) / len(each)
        return f" · about {duration_text(runs * pace * mean)}"

    def _epochs(self, lists: Mapping[str, Sequence[Any]] | None) -> list[int]:
        assert self._config is not None
        return [int(epochs) for epochs in (lists or {}).get("train.epochs", (self._config.train.epochs,))]

    def toggle(self) -> None:
        """Begin the rehearsal, or cancel it."""
        if self._task is not None:
            self.stop()
            return
        if self._config is None:
            return
        self.error.hide()
        self.text.setText(BUSY)
        self.button.setText("Cancel")
        self._task = self.context.run_in_engine(
            self.context.workspace.costs.estimate, self._config, on_result=self._show, on_error=self._fail
        )

    def stop(self) -> None:
        """Give a rehearsal up that has not ended: somebody waits for the process that does it."""
        if self._task is not None:
            self._end()
            self.text.setText(UNKNOWN)

    def _end(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
        self.button.setText(ASK)

    def _show(self, found: CostEstimate) -> None:
        self._end()
        self.estimate = found
        self.text.setText(estimate_text(found))
        self.changed.emit()

    def _fail(self, error: BaseException) -> None:
        self._end()
        self.text.setText(UNKNOWN)
        self.error.setText(str(error))
        self.error.show()


def estimate_text(found: CostEstimate) -> str:
    """One run's cost in words: all of it, then a line a part; what there is none of is not named."""
    lines = [f"One run: at most {duration_text(found.most_seconds)}, {memory_text(found.memory)} for arrays."]
    if found.pretrain_epochs:
        each = seconds_text(found.pretrain_seconds)
        epochs = epochs_text(found.pretrain_epochs)
        lines.append(f"Pre-training, {epochs}: {each} each ({found.pretrain_steps:,} steps).")
    if found.epochs:
        training, validation = seconds_text(found.train_seconds), seconds_text(found.validate_seconds)
        lines.append(f"An epoch: {training} training ({found.steps:,} steps), {validation} validation.")
    if found.count_seconds:
        lines.append(f"Neighbours, once: {seconds_text(found.count_seconds)}.")
    if found.model_epochs:
        each = seconds_text(found.neighbours_seconds)
        lines.append(
            f"Model-based neighbours: {each} an epoch, in at most {found.model_epochs:,} of {found.all_epochs:,}."
        )
    lines.append(f"Test: {seconds_text(found.test_seconds)}.")
    return "\n".join(lines)


def seconds_text(seconds: float) -> str:
    """A measured time with two digits below ten seconds.

    >>> seconds_text(0.0312), seconds_text(4.26), seconds_text(75.0)
    ('0.031 s', '4.3 s', '1 min 15 s')
    """
    return f"{seconds:.2g} s" if seconds < 10 else duration_text(seconds)
