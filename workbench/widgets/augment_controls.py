"""The operators' settings as controls, generated from the configuration's fields: each change gives a new draft."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine import registry
from engine.config import ExperimentConfig, SettingInfo, fidelity_of, fields_of, with_fidelity
from workbench.theme import SMALL, SPACE, TIGHT, WIDE
from workbench.widgets.cards import label, roomy
from workbench.widgets.choice_box import ChoiceBox, DecimalBox, NumberBox, SlideBox

POLICY = "policy"
READINGS = (("paper", "as the paper"), ("published", "as published"), ("custom", "custom"))


def tip_of(info: SettingInfo) -> str:
    """Help, symbol and place in the paper."""
    symbol = f"{info.symbol}: " if info.symbol else ""
    return f"{symbol}{info.help} ({info.source})"


class RateControl(QWidget):
    """One ratio: its name, a slider and a spin box that follow each other."""

    changed = Signal(str, float)
    """Dotted path and the new value."""

    STEPS = 100

    def __init__(self, info: SettingInfo, caption: str) -> None:
        super().__init__()
        self.path = info.path
        lower, upper = info.lower or 0.0, 1.0 if info.upper is None else info.upper
        self.spin = DecimalBox()
        self.spin.setRange(lower, upper)
        self.spin.setSingleStep(0.05)
        self.spin.setDecimals(2)
        self.slider = SlideBox(Qt.Orientation.Horizontal)
        self.slider.setRange(0, self.STEPS)
        self.slider.setMinimumHeight(20)
        roomy(self.spin)
        self._lower, self._span = lower, upper - lower
        for control in (self.spin, self.slider):
            control.setToolTip(tip_of(info))
            control.setAccessibleName(info.label)
            control.setAccessibleDescription(tip_of(info))
        name = label(f"{caption} {info.symbol}".strip(), "muted")
        name.setBuddy(self.spin)
        name.setToolTip(tip_of(info))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SMALL)
        layout.addWidget(name)
        layout.addWidget(self.spin)
        layout.addWidget(self.slider)
        layout.addStretch(1)
        self.spin.setMinimumWidth(78)
        self.setMinimumWidth(84)
        self.setMaximumWidth(200)
        self.set_value(float(info.value))
        self.spin.valueChanged.connect(self._typed)
        self.slider.valueChanged.connect(self._slid)

    def set_value(self, value: float) -> None:
        """Show a value without telling."""
        with QSignalBlocker(self.spin), QSignalBlocker(self.slider):
            self.spin.setValue(value)
            self.slider.setValue(round((value - self._lower) / self._span * self.STEPS))

    def _typed(self, value: float) -> None:
        self.set_value(value)
        self.changed.emit(self.path, value)

    def _slid(self, step: int) -> None:
        value = round(self._lower + self._span * step / self.STEPS, 2)
        self.set_value(value)
        self.changed.emit(self.path, value)


class LetterToggles(QWidget):
    """A set of operators as a row of letters; the last one cannot be taken out."""

    changed = Signal(str, str)
    """Dotted path and the letters."""

    def __init__(self, info: SettingInfo, order: str) -> None:
        super().__init__()
        self.path = info.path
        self.buttons: dict[str, QToolButton] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        known = {str(entry.facts["letter"]): entry for entry in registry.entries("operator")}
        for letter in sorted(known, key=lambda letter: (letter not in order, order.find(letter), letter)):
            entry = known[letter]
            button = QToolButton()
            button.setText(letter)
            button.setCheckable(True)
            button.setToolTip(f"{entry.label}: {entry.help}")
            button.setAccessibleName(f"{info.label}: {entry.label}")
            button.clicked.connect(lambda _=False, letter=letter: self._toggled(letter))
            self.buttons[letter] = button
            row.addWidget(button)
        row.addStretch(1)
        self.set_value(str(info.value))

    @property
    def value(self) -> str:
        return "".join(letter for letter in self.buttons if letter in self._letters)

    def set_value(self, letters: str) -> None:
        """Show a set of letters without telling."""
        self._letters = set(letters)
        for letter, button in self.buttons.items():
            button.setChecked(letter in self._letters)

    def _toggled(self, letter: str) -> None:
        wanted = self._letters ^ {letter}
        if wanted:
            self.set_value("".join(wanted))
            self.changed.emit(self.path, self.value)
        else:
            self.buttons[letter].setChecked(True)


class AugmentControls(QWidget):
    """Operator, reading, ratios, K and the two sets. ``draft`` is the configuration as the controls show it."""

    changed = Signal()

    def __init__(self, config: ExperimentConfig) -> None:
        super().__init__()
        self.draft = config
        self.operator_box = ChoiceBox()
        self.reading_box = ChoiceBox()
        self.k = NumberBox()
        fields = {info.name: info for info in fields_of(config, "augment")}
        self.rates: dict[str, list[RateControl]] = {
            entry.name: [RateControl(fields[name], entry.label) for name in entry.options.model_fields]
            for entry in registry.entries("operator")
        }
        # The paper's order (SIMCR), so that a set taken apart and put together again is the same setting.
        order = str(fields["long_operators"].default)
        self.sets = {name: LetterToggles(fields[name], order) for name in ("short_operators", "long_operators")}
        self._fill(fields)
        self._arrange(fields)
        self._connect()
        self.set_config(config)

    def _fill(self, fields: dict[str, SettingInfo]) -> None:
        self.operator_box.addItem("Policy (Eq. 12)", POLICY)
        for entry in registry.entries("operator"):
            self.operator_box.addItem(f"{entry.label} ({entry.facts['letter']})", entry.name)
            self.operator_box.setItemData(self.operator_box.count() - 1, entry.help, int(Qt.ItemDataRole.ToolTipRole))
        self.operator_box.setAccessibleName("Operator")
        self.operator_box.setToolTip("The policy draws an operator for each view, as training does; or always the same")
        for name, text in READINGS:
            self.reading_box.addItem(text, name)
        self.reading_box.setAccessibleName("Reading: where the published code departs from the paper")
        self.reading_box.setToolTip(
            "Rounding, mask token, start positions and more: as the paper or its published code"
        )
        self.k.setRange(0, 1_000_000)
        roomy(self.k)
        self.k.setAccessibleName("K")
        self.k.setToolTip(tip_of(fields["short_length"]))

    def _arrange(self, fields: dict[str, SettingInfo]) -> None:
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(WIDE)
        choice = QGridLayout()
        choice.setSpacing(SMALL)
        for row, (text, box) in enumerate(
            (("Operator", self.operator_box), ("Reading", self.reading_box), ("Short up to K", self.k))
        ):
            name = label(text, "muted")
            name.setBuddy(box)
            box.setMinimumWidth(124)
            choice.addWidget(name, row, 0)
            choice.addWidget(box, row, 1)
        choice.setRowStretch(3, 1)
        layout.addLayout(choice)
        rates = QHBoxLayout()
        rates.setSpacing(SPACE)
        for controls in self.rates.values():
            for control in controls:
                rates.addWidget(control, 1)
        rates.addStretch(0)
        layout.addLayout(rates, 1)
        sets = QVBoxLayout()
        sets.setSpacing(TIGHT // 2)
        self._set_names = []
        for field, text in (("short_operators", "Short sequences draw from"), ("long_operators", "Long ones from")):
            caption = label(text, "muted")
            caption.setToolTip(tip_of(fields[field]))
            self._set_names.append(caption)
            sets.addWidget(caption)
            sets.addWidget(self.sets[field])
        sets.addStretch(1)
        layout.addLayout(sets)

    def _connect(self) -> None:
        self.operator_box.currentIndexChanged.connect(self._operator_changed)
        self.reading_box.currentIndexChanged.connect(self._reading_changed)
        self.k.valueChanged.connect(lambda value: self._set("augment.short_length", value))
        for controls in self.rates.values():
            for control in controls:
                control.changed.connect(self._set)
        for toggles in self.sets.values():
            toggles.changed.connect(self._set)

    @property
    def operator(self) -> str:
        """``policy`` or an operator's name."""
        return str(self.operator_box.currentData())

    def set_operator(self, name: str) -> None:
        """Choose an operator by name; an unknown one is ignored."""
        index = self.operator_box.findData(name)
        if index >= 0:
            self.operator_box.setCurrentIndex(index)

    def set_config(self, config: ExperimentConfig) -> None:
        """Show another configuration without telling."""
        self.draft = config
        values = {info.path: info.value for info in fields_of(config, "augment")}
        for controls in self.rates.values():
            for control in controls:
                control.set_value(float(values[control.path]))
        for toggles in self.sets.values():
            toggles.set_value(str(values[toggles.path]))
        with QSignalBlocker(self.k):
            self.k.setValue(int(values["augment.short_length"]))
        self._show_reading()
        self._show_parts()

    def _show_reading(self) -> None:
        with QSignalBlocker(self.reading_box):
            self.reading_box.setCurrentIndex(self.reading_box.findData(fidelity_of(self.draft)))

    def _show_parts(self) -> None:
        is_policy = self.operator == POLICY
        for name, controls in self.rates.items():
            for control in controls:
                control.setVisible(is_policy or name == self.operator)
        for widget in (*self.sets.values(), *self._set_names):
            widget.setVisible(is_policy)

    def _operator_changed(self) -> None:
        self._show_parts()
        self.changed.emit()

    def _reading_changed(self) -> None:
        reading = self.reading_box.currentData()
        if reading == "custom":
            # Custom is what single switches in Train make; it is nothing that can be chosen.
            self._show_reading()
            return
        self._apply(lambda: with_fidelity(self.draft, reading))

    def _set(self, path: str, value: object) -> None:
        self._apply(lambda: self.draft.replace({path: value}))

    def _apply(self, make: Callable[[], ExperimentConfig]) -> None:
        self.draft = make()
        self._show_reading()
        self.changed.emit()
