"""The card around a plot: title, 'Show as table', the plot, and the line that says what is under the pointer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from workbench.theme import Theme
from workbench.widgets.cards import Card, label
from workbench.widgets.tables import show_as_table_button

if TYPE_CHECKING:
    from workbench.plots.base import Plot

P = TypeVar("P", bound="Plot")


class PlotCard(Card, Generic[P]):
    """``words`` under the title says in a sentence what the plot shows; ``table_title`` heads the table's window."""

    def __init__(
        self, theme: Theme, title: str, plot: P, subtitle: str = "", table_title: Callable[[], str] | None = None
    ) -> None:
        super().__init__(title, subtitle)
        self.plot = plot
        self.table_button = show_as_table_button(theme, table_title or (lambda: title), plot.columns)
        self.words = label("", "muted", wrap=True)
        self.words.hide()
        self.reading = label(" ", "muted")
        plot.read.connect(lambda text: self.reading.setText(text or " "))
        self.add_control(self.table_button)
        self.body.addWidget(self.words)
        self.body.addWidget(plot, 1)
        self.body.addWidget(self.reading)

    def say(self, text: str) -> None:
        """Put a sentence above the plot; an empty one hides it."""
        self.words.setText(text)
        self.words.setVisible(bool(text))
