"""What a row says that stands for several runs: which of them its statistics are of, its seeds, its tooltip."""

from __future__ import annotations

from collections.abc import Sequence

from engine.config.grouping import left_out_words, once_a_seed
from engine.records import RunRecord
from workbench.item_models.run_columns import states_text
from workbench.run_book import RunBook
from workbench.widgets.numbers import count


def counting(book: RunBook, records: Sequence[RunRecord]) -> tuple[RunRecord, ...]:
    """Of a group's runs those that its statistics are of: of each seed the newest finished one."""
    return once_a_seed(records, lambda record: book.line(record.id).seed)


def seeds_text(book: RunBook, records: Sequence[RunRecord]) -> str:
    """``3 seeds``; the seed itself where there is one; nothing where the model has none."""
    seeds = {book.line(record.id).seed for record in records}
    if len(seeds) > 1:
        return count(len(seeds), "seed")
    seed = seeds.pop()
    return "" if seed is None else str(seed)


def group_tip(book: RunBook, name: str, records: Sequence[RunRecord]) -> str:
    """The group's name, seeds and states, and which of its runs do not count."""
    kept = sorted(counting(book, records), key=lambda record: record.seed)
    seeds = ", ".join(str(record.seed) for record in kept if book.line(record.id).seed is not None)
    said = f"Seeds {seeds}: {states_text(records)}" if seeds else states_text(records)
    return "\n".join(filter(None, (name, said, left_out_words(records, kept))))
