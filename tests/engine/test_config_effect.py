"""Settings that change nothing: refused where given, kept where stored, dropped where a form had them."""

from __future__ import annotations

import pytest

from engine import registry
from engine.cli.settings import values_of as words_of
from engine.config import (
    ExperimentConfig,
    SettingInfo,
    applies,
    fields_of,
    grid,
    parse,
    preset,
    presets,
    refuse_without_effect,
    why_idle,
    why_unused,
    why_without_effect,
    without_idle_changes,
)
from engine.config.effect import what_to_do
from engine.config.grouping import group_key
from engine.errors import ConfigurationError
from tests.helpers.other_values import another

MODELS = [entry.name for entry in registry.entries("model")]


def of_model(name: str) -> ExperimentConfig:
    return ExperimentConfig().replace({"model.name": name})


def unused_in(config: ExperimentConfig) -> list[SettingInfo]:
    found = [info for info in fields_of(config) if why_without_effect(config, info.path)]
    return [info for info in found if len(words_of(info)) != 1]  # with one choice there is nothing else to give


@pytest.mark.parametrize("name", MODELS)
def test_every_reason_that_the_form_tells_is_a_reason_to_refuse(name: str) -> None:
    config = of_model(name)
    for base in (config, config.replace({"loss.contrastive_weight": 0, "train.pretrain_epochs": 0})):
        for info in fields_of(base):
            told = why_unused(base, info.path) or why_idle(base, info.section)
            if told:
                assert why_without_effect(base, info.path) == told
            assert bool(why_without_effect(base, info.path)) >= (not applies(base, info.path))


@pytest.mark.parametrize("name", MODELS)
def test_what_a_model_declares_unused_is_refused_by_name(name: str) -> None:
    config = of_model(name)
    for section in registry.entry("model", name).facts.get("unused", {}):
        assert any(info.path.startswith(section) for info in unused_in(config))
    for info in unused_in(config):
        given = {info.path: str(another(info))}
        with pytest.raises(ConfigurationError) as refused:
            refuse_without_effect((config.replace(given),), config, given)
        assert refused.value.field == info.path
        assert refused.value.hint
        same = {info.path: info.value}
        refuse_without_effect((config.replace(same),), config, same)


@pytest.mark.parametrize("name", MODELS)
def test_a_stored_configuration_with_such_values_is_read(name: str) -> None:
    config = of_model(name)
    for info in unused_in(config):
        if info.path in ("loss.contrastive_weight", "train.pretrain_epochs"):  # refused anyway: it has no views
            continue
        changed = config.replace({info.path: another(info)})
        assert parse(changed.model_dump_json()) == changed
        assert changed.replace({"train.seed": 7}).train.seed == 7


@pytest.mark.parametrize("name", MODELS)
def test_what_a_model_reads_in_pretraining_alone_is_its_own(name: str) -> None:
    entry = registry.entry("model", name)
    own = entry.facts.get("read_by_pretraining", ())
    assert set(own) <= set(entry.options.model_fields)
    without = of_model(name).replace({"train.pretrain_epochs": 0})
    assert {path for path in own if not why_idle(without, f"model.{path}")} == set()


def test_presets_give_nothing_that_is_refused() -> None:
    for item in presets():
        assert without_idle_changes(item.config, item.config) is item.config
        refuse_without_effect((item.config,), item.config, {"train.seed": 1})


@pytest.mark.parametrize(
    ("name", "given", "told"),
    [
        ("caser-paper", {"loss.next_item": "bpr"}, "Caser has several targets .* choose another model"),
        ("caser-paper", {"loss.bce_negatives": "10"}, "Caser has several targets"),
        ("popularity", {"loss.next_item": "bpr"}, "PopRec does not train: it has no loss"),
        ("popularity", {"train.epochs": "3"}, "PopRec does not train"),
        ("bpr-mf-paper", {"augment.crop_rate": "0.3"}, "BPR-MF knows no order"),
        ("sasrec", {"augment.crop_rate": "0.3"}, "λ is 0.* set λ .loss.contrastive_weight. above 0"),
        ("sasrec", {"loss.temperature": "0.5"}, "λ is 0"),
        ("sasrec", {"fidelity.insert_side": "after"}, "λ is 0"),
        ("sasrec", {"loss.bpr_negatives": "3"}, "loss.next_item is bce.* choose the loss"),
        ("gru4rec-paper", {"fidelity.mask_token": "padding"}, "λ is 0"),
        (
            "s3rec-strong",
            {"train.pretrain_epochs": "0", "model.mask_rate": "0.3"},
            "is no pre-training",
        ),
        ("s3rec-strong", {"train.pretrain_epochs": "0", "model.segment_weight": "0.3"}, "no pre-training"),
        ("sasrec", {"train.pretrain_learning_rate": "0.01"}, "no pre-training.* set train.pretrain_epochs above 0"),
        ("coserec-paper", {"model.name": "caser", "similarity.top_k": "5"}, "windows of a few items"),
    ],
)
def test_the_reason_comes_with_what_to_do(name: str, given: dict[str, str], told: str) -> None:
    begun = preset(name).config
    with pytest.raises(ConfigurationError, match=told) as refused:
        refuse_without_effect((begun.replace(given),), begun, given)
    assert refused.value.field == list(given)[-1]


def test_what_decides_itself_whether_there_are_views_passes() -> None:
    begun = preset("sasrec").config
    for given in (
        {"loss.contrastive_weight": "0.1", "augment.crop_rate": "0.3"},
        {"train.pretrain_epochs": "5", "augment.crop_rate": "0.3", "loss.temperature": "0.5"},
        {"loss.next_item": "bpr", "loss.bpr_negatives": "3"},
        {"model.name": "caser", "loss.contrastive_weight": "0"},
        {"model.name": "s3rec", "model.mask_rate": "0.3", "train.pretrain_learning_rate": "0.01"},
    ):
        refuse_without_effect((begun.replace(given),), begun, given)


def test_a_list_of_what_changes_nothing_is_refused() -> None:
    caser, sasrec = preset("caser-paper").config, preset("sasrec").config
    with pytest.raises(ConfigurationError, match=r"loss.next_item: Caser"):
        grid(caser, {"loss.next_item": ("bpr", "cross_entropy")})
    with pytest.raises(ConfigurationError, match=r"augment.crop_rate: No effect while λ is 0"):
        grid(sasrec, {"loss.contrastive_weight": (0.0, 0.1), "augment.crop_rate": (0.2, 0.3)})
    with pytest.raises(ConfigurationError, match=r"loss.bpr_negatives: No effect while loss.next_item is bce"):
        grid(sasrec, {"loss.bpr_negatives": (1, 2)})
    assert len(grid(caser, {"loss.next_item": (caser.loss.next_item,)})) == 1
    assert len(grid(sasrec, {"loss.contrastive_weight": (0.1, 0.2), "augment.crop_rate": (0.2, 0.3)})) == 4


def test_one_run_of_a_grid_that_reads_a_setting_is_enough_for_it() -> None:
    begun, given = preset("sasrec").config, {"augment.crop_rate": "0.3"}
    planned = grid(begun.replace(given), {"loss.contrastive_weight": (0.0, 0.1)})
    refuse_without_effect(planned, begun, given)
    with pytest.raises(ConfigurationError, match="λ is 0"):
        refuse_without_effect(planned[:1], begun, given)


def test_what_a_form_kept_from_another_model_goes_back_to_the_preset() -> None:
    base = preset("coserec-published").config
    changed = base.replace({"augment.crop_rate": 0.35, "loss.next_item": "bpr", "train.epochs": 5})
    assert without_idle_changes(changed, base) is changed
    caser = without_idle_changes(changed.replace({"model.name": "caser"}), base)
    assert (caser.augment, caser.loss.next_item, caser.train.epochs) == (base.augment, base.loss.next_item, 5)
    assert caser.loss.contrastive_weight == 0
    counts = without_idle_changes(changed.replace({"model.name": "popularity"}), base)
    assert (counts.train.epochs, counts.loss) == (base.train.epochs, base.loss)
    switched = preset("sasrec").config.replace({"fidelity.counts": "floor"})
    assert without_idle_changes(switched, preset("sasrec").config) is switched, "a reading stays whole"


@pytest.mark.parametrize("name", ["gru4rec", "bert4rec"])
def test_a_masked_item_is_not_said_to_be_hidden_where_it_is_seen(name: str) -> None:
    config = of_model(name)
    with pytest.raises(ConfigurationError, match="masked") as refused:
        config.replace({"fidelity.mask_token": "padding"})
    assert (refused.value.field, refused.value.hint) == ("fidelity.mask_token", "Set fidelity.mask_token to mask.")
    without = config.replace({"loss.contrastive_weight": 0}).replace({"fidelity.mask_token": "padding"})
    with pytest.raises(ConfigurationError, match="masked"):
        without.replace({"train.pretrain_epochs": 3})
    tree = config.model_dump(mode="json")
    tree["fidelity"]["mask_token"] = "padding"
    stored = parse(tree)  # from before it was refused
    assert stored.replace({"train.seed": 3}).fidelity.mask_token == "padding"
    assert ExperimentConfig().replace({"fidelity.mask_token": "padding"}).replace({"model.name": "s3rec"})


@pytest.mark.parametrize(
    ("values", "path", "reason", "hint"),
    [
        (
            {"augment.short_operators": "M", "augment.long_operators": "MR"},
            "augment.crop_rate",
            "No effect while Crop (C) is in neither set of operators.",
            "Leave it out, or set augment.short_operators or augment.long_operators to have its letter.",
        ),
        (
            {"similarity.name": "item_cf"},
            "similarity.hybrid_after_epoch",
            "No effect while similarity.name is item_cf.",
            "Leave it out, or set similarity.name to one that reads it.",
        ),
        (
            {"loss.next_item": "bpr"},
            "loss.bce_negatives",
            "No effect while loss.next_item is bpr.",
            "Leave it out, or choose the loss that it belongs to.",
        ),
    ],
)
def test_what_only_others_read_that_are_not_chosen_is_refused(
    values: dict[str, str], path: str, reason: str, hint: str
) -> None:
    config = ExperimentConfig().replace(values)
    info = next(info for info in fields_of(config) if info.path == path)
    changed = config.replace({path: another(info)})
    assert why_idle(config, path) == why_without_effect(config, path) == reason
    with pytest.raises(ConfigurationError) as refused:
        refuse_without_effect((changed,), config, {path: another(info)})
    assert (refused.value.message, refused.value.hint) == (f"{path}: {reason}", hint)
    assert group_key(stored(changed)) == group_key(stored(config)), "it makes no other configuration"
    assert without_idle_changes(changed, config) == config
    begun = ExperimentConfig()
    assert not why_without_effect(begun, path)
    assert group_key(stored(begun.replace({path: another(info)}))) != group_key(stored(begun))


def test_the_advice_goes_with_the_reason() -> None:
    config = ExperimentConfig().replace({"loss.contrastive_weight": 0, "augment.long_operators": "M"})
    assert why_without_effect(config, "augment.crop_rate") == "No effect while λ is 0: no views are made."
    assert what_to_do(config, "augment.crop_rate") == "Leave it out, or set λ (loss.contrastive_weight) above 0."


def stored(config: ExperimentConfig) -> dict[str, object]:
    return config.model_dump(mode="json")
