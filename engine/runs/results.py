"""Results as a paper's table: models × metrics, or models × data sets and metrics, with the paper's own beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from engine.evaluation.paper import name_of, paper_numbers
from engine.records import Comparison, PaperCell, ResultCell, ResultTable


def result_table(comparisons: Sequence[Comparison], baseline: str = "", paper: Sequence[PaperCell] = ()) -> ResultTable:
    """One comparison a data set; groups of one label are one row. Best and second are of what was measured here.

    ``paper`` rows stand below as references, where the paper has a number for any of the columns. ``baseline`` is the
    label that tests are against.
    """
    metrics = list(dict.fromkeys(metric for item in comparisons for metric in item.metrics))
    datasets = _told_apart([(item.groups[0].dataset, item.groups[0].fingerprint) for item in comparisons])
    columns = [(dataset, metric) for dataset in datasets for metric in metrics]
    labels = list(dict.fromkeys(group.label for item in comparisons for group in item.groups))
    by_place = {label: _row(label, comparisons, metrics, baseline) for label in labels}
    marked = _mark_best([by_place[label] for label in labels])
    references = []
    for model in dict.fromkeys(cell.model for cell in paper):
        own = [cell for cell in paper if cell.model == model]
        printed = [_printed(own, dataset, metric) for dataset, metric in columns]
        if any(printed):
            references.append(model)
            marked.append(printed)
    ids = [
        tuple(run for item in comparisons for group in item.groups if group.label == label for run in group.run_ids)
        for label in labels
    ]
    hashes = dict.fromkeys((group.config_hash, group.fingerprint) for item in comparisons for group in item.groups)
    return ResultTable(
        rows=(*labels, *(f"{model} (paper)" for model in references)),
        columns=tuple(columns),
        cells=tuple(tuple(row) for row in marked),
        split=comparisons[0].split,
        baseline=baseline,
        run_ids=(*ids, *[()] * len(references)),
        hashes=tuple(hashes),
        notes=_notes(comparisons, paper),
        families=tuple(
            item.family for item in comparisons if item.tests and baseline in [group.label for group in item.groups]
        ),
    )


def _notes(comparisons: Sequence[Comparison], paper: Sequence[PaperCell]) -> tuple[str, ...]:
    """Each once, though several comparisons say it."""
    own = [note for item in comparisons for note in item.notes]
    return tuple(dict.fromkeys([*own, *(of_other_data(comparisons) if paper else ())]))


def of_other_data(comparisons: Sequence[Comparison]) -> list[str]:
    """What must be said where a file has the name of one of the paper's data sets, and not its users (Table 1)."""
    told = (paper_numbers(name_of(item.groups[0].dataset) or "").other_data(item) for item in comparisons)
    return [words for words in told if words]


def _told_apart(datasets: Sequence[tuple[str, str]]) -> list[str]:
    """The data sets' names; of those that are called alike, with the beginning of the fingerprint.

    >>> _told_apart([("Beauty", "409b6bc0648a"), ("Beauty", "e8c4addda643"), ("Yelp", "77aa")])
    ['Beauty (409b6bc0)', 'Beauty (e8c4addd)', 'Yelp']
    """
    names = [name for name, _ in datasets]
    return [f"{name} ({data[:8]})" if names.count(name) > 1 else name for name, data in datasets]


def _row(
    label: str, comparisons: Sequence[Comparison], metrics: Sequence[str], baseline: str
) -> list[ResultCell | None]:
    cells: list[ResultCell | None] = []
    for item in comparisons:
        place = next((n for n, group in enumerate(item.groups) if group.label == label), None)
        against = next((n for n, group in enumerate(item.groups) if group.label == baseline), None)
        for metric in metrics:
            found = None if place is None else item.measure(place, metric)
            if found is None:
                cells.append(None)
                continue
            p = next(
                (
                    test.p_holm
                    for test in item.tests
                    if test.metric == metric and {test.first, test.second} == {place, against}
                ),
                None,
            )
            group = item.groups[found.group]
            cells.append(
                ResultCell(
                    found.mean,
                    found.std,
                    len(found.seeds),
                    p,
                    run_ids=group.run_ids,
                    config_hash=group.config_hash,
                    fingerprint=group.fingerprint,
                    has_seeds=group.has_seeds,
                )
            )
    return cells


def _mark_best(rows: Sequence[list[ResultCell | None]]) -> list[list[ResultCell | None]]:
    """Best and second of each column, as printed with four digits: equal ones share the mark. One alone is no best."""
    marked = [list(row) for row in rows]
    for column in range(len(rows[0])):
        shown = [round(cell.mean, 4) for row in rows if (cell := row[column]) is not None]
        if len(shown) < 2:
            continue
        ranked = sorted(set(shown), reverse=True)[:2]
        for row in marked:
            cell = row[column]
            if cell is not None:
                value = round(cell.mean, 4)
                is_second = len(ranked) > 1 and value == ranked[1]
                row[column] = replace(cell, is_best=value == ranked[0], is_second=is_second)
    return marked


def _printed(own: Sequence[PaperCell], dataset: str, metric: str) -> ResultCell | None:
    """The paper's number for a data set of that name, with its faults: ``Sports_and_Outdoors`` is its Sports."""
    for cell in own:
        if metric in cell.metrics and dataset.lower().startswith(cell.dataset.lower()):
            fault = " ".join(cell.faults_of(metric))
            return ResultCell(cell.metrics[metric], None, 0, is_reference=True, fault=fault)
    return None
