"""The import dialog: what a file holds, how it is read, what is kept of it with a live count, and the import itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QComboBox,
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from engine.config import ImportRecipe, SettingInfo, duration_text, recipe_fields
from engine.errors import ConfigurationError, DataError
from engine.records import GUESS, NO_COLUMN, ImportLook, ImportProgress, ImportReport, ImportResult
from workbench.context import Context
from workbench.forms.field import FieldRow, Fold
from workbench.theme import SMALL, SPACE, WIDE, set_role
from workbench.widgets.cards import Elided, scrolled
from workbench.widgets.home_parts import ask_for_file
from workbench.widgets.import_job import ImportJob
from workbench.widgets.import_parts import (
    ROLES,
    BadRows,
    Preview,
    StageTable,
    bad_rows_words,
    in_form_words,
    listed,
    options_in,
)
from workbench.widgets.layout import Card, label
from workbench.widgets.numbers import count
from workbench.widgets.states import StatefulStack
from workbench.widgets.text import memory_text

READING = ("format", "user", "item", "rating", "time", "time-unit", "titles", "name")
LAYOUT = ("separator", "header", "encoding")
KEEPING = ("minimum-rating", "duplicates", "longest", "core", "ties", "on-bad-rows")
_RESETS_COLUMNS = ("format", "separator", "header")
_NARROW = 1120
"""Below this width the two cards of settings stand under each other."""
_FEW = 3
"""Rows of the preview and of the bad ones where there are both: the settings that mend those stay in sight."""


class ImportDialog(QDialog):
    """Imports ``path``; `imported` carries the path of the data set that pages open. Nothing in it waits."""

    imported = Signal(str)

    def __init__(self, context: Context, path: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context = context
        self.path = path
        self.given: dict[str, Any] = {}
        self._looked_with: dict[str, Any] = {}
        """What the user has chosen; everything else is guessed from the file."""
        self.recipe = ImportRecipe()
        self.shown_look: ImportLook | None = None
        self.report: ImportReport | None = None
        self.is_refused = False
        """Counting has told why nothing can be imported as the recipe stands."""
        self.wrong: dict[str, str] = {}
        self.rows: dict[str, FieldRow] = {}
        self.job = ImportJob(context, path, self)
        self._make_parts()
        self._arrange()
        self._connect()
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        room = self.screen().availableSize() * 0.94
        self.resize(QSize(1180, 900).boundedTo(room))
        self._look()

    # Parts ----------------------------------------------------------------------------------------------------------

    def _make_parts(self) -> None:
        theme = self.context.theme
        self.title = label("", "page-title")
        self.subtitle = Elided("", "muted", Qt.TextElideMode.ElideMiddle)
        self._name_file()
        self.preview = Preview()
        self.problem = label("", "note-bad", wrap=True)
        self.problem.hide()
        self.layout_fold = Fold("Separator, header, encoding", theme, is_open=False)
        self.stages = StageTable()
        self.notes = label("", "note", wrap=True)
        self.notes.hide()
        self.bad = BadRows(_FEW)
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("Progress")
        keep = self.progress.sizePolicy()
        keep.setRetainSizeWhenHidden(True)
        self.progress.setSizePolicy(keep)
        self.progress.hide()
        self.status = label("", "muted", wrap=True)
        # It only chooses: "Import" does one thing, whenever the count is done under the mouse.
        self.leave_out = QPushButton("Leave these rows out")
        self.leave_out.setToolTip("Sets 'Bad rows' to import the valid rows; the choice is kept in the recipe")
        self.bad.add_choice(self.leave_out)
        self.go = QPushButton("Import")
        set_role(self.go, "primary")
        self.go.setDefault(True)
        self.cancel = QPushButton("Close")
        self.cancel.setAutoDefault(False)
        self.leave_out.setAutoDefault(False)
        self.stack = StatefulStack(scrolled(self._content()), theme)

    def _name_file(self) -> None:
        self.setWindowTitle(f"Import {Path(self.path).name}")
        self.title.setText(f"Import {Path(self.path).name}")
        self.subtitle.set_full(self.path)

    def _content(self) -> QWidget:
        infos = {info.path: info for info in recipe_fields()}
        reading, keeping, left = Card("How it is read"), Card("What is kept"), Card("What is left")
        for names, body in ((READING, reading.body), (KEEPING, keeping.body), (LAYOUT, self.layout_fold.body)):
            body.setSpacing(SMALL // 2)
            for name in names:
                body.addWidget(self._row(infos[name]))
        reading.body.addWidget(self.layout_fold)
        reading.body.addStretch(1)
        for widget in (self.stages, self.notes):
            left.body.addWidget(widget)
        right = QVBoxLayout()
        right.setSpacing(WIDE)
        right.addWidget(keeping)
        right.addWidget(left)
        right.addStretch(1)
        self.cards = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self.cards.setSpacing(WIDE)
        self.cards.addWidget(reading, 1)
        self.cards.addLayout(right, 1)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(WIDE, 0, WIDE, WIDE)
        column.setSpacing(WIDE)
        column.addWidget(self.preview)
        column.addWidget(self.problem)
        column.addWidget(self.bad)  # above the settings: it stops the import, and below them nobody would see it
        column.addLayout(self.cards)
        column.addStretch(1)
        return content

    def _row(self, info: SettingInfo) -> FieldRow:
        if info.path in ROLES:
            info = info.renamed(info.path, {GUESS: "choose …"})  # the file's columns, once they are known
        row = FieldRow(info, self.context.theme, base="guess" if info.path in (*READING, *LAYOUT) else "default")
        row.help.hide()  # the tool tip says it: two cards stand side by side
        row.edited.connect(self._edit)
        self.rows[info.path] = row
        return row

    def _arrange(self) -> None:
        head = QVBoxLayout()
        head.setContentsMargins(WIDE, WIDE, WIDE, SPACE)
        head.setSpacing(2)
        head.addWidget(self.title)
        head.addWidget(self.subtitle)
        foot = QHBoxLayout()
        foot.setContentsMargins(WIDE, SPACE, WIDE, WIDE)
        foot.setSpacing(SMALL)
        texts = QVBoxLayout()
        texts.setSpacing(SMALL // 2)
        texts.addWidget(self.status)
        texts.addWidget(self.progress)
        foot.addLayout(texts, 1)
        for button in (self.cancel, self.go):
            foot.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(head)
        layout.addWidget(self.stack, 1)
        layout.addLayout(foot)

    def _connect(self) -> None:
        self.job.looked.connect(self._looked)
        self.job.counted.connect(self._counted)
        self.job.imported.connect(self._imported)
        self.job.failed.connect(self._failed)
        self.job.progressed.connect(self._progressed)
        self.job.busy_changed.connect(self._show_busy)
        self.go.clicked.connect(self.start)
        self.leave_out.clicked.connect(self._leave_out)
        self.cancel.clicked.connect(self.reject)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wide = self.width() >= _NARROW
        self.cards.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)

    # Looking --------------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        try:
            recipe = ImportRecipe().replace(self.given)
        except ConfigurationError:
            return  # the field that is wrong says so
        if self.shown_look is None:
            self.stack.show_loading("Looking at the file …")
        self._looked_with = dict(self.given)
        self.job.look(recipe)

    def _looked(self, look: ImportLook) -> None:
        is_first, self.shown_look = self.shown_look is None, look
        # What was edited while the look went on is not in its recipe.
        before = self._looked_with
        since = {name: value for name, value in self.given.items() if name not in before or before[name] != value}
        self.recipe = ImportRecipe().replace({**look.recipe, **since})
        size = memory_text(look.size) if look.size >= 2**20 else f"{look.size:,} bytes"
        self.subtitle.set_full(f"{look.label}  ·  {size}  ·  {look.path}")
        self.stack.show_content()
        self._say_problem(look.problem)
        self.is_refused = False
        self._refresh()
        if len(look.columns) < 2:
            self.layout_fold.set_open(True)  # what separates the columns is the first thing to say
        if look.problem:
            self.report = None
            self._show_report()
        else:
            self.job.count(self.recipe, reads_anew=True)
        self._show_buttons()
        if is_first:
            self.rows["format"].editor.field.setFocus()

    def _say_problem(self, text: str) -> None:
        said = in_form_words(text)
        self.problem.setText(said[:1].upper() + said[1:])  # the engine's stands behind the file's name
        self.problem.setVisible(bool(said))
        self._unfold(text)

    def _unfold(self, text: str) -> None:
        """Show the folded settings where a sentence names one of them."""
        if options_in(text) & {*LAYOUT}:
            self.layout_fold.set_open(True)

    def _refresh(self) -> None:
        """Bring the rows of settings and the preview up to date with the recipe."""
        if self.shown_look is None:
            return
        names = {column.name: f"{column.name}   ({column.kind})" for column in self.shown_look.columns}
        for info in recipe_fields(self.recipe):
            row, base = self.rows[info.path], info.default
            if info.path in ROLES:
                none = {NO_COLUMN: "none"} if info.path in ("rating", "time") else {}
                choices = ({} if info.value else {GUESS: "choose …"}) | names | none
                self._offer(row, choices)
            if info.path in (*READING, *LAYOUT):
                base = info.value if info.name not in self.given else GUESS_OF.get(info.path, info.default)
            if info.path == "titles" and "titles" not in self.given and self.shown_look.title:
                info, base = replace(info, value=GUESS), GUESS
            if info.path not in self.wrong:
                row.show_error("")
                row.show_info(info, base)
        self.rows["time-unit"].setEnabled(self.recipe.time not in ("", NO_COLUMN))
        self._say_own_titles(self.shown_look.title)
        self.preview.show_look(self.shown_look, self.recipe.model_dump())

    def _say_own_titles(self, column: str) -> None:
        field = self.rows["titles"].editor.field
        assert isinstance(field, QLineEdit)
        field.setPlaceholderText(f"column '{column}'" if column else "")

    def _offer(self, row: FieldRow, choices: dict[str, str]) -> None:
        combo = row.editor.field
        assert isinstance(combo, QComboBox)
        if [combo.itemData(place) for place in range(combo.count())] != list(choices):
            combo.clear()
            for value, text in choices.items():
                combo.addItem(text, value)

    # Editing --------------------------------------------------------------------------------------------------------

    def _edit(self, path: str, value: Any) -> None:
        name = path.replace("-", "_")
        try:
            self.recipe.replace({name: value})
        except ConfigurationError as error:
            self.wrong[path] = error.message.removeprefix(f"{error.field}: ")
            self.rows[path].show_error(self.wrong[path].capitalize())
            self._show_buttons()
            return
        self.wrong.pop(path, None)
        if path in _RESETS_COLUMNS:
            self.given = {key: kept for key, kept in self.given.items() if key not in (*ROLES, "time_unit")}
        if path == "time":
            self.given.pop("time_unit", None)
        self.given[name] = value
        if path in ROLES and value != GUESS:
            self._exchange(name, value)
        if path in (*READING, *LAYOUT) and value == GUESS_OF.get(path, GUESS):
            del self.given[name]
        if path in (*READING, *LAYOUT):
            self._look()
        else:
            self.recipe = self.recipe.replace({name: value})
            self._refresh()
            self._show_report()
            if path != "on-bad-rows":  # which changes no count, and makes nothing of what was refused
                self.is_refused = False
                self.stages.setEnabled(False)  # its counts are another recipe's
                self.status.setText("Counting …")
                self.job.count(self.recipe)
        self._show_buttons()

    def _exchange(self, role: str, column: str) -> None:
        """A column has one role: the one that had it until now takes what ``role`` had, and the others stay. Only users
        and items change places; ratings and times are left out then, for an id is neither."""
        changed = {role: column}
        for other in ROLES:
            if column != NO_COLUMN and other != role and getattr(self.recipe, other) == column:
                are_ids = {role, other} == {"user", "item"}
                left_out = NO_COLUMN if other in ("rating", "time") else GUESS
                changed[other] = getattr(self.recipe, role) if are_ids else left_out
                self.given[other] = changed[other]
        self.recipe = self.recipe.replace(changed)  # at once: the next choice goes by what is seen
        self._refresh()

    # Counting -------------------------------------------------------------------------------------------------------

    def _counted(self, report: ImportReport) -> None:
        self.report, self.is_refused = report, False
        self.stages.setEnabled(True)
        self.problem.hide()
        self._unfold(" ".join(row.reason for row in listed(report)))
        self._show_report()

    def _show_report(self) -> None:
        report = self.report
        self.stages.show_report(report)
        self.bad.show_report(report, skips=self.recipe.on_bad_rows == "skip")
        self.preview.set_rows(5 if self.bad.isHidden() else _FEW)
        self.notes.setText(in_form_words(" ".join(report.notes)) if report else "")
        self.notes.setVisible(bool(report and report.notes))
        if report is not None and not self.job.is_importing:
            kept = report.kept
            rows = f"{report.rows:,} rows"
            bad = f" {bad_rows_words(report.bad_count, stops=self._stops_at_bad_rows())}" * bool(report.bad_count)
            left = f"Leaves {kept.users:,} users, {kept.items:,} items, {kept.actions:,} actions of {rows}.{bad}"
            self.status.setText(f"{self._why_empty(report)}{bad}" if kept.users < 2 else left)
        self._show_buttons()

    def _why_empty(self, report: ImportReport) -> str:
        """After which step too little is left, and which setting keeps more."""
        stage = next(stage for stage in report.stages if stage.users < 2)
        what = "one user" if stage.users else "nothing"
        row = self.rows.get({"rating": "minimum-rating"}.get(stage.name, stage.name))
        lower = f" Lower '{row.info.label}'." if row is not None and stage is not report.stages[0] else ""
        return f"After '{stage.label}', {what} is left of {report.rows:,} rows: it cannot be imported.{lower}"

    def _show_buttons(self) -> None:
        look, report = self.shown_look, self.report
        can = look is not None and not look.problem and not self.wrong and not self.is_refused
        can = can and not self.job.is_importing and not self.job.is_looking
        stops = self._stops_at_bad_rows()
        is_empty = report is not None and report.kept.users < 2
        self.go.setEnabled(can and not is_empty and not stops)
        self.go.setToolTip("There are rows that cannot be used: leave them out, or mend the file" if stops else "")
        self.leave_out.setVisible(stops)
        self.cancel.setText("Cancel" if self.job.is_importing else "Close")
        self.stack.content.setEnabled(not self.job.is_importing)

    def _stops_at_bad_rows(self) -> bool:
        return self.report is not None and self.report.bad_count > 0 and self.recipe.on_bad_rows == "stop"

    def _leave_out(self) -> None:
        self._edit("on-bad-rows", "skip")
        self.go.setFocus()  # what had the focus is hidden now

    # Importing ------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Import with the recipe as it stands."""
        if self.go.isEnabled():
            self.problem.hide()
            self.status.setText("Importing …")
            self.job.run(self.recipe)
            self._show_buttons()
            self.cancel.setFocus()  # what had the focus is disabled now

    def _imported(self, result: ImportResult) -> None:
        kept, bad = result.report.kept, result.report.bad_count
        before = "" if result.is_new else "It was imported by the same recipe before: "
        self.context.notifier.tell(
            f"{before}{result.name}: {kept.users:,} users, {kept.items:,} items, {kept.actions:,} actions."
            + (f" Left out: {count(bad, 'row')} that cannot be used." if bad else "")
        )
        self.imported.emit(result.path)
        self.accept()

    def _failed(self, what: str, error: BaseException) -> None:
        if what == "look" and self.shown_look is None:
            self.stack.show_error(error, "Try again", self._look, ("Choose another file…", self._choose_other))
            self._show_buttons()
            return
        self.context.notifier.report_bug(error)
        said = str(error).replace(f"{self.path}: ", "").replace(f"{self.path}, ", "")
        self._say_problem(said)
        self.status.setText("" if what == "look" else "It could not be imported." if what == "import" else "")
        if what != "import":
            self.report = None
            self.is_refused = isinstance(error, DataError)
            self._show_report()
        self._show_buttons()

    def _choose_other(self) -> None:
        """Ask for another file to import, beside the one that cannot be."""
        ask_for_file(self, str(Path(self.path).parent), self.read_other, "Import a data set")

    def read_other(self, path: str) -> None:
        """Begin again with another file; what was chosen for the one before was chosen for that."""
        self.job.read_other(path)
        self.path, self.given, self.shown_look, self.report = path, {}, None, None
        self.wrong.clear()
        self._name_file()
        self._look()

    def _progressed(self, progress: ImportProgress) -> None:
        self.progress.setRange(0, 1000)
        self.progress.setValue(round(progress.share * 1000))
        left = "" if progress.seconds_left is None else f", about {duration_text(progress.seconds_left)} left"
        what = "Importing" if self.job.is_importing else "Counting"
        share = f" {progress.share:.0%}" if progress.share else ""
        self.status.setText(f"{what}: {progress.phase.lower()}{share}{left}")

    def _show_busy(self, is_busy: bool) -> None:
        self.progress.setVisible(is_busy)
        self.progress.setValue(0)
        self._show_buttons()

    # Ending ---------------------------------------------------------------------------------------------------------

    def reject(self) -> None:
        """Cancel what is being imported, leaving nothing behind; otherwise close."""
        if self.job.is_importing:
            self.job.stop()
            self.status.setText("Cancelled; nothing was kept.")
            self._show_buttons()
            return
        super().reject()

    def done(self, result: int) -> None:
        self.job.close()
        super().done(result)

    def closeEvent(self, event: QCloseEvent) -> None:
        self.job.close()
        super().closeEvent(event)


GUESS_OF = {"time-unit": "auto", "separator": "auto", "header": "auto", "encoding": "utf-8"}
"""Values that leave a setting to a guess, where that is not the empty text."""
