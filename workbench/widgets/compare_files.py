"""What Compare writes: the kinds of file, and which figures the tab in sight has."""

from __future__ import annotations

FILES = (
    "Figure as PDF (*.pdf);;Figure as SVG (*.svg);;Figure as PNG (*.png);;Table as LaTeX (*.tex);;"
    "Table as CSV (*.csv);;Table as Parquet (*.parquet);;Everything as JSON (*.json)"
)
FIGURES = {
    "Overview": ("bars",),
    "Where from": ("length", "popularity"),
    "Curves": ("curves",),
    "Scatter": ("scatter",),
    "Parallel": ("parallel",),
}
BARS = "Overview's bars"
"""The figure that is written from a tab without one."""


def figures_of(tab: str) -> tuple[str, ...]:
    """What a figure shows: what the tab shows, otherwise the bars.

    >>> figures_of("Curves"), figures_of("Settings")
    (('curves',), ('bars',))
    """
    return FIGURES.get(tab, ("bars",))


def file_name(tab: str) -> str:
    """What the file dialog offers."""
    return f"{FIGURES[tab][0] if tab in FIGURES else 'comparison'}.pdf"


def kinds_of(tab: str) -> str:
    """The file dialog's filters; where the tab has no figure they name the one that would be written.

    >>> kinds_of("Overview").split(";;")[0], kinds_of("Settings").split(";;")[0]
    ('Figure as PDF (*.pdf)', "Overview's bars as PDF (*.pdf)")
    """
    return FILES if tab in FIGURES else FILES.replace("Figure as", f"{BARS} as")


def note_on(tab: str) -> str:
    """What to say of a figure that was written while ``tab`` was in sight."""
    return "" if tab in FIGURES else f"{tab} has no figure of its own; this is the {BARS}."
