"""What a leaderboard's time is too short for, found out while its plan stands unchanged: a rehearsal a preset.

Only presets that are pre-trained, or whose learning rate falls, have to be asked about. Another plan ends a rehearsal
that is under way; what one has told is kept, so that another time is judged at once.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal
from shiboken6 import isValid

from engine.config import ExperimentConfig, rehearsable, too_short
from engine.records import CostEstimate, LeaderboardPlan, RunStatus
from workbench.context import Context
from workbench.engine_process import Task

REST_MS = 1500
"""A plan is rehearsed when it has stood for so long, and nothing trains that it would take the cores from."""
_OVER = ("finished", "failed")

Key = tuple[str, str, str]


class Rehearsals(QObject):
    """Follows one plan after another."""

    changed = Signal()
    """Another preset has been rehearsed, or is being."""

    def __init__(self, context: Context, parent: QObject) -> None:
        super().__init__(parent)
        self.context = context
        self._told: dict[Key, tuple[ExperimentConfig, CostEstimate | str]] = {}
        """The cost of a preset on some data and device, or why it could not be rehearsed."""
        self._plan: LeaderboardPlan | None = None
        self._ahead: dict[str, ExperimentConfig] = {}
        self._task: Task | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(REST_MS)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._next)

    def follow(self, plan: LeaderboardPlan) -> None:
        """Rehearse what this plan has to train, and what no earlier one had."""
        self.stop()
        self._plan = plan
        wanted = rehearsable(plan)
        self._ahead = {name: config for name, config in wanted.items() if _key(plan, name) not in self._told}
        if self._ahead:
            self._timer.start()

    def stop(self) -> None:
        """The plan is void: a rehearsal that is under way ends."""
        task, self._task, self._plan, self._ahead = self._task, None, None, {}
        self._timer.stop()
        if task is not None:
            task.cancel()

    def warnings(self, plan: LeaderboardPlan) -> dict[str, str]:
        """Preset → what its time is too short for, of those rehearsed of which no run is over: a run is no forecast."""
        found = {}
        for model in plan.models:
            told = self._told.get(_key(plan, model.preset))
            if told is None or any(run.status in _OVER for run in model.runs):
                continue
            config, cost = told
            words = cost if isinstance(cost, str) else too_short(config, cost, plan.request.minutes)
            if words:
                found[model.preset] = words
        return found

    def state_text(self) -> str:
        """What is not known yet, and why."""
        if not self._ahead:
            return ""
        if self._task is None and self._trains():
            return "Whether this time is enough is rehearsed when nothing trains."
        return f"Rehearsing whether this time is enough, {len(self._ahead)} to go …"

    def _trains(self) -> bool:
        return bool(self.context.runs.with_status(RunStatus.RUNNING))

    def _next(self) -> None:
        if self._plan is None or not self._ahead:
            return
        if self._trains() or self.context.engine.is_busy:
            self._timer.start()  # its times would be those of a shared machine
            self.changed.emit()
            return
        preset, config = next(iter(self._ahead.items()))
        key = _key(self._plan, preset)
        self._task = self.context.run_in_engine(
            self.context.workspace.costs.estimate,
            config,
            on_result=lambda cost: self._tell(key, config, cost),
            on_error=lambda error: self._tell(key, config, f"it could not be rehearsed: {error}"),
        )
        self.changed.emit()

    def _tell(self, key: Key, config: ExperimentConfig, cost: CostEstimate | str) -> None:
        if not isValid(self):  # its dialog has gone with the window, without being closed
            return
        self._task = None
        self._told[key] = config, cost
        self._ahead.pop(key[-1], None)
        self.changed.emit()
        QTimer.singleShot(0, self, self._next)  # what else has been asked for meanwhile goes first


def _key(plan: LeaderboardPlan, preset: str) -> Key:
    return plan.fingerprint, plan.request.device, preset
