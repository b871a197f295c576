"""The configuration: declared once, refused at the field, the same after a trip through JSON."""

from __future__ import annotations

import json
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Literal, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import config as configuration
from engine import registry
from engine.config import (
    ExperimentConfig,
    applies,
    chosen_presets,
    differences,
    fidelity_of,
    fields_of,
    model_section,
    own_name,
    parse,
    preset,
    presets,
    pretrain_epochs_of,
    switches_to,
    total_epochs,
    values_of,
    why_idle,
    why_unused,
    with_fidelity,
)
from engine.config.presets import read_presets
from engine.errors import ConfigurationError, UsageError

ISSUE_NAMES = [
    "train.epochs",
    "train.batch_size",
    "train.learning_rate",
    "train.seed",
    "train.device",
    "train.patience",
    "model.name",
    "model.hidden_size",
    "model.layers",
    "model.heads",
    "model.max_length",
    "model.dropout",
    "similarity.name",
    "similarity.hybrid_after_epoch",
    "loss.contrastive_weight",
    "loss.temperature",
    "loss.representation",
    "evaluate.seen_items",
    "evaluate.ties",
    "augment.short_length",
    "augment.short_operators",
    "augment.long_operators",
    "augment.crop_rate",
    "augment.mask_rate",
    "augment.reorder_rate",
    "augment.substitute_rate",
    "augment.insert_rate",
]


def test_every_promised_name_is_a_field() -> None:
    assert set(ISSUE_NAMES) <= {item.path for item in fields_of(ExperimentConfig())}


@pytest.mark.parametrize("item", list(fields_of(ExperimentConfig())), ids=lambda item: item.path)
def test_every_field_says_what_it_is_and_where_it_comes_from(item: configuration.SettingInfo) -> None:
    assert item.help.endswith(".")
    assert item.source
    assert item.label


@pytest.mark.parametrize("found", presets(), ids=lambda found: found.name)
def test_a_preset_survives_json(found: configuration.Preset) -> None:
    assert parse(found.config.model_dump_json()) == found.config


@pytest.mark.parametrize("found", presets(), ids=lambda found: found.name)
def test_a_configuration_crosses_to_another_process(found: configuration.Preset) -> None:
    assert ForkingPickler.loads(ForkingPickler.dumps(found.config)) == found.config


@pytest.mark.parametrize("name", ["coserec-paper", "coserec-published"])
@pytest.mark.parametrize("data", ["", "-beauty", "-sports", "-yelp"])
def test_presets_stand_for_their_reading(name: str, data: str) -> None:
    assert fidelity_of(preset(name + data).config) == name.removeprefix("coserec-")


def test_bare_presets_are_the_sports_values() -> None:
    for name in ("coserec-paper", "coserec-published"):
        assert preset(name).config == preset(f"{name}-sports").config


def test_every_recommender_of_table_2_has_a_preset_with_its_sources_settings() -> None:
    named = {name: item.system for item in presets() for name in (item.name, *item.aliases)}
    assert len(named) == sum(1 + len(item.aliases) for item in presets()), "no name stands twice"
    systems = {"PopRec", "BPR-MF", "GRU4Rec", "Caser", "SASRec", "BERT4Rec", "S3-Rec", "CL4SRec", "CoSeRec"}
    assert systems <= {system for name, system in named.items() if name.endswith("-paper")}


PRESET = {"title": "T", "description": "D", "source": "S", "fidelity": "paper", "values": {"model": {"name": "caser"}}}


def test_presets_lie_with_their_model_too(tmp_path: Path) -> None:
    first, second = tmp_path / "b.json", tmp_path / "a.json"
    for path in (first, second):
        path.write_text(json.dumps(PRESET), encoding="utf-8")
    assert [item.name for item in read_presets((first, second))] == ["a", "b"]
    first.write_text(json.dumps(PRESET | {"order": 1, "aliases": ["b-paper"]}), encoding="utf-8")
    one, other = read_presets((first, second))
    assert (one.name, one.aliases, other.name, one.system) == ("b", ("b-paper",), "a", "Caser")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"title": "T",\n', "x.json, line 2, is no JSON: "),
        (json.dumps({"title": "T", "description": "D"}), "x.json has no 'source'. A preset"),
        (json.dumps(PRESET | {"values": {"train": {"epoks": 3}}}), "x.json: train.epoks: there is no such setting."),
        (json.dumps(PRESET | {"values": {"train": 3}}), "x.json is no preset: "),
        ("[]", "x.json is no preset: "),
        (json.dumps(PRESET | {"aliases": ["y"]}), "are both called 'y'. Mend the file"),
    ],
)
def test_a_file_that_is_no_preset_is_named(tmp_path: Path, text: str, words: str) -> None:
    good, bad = tmp_path / "y.json", tmp_path / "x.json"
    good.write_text(json.dumps(PRESET), encoding="utf-8")
    bad.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as refused:
        read_presets((good, bad))
    assert str(bad) in f"{refused.value.message}"
    assert words in f"{refused.value.message} {refused.value.hint}"


def test_an_alias_is_the_preset_under_its_own_name() -> None:
    assert preset("cl4srec-paper") is preset("cl4srec")
    assert [item.name for item in presets()].count("cl4srec") == 1
    assert (own_name("cl4srec-paper"), own_name("cl4srec"), own_name("gone")) == ("cl4srec", "cl4srec", "gone")
    assert [item.name for item in chosen_presets(("cl4srec-paper", "PopRec"), "sample")] == ["cl4srec", "popularity"]
    with pytest.raises(UsageError, match="both mean cl4srec"):
        chosen_presets(("cl4srec", "cl4srec-paper"), "sample")


def test_published_beauty_has_the_values_of_f17() -> None:
    found = preset("coserec-published-beauty").config
    values = {item.path: item.value for item in fields_of(found)}
    assert values["augment.short_length"] == 12
    assert values["similarity.hybrid_after_epoch"] == 220
    assert values["augment.insert_rate"] == 0.5
    assert values["augment.substitute_rate"] == 0.05
    assert set(values["augment.short_operators"]) == set("SIMCR")
    assert (values["augment.crop_rate"], values["augment.mask_rate"], values["augment.reorder_rate"]) == (0.2, 0.7, 0.2)


def test_walking_every_switch_leads_from_one_reading_to_the_other() -> None:
    here = with_fidelity(ExperimentConfig(), "paper")
    there = with_fidelity(ExperimentConfig(), "published")
    for path, (_, published) in differences(here, there).items():
        here = here.replace({path: published})
    assert here == there
    assert fidelity_of(here) == "published"


@pytest.mark.parametrize("reading", ["paper", "published"])
@pytest.mark.parametrize("name", [item.name for item in presets()])
def test_switches_to_a_reading_are_what_differs_from_it(name: str, reading: Literal["paper", "published"]) -> None:
    config = preset(name).config
    assert switches_to(config, reading) == differences(config, with_fidelity(config, reading))


def test_values_are_those_of_the_fields_in_their_order() -> None:
    config = preset("coserec-published-beauty").config
    assert list(values_of(config).items()) == [(item.path, item.value) for item in fields_of(config)]


@pytest.mark.parametrize("reading", ["paper", "published"])
@pytest.mark.parametrize(
    "switch", [item for item in fields_of(ExperimentConfig()) if item.is_switch], ids=lambda item: item.path
)
def test_one_changed_switch_is_custom_and_can_be_taken_back(
    switch: configuration.SettingInfo, reading: Literal["paper", "published"]
) -> None:
    """Also where paper and published code agree, and the switch offers a third way."""
    base = with_fidelity(ExperimentConfig(), reading)
    values = get_args(switch.annotation) or (True, False)
    other = next(value for value in values if value != getattr(switch, reading))
    changed = base.replace({switch.path: other})
    assert fidelity_of(changed) == "custom"
    assert with_fidelity(changed, reading) == base


def test_every_fidelity_field_is_a_switch() -> None:
    assert all(item.is_switch for item in fields_of(ExperimentConfig(), "fidelity"))


@pytest.mark.parametrize(
    ("path", "value", "word"),
    [
        ("train.epochs", 0, "at least 1"),
        ("train.epochs", "many", "whole number"),
        ("train.learning_rate", "nan", "finite"),
        ("augment.short_operators", "SIX", "X"),
        ("augment.short_operators", "SS", "twice"),
        ("augment.long_operators", "", "at least one"),
        ("augment.crop_rate", 1.5, "at most 1"),
        ("model.heads", 3, "do not divide"),
        ("loss.representation", "first", "real_concat"),
        ("train.device", "tpu", "cuda"),
        ("train.epoch", 3, "no such setting"),
        ("trian.epochs", 3, "no such setting"),
    ],
)
def test_a_wrong_value_is_refused_at_its_field(path: str, value: object, word: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        ExperimentConfig().replace({path: value})
    assert word in str(caught.value)
    assert caught.value.field.split(".")[0] == path.split(".")[0]


@pytest.mark.parametrize(
    ("path", "value"), [("model.name", "nobody"), ("loss.next_item", "hinge"), ("similarity.name", "magic")]
)
def test_an_unknown_plugin_lists_the_known_ones(path: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match="Known: "):
        ExperimentConfig().replace({path: value})


def test_an_unknown_preset_names_what_was_meant_or_all() -> None:
    with pytest.raises(UsageError, match=r"Did you mean coserec-paper, "):
        preset("coserec-papr")
    with pytest.raises(UsageError, match=r"Known: sample, .*coserec-paper-beauty"):
        preset("zzz")


def test_it_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        ExperimentConfig().train.epochs = 3  # type: ignore[misc]


def test_another_model_begins_with_its_own_defaults() -> None:
    popular = ExperimentConfig().replace({"model.name": "popularity"})
    assert not hasattr(popular.model, "heads")
    assert popular.replace({"model.name": "transformer"}).model == ExperimentConfig().model
    wide = ExperimentConfig().replace({"model.hidden_size": 128, "model.dropout": 0.1})
    changed = wide.replace({"model.name": "gru4rec", "model.layers": 2})
    assert changed.model == model_section("gru4rec")(name="gru4rec", layers=2)  # type: ignore[call-arg]
    assert changed.loss == wide.loss


def test_what_a_model_cannot_do_is_refused_at_its_field() -> None:
    factors = ExperimentConfig().replace({"model.name": "bpr_mf"})
    assert factors.loss.contrastive_weight == 0
    for wrong in (
        lambda: factors.replace({"loss.contrastive_weight": 0.2}),
        lambda: ExperimentConfig().replace({"model.name": "bpr_mf", "loss.contrastive_weight": 0.2}),
        lambda: parse({"model": {"name": "bpr_mf"}}),
    ):
        with pytest.raises(ConfigurationError, match=r"contrastive_weight: BPR-MF knows no order .* no views"):
            wrong()
    assert "no views" in why_unused(factors, "augment.crop_ratio")
    assert "pairwise" in why_unused(factors, "loss.next_item")
    assert not why_unused(factors, "model.hidden_size")
    counts = ExperimentConfig().replace({"model.name": "popularity"})
    assert why_unused(counts, "train.epochs") == "PopRec does not train."
    assert not why_unused(counts, "train.device")
    assert not any(why_unused(ExperimentConfig(), info.path) for info in fields_of(ExperimentConfig()))


@pytest.mark.parametrize("model", ["bpr_mf", "caser"])
def test_what_makes_no_views_has_no_use_for_pretraining(model: str) -> None:
    config = ExperimentConfig().replace({"model.name": model})
    reason = registry.entry("model", model).facts["no_views"]
    assert why_unused(config, "train.pretrain_epochs") == reason
    assert why_unused(config, "train.pretrain_learning_rate") == reason
    assert not why_unused(config, "train.epochs")
    assert not why_unused(ExperimentConfig().replace({"model.name": "s3rec"}), "train.pretrain_epochs")


def test_what_is_about_views_is_idle_without_them() -> None:
    with_views = ExperimentConfig()
    without = with_views.replace({"loss.contrastive_weight": 0.0})
    of_views = {"loss.contrastive", "loss.temperature", "loss.representation", "loss.similarity"}
    found = {info.path for info in fields_of(without) if why_idle(without, info.path) and applies(without, info.path)}
    assert {path for path in found if path.startswith("loss.")} == of_views
    assert {path.split(".")[0] for path in found} == {"loss", "augment", "similarity", "fidelity", "train"}
    assert why_idle(without, "loss.temperature") == why_idle(without, "augment") != ""
    assert not why_idle(without, "loss"), "the next-item loss counts"
    assert not any(why_idle(with_views, path) for path in of_views)
    pretrained = without.replace({"train.pretrain_epochs": 2})
    assert not any(why_idle(pretrained, info.path) for info in fields_of(pretrained) if applies(pretrained, info.path))
    assert why_idle(without, "train.pretrain_learning_rate") == "No effect while there is no pre-training."


@given(epochs=st.integers(1, 1000), rate=st.floats(0, 1), weight=st.floats(0, 100), seed=st.integers(0, 2**31 - 1))
def test_text_from_a_form_is_parsed_as_the_field_is(epochs: int, rate: float, weight: float, seed: int) -> None:
    typed = {"train.epochs": epochs, "augment.mask_rate": rate, "loss.contrastive_weight": weight, "train.seed": seed}
    assert ExperimentConfig().replace({key: str(value) for key, value in typed.items()}) == ExperimentConfig().replace(
        typed
    )


def test_a_short_name_says_what_matters_to_the_model() -> None:
    assert ExperimentConfig().short() == "transformer λ=0.1 seed 1"
    assert preset("sasrec").config.replace({"train.seed": 7}).short() == "transformer seed 7"
    assert preset("popularity").config.short() == "popularity"


@pytest.mark.parametrize("tree", ['{"model": 5}', '{"augment": [1]}', '{"loss": null}', '{"data": "x"}', "[1]", "5"])
def test_a_tree_of_the_wrong_shape_is_refused(tree: str) -> None:
    with pytest.raises(ConfigurationError):
        parse(tree)


def test_a_configuration_of_a_newer_version_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="schema_version"):
        parse({"schema_version": configuration.SCHEMA_VERSION + 1})


def test_a_model_with_pre_training_of_its_own_brings_it_along() -> None:
    plain = ExperimentConfig()
    assert plain.train.pretrain_epochs == 0
    chosen = plain.replace({"model.name": "s3rec"})
    assert chosen.train.pretrain_epochs == 100
    assert plain.replace({"model.name": "s3rec", "train.pretrain_epochs": 7}).train.pretrain_epochs == 7
    assert chosen.replace({"model.name": "transformer"}).train.pretrain_epochs == 0
    assert chosen.replace({"model.name": "bpr_mf"}).train.pretrain_epochs == 0
    # Contrast can pre-train another model of sequences as well: what was asked for stays.
    by_contrast = plain.replace({"train.pretrain_epochs": 9})
    assert by_contrast.replace({"model.name": "gru4rec"}).train.pretrain_epochs == 9
    assert by_contrast.replace({"model.name": "caser"}).train.pretrain_epochs == 0


def test_pre_training_that_a_model_cannot_have_is_refused_at_its_field() -> None:
    factors = ExperimentConfig().replace({"model.name": "bpr_mf"})
    with pytest.raises(ConfigurationError, match="no views") as refused:
        factors.replace({"train.pretrain_epochs": 3})
    assert refused.value.field == "train.pretrain_epochs"
    assert refused.value.hint == "Set train.pretrain_epochs to 0."
    gru = ExperimentConfig().replace({"model.name": "gru4rec", "loss.contrastive_weight": 0})
    padded = gru.replace({"loss.representation": "padded_concat"})  # no view is made: nothing to refuse
    with pytest.raises(ConfigurationError, match="no padding") as refused:
        padded.replace({"train.pretrain_epochs": 3})
    assert refused.value.field == "loss.representation"


def test_two_stages_have_presets() -> None:
    two, one = preset("coserec-two-stage").config, preset("coserec-paper").config
    assert set(differences(two, one)) == {"loss.contrastive_weight", "train.pretrain_epochs"}
    assert (two.loss.contrastive_weight, two.train.pretrain_epochs > two.similarity.hybrid_after_epoch) == (0, True)
    assert two.short() == "transformer 200+ seed 1"
    source = preset("s3rec-paper").config
    assert (source.model.segment_weight, source.train.pretrain_epochs, source.train.patience) == (0, 100, 10)  # type: ignore[attr-defined]
    assert preset("s3rec-strong").config.model.segment_weight == 0.5  # type: ignore[attr-defined]


def test_stages_are_told_from_a_stored_configuration() -> None:
    assert pretrain_epochs_of(preset("s3rec-paper").config.model_dump(mode="json")) == 100
    strange: list[dict[str, object]] = [{}, {"train": 5}, {"train": {}}, {"train": {"pretrain_epochs": "x"}}]
    assert [pretrain_epochs_of(tree) for tree in strange] == [0, 0, 0, 0]
    assert total_epochs(preset("s3rec-paper").config) == 400
