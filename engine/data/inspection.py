"""What a Dataset page shows beyond the summary: tables, targets, times, the paper's numbers, a user's sequence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from engine import paths
from engine.data.columns import item_table, target_counts, user_table
from engine.data.dataset import Dataset
from engine.data.splits import SHORTEST
from engine.data.summary import summarise, training_users
from engine.data.timeline import timeline
from engine.records import DatasetDetails, DatasetSummary, PaperTable, PlacedItem, UserSequence


def _printed_rows() -> Iterator[tuple[str, tuple[int, int, int, str, str]]]:
    tree = json.loads(paths.resource("paper", "table1.json").read_text(encoding="utf-8"))
    for name, cells in tree["rows"].items():
        users, items, actions = (int(cell.replace(",", "")) for cell in cells[:3])
        yield name, (users, items, actions, cells[3], cells[4])


PRINTED = {
    (users, items, actions): (name, average, sparsity)
    for name, (users, items, actions, average, sparsity) in _printed_rows()
}
"""The paper's Table 1: users, items, actions → name, average length, sparsity in per cent, as printed."""


@lru_cache(maxsize=2)
def inspect(dataset: Dataset) -> DatasetDetails:
    """The tables of a data set and what its targets and times mean for evaluation."""
    users = user_table(dataset)
    return DatasetDetails(
        fingerprint=dataset.fingerprint,
        users=users,
        items=item_table(dataset),
        targets=target_counts(users),
        timeline=timeline(dataset),
        paper=paper_table(summarise(dataset)),
    )


def paper_table(summary: DatasetSummary) -> PaperTable | None:
    """The paper's row for a data set that has its users, items and actions; None for any other.

    The printed average and sparsity follow from those three: where they do not, that is a fault (FACTS F23).
    """
    found = PRINTED.get((summary.users, summary.items, summary.actions))
    if found is None:
        return None
    name, average, sparsity = found
    faults = []
    if f"{summary.average_length:.1f}" != average:
        faults.append(f"The paper prints an average length of {average}; its own counts give {_average(summary)}.")
    if f"{100 * summary.sparsity:.2f}" != sparsity:
        faults.append(f"The paper prints a sparsity of {sparsity} %; its own counts give {_sparsity(summary)}.")
    return PaperTable(name, average, f"{sparsity} %", tuple(faults))


def _average(summary: DatasetSummary) -> str:
    return f"{summary.average_length:.1f}"


def _sparsity(summary: DatasetSummary) -> str:
    return f"{100 * summary.sparsity:.2f} %"


def place(dataset: Dataset, user: str) -> UserSequence:
    """A user's sequence with the split on it. Raises ``UsageError`` for an unknown user."""
    row = dataset.user_row(user)
    begin, end = dataset.sequences.offsets[row : row + 2].tolist()
    items = dataset.sequences[row].tolist()
    users = training_users(dataset)[items].tolist()
    times: list[int | None] = [None] * len(items) if dataset.times is None else dataset.times[begin:end].tolist()
    _, firsts = np.unique(items, return_index=True)
    is_first = np.isin(np.arange(len(items)), firsts).tolist()
    count, is_evaluated = len(items), len(items) >= SHORTEST
    parts = ["training"] * count
    if is_evaluated:
        parts[-2:] = ["valid", "test"]
    places = tuple(
        PlacedItem(
            item=str(dataset.item_ids[item]),
            title=dataset.title(item),
            time=times[n],
            part=parts[n],
            is_input=is_evaluated and n < count - 3,
            is_target=is_evaluated and 1 <= n < count - 2,
            is_repeat=not is_first[n],
            is_cold=users[n] == 0,
            training_users=users[n],
        )
        for n, item in enumerate(items)
    )
    return UserSequence(
        user=str(dataset.user_ids[row]),
        row=row,
        places=places,
        is_evaluated=is_evaluated,
        training_length=max(count - 3, 0) if is_evaluated else 0,
    )
