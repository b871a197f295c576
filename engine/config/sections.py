"""The sections of the configuration, with the options that their plugins announce flattened into them."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import create_model, field_validator, model_validator

from engine import registry
from engine.errors import ConfigurationError
from engine.registry import Options, setting


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
        source="§5.4, the authors' code",
        label="Training share",
        advanced=True,
    )


class SimilaritySection(Options):
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
        source="Algorithm 1, the authors' code",
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


class AugmentSection(Options):
    short_length: int = setting(
        4,
        ge=0,
        le=1_000_000,
        help="A training input of at most this many items counts as short.",
        source="Eq. 12, the authors' code",
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


class LossSection(Options):
    next_item: str = setting(
        "bce", help="Loss of the next-item task.", source="Eq. 3, the authors' code", label="Next-item loss"
    )
    contrastive: str = setting(
        "nt_xent",
        help="Loss of the contrastive task.",
        source="Eq. 14",
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
        source="Eq. 14",
        symbol="τ",
        label="Temperature",
    )
    representation: Literal["real_concat", "padded_concat", "last", "mean"] = setting(
        "real_concat",
        help="What represents a sequence in the contrastive loss.",
        source="§4.2, Eq. 14, the authors' code",
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
        300,
        ge=1,
        le=100_000,
        help="At most this many epochs.",
        source="the authors' code",
        label="Epochs",
        unit="epochs",
    )
    pretrain_epochs: int = setting(
        0,
        ge=0,
        le=100_000,
        help="Epochs of pre-training before the first of these: by contrast of views alone (two-stage CoSeRec), or by "
        "tasks of the model's own (S3-Rec). They are not validated; 0 trains in one stage.",
        source="§5.5.3, Table 4, Zhou et al. 2020",
        label="Pre-training",
        unit="epochs",
    )
    batch_size: int = setting(
        256,
        ge=1,
        le=1_000_000,
        help="Users in a batch (actions of BPR-MF, windows of Caser).",
        source="§5.1.4",
        symbol="N",
        label="Batch size",
        unit="examples",
    )
    learning_rate: float = setting(
        1e-3, gt=0, le=10, help="The optimiser's step size.", source="§5.1.4", label="Learning rate"
    )
    pretrain_learning_rate: float = setting(
        0.0,
        ge=0,
        le=10,
        help="The step size of pre-training; 0 takes the learning rate. The optimiser begins anew after it.",
        source="Zhou et al. 2020",
        label="Pre-training rate",
        advanced=True,
    )
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
    optimiser: Literal["adam", "adamw", "rmsprop"] = setting(
        "adam",
        help="How gradients become steps. AdamW takes weight decay off the weights themselves, and off matrices only.",
        source="§5.1.4, Rendle et al. 2009, Sun et al. 2019",
        label="Optimiser",
        advanced=True,
        choices={"adam": "Adam", "adamw": "AdamW", "rmsprop": "RMSProp"},
    )
    weight_decay: float = setting(
        0.0,
        ge=0,
        le=1,
        help="Pull of every weight towards 0 (L2).",
        source="Tang and Wang 2018, Sun et al. 2019",
        label="Weight decay",
        advanced=True,
    )
    clip_norm: float = setting(
        0.0,
        ge=0,
        le=1e6,
        help="Longest gradient, over all weights together; 0 leaves gradients as they are.",
        source="Sun et al. 2019",
        label="Clip gradients at",
        advanced=True,
    )
    warmup_steps: int = setting(
        0,
        ge=0,
        le=10_000_000,
        help="Steps over which the learning rate grows from 0.",
        source="Sun et al. 2019",
        label="Warm-up",
        unit="steps",
        advanced=True,
    )
    rate_decay: Literal["none", "linear"] = setting(
        "none",
        help="What becomes of the learning rate after the warm-up; linear reaches 0 with the last epoch.",
        source="Sun et al. 2019",
        label="Learning-rate decay",
        advanced=True,
        choices={"none": "stays", "linear": "falls linearly to 0"},
    )
    seed: int = setting(
        1, ge=0, lt=2**31, help="Seed of every random generator of the run.", source="engine", label="Seed"
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = setting(
        "auto",
        help="Where the run computes; 'auto' takes the GPU when there is one.",
        source="engine",
        label="Device",
        choices={"auto": "automatic", "cpu": "CPU", "cuda": "NVIDIA GPU (CUDA)", "mps": "Apple GPU (MPS)"},
    )
    precision: Literal["float32", "bfloat16"] = setting(
        "float32",
        help="Numbers of the encoder's products and of full cross-entropy's; weights, sums, norms, softmaxes and the "
        "contrastive loss stay float32. bfloat16 pays on GPUs and on CPUs that compute in it, and on no other.",
        source="engine",
        label="Precision",
        choices={"float32": "float32", "bfloat16": "bfloat16 (mixed)"},
        advanced=True,
    )
    capture: Literal["auto", "never"] = setting(
        "auto",
        help="On an NVIDIA GPU, record a step once and repeat it as one piece of work, where that is proved to come to "
        "the same and to be quicker. Dropout and negatives are then drawn otherwise, after a resume too.",
        source="engine",
        label="Captured steps",
        choices={"auto": "where they pay", "never": "never"},
        advanced=True,
    )
    patience: int = setting(
        40,
        ge=1,
        le=100_000,
        help="Stop after this many epochs without a better validation NDCG@20.",
        source="§5.1.4",
        label="Patience",
        unit="epochs",
    )
    max_minutes: float = setting(
        0.0,
        ge=0,
        le=1_000_000,
        help="End after so much training and validation, over all attempts, and test the best weights; 0 sets no "
        "limit. Inside an epoch too: what it has learned is validated like a whole one's.",
        source="engine (leaderboard)",
        label="Time",
        unit="minutes (0: no limit)",
        zero="without limit",
        advanced=True,
    )
    checkpoint_epochs: int = setting(
        1,
        ge=1,
        le=100_000,
        help="A checkpoint after every so many epochs; Stop always leaves one, and Resume repeats what came after it.",
        source="engine",
        label="Checkpoint every",
        unit="epochs",
        advanced=True,
    )
    checkpoint_minutes: float = setting(
        10.0,
        gt=0,
        le=100_000,
        help="A checkpoint at least this often, also inside a long epoch.",
        source="engine",
        label="… and at least every",
        unit="minutes",
        advanced=True,
    )


class EvaluateOptions(Options):
    """Full-ranking evaluation (FACTS F2, F3)."""

    seen_items: Literal["exclude", "zero", "keep"] = setting(
        "exclude",
        help="What becomes of the items already in the user's history.",
        source="the authors' code",
        label="Seen items",
        paper="exclude",
        published="zero",
        choices={"exclude": "excluded (score −∞)", "zero": "scored 0", "keep": "ranked like any other"},
    )
    ties: Literal["optimistic", "pessimistic", "mean", "id"] = setting(
        "mean",
        help="Rank of a target whose score other items share.",
        source="the authors' code",
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
    validation_users: int = setting(
        0,
        ge=0,
        help="Validate an epoch on a fixed random sample of so many users; 0 takes all. The end of a run takes all.",
        source="engine",
        label="Validate on",
        unit="users (0: all)",
        zero="all users",
        advanced=True,
    )
    noise_rate: float = setting(
        0.0,
        ge=0,
        le=10,
        help="Random unseen items added to every test input, as a share of its length.",
        source="§5.4, the authors' code",
        label="Test noise",
        advanced=True,
    )


def _with_plugins(name: str, base: type[Options], kinds: tuple[registry.Kind, ...], doc: str) -> type[Any]:
    """The section ``base`` with the options that its plugins announce, flattened into it."""
    fields: dict[str, Any] = {}
    owners = dict.fromkeys(base.model_fields, "every one")
    for kind in kinds:
        for plugin in registry.entries(kind):
            for field_name, info in plugin.options.model_fields.items():
                if field_name in owners:
                    raise ConfigurationError(
                        f"The {kind.replace('_', ' ')} '{plugin.name}' has an option '{field_name}', "
                        f"and {owners[field_name]} has it already.",
                        f"Call it {plugin.name}_{field_name}.",
                    )
                owners[field_name] = f"'{plugin.name}'"
                fields[field_name] = (info.annotation, info)
    model = create_model(name, __base__=base, __module__=__name__, **fields)
    model.__doc__ = doc
    return model


SimilarityOptions = _with_plugins(
    "SimilarityOptions", SimilaritySection, ("similarity",), "Item correlations (§4.1.3)."
)
AugmentOptions = _with_plugins(
    "AugmentOptions", AugmentSection, ("operator",), "The operators and their policy (§4.1, Eq. 12)."
)
LossOptions = _with_plugins(
    "LossOptions",
    LossSection,
    ("next_item_loss", "contrastive_loss"),
    "The two losses (Eq. 3, 14, 15).",
)
