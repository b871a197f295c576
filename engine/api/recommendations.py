"""What stored runs recommend to one user, and the users on whom they disagree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from engine import registry
from engine.config import ExperimentConfig, parse
from engine.config.naming import run_name
from engine.errors import ConfigurationError, UsageError
from engine.paths import BEST_WEIGHTS, CHECKPOINT
from engine.records import (
    AttentionWeights,
    FoundUsers,
    HistoryItem,
    Recommendations,
    RecommendedItem,
    RunRecommendation,
    RunRecord,
    RunStatus,
)

if TYPE_CHECKING:
    from engine.api.runs import Runs
    from engine.data.dataset import Dataset
    from engine.data.splits import LeaveOneOut
    from engine.training.recommending import OneUser, Softmaxes, UserRanking

Which = Literal["valid", "test"]
MOST = 1000
"""Items that can be asked for at once."""


class Recommending:
    """Facade over the runs' best weights and their stored ranks. What loads weights imports torch.

    Weights, once read, stay in memory for the next user: of three runs at most.
    """

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    def of(
        self,
        run_ids: Sequence[str],
        user: str = "",
        *,
        row: int | None = None,
        split: Which = "test",
        top: int = 20,
        attention: bool = False,
    ) -> Recommendations:
        """The ``top`` best items of one to three runs for ``user``, an id of the file, or for ``row`` of the data set.

        Each run ranks as it did in its own evaluation: by its best weights on the host, under its own rules for seen
        items and ties. With ``attention`` the softmaxes of every layer and head come along (§3.2).

        Raises ``UsageError`` for an unknown run or user, a user too short for the split, runs of different data or
        without weights, a data file that is gone, and a ``top`` below 1 or above 1000; ``RunError`` for weights that
        have diverged.
        """
        from engine.runs.data import data_of, refuse_other_data
        from engine.runs.user_search import refuse_too_many

        if not 1 <= top <= MOST:
            raise UsageError(f"{top} items cannot be shown.", f"Ask for 1 to {MOST}.")
        records = [self._runs.get(run_id) for run_id in run_ids]
        refuse_too_many(records)
        refuse_other_data(records)
        dataset = data_of(records[0])
        place, row = _place(dataset, user, row)
        history, target = _history(dataset, row, split)
        told = [_Told(record, dataset, split, place, top) for record in records]
        seen = [item for one in told for item in one.listed]
        return Recommendations(
            dataset=dataset.name,
            user=str(dataset.user_ids[row]),
            row=row,
            split=split,
            training_length=len(dataset.sequences[row]) - 3,
            history=history,
            target=target,
            top=top,
            runs=tuple(one.recommendation(history, seen, attention) for one in told),
            notes=_notes(records),
        )

    def write_all(
        self,
        run_id: str,
        destination: Path,
        *,
        split: Which = "test",
        top: int = 20,
        told: Callable[[int, int], None] = lambda _done, _users: None,
    ) -> int:
        """Write the run's ``top`` best items of every evaluated user as .csv or .parquet; how many rows that is.

        Ranked as in `of`, one row an item: user, place, item, score, whether it is the target. ``told`` hears how many
        users of how many are done. Raises as `of`, and ``UsageError`` where the file cannot be written.
        """
        from engine.api.whole_lists import write_lists
        from engine.runs.data import data_of

        record = self._runs.get(run_id)
        if not 1 <= top <= MOST:
            raise UsageError(f"{top} items cannot be listed.", f"Ask for 1 to {MOST}.")
        model, _ = _model(record, _config(record), data_of(record))
        return write_lists(model, destination, split, top, told)

    def write_embeddings(self, run_id: str, destination: Path) -> tuple[int, int]:
        """Write the item embeddings of the run's best weights as .npz, .csv or .parquet; items and width.

        Raises ``UsageError`` for a run without weights or of a model without item embeddings, and where the file cannot
        be written.
        """
        from engine.api.whole_lists import write_embeddings
        from engine.runs.data import data_of

        record = self._runs.get(run_id)
        dataset = data_of(record)
        model, _ = _model(record, _config(record), dataset)
        table = getattr(model.model, "item_embedding", None)
        if table is None:
            raise UsageError(f"Run {record.id} has no item embeddings: nothing is trained.", "Choose another run.")
        write_embeddings(dataset, table.weight.detach().numpy(), destination)
        return dataset.item_count, int(table.weight.shape[1])

    def beside(self, run_id: str, user: str, step: int = 1) -> str:
        """The evaluated user ``step`` places after ``user`` in the file's order, round its ends; raises as `of`."""
        import numpy as np

        from engine.runs.data import data_of

        dataset = data_of(self._runs.get(run_id))
        rows = _split(dataset).users
        place = int(np.searchsorted(rows, dataset.user_row(user))) if user else -1
        return str(dataset.user_ids[rows[(place + step) % len(rows)]])

    def users(
        self,
        run_ids: Sequence[str],
        *,
        right: Sequence[str] = (),
        wrong: Sequence[str] = (),
        k: int = 10,
        split: Which = "test",
        shortest: int = 0,
        longest: int | None = None,
        order: str = "difference",
        is_reversed: bool = False,
        limit: int = 100,
    ) -> FoundUsers:
        """Users whose target the runs ``right`` have among their first ``k`` and the runs ``wrong`` have not.

        Runs are named by their ids, by beginnings of them, or as A, B and C by their order. From the stored ranks: no
        weights are read. Raises as `engine.runs.user_search.find_users`.
        """
        from engine.runs.user_search import find_users

        records = [self._runs.get(run_id) for run_id in run_ids]
        return find_users(
            records,
            right=[self._named(records, name) for name in right],
            wrong=[self._named(records, name) for name in wrong],
            k=k,
            split=split,
            shortest=shortest,
            longest=longest,
            order=order,
            is_reversed=is_reversed,
            limit=limit,
        )

    def _named(self, records: Sequence[RunRecord], name: str) -> int:
        """Place of the run that is called ``name`` among ``records``. Raises ``UsageError``."""
        letters = "ABC"[: len(records)]
        if name in letters:
            return letters.index(name)
        if name in ("A", "B", "C"):
            # An id may end like this, and a part of an id is enough to name a run.
            raise UsageError(
                f"There is no run {name}: {len(records)} are searched.", f"Name one of {', '.join(letters)}."
            )
        wanted = self._runs.get(name).id
        place = next((place for place, record in enumerate(records) if record.id == wanted), None)
        if place is None:
            raise UsageError(f"Run {wanted} is not one of those that are searched.", "Name it among the runs too.")
        return place

    def csv(self, found: Recommendations) -> str:
        """Every list as CSV, one line an item, numbers unrounded; reads nothing."""
        return as_csv(found)

    def export(self, found: Recommendations, destination: Path) -> Path:
        """Write `csv` to ``destination``, whole or not at all. Raises ``UsageError`` when the disk refuses it."""
        from engine.runs.files import writing

        with writing(destination, UsageError) as stream:
            stream.write(as_csv(found).encode("utf-8"))
        return destination


class _Told:
    """One run's answer, before it is known what the other lists hold."""

    def __init__(self, record: RunRecord, dataset: Dataset, split: Which, place: int, top: int) -> None:
        from engine.training.device import memory_guard
        from engine.training.recommending import best

        self.record, self.dataset, self.split, self.place = record, dataset, split, place
        self.config = _config(record)
        with memory_guard(self.config, _host()):
            self.model, self.epoch = _model(record, self.config, dataset)
            self.found: UserRanking = self.model.ranking(split, place)
        whole = _split(dataset).whole[place]
        self.target = int(whole[-1] if split == "test" else whole[-2])
        self.listed: list[int] = best(self.found, self.target, top).tolist()

    def recommendation(
        self, history: Sequence[HistoryItem], seen: Sequence[int], wants_attention: bool
    ) -> RunRecommendation:
        import math

        import numpy as np

        scores = self.found.scores
        is_ranked = math.isfinite(self.found.rank)
        softmaxes = self.model.softmaxes(self.split, self.place) if wants_attention else None
        evaluate = self.config.evaluate
        return RunRecommendation(
            run=self.record.id,
            name=run_name(self.record),
            model=registry.entry("model", self.config.model.name).label,
            status=str(self.record.status),
            epoch=None if self.epoch is None else self.epoch + 1,
            items=tuple(
                RecommendedItem(
                    number,
                    *self.dataset.named(item),
                    float(scores[item]),
                    item == self.target,
                    seen.count(item),
                )
                for number, item in enumerate(self.listed, 1)
            ),
            rank=self.found.rank + 1,
            stored_rank=self._stored_rank(),
            target_score=float(scores[self.target]) if is_ranked else None,
            candidates=int(np.sum(~np.isneginf(scores))),
            seen_items=evaluate.seen_items,
            ties=evaluate.ties,
            inputs=len(self.found.tokens),
            has_attention=self.model.has_attention,
            attention=None if softmaxes is None else _attention(self.dataset, softmaxes, history),
            notes=tuple(self._notes()),
        )

    def _stored_rank(self) -> float | None:
        import numpy as np

        from engine.runs.ranks import stored_ranks

        stored = stored_ranks(self.record, self.split)
        if stored is None:
            return None
        found = np.flatnonzero(stored.users == _split(self.dataset).users[self.place])
        return float(stored.ranks[found[0]]) + 1 if len(found) else None

    def _notes(self) -> list[str]:
        """What a reader must know of this list."""
        notes = []
        record, rank, stored = self.record, self.found.rank + 1, self._stored_rank()
        if record.status is not RunStatus.FINISHED:
            notes.append(f"Run {record.id} {record.status.verb}: these are its best weights so far.")
        if rank == float("inf"):
            notes.append("The target stands in the history, which is not ranked: a certain miss.")
        if stored is not None and stored != rank:
            notes.append(
                f"The run stored rank {stored:g}, as {record.device or 'its device'} computed it; here it is {rank:g}."
            )
        if self.split == "test" and self.config.evaluate.noise_rate:
            notes.append("The model's input carries the noise of §5.4; the history shows what the user really chose.")
        return notes


def _host() -> Any:
    import torch

    return torch.device("cpu")


def _config(record: RunRecord) -> ExperimentConfig:
    try:
        return parse(record.config)
    except ConfigurationError as error:
        raise UsageError(
            f"Run {record.id} cannot be asked: today's program no longer understands its configuration, "
            f"{error.message}",
            error.hint,
        ) from None


def _model(record: RunRecord, config: ExperimentConfig, dataset: Dataset) -> tuple[OneUser, int | None]:
    """The run's model with its best weights, and their epoch; out of memory where it was asked for before."""
    from engine.training import setup

    if not setup.trains(config):
        return _read(dataset, "", 0, config.model_dump_json())
    path = next((p for p in (record.directory / BEST_WEIGHTS, record.directory / CHECKPOINT) if p.is_file()), None)
    if path is None:
        if record.status in (RunStatus.QUEUED, RunStatus.RUNNING):
            raise UsageError(f"Run {record.id} is {record.status} and has no weights yet.", "Let it finish an epoch.")
        hint = "Choose another run." if record.status is RunStatus.FINISHED else "Choose another run, or resume it."
        raise UsageError(f"Run {record.id} {record.status.verb}, and its folder holds no weights.", hint)
    return _read(dataset, str(path), path.stat().st_mtime_ns, config.model_dump_json())


@lru_cache(maxsize=3)
def _read(dataset: Dataset, path: str, _written: int, config: str) -> tuple[OneUser, int | None]:
    import torch

    from engine.training import setup
    from engine.training.recommending import OneUser
    from engine.training.stored import read_model

    parsed, split = parse(config), _split(dataset)
    if not path:
        return OneUser(setup.model(parsed, dataset, split, torch.Generator()).eval(), parsed, dataset, split), None
    stored = read_model(parsed, dataset, split, Path(path))
    return OneUser(stored.model, parsed, dataset, split), stored.epoch


@lru_cache(maxsize=2)
def _split(dataset: Dataset) -> LeaveOneOut:
    from engine.data.splits import leave_one_out

    return leave_one_out(dataset)


def _place(dataset: Dataset, user: str, row: int | None) -> tuple[int, int]:
    """Row among the evaluated users, and row of the data set. Raises ``UsageError``."""
    import numpy as np

    from engine.data.splits import SHORTEST

    if row is None:
        row = dataset.user_row(user)
    if not 0 <= row < len(dataset.user_ids):
        raise UsageError(f"There is no row {row} in {dataset.name}.", f"It has {len(dataset.user_ids):,} users.")
    users = _split(dataset).users
    place = int(np.searchsorted(users, row))
    if place == len(users) or users[place] != row:
        raise UsageError(
            f"User '{dataset.user_ids[row]}' has {len(dataset.sequences[row])} items: too few for the split, so "
            "nothing is held out to be recommended.",
            f"Pick a user with at least {SHORTEST}.",
        )
    return place, row


def _history(dataset: Dataset, row: int, split: Which) -> tuple[tuple[HistoryItem, ...], HistoryItem]:
    """What the user had chosen before the target, and the target."""
    items = dataset.sequences[row].tolist()
    count = len(items) - (1 if split == "test" else 2)
    target = items[count]
    before = (HistoryItem(place, *dataset.named(item), item == target) for place, item in enumerate(items[:count], 1))
    return tuple(before), HistoryItem(count + 1, *dataset.named(target), True)


def _attention(dataset: Dataset, found: Softmaxes, history: Sequence[HistoryItem]) -> AttentionWeights:
    names = [dataset.named(item) for item in found.tokens.tolist()]
    places, left = [], len(history)
    for item, _ in reversed(names):  # from the end: an item of the noise is none that the user has ever chosen
        is_own = left > 0 and history[left - 1].item == item
        places.append(left if is_own else 0)
        left -= is_own
    return AttentionWeights(
        items=tuple(item for item, _ in names),
        titles=tuple(title for _, title in names),
        places=tuple(reversed(places)),
        weights=found.weights,
        is_causal=found.is_causal,
    )


def _notes(records: Sequence[RunRecord]) -> tuple[str, ...]:
    """Whether the lists can be held against each other."""
    from engine.runs.groups import refuse_unlike

    try:
        refuse_unlike(records)
    except UsageError as error:
        return (f"{error.message} Each list follows its own run's rules.",)
    return ()


def as_csv(found: Recommendations) -> str:
    """Every list of ``found``, one line an item, numbers unrounded; then each run's target where it is not listed."""
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ("dataset", "user", "split", "run", "name", "epoch", "rank", "item", "title", "score", "is_target", "lists")
    )
    for run in found.runs:
        head = (found.dataset, found.user, found.split, run.run, run.name, "" if run.epoch is None else run.epoch)
        for row in run.items:
            writer.writerow((*head, row.place, row.item, row.title, row.score, int(row.is_target), row.lists))
        if not any(row.is_target for row in run.items):
            score = "" if run.target_score is None else run.target_score
            writer.writerow((*head, run.rank, found.target.item, found.target.title, score, 1, 0))
    return text.getvalue()
