"""The pages on the real engine in its own process: the bundled sample, and Beauty where it is there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from engine.api import Workspace
from engine.errors import DataError
from engine.records import AugmentationPreview
from tests.helpers.real_data import real_data
from workbench.context import Context, make_context
from workbench.pages.augment import AugmentPage
from workbench.pages.dataset import DatasetPage
from workbench.pages.neighbours import NeighboursPage
from workbench.theme import Theme
from workbench.widgets.chip_alignment import ChipState

pytestmark = pytest.mark.slow
PATIENCE = 60_000


@pytest.fixture
def real(theme: Theme, tmp_path: Path) -> Iterator[Context]:
    made = make_context(Workspace(tmp_path), theme)
    yield made
    made.close()


def test_the_sample_from_summary_to_views(qtbot: QtBot, real: Context) -> None:
    dataset, neighbours, augment = DatasetPage(real), NeighboursPage(real), AugmentPage(real)
    for page in (dataset, neighbours, augment):
        qtbot.addWidget(page)
        page.page_shown()
    qtbot.waitUntil(lambda: dataset.stack.state == "content", timeout=PATIENCE)
    assert dataset.summary is not None
    assert sum(dataset.lengths.plot.bars().values()) == dataset.summary.training_lengths.sum()
    qtbot.waitUntil(lambda: len(neighbours.search.model.rows) > 0, timeout=PATIENCE)
    neighbours.walk(neighbours.search.model.rows[0].item)
    qtbot.waitUntil(lambda: neighbours.list is not None, timeout=PATIENCE)
    assert neighbours.cards["item_cf"].model.rowCount() == 20
    qtbot.waitUntil(lambda: augment.preview is not None, timeout=PATIENCE)
    for name, state in (
        ("mask", ChipState.MASKED),
        ("substitute", ChipState.SUBSTITUTED),
        ("insert", ChipState.INSERTED),
        ("crop", ChipState.DROPPED),
        ("reorder", ChipState.REORDERED),
    ):
        augment.controls.set_operator(name)
        qtbot.waitUntil(lambda: _operator(augment.preview) == name, timeout=PATIENCE)  # noqa: B023
        shown = {chip.state for row in augment.chips.alignment.rows[1:] for chip in row.chips}
        assert state in shown


def _operator(preview: AugmentationPreview | None) -> str:
    return preview.views[0].operator.lower() if preview else ""


def test_a_broken_file_is_said_on_every_page(qtbot: QtBot, real: Context, tmp_path: Path) -> None:
    path = tmp_path / "broken.txt"
    path.write_text("1 2 3 4 5\n2 6 x7 8\n", encoding="utf-8")
    real.session.open_dataset(str(path))
    for kind in (DatasetPage, NeighboursPage, AugmentPage):
        page = kind(real)
        qtbot.addWidget(page)
        page.page_shown()
        qtbot.waitUntil(lambda: page.stack.state == "error", timeout=PATIENCE)  # noqa: B023
        assert page.stack.text.startswith(DataError("", path=path, line=2).message)


@pytest.mark.realdata
def test_beauty_is_table_1_and_the_k_line_says_the_papers_shares(qtbot: QtBot, real: Context) -> None:
    """Users, items, actions of Table 1; sparsity as FACTS F23 corrects it; shares of FACTS F4."""
    real.session.open_dataset(str(real_data("Beauty.txt")))
    page = DatasetPage(real)
    qtbot.addWidget(page)
    page.page_shown()
    qtbot.waitUntil(lambda: page.stack.state == "content", timeout=PATIENCE)
    texts = [page.tiles[name].number.text() for name in ("users", "items", "actions", "length", "sparsity")]
    assert texts == ["22,363", "12,101", "198,502", "8.9", "99.93 %"]
    for k, share in ((4, "62.9 %"), (12, "91.4 %"), (20, "96.1 %")):
        page.lengths.k.setValue(k)
        assert page.lengths.plot.text == f"K = {k} · {share} short"
