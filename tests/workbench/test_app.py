"""How the program starts: options, no display, a first look at the desktop entry; and the walk as a whole."""

from __future__ import annotations

import configparser
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from engine.paths import resource
from tests.helpers.made_up_pages import add_pages
from workbench import app, demo
from workbench.context import Context
from workbench.main_window import MainWindow
from workbench.pages import pages
from workbench.settings import Settings

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems always have a display")
@pytest.mark.parametrize("name", ["DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"])
def test_a_display_is_known_by_its_variable(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for other in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(other, raising=False)
    assert not app.has_display()
    monkeypatch.setenv(name, "anything")
    assert app.has_display()


def test_without_a_display_it_says_so_and_walks_the_demo(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(app, "has_display", lambda: False)
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setattr(demo, "walk", lambda *arguments: asked.extend(arguments) or 0)
    assert app.main(["--workspace", "w"]) == 0
    assert asked == [Path(app.DEMO_FOLDER), "sample", "w"]
    assert "There is no display here" in capsys.readouterr().out


def test_reset_layout_forgets_the_layout_and_keeps_the_rest(qtbot: QtBot, tmp_path: Path) -> None:
    settings = Settings()
    settings.write("window/page", "runs")
    settings.write("page/runs", {"ticked": ["r1"]})
    settings.write("recent/datasets", ["a.txt"])
    settings.save()
    window = app.make_window(str(tmp_path), reset_layout=True)
    qtbot.addWidget(window)
    assert Settings().read("page/runs", dict, {}) == {}
    assert window.context.session.recent_datasets == ["a.txt"]
    assert window.current_page == next(iter(window.pages))
    window.close_without_asking()


def test_a_relative_data_path_is_made_absolute(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    window = app.make_window(str(tmp_path), "mine.txt")
    qtbot.addWidget(window)
    assert window.context.session.dataset == str(tmp_path / "mine.txt")
    window.close_without_asking()


def test_an_unknown_option_is_wrong_use() -> None:
    with pytest.raises(SystemExit) as left:
        app.main(["--no-such-option"])
    assert left.value.code == 2


def test_waiting_gives_up_and_says_for_what(qtbot: QtBot) -> None:
    with pytest.raises(demo.DemoFailed, match=r"The page: not within 0 s\."):
        demo.wait_until(lambda: False, 0.0, "The page")


def test_the_walk_fails_where_a_page_shows_an_error(qtbot: QtBot, engine_context: Context, tmp_path: Path) -> None:
    engine_context.session.open_dataset(str(tmp_path / "gone.txt"))
    window = MainWindow(engine_context)
    qtbot.addWidget(window)
    window.show()
    with pytest.raises(demo.DemoFailed, match=r"dataset page: .*gone\.txt"):
        demo.Walk(window, tmp_path).look_at("dataset")
    window.close_without_asking()


def test_the_walk_leads_to_every_page_and_to_compare_once_there_is_something(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two pages more, one before Train in the rail and one at its end: nothing in the walk names them."""
    steps: list[str] = []

    class Steps:
        look_at = steps.append

        def train(self) -> str:
            steps.append("train")
            return "r1"

        def results(self, run: str) -> None:
            steps.append(f"runs {run}")

        def train_another(self) -> None:
            steps.append("another")

    early, late = add_pages(monkeypatch, 2)[-2:]
    found = tuple(sorted((*pages(), replace(early, order=10), late), key=lambda page: page.order))
    monkeypatch.setattr(demo, "pages", lambda: found)
    demo.lead(Steps())  # type: ignore[arg-type]
    looked = ["home", "dataset", "neighbours", "augment", "more-1"]
    assert steps == [*looked, "train", "runs r1", "another", "compare", "more-2"]


def test_the_desktop_entry_starts_the_program() -> None:
    entry = configparser.ConfigParser(interpolation=None)
    entry.read(resource("coserec-workbench.desktop"), encoding="utf-8")
    assert entry["Desktop Entry"]["Exec"].split()[0] == "coserec-workbench"
    assert entry["Desktop Entry"]["StartupWMClass"] == "coserec-workbench"


@pytest.mark.slow
def test_the_whole_walk_works_without_a_display(tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "QT_QPA_PLATFORM")}
    command = [sys.executable, "main.py", "--demo", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    names = [path.stem.split("-", 1)[1] for path in sorted(tmp_path.glob("*.png"))]
    names = [name for name in names if name != "runs-training"]  # taken where training is slow enough to be seen
    assert names == ["home", "dataset", "neighbours", "augment", "train", "runs-curves", "runs-overview", "compare"]
    assert all(path.stat().st_size > 10_000 for path in tmp_path.glob("*.png"))
