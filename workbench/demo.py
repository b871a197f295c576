"""A walk through the workbench without hands: open sample → look → train → results, a picture of each page.

It uses the pages as a user does and fails where a user would: a page that shows an error, a run that does not finish.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEventLoop, QSettings, QTimer
from PySide6.QtWidgets import QWidget

from engine.records import AugmentationPreview, AugmentedView, RunRecord, RunStatus
from workbench import settings
from workbench.app import make_application, make_window
from workbench.main_window import MainWindow
from workbench.notifications import install_hooks, remove_hooks
from workbench.pages.augment import AugmentPage
from workbench.pages.neighbours import NeighboursPage
from workbench.pages.runs import RunsPage
from workbench.pages.train import TrainPage
from workbench.widgets.states import StatefulStack

SIZE = (1440, 900)
LOOK_MS = 50
PAGE_SECONDS = 120.0
RUN_SECONDS = 900.0
EPOCHS = 6
DRAWN_EPOCHS = 3
"""So many epochs make a picture of curves that grow."""
LOOKING_PAGES = ("home", "dataset", "neighbours", "augment")
MOST_REROLLS = 20


def is_changed(preview: AugmentationPreview, view: AugmentedView) -> bool:
    """Whether a view differs from the sequence that it was made from."""
    return [token.item for token in view.tokens] != [token.item for token in preview.original]


class DemoFailed(Exception):  # noqa: N818 (the walk's one way to end early)
    """A step did not come to its end; the text says which."""


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Let the window live until the condition holds. Raises `DemoFailed` after ``seconds``."""
    loop = QEventLoop()
    timer = QTimer()
    deadline = time.monotonic() + seconds

    def look() -> None:
        if condition() or time.monotonic() > deadline:
            loop.quit()

    timer.timeout.connect(look)
    timer.start(LOOK_MS)
    loop.exec()
    timer.stop()
    if not condition():
        raise DemoFailed(f"{what}: not within {seconds:.0f} s.")


def stacks(page: QWidget) -> list[StatefulStack]:
    """The parts of a page that are in sight and may be empty, loading or failed."""
    return [stack for stack in page.findChildren(StatefulStack) if stack.isVisible()]


def has_settled(window: MainWindow, page: QWidget) -> bool:
    """Whether the page shows what it has to show."""
    return not window.context.engine.is_busy and all(stack.state != "loading" for stack in stacks(page))


class Walk:
    """One walk over one window."""

    def __init__(self, window: MainWindow, folder: Path) -> None:
        self.window = window
        self.folder = folder
        self.number = 0

    def look_at(self, page_id: str) -> None:
        """Open a page, wait for it, take its picture."""
        window = self.window
        window.context.session.open_page(page_id)
        page = window.page_widget(page_id)
        wait_until(lambda: has_settled(window, page), PAGE_SECONDS, f"The {page_id} page")
        if isinstance(page, NeighboursPage):
            self._walk_to_first_item(page)
        if isinstance(page, AugmentPage):
            self._reroll_until_changed(page)
        for stack in stacks(page):
            if stack.state == "error":
                raise DemoFailed(f"The {page_id} page: {stack.text}")
        self.picture(page_id)

    def _walk_to_first_item(self, page: NeighboursPage) -> None:
        if page.search.model.rows:
            page.walk(page.search.model.rows[0].item)
            wait_until(lambda: has_settled(self.window, page), PAGE_SECONDS, "An item's neighbours")

    def _reroll_until_changed(self, page: AugmentPage) -> None:
        """A short sequence and small ratios may leave a view as it was: draw until both are changed."""
        for _ in range(MOST_REROLLS):
            preview = page.preview
            if preview is None or all(is_changed(preview, view) for view in preview.views):
                return
            page.reroll()
            wait_until(lambda: has_settled(self.window, page), PAGE_SECONDS, "New views")

    def picture(self, name: str) -> None:
        """Grab the window into the folder."""
        # One more turn of the loop: what has just been set is laid out and painted.
        wait_until(lambda: True, 1.0, "A picture")
        self.number += 1
        path = self.folder / f"{self.number}-{name}.png"
        if not self.window.grab().save(str(path)):
            raise DemoFailed(f"{path} cannot be written.")
        print(f"  {path}")

    def train(self) -> RunRecord:
        """Queue one short run on the Train page and wait for its end."""
        window = self.window
        self.look_at("train")
        page = window.page_widget("train")
        assert isinstance(page, TrainPage)
        window.context.session.change({"train.epochs": EPOCHS})
        page.seeds.setText("1")
        if not page.can_queue():
            raise DemoFailed("The Train page does not let a run be queued.")
        page.queue_runs()
        wait_until(lambda: window.current_page == "runs", PAGE_SECONDS, "Queueing a run")
        book = window.context.runs
        self._picture_while_training()
        wait_until(lambda: any(record.status.is_end for record in book.records), RUN_SECONDS, "Training")
        return book.records[0]

    def _picture_while_training(self) -> None:
        """Live curves with some epochs in them; none where the run has ended before."""
        book = self.window.context.runs

        def has_grown() -> bool:
            drawn = [len(book.curve(record.id, "loss/total")[0]) >= DRAWN_EPOCHS for record in book.records]
            return any(drawn) or any(record.status.is_end for record in book.records)

        wait_until(has_grown, RUN_SECONDS, "The first epochs")
        if book.with_status(RunStatus.RUNNING):
            self.picture("runs-training")

    def results(self, record: RunRecord) -> None:
        """Look at the curves and at the final metrics."""
        page = self.window.page_widget("runs")
        assert isinstance(page, RunsPage)
        drawn = page.plots["validation"].drawn
        wait_until(lambda: len((drawn(record.id) or ([],))[0]) == EPOCHS, PAGE_SECONDS, "The curves")
        self.picture("runs-curves")
        page.open_state(run=record.id, tab="Overview")
        self.picture("runs-overview")
        test = record.metrics.get("test", {})
        if record.status.value != "finished" or not test:
            raise DemoFailed(f"The run ended as {record.status.value}: {record.message} {record.hint}".strip())
        print("  test  " + "  ".join(f"{name} {value:.4f}" for name, value in test.items()))


def walk(folder: Path, dataset: str, workspace: str | None) -> int:
    """Walk and return the exit code: 0 only if all of it worked."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="coserec-demo-", ignore_cleanup_errors=True) as place:
        settings.factory = lambda: QSettings(str(Path(place) / "settings.ini"), QSettings.Format.IniFormat)
        make_application()
        window = make_window(workspace or str(Path(place) / "workspace"), dataset)
        install_hooks(window.context.notifier)
        window.resize(*SIZE)
        window.show()
        try:
            wait_until(lambda: window.context.runs.is_loaded, PAGE_SECONDS, "Opening the store")
            steps = Walk(window, folder)
            for page in LOOKING_PAGES:
                if page in window.pages:
                    steps.look_at(page)
            steps.results(steps.train())
            errors = [item.text for item in window.context.notifier.items if item.level == "error"]
            if errors:
                raise DemoFailed(errors[0])
            if "torch" in sys.modules:
                raise DemoFailed("torch was imported into the window's process.")
        except DemoFailed as failure:
            print(f"The walk failed. {failure}", file=sys.stderr)
            return 1
        finally:
            window.close_without_asking()
            window.backstage.wait()
            remove_hooks()
    print(f"All of it worked; the pictures are in {folder}.")
    return 0
