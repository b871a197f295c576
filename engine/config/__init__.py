"""The configuration of one run: data | similarity | augment | model | loss | train | evaluate | fidelity.

One frozen pydantic model. Every field carries bounds, help, symbol and source, and the form, the command line, the
stored JSON and the tooltips are generated from it (`fields_of`). Where the authors' published code departs from the
paper, the field also carries both values, so that a user can walk from one reading to the other a switch at a time.
"""

from __future__ import annotations

from engine.config.effect import refuse_others_options, refuse_without_effect, without_idle_changes
from engine.config.experiment import (
    KS,
    SCHEMA_VERSION,
    SECTIONS,
    STOPPING_METRIC,
    ExperimentConfig,
    ModelOptions,
    SettingInfo,
    differences,
    fidelity_of,
    fields_of,
    model_section,
    parse,
    switches_to,
    values_of,
    with_fidelity,
)
from engine.config.fidelity import FidelityOptions
from engine.config.fitting import CHOICES, why_idle, why_unused, why_without_effect
from engine.config.grid import MOST_RUNS, grid, parse_list, run_count
from engine.config.importing import ImportRecipe, parse_recipe, recipe_fields
from engine.config.losses import applies, negatives_field, negatives_in_words, negatives_of
from engine.config.presets import Preset, own_name, preset, presets
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
from engine.config.stages import (
    first_epoch_with_views,
    has_views_at,
    makes_views,
    own_pretraining,
    pretrain_epochs_of,
    pretrains_by_contrast,
    stage_at,
    total_epochs,
    view_epochs,
)
from engine.config.systems import chosen as chosen_presets
from engine.config.systems import standing as standing_presets
from engine.config.timing import duration_text, epochs_text, minutes_text, rate_falls, rehearsable, too_short

__all__ = [
    "CHOICES",
    "KS",
    "MOST_RUNS",
    "SCHEMA_VERSION",
    "SECTIONS",
    "STOPPING_METRIC",
    "AugmentOptions",
    "AugmentSection",
    "DataOptions",
    "EvaluateOptions",
    "ExperimentConfig",
    "FidelityOptions",
    "ImportRecipe",
    "LossOptions",
    "LossSection",
    "ModelOptions",
    "Preset",
    "SettingInfo",
    "SimilarityOptions",
    "SimilaritySection",
    "TrainOptions",
    "applies",
    "chosen_presets",
    "differences",
    "duration_text",
    "epochs_text",
    "fidelity_of",
    "fields_of",
    "first_epoch_with_views",
    "grid",
    "has_views_at",
    "makes_views",
    "minutes_text",
    "model_section",
    "negatives_field",
    "negatives_in_words",
    "negatives_of",
    "own_name",
    "own_pretraining",
    "parse",
    "parse_list",
    "parse_recipe",
    "preset",
    "presets",
    "pretrain_epochs_of",
    "pretrains_by_contrast",
    "rate_falls",
    "recipe_fields",
    "refuse_others_options",
    "refuse_without_effect",
    "rehearsable",
    "run_count",
    "stage_at",
    "standing_presets",
    "switches_to",
    "too_short",
    "total_epochs",
    "values_of",
    "view_epochs",
    "why_idle",
    "why_unused",
    "why_without_effect",
    "with_fidelity",
    "without_idle_changes",
]
