"""Dataset: Table 1 of the open file, its lengths, its popularity tail, and what the protocol makes of it."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from engine.errors import EngineError
from engine.records import DatasetSummary
from workbench.context import SAMPLE, Context
from workbench.engine_process import Task
from workbench.pages import Page, PageCommand, PageWidget
from workbench.theme import HUGE, SPACE, TIGHT, WIDE
from workbench.widgets.cards import Elided, Tile, label, scrolled
from workbench.widgets.numbers import percent
from workbench.widgets.states import StatefulStack

TILES = (
    ("users", "Users", "Table 1"),
    ("items", "Items", "Table 1"),
    ("actions", "Actions", "Table 1"),
    ("length", "Average length", "Actions per user (Table 1)"),
    ("sparsity", "Sparsity", "1 − actions / (users × items) (Table 1)"),
)


class DatasetPage(PageWidget):
    """Loads the summary when it is shown, and again when another data set is opened."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        from workbench.widgets.length_card import LengthCard, PopularityCard
        from workbench.widgets.protocol_card import ProtocolCard

        self.summary: DatasetSummary | None = None
        self._task: Task | None = None
        self._asked = ""
        self.title = label("", "page-title")
        self.path = Elided("", "muted", Qt.TextElideMode.ElideMiddle)
        self.reload_button = QPushButton("Reload")
        self.tiles = {name: Tile(caption, tip) for name, caption, tip in TILES}
        self.lengths = LengthCard(context.theme)
        self.popularity = PopularityCard(context.theme)
        self.protocol = ProtocolCard()
        self.stack = StatefulStack(scrolled(self._content()), context.theme)
        self._arrange()
        self.lengths.k_chosen.connect(self._use_k)
        self.lengths.k.valueChanged.connect(self._show_k_in_use)
        self.reload_button.clicked.connect(self.reload)
        context.session.dataset_changed.connect(self._dataset_changed)
        context.session.config_changed.connect(self._show_k_in_use)
        self._show_name()

    def _content(self) -> QWidget:
        content = QWidget()
        grid = QGridLayout(content)
        grid.setContentsMargins(HUGE, TIGHT, HUGE, HUGE)
        grid.setSpacing(WIDE)
        tiles = QHBoxLayout()
        tiles.setSpacing(WIDE)
        for tile in self.tiles.values():
            tiles.addWidget(tile, 1)
        grid.addLayout(tiles, 0, 0, 1, 2)
        grid.addWidget(self.lengths, 1, 0)
        grid.addWidget(self.popularity, 1, 1)
        grid.addWidget(self.protocol, 2, 0, 1, 2)
        grid.setColumnStretch(0, 5)
        grid.setColumnStretch(1, 3)
        grid.setRowStretch(1, 1)
        self.lengths.setMinimumHeight(360)
        self.popularity.setMinimumWidth(280)
        return content

    def _arrange(self) -> None:
        self.context.theme.follow_icon(self.reload_button, "reload", "muted")
        self.reload_button.setToolTip("Read the file again (F5)")
        texts = QVBoxLayout()
        texts.setSpacing(TIGHT // 2)
        texts.addWidget(self.title)
        texts.addWidget(self.path)
        head = QHBoxLayout()
        head.setContentsMargins(HUGE, WIDE + TIGHT, HUGE, SPACE)
        head.addLayout(texts, 1)
        head.addWidget(self.reload_button, 0, Qt.AlignmentFlag.AlignBottom)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(head)
        layout.addWidget(self.stack, 1)

    # --- loading

    def page_shown(self) -> None:
        if self._asked != self.context.session.dataset:
            self.reload()

    @Slot(str)
    def _dataset_changed(self, _path: str) -> None:
        self._show_name()
        if self.isVisible():
            self.page_shown()

    @Slot()
    def reload(self) -> None:
        """Read the data set again."""
        path = self._asked = self.context.session.dataset
        self.stack.show_loading(f"Reading {self.context.session.dataset_name} …", self.cancel)
        self._task = self.context.run_in_engine(
            self.context.workspace.datasets.summary,
            path,
            on_result=self._loaded,
            on_error=self._failed,
            key=(id(self), "summary"),
        )

    @Slot()
    def cancel(self) -> None:
        """Stop reading."""
        if self._task is not None:
            self._task.cancel()
        self.stack.show_empty("Reading was cancelled.", "Nothing has been changed.", "file", "Read again", self.reload)

    def _loaded(self, summary: DatasetSummary) -> None:
        self.summary = summary
        self._show_name()
        for name, text in (
            ("users", f"{summary.users:,}"),
            ("items", f"{summary.items:,}"),
            ("actions", f"{summary.actions:,}"),
            ("length", f"{summary.average_length:.1f}"),
            ("sparsity", percent(summary.sparsity, 2)),
        ):
            self.tiles[name].set_value(text)
        self.tiles["length"].setToolTip(f"Actions per user (Table 1); from {summary.shortest:,} to {summary.longest:,}")
        self.lengths.set_summary(summary, int(self.context.session.config.augment.short_length))
        self.popularity.set_summary(summary)
        self.protocol.set_summary(summary)
        self._show_k_in_use()
        self.stack.show_content()

    def _failed(self, error: BaseException) -> None:
        self.summary = None
        self._show_name()
        if not isinstance(error, EngineError):
            self.context.notifier.report(error)
        self.stack.show_error(error, "Read again", self.reload)

    def _show_name(self) -> None:
        session = self.context.session
        is_loaded = self.summary is not None and self._asked == session.dataset
        self.title.setText(session.dataset_name)
        where = "Bundled with the workbench" if session.dataset == SAMPLE else session.dataset
        if is_loaded and self.summary is not None:
            where += f"  ·  fingerprint {self.summary.fingerprint[:12]}"
        self.path.set_full(where)

    # --- K

    def _use_k(self, k: int) -> None:
        try:
            self.context.session.change({"augment.short_length": k})
        except EngineError as error:
            self.context.notifier.report(error)
            return
        self.context.notifier.tell(f"Train now uses K = {k}.", level="good")

    @Slot()
    def _show_k_in_use(self, *_: object) -> None:
        self.lengths.show_k_in_use(int(self.context.session.config.augment.short_length))

    # --- the page's protocol

    def filter_box(self) -> QWidget:
        return self.lengths.k

    def save_state(self) -> dict[str, Any]:
        return {"log": self.lengths.log.isChecked(), "tail": self.lengths.tail.isChecked()}

    def restore_state(self, state: dict[str, Any]) -> None:
        self.lengths.log.setChecked(state.get("log") is True)
        self.lengths.tail.setChecked(state.get("tail") is True)


PAGE = Page(
    id="dataset",
    title="Dataset",
    icon="dataset",
    order=2,
    build=DatasetPage,
    tip="Lengths, popularity and protocol of the open data set",
    commands=(PageCommand("reload", "Read the data set again", "reload", "F5", icon="reload"),),
)
