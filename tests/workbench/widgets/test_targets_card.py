"""What repeated and cold targets mean: the ceiling's arithmetic, and for each rule a sentence true of the data."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from engine.config import ExperimentConfig
from engine.records import TargetCounts
from workbench.theme import Theme
from workbench.widgets.targets_card import CLEAN, TIES, TargetsCard, cold_meaning, meaning

YELP = (TargetCounts("valid", 30431, 1640, 27, 0), TargetCounts("test", 30431, 2027, 73, 0))
CLEAN_DATA = (TargetCounts("valid", 100, 0, 0, 0), TargetCounts("test", 100, 0, 0, 0))


def test_excluding_puts_a_ceiling_on_the_metrics() -> None:
    # 1 - 2027 / 30431 and 1 - 1640 / 30431.
    words = meaning("exclude", "mean", YELP)
    assert "0.9334 on the test targets and 0.9461 on the validation targets" in words


@pytest.mark.parametrize("ties", list(TIES))
def test_scoring_zero_depends_on_the_ties(ties: str) -> None:
    assert TIES[ties] in meaning("zero", ties, YELP)
    assert f"ties: {ties}" in meaning("zero", ties, YELP)


@pytest.mark.parametrize("rule", list(CLEAN))
def test_data_without_repeats_is_told_so(rule: str) -> None:
    assert meaning(rule, "mean", CLEAN_DATA).startswith("No target is in its own history")


def test_cold_targets_are_shares_of_their_split() -> None:
    assert "0.24 % of the test targets, 0.09 % of the validation targets" in cold_meaning(YELP).replace("\u00a0", " ")
    assert cold_meaning(CLEAN_DATA) == "Every target occurs in some training part."


def test_the_card_has_a_row_a_split_and_marks_the_rule(qtbot: QtBot, theme: Theme) -> None:
    card = TargetsCard(theme)
    qtbot.addWidget(card)
    card.set_targets(YELP, ExperimentConfig().replace({"evaluate.seen_items": "keep"}))
    texts = [[cell.text() for cell in row] for row in card._cells]
    assert texts[1] == ["Test", "30,431", "2,027  (6.66 %)", "73  (0.24 %)", "0.9334"]
    assert [rule for rule, name in card.names.items() if "in use" in name.text()] == ["keep"]
    assert list(dict(card.columns())["Cold"]) == [27, 73]
