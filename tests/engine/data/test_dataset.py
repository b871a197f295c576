"""The data set: kept while its file stays as it is, known by its content, asked by the file's own ids."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest

from engine.data.dataset import Dataset, load
from engine.errors import UsageError


def made(folder: Path, text: str) -> Dataset:
    path = folder / "data.txt"
    path.write_text(text, encoding="ascii")
    return load(path)


def test_an_unchanged_file_is_read_once_and_a_changed_one_again(tmp_path: Path) -> None:
    first = made(tmp_path, "1 2 3\n")
    assert load(tmp_path / "data.txt") is first
    second = made(tmp_path, "1 2 3 4\n")
    assert second is not first
    assert len(second.sequences.items) == 3
    os.utime(tmp_path / "data.txt", ns=(1, 1))  # the same size, another time
    assert load(tmp_path / "data.txt") is not second


def test_the_fingerprint_is_of_the_content(tmp_path: Path) -> None:
    texts = ["1 2 3\n4 5\n", "1 2\n4 3 5\n", "1 3 2\n4 5\n", "1 2 3\n5 5\n", "1 2 4\n3 5\n", "1 2 3\n4 6\n"]
    found = {text: made(tmp_path, text).fingerprint for text in texts}
    assert len(set(found.values())) == len(texts)
    assert made(tmp_path, "1\t2  3\r\n4 5").fingerprint == found[texts[0]]  # the same data, written otherwise
    assert all(len(value) == 16 and int(value, 16) >= 0 for value in found.values())
    assert found["1 2 3\n4 5\n"] == "05f91d5d39c0dbbe", "stored runs name their data by it: it may never change"


def test_users_and_items_are_asked_for_by_the_files_ids(tmp_path: Path) -> None:
    dataset = made(tmp_path, "30 7 100\n4 7\n")
    assert (dataset.user_row("30"), dataset.user_row(" 4 ")) == (0, 1)
    assert (dataset.item_id("7"), dataset.item_id("100")) == (1, 2)
    with pytest.raises(UsageError, match=r"no item '8' in data\. It has 2 items, e\.g\. 7, 100"):
        dataset.item_id("8")
    with pytest.raises(UsageError, match=r"no user '' in data"):
        dataset.user_row("")
    with pytest.raises(UsageError):
        dataset.item_id("")  # the padding row has an id of this text, but is no item


def test_it_crosses_to_another_process(tmp_path: Path) -> None:
    dataset = made(tmp_path, "1 2 3\n")
    dataset.item_id("2")
    again = pickle.loads(pickle.dumps(dataset))
    assert again.fingerprint == dataset.fingerprint
    assert again.item_id("3") == 2


def test_sample_is_the_bundled_shop() -> None:
    dataset = load("sample")
    assert dataset.name == "shop"
    assert dataset.title(1)
