"""Names of configurations in a narrow column."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtGui import QFont, QFontMetrics
from pytestqt.qtbot import QtBot

from engine.records import ComparedChoice
from workbench.theme import Theme
from workbench.widgets.compare_chooser import DATA, NAME, CompareChooser
from workbench.widgets.name_delegate import BREAK, KERNING, in_two_lines, shortened

LONG = "CoSeRec for the sample shop"


def test_the_title_is_cut_and_the_differences_are_not(qapp: object) -> None:
    metrics = QFontMetrics(QFont())
    names = [f"{LONG}, η 0.6, λ {weight}, epochs 3" for weight in (0.05, 0.2)]
    room = metrics.horizontalAdvance(names[0]) - 40
    cut = [shortened(name, metrics, room) for name in names]
    assert len(set(cut)) == 2
    assert all(text.startswith("CoSeRec") and "…, η 0.6, λ 0." in text and text.endswith("epochs 3") for text in cut)
    assert all(metrics.horizontalAdvance(text) <= room for text in cut)
    assert shortened(names[0], metrics, 10_000) == names[0]
    assert shortened(LONG, metrics, metrics.horizontalAdvance("CoSeRec for…")) == "CoSeRec for…"
    narrow = shortened(names[0], metrics, metrics.horizontalAdvance("CoSeRec … epochs 3,"))
    assert narrow == "CoSeRec … epochs 3"


def test_the_model_stays_however_little_room_there_is(qapp: object) -> None:
    metrics = QFontMetrics(QFont())
    names = [
        "CoSeRec, trained on its own views first, epochs 2, pre-training 2",
        "SASRec, stronger settings, time 0.5",
        "CoSeRec, as the paper says: Beauty, next-item loss sampled_softmax",
        "bpr-mf-strong · max minutes 0.5 · seed 1",
    ]
    for name in names:
        whole = metrics.horizontalAdvance(name)
        for room in range(metrics.horizontalAdvance("CoSeRec … ab"), whole, 7):
            cut = shortened(name, metrics, room)
            assert cut[:3] == name[:3], (room, cut)
            assert cut[-1] == name[-1], (room, cut)
            assert "…" in cut
            assert metrics.horizontalAdvance(cut) <= room, (room, cut)


def test_where_the_differences_alone_have_no_room_the_recommender_stands_before_whole_parts_of_them(
    qapp: object,
) -> None:
    metrics = QFontMetrics(QFont())
    name = "CoSeRec, trained in two stages, epochs 2, pre-training 2"
    assert (
        shortened(name, metrics, metrics.horizontalAdvance("CoSeRec … pre-training 2ab")) == "CoSeRec … pre-training 2"
    )


def test_a_run_in_a_narrow_place_keeps_its_preset_and_its_seed(qapp: object) -> None:
    metrics = QFontMetrics(QFont())
    room = metrics.horizontalAdvance("sasrec-strong … seed 12")
    cut = [shortened(f"sasrec-strong · max minutes 0.5 · seed {seed}", metrics, room) for seed in (1, 2)]
    assert cut == ["sasrec-strong … seed 1", "sasrec-strong … seed 2"]


def test_a_title_with_a_comma_keeps_its_model_and_its_differences(qapp: object) -> None:
    metrics = QFontMetrics(QFont())
    name = "SASRec, cross-entropy over all items, d 32, epochs 4"
    cut = shortened(name, metrics, metrics.horizontalAdvance(name) - 60)
    assert cut.startswith("SASRec, cross-")
    assert "…" in cut
    assert cut.endswith(", d 32, epochs 4")


def test_where_a_line_is_too_short_the_model_stands_above_and_what_differs_below(qapp: object) -> None:
    metrics = QFontMetrics(QFont())
    name = "SASRec, stronger settings, time 0.5"
    assert in_two_lines(name, metrics, metrics.horizontalAdvance(name)) == name
    narrow = in_two_lines(name, metrics, metrics.horizontalAdvance("SASRec, stro…ab"))
    above, below = narrow.split(BREAK)
    assert above.startswith("SASRec, str")
    assert below == "time 0.5"
    wide = in_two_lines(name, metrics, metrics.horizontalAdvance("stronger settings, time 0.5"))
    assert wide == f"SASRec{BREAK}stronger settings, time 0.5"
    assert in_two_lines("PopRec", metrics, 200) == "PopRec"


def test_the_data_set_has_a_column_only_where_there_are_two(qtbot: QtBot, theme: Theme) -> None:
    one = ComparedChoice("A", ("r1",), (1,), "shop", "f1", "{}", {"NDCG@20": 0.1}, {})
    chooser = CompareChooser(theme)
    qtbot.addWidget(chooser)
    chooser.model.set_choices([one, replace(one, run_ids=("r2",))])
    assert chooser.table.isColumnHidden(DATA)
    chooser.model.set_choices([one, replace(one, run_ids=("r2",), dataset="Beauty", fingerprint="f2")])
    assert not chooser.table.isColumnHidden(DATA)
    assert not chooser.table.isColumnHidden(NAME)


GIVEN = "no contrast · Sample shop · contrastive weight 0 · epochs 4 · seed 2"


def test_of_a_run_the_given_name_the_values_and_the_seed_stay_and_the_words_go_first(qapp: object) -> None:
    metrics = QFontMetrics(QFont())

    def cut(template: str) -> str:
        return shortened(GIVEN, metrics, metrics.horizontalAdvance(template) + KERNING)

    for wanted in (
        "no contrast · Sample shop · λ 0 · epochs 4 · seed 2",
        "no contrast · Sample shop · λ 0 · epo… 4 · seed 2",
        "no contrast · Sam… · λ 0 · epo… 4 · seed 2",
        "no contrast · Sam… · λ 0 · e… 4 · seed 2",
    ):
        assert cut(wanted) == wanted
    for room in range(metrics.horizontalAdvance("no contrast … seed 2 ab"), metrics.horizontalAdvance(GIVEN), 5):
        text = shortened(GIVEN, metrics, room)
        assert text.startswith("no contrast"), (room, text)
        assert text.endswith("seed 2"), (room, text)
        assert metrics.horizontalAdvance(text) <= room, (room, text)


def test_runs_of_two_data_sets_are_told_apart_before_the_words_of_their_settings(qapp: object) -> None:
    metrics = QFontMetrics(QFont())
    names = [
        f"sample · {data} · contrastive weight {weight} · epochs 4 · seed 2"
        for data in ("Sample shop", "small")
        for weight in (0, 0.1)
    ]
    room = metrics.horizontalAdvance("sample · Sam… · λ 0.1 · epo… 4 · seed 2") + KERNING
    assert len({shortened(name, metrics, room) for name in names}) == 4


def test_a_long_preset_is_cut_in_its_middle_before_a_setting_is_dropped(qapp: object) -> None:
    metrics = QFontMetrics(QFont())
    room = metrics.horizontalAdvance("coserec-…-beauty · λ 0 · e… 4 · seed 2") + 3 * KERNING
    text = shortened("coserec-paper-beauty · contrastive weight 0 · epochs 4 · seed 2", metrics, room)
    assert text.startswith("coser")
    assert text.endswith("beauty · λ 0 · e… 4 · seed 2")
