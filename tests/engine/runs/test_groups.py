"""Groups of stored runs: what makes one, and what a label speaks of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from engine.config import preset
from engine.config.naming import configuration_name
from engine.records import RunRecord
from engine.runs.groups import choices, described, differences, grouped, unlike_presets
from tests.helpers.fake_runs import make_record


def run(run_id: str, name: str = "caser-paper", **values: Any) -> RunRecord:
    config = preset(name).config.replace({path.replace("__", "."): value for path, value in values.items()})
    return make_record(run_id, preset=name, config=config.model_dump(mode="json"), seed=config.train.seed)


def test_what_a_model_does_not_read_makes_no_group_and_no_label() -> None:
    records = [
        run("a"),
        run("b", loss__next_item="bpr", train__seed=2),
        run("c", loss__next_item="bpr", model__dropout=0.1),
        run("d", "sasrec", augment__crop_rate=0.3),
        run("e", "sasrec", train__seed=2),
    ]
    groups = grouped(records)
    assert [[record.id for record in group] for group in groups] == [["a", "b"], ["c"], ["d", "e"]]
    caser = preset("caser-paper").title
    labels = [f"{caser}, dropout 0.5", f"{caser}, dropout 0.1", preset("sasrec").title]
    assert [item.label for item in described(groups)] == labels
    assert [item.path for item in differences(groups[:2])] == ["model.dropout"]
    assert [configuration_name(record) for record in records[:3]] == ["caser-paper"] * 2 + ["caser-paper · dropout 0.1"]


def test_a_label_names_what_counts_in_its_own_group() -> None:
    with_views = run("a", "sample", augment__crop_rate=0.35)
    without = run("b", "sample", augment__crop_rate=0.3, loss__contrastive_weight=0)
    one, other = (item.label for item in described(grouped([with_views, without])))
    assert ("0.3" in one, "λ 0" in other, "0.3" in other) == (False, True, False)  # λ tells them apart, and all else
    third = run("c", "sample", augment__crop_rate=0.4)
    labels = [item.label for item in described(grouped([with_views, without, third]))]
    assert ["0.35" in labels[0], "0.3" in labels[1], "0.4" in labels[2]] == [True, False, True]


def test_without_views_a_run_is_called_what_it_is() -> None:
    """What CoSeRec's preset says of augmentation is not read at λ = 0: it is SASRec, with SASRec's numbers."""
    groups = grouped([run("a", "coserec-paper", loss__contrastive_weight=0), run("b", "sasrec", train__seed=2)])
    assert [item.label for item in described(groups)] == [preset("sasrec").title]


def test_a_run_of_another_model_than_its_presets_is_called_by_its_model() -> None:
    """What the model brings with itself, and what it does not read, is no part of the name."""
    sample = preset("sample")
    records = [
        run("a", "sample", model__name="gru4rec", loss__contrastive_weight=0, model__hidden_size=32),
        run("b", "sample", model__name="gru4rec", model__hidden_size=32),
        run("c", "sample", model__name="popularity"),
        run("d", "sample"),
    ]
    weight = f"{sample.config.loss.contrastive_weight:g}"
    labels = ["GRU4Rec", f"GRU4Rec, λ {weight}", "PopRec", sample.title]
    assert [item.label for item in described(grouped(records))] == labels
    measured = [replace(record, metrics={"test": {"HR@5": 0.1}}) for record in records]
    own = ["GRU4Rec, d 32", f"GRU4Rec, λ {weight}, d 32", "PopRec", sample.title]
    assert [item.label for item in choices(measured)] == own


def test_what_tells_the_most_groups_apart_is_named_first() -> None:
    widths = [run(f"w{width}", "sample", model__layers=1, model__hidden_size=width) for width in (16, 32, 64)]
    deeper = run("deeper", "sample", model__layers=2, model__hidden_size=16)
    other = run("other", "sasrec")
    groups = described(grouped([*widths, deeper, other]))
    title = preset("sample").title
    names = ["d 16, blocks 1", "d 32, blocks 1", "d 64, blocks 1", "d 16, blocks 2"]
    assert [item.label for item in groups] == [*(f"{title}, {name}" for name in names), preset("sasrec").title]
    assert [item.told_first for item in groups] == [*(f"{name} · {title}" for name in names), ""]
    alone = described(grouped(widths))
    assert [item.told_first for item in alone] == [item.label for item in alone] == ["d 16", "d 32", "d 64"]
    assert [item.told_first for item in described(grouped(widths), ["mine", "", ""])] == ["", "d 32", "d 64"]


def test_groups_that_no_setting_tells_apart_are_told_by_their_ids() -> None:
    one, other = described(((run("a", "sample"),), (run("b", "sample", train__seed=2),)))
    title = preset("sample").title
    assert (one.label, one.told_first) == (f"{title} · a", f"a · {title}")
    assert (other.label, other.told_first) == (f"{title} · b", f"b · {title}")


def named(record: RunRecord, name: str) -> RunRecord:
    return replace(record, name=name, metrics={"test": {"MRR": 0.1}})


def test_a_group_is_called_what_somebody_called_all_of_it() -> None:
    records = [
        named(run("a", "sasrec"), "baseline"),
        named(run("b", "sasrec", train__seed=2), "baseline"),
        named(run("c", "coserec-paper"), "ours"),
        named(run("d", "coserec-paper", model__dropout=0.2), "ours"),
        named(run("e", "caser-paper"), "first try"),
        named(run("f", "caser-paper", train__seed=2), "second try"),
    ]
    groups = grouped(records)
    labels = [item.label for item in described(groups)]
    assert labels == ["baseline", "ours, dropout 0.5", "ours, dropout 0.2", preset("caser-paper").title]
    assert [item.label for item in described(groups[1:3])] == ["dropout 0.5", "dropout 0.2"]
    own = ["baseline", "ours", "ours, dropout 0.2", preset("caser-paper").title]
    assert [item.label for item in choices(records)] == own


def test_one_name_given_to_several_presets_and_models_is_told_apart_in_lists() -> None:
    records = [
        named(run("a", "sasrec"), "mine"),
        named(run("b", "coserec-paper"), "mine"),
        named(run("c", "sample"), "other"),
        named(run("d", "sample", model__name="gru4rec"), "other"),
    ]
    labels = [item.label for item in choices(records)]
    assert labels[:2] == ["mine · a", "mine · b"]
    assert labels[2] == "other"
    assert labels[3].startswith("other, GRU4Rec")


def unlike(*records: RunRecord) -> list[str]:
    groups = grouped(records)
    return unlike_presets(groups, [item.label for item in described(groups)])


def test_what_a_title_hides_is_said() -> None:
    """A run of few epochs is no 'stronger settings': who reads a table must be told."""
    strong, plain = preset("gru4rec-strong").title, preset("sasrec").title
    short = run("a", "gru4rec-strong", train__epochs=4)
    assert unlike(run("a", "gru4rec-strong"), run("b", "sasrec")) == []
    assert unlike(short) == [f"Otherwise than in the preset, epochs 4: {strong}."]
    assert unlike(short, run("b", "sasrec")) == [f"Otherwise than in the preset, epochs 4: {strong}."]
    assert unlike(short, run("b", "sasrec", train__epochs=4)) == [
        "Otherwise than in the preset, epochs 4: all of them."
    ]
    both = unlike(short, run("b", "sasrec", train__epochs=5))
    assert both == [
        f"Otherwise than in the preset, epochs 4: {strong}.",
        f"Otherwise than in the preset, epochs 5: {plain}.",
    ]


def test_what_a_label_says_already_is_not_said_again() -> None:
    one, two = run("a", "sasrec", train__epochs=4, model__hidden_size=32), run("b", "sasrec", train__epochs=4)
    assert unlike(one, two) == ["Otherwise than in the preset, epochs 4: all of them."]
