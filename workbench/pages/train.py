"""Train: choose a preset, change what should differ, say how many seeds, queue."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from engine import registry
from engine.config import (
    MOST_RUNS,
    ExperimentConfig,
    Preset,
    differences,
    fields_of,
    grid,
    preset,
    presets,
    pretrains_by_contrast,
    run_count,
    why_without_effect,
)
from engine.config.grouping import has_seeds
from engine.errors import ConfigurationError, DataError, UsageError
from engine.paths import default_workspace
from engine.records import DeviceInfo, RunRecord
from workbench.forms.config_form import ConfigForm
from workbench.forms.editors import number_text
from workbench.forms.seeds import parse_or_none, parse_seeds, seeds_text
from workbench.forms.vary import VaryLine
from workbench.pages import Page, PageCommand, PageWidget
from workbench.run_names import NOT_COMPARED
from workbench.theme import SMALL, SPACE, WIDE, repolish, set_role
from workbench.widgets.cards import scrolled
from workbench.widgets.choice_box import ChoiceBox
from workbench.widgets.cost_line import CostLine
from workbench.widgets.layout import Card, PageHeading, button, label, line
from workbench.widgets.numbers import count
from workbench.widgets.text import memory_text

SIDE_WIDTH = 330
DEFAULT_SEEDS = "1-3"
SKIPPED = ("train.seed",)
"""Entered beside the form, as several at once."""
WITHOUT_SEEDS = "What does not train gives the same with every seed: one run is enough."


def command_text(
    config: ExperimentConfig,
    chosen: Preset,
    seeds: Sequence[int],
    workspace: str = "",
    lists: Mapping[str, Sequence[Any]] | None = None,
    name: str = "",
) -> str:
    """The command line that queues and trains the same: only what differs from the preset and changes something is
    written out."""
    parts = ["coserec", "train", config.data.path, "--preset", chosen.name, "--seeds", seeds_text(tuple(seeds))]
    try:
        planned = grid(config, lists or {})
    except ConfigurationError:  # a combination is refused; the command tells its reason
        planned = (config,)
    for path, (_, value) in differences(chosen.config, config).items():
        is_told = path not in ("data.path", "train.seed", *(lists or ())) and value is not None
        if is_told and not all(why_without_effect(one, path) for one in planned):
            parts += [f"--{path}", value_word(value)]
    for path, values in (lists or {}).items():
        parts += ["--set", f"{path}={','.join(map(value_word, values))}"]
    parts += ["--name", name] if name else []
    parts += ["--workspace", workspace] if workspace else []
    return " ".join(shlex.quote(part) for part in parts)


def value_word(value: Any) -> str:
    """A value as the command line takes it."""
    return str(value).lower() if isinstance(value, bool) else str(number_text(value))


class TrainPage(PageWidget):
    """The form at the left; what will happen, and the button, at the right."""

    def make(self) -> Iterator[None]:
        context, session = self.context, self.context.session
        self.form = ConfigForm(
            session.config, preset(session.preset).config, context.theme, skip=SKIPPED, at_once=False
        )
        self._is_queueing = False
        self._refusal = ""
        self._before: tuple[ExperimentConfig, str] | None = None
        self._build()
        yield
        # In its place already: what is put into the window is dressed, and the whole form at once would be felt.
        while self.form.make_more():
            yield
        self.form.config_changed.connect(self._edited)
        self.form.validity_changed.connect(lambda _: self._refresh())
        session.config_changed.connect(self._follow_session)
        self.form.lists_changed.connect(self._refresh)
        self.vary.changed.connect(self._refresh)
        self.seeds.textChanged.connect(lambda _: self._refresh())
        context.runs.records_changed.connect(lambda _: self._show_button())
        self.cost.changed.connect(self._refresh)
        self._follow_session(session.config)

    # Parts ----------------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        heading = PageHeading("Train", "Start from a preset, change what should differ, queue.")
        inner = QWidget()
        set_role(inner, "page")
        column = QVBoxLayout(inner)
        column.setContentsMargins(WIDE, WIDE, SPACE, WIDE)
        column.setSpacing(SPACE)
        column.addWidget(self._preset_card())
        column.addWidget(self.form, 1)
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # Tab goes from field to field, and scrolls
        self.area.setWidget(inner)
        body = QHBoxLayout()
        body.setSpacing(0)
        body.addWidget(self.area, 1)
        body.addWidget(self._side())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(heading)
        layout.addLayout(body, 1)

    def _preset_card(self) -> Card:
        card = Card()
        self.preset = ChoiceBox()
        self.preset.setAccessibleName("Preset")
        self.preset.setMinimumWidth(320)
        for item in presets():
            self.preset.addItem(item.title, item.name)
        self.preset.activated.connect(self._choose_preset)
        self.preset_note = label("", "muted", wrap=True)
        self.back = button(
            "Undo all changes",
            self._reset,
            theme=self.context.theme,
            icon="resume",
            tip="Take every value of the preset back; the data set stays",
        )
        row = QHBoxLayout()
        row.setSpacing(SPACE)
        row.addWidget(label("Preset", "title"))
        row.addWidget(self.preset)
        row.addStretch(1)
        row.addWidget(self.back)
        card.body.addLayout(row)
        card.body.addWidget(self.preset_note)
        return card

    def _side(self) -> QWidget:
        theme = self.context.theme
        side = QWidget()
        card = Card("This will train")
        self.data_label = label("", "section", wrap=True)
        self.model_label = label("", "muted", wrap=True)
        self.changes_label = label("", "muted", wrap=True)
        self.seeds = QLineEdit(DEFAULT_SEEDS)
        self.seeds.setAccessibleName("Seeds")
        self.seeds.setToolTip("One run for each seed: 1-5, or 1, 2, 7")
        self.seeds_error = label("", "error", wrap=True)
        self.vary = VaryLine(theme)
        self.grid_label = label("", "muted", wrap=True)
        self.name = QLineEdit(placeholderText="Name: the preset's, and what differs")
        self.name.setToolTip("What the runs are called, with what differs from the preset and the seed; as --name does")
        self.device_label = label("Looking for devices …", "muted", wrap=True)
        self.queue = button("Queue", self.queue_runs, role="primary", tip="Write the runs into the queue (Ctrl+Return)")
        self.copy = button("Copy as command", self.copy_command, theme=theme, icon="copy")
        tip = "Many presets on this data set, with one protocol and one time for all (Ctrl+L)"
        self.board_button = button("Leaderboard …", self.open_leaderboard, theme=theme, icon="table", tip=tip)
        self.note = label("", "error", wrap=True)
        change = button("Change data set…", lambda: self.form.show_field("data.path"), role="link")
        self.cost = CostLine(self.context)
        seeds_label = label("Seeds", "section")
        seeds_label.setBuddy(self.seeds)
        self.name.setAccessibleName("Name")
        parts: list[QWidget] = [self.data_label, change, self.model_label, self.changes_label, line()]
        parts += [seeds_label, self.seeds, self.seeds_error, self.vary, self.grid_label, self.name, line()]
        parts += [label("Device", "section"), self.device_label, line()]
        # An estimate has more lines than what stood there before: below the buttons it moves none of them.
        parts += [self.note, self.queue, self.copy, self.board_button, line(), label("Cost", "section"), self.cost]
        for part in parts:
            card.body.addWidget(part)
        card.body.setAlignment(change, Qt.AlignmentFlag.AlignLeft)
        column = QVBoxLayout(side)
        column.setContentsMargins(SMALL, WIDE, WIDE, WIDE)
        column.addWidget(card)
        column.addStretch(1)
        area = scrolled(side)  # a low window still reaches the button
        area.setFixedWidth(SIDE_WIDTH)
        return area

    # What the page does ---------------------------------------------------------------------------------------------

    @property
    def chosen_preset(self) -> Preset:
        return preset(self.context.session.preset)

    def choose_preset(self, name: str) -> None:
        """Take every value of a preset; the data set stays, unless the preset was made for the sample alone."""
        chosen = preset(name)
        path = self.context.session.dataset
        if lost := self._changes():
            values = ", ".join(f"{path} {value_word(value)}" for path, (_, value) in lost.items())
            self.context.notifier.tell(f"The preset's own values took the place of {values}. Ctrl+Z takes it back.")
        before = (self.form.config, self.context.session.preset)
        self.context.session.set_config(chosen.config.replace({"data.path": path}), name)
        self._before = before if lost else None

    def can_undo(self) -> bool:
        """Whether a preset has just taken the place of changed settings."""
        return self._before is not None

    def undo(self) -> None:
        """Take the change of preset back, with the settings that were changed before it."""
        if self._before is not None:
            config, name = self._before
            self.context.session.set_config(config, name)
            self.context.notifier.tell(f"Undone: {preset(name).title} with its changed settings is back.")

    def _changes(self) -> dict[str, tuple[Any, Any]]:
        """Settings that differ from the preset, with its value and the form's; none that the form's model has not."""
        found = differences(self.chosen_preset.config, self.form.config)
        return {path: pair for path, pair in found.items() if path not in NOT_COMPARED and pair[1] is not None}

    def _choose_preset(self, _: int) -> None:
        self.choose_preset(str(self.preset.currentData()))

    def _reset(self) -> None:
        self.choose_preset(self.chosen_preset.name)

    def _edited(self, config: ExperimentConfig) -> None:
        self.context.session.set_config(config)
        self.context.control.expected.emit()

    def _follow_session(self, config: ExperimentConfig) -> None:
        """The configuration was changed: here, by a preset, or by another page's 'use these settings'."""
        self._before = None  # taking a preset back would now take this away
        self._refusal = ""  # it was said of other settings; a store's is said again by the next attempt
        if config is not self.form.config:
            self.form.set_config(config, self.chosen_preset.config)
        self._show_preset()
        self._refresh()

    def _show_preset(self) -> None:
        chosen = self.chosen_preset
        self.preset.setCurrentIndex(self.preset.findData(chosen.name))
        note = f"{chosen.description}  Source: {chosen.source}."
        if not chosen.fits(self.context.session.dataset):
            note += f"  Its values were chosen for {chosen.made_for}; open is {self.context.session.dataset_name}."
        self.preset_note.setText(note)

    def _seeds(self) -> tuple[int, ...]:
        try:
            seeds = parse_seeds(self.seeds.text())
        except ConfigurationError as error:
            text = str(error).removeprefix("train.seed: ")
            self.seeds_error.setText(text[:1].upper() + text[1:])
            self.seeds_error.show()
            self.seeds.setProperty("wrong", True)
            seeds = ()
        else:
            self.seeds_error.hide()
            self.seeds.setProperty("wrong", False)
        repolish(self.seeds)
        return seeds

    def _refresh(self) -> None:
        config, seeds = self.form.config, self._seeds()
        self.data_label.setText(self.context.session.dataset_name)
        self.data_label.setToolTip(config.data.path)
        self.vary.check(config)
        self.model_label.setText(summary(self.vary.of_all(config)))
        changed = list(self._changes())
        self.changes_label.setText(changes_text(changed))
        self.changes_label.setToolTip("\n".join(changed))
        self.back.setEnabled(bool(changed) or not self.form.is_valid)
        wrong = len(self.form.wrong)
        told = f"{wrong} {'setting is' if wrong == 1 else 'settings are'} refused; see the form." * bool(wrong)
        if not told and self.run_count > MOST_RUNS:
            told = f"At most {MOST_RUNS:,} runs are queued at once. Shorten a list, or the seeds."
        told = told or self._refusal
        self.note.setText(told)
        self.note.setVisible(bool(told))
        self.queue.setEnabled(self.can_queue())
        self.cost.show_config(config, self.form.is_valid)
        self.copy.setEnabled(bool(seeds) and self.form.is_valid and self.vary.is_valid)
        self._show_button()

    @property
    def lists(self) -> dict[str, tuple[Any, ...]]:
        """Settings with several values: those typed into their fields, and those of the line below the seeds."""
        return {**self.form.lists, **self.vary.lists}

    @property
    def run_count(self) -> int:
        """A run for each seed of each combination of the lists; one where seeds change nothing."""
        return run_count(self.form.config, self.lists, parse_or_none(self.seeds.text()))

    def _show_button(self) -> None:
        """How many runs, and what they will take: said before anything starts."""
        lists, seeds, runs = self.lists, len(parse_or_none(self.seeds.text())), self.run_count
        told = " × ".join(
            [*(f"{len(values)} {path.split('.')[1]}" for path, values in lists.items()), count(seeds, "seed")]
        )
        without = "" if has_seeds(self.form.config.model_dump(mode="json")) or seeds < 2 else WITHOUT_SEEDS
        self.grid_label.setText(without or (f"{told} = {count(runs, 'run')}" if lists else ""))
        self.grid_label.setVisible(bool(self.grid_label.text()) and bool(runs))
        if self._is_queueing:
            self.queue.setText("Queueing …")
            return
        text = f"Queue {count(runs, 'run')}{self.cost.total_text(runs, lists)}" if runs else "Queue"
        # The card is of one width: what is too long for a line takes two.
        self.queue.setText(text)
        if self.queue.sizeHint().width() > SIDE_WIDTH - SMALL - 3 * WIDE:
            self.queue.setText(text.replace(" · ", "\n"))

    def can_queue(self) -> bool:
        """Whether the form holds something that can be queued."""
        is_right = self.form.is_valid and self.vary.is_valid and bool(self._seeds())
        return is_right and self.run_count <= MOST_RUNS and not self._is_queueing

    def queue_runs(self) -> None:
        """Write one run per seed into the queue and show them."""
        if not self.can_queue():
            return
        self._is_queueing, self._refusal = True, ""
        self.cost.stop()
        self._refresh()
        try:
            self.context.control.submit(
                self.form.config,
                preset=self.chosen_preset.name,
                seeds=self._seeds(),
                lists=self.lists,
                name=self.called,
                on_result=self._queued,
                on_error=self._refused,
            )
        except ConfigurationError as error:  # a combination of the lists that the configuration refuses
            self._refused(error)

    @property
    def called(self) -> str:
        """The name that was typed for the runs."""
        return self.name.text().strip()

    def _queued(self, records: tuple[RunRecord, ...]) -> None:
        self._is_queueing = False
        self.name.clear()  # what is queued next is something else
        self._refresh()
        self.context.session.open_page("runs", tick=[record.id for record in records])

    def _refused(self, error: BaseException) -> None:
        self._is_queueing = False
        path = getattr(error, "field", "") or ("data.path" if isinstance(error, (DataError, UsageError)) else "")
        # A store that cannot be written is the fault of no field: its reason stands above the button.
        self.form.show_field(path)  # which makes its row, where nobody has looked at it yet
        self._refusal = "" if path in self.form.rows else str(error)
        self._refresh()
        if path in self.form.rows:
            self.form.rows[path].show_error(str(error).removeprefix(f"{path}: "))
        self.context.notifier.report(error)

    def open_leaderboard(self) -> None:
        """Set many presets side by side on the open data set; one such window at a time."""
        from workbench.widgets.leaderboard_dialog import open_leaderboard

        open_leaderboard(self.context, self.window())

    def copy_command(self) -> None:
        """Put the equivalent command on the clipboard."""
        directory = self.context.workspace.directory
        workspace = "" if directory == default_workspace() else str(directory)
        text = command_text(self.form.config, self.chosen_preset, self._seeds(), workspace, self.lists, self.called)
        QGuiApplication.clipboard().setText(text)
        self.context.notifier.tell("Copied the command.", hint=text)

    # Hooks ----------------------------------------------------------------------------------------------------------

    def page_shown(self) -> None:
        """Ask for the devices anew: free memory changes. Who comes here is about to train."""
        self.context.control.expected.emit()
        self.context.run_in_engine(
            self.context.workspace.runs.devices,
            on_result=self.show_devices,
            on_error=lambda error: self.device_label.setText(f"Devices cannot be listed: {error}"),
            key="train-devices",
        )

    def show_devices(self, devices: Sequence[DeviceInfo]) -> None:
        """Name what a run can use."""
        self.device_label.setText(devices_text(devices))

    def open_state(self, **state: Any) -> None:
        """``field``: the path of a setting to go to; ``seeds``: seeds to fill in."""
        if isinstance(seeds := state.get("seeds"), str):
            self.seeds.setText(seeds)
        if isinstance(field := state.get("field"), str):
            self.form.show_field(field)

    def save_state(self) -> dict[str, Any]:
        return {
            "seeds": self.seeds.text(),
            "vary": self.vary.text,
            "open": {name: fold.is_open for name, fold in self.form.folds.items()},
        }

    def restore_state(self, state: dict[str, Any]) -> None:
        if isinstance(state.get("seeds"), str):
            self.seeds.setText(state["seeds"])
        if isinstance(state.get("vary"), str):
            self.vary.set_text(state["vary"])
        folds = state.get("open")
        for name, is_open in folds.items() if isinstance(folds, dict) else ():
            if name in self.form.folds and isinstance(is_open, bool):
                self.form.folds[name].set_open(is_open)


def summary(config: ExperimentConfig) -> str:
    """The configuration in a few words."""
    known = {info.path: info for info in fields_of(config, "model")}
    model = known["model.name"].choices.get(config.model.name, config.model.name)
    epochs = f"at most {count(config.train.epochs, 'epoch')}, patience {config.train.patience:,}"
    facts = registry.entry("model", config.model.name).facts
    if not facts["trains"]:
        return model
    views = f", λ\u00a0=\u00a0{config.loss.contrastive_weight:g}" if config.loss.contrastive_weight else ", no views"
    views = views if facts["views"] else ""
    before = ""
    if config.train.pretrain_epochs:
        by = " by contrast" if pretrains_by_contrast(config) else ""
        before = f", {count(config.train.pretrain_epochs, 'epoch')} of pre-training{by}, then"
        views = views.removeprefix(",") + ","
    return f"{model}{before}{views} {epochs}" if before else f"{model}{views}, {epochs}"


def changes_text(changed: Sequence[str]) -> str:
    """How far the configuration is from its preset."""
    if not changed:
        return "As the preset."
    named = ", ".join(path.split(".")[1] for path in changed[:4])
    return f"{len(changed)} changed from the preset: {named}{' …' if len(changed) > 4 else ''}"


def devices_text(devices: Sequence[DeviceInfo]) -> str:
    """Devices with their free memory; without a GPU that is said plainly."""
    lines = []
    for item in devices:
        memory = f": {memory_text(item.free_memory)} free" if item.free_memory is not None else ""
        total = f" of {memory_text(item.total_memory)}" if item.total_memory is not None and memory else ""
        lines.append(f"{item.label}{memory}{total}")
        if item.note:
            lines.append(item.note)
    if all(item.name == "cpu" for item in devices):
        lines.append("No GPU: runs train on the CPU. A full data set takes many times as long as the sample shop.")
    return "\n".join(lines)


PAGE = Page(
    id="train",
    title="Train",
    icon="train",
    order=50,
    build=TrainPage,
    tip="Set up runs and queue them",
    commands=(
        PageCommand("queue", "&Queue runs", "queue_runs", "Ctrl+Return", "can_queue", icon="play"),
        PageCommand("undo", "&Undo the change of preset", "undo", "Ctrl+Z", "can_undo", icon="undo"),
        PageCommand("copy", "&Copy as command", "copy_command", enabled="can_queue", icon="copy"),
        PageCommand("leaderboard", "&Leaderboard …", "open_leaderboard", "Ctrl+L", icon="table"),
    ),
)
