"""Results as a paper's table: models × metrics, or models × data sets and metrics, with the paper's own beside them."""

from __future__ import annotations

from collections.abc import Sequence

from engine.records import Comparison, PaperCell, ResultCell, ResultTable


def result_table(comparisons: Sequence[Comparison], baseline: str = "", paper: Sequence[PaperCell] = ()) -> ResultTable:
    """One comparison a data set; groups of one label are one row. Best and second are of what was measured here.

    ``paper`` rows stand below as references. ``baseline`` is the label that tests are against.
    """
    metrics = list(dict.fromkeys(metric for item in comparisons for metric in item.metrics))
    datasets = [item.groups[0].dataset for item in comparisons]
    columns = [(dataset, metric) for dataset in datasets for metric in metrics]
    labels = list(dict.fromkeys(group.label for item in comparisons for group in item.groups))
    by_place = {label: _row(label, comparisons, metrics, baseline) for label in labels}
    marked = _mark_best([by_place[label] for label in labels])
    references = list(dict.fromkeys(cell.model for cell in paper))
    for model in references:
        own = {(c.dataset, m): v for c in paper if c.model == model for m, v in c.metrics.items()}
        values = [_printed(own, dataset, metric) for dataset, metric in columns]
        marked.append([None if v is None else ResultCell(v, None, 0, is_reference=True) for v in values])
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
        notes=tuple(dict.fromkeys(note for item in comparisons for note in item.notes)),
    )


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
            cells.append(ResultCell(found.mean, found.std, len(found.seeds), p))
    return cells


def _mark_best(rows: Sequence[list[ResultCell | None]]) -> list[list[ResultCell | None]]:
    """Best and second of each column, as printed with four digits: equal ones share the mark. One row has no best."""
    marked = [list(row) for row in rows]
    for column in range(len(rows[0]) if len(rows) > 1 else 0):
        shown = {round(cell.mean, 4) for row in rows if (cell := row[column]) is not None}
        ranked = sorted(shown, reverse=True)[:2]
        for row in marked:
            cell = row[column]
            if cell is not None:
                value = round(cell.mean, 4)
                is_second = len(ranked) > 1 and value == ranked[1]
                row[column] = ResultCell(cell.mean, cell.std, cell.n, cell.p, value == ranked[0], is_second)
    return marked


def _printed(own: dict[tuple[str, str], float], dataset: str, metric: str) -> float | None:
    """The paper's number for a data set of that name: ``Sports_and_Outdoors`` is its Sports."""
    return next((v for (name, m), v in own.items() if m == metric and dataset.lower().startswith(name.lower())), None)
