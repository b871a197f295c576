"""A walk through the workbench without hands: open sample → look → train → results → compare, a picture of each page.

The pages are those of the rail, in its order: a new one is walked to without a word here. The walk uses them as a user
does and fails where a user would: a page that shows an error, a run that does not finish.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEventLoop, QSettings, QTimer
from PySide6.QtWidgets import QWidget

from engine.records import AugmentationPreview, AugmentedView, RunRecord, RunStatus
from workbench import settings
from workbench.app import make_application, make_window
from workbench.main_window import MainWindow
from workbench.notifications import install_hooks, remove_hooks
from workbench.pages import pages
from workbench.pages.augment import AugmentPage
from workbench.pages.compare import ComparePage
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
WORKING_PAGES = ("train", "runs")
"""Their pictures are taken on the way of a run, from its settings to its metrics."""
FASTER = {"train.learning_rate": 0.003}
"""How the second run differs, so that there is something to compare. Of two models a few epochs would tell nothing."""
MOST_REROLLS = 20


def looking_pages() -> tuple[list[str], list[str]]:
    """Ids of the pages that are only looked at, before anything is trained and after it: those behind Train in the
    rail have runs to show by then."""
    names = [page.id for page in pages()]
    place = names.index("train")
    return names[:place], [name for name in names[place:] if name not in WORKING_PAGES]


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
        if isinstance(page, ComparePage):
            self._wait_for_comparison(page)
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

    def _wait_for_comparison(self, page: ComparePage) -> None:
        """Its groups are ticked once they are listed, and compared a moment after that."""

        def has_come() -> bool:
            return page.found is not None or any(stack.state == "error" for stack in stacks(page))

        wait_until(has_come, PAGE_SECONDS, "A comparison")
        wait_until(lambda: has_settled(self.window, page), PAGE_SECONDS, "The compare page")

    def picture(self, name: str) -> None:
        """Grab the window into the folder."""
        # One more turn of the loop: what has just been set is laid out and painted.
        wait_until(lambda: True, 1.0, "A picture")
        self.number += 1
        path = self.folder / f"{self.number:02}-{name}.png"
        if not self.window.grab().save(str(path)):
            raise DemoFailed(f"{path} cannot be written.")
        print(f"  {path}")

    def train(self) -> RunRecord:
        """Queue one short run on the Train page and wait for its end."""
        self.look_at("train")
        return self._run({"train.epochs": EPOCHS}, is_pictured=True)

    def train_another(self) -> None:
        """Train the same at another learning rate."""
        self.window.context.session.open_page("train")
        record = self._run(FASTER)
        if record.status is not RunStatus.FINISHED:
            raise DemoFailed(f"The second run ended as {record.status.value}: {record.message} {record.hint}".strip())

    def _run(self, changes: dict[str, Any], *, is_pictured: bool = False) -> RunRecord:
        window, book = self.window, self.window.context.runs
        page = window.page_widget("train")
        assert isinstance(page, TrainPage)
        window.context.session.change(changes)
        page.seeds.setText("1")
        if not page.can_queue():
            raise DemoFailed("The Train page does not let a run be queued.")
        known = {record.id for record in book.records}

        def queued() -> list[RunRecord]:
            return [record for record in book.records if record.id not in known]

        page.queue_runs()
        wait_until(lambda: window.current_page == "runs" and bool(queued()), PAGE_SECONDS, "Queueing a run")
        if is_pictured:
            self._picture_while_training(queued()[0].id)
        wait_until(lambda: queued()[0].status.is_end, RUN_SECONDS, "Training")
        return queued()[0]

    def _picture_while_training(self, run_id: str) -> None:
        """Live curves with some epochs in them; none where the run has ended before."""
        book = self.window.context.runs

        def has_ended() -> bool:
            return any(record.id == run_id and record.status.is_end for record in book.records)

        wait_until(
            lambda: has_ended() or len(book.curve(run_id, "loss/total")[0]) >= DRAWN_EPOCHS,
            RUN_SECONDS,
            "The first epochs",
        )
        if not has_ended():
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


def lead(steps: Walk) -> None:
    """Take the steps in the order of the rail."""
    before, after = looking_pages()
    for page in before:
        steps.look_at(page)
    steps.results(steps.train())
    if after:
        steps.train_another()
    for page in after:
        steps.look_at(page)


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
            lead(Walk(window, folder))
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
