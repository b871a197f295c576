"""A run's time in words, and what it is too short for: pre-training (FACTS B7), a learning rate that falls (FACTS B6).

Where time ends a run in its pre-training, there is nothing to test; where it ends one whose learning rate falls over
all of its epochs, the weights are those of a rate that was still high. A rehearsal tells both before anything starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.config.experiment import ExperimentConfig, parse
from engine.config.stages import pretrain_epochs_of
from engine.records import CostEstimate, LeaderboardPlan


def minutes_text(minutes: float) -> str:
    """A time as it was given.

    >>> minutes_text(1), minutes_text(2.5)
    ('1 minute', '2.5 minutes')
    """
    return f"{minutes:g} minute{'' if minutes == 1 else 's'}"


def duration_text(seconds: float) -> str:
    """A duration, no more exact than it is known.

    >>> duration_text(0.06), duration_text(75), duration_text(120), duration_text(700), duration_text(8000)
    ('1 s', '1 min 15 s', '2 min', '11 min', '2 h 13 min')
    """
    whole = max(1 if seconds > 0 else 0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 600 and whole % 60:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 3600:
        return f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def epochs_text(count: int) -> str:
    """So many epochs.

    >>> epochs_text(1), epochs_text(2_000), epochs_text(0)
    ('1 epoch', '2,000 epochs', '0 epochs')
    """
    return f"{count:,} epoch{'' if count == 1 else 's'}"


def rate_falls(config: Mapping[str, Any]) -> bool:
    """Whether the learning rate of a stored configuration falls until the last epoch."""
    section = config.get("train")
    return isinstance(section, Mapping) and section.get("rate_decay", "none") != "none"


def rehearsable(planned: LeaderboardPlan) -> dict[str, ExperimentConfig]:
    """Preset → configuration to rehearse, of the models that have something to train and for which a time can be too
    short: those that are pre-trained, and those whose learning rate falls."""
    found = {}
    for model in planned.models:
        ahead = [run for run in model.runs if run.is_new or run.run_id in planned.resumes]
        if model.trains and ahead and (pretrain_epochs_of(ahead[0].config) or rate_falls(ahead[0].config)):
            found[model.preset] = parse(dict(ahead[0].config))
    return found


def too_short(config: ExperimentConfig, cost: CostEstimate, minutes: float) -> str:
    """What so many ``minutes`` are too short for, by the rehearsal ``cost`` of ``config``; empty where for nothing."""
    before, whole, limit = cost.seconds_before_fine_tuning, cost.training_seconds, 60.0 * minutes
    if cost.pretrain_epochs and before >= limit:
        return (
            f"its {epochs_text(cost.pretrain_epochs)} of pre-training alone take about {duration_text(before)} by a "
            f"rehearsal, more than its {minutes_text(minutes)}: every seed will fail with nothing to test; give more "
            "time, or leave it out"
        )
    if config.train.rate_decay == "none" or not cost.epochs or whole <= limit:
        return ""
    share = (limit - before) / (whole - before)
    last = cost.pretrain_epochs + max(int(share * cost.epochs), 1)
    return (
        f"its learning rate falls over {epochs_text(cost.epochs)}, about {duration_text(whole)} by a rehearsal: its "
        f"{minutes_text(minutes)} end it near epoch {last:,} of {cost.all_epochs:,}, with the rate at about "
        f"{100 * (1 - share):.0f} % of its highest"
    )
