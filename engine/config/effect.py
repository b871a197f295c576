"""Settings that somebody gives although they change nothing: refused where they are written, left out where they stood
in a form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.config.experiment import ExperimentConfig, values_of
from engine.config.fitting import NO_PRETRAINING, needs_no_views, not_chosen, why_unused, why_without_effect
from engine.config.losses import applies
from engine.errors import ConfigurationError

_CHOSEN = ("loss", "similarity")
"""Sections of which one plugin is chosen by name."""
_WAKENERS = {
    "similarity": "similarity.name to one that reads it",
    "augment": "augment.short_operators or augment.long_operators to have its letter",
}
_VIEWS = ("loss.contrastive_weight", "train.pretrain_epochs")


def refuse_without_effect(
    configs: Sequence[ExperimentConfig], begun: ExperimentConfig, given: Mapping[str, Any]
) -> None:
    """Raise ``ConfigurationError`` for a setting of ``given`` that changes nothing in any of ``configs``, with the
    reason. They are what ``begun`` becomes by ``given``; a value that it would have anyway passes."""
    for path in given:
        reasons = [why_without_effect(config, path) for config in configs]
        if all(reasons) and not _has_anyway(begun, given, path):
            raise ConfigurationError(reasons[0], what_to_do(configs[0], path), field=path)


def refuse_others_options(
    config: ExperimentConfig, begun: ExperimentConfig, given: Mapping[str, Any], *, sections: Sequence[str] = _CHOSEN
) -> None:
    """`refuse_without_effect` for who looks at views and neighbours whatever a run would make of them: it refuses what
    belongs to a loss or a similarity that is not chosen."""
    for path in given:
        if path.partition(".")[0] in sections and not applies(config, path) and not _has_anyway(begun, given, path):
            raise ConfigurationError(why_without_effect(config, path), what_to_do(config, path), field=path)


def refuse_list_without_effect(config: ExperimentConfig, path: str, values: Sequence[Any], begun: Any) -> None:
    """Raise ``ConfigurationError`` where ``path`` changes nothing in a combination of a grid: its ``values`` would make
    equal runs. One value alone passes where it is ``begun``, the value from before."""
    reason = "" if tuple(values) == (begun,) else why_without_effect(config, path)
    if reason:
        raise ConfigurationError(reason, what_to_do(config, path), field=path)


def what_to_do(config: ExperimentConfig, path: str) -> str:
    """The advice that goes with `why_without_effect`."""
    section, reason = path.partition(".")[0], why_without_effect(config, path)
    if why_unused(config, path) or needs_no_views(config.model.name):
        return "Leave it out, or choose another model (model.name)."
    if reason == NO_PRETRAINING:
        return "Leave it out, or set train.pretrain_epochs above 0."
    if reason == not_chosen(config).get(path):
        how = f"set {_WAKENERS[section]}" if applies(config, path) else f"choose the {section} that it belongs to"
        return f"Leave it out, or {how}."
    return "Leave it out, or set λ (loss.contrastive_weight) above 0."


def _has_anyway(begun: ExperimentConfig, given: Mapping[str, Any], path: str) -> bool:
    others = {key: value for key, value in given.items() if key != path}
    try:
        return bool(values_of(begun.replace(others)).get(path) == values_of(begun.replace(given)).get(path))
    except ConfigurationError:  # the others need it: it does change something
        return True


def without_idle_changes(config: ExperimentConfig, base: ExperimentConfig) -> ExperimentConfig:
    """The configuration with the settings that change nothing at the values of ``base``, the preset it began from.

    Switches of fidelity stay: together they are a reading. So does what says that there are no views.
    """
    own, before = values_of(config), values_of(base)
    kept = _VIEWS if needs_no_views(config.model.name) else ()
    back = {
        path: before[path]
        for path, value in own.items()
        if before.get(path, value) != value
        and path not in kept
        and not path.startswith("fidelity.")
        and why_without_effect(config, path)
    }
    return config.replace(back) if back else config
