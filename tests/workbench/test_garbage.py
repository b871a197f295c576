"""Python's search for garbage: on the window's thread alone, and never over what stays."""

from __future__ import annotations

import gc
import threading

from pytestqt.qtbot import QtBot

from workbench import garbage


class Thing:
    """Tells on which thread it was taken apart."""

    gone: list[threading.Thread]

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        Thing.gone.append(threading.current_thread())


def test_garbage_is_found_on_this_thread_and_on_no_other(qtbot: QtBot) -> None:
    Thing.gone = []
    collector = garbage.Collector()
    collector.start()

    def litter() -> None:
        for _ in range(20):
            Thing()
        _ = [[] for _ in range(20_000)]  # enough for Python's own search to begin, were it on

    other = threading.Thread(target=litter)
    other.start()
    other.join()
    assert Thing.gone == []
    held = [[] for _ in range(1_000)]
    qtbot.waitUntil(lambda: len(Thing.gone) == 20)
    assert set(Thing.gone) == {threading.main_thread()}
    assert len(held) == 1_000


def test_older_generations_are_searched_in_their_turn() -> None:
    gc.collect()
    collector = garbage.Collector()
    before = [stats["collections"] for stats in gc.get_stats()]
    held = []
    for _ in range(13):
        held.append([[] for _ in range(1_000)])
        collector.look()
    after = [stats["collections"] for stats in gc.get_stats()]
    assert after[0] - before[0] > after[1] - before[1] > 0
    assert len(held) == 13


def test_nothing_new_nothing_searched() -> None:
    collector = garbage.Collector()
    gc.collect()
    before = gc.get_stats()
    collector.look()
    assert gc.get_stats() == before


def test_what_is_kept_is_not_walked_again() -> None:
    held = [[number] for number in range(1000)]
    garbage.keep()
    walked = {id(item) for item in gc.get_objects()}
    assert not any(id(item) in walked for item in held)
    fresh = [held]
    assert id(fresh) in {id(item) for item in gc.get_objects()}


def test_what_nobody_refers_to_is_freed_all_the_same() -> None:
    Thing.gone = []
    thing = Thing()
    thing.itself = None
    garbage.keep()
    del thing
    assert len(Thing.gone) == 1
