"""Recommendations of the run that the Runs page has selected, beside those of ticked runs of the same data."""

from __future__ import annotations

from collections.abc import Sequence

from engine import registry
from engine.records import RunRecord, RunStatus
from workbench.run_names import run_name
from workbench.widgets.recommendations import Choice, RecommendationsView

BESIDE = 2
"""Ticked runs that stand beside the selected one by themselves."""


def can_recommend(record: RunRecord) -> bool:
    """Whether the run has weights by now, or needs none."""
    return record.best_epoch is not None or record.status is RunStatus.FINISHED


def has_nothing_to_train(record: RunRecord) -> bool:
    """Whether the run's model is made from the data alone."""
    name = str(record.config.get("model", {}).get("name", ""))
    return any(entry.name == name and not entry.facts["trains"] for entry in registry.entries("model"))


def told_apart(names: Sequence[str]) -> list[str]:
    """The names without the parts that all of them have: there is little room, and it is for what differs.

    >>> told_apart(["sasrec · seed 1", "sasrec · epochs 6 · seed 1", "sasrec · seed 2"])
    ['seed 1', 'epochs 6 · seed 1', 'seed 2']
    """
    parts = [name.split(" · ") for name in names]
    shared = set.intersection(*(set(part) for part in parts)) if len(names) > 1 else set()
    short = [" · ".join(word for word in part if word not in shared) for part in parts]
    return [made or name for made, name in zip(short, names, strict=True)]


class RunRecommendations(RecommendationsView):
    """Give it the selected run and the ticked ones with `show_runs`, as often as they change."""

    def show_runs(self, current: str, ticked: Sequence[str]) -> None:
        """Offer the run and the ticked ones that can be asked; another selected run becomes A."""
        book = self.context.runs
        record = book.get(current)
        if record is None:
            self.show_none("No run is selected", "Select one in the table.")
            return
        if not can_recommend(record) and not has_nothing_to_train(record):
            told = "is waiting" if record.status is RunStatus.QUEUED else record.status.verb
            hint = "Recommendations come with the weights of its first whole epoch."
            if record.status.is_end:
                hint = "It ended before its first whole epoch. Resume it, or select another run."
            self.show_none(f"This run {told} and has no weights{'' if record.status.is_end else ' yet'}", hint)
            return
        others = [book.get(run_id) for run_id in dict.fromkeys(ticked) if run_id != current]
        beside = [
            other
            for other in others
            if other is not None and other.fingerprint == record.fingerprint and can_recommend(other)
        ]
        runs = (record, *beside)
        choices = [
            Choice(run.id, name) for run, name in zip(runs, told_apart([run_name(r) for r in runs]), strict=True)
        ]
        if not self.run_ids or self.run_ids[0] != current:
            self.is_chosen_by_hand = False
        keeps = self.is_chosen_by_hand and set(self.run_ids) <= {choice.run for choice in choices}
        self.set_choices(choices, self.run_ids if keeps else [choice.run for choice in choices[: 1 + BESIDE]])
