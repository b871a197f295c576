"""The import dialog: guesses and choices, the live count, bad rows, the import, Cancel, and files that are broken."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QFileDialog, QLineEdit
from pytestqt.qtbot import QtBot

from engine.data.dataset import load
from engine.records import NO_COLUMN
from workbench.context import Context
from workbench.widgets.import_dialog import ImportDialog
from workbench.widgets.import_parts import ImportReportCard, in_form_words

GOOD = "".join(f"u{u},i{n},{1 + (u + n) % 5},{1_500_000_000 + n}\n" for u in range(9) for n in range(6))


RATED_3 = sum(1 + (u + n) % 5 >= 3 for u in range(9) for n in range(6))


def written(tmp_path: Path, text: str, name: str = "log.csv") -> str:
    path = tmp_path / name
    path.write_text("user,item,stars,when\n" + text if text else "", encoding="utf-8")
    return str(path)


def opened(qtbot: QtBot, context: Context, path: str) -> ImportDialog:
    dialog = ImportDialog(context, path)
    qtbot.addWidget(dialog)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    dialog.show()
    return dialog


def counted(qtbot: QtBot, dialog: ImportDialog, text: str) -> None:
    qtbot.waitUntil(lambda: text in dialog.status.text(), timeout=20_000)


def choose(dialog: ImportDialog, field: str, value: object) -> None:
    editor = dialog.rows[field].editor.field
    if isinstance(editor, QComboBox):
        place = editor.findData(value)
        assert place >= 0
        editor.setCurrentIndex(place)
        editor.activated.emit(place)
    else:
        assert isinstance(editor, QLineEdit)
        editor.setText(str(value))
        editor.textEdited.emit(str(value))


@pytest.fixture
def dialog(qtbot: QtBot, context: Context, tmp_path: Path) -> ImportDialog:
    made = opened(qtbot, context, written(tmp_path, GOOD))
    counted(qtbot, made, "Leaves 9 users, 6 items, 54 actions of 54 rows.")
    yield made
    made.close()


def test_the_preview_marks_the_files_own_titles(qtbot: QtBot, context: Context, tmp_path: Path) -> None:
    rows = "".join(f"u{n % 9},i{n % 6},Thing {n % 6},{1_400_000_000 + n}\n" for n in range(54))
    path = tmp_path / "titled.csv"
    path.write_text("user,item,title,when\n" + rows, encoding="utf-8")
    dialog = opened(qtbot, context, str(path))
    counted(qtbot, dialog, "Leaves 9 users")
    model = dialog.preview.model()
    heads = [model.headerData(n, Qt.Orientation.Horizontal) for n in range(4)]
    assert [head.split("\n")[0] for head in heads] == [
        *("user  →  user", "item  →  item"),
        *("title  →  title", "when  →  time"),
    ]
    dialog.close()


def test_it_shows_the_file_its_guesses_and_what_is_left(dialog: ImportDialog) -> None:
    assert dialog.stack.state == "content"
    assert [dialog.rows[role].editor.value() for role in ("user", "item", "rating", "time")] == [
        *("user", "item", "stars", "when"),
    ]
    assert dialog.rows["time-unit"].editor.value() == "seconds"
    model = dialog.preview.model()
    head = [model.headerData(n, Qt.Orientation.Horizontal) for n in range(4)]
    assert head[2:] == ["stars  →  rating\ninteger", "when  →  time\ninteger"]
    assert model.data(model.index(0, 0)) == "u0"
    assert [stage.actions for stage in dialog.stages.rows_model.rows] == [54] * 5
    assert dialog.bad.isHidden()
    assert dialog.go.isEnabled()
    assert "CSV" in dialog.subtitle.full


def test_changing_an_option_counts_again(qtbot: QtBot, dialog: ImportDialog) -> None:
    choose(dialog, "minimum-rating", "3")
    counted(qtbot, dialog, "of 54 rows")
    qtbot.waitUntil(lambda: dialog.report is not None and dialog.report.stages[1].actions == RATED_3)
    choose(dialog, "core", "9")
    qtbot.waitUntil(lambda: "After '9-core', nothing is left" in dialog.status.text())
    assert not dialog.go.isEnabled()


def test_a_wrong_value_is_said_at_its_field_and_nothing_else_stops(qtbot: QtBot, dialog: ImportDialog) -> None:
    choose(dialog, "core", "many")
    assert dialog.rows["core"].error_text == "Must be a whole number; it is 'many'."
    assert not dialog.go.isEnabled()
    choose(dialog, "core", "2")
    assert dialog.rows["core"].error_text == ""
    assert dialog.go.isEnabled()
    assert dialog.rows["core"].dot.isVisibleTo(dialog)


def test_columns_can_be_chosen_and_given_back_to_the_guess(qtbot: QtBot, dialog: ImportDialog) -> None:
    choose(dialog, "time", NO_COLUMN)
    qtbot.waitUntil(lambda: "There are no times" in dialog.notes.text(), timeout=20_000)
    assert dialog.recipe.time == NO_COLUMN
    assert not dialog.rows["time-unit"].isEnabled()
    dialog.rows["time"].dot.click()
    qtbot.waitUntil(lambda: dialog.recipe.time == "when")
    assert dialog.rows["time-unit"].isEnabled()


def roles_shown(dialog: ImportDialog) -> list[object]:
    return [dialog.rows[role].editor.value() for role in ("user", "item", "rating", "time")]


def test_a_column_that_is_chosen_anew_changes_places_and_the_others_stay(qtbot: QtBot, dialog: ImportDialog) -> None:
    choose(dialog, "item", "user")
    assert roles_shown(dialog) == ["item", "user", "stars", "when"]
    assert all(dialog.rows[role].dot.isVisibleTo(dialog) for role in ("user", "item"))  # both are seen to have changed
    counted(qtbot, dialog, "Leaves 6 users, 9 items, 54 actions")
    assert roles_shown(dialog) == ["item", "user", "stars", "when"]
    choose(dialog, "item", "item")
    choose(dialog, "user", "item")  # before the file has been looked at with the first choice
    counted(qtbot, dialog, "Leaves 6 users, 9 items, 54 actions")
    assert roles_shown(dialog) == ["item", "user", "stars", "when"]


def test_a_column_of_ids_leaves_no_other_role_behind(qtbot: QtBot, dialog: ImportDialog) -> None:
    choose(dialog, "item", "when")
    assert roles_shown(dialog) == ["user", "when", "stars", NO_COLUMN]
    choose(dialog, "rating", "user")
    qtbot.waitUntil(lambda: "No column looks like the users' ids" in dialog.problem.text())
    assert roles_shown(dialog) == ["", "when", "user", NO_COLUMN]
    assert not dialog.go.isEnabled()


def test_a_new_separator_forgets_the_columns_of_the_old_one(qtbot: QtBot, dialog: ImportDialog) -> None:
    choose(dialog, "rating", NO_COLUMN)
    dialog.layout_fold.set_open(True)
    choose(dialog, "separator", "tab")
    qtbot.waitUntil(lambda: dialog.problem.isVisible())
    assert "only one column" in dialog.problem.text()
    choose(dialog, "separator", "comma")
    qtbot.waitUntil(lambda: dialog.go.isEnabled(), timeout=20_000)
    assert dialog.recipe.rating == "stars"


def test_importing_gives_a_data_set_to_open(qtbot: QtBot, dialog: ImportDialog, context: Context) -> None:
    with qtbot.waitSignal(dialog.imported, timeout=20_000) as signal:
        dialog.go.click()
    dataset = load(signal.args[0])
    assert (len(dataset.sequences), dataset.item_count, dataset.name) == (9, 6, "log")
    assert not dialog.isVisible()
    assert "9 users" in context.notifier.items[-1].text


def test_bad_rows_are_listed_and_the_valid_ones_imported(qtbot: QtBot, context: Context, tmp_path: Path) -> None:
    path = written(tmp_path, GOOD + "u1,i1,good,1500000000\nu1,,3,1500000000\n")
    dialog = opened(qtbot, context, path)
    counted(qtbot, dialog, "2 cannot be used")
    assert [(row.line, row.reason.split(" (")[0]) for row in dialog.bad.rows_model.rows] == [
        (56, "the rating 'good' is not a number"),
        (57, "there is no item id"),
    ]
    assert (dialog.go.text(), dialog.go.isVisible(), dialog.go.isEnabled()) == ("Import", True, False)
    assert dialog.status.text().endswith("Leave them out, or mend the file.")
    assert "leave them out" in dialog.go.toolTip()
    dialog.start()  # as Return would
    assert not dialog.job.is_importing
    dialog.leave_out.click()
    assert dialog.rows["on-bad-rows"].editor.value() == "skip"
    assert not dialog.job.is_importing
    assert not dialog.leave_out.isVisible()
    assert dialog.status.text().endswith("2 cannot be used: they are listed. They are left out.")
    with qtbot.waitSignal(dialog.imported, timeout=20_000) as signal:
        dialog.go.click()
    assert context.notifier.items[-1].text.endswith(" actions. Left out: 2 rows that cannot be used.")
    kept = context.workspace.imports.report(signal.args[0])
    assert kept is not None
    assert (kept.recipe["on_bad_rows"], kept.report.bad_count) == ("skip", 2)


@pytest.mark.parametrize(("text", "words"), [("", "the file is empty."), ("user,item\n", "is no row below")])
def test_a_broken_file_is_said_and_can_be_tried_again(
    text: str, words: str, qtbot: QtBot, context: Context, tmp_path: Path
) -> None:
    path = written(tmp_path, "")
    Path(path).write_text(text)
    dialog = opened(qtbot, context, path)
    qtbot.waitUntil(lambda: dialog.stack.state == "error")
    assert words in dialog.stack.text
    assert not dialog.go.isEnabled()
    Path(path).write_text("user,item,stars,when\n" + GOOD)
    dialog._look()
    counted(qtbot, dialog, "Leaves 9 users")
    dialog.close()


def test_rows_of_one_user_are_said(qtbot: QtBot, context: Context, tmp_path: Path) -> None:
    dialog = opened(qtbot, context, written(tmp_path, "".join(f"me,i{n},3,15{n:08d}\n" for n in range(9))))
    qtbot.waitUntil(lambda: dialog.problem.isVisible(), timeout=20_000)
    assert dialog.problem.text().startswith("All rows belong to one user, 'me'.")
    assert not dialog.go.isEnabled()
    choose(dialog, "on-bad-rows", "skip")  # changes nothing of that
    assert not dialog.go.isEnabled()
    choose(dialog, "user", "item")
    choose(dialog, "item", "user")
    counted(qtbot, dialog, "After '5-core', nothing is left of 9 rows")
    dialog.close()


def test_every_field_has_a_name_and_says_what_it_is(dialog: ImportDialog) -> None:
    for path, row in dialog.rows.items():
        assert row.editor.field.accessibleName(), path
        assert f"--{path}" in row.name.toolTip(), path


def test_cancel_ends_a_long_import_at_once_and_leaves_nothing(
    qtbot: QtBot, engine_context: Context, tmp_path: Path
) -> None:
    path = tmp_path / "long.csv"
    path.write_text("user,item,stars,when\n" + GOOD * 20_000)
    dialog = opened(qtbot, engine_context, str(path))
    qtbot.waitUntil(lambda: dialog.go.isEnabled(), timeout=20_000)
    dialog.go.click()
    qtbot.waitUntil(lambda: dialog.progress.value() > 0, timeout=20_000)
    helper = dialog.job._engine.pid
    assert dialog.cancel.text() == "Cancel"
    assert not dialog.stack.content.isEnabled()
    dialog.cancel.click()
    assert dialog.status.text() == "Cancelled; nothing was kept."
    assert not _is_running(helper)
    datasets = engine_context.workspace.imports.directory
    qtbot.waitUntil(lambda: not datasets.exists() or not list(datasets.iterdir()), timeout=1000)
    assert dialog.isVisible()
    assert dialog.go.isEnabled()
    dialog.cancel.click()
    assert not dialog.isVisible()


def _is_running(pid: int | None) -> bool:
    try:
        os.kill(pid or 0, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_report_of_an_import_for_its_page(qtbot: QtBot, context: Context, tmp_path: Path) -> None:
    from engine.config import ImportRecipe

    path = written(tmp_path, GOOD + "u1,,3,1500000000\n")
    report = context.workspace.imports.count(path, ImportRecipe(core=0))
    view = ImportReportCard(context.theme)
    qtbot.addWidget(view)
    view.show_report(report)
    assert "55 rows were read." in view.summary.text()
    assert view.bad.heading.text().startswith("1 of 55 row")
    assert view._columns()[0] == ("Line", [56])
    assert "title" not in view.summary.text()
    view.show_report(dataclasses.replace(report, titled=6))
    assert "55 rows were read. 6 items have a title." in view.summary.text()  # as `coserec import` says it
    view.show_report(None)
    assert view.isHidden()


def test_what_is_edited_while_the_file_is_looked_at_is_kept(qtbot: QtBot, dialog: ImportDialog) -> None:
    choose(dialog, "time", "when")  # looks at the file again
    choose(dialog, "core", 2)  # while that look is under way
    assert not dialog.stages.isEnabled()
    counted(qtbot, dialog, "Leaves 9 users, 6 items, 54 actions of 54 rows.")
    qtbot.waitUntil(lambda: not dialog.job._tasks and not dialog.job._pause.isActive(), timeout=20_000)
    assert (dialog.recipe.core, dialog.given["core"]) == (2, "2")
    assert dialog.rows["core"].editor.value() == "2"
    assert dialog.stages.isEnabled()


def test_a_sentence_names_the_forms_fields_and_no_options() -> None:
    assert in_form_words("Name it: --user COLUMN.") == "Name it: 'User'."
    assert in_form_words("leave the ratings out: --rating -.") == "leave the ratings out: 'Rating' none."
    assert in_form_words("(--encoding latin-1 reads any)") == "('Encoding' Latin-1 reads any)"
    assert in_form_words("check their unit (--time-unit).") == "check their unit ('Times are')."
    assert in_form_words("x --what ever") == "x --what ever"


def test_it_says_why_nothing_is_left(qtbot: QtBot, dialog: ImportDialog) -> None:
    choose(dialog, "core", "40")
    counted(qtbot, dialog, "After '40-core', nothing is left of 54 rows: it cannot be imported. Lower 'k-core'.")
    assert not dialog.go.isEnabled()


def test_bad_titles_are_listed_and_stop_nothing(qtbot: QtBot, context: Context, tmp_path: Path) -> None:
    rows = "".join(f"u{u},i{n},Thing {n},{1_500_000_000 + n}\n" for u in range(9) for n in range(6))
    path = tmp_path / "titled.csv"
    path.write_bytes(("user,item,title,time\n" + rows).encode().replace(b"Thing 3", b"Th\xefng 3", 2))
    dialog = opened(qtbot, context, str(path))
    counted(qtbot, dialog, "Leaves 9 users")
    assert dialog.bad.heading.text() == "2 rows are used without a title."
    assert dialog.bad.rows_model.index(0, 1).data().startswith("in the title, byte")
    assert "'Encoding' Latin-1" in dialog.bad.rows_model.index(0, 1).data()
    assert dialog.go.isEnabled()
    assert not dialog.leave_out.isVisible()
    dialog.close()


def test_a_title_of_two_lines_is_one_line_of_the_preview(qtbot: QtBot, context: Context, tmp_path: Path) -> None:
    path = tmp_path / "titled.csv"
    path.write_text("user,item,title\n" + "".join(f'u{n // 6},i{n % 5},"a\nb"\n' for n in range(30)))
    dialog = opened(qtbot, context, str(path))
    counted(qtbot, dialog, "Leaves")
    assert dialog.preview.model().index(0, 2).data() == "a ⏎ b"
    dialog.close()


def test_titles_of_the_files_own_column_are_called_by_the_column(
    qtbot: QtBot, context: Context, tmp_path: Path
) -> None:
    rows = "".join(f"u{n % 9},i{n % 6},Thing {n % 6},{1_400_000_000 + n}\n" for n in range(54))
    path = tmp_path / "titled.csv"
    path.write_text("user,item,title,when\n" + rows, encoding="utf-8")
    dialog = opened(qtbot, context, str(path))
    counted(qtbot, dialog, "Leaves 9 users")
    field = dialog.rows["titles"].editor.field
    assert isinstance(field, QLineEdit)
    assert (field.text(), field.placeholderText()) == ("", "column 'title'")
    assert not dialog.rows["titles"].is_changed
    with qtbot.waitSignal(dialog.imported, timeout=20_000) as signal:
        dialog.go.click()
    assert load(signal.args[0]).title(1) == "Thing 0"


def test_a_file_of_one_column_offers_its_separator(qtbot: QtBot, context: Context, tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_text("".join(f"u{n % 9}\n" for n in range(20)), encoding="utf-8")
    dialog = opened(qtbot, context, str(path))
    qtbot.waitUntil(lambda: dialog.problem.isVisible(), timeout=20_000)
    assert dialog.stack.state == "content"
    assert dialog.problem.text().startswith("Its lines have only one column. Name what separates them: 'Separator'.")
    assert dialog.rows["separator"].isVisible()
    assert not dialog.go.isEnabled()
    path.write_text(GOOD.replace(",", "::"), encoding="utf-8")
    choose(dialog, "separator", "double_colon")
    counted(qtbot, dialog, "Leaves 9 users")
    dialog.close()


def test_nothing_is_imported_by_another_recipe_than_the_one_that_is_seen(qtbot: QtBot, dialog: ImportDialog) -> None:
    choose(dialog, "encoding", "latin-1")
    assert not dialog.go.isEnabled()  # until the file has been looked at by it
    qtbot.waitUntil(dialog.go.isEnabled, timeout=20_000)
    assert dialog.recipe.encoding == "latin-1"


@pytest.mark.parametrize("content", [b"", b"\x89PNG\0\0" * 99, "user,item\n".encode("utf-16")])
def test_another_file_can_be_chosen_where_one_cannot_be_read(
    content: bytes, qtbot: QtBot, context: Context, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.csv"
    broken.write_bytes(content)
    dialog = opened(qtbot, context, str(broken))
    qtbot.waitUntil(lambda: dialog.stack.state == "error")
    other = dialog.stack._message.other
    assert (other.text(), other.isVisible()) == ("Choose another file…", True)
    other.click()
    (chooser,) = dialog.findChildren(QFileDialog)
    assert chooser.directory().absolutePath() == str(tmp_path)
    chooser.fileSelected.emit(written(tmp_path, GOOD))
    chooser.close()
    counted(qtbot, dialog, "Leaves 9 users, 6 items, 54 actions of 54 rows.")
    assert (dialog.windowTitle(), dialog.title.text()) == ("Import log.csv", "Import log.csv")
    assert not other.isVisible()
    with qtbot.waitSignal(dialog.imported, timeout=20_000) as signal:
        dialog.go.click()
    assert load(signal.args[0]).name == "log"


def test_an_error_of_encoding_shows_the_setting_that_mends_it(qtbot: QtBot, context: Context, tmp_path: Path) -> None:
    path = tmp_path / "latin.csv"
    path.write_bytes(("user,item,stars,when\n" + GOOD).encode().replace(b",i3,", b",caf\xe9,"))
    dialog = opened(qtbot, context, str(path))
    dialog.resize(1180, 900)  # as where there is room for it
    counted(qtbot, dialog, "9 cannot be used")
    field = dialog.rows["encoding"]
    assert field.isVisible()
    assert field.visibleRegion().boundingRect().height() == field.height()
    choose(dialog, "encoding", "latin-1")
    counted(qtbot, dialog, "Leaves 9 users, 6 items, 54 actions of 54 rows.")
    dialog.close()


def test_the_settings_stay_folded_where_nothing_names_them(dialog: ImportDialog) -> None:
    assert not dialog.rows["encoding"].isVisible()


def test_bad_rows_are_seen_without_scrolling(qtbot: QtBot, context: Context, tmp_path: Path) -> None:
    dialog = opened(qtbot, context, written(tmp_path, GOOD + "u1,i1,good,1500000000\nu1,,3,1500000000\n"))
    dialog.resize(1180, 640)  # lower than the settings are
    counted(qtbot, dialog, "2 cannot be used")
    for part in (dialog.bad.heading, dialog.bad.table, dialog.leave_out):
        assert part.visibleRegion().boundingRect().height() == part.height()
    dialog.close()
