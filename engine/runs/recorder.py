"""The recorder: what a training tells goes to the store, and the store's stop request comes back.

The training thread only appends to a buffer. A small thread of its own writes it, at most twice a second, beats the
heart during long steps, and looks for the stop request. So a slow, locked or full disk never holds up a step and never
ends a training: what could not be written waits, and the log says so.
"""

from __future__ import annotations

import statistics
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from engine.config import epochs_text, stage_at
from engine.errors import StoreError
from engine.records import STAGES, TRAINING, EpochReport
from engine.runs.usage import Sampler
from engine.store import Ending, Progress, StaleAttempt, Store

WRITE_SECONDS = 0.5
LOOK_SECONDS = 0.25
HEARTBEAT_SECONDS = 2.0
STOPPING = "stopping"
"""Phase of a run that has answered a stop request and is writing and testing what it has."""
INSIST_SECONDS = 600.0
"""How long the end of a run waits for a store that cannot be written."""


def say(text: str) -> None:
    """A line of the run's log. Where the log takes none, on a full disk, it is lost: the run is worth more."""
    with suppress(OSError):
        print(f"{datetime.now():%H:%M:%S} {text}", file=sys.stderr, flush=True)


def say_trace() -> None:
    """The trace of the error being handled, into the run's log if it takes it."""
    with suppress(OSError):
        traceback.print_exc()


class Recorder:
    """Implements ``engine.training.listening.Listener`` for one attempt of a run. Use it as a context."""

    def __init__(
        self,
        store: Store,
        run_id: str,
        attempt: int,
        epochs: int,
        *,
        pretrain_epochs: int = 0,
        minutes: float = 0.0,
        insist: float = INSIST_SECONDS,
    ) -> None:
        """``epochs`` of both stages, ``pretrain_epochs`` of them before training proper; ``minutes`` as of `Pace`."""
        self._store = store
        self._run_id = run_id
        self._attempt = attempt
        self._epochs = epochs
        self._insist = insist
        self._pace = Pace(epochs, pretrain_epochs, minutes)
        self._lock = threading.Lock()
        self._buffer = Progress()
        self._sequence = 0
        self._first_epoch: int | None = None
        self._stop = threading.Event()
        self._closing = threading.Event()
        self._trouble: dict[str, str] = {}
        """What refuses now, by what was to be done: that the store can be read tells nothing of writing."""
        self._told: set[str] = set()
        """What has been told of the trouble while it lasts: it has more than one face, and they take turns."""
        self._written = float("-inf")
        self._has_answered = False
        self._sampler = Sampler()
        self._thread = threading.Thread(target=self._work, name="recorder", daemon=True)
        self.is_stale = False
        """Whether the run has gone on without this attempt: then nothing more is written."""

    def __enter__(self) -> Recorder:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._thread.join()

    # What the training tells ----------------------------------------------------------------------------------------

    def phase(self, name: str) -> None:
        self._pace.phase(name)
        self.note(phase=name)
        if name == "testing":
            say("testing the best epoch's weights")

    def step(self, epoch: int, step: int, steps: int, losses: Mapping[str, float]) -> None:
        progress, left = self._pace.step(epoch, step, steps)
        points = [(epoch, step, f"running/{name}", value) for name, value in losses.items()]
        values = {"epoch": epoch, "step": step, "steps": steps, "progress": progress, "seconds_left": left}
        self._add(points, values)

    def epoch(self, report: EpochReport) -> None:
        progress, left = self._pace.epoch(report)
        series = {f"loss/{name}": value for name, value in report.losses.items()}
        series |= {f"valid/{name}": value for name, value in report.metrics.items()}
        series |= {"time/train_seconds": report.train_seconds, "time/validate_seconds": report.validate_seconds}
        values: dict[str, Any] = {"epoch": report.epoch, "progress": progress, "seconds_left": left}
        if report.is_best:
            values["best_epoch"] = report.epoch
        self._add([(report.epoch, 0, name, value) for name, value in series.items()], values, report)
        told = "  ".join(f"{name} {value:.5g}" for name, value in (*report.losses.items(), *report.metrics.items()))
        stage = "" if report.stage == TRAINING else f" {report.stage}"
        say(f"epoch {report.epoch + 1}/{self._epochs}{stage}  {told}  {report.train_seconds:.2f} s")

    def resumed(self, reports: tuple[EpochReport, ...]) -> None:
        """Tell the store of epochs that the checkpoint has and the store has not: the process was killed between."""

        def tell_missing() -> None:
            known = {epoch.epoch for epoch in self._store.epochs(self._run_id)}
            for report in reports:
                if report.epoch not in known:
                    self.epoch(report)

        say(f"resumed after {epochs_text(len(reports))}")
        self._insist_on(tell_missing)
        self._pace.resumed(reports)

    def hybrid_began(self, epoch: int) -> None:
        say(f"hybrid correlations from epoch {epoch + 1} on")
        self.note(hybrid_started=True)

    def remark(self, text: str) -> None:
        say(text)

    def should_stop(self) -> bool:
        if self._stop.is_set() and not self._has_answered:
            # Told by the training itself, so whoever waits knows that it is not stuck and need not kill it.
            self._has_answered = True
            self.note(phase=STOPPING)
        return self._stop.is_set()

    # What the run's process tells -----------------------------------------------------------------------------------

    def note(self, **values: Any) -> None:
        """Columns of the run to be written with the next batch."""
        with self._lock:
            self._buffer.values.update(values)

    def history_from(self, epoch: int) -> None:
        """Rows of earlier attempts at ``epoch`` and beyond are void, if this attempt has trained none itself."""
        with self._lock:
            if self._first_epoch is None:
                self._first_epoch = self._buffer.first_epoch = epoch

    def request_stop(self) -> None:
        """Stop at the next step, as if the store had asked (a signal has)."""
        self._stop.set()

    def finish(self, ending: Ending) -> bool:
        """Write what is left, and the end; insists while the store cannot be written. False when the run is stale."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()
        return self._insist_on(self._flush) and self._insist_on(
            lambda: self._store.end(self._run_id, self._attempt, ending)
        )

    # The thread -----------------------------------------------------------------------------------------------------

    def _add(self, points: list[tuple[int, int, str, float]], values: dict[str, Any], *reports: EpochReport) -> None:
        with self._lock:
            if self._first_epoch is None:
                self._first_epoch = self._buffer.first_epoch = values["epoch"]
            for epoch, step, name, value in points:
                self._sequence += 1
                self._buffer.points.append((self._sequence, epoch, step, name, float(value)))
            self._buffer.epochs.extend(reports)
            self._buffer.values.update(values)

    def _work(self) -> None:
        while not self._closing.wait(LOOK_SECONDS):
            if self._sampler.is_due:
                self._try(self._sample)
            waited = time.monotonic() - self._written
            buffer = self._buffer
            has_news = bool(buffer.points or buffer.values or buffer.epochs or buffer.usage)
            is_due = waited >= (WRITE_SECONDS if has_news else HEARTBEAT_SECONDS)
            self._try(self._flush if is_due else self._look)
            if self.is_stale:
                return

    def _try(self, action: Callable[[], None]) -> None:
        """Do it, if the store does not refuse for now. A stale attempt stops."""
        try:
            action()
        except StaleAttempt as stale:
            self._become_stale(stale)
        except StoreError as error:
            self._tell_trouble(action, str(error))
        except Exception as error:
            # Our own bug in recording must not end hours of training: say it in full, go on.
            self._tell_trouble(action, f"Recording fails: {error!r}\n{traceback.format_exc()}")
        else:
            self._tell_recovery(action)

    def _become_stale(self, stale: StaleAttempt) -> None:
        say(str(stale))
        self.is_stale = True
        self._stop.set()

    def _tell_trouble(self, action: Callable[[], None], text: str) -> None:
        self._trouble[action.__name__] = text
        if text not in self._told:
            self._told.add(text)
            say(f"{text} Training goes on; what is to be recorded waits.")

    def _tell_recovery(self, action: Callable[[], None]) -> None:
        if self._trouble.pop(action.__name__, "") and not self._trouble:
            self._told.clear()
            say("The store can be written again.")

    def _sample(self) -> None:
        values = self._sampler.sample()
        with self._lock:
            self._buffer.usage.append(values)

    def _look(self) -> None:
        if self._store.wants_stop(self._run_id, self._attempt):
            self._stop.set()

    def _flush(self) -> None:
        with self._lock:
            batch, self._buffer = self._buffer, Progress()
        self._written = time.monotonic()
        try:
            stops = self._store.record(self._run_id, self._attempt, batch)
        except BaseException:
            with self._lock:
                newer, self._buffer = self._buffer, batch
                self._buffer.points += newer.points
                self._buffer.epochs += newer.epochs
                self._buffer.usage += newer.usage
                self._buffer.values.update(newer.values)
                self._buffer.first_epoch = batch.first_epoch if batch.first_epoch is not None else newer.first_epoch
            raise
        if stops:
            self._stop.set()

    def _insist_on(self, action: Callable[[], None]) -> bool:
        """Do it, again and again while the store refuses; False when the run is stale or patience is over."""
        deadline = time.monotonic() + self._insist
        pause = 0.2
        while not self.is_stale:
            try:
                action()
                self._tell_recovery(action)
                return True
            except StaleAttempt as stale:
                self._become_stale(stale)
            except StoreError as error:
                self._tell_trouble(action, str(error))
                if time.monotonic() > deadline:
                    say("The store could not be written for long: this end is not recorded. Resume will repeat it.")
                    return False
                time.sleep(pause)
                pause = min(2 * pause, 5.0)
        return False


class Pace:
    """How far a training is, and how long it still takes at the present pace if it does not stop early.

    Stages have paces of their own: an epoch of pre-training tells nothing of one that is validated. Before a stage has
    shown its pace, that of the one before it stands in. ``minutes`` that it may last bound both; 0: no limit.
    """

    def __init__(self, epochs: int, pretrain_epochs: int = 0, minutes: float = 0.0) -> None:
        self._epochs = epochs
        self._pretrain_epochs = pretrain_epochs
        self._limit = 60 * minutes
        self._spent = 0.0
        self._durations: dict[str, deque[float]] = {}
        self._began: float | None = None

    def phase(self, name: str) -> None:
        if name in ("correlations", *STAGES) and self._began is None:
            self._began = time.monotonic()

    def step(self, epoch: int, step: int, steps: int) -> tuple[float, float]:
        """Share done (0…1) and seconds left, after ``step`` of ``steps``; epochs count from 0."""
        share = min(step / max(steps, 1), 1.0)
        elapsed = 0.0 if self._began is None else time.monotonic() - self._began
        shown = self._durations.get(stage_at(self._pretrain_epochs, epoch))
        whole = _usual(shown) if shown else elapsed / max(share, 1e-9)
        left = max(whole * (self._epochs - epoch - share), 0.0)
        return self._bounded((epoch + share) / self._epochs, left, self._spent + elapsed)

    def resumed(self, reports: Sequence[EpochReport]) -> None:
        """These epochs are done already."""
        self._spent = sum(report.train_seconds + report.validate_seconds for report in reports)

    def _bounded(self, done: float, left: float, spent: float) -> tuple[float, float]:
        if not self._limit:
            return done, left
        return max(done, min(spent / self._limit, 1.0)), min(left, max(self._limit - spent, 0.0))

    def epoch(self, report: EpochReport) -> tuple[float, float]:
        """Share done and seconds left after a whole epoch."""
        seconds = report.train_seconds + report.validate_seconds
        shown = self._durations.setdefault(stage_at(self._pretrain_epochs, report.epoch), deque(maxlen=5))
        shown.append(seconds)
        self._spent += seconds
        self._began = None
        done = report.epoch + 1
        return self._bounded(done / self._epochs, _usual(shown) * (self._epochs - done), self._spent)


def _usual(durations: Sequence[float]) -> float:
    """What an epoch takes, by the last ones: one in which the computer slept tells nothing of the next."""
    return statistics.median_low(durations)
