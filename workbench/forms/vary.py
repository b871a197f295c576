"""One line for lists in settings whose fields are no text: ``loss.next_item = bce, cross_entropy; …``."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QStringListModel, Qt, Signal
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from engine.config import CHOICES, ExperimentConfig, applies, parse_list, values_of, why_unused, why_without_effect
from engine.errors import ConfigurationError
from workbench.theme import TIGHT, Theme, repolish
from workbench.widgets.choice_box import Proposals
from workbench.widgets.layout import label


def parse_lists(config: ExperimentConfig, text: str) -> dict[str, tuple[Any, ...]]:
    """Path → values. Raises ``ConfigurationError`` that names what is wrong."""
    found: dict[str, tuple[Any, ...]] = {}
    known = values_of(config)
    for part in filter(None, (piece.strip() for piece in text.split(";"))):
        path, sign, values = (piece.strip() for piece in part.partition("="))
        if not sign:
            raise ConfigurationError(f"'{part}' has no values.", "Write loss.next_item = bce, cross_entropy.")
        if path == "train.seed":
            raise ConfigurationError("seeds have a field of their own.", "Enter them above.")
        if path not in known:
            near = [name for name in sorted(known) if path and path.split(".")[-1] in name][:3]
            hint = f"Did you mean {', '.join(near)}?" if near else "A path is written as section.name."
            raise ConfigurationError(f"there is no setting '{path}'.", hint)
        if path in found:
            raise ConfigurationError(f"{path} stands twice.", "Write one list for it.")
        found[path] = parse_list(config, path, values)
    choosers = {chooser for _, chooser in CHOICES}
    for path in found:
        # Another list may choose a model, a loss or a similarity that gives the setting a use: then the grid tells.
        is_used = "model.name" in found or not why_unused(config, path)
        if not is_used or not (applies(config, path) or choosers & {*found}):
            raise ConfigurationError(why_without_effect(config, path), "Take it out of the line.", field=path)
    return found


class VaryLine(QWidget):
    """Emits `changed` when something else is typed; `check` reads it against a configuration."""

    changed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.lists: dict[str, tuple[Any, ...]] = {}
        self.is_valid = True
        self.line = QLineEdit()
        self.line.setPlaceholderText("Also vary: setting = a, b; …")
        self.line.setAccessibleName("Lists of values in other settings")
        self.line.setToolTip(
            "A field for a number takes a list itself (0.1, 0.2). Settings that are chosen from a list are varied "
            "here: loss.next_item = bce, cross_entropy; fidelity.hybrid_switch = at_epoch, after_epoch"
        )
        self.line.setClearButtonEnabled(True)
        self._paths = QStringListModel()
        completer = Proposals(self._paths, theme, self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        self.line.setCompleter(completer)
        self.error = label("", "error", wrap=True)
        self.error.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(TIGHT)
        column.addWidget(self.line)
        column.addWidget(self.error)
        self.line.textChanged.connect(lambda _: self.changed.emit())

    @property
    def text(self) -> str:
        return self.line.text()

    def set_text(self, text: str) -> None:
        """Enter this."""
        self.line.setText(text)

    def check(self, config: ExperimentConfig) -> None:
        """Read the line; what is wrong with it stands below."""
        paths = list(values_of(config))
        if paths != self._paths.stringList():
            self._paths.setStringList(paths)
        told = ""
        try:
            self.lists = parse_lists(config, self.text)
        except ConfigurationError as error:
            self.lists = {}
            told = str(error)
        self.is_valid = not told
        is_path = "." in told.partition(" ")[0].rstrip(":.")
        self.error.setText(told if is_path else told[:1].upper() + told[1:])
        self.error.setVisible(bool(told))
        if bool(self.line.property("wrong")) != bool(told):
            self.line.setProperty("wrong", bool(told))
            repolish(self.line)

    def of_all(self, config: ExperimentConfig) -> ExperimentConfig:
        """``config`` with what the line gives one value, which then holds for all runs."""
        single = {path: values[0] for path, values in self.lists.items() if len(values) == 1}
        try:
            return config.replace(single)
        except ConfigurationError:  # told when it is queued
            return config
