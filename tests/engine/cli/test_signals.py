"""Signals that end a command politely, and words that nobody reads any more."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import click
import pytest

from engine.api.runs import Runs
from engine.cli import follow, frame
from engine.cli.signals import Ended, as_ctrl_c
from engine.records import RunStatus
from engine.store import Store
from tests.engine.cli.conftest import Shell
from tests.helpers import fake_training
from tests.helpers.fake_training import submit

ROOT = Path(__file__).parents[3]
SIGNALS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


@pytest.fixture(autouse=True)
def _heeded() -> Iterator[None]:
    """Whoever runs the suite under `nohup` or in the background has SIGHUP or SIGINT ignored, and so would everything
    here."""
    usual = dict.fromkeys(SIGNALS, signal.SIG_DFL) | {signal.SIGINT: signal.default_int_handler}
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_is_a_ctrl_c_with_an_exit_code_of_its_own(number: int) -> None:
    before = signal.getsignal(number)

    def command() -> None:
        with as_ctrl_c() as asked:
            try:
                signal.raise_signal(number)
            except KeyboardInterrupt:
                signal.raise_signal(number)  # a terminal that closes says so twice
                assert asked.number == number
                raise click.Abort from None

    with pytest.raises(Ended) as caught:
        command()
    assert caught.value.exit_code == 128 + number
    assert caught.value.name == signal.Signals(number).name
    assert signal.getsignal(number) is before


def test_ctrl_c_itself_stays_what_it_is() -> None:
    with pytest.raises(KeyboardInterrupt), as_ctrl_c():
        signal.raise_signal(signal.SIGINT)


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows closes consoles otherwise")
def test_what_is_ignored_stays_ignored_as_under_nohup() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with as_ctrl_c() as asked:
            signal.raise_signal(signal.SIGHUP)
        assert asked.code == 0
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_stops_what_is_followed_with_a_checkpoint(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """It comes once the first run has finished an epoch; the second one would wait for ever."""
    store = Store.open(shell.workspace)
    first, second = (run.id for run in submit(store, 2))
    for run_id in (first, second):
        store.fail_unclaimed(run_id, "made so, to be resumed", "", "")
    sent, end = [], time.monotonic() + 60

    def sleep(seconds: float) -> None:
        assert time.monotonic() < end, "it is not stopped"
        if store.epochs(first) and not sent:
            sent.append(number)
            signal.raise_signal(number)
        time.sleep(seconds)

    monkeypatch.setattr(follow, "time", SimpleNamespace(monotonic=time.monotonic, sleep=sleep))
    monkeypatch.setattr(Runs, "start", lambda runs, run_id: fake_training.start(runs.store, run_id, "endless"))
    found = shell.runs("resume", first, second, code=128 + number)["runs"]
    assert [run["status"] for run in found] == [RunStatus.STOPPED, RunStatus.CANCELLED]
    assert (store.get(first).directory / "checkpoint.pt").is_file()
    store.close()


def test_a_signal_while_nothing_is_followed_is_told_in_json(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def work(_: Runs) -> int:
        signal.raise_signal(signal.SIGTERM)
        return 0

    monkeypatch.setattr(Runs, "work", work)
    found = shell.runs("work", code=143)
    assert found["error"]["message"] == "Ended by SIGTERM."


def test_words_that_nobody_reads_are_lost_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with io.TextIOWrapper(io.FileIO(writer, "w"), encoding="utf-8", write_through=True) as dead:
        monkeypatch.setattr(sys, "stderr", dead)  # not in a fixture: pytest puts its own there before the test begins
        with pytest.raises(BrokenPipeError):
            click.echo("a line", err=True)
        for _ in range(3):
            frame.tell("a line")


def test_an_error_keeps_its_exit_code_where_nobody_reads_it() -> None:
    code = (
        "import sys; sys.stdin.readline(); from engine.cli import main;"
        "main(['show', 'nobody', '--workspace', sys.argv[1]])"
    )
    assert _ended_unheard(code) == 2


def test_the_interpreter_ends_well_with_words_that_nobody_has_read() -> None:
    code = "import sys; sys.stdin.readline(); from engine.cli.frame import tell; tell('a line')"
    assert _ended_unheard(code) == 0


def _ended_unheard(code: str) -> int:
    """Exit code of Python code whose standard error nobody reads by the time it gets a line of input."""
    with subprocess.Popen(
        [sys.executable, "-c", code, str(ROOT / "nowhere")], cwd=ROOT, stdin=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stderr.close()
        process.stdin.write(b"go\n")
        process.stdin.close()
        return process.wait(60)
