"""The Neighbours page's second tab: every item's best neighbour, counted when it is looked at."""

from __future__ import annotations

from PySide6.QtCore import Slot

from engine.config import ExperimentConfig
from engine.records import NeighbourSummary
from workbench.context import Context
from workbench.engine_process import Task
from workbench.widgets.states import StatefulStack
from workbench.widgets.top_score_card import TopScoreCard


class NeighbourSummaryTab(StatefulStack):
    """`ask` for a data set's similarities; what is shown already is not computed again."""

    def __init__(self, context: Context) -> None:
        self.card = TopScoreCard(context.theme)
        super().__init__(self.card, context.theme)
        self._context = context
        self._asked: tuple[str, ExperimentConfig | None, str, tuple[str, ...]] | None = None
        self._task: Task | None = None
        self.summary: NeighbourSummary | None = None

    def ask(self, dataset: str, config: ExperimentConfig | None, run: str, similarities: tuple[str, ...]) -> None:
        """Compute: with the settings ``config``, or with those and the embeddings of the stored ``run``."""
        asked = (dataset, config, run, similarities)
        if asked != self._asked:
            self._asked = asked
            self._compute()

    def forget(self) -> None:
        """Another data set: what was asked is void."""
        self._asked = None
        self._context.forget(id(self))

    @Slot()
    def _compute(self) -> None:
        assert self._asked is not None
        dataset, config, run, similarities = self._asked
        self.show_loading("Looking at every item's best neighbour …", self.cancel)
        self._task = self._context.run_in_engine(
            self._context.workspace.neighbours.summary,
            dataset,
            similarities,
            run=run,
            config=config,
            on_result=self._show_summary,
            on_error=self._failed,
            key=id(self),
        )

    @Slot()
    def cancel(self) -> None:
        """End the computation."""
        if self._task is not None:
            self._task.cancel()
        self.show_empty("Counting was cancelled.", "", "neighbours", "Count again", self._compute)

    def _show_summary(self, found: NeighbourSummary) -> None:
        self.summary = found
        self.card.set_summary(found)
        self.show_content()

    def _failed(self, error: BaseException) -> None:
        self._context.notifier.report_bug(error)
        self.show_error(error, "Try again", self._compute)
