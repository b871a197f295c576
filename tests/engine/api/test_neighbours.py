"""Neighbours through the engine's door, in the file's own ids."""

from __future__ import annotations

import math
import pickle
from pathlib import Path

import pytest

from engine.api import Workspace
from engine.config import ExperimentConfig
from engine.errors import ConfigurationError, DataError, UsageError

neighbours = Workspace().neighbours


@pytest.fixture
def path(tmp_path: Path) -> str:
    found = tmp_path / "tiny.txt"
    # Inputs (without the last three): 10 20 | 10 20 30 | 40 10.
    found.write_text("1 10 20 50 60 70\n2 10 20 30 50 60 70\n3 40 10 50 60 80\n", encoding="ascii")
    found.with_name("tiny.titles.tsv").write_text("10\tHat\n20\tScarf\n", encoding="utf-8")
    return str(found)


def test_an_items_neighbours_by_hand(path: str) -> None:
    found = neighbours.of(path, "10", k=2)
    assert (found.item.item, found.item.title, found.item.users) == ("10", "Hat", 3)
    assert found.similarity == "item_cf"
    first, second = found.neighbours
    assert (first.item, first.title, first.shared_users, first.users) == ("20", "Scarf", 2, 2)
    assert first.score == pytest.approx((1 / math.log(3) + 1 / math.log(4)) / math.sqrt(3 * 2))
    # 40 shares one user of two items, 30 one of three: 1/ln 3 is more than 1/ln 4.
    assert (second.item, second.title, second.shared_users, second.users) == ("40", "", 1, 1)
    assert second.score == pytest.approx(1 / math.log(3) / math.sqrt(3))
    least, most = 1 / math.log(4) / math.sqrt(3), first.score
    assert first.normalised == pytest.approx(1.0)
    assert second.normalised == pytest.approx((second.score - least) / (most - least))
    assert found.note == ""
    assert pickle.loads(pickle.dumps(found)) == found


def test_it_says_when_there_are_fewer_or_none(path: str) -> None:
    assert [other.item for other in neighbours.of(path, "10", k=9).neighbours] == ["20", "40", "30"]
    assert neighbours.of(path, "10", k=9).note == "It has no more than 3 neighbours."
    assert neighbours.of(path, "40", k=9).note == "It has no more than 1 neighbour."
    alone = neighbours.of(path, "80")
    assert alone.neighbours == ()
    assert "no neighbour" in alone.note


def test_the_configuration_says_what_counts(path: str) -> None:
    config = ExperimentConfig().replace({"fidelity.correlation_items": "training"})
    # All three users have 50 then, with 3, 4 and 3 items: 10 shares them all, 20 two of them, 40 a short one.
    assert [other.item for other in neighbours.of(path, "50", config=config).neighbours] == ["10", "20", "40", "30"]
    assert neighbours.of(path, "50").neighbours == ()


def test_more_than_are_kept_can_be_asked_for() -> None:
    few, many = (neighbours.of("sample", "1", k=k).neighbours for k in (5, 200))
    assert many[:5] == few
    assert len(many) > 50


@pytest.mark.parametrize("k", [0, -1, 1001])
def test_what_cannot_be_asked_for(path: str, k: int) -> None:
    with pytest.raises(UsageError, match="Ask for 1 to 1000"):
        neighbours.of(path, "10", k=k)


def test_what_is_not_there(path: str) -> None:
    with pytest.raises(UsageError, match="no item '11'"):
        neighbours.of(path, "11")
    with pytest.raises(UsageError, match="There is no file"):
        neighbours.of(path + ".gone", "10")
    with pytest.raises(DataError, match="folder"):
        neighbours.of(str(Path(path).parent), "10")
    with pytest.raises(ConfigurationError, match="no similarity called 'magic'"):
        neighbours.of(path, "10", similarity="magic")


@pytest.mark.parametrize("similarity", ["embedding", "hybrid"])
def test_what_needs_a_model_says_so(path: str, similarity: str) -> None:
    with pytest.raises(UsageError, match="needs a trained model") as caught:
        neighbours.of(path, "10", similarity=similarity)
    assert "item_cf" in caught.value.hint
