"""How far a configuration's views stand from the paper's reading and from the published code's, in words."""

from __future__ import annotations

from engine.config import ExperimentConfig, SettingInfo, fields_of, switches_to
from workbench.widgets.numbers import count

VIEW_SWITCHES = frozenset(
    [
        "counts",
        "mask_token",
        "start_positions",
        "operator_pairs",
        "short_reorder_rate",
        "long_reorder_rate",
        "augment_input",
        "missing_neighbour",
        "correlation_items",
    ]
)
"""Fields of ``fidelity`` that decide what a view is; switching the reading sets the others too."""


def reading_in_words(draft: ExperimentConfig) -> str:
    """Which switches that views depend on stand between the draft and the paper's, or the published code's, reading."""
    infos = {info.name: info for info in fields_of(draft, "fidelity")}
    parts = []
    for reading, text in (("paper", "the paper"), ("published", "the published code")):
        changed = switches_to(draft, reading)  # type: ignore[arg-type]
        of_views = {path.split(".")[-1]: pair for path, pair in changed.items() if path.split(".")[-1] in VIEW_SWITCHES}
        names = "; ".join(
            f"{infos[name].label}: {choice_word(infos[name], old)} → {choice_word(infos[name], new)}"
            for name, (old, new) in of_views.items()
        )
        others = len(changed) - len(of_views)
        more = f"{count(others, 'switch', 'switches')} that no view depends on" if others else ""
        if changed:
            parts.append(f"To {text}: {' and '.join(part for part in (names, more) if part)}")
    return " · ".join(parts)


def choice_word(info: SettingInfo, value: object) -> str:
    """A choice as the form calls it, without what it explains after a semicolon or colon."""
    return info.choices.get(str(value), plain_word(value)).split(";")[0].split(":")[0]


def plain_word(value: object) -> str:
    """A setting's value, short."""
    return f"{value:g}" if isinstance(value, float) else str(value)
