"""Compare's tab of one user: what runs of the compared groups recommend, side by side."""

from __future__ import annotations

from workbench.context import Context
from workbench.item_models.recommended import LETTERS
from workbench.widgets.compare_parts import Tab
from workbench.widgets.lazy import Lazy
from workbench.widgets.recommendations import Choice, RecommendationsView


class RecommendationsTab(Tab):
    """Every run of the ticked groups can be chosen; a run of each of the first three is, until others are."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.place = Lazy(lambda: RecommendationsView(context, at_once=False))
        self.column.addWidget(self.place)
        self._shown: object = None

    def refresh(self) -> None:
        if self.found is None or self._shown == self.ids:
            return
        self._shown = self.ids
        view, groups = self.place.widget, self.found.groups
        choices = [Choice(run, name) for run, name in self.run_names.items()]
        offered = {choice.run for choice in choices}
        keeps = view.is_chosen_by_hand and bool(view.run_ids) and set(view.run_ids) <= offered
        view.is_chosen_by_hand = keeps
        view.set_choices(choices, view.run_ids if keeps else [group.run_ids[0] for group in groups[: len(LETTERS)]])
