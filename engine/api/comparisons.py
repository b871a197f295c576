"""Comparing stored runs: what they scored, how sure a difference is, where it comes from, and all of it as files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from engine.errors import UsageError
from engine.records import (
    ComparedChoice,
    ComparedCurve,
    Comparison,
    Implausible,
    PaperNumbers,
    ParallelRuns,
    ResultTable,
    RunRecord,
    ScatterPoint,
    SliceTable,
)

if TYPE_CHECKING:
    from engine.api.runs import Runs
    from engine.runs.groups import Group

Ids = Sequence[Sequence[str]]
"""Groups of run ids: the runs of one group differ in the seed alone."""
Which = Literal["valid", "test"]
FIGURES = ("bars", "length", "popularity", "curves", "scatter", "parallel")


class Comparisons:
    """Facade over the statistics of ``engine.evaluation`` and ``engine.reports``. Imports no torch.

    Every method that takes ids raises ``UsageError`` for one that is unknown, without metrics, or named twice, and
    ``StoreError``.
    """

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    def _groups(self, ids: Ids) -> tuple[Group, ...]:
        from engine.runs.groups import of_ids

        return of_ids(self._runs.get, ids)

    def _counting(self, ids: Ids) -> tuple[Group, ...]:
        """The groups with each seed once, as `compare` counts them."""
        from engine.config.grouping import once_a_seed

        return tuple(once_a_seed(group) for group in self._groups(ids))

    def choices(self, chosen: Sequence[str | RunRecord] | None = None) -> tuple[ComparedChoice, ...]:
        """Runs with test metrics, in groups of one configuration: all, newest first, or these, in their order.

        A record is taken as it is: who has listed ten thousand runs need not have them read again.
        """
        from engine.runs.groups import choices

        if chosen is None:
            return choices(self._runs.all())
        return choices([self._runs.get(item) if isinstance(item, str) else item for item in chosen])

    def fields(self, run_ids: Sequence[str]) -> tuple[str, ...]:
        """What the runs can be set against: facts of a run, then the settings that they do not have alike."""
        from engine.runs.curves import FACTS
        from engine.runs.groups import differences

        records = [(self._runs.get(run_id),) for run_id in run_ids]
        return (*FACTS, *(item.path for item in differences(records))) if records else tuple(FACTS)

    def groups(self, run_ids: Sequence[str]) -> tuple[tuple[str, ...], ...]:
        """The runs in groups that differ in the seed alone, in the order of the first of each; all of them."""
        from engine.runs.groups import grouped

        records = [self._runs.get(run_id) for run_id in run_ids]
        return tuple(tuple(record.id for record in group) for group in grouped(records))

    def compare(
        self,
        ids: Ids,
        *,
        metrics: Sequence[str] = (),
        tested: Sequence[str] = (),
        split: Which = "test",
        pairs: Literal["baseline", "all"] = "baseline",
        baseline: int = 0,
        labels: Sequence[str] = (),
    ) -> Comparison:
        """Measures with intervals, paired tests over users, settings that differ, the protocol they share.

        ``tested``: metrics of the tests, none: all. Raises ``UsageError`` that names the field for runs of different
        protocols, and for groups that differ in more than the seed; ``RunError`` for damaged ranks. Of several runs of
        one seed in a group the newest finished one counts, and a note names the others.
        """
        from engine.runs.comparison import METRICS, compare

        return compare(
            self._groups(ids),
            metrics=tuple(metrics) or METRICS,
            tested=tested,
            split=split,
            pairs=pairs,
            baseline=baseline,
            labels=labels,
        )

    def slices(self, ids: Ids, metric: str, kind: str, split: Which = "test", baseline: int = 0) -> SliceTable:
        """A metric by ``length`` (K included, Eq. 12) or ``popularity`` of the target, and each bucket's part of the
        difference from the group ``baseline``; raises as `compare` does."""
        from engine.runs.comparison import slice_table

        return slice_table(self._groups(ids), metric, kind, split, baseline)

    def curves(self, ids: Ids, series: str, along: Literal["epoch", "time"] = "epoch") -> tuple[ComparedCurve, ...]:
        """``valid/METRIC`` or ``loss/NAME`` of each group along epochs or wall time, mean ± std over seeds."""
        from engine.runs.curves import curves

        return curves(self._counting(ids), self._runs.epochs, series, along)

    def series(self, ids: Ids) -> tuple[str, ...]:
        """Names of the series that any of the runs has."""
        from engine.runs.curves import series_of

        names = [name for group in self._groups(ids) for run in group for name in series_of(self._runs.epochs(run.id))]
        return tuple(dict.fromkeys(names))

    def scatter(
        self, run_ids: Sequence[str], field: str, metric: str, split: Which = "test"
    ) -> tuple[ScatterPoint, ...]:
        """A setting (its path), or ``best_epoch``, ``epochs_done``, ``seed``, ``minutes``, against a metric.

        Raises ``UsageError`` for runs of different protocols and where no run has both.
        """
        from engine.runs.curves import scatter
        from engine.runs.groups import refuse_unlike

        records: list[RunRecord] = [self._runs.get(run_id) for run_id in run_ids]
        if records:
            refuse_unlike(records, across_data=field == "data.path")
        return scatter(records, field, metric, split)

    def parallel(self, run_ids: Sequence[str], metric: str, split: Which = "test") -> ParallelRuns:
        """The runs by every setting in which they differ, and a metric.

        Raises ``UsageError`` for runs of different protocols and where no run has the metric.
        """
        from engine.runs.curves import parallel
        from engine.runs.groups import refuse_unlike

        records: list[RunRecord] = [self._runs.get(run_id) for run_id in run_ids]
        if records:
            refuse_unlike(records)
        return parallel(records, metric, split)

    def paper(self, dataset: str = "") -> PaperNumbers:
        """Tables 2 to 4 of the paper for a data set of that name, with their faults (FACTS F21–F26); empty: for all.

        The name may be longer, ``Sports_and_Outdoors``; a data set that the paper does not have gives no numbers.
        """
        from engine.evaluation.paper import SOURCE, name_of, paper_numbers

        name = name_of(dataset)
        return paper_numbers(name) if name or not dataset else PaperNumbers(SOURCE, ())

    def of_other_data(self, found: Comparison) -> tuple[str, ...]:
        """What to say beside the paper's numbers where the compared runs' data are not the paper's."""
        from engine.runs.results import of_other_data

        return tuple(of_other_data([found]))

    def check(self, metrics: Mapping[str, float], *, digits: int | None = 4) -> tuple[Implausible, ...]:
        """What cannot be in these numbers (FACTS F22); ``digits`` that they are rounded to, None: not at all."""
        from engine.evaluation.plausibility import implausible

        return implausible(metrics, rounding=0.0 if digits is None else 0.5 * 10.0**-digits)

    def table(
        self,
        ids: Ids,
        *,
        metrics: Sequence[str] = (),
        split: Which = "test",
        labels: Sequence[str] = (),
        baseline: int = 0,
        paper: Sequence[str] = (),
    ) -> ResultTable:
        """Models × metrics, or, where the groups are of several data sets, models × data sets and metrics.

        Groups of one label are one row. ``paper`` names models of Table 2 to set below. Raises ``UsageError`` where
        anything but the data differs in the protocols, and for the paper's test results beside validation.
        """
        from engine.runs.comparison import METRICS, compare
        from engine.runs.groups import described, refuse_unlike
        from engine.runs.results import result_table

        groups = self._groups(ids)
        refuse_beside_validation(paper, split)
        refuse_unlike([record for group in groups for record in group], across_data=True)
        names = [group.label for group in described(groups, labels)]
        against = names[baseline] if 0 <= baseline < len(names) else ""
        found = []
        for fingerprint in dict.fromkeys(group[0].fingerprint for group in groups):
            places = [place for place, group in enumerate(groups) if group[0].fingerprint == fingerprint]
            own = [names[place] for place in places]
            if len(set(own)) < len(own):
                raise UsageError(f"Two groups of {groups[places[0]][0].dataset} have one label.", "Name them apart.")
            first = own.index(against) if against in own else 0
            chosen = [groups[place] for place in places]
            kept = tuple(metrics) or METRICS
            found.append(compare(chosen, metrics=kept, split=split, baseline=first, labels=own))
        cells = [cell for cell in self.paper().cells if cell.table == 2 and cell.model in paper]
        return result_table(found, against if len(groups) > 1 else "", cells)

    def latex(self, table: ResultTable, *, caption: str = "", label: str = "tab:results") -> str:
        """The table for a paper: booktabs, best bold, second underlined, ± over seeds, marks of significance."""
        from engine.reports.latex import latex

        return latex(table, caption=caption, label=label)

    def export_table(self, table: ResultTable, destination: Path) -> Path:
        """Write a table of results as .tex, .csv or .parquet, whole or not at all. Raises ``UsageError``."""
        from engine.reports import tables
        from engine.reports.latex import latex

        suffix = destination.suffix.lower()
        if suffix == ".tex":
            return _write(destination, latex(table).encode())
        return _write(destination, _frame_bytes(tables.results_frame(table), suffix))

    def export(self, found: Comparison, destination: Path, what: Literal["measures", "tests"] = "measures") -> Path:
        """Write measures or tests as .csv or .parquet, or everything as .json; raises ``UsageError``."""
        import json

        from engine.records import to_plain
        from engine.reports import tables
        from engine.runs.export import without_nan

        if destination.suffix.lower() == ".json":
            return _write(destination, (json.dumps(without_nan(to_plain(found)), indent=2) + "\n").encode())
        frame = tables.measures_frame(found) if what == "measures" else tables.tests_frame(found)
        return _write(destination, _frame_bytes(frame, destination.suffix.lower()))

    def figure(
        self,
        kind: str,
        ids: Ids,
        destination: Path,
        *,
        metric: str = "NDCG@20",
        split: Which = "test",
        width: str = "column",
        labels: Sequence[str] = (),
        series: str = "valid/NDCG@20",
        along: Literal["epoch", "time"] = "epoch",
        field: str = "train.seed",
        paper: Sequence[str] = (),
    ) -> Path:
        """Draw one of `FIGURES` into a .pdf, .svg or .png file.

        ``width`` is ``column``, ``text``, ``lncs`` or ``slide``. The file carries a title, run ids, configuration
        hashes and data fingerprints. Raises as the method for the same numbers does, and ``UsageError`` for what cannot
        be drawn.
        """
        from engine.reports import figures
        from engine.runs.groups import described

        groups = self._counting(ids)
        refuse_beside_validation(paper, split)
        told = described(groups, labels)
        names = [group.label for group in told]
        run_ids = [run for group in told for run in group.run_ids]
        if kind == "bars":
            found = self.compare(ids, metrics=(metric,), split=split, labels=labels)
            cells = [c for c in self.paper(told[0].dataset).cells if c.table == 2 and c.model in paper]
            drawing = figures.bars(found, metric, cells)
        elif kind in ("length", "popularity"):
            drawing = figures.slice_bars(self.slices(ids, metric, kind, split), names)
        elif kind == "curves":
            drawing = figures.lines(self._drawn_curves(ids, series, along), names, along)
        elif kind == "scatter":
            from engine.runs.curves import caption_of

            found_points = self.scatter(run_ids, field, metric, split)
            drawing = figures.points(found_points, caption_of(field), metric, split, told, is_setting="." in field)
        elif kind == "parallel":
            drawing = figures.parallel(self.parallel(run_ids, metric, split))
        else:
            raise UsageError(f"There is no figure '{kind}'.", f"Known: {', '.join(FIGURES)}.")
        origin = figures.Provenance(told, split, _shown(kind, metric, split, series, along, field))
        return _write(destination, figures.render(drawing, destination.suffix.lower().lstrip("."), width, origin))

    def _drawn_curves(self, ids: Ids, series: str, along: Literal["epoch", "time"]) -> tuple[ComparedCurve, ...]:
        """Raises ``UsageError`` with the series that there are, where none of the runs has this one."""
        drawn = self.curves(ids, series, along)
        if not drawn:
            known = ", ".join(self.series(ids))
            hint = f"There are {known}." if known else "These runs have no epochs: choose another figure."
            raise UsageError(f"No run has the series {series}.", hint)
        return drawn


def _shown(kind: str, metric: str, split: str, series: str, along: str, field: str) -> str:
    """What a figure of that kind shows, as its file's title says it."""
    from engine.runs.curves import caption_of

    ending = {
        "length": " by training length",
        "popularity": " by popularity of the target",
        "scatter": f" against {caption_of(field)}",
        "parallel": " along the settings",
    }
    return f"{series} by {along}" if kind == "curves" else f"{split} {metric}{ending.get(kind, '')}"


def refuse_beside_validation(paper: object, split: str) -> None:
    """Raises ``UsageError`` where the paper's numbers are asked for and the split is not theirs."""
    if paper and split != "test":
        raise UsageError("The paper prints test results: they cannot stand beside validation metrics.", "Leave it out.")


def _frame_bytes(frame: Any, suffix: str) -> bytes:
    from engine.reports.tables import WRITERS

    if suffix not in WRITERS:
        raise UsageError(f"A table cannot be a '{suffix or 'nameless'}' file.", "Name a .csv, .parquet or .tex file.")
    return WRITERS[suffix](frame)


def _write(destination: Path, content: bytes) -> Path:
    from engine.runs.files import writing

    with writing(destination) as stream:
        stream.write(content)
    return destination
