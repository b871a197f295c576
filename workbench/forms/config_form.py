"""The form of a whole configuration, generated from its fields. Nothing in it names a single setting's rules."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QApplication, QVBoxLayout

from engine.config import (
    CHOICES,
    SECTIONS,
    ExperimentConfig,
    SettingInfo,
    applies,
    fidelity_of,
    fields_of,
    parse_list,
    values_of,
    why_idle,
    why_unused,
    with_fidelity,
)
from engine.errors import ConfigurationError
from workbench.forms.field import DOT_WIDTH, FieldRow, Fold
from workbench.run_names import NOT_COMPARED
from workbench.theme import SMALL, SPACE, Theme
from workbench.widgets.cards import show_in_area
from workbench.widgets.choice_box import ChoiceBox
from workbench.widgets.layout import Card, label
from workbench.widgets.pieces import InPieces

TITLES = {
    "data": "Data",
    "model": "Model",
    "augment": "Augmentation",
    "similarity": "Item correlation",
    "loss": "Loss",
    "train": "Training",
    "evaluate": "Evaluation",
    "fidelity": "Fidelity to paper or published code",
}
CHOOSERS = ("model.name", *(path for _, path in CHOICES))
"""Fields that decide which other fields their section has."""
CLOSED = ("data", "evaluate", "fidelity")
READINGS = {"paper": "as the paper", "published": "as published", "custom": "custom"}


class ConfigForm(InPieces):
    """Shows ``config`` beside ``baseline`` (the preset). `config_changed` carries every new valid configuration."""

    config_changed = Signal(object)
    validity_changed = Signal(bool)
    """Whether all is well, whenever other fields are refused than before."""
    lists_changed = Signal()
    """A list was entered, changed or taken back: another number of runs."""

    def __init__(
        self,
        config: ExperimentConfig,
        baseline: ExperimentConfig,
        theme: Theme,
        *,
        skip: Collection[str] = (),
        at_once: bool = True,
    ) -> None:
        """``skip``: fields that are entered elsewhere. ``at_once`` as of `InPieces`."""
        self.config = config
        self.baseline = baseline
        self._preset = values_of(baseline)
        self._theme = theme
        self._skip = frozenset(skip)
        self.rows: dict[str, FieldRow] = {}
        self.folds: dict[str, Fold] = {}
        self.wrong: dict[str, Any] = {}
        """Entered values that the configuration refuses, by path. The configuration keeps its last good value."""
        self.lists: dict[str, tuple[Any, ...]] = {}
        """Settings in which a list was entered; the configuration holds its first value."""
        super().__init__(at_once=at_once)

    def make(self) -> Iterator[None]:
        """The sections, one a piece."""
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(SPACE)
        for section in SECTIONS:
            self._layout.addWidget(self._section(section))
            yield
        self._layout.addStretch(1)
        self.refresh()

    @property
    def is_valid(self) -> bool:
        return not self.wrong

    def _section(self, section: str) -> Card:
        card = Card()
        card.body.setContentsMargins(SPACE, SPACE // 2, SPACE, SPACE // 2)
        fold = Fold(TITLES[section], self._theme, is_open=section not in CLOSED)
        card.body.addWidget(fold)
        self.folds[section] = fold
        if section == "fidelity":
            self._add_reading(fold)
        self._fill(section)
        return card

    def _add_reading(self, fold: Fold) -> None:
        self.reading = ChoiceBox()
        self.reading.setAccessibleName("Reading: as the paper, as published, or custom")
        self.reading.setToolTip("Sets every switch where the authors' published code departs from the paper.")
        for value, text in READINGS.items():
            self.reading.addItem(text, value)
        self.reading.activated.connect(self._choose_reading)
        fold.top.insertWidget(1, self.reading)
        told = label("Each switch is one departure of the published code from the paper.", "muted", wrap=True)
        told.setContentsMargins(DOT_WIDTH + SMALL, 0, 0, SMALL)  # where the rows' names begin
        fold.body.addWidget(told)

    def _fill(self, section: str) -> None:
        """Make the section's rows anew (the model's own fields change with the model), the folded ones when opened."""
        fold = self.folds[section]
        for path in [path for path in self.rows if path.startswith(f"{section}.")]:
            row = self.rows.pop(path)
            row.setParent(None)
            row.deleteLater()
        if old := self.folds.pop(f"{section}/advanced", None):
            old.setParent(None)
            old.deleteLater()
        fold.fill_when_opened(lambda: self._add_rows(section))

    def _infos(self, section: str) -> list[SettingInfo]:
        shown = (info for info in fields_of(self.config, section) if info.path not in self._skip)
        return [info for info in shown if applies(self.config, info.path)]

    def _add_rows(self, section: str) -> None:
        fold = self.folds[section]
        infos = self._infos(section)
        for info in infos:
            if not info.advanced:
                fold.body.addWidget(self._row(info))
        if any(info.advanced for info in infos):
            more = Fold("Advanced", self._theme, is_open=False)
            self.folds[f"{section}/advanced"] = more
            fold.body.addWidget(more)
            more.fill_when_opened(lambda: self._add_advanced(section))

    def _add_advanced(self, section: str) -> None:
        for info in self._infos(section):
            if info.advanced:
                self.folds[f"{section}/advanced"].body.addWidget(self._row(info))

    def _row(self, info: SettingInfo) -> FieldRow:
        row = FieldRow(info, self._theme)
        row.show_info(info, self._base(info))
        if info.path in self.lists:  # typed into the field that this one takes the place of
            row.enter_list(self.lists[info.path])
        self._show_unused(row)
        row.edited.connect(self._edit)
        self.rows[info.path] = row
        return row

    def _base(self, info: SettingInfo) -> Any:
        """What a value is compared with; a preset says nothing of the data set."""
        return info.value if info.path in NOT_COMPARED else self._preset.get(info.path, info.default)

    def _edit(self, path: str, value: Any) -> None:
        """Try what was entered; what is refused stays in the field with the reason, the rest goes on."""
        before = set(self.wrong)
        had_list = self.lists.pop(path, None) is not None
        value = self._take_list(path, value)
        self.wrong[path] = value
        # Another wrong field may have been mended by this one (two settings that must agree), so all are tried.
        for key, entered in list(self.wrong.items()):
            try:
                self.config = self.config.replace({key: entered})
            except ConfigurationError as error:
                error = self._list_error(key, entered) or error
                known = {info.path for section in SECTIONS for info in self._infos(section)}
                where = error.field if error.field in known else key
                self._show_error(where, error)
            else:
                del self.wrong[key]
        had_list |= self._forget_unused_lists()
        if path in CHOOSERS and path not in self.wrong:
            row, focused = self.rows.get(path), QApplication.focusWidget()
            is_focused = row is not None and focused is not None and row.isAncestorOf(focused)
            self._fill(path.split(".")[0])
            if is_focused:
                self.show_field(path)  # the fields are made anew: the keyboard stays where it was
        self.refresh()
        if path not in self.wrong:
            self.config_changed.emit(self.config)
        if had_list or path in self.lists:
            self.lists_changed.emit()
        if before != set(self.wrong):
            self.validity_changed.emit(self.is_valid)

    def _take_list(self, path: str, value: Any) -> Any:
        """``0.1, 0.2`` in a field for a number is a list: kept, and its first value given; anything else as it is."""
        row = self.rows.get(path)
        if row is None or not isinstance(value, str) or row.info.annotation not in (int, float):
            return value
        is_range = row.info.annotation is int and re.fullmatch(r"\s*\d+\s*-\s*\d+\s*", value) is not None
        if "," not in value and not is_range:
            return value
        try:
            values = parse_list(self.config, path, value)
        except ConfigurationError:
            return value  # refused below, in the list's own words
        if len(values) > 1:
            self.lists[path] = values
        return values[0]

    def _forget_unused_lists(self) -> bool:
        """Drop the lists in settings that the model or the loss no longer has a use for; whether there were any."""
        unused = [path for path in self.lists if why_unused(self.config, path) or not applies(self.config, path)]
        for path in unused:
            del self.lists[path]
        return bool(unused)

    def _list_error(self, path: str, entered: Any) -> ConfigurationError | None:
        """What is wrong with a list, where one was meant."""
        if not isinstance(entered, str) or "," not in entered:
            return None
        try:
            parse_list(self.config, path, entered)
        except ConfigurationError as error:
            return error
        return None

    def _show_error(self, path: str, error: ConfigurationError) -> None:
        if path not in self.rows:
            self.show_field(path)
        text = error.message.removeprefix(f"{error.field}: ")
        self.rows[path].show_error(f"{text[:1].upper()}{text[1:]} {error.hint}".strip())

    def set_config(self, config: ExperimentConfig, baseline: ExperimentConfig | None = None) -> None:
        """Show another configuration; what was entered wrongly is forgotten."""
        before = self.is_valid
        before_of = {path: self.config.value(path) for path in CHOOSERS}
        self.config = config
        if baseline is not None:
            self.baseline = baseline
            self._preset = values_of(baseline)
        self.wrong.clear()
        had_lists = bool(self.lists)
        self.lists.clear()
        if had_lists:
            self.lists_changed.emit()
        for path, value in before_of.items():
            if value != config.value(path):
                self._fill(path.split(".")[0])
        self.refresh()
        if not before:
            self.validity_changed.emit(True)

    def refresh(self) -> None:
        """Bring every row, and what the headings say, up to date with the configuration."""
        changed: dict[str, int] = {}
        for info in fields_of(self.config):
            if info.path in self._skip:
                continue
            base = self._base(info)
            changed[info.section] = changed.get(info.section, 0) + (info.value != base)
            row = self.rows.get(info.path)
            if row is not None and info.path in self.lists:
                row.show_error("")
                row.show_list(self.lists[info.path])
            elif row is not None and info.path not in self.wrong:
                row.show_error("")
                row.show_info(info, base)
                self._show_unused(row)
        for section in SECTIONS:
            count = changed.get(section, 0)
            unused = why_unused(self.config, section)
            told = [f"{count} changed" * bool(count), self._idle(section)]
            self.folds[section].note.setText(f"Not used: {unused}" if unused else " · ".join(filter(None, told)))
        self.reading.setCurrentIndex(self.reading.findData(fidelity_of(self.config)))
        self.reading.model().item(2).setEnabled(False)  # type: ignore[attr-defined]

    def _show_unused(self, row: FieldRow) -> None:
        """Close the row where the model, or another setting, leaves it nothing to do; one reason for a whole section
        stands at its heading."""
        path, section = row.info.path, row.info.section
        unused = why_unused(self.config, path)
        # A whole section that is idle stays open: it says so, and is set up before what wakes it.
        idle = "" if self._idle(section) else self._idle(path)
        row.show_unused(f"Not used: {unused}" if unused else idle, is_told=bool(why_unused(self.config, section)))

    def _idle(self, path: str) -> str:
        """Why a setting or section changes nothing in any of the runs that lists make of this configuration."""
        reason = why_idle(self.config, path)
        others = ((listed, value) for listed, values in self.lists.items() for value in values[1:]) if reason else ()
        return "" if any(not self._is_idle_with(path, *other) for other in others) else reason

    def _is_idle_with(self, path: str, listed: str, value: Any) -> bool:
        try:
            return bool(why_idle(self.config.replace({listed: value}), path))
        except ConfigurationError:  # told at its field
            return True

    def _choose_reading(self, _: int) -> None:
        reading = self.reading.currentData()
        if reading in ("paper", "published"):
            try:
                chosen = with_fidelity(self.config, reading)
            except ConfigurationError as error:  # a reading may ask of the model what it cannot do
                self.refresh()
                self._show_error(error.field, error)
                return
            self.set_config(chosen)
            self.config_changed.emit(self.config)
        else:
            self.refresh()

    def show_field(self, path: str) -> None:
        """Open what hides a field and put the cursor into it. Unknown paths are passed over."""
        section = path.split(".")[0]
        info = next((info for info in self._infos(section) if info.path == path), None) if section in TITLES else None
        if info is None:
            return
        self.folds[section].set_open(True)
        if info.advanced:
            self.folds[f"{section}/advanced"].set_open(True)
        field = self.rows[path].editor.field
        field.setFocus()
        # Only a step with Tab scrolls by itself; what has just been opened is laid out by the next turn.
        QTimer.singleShot(0, field, lambda: show_in_area(field))

    def open_all(self) -> None:
        """Open every section."""
        for section in SECTIONS:
            self.folds[section].set_open(True)
            if more := self.folds.get(f"{section}/advanced"):
                more.set_open(True)
