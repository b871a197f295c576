"""Augment: one user's training input and two views of it, made by the training code, as aligned chips."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtWidgets import (
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine import registry
from engine.config import ExperimentConfig, differences
from engine.records import AugmentationPreview
from workbench.engine_process import Task
from workbench.pages import Page, PageCommand, PageWidget, tab_commands
from workbench.theme import HUGE, SMALL, SPACE, TIGHT, WIDE, set_role
from workbench.widgets.augment_controls import POLICY, AugmentControls
from workbench.widgets.augment_effect import EffectPanel
from workbench.widgets.augment_pairs import PairsPanel
from workbench.widgets.cards import Card, Elided, label, roomy
from workbench.widgets.chip_alignment import Chip
from workbench.widgets.chip_style import ChipLegend
from workbench.widgets.choice_box import NumberBox
from workbench.widgets.lazy import Lazy
from workbench.widgets.numbers import count
from workbench.widgets.reading_text import plain_word, reading_in_words
from workbench.widgets.sample_strips import SamplesPanel
from workbench.widgets.sequence_chips import SequenceChips
from workbench.widgets.states import StatefulStack
from workbench.widgets.user_picker import UserPicker

DELAY = 80
"""Milliseconds after the last change of a control before a preview is asked for."""
CURTAIN_AFTER = 400
"""Milliseconds that an answer may take before the old chips give way to a Cancel button."""
SAMPLES = 20
MAX_SEED = 2**31 - 1
START = "Select a chip for its title, id, score and source. Return shows the item's neighbours."


class AugmentPage(PageWidget):
    """Users on the left; the operators' settings, the chips and their details on the right."""

    def make(self) -> Iterator[None]:
        context = self.context
        self.preview: AugmentationPreview | None = None
        self._dataset = ""
        self._is_locked = False
        self._ahead: tuple[list[Any], AugmentationPreview] | None = None
        self.picker = UserPicker(context)
        self.title = Elided("Augment", "page-title")
        self.branch = label("", "badge")
        self.why = Elided("", "muted")
        self.use_button = QPushButton("Use these settings in Train")
        self.controls = AugmentControls(context.session.config)
        yield
        self.reading = Elided("", "muted")
        self.epoch = NumberBox()
        panel = SamplesPanel(context.theme)
        self.strips = panel.strips
        self.samples = StatefulStack(panel, context.theme)
        self.effect_tab = Lazy(lambda: EffectPanel(context, self._settings, at_once=False))
        self.pairs_tab = Lazy(lambda: PairsPanel(context, self._settings, at_once=False))
        self.tabs = QTabWidget()
        self.seed = NumberBox()
        self.lock_button = QToolButton()
        self.reroll_button = QPushButton("Reroll")
        self.chips = SequenceChips()
        self.details = Elided(START, "muted")
        self.stack = StatefulStack(self.chips, context.theme)
        self._task: Task | None = None
        self._curtain = QTimer(self)
        self._curtain.setSingleShot(True)
        self._curtain.setInterval(CURTAIN_AFTER)
        self._curtain.timeout.connect(self._draw_curtain)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DELAY)
        yield
        self._arrange()
        yield
        self._connect()
        self._config_changed(context.session.config)
        self._show_differences()

    # --- parts

    def _arrange(self) -> None:
        side = Card("Users")
        side.setMinimumWidth(210)
        side.body.addWidget(self.picker, 1)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE)
        column.addLayout(self._head())
        settings = Card()
        # Otherwise it gives way by three pixels to whatever the tabs below would like to have, and comes back.
        settings.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        settings.body.addWidget(self.controls)
        settings.body.addWidget(self.reading)
        column.addWidget(settings)
        for widget, name in (
            (self._views_card(), "Two views"),
            (self.samples, f"{SAMPLES} samples"),
            (self.effect_tab, "All users"),
            (self.pairs_tab, "Under an encoder"),
        ):
            self.tabs.addTab(widget, name)
        column.addWidget(self.tabs, 1)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(side)
        self.splitter.addWidget(right)
        self.splitter.setStretchFactor(1, 1)
        self.splitter.setSizes([240, 1000])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(HUGE, WIDE + TIGHT, HUGE, HUGE)
        layout.addWidget(self.splitter)

    def _head(self) -> QHBoxLayout:
        set_role(self.use_button, "primary")
        self.use_button.setAccessibleName("Use these settings in Train")
        head = QHBoxLayout()
        head.setSpacing(SPACE)
        head.addWidget(self.title, 1)
        head.addWidget(self.use_button)
        return head

    def _views_card(self) -> Card:
        theme = self.context.theme
        self.seed.setRange(0, MAX_SEED)
        self.seed.setValue(1)
        self.seed.setFixedWidth(124)
        roomy(self.seed)
        self.seed.setAccessibleName("Seed of the views")
        self.seed.setToolTip("The same seed draws the same views")
        self.lock_button.setCheckable(True)
        theme.follow(self.lock_button, lambda button: button.setIcon(theme.icon(self._lock_icon())))
        self.lock_button.setAccessibleName("Lock the seed")
        self.lock_button.setToolTip("Lock the seed: Reroll keeps it")
        theme.follow_icon(self.reroll_button, "dice", "text")
        self.reroll_button.setToolTip("Draw the views again with the next seed (R)")
        card = Card()
        head = QHBoxLayout()
        head.setSpacing(SMALL)
        head.addWidget(self.branch, 0, Qt.AlignmentFlag.AlignVCenter)
        head.addWidget(self.why, 1)
        name = label("Seed", "muted")
        name.setBuddy(self.seed)
        during = label("Epoch", "muted")
        during.setBuddy(self.epoch)
        self.epoch.setRange(0, 9999)
        self.epoch.setSpecialValueText("any")
        self.epoch.setKeyboardTracking(False)  # typing 160 is one question, not three
        self.epoch.setFixedWidth(84)
        roomy(self.epoch)
        self.epoch.setAccessibleName("Epoch of a run")
        self.epoch.setToolTip(
            "any: the views of this user alone. A number: the very views that a run with this seed makes of the user "
            "in that epoch (Algorithm 1, lines 7–12)"
        )
        for widget in (during, self.epoch, name, self.seed, self.lock_button, self.reroll_button):
            head.addWidget(widget)
        self.branch.hide()
        card.body.addLayout(head)
        card.body.addWidget(self.stack, 1)
        card.body.addWidget(self.details)
        card.body.addWidget(ChipLegend())
        return card

    def _lock_icon(self) -> str:
        return "lock" if self.lock_button.isChecked() else "unlock"

    def _connect(self) -> None:
        self.picker.picked.connect(self._user_picked)
        self.picker.failed.connect(self._failed)
        self.controls.changed.connect(self._settings_changed)
        self.seed.valueChanged.connect(self._ask_soon)
        self.epoch.valueChanged.connect(self._ask_soon)
        # A run draws operators by the policy, whatever is chosen here.
        self.epoch.valueChanged.connect(lambda epoch: self.controls.operator_box.setEnabled(not epoch))
        self.strips.chosen.connect(self._show_sample)
        self.tabs.currentChanged.connect(self._ask_samples)
        self.lock_button.toggled.connect(self._lock_toggled)
        self.reroll_button.clicked.connect(self.reroll)
        self.chips.current_changed.connect(self._show_details)
        self.chips.item_activated.connect(lambda item: self.context.session.open_page("neighbours", item=item))
        self.use_button.clicked.connect(self.use_settings)
        self._timer.timeout.connect(self.ask)
        self.context.session.dataset_changed.connect(self._dataset_changed)
        self.context.session.config_changed.connect(self._config_changed)

    def _forget_studies(self) -> None:
        """What the last two tabs have counted was of other settings."""
        for panel in (self.effect_tab.made, self.pairs_tab.made):
            if panel is not None:
                panel.forget()

    # --- what is asked

    def page_shown(self) -> None:
        if self._dataset != self.context.session.dataset:
            self._dataset = self.context.session.dataset
            self.preview = self._ahead = None
            self.chips.set_preview(None)
            self._ahead = None
            self.context.forget(*((id(self), what) for what in ("preview", "ahead", "samples")))
            self.strips.set_preview(None)
            self._forget_studies()
            self.title.set_full("Augment")
            self.stack.show_loading("Looking up the users …")
            self.picker.start()

    @Slot(str)
    def _dataset_changed(self, _path: str) -> None:
        if self.isVisible():
            self.page_shown()

    @Slot(object)
    def _config_changed(self, config: ExperimentConfig) -> None:
        self.controls.set_config(config)
        self._settings_are_new()
        if self.preview is not None:
            self._ask_soon()

    def open_state(self, user: str = "", operator: str = "", **_: Any) -> None:
        """Show a user, and an operator."""
        if operator:
            self.controls.set_operator(operator)
        if user:
            self.picker.pick(user)

    @Slot(str)
    def _user_picked(self, user: str) -> None:
        self.title.set_full(f"User {user}")
        self.ask()

    def _settings_changed(self) -> None:
        self._settings_are_new()
        self._ask_soon()

    def _settings_are_new(self) -> None:
        self._show_differences()
        self._forget_studies()

    def _settings(self) -> tuple[ExperimentConfig, int]:
        return self.controls.draft, self.seed.value()

    @Slot()
    def _ask_soon(self, *_: object) -> None:
        self._timer.start()

    @Slot()
    def ask(self) -> None:
        """Ask the engine for the views; only the newest answer is shown."""
        self._timer.stop()
        if not self.picker.user:
            return
        if self.preview is None:
            # The first preview counts the correlations; the next ones replace the chips without a curtain.
            self.stack.show_loading("Drawing the views …", self.cancel)
        function, *question = self._question(self.seed.value())
        key = (id(self), "preview")
        if self._ahead is not None and self._ahead[0] == question:
            self.context.forget(key)  # an older question's answer may be on its way
            self._answered(self._ahead[1])
        else:
            self._curtain.start()
            self._task = self.context.run_in_engine(
                function, *question, on_result=self._answered, on_error=self._failed, key=key
            )
        self._ask_samples()

    @Slot()
    def _draw_curtain(self) -> None:
        """The answer takes its time: that of an epoch goes through all before it."""
        epoch = self.epoch.value()
        what = f"Going through a run's views up to epoch {epoch} …" if epoch else "Drawing the views …"
        self.stack.show_loading(what, self.cancel)

    @Slot()
    def cancel(self) -> None:
        """End the drawing of views."""
        if self._task is not None:
            self._task.cancel()
        self._curtain.stop()
        self.preview = None
        self.stack.show_empty("Drawing was cancelled.", "", "augment", "Draw again", self.ask)

    def _question(self, seed: int) -> tuple[Any, ...]:
        """What the engine is asked for these views: its method and the arguments."""
        facade, draft = self.context.workspace.augmentations, self._settings()[0]
        whose = (self._path(), self.picker.user)
        if self.epoch.value():
            return (facade.in_training, *whose, draft.replace({"train.seed": seed}), self.epoch.value() - 1)
        return (facade.preview, *whose, draft, self.controls.operator, seed)

    def _answered(self, preview: AugmentationPreview) -> None:
        """Show the views, and ask for the next seed's: Reroll then has them at hand."""
        self._curtain.stop()
        self._show(preview)
        self._ahead = None
        if self._is_locked or self.epoch.value():
            return
        function, *question = self._question(self._next_seed())

        def keep(found: AugmentationPreview) -> None:
            self._ahead = (question, found)

        self.context.run_in_engine(
            function, *question, on_result=keep, on_error=lambda _: None, key=(id(self), "ahead")
        )

    def _next_seed(self) -> int:
        return self.seed.value() + 1 if self.seed.value() < MAX_SEED else 0

    def _path(self) -> str:
        return self._dataset or self.context.session.dataset

    @Slot()
    def _ask_samples(self, *_: object) -> None:
        """Ask for the samples when they can be seen."""
        if self.tabs.currentWidget() is not self.samples or not self.picker.user:
            return
        if not self.strips.rows.rowCount():
            self.samples.show_loading("Drawing the samples …")
        self.context.run_in_engine(
            self.context.workspace.augmentations.preview,
            self._path(),
            self.picker.user,
            self.controls.draft,
            self.controls.operator,
            self.seed.value(),
            SAMPLES,
            on_result=self._show_samples,
            on_error=lambda error: self.samples.show_error(error, "Try again", self._ask_samples),
            key=(id(self), "samples"),
        )

    def _show_samples(self, preview: AugmentationPreview) -> None:
        self.strips.set_preview(preview)
        self.samples.show_content()

    @Slot(object)
    def _show_sample(self, preview: AugmentationPreview) -> None:
        """Bring one sample to the large view; Reroll brings the two views back."""
        self._show(preview)
        self.why.set_full(f"One of {SAMPLES} samples of seed {preview.seed}; Reroll shows two views again")
        self.tabs.setCurrentIndex(0)
        self.chips.setFocus()

    @Slot()
    def reroll(self) -> None:
        """Draw again with the next seed, unless the seed is locked."""
        if self.can_reroll():
            self.seed.setValue(self._next_seed())
            self.ask()

    def can_reroll(self) -> bool:
        return not self._is_locked

    def _lock_toggled(self, is_locked: bool) -> None:
        self._is_locked = is_locked
        self.lock_button.setIcon(self.context.theme.icon(self._lock_icon()))
        self.seed.setEnabled(not is_locked)
        self.reroll_button.setEnabled(not is_locked)
        self.reroll_button.setToolTip(
            "The seed is locked" if is_locked else "Draw the views again with the next seed (R)"
        )

    # --- what is shown

    def _show(self, preview: AugmentationPreview) -> None:
        self.preview = preview
        self.chips.set_preview(preview)
        self.chips.reveal_change()
        length, k = len(preview.original), preview.short_length
        is_short = preview.branch == "short"
        self.branch.show()
        self.branch.setText(f"{preview.branch} branch")
        self.branch.setAccessibleName(f"{preview.branch} branch of Eq. 12")
        relation = f"{count(length, 'item')} {'≤' if is_short else '>'} K = {k:,}"
        if self.epoch.value():
            relation += f": as in epoch {self.epoch.value()} of a run with seed {preview.seed}"
        elif self.controls.operator == POLICY:
            options = self.controls.draft.augment
            letters = options.short_operators if is_short else options.long_operators
            relation += f": each view draws one of {' '.join(letters)}"
        else:
            relation += f": {self._label(self.controls.operator)} for both views, whatever the branch"
        self.why.set_full(relation)
        was_waiting = self.stack.state != "content"
        self.stack.show_content()
        if was_waiting and not self.picker.isAncestorOf(self.focusWidget() or self):
            self.chips.setFocus()

    @staticmethod
    def _label(operator: str) -> str:
        return registry.entry("operator", operator).label

    def _failed(self, error: BaseException) -> None:
        self.context.notifier.report_bug(error)
        self._curtain.stop()
        self.preview = None
        self.chips.set_preview(None)
        self.branch.hide()
        self.why.set_full("")
        self.stack.show_error(error, "Try again", self.ask if self.picker.user else self.picker.search)

    @Slot(object)
    def _show_details(self, chip: Chip | None) -> None:
        self.details.set_full(START if chip is None else f"{self.chips.headings[chip.row].title}: {chip.describe()}")

    # --- Train

    def _differences(self) -> dict[str, tuple[Any, Any]]:
        return differences(self.context.session.config, self.controls.draft)

    def _show_differences(self) -> None:
        changed = self._differences()
        self.reading.set_full(reading_in_words(self.controls.draft))
        self.use_button.setEnabled(bool(changed))
        lines = [f"{path}: {plain_word(old)} → {plain_word(new)}" for path, (old, new) in changed.items()]
        self.use_button.setToolTip("\n".join(lines) or "Train uses these settings already")
        self.use_button.setText(
            f"Use {count(len(changed), 'change')} in Train" if changed else "Train uses these settings"
        )

    @Slot()
    def use_settings(self) -> None:
        """Make the settings of this page those of the next run."""
        changed = self._differences()
        if changed:
            self.context.session.set_config(self.controls.draft)
            self.context.notifier.tell(f"Train now uses these settings ({', '.join(changed)}).", level="good")

    def can_use_settings(self) -> bool:
        return bool(self._differences())

    # --- the page's protocol

    def go_before(self) -> None:
        """The user before."""
        self.picker.go_before()

    def go_after(self) -> None:
        """The user after."""
        self.picker.go_after()

    def go_anywhere(self) -> None:
        """Any user."""
        self.picker.go_anywhere()

    def filter_box(self) -> QWidget:
        return self.picker.field

    def save_state(self) -> dict[str, Any]:
        return {"operator": self.controls.operator, "split": self.splitter.sizes()}

    def restore_state(self, state: dict[str, Any]) -> None:
        operator, sizes = state.get("operator"), state.get("split")
        if isinstance(operator, str):
            self.controls.set_operator(operator)
        if isinstance(sizes, list) and len(sizes) == 2 and all(isinstance(size, int) for size in sizes):
            self.splitter.setSizes(sizes)


PAGE = Page(
    id="augment",
    title="Augment",
    icon="augment",
    order=4,
    build=AugmentPage,
    tip="What the operators make of a user's sequence",
    commands=(
        PageCommand("reroll", "Draw the views again", "reroll", "R", "can_reroll", icon="dice"),
        PageCommand("before", "Previous user", "go_before", "Alt+Left", icon="chevron-left"),
        PageCommand("after", "Next user", "go_after", "Alt+Right", icon="chevron-right"),
        PageCommand("anyone", "A random user", "go_anywhere", "Ctrl+R", icon="dice"),
        PageCommand("use", "Use these settings in Train", "use_settings", "", "can_use_settings", icon="train"),
        *tab_commands("Two views", "20 samples", "All users", "Under an encoder"),
    ),
)
