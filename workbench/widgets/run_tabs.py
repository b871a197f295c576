"""One run in detail: overview with what is said of it, configuration, protocol, log, what it uses of the machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QTabWidget, QWidget

from engine.records import RunRecord
from workbench.context import Context
from workbench.run_marking import RunMarking
from workbench.theme import set_role
from workbench.widgets.lazy import Lazy
from workbench.widgets.log_view import LogView
from workbench.widgets.run_details import ConfigurationView, Overview
from workbench.widgets.run_protocol import RunProtocol
from workbench.widgets.run_recommendations import RunRecommendations
from workbench.widgets.run_usage import RunUsage
from workbench.widgets.states import StatefulStack

READ_EVERY_MS = 1000
NOTHING_YET = "Nothing has been written yet."


class RunTabs(QTabWidget):
    """``curves`` is the tab that the page brings along."""

    def __init__(self, context: Context, marking: RunMarking, curves: QWidget) -> None:
        super().__init__()
        self._context = context
        self._run_id = ""
        self._ticked: tuple[str, ...] = ()
        theme = context.theme
        self.setDocumentMode(True)
        set_role(self, "many-tabs")
        self.overview = Overview(theme, context.runs, marking)
        self.configuration = ConfigurationView()
        self.protocol = RunProtocol(context)
        self.log_view = LogView("Log of the selected run")
        self.usage = RunUsage(context)
        self.recommendations = Lazy(lambda: RunRecommendations(context, at_once=False))
        parts: tuple[tuple[QWidget, str], ...] = (
            (self.overview, "Overview"),
            (self.configuration, "Configuration"),
            (self.protocol, "Protocol"),
            (self.log_view, "Log"),
            (self.recommendations, "Recommendations"),
            (self.usage, "System"),
        )
        self.states = [StatefulStack(part, theme) for part, _ in parts]
        for stack, (_, title) in zip(self.states, parts, strict=True):
            self.addTab(stack, title)
        self.insertTab(2, curves, "Curves")
        self.setCurrentIndex(2)
        self.currentChanged.connect(lambda _: self._read())
        self.currentChanged.connect(lambda _: self._show_recommendations())
        self._timer = QTimer(self)
        self._timer.setInterval(READ_EVERY_MS)
        self._timer.timeout.connect(self._read)

    @property
    def title(self) -> str:
        """The tab that is shown."""
        return self.tabText(self.currentIndex())

    def show_ticked(self, run_ids: Sequence[str]) -> None:
        """What the table has ticked: recommendations of these runs can stand beside the selected one's."""
        self._ticked = tuple(run_ids)
        self._show_recommendations()

    def _show_recommendations(self) -> None:
        """Nothing is made of them until somebody looks."""
        if self.title == "Recommendations" and self.isVisible():
            self.recommendations.widget.show_runs(self._run_id, self._ticked)

    def choose(self, title: object) -> None:
        """Show the tab of this title, if there is one."""
        titles = [self.tabText(place) for place in range(self.count())]
        if title in titles:
            self.setCurrentIndex(titles.index(str(title)))

    def show_record(self, record: RunRecord | None) -> None:
        """Show a run, or that none is selected."""
        if record is None:
            self._run_id = ""
            for stack in self.states:
                stack.show_empty("No run is selected", "Select one in the table.", "runs")
            return
        for stack in self.states:
            stack.show_content()
        is_other, self._run_id = record.id != self._run_id, record.id
        self.overview.show_record(record)
        self.configuration.show_record(record)
        self.protocol.show_record(record)
        self.usage.show_record(record)
        self._show_recommendations()
        if is_other:
            self.log_view.clear()
            self._read()

    def _read(self) -> None:
        """What is read again while it is shown: the log and the samples of a run that goes on."""
        if self._run_id and self.log_view.isVisible():
            runs, wanted = self._context.workspace.runs, self._run_id

            def show(text: str) -> None:
                if wanted == self._run_id:
                    self.log_view.show_text(text or NOTHING_YET)

            self._context.run_in_thread(runs.log, wanted, lines=400, on_result=show, key="runs-log")
        if self._run_id and self.usage.isVisible():
            self.usage.read()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._show_recommendations()
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()

    def save_state(self) -> dict[str, Any]:
        """The tab and the log's levels, JSON-ready."""
        return {"tab": self.title, "log_level": self.log_view.level}
