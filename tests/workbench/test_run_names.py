from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from engine.config import preset, presets
from engine.config.filtering import parse_filter
from engine.config.naming import configuration_name, given_name
from engine.records import MarksNews, RunMarks, RunRecord
from tests.helpers.fake_runs import make_record
from workbench.item_models.run_columns import COLUMN_IDS
from workbench.item_models.runs_model import RunsModel
from workbench.live_feed import LiveBatch
from workbench.run_book import RunBook
from workbench.run_names import differing, group_name, run_name, with_data


def test_a_run_is_called_after_its_preset_and_its_seed() -> None:
    config = preset("sample").config.replace({"train.seed": 3, "data.path": "/a/b.txt"}).model_dump(mode="json")
    record = make_record(preset="sample", seed=3, config=config)
    assert differing(record) == {}
    assert run_name(record) == "sample · seed 3"


def test_two_differences_are_named_and_more_are_counted() -> None:
    config = preset("sample").config
    two = config.replace({"train.epochs": 6, "augment.crop_rate": 0.55})
    record = make_record(preset="sample", config=two.model_dump(mode="json"))
    assert sorted(run_name(record).split(" · ")) == ["crop rate 0.55", "epochs 6", "sample", "seed 1"]
    three = two.replace({"model.dropout": 0.25})
    assert run_name(make_record(preset="sample", config=three.model_dump(mode="json"))) == (
        "sample · 3 settings changed · seed 1"
    )


def test_a_run_of_a_preset_that_is_gone_keeps_its_stored_name() -> None:
    record = make_record(preset="gone", name="transformer seed 1")
    assert (run_name(record), differing(record)) == ("transformer seed 1", {})
    assert run_name(make_record("r7", preset="gone", name="")) == "r7"


@pytest.mark.parametrize(
    "given", ["my best", "seed 3", "transformer", "gru4rec", "transformer λ=0.1", "transformer seed 9", "pub1"]
)
def test_a_run_is_called_what_somebody_called_it(given: str) -> None:
    config = preset("sample").config.model_dump(mode="json")
    assert run_name(make_record(preset="sample", config=config, name=given)) == f"{given} · seed 1"
    assert run_name(make_record(preset="sample", config=config, name=f"{given}, seed 1")) == f"{given}, seed 1"


def test_a_grid_under_one_name_is_told_apart_by_what_differs() -> None:
    without = preset("sample").config.replace({"loss.contrastive_weight": 0, "train.epochs": 6})
    record = make_record(preset="sample", config=without.model_dump(mode="json"), name="mine", seed=2)
    assert sorted(run_name(record).split(" · ")) == ["contrastive weight 0", "epochs 6", "mine", "seed 2"]
    assert group_name(run_name(record)) == run_name(record).removesuffix(" · seed 2")
    for words in ("mine", "epochs 6", "sample"):
        assert parse_filter(words).keeps(record, RunMarks(record.id, 0)), words


def test_a_named_run_without_a_preset_says_its_seed() -> None:
    config = preset("sample").config.model_dump(mode="json")
    assert run_name(make_record(preset="", config=config, name="mine", seed=2)) == "mine · seed 2"


@pytest.mark.parametrize("name", [item.name for item in presets()])
@pytest.mark.parametrize("before", [0, 100])
def test_a_name_that_was_made_from_the_settings_is_nobodys(name: str, before: int) -> None:
    config = preset(name).config
    if before and config.train.pretrain_epochs:
        config = config.replace({"train.pretrain_epochs": before})
    assert given_name(make_record(preset=name, config=config.model_dump(mode="json"), name=config.short())) == ""


def test_a_run_of_another_model_is_called_by_it_and_what_it_brings_is_not_counted() -> None:
    config = preset("sample").config.replace({"model.name": "gru4rec"})
    record = make_record(preset="sample", config=config.model_dump(mode="json"))
    assert run_name(record) == "GRU4Rec · from sample · seed 1"
    assert with_data(run_name(record), "Beauty") == "GRU4Rec · Beauty · from sample · seed 1"
    config = config.replace({"model.hidden_size": 32})
    record = make_record(preset="sample", config=config.model_dump(mode="json"))
    assert run_name(record) == "GRU4Rec · from sample · hidden size 32 · seed 1"


def test_a_run_of_a_model_that_is_gone_is_called_by_its_stored_name_of_it() -> None:
    config = preset("sample").config.model_dump(mode="json")
    record = make_record(preset="sample", config=config | {"model": {"name": "gone", "width": 3}})
    assert run_name(record) == "gone · from sample · width 3 · seed 1"


def of_preset(run_id: str, name: str, data: str, **changes: Any) -> RunRecord:
    config = preset(name).config.replace({"data.path": f"/data/{data}.txt"}).model_dump(mode="json")
    return replace(make_record(run_id, preset=name, config=config, fingerprint=data, **changes), dataset=data)


def test_runs_that_began_alike_on_several_data_sets_are_told_apart(qtbot: QtBot) -> None:
    """The first ones as soon as there is another data set; a preset of one data set alone stays short."""
    book = RunBook()
    model = RunsModel(book)
    model.sort(COLUMN_IDS.index("name"))

    def shown() -> list[str]:
        return [str(model.index(row, 0).data()) for row in range(model.rowCount())]

    first = (of_preset("r1", "sasrec", "Yelp"), of_preset("r2", "coserec-paper-beauty", "Beauty"))
    book.take(LiveBatch(first, {}, frozenset()))
    assert shown() == ["coserec-paper-beauty · seed 1", "sasrec · seed 1"]
    with qtbot.waitSignal(book.records_changed) as told:
        book.take(LiveBatch((of_preset("r3", "sasrec", "Beauty"),), {}, frozenset()))
    assert [record.id for record in told.args[0]] == ["r3", "r1"], "the older one is called otherwise now"
    assert shown() == ["coserec-paper-beauty · seed 1", "sasrec · Beauty · seed 1", "sasrec · Yelp · seed 1"]
    model.set_grouped(True)
    assert shown() == ["coserec-paper-beauty", "sasrec · Beauty", "sasrec · Yelp"]
    model.set_grouped(False)
    with qtbot.waitSignal(book.records_changed) as told:
        book.take(LiveBatch((), {}, frozenset(), MarksNews(purged=frozenset({"r3"}))))
    assert [record.id for record in told.args[0]] == ["r1"], "it stands alone again"
    assert shown() == ["coserec-paper-beauty · seed 1", "sasrec · seed 1"]


def test_a_group_of_several_names_is_called_by_its_configuration(qtbot: QtBot) -> None:
    book = RunBook()
    config = preset("sample").config.replace({"train.epochs": 6}).model_dump(mode="json")
    ours, again, other = (
        make_record(f"r{seed}", preset="sample", config=config, name=name, seed=seed)
        for seed, name in ((1, "ours"), (2, "ours"), (3, "theirs"))
    )
    assert book.name_of_group([again, ours]) == "ours · epochs 6"
    assert book.name_of_group([other, again, ours]) == "sample · epochs 6"
    assert book.name_of_group([other]) == "theirs · epochs 6"
    for preset_name in ("", "gone"):
        two = [replace(ours, preset=preset_name), replace(other, preset=preset_name)]
        assert book.name_of_group(two) == "Transformer"
        assert book.name_of_group(two[:1]) == "ours"


def test_a_seed_is_said_once_and_a_preset_too() -> None:
    config = preset("sample").config.replace({"train.epochs": 6}).model_dump(mode="json")
    assert run_name(make_record(preset="sample", config=config, name="mine, seed 1")) == "mine, seed 1 · epochs 6"
    record = make_record(preset="sample", config=config, name="sample")
    assert configuration_name(record, with_preset=True) == "sample · epochs 6"


def test_one_name_for_several_models_says_which() -> None:
    config = preset("sample").config.replace({"model.name": "gru4rec"}).model_dump(mode="json")
    assert run_name(make_record(preset="sample", config=config, name="mine")) == "mine · GRU4Rec · seed 1"


def test_what_does_not_train_has_a_made_name_with_noise_too() -> None:
    config = preset("popularity").config.replace({"evaluate.noise_rate": 0.1})
    record = make_record(preset="popularity", config=config.model_dump(mode="json"), name=config.short())
    assert given_name(record) == ""
    assert configuration_name(record, with_preset=True) == "popularity · noise rate 0.1"
