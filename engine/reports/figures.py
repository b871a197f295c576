"""Figures for a paper by matplotlib: PDF and SVG with embedded fonts, PNG at 300 dpi, each saying where it comes from.

Widths are those of the usual templates. Colour is never alone: hatches, markers and dashes go with it.
Nothing here uses pyplot, so no figure outlives its call, and it works in any thread or process.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from engine.config.naming import plain
from engine.errors import UsageError
from engine.records import ComparedCurve, ComparedGroup, Comparison, PaperCell, ParallelRuns, ScatterPoint, SliceTable

WIDTHS = {"column": 3.33, "text": 7.0, "lncs": 4.8, "slide": 9.0}
"""Inches: one column and the whole width of ACM and IEEE papers, Springer's LNCS, a slide."""
FORMATS = ("pdf", "svg", "png")
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#b8588c", "#c98500", "#3aa0dc", "#5f6673")
HATCHES = ("", "////", "....", "\\\\\\\\", "xxxx", "----", "++++")
MARKERS = ("o", "s", "^", "D", "v", "X", "P")
DASHES = ("-", "--", ":", "-.")
MOST_NAMED = 4
"""Groups that a file's title names; its description names all."""
MOST_TICKS = 8
"""Values of a setting that have a tick each."""
_BESIDE_NAMES = 32
"""Points of a legend's width that are not its names': the sample, and the air around both."""
_SURE = 0.97
"""Of the width that is left: dots make letters up to so much wider than their outlines."""
_LOOK: Any = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "legend.fontsize": 7,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "hatch.linewidth": 0.4,
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "svg.fonttype": "path",
    "svg.hashsalt": "coserec",
    "text.parse_math": False,
}


_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Provenance:
    """What a figure carries inside: runs, configuration hashes and data fingerprints."""

    groups: tuple[ComparedGroup, ...]
    split: str
    shown: str = ""
    """What the figure shows, ``test NDCG@20 by training length``: begins the file's title."""

    @property
    def title(self) -> str:
        """What is shown, and of whom; the groups beyond `MOST_NAMED` are counted."""
        names = [group.label for group in self.groups[:MOST_NAMED]]
        more = len(self.groups) - len(names)
        return f"{self.shown}: {', '.join(names)}{f' and {more} more' * bool(more)}" if self.shown else ""

    @property
    def text(self) -> str:
        """One line a group."""
        return "\n".join(
            f"{group.label}: runs {', '.join(group.run_ids)}; "
            f"configuration {group.config_hash}; data {group.fingerprint}"
            for group in self.groups
        )


def bars(found: Comparison, metric: str, paper: Sequence[PaperCell] = ()) -> Any:
    """A bar a group with the interval over users, and the paper's numbers as dashed lines. Returns a drawing.

    A † is beside a printed number that has a fault (FACTS F21-F26).
    """

    def draw(axes: Any) -> None:
        for number, group in enumerate(found.groups):
            item = found.measure(number, metric)
            if item is None:
                raise UsageError(f"{metric} was not compared.", f"Compared: {', '.join(found.metrics)}.")
            ends = [[max(item.mean - item.low, 0)], [max(item.high - item.mean, 0)]]
            axes.bar(number, item.mean, 0.7, label=f"{group.label} (n = {group.n})", **_fill(number))
            if np.isfinite(ends).all():
                axes.errorbar(number, item.mean, ends, color="#1b2230", capsize=2, linewidth=0.8)
        for place, cell in enumerate(cell for cell in paper if metric in cell.metrics):
            axes.axhline(cell.metrics[metric], color="#1b2230", linewidth=0.7, linestyle=DASHES[1 + place % 3])
            mark = " †" if cell.faults_of(metric) else ""
            axes.annotate(
                f"{cell.model}, paper{mark}",
                (1, cell.metrics[metric]),
                xycoords=("axes fraction", "data"),
                ha="right",
                va="bottom",
                fontsize=6,
            )
        axes.set_xticks([])
        axes.set_ylabel(f"{found.split} {metric}")
        _legend(axes, len(found.groups))

    return draw


def slice_bars(table: SliceTable, labels: Sequence[str]) -> Any:
    """Bars by bucket, one a group, with intervals over the bucket's users."""

    def draw(axes: Any) -> None:
        places = np.arange(len(table.labels))
        width = 0.84 / len(labels)
        for number, label in enumerate(labels):
            x = places + (number - (len(labels) - 1) / 2) * width
            mean = table.means[number]
            ends = np.maximum(np.stack([mean - table.lows[number], table.highs[number] - mean]), 0)
            axes.bar(x, mean, width, label=label, **_fill(number))
            axes.errorbar(x, mean, ends, fmt="none", color="#1b2230", capsize=1.5, linewidth=0.6)
        ticks = [f"{name}\n{users:,}" for name, users in zip(table.labels, table.users.tolist(), strict=True)]
        axes.set_xticks(places, ticks)
        caption = {"length": "training length", "popularity": "training users of the target"}[table.kind]
        axes.set_xlabel(f"{caption} (below: users)")
        axes.set_ylabel(f"{table.split} {table.metric}")
        _legend(axes, len(labels))

    return draw


def lines(curves: Sequence[ComparedCurve], labels: Sequence[str], along: str) -> Any:
    """A line a group, mean over seeds, with ± std as a band where it has more than one."""

    from matplotlib.ticker import MaxNLocator

    def draw(axes: Any) -> None:
        for curve in curves:
            look = _line(curve.group)
            x = curve.x / 60 if along == "time" else curve.x
            every = max(1, len(x) // 8)
            axes.plot(x, curve.mean, label=labels[curve.group], markevery=every, markersize=3, linewidth=1, **look)
            if (curve.n > 1).any():
                band = (curve.mean - curve.std, curve.mean + curve.std)
                axes.fill_between(x, *band, color=look["color"], alpha=0.18, linewidth=0)
        _mark_fine_tuning(axes, curves, along)
        if along != "time":  # there is nothing between two epochs, nor beside one alone
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.set_xlabel("minutes" if along == "time" else "epoch")
        kind, _, name = curves[0].series.partition("/")
        axes.set_ylabel(f"validation {name}" if kind == "valid" else f"{name.replace('_', ' ')} loss")
        _legend(axes, len(curves))

    return draw


def _mark_fine_tuning(axes: Any, curves: Sequence[ComparedCurve], along: str) -> None:
    """A line where runs of two stages begin their second one, in the group's colour, and its name once a place."""
    named = set()
    for curve in curves:
        if curve.fine_tuned_from is None:
            continue
        at = curve.fine_tuned_from / 60 if along == "time" else curve.fine_tuned_from
        axes.axvline(at, color=_line(curve.group)["color"], linewidth=0.7, linestyle=":")
        if at not in named:
            named.add(at)
            top: Any = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "va": "top"}
            axes.annotate("fine-tuning", (at, 1), (2, -2), fontsize=6, **top)


def points(
    found: Sequence[ScatterPoint],
    caption: str,
    metric: str,
    split: str,
    groups: Sequence[ComparedGroup] = (),
    *,
    is_setting: bool = True,
) -> Any:
    """A dot a run, those of a group alike; a setting that is not a number has its values side by side, and one that has
    few of them has a tick for each."""

    from matplotlib.ticker import MaxNLocator

    group_of = {run: number for number, group in enumerate(groups) for run in group.run_ids}

    def draw(axes: Any) -> None:
        x = [point.x for point in found]
        if not all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in x):
            x = [str(value) for value in x]
        numbers = [group_of.get(point.run_id, 0) for point in found]
        for number in dict.fromkeys(numbers):
            places = [place for place, of in enumerate(numbers) if of == number]
            look = {"color": COLOURS[number % len(COLOURS)], "marker": MARKERS[number % len(MARKERS)]}
            label = groups[number].label if groups else None
            own = [x[place] for place in places], [found[place].y for place in places]
            axes.scatter(*own, s=14, label=label, edgecolor="#1b2230", linewidth=0.4, **look)
        values = sorted(set(x))
        if is_setting and not isinstance(values[0], str) and _are_apart(values):
            axes.set_xticks(values, [plain(value) for value in values])  # what was tried, and nothing between
        elif all(isinstance(value, int) for value in x):
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel(caption)
        axes.set_ylabel(f"{split} {metric}")
        if len(groups) > 1:
            _legend(axes, len(set(numbers)))

    return draw


def _are_apart(values: Sequence[float]) -> bool:
    """Whether the ascending values are so few, and so far from each other, that each can have a tick with its number.

    >>> _are_apart([16, 32, 64]), _are_apart([1, 2, 100]), _are_apart([3])
    (True, False, True)
    """
    least = (values[-1] - values[0]) / MOST_TICKS
    return len(values) <= MOST_TICKS and all(right - left >= least for left, right in pairwise(values))


def parallel(found: ParallelRuns) -> Any:
    """A line a run through one axis a setting, to the metric: the higher, the darker; the best in another colour."""

    def draw(axes: Any) -> None:
        lines = found.axes()
        places = np.stack([axis.places for axis in lines], axis=1)
        best = int(np.argmax([run.y for run in found.runs]))
        xs = np.arange(len(lines))
        for row, run in enumerate(places):
            if row != best:
                axes.plot(xs, run, color=COLOURS[0], linewidth=0.6, alpha=0.2 + 0.6 * float(run[-1]))
        axes.plot(xs, places[best], color=COLOURS[1], linewidth=1.6, marker="o", markersize=2.5)
        for x, axis in enumerate(lines):
            axes.axvline(x, color="#1b2230", linewidth=0.5)
            for place, text in axis.ticks:
                axes.annotate(text, (x, place), (3, 0), textcoords="offset points", fontsize=6, va="center")
        names = _short_names([axis.name for axis in lines])
        axes.set_xticks(xs, [name + (" (log)" if axis.is_log else "") for name, axis in zip(names, lines, strict=True)])
        axes.set_xlim(-0.1, len(lines) - 0.7)
        axes.set_yticks([])
        axes.grid(visible=False)
        axes.spines["left"].set_visible(False)
        axes.spines["bottom"].set_visible(False)
        axes.tick_params(axis="x", length=0)

    return draw


def _short_names(paths: Sequence[str]) -> list[str]:
    """Settings as axes' names, a word a line, for axes stand close together: without the section where that tells them.

    >>> _short_names(["similarity.name", "train.seed", "augment.mask_rate", "model.mask_rate"])
    ['similarity', 'seed', 'augment.\\nmask\\nrate', 'model.\\nmask\\nrate']
    """
    last = [path.rpartition(".")[2] for path in paths]
    made = []
    for path, name in zip(paths, last, strict=True):
        section, _, own = path.partition(".")
        made.append(section if own == "name" else path.replace(".", ".\n") if last.count(name) > 1 else name)
    return [name.replace("_", "\n").replace(" ", "\n") for name in made]


def _legend(axes: Any, rows: int) -> None:
    """Below the plot, a name below the other, on more lines where one is too short: the figure grows by it."""
    legend = axes.figure.legend(loc="outside lower left", frameon=False, ncols=1)
    width, height = axes.figure.get_size_inches()
    more = 0
    for text in legend.get_texts():
        lines = _in_lines(text.get_text(), _SURE * (width * 72 - _BESIDE_NAMES), text.get_fontproperties())
        text.set_text("\n".join(lines))
        more += len(lines) - 1
    axes.figure.set_size_inches(width, height + 0.15 * rows + 0.12 * more)


def _in_lines(name: str, points: float, font: Any) -> list[str]:
    """``name`` in lines no wider than so many points, parted between words; a longer word is parted where it must."""
    from matplotlib.textpath import text_to_path

    def fits(text: str) -> bool:
        return bool(text_to_path.get_text_width_height_descent(text, font, False)[0] <= points)

    lines = [""]
    for word in name.split(" "):
        if lines[-1] and fits(f"{lines[-1]} {word}"):
            lines[-1] += f" {word}"
            continue
        rest = word
        while rest:
            part = next((rest[:end] for end in range(len(rest), 1, -1) if fits(rest[:end])), rest[0])
            lines.append(part)
            rest = rest[len(part) :]
    return lines[1:] or [name]


def _fill(number: int) -> Mapping[str, Any]:
    # Seven of each: their numbers move against each other, so that 49 groups have fills of their own.
    hatch = HATCHES[(number + number // len(COLOURS)) % len(HATCHES)]
    return {"color": COLOURS[number % len(COLOURS)], "hatch": hatch, "edgecolor": "white", "linewidth": 0.4}


def _line(number: int) -> Mapping[str, Any]:
    return {
        "color": COLOURS[number % len(COLOURS)],
        "linestyle": DASHES[number // len(COLOURS) % len(DASHES)],
        "marker": MARKERS[number % len(MARKERS)],
    }


def render(draw: Any, kind: str, width: str, origin: Provenance, title: str = "") -> bytes:
    """The drawing as a file of ``kind`` (pdf, svg, png), ``width`` one of `WIDTHS`; the same content, the same bytes.

    Raises ``UsageError`` for another kind or width.
    """
    if kind not in FORMATS:
        raise UsageError(f"A figure cannot be a .{kind} file.", f"Known: {', '.join(FORMATS)}.")
    if width not in WIDTHS:
        raise UsageError(f"There is no width '{width}'.", f"Known: {', '.join(WIDTHS)}.")
    with _one_at_a_time:  # matplotlib's settings are the process's, not the thread's
        import matplotlib as mpl

        with mpl.rc_context(_LOOK):
            return _rendered(draw, kind, WIDTHS[width], origin, title)


def _rendered(draw: Any, kind: str, inches: float, origin: Provenance, title: str) -> bytes:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(inches, inches * (0.62 if inches < 6 else 0.42)), layout="constrained")
    axes = figure.subplots()
    axes.grid(axis="y", linewidth=0.4, alpha=0.5)
    axes.set_axisbelow(True)
    if title:
        axes.set_title(title)
    draw(axes)
    stream = io.BytesIO()
    figure.savefig(stream, format=kind, dpi=300, metadata=_metadata(kind, origin, title))
    return stream.getvalue()


def _metadata(kind: str, origin: Provenance, title: str) -> dict[str, Any]:
    title = title or origin.title
    runs = " ".join(run for group in origin.groups for run in group.run_ids)
    if kind == "pdf":
        return {
            "Title": title,
            "Subject": origin.text,
            "Keywords": runs,
            "Creator": "CoSeRec Workbench",
            "CreationDate": None,
        }
    if kind == "svg":
        return {
            "Title": title,
            "Description": origin.text,
            "Keywords": runs.split(),
            "Creator": "CoSeRec Workbench",
            "Date": None,
        }
    return {"Title": title, "Description": origin.text, "Runs": runs, "Software": "CoSeRec Workbench"}
