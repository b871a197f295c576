"""Augment: what is asked of the engine, what is drawn, reroll and lock, settings to Train, errors, stale answers."""

from __future__ import annotations

import threading

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from engine import registry
from engine.config import fidelity_of
from engine.errors import UsageError
from engine.records import AugmentationPreview, Matches, UserRecord
from tests.helpers.fake_engine import FakeAugmentations
from workbench.context import Context
from workbench.pages.augment import PAGE, AugmentPage
from workbench.widgets.chip_alignment import ChipState


@pytest.fixture
def page(qtbot: QtBot, shop: Context) -> AugmentPage:
    made = PAGE.build(shop)
    assert isinstance(made, AugmentPage)
    qtbot.addWidget(made)
    made.resize(1300, 800)
    made.show()
    made.page_shown()
    qtbot.waitUntil(lambda: made.preview is not None)
    return made


@pytest.fixture
def facade(shop: Context) -> FakeAugmentations:
    return shop.workspace.augmentations  # type: ignore[return-value]


def shows(qtbot: QtBot, page: AugmentPage, **wanted: object) -> AugmentationPreview:
    """Wait until the preview on the page has these attributes."""

    def reached() -> bool:
        return page.preview is not None and all(getattr(page.preview, name) == value for name, value in wanted.items())

    qtbot.waitUntil(reached)
    assert page.preview is not None
    return page.preview


def test_it_opens_on_a_user_with_something_to_augment(page: AugmentPage) -> None:
    assert page.preview is not None
    assert len(page.preview.original) >= 5
    assert page.title.full == f"User {page.picker.user}"
    assert page.picker.model.index(0, 1).data() == "4"


def test_the_chips_are_the_preview(qtbot: QtBot, page: AugmentPage) -> None:
    page.controls.set_operator("substitute")
    page.picker.pick("10")
    preview = shows(qtbot, page, user="10")
    qtbot.waitUntil(lambda: page.preview is not None and page.preview.views[0].operator == "Substitute")
    preview = page.preview
    rows = page.chips.alignment.rows
    assert len(rows) == 3
    for row, view in zip(rows[1:], preview.views, strict=True):
        assert [chip.item for chip in row.chips] == [token.item for token in view.tokens]
        changed = [chip.source for chip in row.chips if chip.state is ChipState.SUBSTITUTED]
        assert changed == [token.source for token in view.tokens if token.score is not None]


def test_reroll_takes_the_next_seed_and_the_lock_holds_it(qtbot: QtBot, page: AugmentPage) -> None:
    page.reroll_button.click()
    shows(qtbot, page, seed=2)
    page.lock_button.click()
    assert not page.can_reroll()
    assert not page.reroll_button.isEnabled()
    page.reroll()
    assert page.seed.value() == 2
    page.lock_button.click()
    page.reroll()
    shows(qtbot, page, seed=3)


def test_reroll_has_the_next_views_at_hand_and_never_those_of_other_settings(
    qtbot: QtBot, page: AugmentPage, shop: Context
) -> None:
    qtbot.waitUntil(lambda: page._ahead is not None)
    page.reroll()
    assert page.preview is not None
    assert page.preview.seed == 2  # in the same turn of the event loop
    assert page.preview == shop.workspace.augmentations.preview("sample", page.picker.user, page.controls.draft, seed=2)
    qtbot.waitUntil(lambda: page._ahead is not None and page._ahead[1].seed == 3)
    page.controls.k.setValue(1)
    page.reroll()
    shown = shows(qtbot, page, seed=3)
    assert shown.short_length == 1


def test_the_same_seed_draws_the_same_views(qtbot: QtBot, page: AugmentPage) -> None:
    page.picker.pick("11")
    first = shows(qtbot, page, user="11", seed=1)
    page.reroll()
    shows(qtbot, page, seed=2)
    page.seed.setValue(1)
    assert shows(qtbot, page, seed=1).views == first.views


def test_branch_and_k_are_said(qtbot: QtBot, page: AugmentPage) -> None:
    page.picker.pick("10")
    shows(qtbot, page, user="10", branch="long")
    assert page.branch.text() == "long branch"
    assert page.why.full == "12 items > K = 8: each view draws one of S I M C R"
    page.controls.k.setValue(12)
    shows(qtbot, page, branch="short")
    assert page.why.full == "12 items ≤ K = 12: each view draws one of S I M"
    page.controls.set_operator("crop")
    qtbot.waitUntil(lambda: page.why.full == "12 items ≤ K = 12: Crop for both views, whatever the branch")


def test_every_operator_can_be_chosen_and_shows_its_own_ratio_only(qtbot: QtBot, page: AugmentPage) -> None:
    names = [entry.name for entry in registry.entries("operator")]
    assert [page.controls.operator_box.itemData(n) for n in range(page.controls.operator_box.count())] == [
        "policy",
        *names,
    ]
    assert all(control.isVisible() for controls in page.controls.rates.values() for control in controls)
    page.controls.set_operator("mask")
    seen = [name for name, controls in page.controls.rates.items() if controls[0].isVisible()]
    assert seen == ["mask"]
    assert not page.controls.sets["short_operators"].isVisible()


def test_a_ratio_reaches_the_engine_and_train_only_when_asked(
    qtbot: QtBot, page: AugmentPage, facade: FakeAugmentations, shop: Context
) -> None:
    page.controls.set_operator("insert")
    control = page.controls.rates["insert"][0]
    control.slider.setValue(70)
    assert control.spin.value() == 0.7
    qtbot.waitUntil(lambda: facade.configs[-1].augment.insert_rate == 0.7)
    assert shop.session.config.augment.insert_rate == 0.4
    assert page.use_button.text() == "Use 1 change in Train"
    assert page.use_button.toolTip() == "augment.insert_rate: 0.4 → 0.7"
    page.use_button.click()
    assert shop.session.config.augment.insert_rate == 0.7
    assert not page.use_button.isEnabled()


def test_the_sets_keep_the_papers_order_and_one_letter(qtbot: QtBot, page: AugmentPage) -> None:
    toggles = page.controls.sets["short_operators"]
    toggles.buttons["S"].click()
    assert page.controls.draft.augment.short_operators == "IM"
    toggles.buttons["S"].click()
    assert page.controls.draft.augment.short_operators == "SIM"
    assert not page.can_use_settings()
    for letter in "SIM":
        toggles.buttons[letter].click()
    assert page.controls.draft.augment.short_operators == "M"
    assert toggles.buttons["M"].isChecked()


def test_the_reading_moves_every_switch(qtbot: QtBot, page: AugmentPage, facade: FakeAugmentations) -> None:
    box = page.controls.reading_box
    assert box.currentData() == "paper"
    box.setCurrentIndex(box.findData("published"))
    qtbot.waitUntil(lambda: fidelity_of(facade.configs[-1]) == "published")
    box.setCurrentIndex(box.findData("custom"))
    assert box.currentData() == "published"


def test_train_changing_the_configuration_reaches_the_controls(
    qtbot: QtBot, page: AugmentPage, facade: FakeAugmentations, shop: Context
) -> None:
    shop.session.change({"augment.mask_rate": 0.3})
    assert page.controls.rates["mask"][0].spin.value() == 0.3
    qtbot.waitUntil(lambda: facade.configs[-1].augment.mask_rate == 0.3)


def test_why_nothing_happened_is_said(qtbot: QtBot, page: AugmentPage) -> None:
    page.controls.set_operator("mask")
    page.controls.rates["mask"][0].spin.setValue(0)
    qtbot.waitUntil(lambda: bool(page.preview and page.preview.views[0].note))
    assert page.chips.headings[1].note == f"0 × {len(page.preview.original)} = 0: none."  # type: ignore[union-attr]


def test_previous_next_and_any_user(qtbot: QtBot, page: AugmentPage) -> None:
    page.picker.pick("1")
    page.picker.before.click()
    shows(qtbot, page, user="12")
    page.go_after()
    shows(qtbot, page, user="1")
    page.picker.any.click()
    qtbot.waitUntil(lambda: page.picker.user != "" and page.preview is not None)


def test_search_by_id_and_pick_by_keyboard(qtbot: QtBot, page: AugmentPage) -> None:
    qtbot.keyClicks(page.picker.field, "12")
    qtbot.waitUntil(lambda: [row.user for row in page.picker.model.rows] == ["12"])
    qtbot.keyClick(page.picker.field, Qt.Key.Key_Return)
    shows(qtbot, page, user="12")
    page.picker.field.setText("999")
    qtbot.waitUntil(lambda: page.picker.found.text() == "No user's id contains this")


def test_tab_goes_from_the_field_over_its_buttons_to_the_list(page: AugmentPage) -> None:
    picker = page.picker
    for widget in (picker.before, picker.after, picker.any, picker.view):
        before = widget.previousInFocusChain()
        while before.focusPolicy() == Qt.FocusPolicy.NoFocus:
            before = before.previousInFocusChain()
        expected = {picker.before: picker.field, picker.after: picker.before, picker.any: picker.after}
        assert before is expected.get(widget, picker.any)


def test_return_takes_the_user_that_is_still_searched_for(qtbot: QtBot, page: AugmentPage) -> None:
    page.picker.field.setFocus()
    qtbot.keyClicks(page.picker.field, "11")
    qtbot.keyClick(page.picker.field, Qt.Key.Key_Return)
    shows(qtbot, page, user="11")


def test_a_user_beyond_the_list_is_listed_where_it_stands(qtbot: QtBot, page: AugmentPage, shop: Context) -> None:
    """The list ended at 500, and did not say of how many."""
    everyone = [UserRecord(str(n), 9, 6) for n in range(1, 2001)]

    def users(path: str, text: str = "", limit: int = 200, around: str = "") -> Matches[UserRecord]:
        found = [row for row in everyone if text in row.user]
        first = min(max(0, int(around) - limit // 2), len(found) - limit) if around and int(around) > limit else 0
        return Matches(tuple(found[first : first + limit]), len(found), first)

    shop.workspace.datasets.users = users  # type: ignore[method-assign]
    picker = page.picker
    picker.start()
    qtbot.waitUntil(lambda: picker.found.text() == "The first 500 of 2,000 users; type to search all")
    picker.pick("1500")
    qtbot.waitUntil(lambda: picker.found.text() == "1,251 to 1,750 of 2,000 users; type to search all")
    assert picker.model.rows[picker.view.currentIndex().row()].user == "1500"
    assert picker.view.viewport().rect().contains(picker.view.visualRect(picker.view.currentIndex()).center())
    qtbot.keyClicks(picker.field, "1999")
    qtbot.keyClick(picker.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: picker.user == "1999")
    assert picker.found.text() == "1 user"
    picker.field.clear()
    qtbot.waitUntil(lambda: len(picker.model.rows) == 500)
    assert picker.model.rows[picker.view.currentIndex().row()].user == "1999"
    assert picker.view.viewport().rect().contains(picker.view.visualRect(picker.view.currentIndex()).center())


def test_an_error_is_said_and_the_next_user_mends_it(qtbot: QtBot, page: AugmentPage) -> None:
    page.picker.pick("999")
    qtbot.waitUntil(lambda: page.stack.state == "error")
    assert page.stack.text == "There is no user '999'."
    page.picker.pick("3")
    qtbot.waitUntil(lambda: page.stack.state == "content")


def test_only_the_newest_answer_is_shown(qtbot: QtBot, page: AugmentPage, facade: FakeAugmentations) -> None:
    gate, original = threading.Event(), facade.preview

    def slow(path: str, user: str, *rest: object) -> object:
        if user == "5":
            gate.wait(10)
        return original(path, user, *rest)  # type: ignore[arg-type]

    facade.preview = slow  # type: ignore[method-assign, assignment]
    seen: list[str] = []
    show = page._show
    page._show = lambda preview: (seen.append(preview.user), show(preview))  # type: ignore[method-assign]
    page.picker.pick("5")
    page.picker.pick("6")
    qtbot.waitUntil(lambda: seen == ["6"])
    gate.set()
    page.picker.pick("7")
    qtbot.waitUntil(lambda: seen == ["6", "7"])


def test_another_data_set_starts_afresh(qtbot: QtBot, page: AugmentPage, shop: Context) -> None:
    page.picker.pick("10")
    shows(qtbot, page, user="10")
    shop.session.open_dataset("other.txt")
    qtbot.waitUntil(lambda: page.preview is not None and page.preview.user != "10")


def test_a_chip_leads_to_its_neighbours(qtbot: QtBot, page: AugmentPage, shop: Context) -> None:
    page.chips.set_current(page.chips.alignment.rows[0].chips[1])
    assert page.details.full.startswith("Original: position 2: ")
    with qtbot.waitSignal(shop.session.page_requested) as asked:
        qtbot.keyClick(page.chips, Qt.Key.Key_Return)
    assert asked.args == ["neighbours", {"item": page.chips.alignment.rows[0].chips[1].item}]


def test_another_page_can_ask_for_a_user_and_an_operator(qtbot: QtBot, page: AugmentPage) -> None:
    page.open_state(user="9", operator="reorder")
    shows(qtbot, page, user="9")
    assert page.save_state()["operator"] == "reorder"


def test_what_cannot_be_augmented_says_what_to_do(qtbot: QtBot, page: AugmentPage, facade: FakeAugmentations) -> None:
    def refuse(*_: object) -> None:
        raise UsageError("This user has no training input.", "Pick a user with at least 4 items.")

    facade.preview = refuse  # type: ignore[method-assign, assignment]
    page.ask()
    qtbot.waitUntil(lambda: page.stack.state == "error")
    assert page.stack._message.hint.text() == "Pick a user with at least 4 items."


def test_views_at_hand_are_not_overwritten_by_an_older_answer(
    qtbot: QtBot, page: AugmentPage, facade: FakeAugmentations
) -> None:
    qtbot.waitUntil(lambda: page._ahead is not None and page._ahead[1].seed == 2)
    gate, original = threading.Event(), facade.preview

    def slow(path: str, user: str, config: object, operator: str = "policy", seed: int = 1, views: int = 2) -> object:
        if seed == 9:
            gate.wait(10)
        return original(path, user, config, operator, seed, views)  # type: ignore[arg-type]

    facade.preview = slow  # type: ignore[method-assign, assignment]
    page.seed.setValue(9)
    page.ask()
    page.seed.setValue(2)
    page.ask()
    assert page.preview is not None
    assert page.preview.seed == 2
    gate.set()
    qtbot.waitUntil(lambda: page._ahead is not None and page._ahead[1].seed == 3)  # asked after the slow one
    assert page.preview.seed == 2


def test_slow_views_can_be_cancelled_and_drawn_again(
    qtbot: QtBot, page: AugmentPage, facade: FakeAugmentations
) -> None:
    gate, original = threading.Event(), facade.in_training

    def slow(path: str, user: str, config: object, epoch: int = 0) -> object:
        gate.wait(10)
        return original(path, user, config, epoch)  # type: ignore[arg-type]

    facade.in_training = slow  # type: ignore[method-assign, assignment]
    page.epoch.setValue(160)
    qtbot.waitUntil(lambda: page.stack.text == "Going through a run's views up to epoch 160 …")
    page.cancel()
    assert page.stack.state == "empty"
    gate.set()
    page.stack._message.button.click()
    qtbot.waitUntil(lambda: page.stack.state == "content" and page.preview is not None)
