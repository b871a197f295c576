"""What is told of one run: how it went, and its configuration with what differs from the preset first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import (
    QAbstractItemView,
    QGridLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QScrollArea,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from engine.config import KS, ExperimentConfig, duration_text, parse, pretrain_epochs_of, view_epochs
from engine.errors import EngineError
from engine.records import RunRecord, RunStatus
from workbench.run_book import RunBook
from workbench.run_marking import RunMarking
from workbench.run_names import dataset_name, differing, flat, plain, preset_values
from workbench.theme import SMALL, SPACE, WIDE, Theme, set_role
from workbench.widgets.layout import Card, label
from workbench.widgets.queue_time import phases_text
from workbench.widgets.run_note import RunNote
from workbench.widgets.text import metric_text, when_text

METRICS = (*(f"{kind}@{k}" for kind in ("HR", "NDCG") for k in KS), "MRR")
SPLITS = {"valid": "Validation", "test": "Test"}


def parsed(record: RunRecord) -> ExperimentConfig | None:
    """The run's configuration, None where today's program no longer parses it."""
    try:
        return parse(record.config)
    except EngineError:
        return None


def hybrid_from(record: RunRecord) -> float | None:
    """Where on an axis of epochs the hybrid phase begins (Algorithm 1, FACTS F16); None where it has not begun."""
    if not record.hybrid_started:
        return None
    section: Any = record.config.get("similarity", {})
    fidelity: Any = record.config.get("fidelity", {})
    start = section.get("hybrid_after_epoch")
    if not isinstance(start, int):
        return None
    late = fidelity.get("hybrid_switch") == "after_epoch"
    return float(view_epochs(record.config, record.epochs).start + start + late)


def fine_tuned_from(record: RunRecord) -> float | None:
    """Where on an axis of epochs pre-training ends and training proper begins; None for a run of one stage."""
    return float(pretrain_epochs_of(record.config)) or None


def hybrid_note(record: RunRecord) -> str:
    """Says plainly that a run's metrics are of a training that ended before its hybrid phase (FACTS F16)."""
    if record.hybrid_started is not False or not record.status.is_end or record.status is RunStatus.CANCELLED:
        return ""
    if not record.metrics:
        return ""
    if "never began" in record.message:
        return "The metrics are those of the memory-based correlation alone."
    section: Any = record.config.get("similarity", {})
    start = section.get("hybrid_after_epoch", "?")
    return (
        f"The hybrid correlation never began: it was to start after epoch {start}, "
        "and the run ended before. Its metrics are those of the memory-based correlation alone."
    )


def taken_text(record: RunRecord) -> str:
    """How long the run's last attempt has taken."""
    if record.started_at is None or record.status is RunStatus.QUEUED:  # what waits to go on takes no time
        return "–"
    end = record.ended_at or datetime.now(UTC)
    start = record.started_at if record.started_at.tzinfo else record.started_at.replace(tzinfo=UTC)
    end = end if end.tzinfo else end.replace(tzinfo=UTC)
    return duration_text((end - start).total_seconds())


def validated(record: RunRecord, book: RunBook) -> dict[str, float]:
    """Metrics of the best epoch so far on the validation targets, from the run's curves; empty until there are some."""
    found: dict[str, float] = {}
    if record.best_epoch is not None:
        for name in METRICS:
            epochs, values = book.curve(record.id, f"valid/{name}")
            if len(at_best := values[epochs == record.best_epoch + 1]):
                found[name] = float(at_best[-1])
    return found


def why_not_tested(record: RunRecord, *, is_validated: bool) -> str:
    """What is said beside the metrics of a run that has not been tested."""
    if record.status in (RunStatus.QUEUED, RunStatus.RUNNING):
        if is_validated and record.best_epoch is not None:
            return f"Validation at the best epoch so far, {record.best_epoch + 1}. Test metrics come at the end."
        return "There are none yet: validation comes after an epoch, the test at the end."
    if is_validated and record.best_epoch is not None:
        return f"Validation at epoch {record.best_epoch + 1}, the best until it ended. It was not tested."
    return "There are none: the run has not finished."


def facts_of(record: RunRecord) -> list[tuple[str, str]]:
    """Label and value of what is worth knowing of a run."""
    trained = f"{record.epoch + 1} of at most {record.epochs}" if record.attempt else "–"
    before = pretrain_epochs_of(record.config)
    trained += f", the first {before} pre-training" if before else ""
    best = "–" if record.best_epoch is None else str(record.best_epoch + 1)
    of_attempt = f" (attempt {record.attempt})" if record.attempt > 1 else ""
    process = f"{record.pid} on {record.host}" if record.pid is not None else record.host or "–"
    return [
        ("Data", dataset_name(record)),
        ("Preset", record.preset or "none"),
        ("Seed", str(record.seed)),
        ("Epochs", trained),
        ("Best epoch", best),
        ("Device", record.device or "–"),
        ("Queued", when_text(record.created_at)),
        ("Started", when_text(record.started_at) or "–"),
        (("Took" if record.status.is_end else "So far") + of_attempt, taken_text(record)),
        ("Attempt", str(record.attempt) if record.attempt else "–"),
        ("Process", process),
        ("Folder", str(record.directory)),
        ("Stored as", record.name or "–"),
        ("Run id", record.id),
    ]


class Overview(QScrollArea):
    """State, what went wrong, final metrics, facts."""

    def __init__(self, theme: Theme, book: RunBook, marking: RunMarking) -> None:
        super().__init__()
        self._theme = theme
        self._book = book
        self.note = RunNote(theme, book, marking)
        self.left = label("", "muted", wrap=True)
        self.setWidgetResizable(True)
        set_role(self, "by-keys")
        self.name = label("", "title", wrap=True, selectable=True)
        self.state = label("", "muted", wrap=True)
        # One of the note roles from the start: they pad alike, and a label does not measure itself anew for another.
        self.message = label("", "note", wrap=True, selectable=True)
        self.hybrid = label("", "note-warn", wrap=True, selectable=True)
        self.values: dict[tuple[str, str], QLabel] = {}
        self.facts: list[tuple[QLabel, QLabel]] = []
        inner = QWidget()
        set_role(inner, "page")
        self._column = QVBoxLayout(inner)
        self._column.setContentsMargins(SPACE, WIDE, WIDE, WIDE)
        self._column.setSpacing(SPACE)
        cards = (self._metrics_card(), self.note, self._facts_card())
        for widget in (self.name, self.state, self.left, self.message, self.hybrid, *cards):
            self._column.addWidget(widget)
        self._column.addStretch(1)
        self.setWidget(inner)

    def _metrics_card(self) -> Card:
        self.metrics_card = Card("Metrics at the best epoch")
        grid = QGridLayout()
        grid.setHorizontalSpacing(WIDE)
        grid.setVerticalSpacing(SMALL)
        # One row a metric: six columns would be wider than the pane beside the table of runs.
        for column, title in enumerate(SPLITS.values(), 1):
            head = label(title, "muted")
            head.setAlignment(Qt.AlignmentFlag.AlignRight)
            grid.addWidget(head, 0, column)
        for row, name in enumerate(METRICS, 1):
            grid.addWidget(label(name, "section"), row, 0)
            for column, (split, title) in enumerate(SPLITS.items(), 1):
                value = label("", selectable=True)
                value.setAlignment(Qt.AlignmentFlag.AlignRight)
                value.setAccessibleName(f"{title} {name}")
                self.values[split, name] = value
                grid.addWidget(value, row, column)
        grid.setColumnStretch(len(SPLITS) + 1, 1)
        self.no_metrics = label("", "muted", wrap=True)
        self.metrics_card.body.addLayout(grid)
        self.metrics_card.body.addWidget(self.no_metrics)
        return self.metrics_card

    def _facts_card(self) -> Card:
        card = Card("Run")
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(WIDE)
        self._grid.setVerticalSpacing(SMALL)
        self._grid.setColumnStretch(1, 1)
        card.body.addLayout(self._grid)
        return card

    def show_record(self, record: RunRecord) -> None:
        """Bring everything up to date."""
        self.name.setText(self._book.name(record))
        phase = f" · {record.phase}" if record.phase and record.status is RunStatus.RUNNING else ""
        stopping = " · stopping" if record.stop_requested and record.status is RunStatus.RUNNING else ""
        self.state.setText(f"{record.status.value.capitalize()}{phase}{stopping}")
        left = phases_text(record, self._book)
        self.left.setText(left)
        self.left.setVisible(bool(left))
        self.note.show_record(record)
        text = f"{record.message}\n{record.hint}".strip()
        self.message.setText(text)
        self.message.setVisible(bool(text))
        role = {RunStatus.FAILED: "note-bad", RunStatus.LOST: "note-warn"}.get(record.status, "note")
        if self.message.property("role") != role:
            set_role(self.message, role)
        note = hybrid_note(record)
        self.hybrid.setText(note)
        self.hybrid.setVisible(bool(note))
        known = record.metrics or {"valid": validated(record, self._book)}
        for (split, name), value in self.values.items():
            value.setText(metric_text(known.get(split, {}).get(name)) or "–")
        self.no_metrics.setText(why_not_tested(record, is_validated=any(known.values())))
        self.no_metrics.setVisible(not record.metrics)
        for row, (fact, value_text) in enumerate(facts_of(record)):
            self._fact(row, fact, value_text)

    def _fact(self, row: int, fact: str, text: str) -> None:
        if row == len(self.facts):
            self.facts.append((label("", "muted"), label("", wrap=True, selectable=True)))
            name, value = self.facts[row]
            self._grid.addWidget(name, row, 0, Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(value, row, 1)
        name, value = self.facts[row]
        name.setText(fact)
        value.setText(text)
        value.setAccessibleName(f"{fact}: {text}")


def configuration_rows(record: RunRecord) -> list[tuple[str, str, str, bool]]:
    """Path, value, the preset's value, whether they differ; what differs first."""
    base, changed = preset_values(record.preset), differing(record)
    rows = [
        (path, plain(value), plain(base[path]) if path in base else "", path in changed)
        for path, value in flat(record.config).items()
    ]
    return sorted(rows, key=lambda row: not row[3])


class ConfigurationView(QWidget):
    """A searchable table of every setting of a run."""

    HEADERS = ("Setting", "Value", "Preset")

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[str, int] | None = None
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Find a setting")
        self.filter.setAccessibleName("Find a setting")
        self.filter.setClearButtonEnabled(True)
        self.filter.textChanged.connect(self._apply_filter)
        self.note = label("", "muted", wrap=True)
        self.table = QTableWidget(0, len(self.HEADERS))
        self.table.setHorizontalHeaderLabels(list(self.HEADERS))
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setAlternatingRowColors(True)
        self.table.setShowGrid(False)
        self.table.setAccessibleName("Configuration of the run")
        self.table.verticalHeader().hide()
        self.table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        self.table.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self.table.horizontalHeader().setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE, WIDE, WIDE, WIDE)
        layout.setSpacing(SPACE)
        layout.addWidget(self.note)
        layout.addWidget(self.filter)
        layout.addWidget(self.table, 1)

    def show_record(self, record: RunRecord) -> None:
        """Fill the table; a configuration never changes, so once per run."""
        if self._shown == (record.id, len(record.config)):
            return
        self._shown = (record.id, len(record.config))
        rows = configuration_rows(record)
        changed = sum(row[3] for row in rows)
        name = record.preset or "no preset"
        differ = (
            f"1 setting differs from {name}; it stands"
            if changed == 1
            else f"{changed} settings differ from {name}; they stand"
        )
        text = f"{differ} first." if changed else f"As the preset {name}."
        if parsed(record) is None:
            text += " This program no longer understands the stored configuration; it is shown as it was stored."
        self.note.setText(text)
        self.table.setRowCount(len(rows))
        for number, (path, value, base, differs) in enumerate(rows):
            for column, cell in enumerate((f"● {path}" if differs else path, value, base)):
                item = QTableWidgetItem(cell)
                item.setToolTip(cell)
                if differs:
                    font = QFont()
                    font.setBold(True)
                    item.setFont(font)
                self.table.setItem(number, column, item)
        self._apply_filter()

    def _apply_filter(self, *_: object) -> None:
        wanted = self.filter.text().lower()
        for row in range(self.table.rowCount()):
            cells = [self.table.item(row, column) for column in range(2)]
            text = " ".join(cell.text().lower() for cell in cells if cell is not None)
            self.table.setRowHidden(row, wanted not in text)
