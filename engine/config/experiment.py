"""One run's whole configuration, and the readings of it: fields, differences, fidelity."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal, Self, cast

from pydantic import BaseModel, Field, SerializeAsAny, ValidationError, create_model, field_validator, model_validator
from pydantic.fields import FieldInfo

from engine import registry
from engine.config.fidelity import FidelityOptions
from engine.config.fitting import default_pretraining, needs_no_views, refuse_misfit, refuse_shown
from engine.config.sections import (
    AugmentOptions,
    AugmentSection,
    DataOptions,
    EvaluateOptions,
    LossOptions,
    LossSection,
    SimilarityOptions,
    SimilaritySection,
    TrainOptions,
)
from engine.errors import ConfigurationError, did_you_mean
from engine.registry import Options, setting

SCHEMA_VERSION = 1
KS = (5, 10, 20)
"""Cut-offs of HR@k and NDCG@k (paper §5.1.2)."""
STOPPING_METRIC = "NDCG@20"
"""Validation metric that early stopping follows (FACTS F5)."""


class ModelOptions(Options):
    """Base of every model's own section; ``name`` says which one."""

    name: str


@cache
def model_section(name: str) -> type[ModelOptions]:
    """The options class of a model, with its ``name`` in front."""
    plugin = registry.entry("model", name)
    fields: dict[str, Any] = {"name": (str, setting(name, help="The recommender.", source="Table 2", label="Model"))}
    fields |= {key: (info.annotation, info) for key, info in plugin.options.model_fields.items()}
    bases: Any = (plugin.options, ModelOptions)
    section: Any = create_model(f"{plugin.options.__name__}Section", __base__=bases, __module__=__name__, **fields)
    section.__doc__ = plugin.help
    return cast("type[ModelOptions]", section)


class ExperimentConfig(Options):
    """Everything that determines a run. Frozen; round-trips through JSON; schema version stored with it."""

    schema_version: int = Field(SCHEMA_VERSION, ge=1, le=SCHEMA_VERSION)
    data: DataOptions = DataOptions()
    similarity: SerializeAsAny[SimilaritySection] = SimilarityOptions()
    augment: SerializeAsAny[AugmentSection] = AugmentOptions()
    model: SerializeAsAny[ModelOptions] = model_section("transformer")(name="transformer")
    loss: SerializeAsAny[LossSection] = LossOptions()
    train: TrainOptions = TrainOptions()
    evaluate: EvaluateOptions = EvaluateOptions()
    fidelity: FidelityOptions = FidelityOptions()

    @field_validator("similarity", "augment", "loss", mode="before")
    @classmethod
    def _with_plugin_fields(cls, value: Any, info: Any) -> Any:
        section = {"similarity": SimilarityOptions, "augment": AugmentOptions, "loss": LossOptions}[info.field_name]
        return value if isinstance(value, section) else section.model_validate(_plain(value))

    @field_validator("model", mode="before")
    @classmethod
    def _the_models_own_fields(cls, value: Any) -> Any:
        values = _plain(value)
        return model_section(values.get("name", "transformer")).model_validate(values)

    @model_validator(mode="after")
    def _fits_the_model(self) -> Self:
        refuse_misfit(self)
        return self

    def replace(self, values: Mapping[str, Any]) -> ExperimentConfig:
        """A copy with ``{"train.epochs": 5, …}`` changed; text is parsed as the field's type.

        Another model begins with its own defaults, pre-training by its own tasks included. With one that makes no
        views, λ and pre-training go to 0 unless they are given.

        Raises ``ConfigurationError`` naming the field, what is wrong and what is allowed.
        """
        tree = self.model_dump(mode="json")
        if "model.name" in values and values["model.name"] != self.model.name:
            tree["model"] = {}  # a model's own defaults: a width or a dropout that suits one need not suit another
            pretraining = default_pretraining(self.model.name, str(values["model.name"]))
            if pretraining is not None:
                tree["train"]["pretrain_epochs"] = pretraining
            if needs_no_views(str(values["model.name"])):
                tree["loss"]["contrastive_weight"] = 0.0
        for path, value in values.items():
            section, _, name = path.partition(".")
            if section not in tree or not isinstance(tree[section], dict) or not name:
                raise ConfigurationError("there is no such setting.", did_you_mean(path, values_of(self)), field=path)
            tree[section][name] = value
        changed = parse(tree)
        refuse_shown(self, changed)
        return changed

    def value(self, path: str) -> Any:
        """The setting at the dotted ``path``. Raises ``AttributeError`` for one that does not exist."""
        section, _, name = path.partition(".")
        return getattr(getattr(self, section), name)

    def __reduce__(self) -> tuple[Any, ...]:
        # The model's section is a class made at run time, which pickle cannot look up; the JSON carries everything.
        return (parse, (self.model_dump_json(),))

    def short(self) -> str:
        """``transformer λ=0.1 seed 1``, ``s3rec 100+ seed 1`` (pre-trained for 100 epochs), ``popularity``: a name for
        lists. What does not train has no λ and no seed."""
        if not registry.entry("model", self.model.name).facts["trains"]:
            return self.model.name
        before = f" {self.train.pretrain_epochs}+" if self.train.pretrain_epochs else ""
        weight = f" λ={self.loss.contrastive_weight:g}" if self.loss.contrastive_weight else ""
        return f"{self.model.name}{before}{weight} seed {self.train.seed}"


def _plain(value: Any) -> dict[str, Any]:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if not isinstance(value, Mapping):
        raise ValueError("must hold settings by their names")
    return dict(value)


def parse(values: Mapping[str, Any] | str) -> ExperimentConfig:
    """A configuration from its JSON. Raises ``ConfigurationError`` with the first wrong field."""
    try:
        tree = json.loads(values) if isinstance(values, str) else dict(values)
        return ExperimentConfig.model_validate(tree)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise _no_such_setting(where, tree) from None
        raise ConfigurationError(in_words(first), field=where) from None
    except json.JSONDecodeError as error:
        raise ConfigurationError(f"the configuration is not JSON: {error.msg} in line {error.lineno}.") from None


def _no_such_setting(path: str, tree: Mapping[str, Any]) -> ConfigurationError:
    """For a path that no configuration has, or only one with another model than the ``tree``'s."""
    section, _, name = path.partition(".")
    if section != "model" or not name:
        return ConfigurationError(
            "there is no such setting.", did_you_mean(path, values_of(ExperimentConfig())), field=path
        )
    model = registry.entry("model", _plain(tree["model"]).get("name", "transformer"))
    own = ", ".join(f"model.{field}" for field in model.options.model_fields)
    return ConfigurationError(f"{model.label} has no such setting.", f"It has {own}." if own else "", field=path)


_WORDS = {
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be above {gt}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be below {lt}",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "bool_parsing": "must be true or false",
    "literal_error": "must be one of {expected}",
    "extra_forbidden": "there is no such setting",
}


def in_words(problem: Mapping[str, Any]) -> str:
    """Pydantic's finding as a sentence for people: what is allowed, and what was given."""
    template = _WORDS.get(problem["type"])
    message = problem["msg"].removeprefix("Value error, ").rstrip(".")
    if template is not None:
        message = template.format(**problem.get("ctx", {}))
    given = problem.get("input")
    has_value = problem["type"] != "extra_forbidden" and not isinstance(given, Mapping)
    return f"{message}; it is {given!r}." if has_value else f"{message}."


@dataclass(frozen=True)
class SettingInfo:
    """One field of the configuration as form, command line and tooltip show it."""

    path: str
    section: str
    name: str
    annotation: Any
    default: Any
    value: Any
    help: str
    source: str
    label: str
    unit: str
    zero: str
    """What 0 stands for, where it is no number of units."""
    symbol: str
    paper: Any
    published: Any
    advanced: bool
    choices: Mapping[str, str]
    lower: float | None
    upper: float | None
    lower_open: bool
    upper_open: bool

    def renamed(self, path: str, choices: Mapping[str, str]) -> SettingInfo:
        """The same field under another path: what is no part of a run's configuration has no section in it."""
        return replace(self, path=path, choices=choices)

    @property
    def is_switch(self) -> bool:
        """Whether the field stands for a reading: it says what paper and published code do, alike or not."""
        return self.paper is not None or self.published is not None

    @property
    def is_departure(self) -> bool:
        """Whether paper and published code differ here."""
        return self.paper != self.published


SECTIONS = ("data", "model", "augment", "similarity", "loss", "train", "evaluate", "fidelity")


def fields_of(config: ExperimentConfig, *sections: str) -> Iterator[SettingInfo]:
    """Every field of the configuration, in the order a form shows it."""
    for section in sections or SECTIONS:
        options = getattr(config, section)
        for name, info in type(options).model_fields.items():
            yield setting_info(section, name, info, getattr(options, name))


def values_of(config: ExperimentConfig) -> dict[str, Any]:
    """Dotted path → value of every field, in the order a form shows them: `fields_of` without what it says of them."""
    return {
        f"{section}.{name}": getattr(options, name)
        for section in SECTIONS
        for options in (getattr(config, section),)
        for name in type(options).model_fields
    }


def setting_info(section: str, name: str, info: FieldInfo, value: Any) -> SettingInfo:
    extra: Any = info.json_schema_extra or {}
    bounds = {
        key: getattr(item, key)
        for item in info.metadata
        for key in ("ge", "gt", "le", "lt")
        if getattr(item, key, None) is not None
    }
    choices = dict(extra.get("choices") or {})
    kind = {
        ("model", "name"): "model",
        ("similarity", "name"): "similarity",
        ("loss", "next_item"): "next_item_loss",
        ("loss", "contrastive"): "contrastive_loss",
    }.get((section, name))
    if kind:
        choices = {plugin.name: plugin.label for plugin in registry.entries(kind)}  # type: ignore[arg-type]
    return SettingInfo(
        path=f"{section}.{name}",
        section=section,
        name=name,
        annotation=info.annotation,
        default=info.default,
        value=value,
        help=info.description or "",
        source=extra.get("source", ""),
        label=extra.get("label") or name.replace("_", " ").capitalize(),
        unit=extra.get("unit", ""),
        zero=extra.get("zero", ""),
        symbol=extra.get("symbol", ""),
        paper=extra.get("paper"),
        published=extra.get("published"),
        advanced=bool(extra.get("advanced")),
        choices=choices,
        lower=bounds.get("ge", bounds.get("gt")),
        upper=bounds.get("le", bounds.get("lt")),
        lower_open="gt" in bounds,
        upper_open="lt" in bounds,
    )


def differences(one: ExperimentConfig, other: ExperimentConfig) -> dict[str, tuple[Any, Any]]:
    """Dotted path → (value in one, value in other), where they differ."""
    first, second = values_of(one), values_of(other)
    paths_ = list(first) + [path for path in second if path not in first]
    return {path: (first.get(path), second.get(path)) for path in paths_ if first.get(path) != second.get(path)}


def fidelity_of(config: ExperimentConfig) -> Literal["paper", "published", "custom"]:
    """Whether every switch stands as the paper says, as the published code does, or neither."""
    switches = [item for item in fields_of(config) if item.is_switch]
    if all(item.value == item.paper for item in switches):
        return "paper"
    return "published" if all(item.value == item.published for item in switches) else "custom"


def switches_to(config: ExperimentConfig, reading: Literal["paper", "published"]) -> dict[str, tuple[Any, Any]]:
    """Dotted path → (value, value in that reading) of every switch that stands otherwise."""
    pairs = {item.path: (item.value, getattr(item, reading)) for item in fields_of(config) if item.is_switch}
    return {path: pair for path, pair in pairs.items() if pair[0] != pair[1]}


def with_fidelity(config: ExperimentConfig, reading: Literal["paper", "published"]) -> ExperimentConfig:
    """The configuration with every switch as the paper says, or as the published code does."""
    return config.replace({item.path: getattr(item, reading) for item in fields_of(config) if item.is_switch})
