"""The form is the configuration's mirror: every field, its bounds, its errors, and what differs from the preset."""

from __future__ import annotations

import html

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QScrollArea
from pytestqt.qtbot import QtBot

from engine import registry
from engine.config import (
    SECTIONS,
    ExperimentConfig,
    SettingInfo,
    applies,
    fidelity_of,
    fields_of,
    preset,
    presets,
    why_idle,
    why_unused,
)
from workbench.forms.config_form import ConfigForm
from workbench.forms.editors import BoolEditor, ChoiceEditor, OperatorsEditor, TextEditor
from workbench.theme import Theme


def make_form(qtbot: QtBot, theme: Theme, name: str = "sample") -> ConfigForm:
    config = preset(name).config
    form = ConfigForm(config, config, theme)
    qtbot.addWidget(form)
    return form


def type_into(qtbot: QtBot, form: ConfigForm, path: str, text: str) -> None:
    line = form.rows[path].editor.field
    line.selectAll()
    qtbot.keyClicks(line, text)


@pytest.mark.parametrize("name", [item.name for item in presets()])
def test_every_field_of_every_preset_has_a_row_that_shows_its_value(qtbot: QtBot, theme: Theme, name: str) -> None:
    form = make_form(qtbot, theme, name)
    form.open_all()
    infos = {info.path: info for info in fields_of(form.config) if applies(form.config, info.path)}
    assert set(form.rows) == set(infos)
    for path, row in form.rows.items():
        shown, value = row.editor.value(), infos[path].value
        if isinstance(row.editor, OperatorsEditor):
            assert set(shown) == set(value), path
        elif isinstance(row.editor, TextEditor):
            assert type(value)(shown) == value, path
        else:
            assert shown == value, path
        assert not row.is_changed
        assert row.editor.field.accessibleName(), path
        tip = html.unescape(row.editor.toolTip())
        assert infos[path].help in tip, path
        assert infos[path].source.split(",")[0] in tip, path


def test_editors_follow_the_annotations(qtbot: QtBot, theme: Theme) -> None:
    form = make_form(qtbot, theme)
    form.open_all()
    assert isinstance(form.rows["loss.representation"].editor, ChoiceEditor)
    assert isinstance(form.rows["model.name"].editor, ChoiceEditor)
    assert isinstance(form.rows["fidelity.rank_special_tokens"].editor, BoolEditor)
    assert isinstance(form.rows["augment.short_operators"].editor, OperatorsEditor)
    assert type(form.rows["train.epochs"].editor) is TextEditor


def test_a_typed_value_becomes_the_configuration_and_its_dot_appears(qtbot: QtBot, theme: Theme) -> None:
    form = make_form(qtbot, theme)
    got: list[ExperimentConfig] = []
    form.config_changed.connect(got.append)
    type_into(qtbot, form, "train.epochs", "7")
    assert got[-1].train.epochs == 7
    assert form.rows["train.epochs"].is_changed
    assert not form.rows["train.epochs"].dot.isHidden()
    assert form.folds["train"].note.text() == "1 changed"
    qtbot.mouseClick(form.rows["train.epochs"].dot, Qt.MouseButton.LeftButton)
    assert got[-1] == preset("sample").config
    assert form.rows["train.epochs"].dot.isHidden()


def test_a_refused_value_stays_in_its_field_with_the_reason(qtbot: QtBot, theme: Theme) -> None:
    form = make_form(qtbot, theme)
    got: list[ExperimentConfig] = []
    validity: list[bool] = []
    form.config_changed.connect(got.append)
    form.validity_changed.connect(validity.append)
    type_into(qtbot, form, "augment.crop_rate", "7")
    row = form.rows["augment.crop_rate"]
    assert "at most 1" in row.error_text
    assert row.editor.value() == "7"
    assert form.config.augment.crop_rate == preset("sample").config.augment.crop_rate
    assert not form.is_valid
    # Another field still works meanwhile.
    type_into(qtbot, form, "train.epochs", "9")
    assert got[-1].train.epochs == 9
    assert row.error_text
    type_into(qtbot, form, "augment.crop_rate", "0.7")
    assert row.error_text == ""
    assert got[-1].augment.crop_rate == 0.7
    assert validity == [False, True]


def test_text_where_a_number_belongs_is_told_at_the_field(qtbot: QtBot, theme: Theme) -> None:
    form = make_form(qtbot, theme)
    type_into(qtbot, form, "train.batch_size", "many")
    assert "'many'" in form.rows["train.batch_size"].error_text


def test_a_rule_between_two_fields_is_mended_from_either(qtbot: QtBot, theme: Theme) -> None:
    form = make_form(qtbot, theme)
    type_into(qtbot, form, "model.heads", "3")
    assert not form.is_valid
    assert any(row.error_text for row in form.rows.values())
    type_into(qtbot, form, "model.hidden_size", "66")
    assert form.is_valid
    assert (form.config.model.hidden_size, form.config.model.heads) == (66, 3)  # type: ignore[attr-defined]
    assert not any(row.error_text for row in form.rows.values())


def test_no_operator_left_is_refused(qtbot: QtBot, theme: Theme) -> None:
    form = make_form(qtbot, theme)
    editor = form.rows["augment.short_operators"].editor
    assert isinstance(editor, OperatorsEditor)
    for letter in "SIM":
        qtbot.mouseClick(editor.buttons[letter], Qt.MouseButton.LeftButton)
    assert "at least one operator" in form.rows["augment.short_operators"].error_text
    qtbot.mouseClick(editor.buttons["R"], Qt.MouseButton.LeftButton)
    assert form.config.augment.short_operators == "R"


def test_another_model_brings_its_own_fields(qtbot: QtBot, theme: Theme) -> None:
    form = make_form(qtbot, theme)
    editor = form.rows["model.name"].editor
    assert isinstance(editor, ChoiceEditor)
    editor.edited.emit("popularity")
    form.open_all()
    assert set(form.rows) == {info.path for info in fields_of(form.config) if applies(form.config, info.path)}
    assert "model.heads" not in form.rows


def test_another_loss_brings_its_own_fields(qtbot: QtBot, theme: Theme) -> None:
    form = make_form(qtbot, theme)
    assert "loss.bce_negatives" in form.rows
    assert "loss.softmax_negatives" not in form.rows
    form.rows["loss.next_item"].editor.edited.emit("sampled_softmax")
    assert "loss.bce_negatives" not in form.rows
    assert form.rows["loss.softmax_negatives"].editor.value() == "256"
    form.set_config(preset("sasrec-cross-entropy").config)
    assert not {"loss.bce_negatives", "loss.softmax_negatives"} & set(form.rows)


@pytest.mark.parametrize("name", [entry.name for entry in registry.entries("model")])
def test_what_a_model_has_no_use_for_is_closed_with_the_reason(name: str, qtbot: QtBot, theme: Theme) -> None:
    form = make_form(qtbot, theme)
    form.rows["model.name"].editor.edited.emit(name)
    form.open_all()
    assert form.is_valid
    assert form.config.model.name == name
    for path, row in form.rows.items():
        reason = why_unused(form.config, path)
        if why_idle(form.config, path):
            continue  # closed by another setting, below
        assert row.editor.isEnabled() is not bool(reason)
        section = why_unused(form.config, row.info.section)
        assert row.help.text() == (f"Not used: {reason}" if reason and not section else row.info.help)
        assert form.folds[row.info.section].note.text().startswith("Not used: ") == bool(section)
    form.rows["model.name"].editor.edited.emit("transformer")
    assert all(row.editor.isEnabled() or why_idle(form.config, path) for path, row in form.rows.items())


def test_what_does_nothing_at_lambda_0_is_closed_and_says_so(qtbot: QtBot, theme: Theme) -> None:
    form = make_form(qtbot, theme)
    form.open_all()
    weight, rows = form.rows["loss.contrastive_weight"].editor, form.rows
    of_views = ("loss.temperature", "loss.representation", "loss.contrastive", "loss.similarity")
    weight.edited.emit("0")
    for path in of_views:
        assert not rows[path].editor.isEnabled()
        assert rows[path].help.text() == "No effect while λ is 0: no views are made."
    assert rows["loss.contrastive_weight"].editor.isEnabled()
    assert rows["loss.next_item"].editor.isEnabled()
    assert not rows["train.pretrain_learning_rate"].editor.isEnabled()
    rows["train.pretrain_epochs"].editor.edited.emit("2")
    assert all(rows[path].editor.isEnabled() for path in (*of_views, "train.pretrain_learning_rate"))
    rows["train.pretrain_epochs"].editor.edited.emit("0")
    assert not rows["loss.temperature"].editor.isEnabled()
    weight.line.setText("0, 0.1")
    weight.edited.emit("0, 0.1")
    assert form.is_valid
    assert all(rows[path].editor.isEnabled() for path in of_views), "half of the grid has views"
    assert rows["loss.temperature"].help.text() == rows["loss.temperature"].info.help


def test_a_box_says_what_it_is_set_to(qtbot: QtBot, theme: Theme) -> None:
    form = make_form(qtbot, theme)
    form.open_all()
    boxes = {path: row.editor for path, row in form.rows.items() if isinstance(row.editor, BoolEditor)}
    assert boxes
    for path, editor in boxes.items():
        assert editor.box.text() == ("yes" if form.rows[path].info.value else "no")
        before = editor.box.isChecked()
        editor.show_value(not before)
        assert editor.box.text() == ("no" if before else "yes")


def test_the_keyboard_stays_at_the_model_that_it_changed(qtbot: QtBot, theme: Theme) -> None:
    form = make_form(qtbot, theme)
    form.show()
    qtbot.waitExposed(form)
    form.activateWindow()
    form.rows["model.name"].editor.field.setFocus()
    qtbot.waitUntil(lambda: form.rows["model.name"].editor.field.hasFocus())
    form.rows["model.name"].editor.edited.emit("gru4rec")
    assert form.rows["model.name"].editor.field.hasFocus()


def test_a_reading_that_the_model_cannot_follow_is_refused(qtbot: QtBot, theme: Theme) -> None:
    form = make_form(qtbot, theme)
    form.rows["model.name"].editor.edited.emit("gru4rec")
    form.reading.setCurrentIndex(form.reading.findData("published"))
    form.reading.activated.emit(form.reading.currentIndex())
    assert "no padding" in form.rows["loss.representation"].error_text
    assert fidelity_of(form.config) == "paper"
    assert form.reading.currentData() == "paper"


def test_the_reading_sets_every_departure_and_turns_custom(qtbot: QtBot, theme: Theme) -> None:
    form = make_form(qtbot, theme)
    assert form.reading.currentData() == "paper"
    form.reading.setCurrentIndex(form.reading.findData("published"))
    form.reading.activated.emit(form.reading.currentIndex())
    assert fidelity_of(form.config) == "published"
    form.open_all()
    assert form.rows["fidelity.counts"].editor.value() == "floor"
    form.rows["fidelity.counts"].editor.edited.emit("ceiling")
    assert form.reading.currentData() == "custom"


def test_advanced_and_fidelity_are_folded_until_a_field_is_asked_for(qtbot: QtBot, theme: Theme) -> None:
    form = make_form(qtbot, theme)
    form.show()
    assert not form.folds["fidelity"].is_open
    assert not form.folds["train/advanced"].is_open
    assert "train.beta1" not in form.rows
    form.show_field("train.beta1")
    assert form.rows["train.beta1"].isVisible()
    form.show_field("fidelity.counts")
    assert form.rows["fidelity.counts"].isVisible()


def test_the_data_set_is_no_change_of_the_preset(qtbot: QtBot, theme: Theme) -> None:
    form = make_form(qtbot, theme)
    form.open_all()
    form.set_config(form.config.replace({"data.path": "/data/Beauty.txt"}))
    assert form.folds["data"].note.text() == ""
    assert not form.rows["data.path"].is_changed
    form.rows["data.path"].editor.edited.emit("/data/Toys.txt")
    assert form.config.data.path == "/data/Toys.txt"
    assert form.folds["data"].note.text() == ""
    assert not form.rows["data.path"].is_changed


def tab_order(form: ConfigForm) -> list[str]:
    """The fields in the order in which Tab comes to them."""
    names = {row.editor.field: path for path, row in form.rows.items()}
    order, widget = [], form.nextInFocusChain()
    while widget is not form:
        order += [names[widget]] if widget in names else []
        widget = widget.nextInFocusChain()
    return order


def test_tab_follows_the_form_also_where_fields_are_made_late(qtbot: QtBot, theme: Theme) -> None:
    form = make_form(qtbot, theme)
    form.rows["model.name"].editor.edited.emit("gru4rec")  # makes the model's fields anew
    for name in reversed([*form.folds]):
        form.folds[name].set_open(True)
    form.open_all()
    assert len(form.rows) > 50
    assert tab_order(form) == [info.path for section in SECTIONS for info in shown_order(form, section)]


def shown_order(form: ConfigForm, section: str) -> list[SettingInfo]:
    """The fields of a section from top to bottom: the advanced ones last."""
    infos = [info for info in fields_of(form.config, section) if info.path in form.rows]
    return sorted(infos, key=lambda info: info.advanced)


def test_a_field_that_is_asked_for_comes_into_sight(qtbot: QtBot, theme: Theme) -> None:
    config = preset("sample").config
    form = ConfigForm(config, config, theme)
    area = QScrollArea()
    qtbot.addWidget(area)
    area.setWidgetResizable(True)
    area.setWidget(form)
    area.resize(900, 300)
    area.show()
    form.show_field("fidelity.insert_side")
    field = form.rows["fidelity.insert_side"].editor.field
    qtbot.waitUntil(lambda: not field.visibleRegion().isEmpty())


def test_every_refusal_is_told_not_only_the_first(qtbot: QtBot, theme: Theme) -> None:
    form = make_form(qtbot, theme)
    told: list[int] = []
    form.validity_changed.connect(lambda _: told.append(len(form.wrong)))
    for path, text in (("train.epochs", "0"), ("train.patience", "0"), ("train.epochs", "5"), ("train.patience", "5")):
        form.rows[path].editor.edited.emit(text)
    assert told == [1, 2, 1, 0]


def test_settings_of_views_say_that_they_have_no_effect_without_views(qtbot: QtBot, theme: Theme) -> None:
    form = make_form(qtbot, theme, "sasrec")
    assert form.folds["augment"].note.text() == "No effect while λ is 0: no views are made."
    form.rows["loss.contrastive_weight"].editor.edited.emit("0.1")
    assert form.folds["augment"].note.text() == ""
