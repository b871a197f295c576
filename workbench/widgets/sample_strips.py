"""Many samples of one user's views as small multiples: a strip of cells each, one cell a token."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QPainter, QPen, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from engine.records import AugmentationPreview
from workbench.theme import SMALL, SPACE, Theme
from workbench.widgets.chip_alignment import Chip, ChipState, align
from workbench.widgets.chip_style import PATTERNS, colours, muted
from workbench.widgets.layout import label
from workbench.widgets.tables import Columns, show_as_table_button

_CHIPS = Qt.ItemDataRole.UserRole
_CELL = 20
_SMALLEST = 5
_OF_VIEWS = tuple(state for state in ChipState if state is not ChipState.ORIGINAL)


class SampleStrips(QListView):
    """One row a sample; Return or a click brings it to the large view."""

    chosen = Signal(object)
    """An `AugmentationPreview` with only the chosen view."""

    def __init__(self) -> None:
        super().__init__()
        self._preview: AugmentationPreview | None = None
        self.setAccessibleName("Samples of the user's views")
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setUniformItemSizes(True)
        self.setItemDelegate(_StripDelegate(self))
        self.setModel(QStandardItemModel(self))
        self.activated.connect(self._choose)
        self.clicked.connect(self._choose)

    @property
    def rows(self) -> QStandardItemModel:
        model = self.model()
        assert isinstance(model, QStandardItemModel)
        return model

    def set_preview(self, preview: AugmentationPreview | None) -> None:
        """Show the views of ``preview``."""
        self._preview = preview
        self.rows.clear()
        if preview is None:
            return
        before = len(preview.original)
        for number, view in enumerate(preview.views):
            chips = align(replace(preview, views=(view,))).rows[1].chips
            item = QStandardItem(f"{number + 1:>2}  {view.letter}  {before} → {len(view.tokens)}")
            item.setData(chips, _CHIPS)
            told = f"Sample {number + 1}: {view.operator}, {before} → {len(view.tokens)} items"
            item.setToolTip(f"{told}. {view.note}" if view.note else told)
            marks = ", ".join(f"{chip.state.words} {chip.name}" for chip in chips)
            item.setData(f"{told}: {marks}", Qt.ItemDataRole.AccessibleTextRole)
            self.rows.appendRow(item)
        self.setCurrentIndex(self.rows.index(0, 0))

    def columns(self) -> Columns:
        """The strips as numbers: how many tokens of each kind, and the tokens in words."""
        rows = [self.rows.item(row) for row in range(self.rows.rowCount())]
        chips: list[tuple[Chip, ...]] = [row.data(_CHIPS) for row in rows]
        views = () if self._preview is None else self._preview.views
        before = 0 if self._preview is None else len(self._preview.original)
        return [
            ("Sample", [*range(1, len(rows) + 1)]),
            ("Operator", [view.operator for view in views]),
            ("Items before", [before] * len(rows)),
            ("Items after", [len(view.tokens) for view in views]),
            *((state.words.capitalize(), [_count(strip, state) for strip in chips]) for state in _OF_VIEWS),
            ("Tokens", [", ".join(f"{chip.state.words} {chip.name}" for chip in strip) for strip in chips]),
        ]

    def _choose(self, index: QModelIndex) -> None:
        if self._preview is not None and index.isValid():
            self.chosen.emit(replace(self._preview, views=(self._preview.views[index.row()],)))


def _count(chips: tuple[Chip, ...], state: ChipState) -> int:
    return sum(chip.state is state for chip in chips)


class SamplesPanel(QWidget):
    """The strips, and above them what a key does and 'Show as table'."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.strips = SampleStrips()
        self.as_table = show_as_table_button(theme, lambda: "Samples", self.strips.columns, self)
        head = QHBoxLayout()
        head.setContentsMargins(0, SPACE, 0, 0)
        head.addWidget(label("Return or a click brings a sample to the large view.", "muted"))
        head.addStretch(1)
        head.addWidget(self.as_table)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SMALL)
        layout.addLayout(head)
        layout.addWidget(self.strips, 1)


class _StripDelegate(QStyledItemDelegate):
    """Number, letter and lengths as text, then the cells; they narrow so that the whole strip is seen."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(super().sizeHint(option, index).width(), max(option.fontMetrics.height() + 8, 25))  # type: ignore[attr-defined]

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        super().paint(painter, option, index)
        widget: QWidget = option.widget  # type: ignore[attr-defined]
        rect = option.rect  # type: ignore[attr-defined]
        metrics = option.fontMetrics  # type: ignore[attr-defined]
        chips: tuple[Chip, ...] = index.data(_CHIPS)
        left = rect.left() + metrics.horizontalAdvance("00  W  000 → 000") + 16
        columns = max((chip.column for chip in chips), default=0) + 1
        width = min(_CELL, max((rect.right() - left - 8) / columns, _SMALLEST))
        painter.save()
        painter.setClipRect(rect)
        for chip in chips:
            cell = QRectF(left + chip.column * width, rect.top() + 4, width - 2, rect.height() - 8)
            self._paint_cell(painter, cell, chip.state, widget)
        if option.state & QStyle.StateFlag.State_HasFocus:  # type: ignore[attr-defined]
            painter.setPen(QPen(muted(widget.palette()), 1, Qt.PenStyle.DotLine))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(rect.adjusted(1, 1, -2, -2))
        painter.restore()

    @staticmethod
    def _paint_cell(painter: QPainter, cell: QRectF, state: ChipState, widget: QWidget) -> None:
        look = colours(state, widget.palette())
        is_ghost = state is ChipState.DROPPED
        painter.setPen(QPen(look.edge, 1, Qt.PenStyle.DashLine if is_ghost else Qt.PenStyle.SolidLine))
        painter.setBrush(look.fill)
        painter.drawRect(cell)
        if state in PATTERNS:
            faint = QColor(look.edge)
            faint.setAlpha(90)
            painter.fillRect(cell, QBrush(faint, PATTERNS[state]))
        if state.symbol and cell.width() >= painter.fontMetrics().horizontalAdvance(state.symbol):
            painter.setPen(look.edge)
            painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, state.symbol)
