"""Leaderboards: many models on one file with one protocol and one time for all, planned, run, told as a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from engine.config import STOPPING_METRIC, parse, rehearsable, too_short
from engine.errors import EngineError, UsageError
from engine.records import Leaderboard, LeaderboardPlan, LeaderboardRequest, Shelf

if TYPE_CHECKING:
    from engine.api.comparisons import Comparisons
    from engine.api.runs import Runs


class Leaderboards:
    """Facade over ``engine.runs.leaderboard``. Imports no torch but for rehearsals; every method may touch the disk."""

    def __init__(self, runs: Runs, comparisons: Comparisons) -> None:
        self._runs = runs
        self._comparisons = comparisons

    def plan(self, request: LeaderboardRequest) -> LeaderboardPlan:
        """What the leaderboard takes: which runs are there, which go on, which are new, which models cannot run.

        Raises ``UsageError`` for names, seeds or a time that are none, and ``DataError`` for the data.
        """
        from engine.runs.leaderboard import plan

        marks = {mark.run_id: mark.shelf for mark in self._runs.store.marks.of()}
        records = [record for record in self._runs.all() if marks.get(record.id) is not Shelf.TRASHED]
        return plan(request, records, self._runs.store.desk.state())

    def rehearsed(self, planned: LeaderboardPlan) -> LeaderboardPlan:
        """The plan with warnings of what its time is too short for, by rehearsals of the models for which it can be:
        some seconds each, on the device that would be used. One that cannot be rehearsed says why."""
        from engine.api.costs import Costs

        warnings = {}
        for preset, config in rehearsable(planned).items():
            try:
                warnings[preset] = too_short(config, Costs().estimate(config), planned.request.minutes)
            except EngineError as error:
                warnings[preset] = f"it could not be rehearsed: {error}"
        return planned.warned(warnings)

    def start(self, request: LeaderboardRequest) -> LeaderboardPlan:
        """Submit what is missing, resume what was stopped, tag all of it; the plan as it stands then.

        Nothing is submitted twice: done again, it goes on with what is left. Raises as `plan` and ``Runs.submit`` do.
        """
        from engine.runs.leaderboard import TAG

        planned = self.plan(request)
        # A seed of every model before the second of any: what is there early is a table already.
        new = [
            (model.preset, parse(dict(run.config)))
            for seed in request.seeds
            for model in planned.models
            for run in model.runs
            if run.is_new and run.seed == seed
        ]
        if new:
            self._runs.submit_all([config for _, config in new], preset=[name for name, _ in new])
        for run_id in planned.resumes:
            self._runs.resume(run_id)
        started = self.plan(request)
        ids = [run.run_id for model in started.models for run in model.runs if run.run_id]
        self._runs.store.marks.tag(ids, (TAG,))
        return started

    def board(
        self,
        request: LeaderboardRequest,
        *,
        metric: str = STOPPING_METRIC,
        split: Literal["valid", "test"] = "test",
        paper: bool = False,
    ) -> Leaderboard:
        """The table of what has finished by now. Raises as `plan` and ``Comparisons.compare`` do.

        ``paper`` sets the paper's Table 2 beside, and notes where it is of other data or there is none: ``UsageError``
        for the validation split.
        """
        from engine.api.comparisons import refuse_beside_validation
        from engine.runs.leaderboard import board

        refuse_beside_validation(paper, split)
        planned = self.plan(request)
        ids = [run.run_id for model in planned.models for run in model.runs if run.run_id]
        records = {run_id: self._runs.get(run_id) for run_id in ids}
        numbers = self._comparisons.paper(planned.dataset) if paper else None
        return board(planned, records, metric=metric, split=split, paper=numbers)

    def export(self, found: Leaderboard, destination: Path) -> Path:
        """Write the table as .csv, .parquet (a line a row) or .tex, whole or not at all. Raises ``UsageError``."""
        from engine.reports.leaderboard import frame, latex
        from engine.reports.tables import WRITERS
        from engine.runs.files import writing
        from engine.runs.results import result_table

        suffix = destination.suffix.lower()
        if suffix == ".tex":
            if found.comparison is None:
                raise UsageError("Nothing has finished: there is no table to print.", "Wait for a run to end.")
            best = found.comparison.groups[0].label
            content = latex(found, result_table([found.comparison], best, found.paper)).encode()
        elif suffix in WRITERS:
            content = WRITERS[suffix](frame(found))
        else:
            raise UsageError(
                f"A leaderboard cannot be a '{suffix or 'nameless'}' file.", "Name a .csv, .parquet or .tex."
            )
        with writing(destination) as stream:
            stream.write(content)
        return destination
