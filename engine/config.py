"""The configuration of one run: data | similarity | augment | model | loss | train | evaluate | fidelity.

One frozen pydantic model. Every field carries bounds, help, symbol and source, and the form, the command line, the
stored JSON and the tooltips are generated from it (`fields_of`). Where the authors' published code departs from the
paper, the field also carries both values, so that a user can walk from one reading to the other a switch at a time.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, Self

from pydantic import BaseModel, SerializeAsAny, ValidationError, create_model, field_validator, model_validator
from pydantic.fields import FieldInfo

from engine import paths, registry
from engine.errors import ConfigurationError, UsageError
from engine.registry import Options, setting

SCHEMA_VERSION = 1
KS = (5, 10, 20)
"""Cut-offs of HR@k and NDCG@k (paper §5.1.2)."""
STOPPING_METRIC = "NDCG@20"
"""Validation metric that early stopping follows (FACTS F5)."""


class DataOptions(Options):
    """Which sequences are trained on."""

    path: str = setting(
        "sample", help="Data set file, or 'sample' for the bundled shop.", source="§5.1.1", label="Data set"
    )
    train_fraction: float = setting(
        1.0,
        gt=0,
        le=1,
        help="Share of the users that are trained on; evaluation keeps all of them.",
        source="§5.4, FACTS F18",
        label="Training share",
        advanced=True,
    )


class _SimilarityBase(Options):
    name: str = setting(
        "hybrid",
        help="Item correlation behind Substitute and Insert.",
        source="§4.1.3, Table 3",
        label="Correlation",
    )
    hybrid_after_epoch: int = setting(
        160,
        ge=0,
        le=100_000,
        help="Epochs with the memory-based correlation before the hybrid takes over.",
        source="Algorithm 1, FACTS F16",
        symbol="E",
        label="Hybrid after epoch",
        unit="epochs",
    )
    top_k: int = setting(
        1,
        ge=1,
        le=100,
        help="A correlated item is drawn uniformly from this many best neighbours.",
        source="§4.1.2 (the most correlated item: 1)",
        label="Neighbours to draw from",
        advanced=True,
    )

    @field_validator("name")
    @classmethod
    def _known(cls, value: str) -> str:
        return registry.entry("similarity", value).name


class _AugmentBase(Options):
    short_length: int = setting(
        4,
        ge=0,
        le=1_000_000,
        help="A training input of at most this many items counts as short.",
        source="Eq. 12, FACTS F4",
        symbol="K",
        label="Short up to",
        unit="items",
    )
    short_operators: str = setting(
        "SIM",
        help="Operators for short sequences, one letter each.",
        source="Eq. 12, Figure 5",
        label="Operators, short",
    )
    long_operators: str = setting(
        "SIMCR",
        help="Operators for long sequences, one letter each.",
        source="Eq. 12",
        label="Operators, long",
    )

    @field_validator("short_operators", "long_operators")
    @classmethod
    def _letters(cls, value: str) -> str:
        value = value.upper()
        known = {entry.facts["letter"]: entry.label for entry in registry.entries("operator")}
        if not value:
            raise ValueError("name at least one operator")
        if unknown := sorted(set(value) - set(known)):
            listed = ", ".join(f"{letter} {label}" for letter, label in known.items())
            raise ValueError(f"no operator has the letter {' '.join(unknown)}; known: {listed}")
        if len(set(value)) != len(value):
            raise ValueError("a letter stands twice")
        return value


class _LossBase(Options):
    next_item: str = setting(
        "bce", help="Loss of the next-item task.", source="Eq. 3, FACTS F7", label="Next-item loss"
    )
    contrastive: str = setting(
        "nt_xent",
        help="Loss of the contrastive task.",
        source="Eq. 14, FACTS F8",
        label="Contrastive loss",
        advanced=True,
    )
    contrastive_weight: float = setting(
        0.1,
        ge=0,
        le=100,
        help="Weight of the contrastive loss; 0 trains without views (SASRec).",
        source="Eq. 15",
        symbol="λ",
        label="Contrastive weight",
    )
    temperature: float = setting(
        1.0,
        gt=0,
        le=100,
        help="The similarity of two views is divided by it.",
        source="FACTS F8",
        symbol="τ",
        label="Temperature",
    )
    representation: Literal["real_concat", "padded_concat", "last", "mean"] = setting(
        "real_concat",
        help="What represents a sequence in the contrastive loss.",
        source="§4.2, FACTS F8, F14",
        label="Sequence representation",
        paper="real_concat",
        published="padded_concat",
        choices={
            "real_concat": "real positions, concatenated",
            "padded_concat": "all positions with padding, concatenated",
            "last": "last position",
            "mean": "mean of the real positions",
        },
    )
    similarity: Literal["dot", "cosine"] = setting(
        "dot",
        help="Similarity of two representations.",
        source="Eq. 14 (dot product)",
        label="View similarity",
        advanced=True,
    )

    @model_validator(mode="after")
    def _known(self) -> Self:
        registry.entry("next_item_loss", self.next_item)
        registry.entry("contrastive_loss", self.contrastive)
        return self


class TrainOptions(Options):
    """The optimisation (FACTS F5, F6)."""

    epochs: int = setting(
        300, ge=1, le=100_000, help="At most this many epochs.", source="FACTS F5", label="Epochs", unit="epochs"
    )
    batch_size: int = setting(
        256, ge=1, le=1_000_000, help="Users in a batch.", source="§5.1.4", symbol="N", label="Batch size", unit="users"
    )
    learning_rate: float = setting(1e-3, gt=0, le=10, help="Adam's step size.", source="§5.1.4", label="Learning rate")
    beta1: float = setting(
        0.9,
        ge=0,
        lt=1,
        help="Adam's decay of the first moment.",
        source="§5.1.4",
        symbol="β₁",
        label="Adam β₁",
        advanced=True,
    )
    beta2: float = setting(
        0.999,
        ge=0,
        lt=1,
        help="Adam's decay of the second moment.",
        source="§5.1.4",
        symbol="β₂",
        label="Adam β₂",
        advanced=True,
    )
    seed: int = setting(
        1, ge=0, lt=2**31, help="Seed of every random generator of the run.", source="FACTS F14", label="Seed"
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = setting(
        "auto",
        help="Where the run computes; 'auto' takes the GPU when there is one.",
        source="engine",
        label="Device",
        choices={"auto": "automatic", "cpu": "CPU", "cuda": "NVIDIA GPU (CUDA)", "mps": "Apple GPU (MPS)"},
    )
    patience: int = setting(
        40,
        ge=1,
        le=100_000,
        help="Stop after this many epochs without a better validation NDCG@20.",
        source="§5.1.4, FACTS F5",
        label="Patience",
        unit="epochs",
    )


class EvaluateOptions(Options):
    """Full-ranking evaluation (FACTS F2, F3)."""

    seen_items: Literal["exclude", "zero", "keep"] = setting(
        "exclude",
        help="What becomes of the items already in the user's history.",
        source="FACTS F3",
        label="Seen items",
        paper="exclude",
        published="zero",
        choices={"exclude": "excluded (score −∞)", "zero": "scored 0", "keep": "ranked like any other"},
    )
    ties: Literal["optimistic", "pessimistic", "mean", "id"] = setting(
        "mean",
        help="Rank of a target whose score other items share.",
        source="FACTS F3",
        label="Ties",
        advanced=True,
        paper="mean",
        published="optimistic",
        choices={
            "optimistic": "best of the tied ranks",
            "pessimistic": "worst of the tied ranks",
            "mean": "mean of the tied ranks",
            "id": "lower item id first",
        },
    )
    batch_size: int = setting(
        1024,
        ge=1,
        le=1_000_000,
        help="Users ranked at once.",
        source="engine",
        label="Users at once",
        unit="users",
        advanced=True,
    )
    noise_rate: float = setting(
        0.0,
        ge=0,
        le=10,
        help="Random unseen items added to every test input, as a share of its length.",
        source="§5.4, FACTS F18",
        label="Test noise",
        advanced=True,
    )


class FidelityOptions(Options):
    """Where the authors' published code departs from the paper: each departure one switch (FACTS F3, F7, F9–F18)."""

    counts: Literal["ceiling", "floor"] = setting(
        "ceiling",
        help="Rounding of ratio × length.",
        source="Eq. 4–8, FACTS F9",
        label="Counts",
        paper="ceiling",
        published="floor",
        choices={"ceiling": "ceiling", "floor": "floor; at least 1 for Crop, Substitute and Insert"},
    )
    mask_token: Literal["mask", "padding"] = setting(
        "mask",
        help="What Mask writes; padding is hidden from attention.",
        source="Eq. 5, FACTS F10",
        label="Masked item",
        paper="mask",
        published="padding",
        choices={"mask": "the mask token", "padding": "the padding id"},
    )
    start_positions: Literal["every", "never_last"] = setting(
        "every",
        help="Where Crop and Reorder may begin.",
        source="Eq. 4, 6, FACTS F11",
        label="Start positions",
        paper="every",
        published="never_last",
        choices={"every": "every possible start", "never_last": "never the last possible start"},
    )
    operator_pairs: Literal["independent", "distinct"] = setting(
        "independent",
        help="Whether the two views of a user may use the same operator.",
        source="Algorithm 1, FACTS F11",
        label="Operator pairs",
        paper="independent",
        published="independent",
        choices={"independent": "drawn independently", "distinct": "always two different ones"},
    )
    augment_input: Literal["untruncated", "truncated"] = setting(
        "untruncated",
        help="Whether operators see the whole training input or its last items only.",
        source="FACTS F11",
        label="Operators act on",
        paper="untruncated",
        published="untruncated",
        choices={"untruncated": "the whole training input", "truncated": "its last max_length items"},
    )
    short_reorder_rate: Literal["reorder_rate", "mask_rate"] = setting(
        "reorder_rate",
        help="Ratio of Reorder in the short sets SIR, SIMR and SIRC.",
        source="FACTS F12",
        label="Reorder, short",
        paper="reorder_rate",
        published="mask_rate",
        choices={"reorder_rate": "the reorder ratio", "mask_rate": "the mask ratio"},
    )
    insert_side: Literal["before", "after"] = setting(
        "before",
        help="Side of the chosen item on which Insert puts the correlated one.",
        source="Eq. 8, FACTS F13",
        label="Insert",
        paper="before",
        published="before",
        choices={"before": "before the chosen item", "after": "after the chosen item"},
    )
    padding_row: Literal["zero", "random"] = setting(
        "zero",
        help="The padding item's embedding, which never learns.",
        source="FACTS F14",
        label="Padding embedding",
        paper="zero",
        published="random",
        choices={"zero": "zero", "random": "its random initial value"},
    )
    correlation_items: Literal["inputs", "training"] = setting(
        "inputs",
        help="Items that memory-based correlation counts: training inputs, or inputs and their last target.",
        source="FACTS F15",
        label="Correlations count",
        paper="inputs",
        published="inputs",
        choices={"inputs": "training inputs", "training": "training inputs and targets"},
    )
    missing_neighbour: Literal["keep", "random"] = setting(
        "keep",
        help="What stands in for an item without neighbours.",
        source="FACTS F15",
        label="No neighbour",
        paper="keep",
        published="random",
        choices={"keep": "nothing: the item stays as it is", "random": "a random item that has neighbours"},
    )
    hybrid_switch: Literal["at_epoch", "after_epoch"] = setting(
        "at_epoch",
        help="Memory-based epochs before the hybrid: E, or E + 1.",
        source="Algorithm 1, FACTS F16",
        label="Hybrid starts",
        paper="at_epoch",
        published="after_epoch",
        choices={"at_epoch": "after E epochs", "after_epoch": "after E + 1 epochs"},
    )
    hybrid_candidates: Literal["items", "all_rows"] = setting(
        "items",
        help="What the model-based part ranks and normalises over.",
        source="FACTS F16",
        label="Hybrid candidates",
        paper="items",
        published="all_rows",
        choices={"items": "real items, without self-products", "all_rows": "padding, mask and self-products too"},
    )
    negatives_exclude: Literal["training", "whole"] = setting(
        "training",
        help="Items that are never drawn as a negative.",
        source="FACTS F7",
        label="Negatives avoid",
        paper="training",
        published="whole",
        choices={"training": "the user's training items", "whole": "the user's whole sequence, held-out targets too"},
    )
    negatives_draw_mask: bool = setting(
        False,
        help="Whether the mask token can be drawn as a negative.",
        source="FACTS F7",
        label="Mask as negative",
        paper=False,
        published=True,
    )
    next_item_mean: Literal["tokens", "users"] = setting(
        "tokens",
        help="What the next-item loss is averaged over.",
        source="Algorithm 1 line 15, FACTS F7",
        label="Next-item mean",
        paper="tokens",
        published="tokens",
        choices={"tokens": "the batch's real tokens", "users": "users (each user's mean counts once)"},
    )
    rank_special_tokens: bool = setting(
        False,
        help="Whether the padding and mask ids take part in the ranking.",
        source="FACTS F3",
        label="Rank padding and mask",
        paper=False,
        published=True,
    )
    train_subset: Literal["first", "random"] = setting(
        "random",
        help="Which users a training share keeps.",
        source="FACTS F18",
        label="Training share keeps",
        paper="random",
        published="first",
        choices={"first": "the first users of the file", "random": "a random sample"},
    )
    train_subset_after_switch: Literal["keep", "whole"] = setting(
        "keep",
        help="Users trained on once the hybrid has taken over.",
        source="FACTS F18",
        label="Training share after E",
        paper="keep",
        published="whole",
        choices={"keep": "the same share", "whole": "all users"},
    )


def _with_plugins(name: str, base: type[Options], kinds: tuple[registry.Kind, ...], doc: str) -> type[Any]:
    """The section ``base`` with the options that its plugins announce, flattened into it."""
    fields: dict[str, Any] = {}
    for kind in kinds:
        for plugin in registry.entries(kind):
            for field_name, info in plugin.options.model_fields.items():
                fields[field_name] = (info.annotation, info)
    model = create_model(name, __base__=base, __module__=__name__, **fields)
    model.__doc__ = doc
    return model


SimilarityOptions = _with_plugins("SimilarityOptions", _SimilarityBase, ("similarity",), "Item correlations (§4.1.3).")
AugmentOptions = _with_plugins(
    "AugmentOptions", _AugmentBase, ("operator",), "The operators and their policy (§4.1, Eq. 12)."
)
LossOptions = _with_plugins(
    "LossOptions", _LossBase, ("next_item_loss", "contrastive_loss"), "Next-item and contrastive loss (Eq. 3, 14, 15)."
)


class ModelOptions(Options):
    """Base of every model's own section; ``name`` says which one."""

    name: str


@cache
def model_section(name: str) -> type[ModelOptions]:
    """The options class of a model, with its ``name`` in front."""
    plugin = registry.entry("model", name)
    fields: dict[str, Any] = {"name": (str, setting(name, help="The recommender.", source="Table 2", label="Model"))}
    fields |= {key: (info.annotation, info) for key, info in plugin.options.model_fields.items()}
    section = create_model(
        f"{plugin.options.__name__}Section", __base__=(plugin.options, ModelOptions), __module__=__name__, **fields
    )
    section.__doc__ = plugin.help
    return section


class ExperimentConfig(Options):
    """Everything that determines a run. Frozen; round-trips through JSON; schema version stored with it."""

    schema_version: int = SCHEMA_VERSION
    data: DataOptions = DataOptions()
    similarity: SerializeAsAny[_SimilarityBase] = SimilarityOptions()
    augment: SerializeAsAny[_AugmentBase] = AugmentOptions()
    model: SerializeAsAny[ModelOptions] = model_section("transformer")()
    loss: SerializeAsAny[_LossBase] = LossOptions()
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

    def replace(self, values: Mapping[str, Any]) -> ExperimentConfig:
        """A copy with ``{"train.epochs": 5, …}`` changed; text is parsed as the field's type.

        Raises ``ConfigurationError`` naming the field, what is wrong and what is allowed.
        """
        tree = self.model_dump(mode="json")
        if "model.name" in values and values["model.name"] != self.model.name:
            kept = set(model_section(str(values["model.name"])).model_fields)
            tree["model"] = {key: item for key, item in tree["model"].items() if key in kept}
        for path, value in values.items():
            section, _, name = path.partition(".")
            if section not in tree or not isinstance(tree[section], dict) or not name:
                raise ConfigurationError("there is no such setting.", _nearest(path, self), field=path)
            tree[section][name] = value
        return parse(tree)

    def short(self) -> str:
        """``transformer λ=0.1 seed 1``: a name for lists."""
        weight = f" λ={self.loss.contrastive_weight:g}" if self.loss.contrastive_weight else ""
        return f"{self.model.name}{weight} seed {self.train.seed}"


def _plain(value: Any) -> dict[str, Any]:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else dict(value)


def parse(values: Mapping[str, Any] | str) -> ExperimentConfig:
    """A configuration from its JSON. Raises ``ConfigurationError`` with the first wrong field."""
    try:
        tree = json.loads(values) if isinstance(values, str) else dict(values)
        return ExperimentConfig.model_validate(tree)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ").rstrip(".")
        if first["type"] == "extra_forbidden":
            message = "there is no such setting"
        raise ConfigurationError(f"{message} (got {first.get('input')!r}).", field=where) from None
    except json.JSONDecodeError as error:
        raise ConfigurationError(f"the configuration is not JSON: {error.msg} in line {error.lineno}.") from None


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
    symbol: str
    paper: Any
    published: Any
    advanced: bool
    choices: Mapping[str, str]
    lower: float | None
    upper: float | None
    lower_open: bool
    upper_open: bool

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
            yield _setting_info(section, name, info, getattr(options, name))


def _setting_info(section: str, name: str, info: FieldInfo, value: Any) -> SettingInfo:
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
    first = {item.path: item.value for item in fields_of(one)}
    second = {item.path: item.value for item in fields_of(other)}
    paths_ = list(first) + [path for path in second if path not in first]
    return {path: (first.get(path), second.get(path)) for path in paths_ if first.get(path) != second.get(path)}


def fidelity_of(config: ExperimentConfig) -> Literal["paper", "published", "custom"]:
    """Whether every switch stands as the paper says, as the published code does, or neither."""
    switches = [item for item in fields_of(config) if item.is_departure]
    if all(item.value == item.paper for item in switches):
        return "paper"
    return "published" if all(item.value == item.published for item in switches) else "custom"


def with_fidelity(config: ExperimentConfig, reading: Literal["paper", "published"]) -> ExperimentConfig:
    """The configuration with every switch as the paper says, or as the published code does."""
    return config.replace({item.path: getattr(item, reading) for item in fields_of(config) if item.is_departure})


@dataclass(frozen=True)
class Preset:
    """A named starting point from ``resources/presets``."""

    name: str
    title: str
    description: str
    source: str
    config: ExperimentConfig


@cache
def presets() -> tuple[Preset, ...]:
    """All presets, in the order of their ``order`` key."""
    loaded = []
    for path in paths.resource("presets").glob("*.json"):
        tree = json.loads(path.read_text(encoding="utf-8"))
        base = with_fidelity(ExperimentConfig(), tree["fidelity"])
        values = {
            f"{section}.{name}": value for section, group in tree["values"].items() for name, value in group.items()
        }
        preset = Preset(path.stem, tree["title"], tree["description"], tree["source"], base.replace(values))
        loaded.append((tree.get("order", 100), path.stem, preset))
    return tuple(preset for _, _, preset in sorted(loaded, key=lambda item: item[:2]))


def preset(name: str) -> Preset:
    """The preset of that name. Raises ``UsageError`` that lists the known names."""
    for found in presets():
        if found.name == name:
            return found
    raise UsageError(
        f"There is no preset called '{name}'.", "Known: " + ", ".join(item.name for item in presets()) + "."
    )


def _nearest(path: str, config: ExperimentConfig) -> str:
    close = difflib.get_close_matches(path, [item.path for item in fields_of(config)], n=3)
    return f"Did you mean {', '.join(close)}?" if close else ""
