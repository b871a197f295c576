"""The text reader: what it reads, what it reads over, and one clear sentence for everything else."""

from __future__ import annotations

import os
import random
import sys
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.dataset import load
from engine.data.readers.coserec_text import LARGEST_ID, read
from engine.errors import DataError, UsageError
from tests.helpers.real_data import real_data

ids = st.integers(1, LARGEST_ID)
users = st.dictionaries(ids, st.lists(ids, min_size=1, max_size=12), min_size=1, max_size=12)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


def write(folder: Path, content: bytes, name: str = "data.txt") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def original(path: Path, **limits: int) -> dict[str, list[str]]:
    """What was read, in the file's own ids."""
    dataset = read(path, **limits)
    rows = [dataset.sequences[row] for row in range(len(dataset.sequences))]
    return {
        user: [str(dataset.item_ids[item]) for item in row]
        for user, row in zip(dataset.user_ids.tolist(), rows, strict=True)
    }


@given(users, st.sampled_from(["\n", "\r\n", "\r"]), st.integers(0, 3), st.booleans(), st.randoms(), st.integers(1, 40))
def test_what_is_written_comes_back(
    folder: Path,
    wanted: dict[int, list[int]],
    newline: str,
    blank: int,
    mark: bool,
    chance: random.Random,
    chunk: int,
) -> None:
    def gap() -> str:
        return "".join(chance.choice(" \t") for _ in range(chance.randint(1, 3)))

    lines = [gap().join(map(str, [user, *items])) + chance.choice(["", " ", "\t "]) for user, items in wanted.items()]
    text = newline.join(lines) + newline * blank
    path = write(folder, b"\xef\xbb\xbf" * mark + text.encode())
    expected = {str(user): [str(item) for item in items] for user, items in wanted.items()}
    assert original(path) == expected
    assert original(path, chunk=chunk) == expected  # whatever the chunks cut through


def test_dense_ids_ascend_with_the_files_own(folder: Path) -> None:
    dataset = read(write(folder, b"9 70 5 70\n4 6 5\n"))
    assert dataset.item_ids.tolist() == ["", "5", "6", "70"]
    assert dataset.sequences.items.tolist() == [3, 1, 3, 2, 1]
    assert dataset.sequences.offsets.tolist() == [0, 3, 5]
    assert dataset.user_ids.tolist() == ["9", "4"]
    assert (dataset.item_count, dataset.mask_id, dataset.rows) == (3, 4, 5)
    assert dataset.name == "data"


BAD = {
    b"": (None, "empty"),
    b"\n\n  \n": (None, "empty"),
    b"1 2 3\n2 3 4\n1 5\n": (3, "user 1 stands in line 1 already"),
    b"7 1\n8 1\n9 1\n8 1\n7 1\n": (4, "user 8 stands in line 2 already"),
    b"1 2 3\n2 x 4\n": (2, "'x' is not an integer"),
    b"1 2 3.5\n": (1, "'3.5' is not an integer"),
    b"1 2 1e3\n": (1, "'1e3' is not an integer"),
    b"1 2 +3\n": (1, "'+3' is not an integer"),
    b"1,2,3\n": (1, "'1,2,3' is not an integer"),
    "1 ２\n".encode(): (1, "'２' is not an integer"),
    b"1 2 -3\n": (1, "'-3' is negative"),
    b"-1 2 3\n": (1, "'-1' is negative"),
    b"1 2 --3\n": (1, "'--3' is not an integer"),
    b"1 2\n2 0\n": (2, "'0' is not a positive id"),
    b"0 2\n": (1, "'0' is not a positive id"),
    b"1 2\n2 2147483648\n": (2, "'2147483648' is larger than 2,147,483,647"),
    b"1 99999999999999999999999\n": (1, "larger than"),
    b"1 " + b"9" * 60 + b"\n": (1, "…' is larger than"),
    b"1 2\n2\n3 4\n": (2, "user 2 has no items"),
    b"1 2\n2 \t \n": (2, "user 2 has no items"),
    b"1 2\n2": (2, "user 2 has no items"),
    b"1 2\n\n3 4\n": (3, "the line before it is empty"),
    b"\n1 2\n": (2, "the line before it is empty"),
    b"1 2\n2 \x00\x01 4\n": (2, "binary data"),
    b"\x7fELF\x02\x01\x01\x00": (1, "binary data"),
    b"1 2\n3 \xff\xfe\xfd\n": (2, "binary data"),
    b"1 2\n3 " + b"\xe2\x82\xac" * 30 + b"\n": (2, "is not an integer"),
    b"\xff\xfe1\x00 \x002\x00\n\x00": (None, "UTF-16"),
    b"1 2\n2 3\n3\n4 x\n": (3, "user 3 has no items"),  # the first of several
    b"1 2\n2 y\n3\n4 x\n": (2, "'y' is not an integer"),
    b"1 2\n\n3\n4 x\n": (3, "the line before it is empty"),
}


@pytest.mark.parametrize(("content", "expected"), BAD.items(), ids=[repr(key[:20]) for key in BAD])
@pytest.mark.parametrize("chunk", [1, 3, 2**20])
def test_what_is_wrong_is_said_with_its_line(
    tmp_path: Path, content: bytes, expected: tuple[int | None, str], chunk: int
) -> None:
    line, words = expected
    path = write(tmp_path, content)
    with pytest.raises(DataError) as caught:
        read(path, chunk=chunk)
    assert words in caught.value.message
    assert str(path) in caught.value.message
    assert caught.value.line == line
    assert line is None or f"line {line}" in caught.value.message
    assert "\n" not in str(caught.value)
    assert caught.value.hint


@given(users, st.integers(0, 11), st.sampled_from(["0", "-4", "4.0", "abc", "2147483648"]))
def test_one_bad_id_anywhere_is_found_in_its_line(
    folder: Path, wanted: dict[int, list[int]], place: int, bad: str
) -> None:
    place %= len(wanted)
    lines = [" ".join(map(str, [user, *items])) for user, items in wanted.items()]
    lines[place] += f" {bad}"
    with pytest.raises(DataError) as caught:
        read(write(folder, "\n".join(lines).encode()))
    assert caught.value.line == place + 1
    assert f"'{bad}'" in caught.value.message


def test_a_line_without_end_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "endless.txt"
    with path.open("wb") as file:
        file.write(b"1 2 3\n4 ")
        for _ in range(64):
            file.write(b"5 " * 2**19)  # 64 MiB of one line
    tracemalloc.start()
    with pytest.raises(DataError, match="line 2: the line has more than 1,048,576 bytes and no end") as caught:
        read(path, chunk=2**18, longest_line=2**20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.line == 2
    assert peak < 16 * 2**20


@pytest.mark.skipif(sys.platform == "win32", reason="no sparse files by truncate on Windows")
def test_two_gigabytes_of_nothing_are_binary_data(tmp_path: Path) -> None:
    path = write(tmp_path, b"1 2 3\n")
    os.truncate(path, 2 * 2**30)
    with pytest.raises(DataError, match="line 2: this is binary data"):
        load(path)


def test_a_folder_a_missing_file_and_a_name_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="this is a folder"):
        load(tmp_path)
    with pytest.raises(UsageError, match=r"There is no file .*absent\.txt"):
        load(tmp_path / "absent.txt")
    for name in ("a\0b", "x" * 5000):
        with pytest.raises(UsageError):
            load(name)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such device file")
def test_a_device_is_no_data_file() -> None:
    with pytest.raises(DataError, match="not a regular file"):
        load(os.devnull)


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, b"1 2\n")

    def refuse(*args: object) -> None:  # chmod does not stop the superuser, who may run the tests
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match="it cannot be read: Permission denied") as caught:
        read(path)
    assert "permissions" in caught.value.hint


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_without_permission(tmp_path: Path) -> None:
    path = write(tmp_path, b"1 2\n")
    path.chmod(0)
    with pytest.raises(DataError, match="it cannot be read"):
        load(path)


def test_titles_come_from_the_file_beside(tmp_path: Path) -> None:
    path = write(tmp_path, b"1 5 6\n")
    assert load(path).titles is None
    write(tmp_path, "\ufeff6\tSocks, größe 4 \r\n\n99\tNot in the data\n".encode(), "data.titles.tsv")
    dataset = load(path)  # the titles are new, so what was kept in memory is not the answer
    assert [dataset.title(item) for item in range(3)] == ["", "", "Socks, größe 4"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"6 Socks\n", "no tab"),
        (b"6\t \n", "no tab"),
        (b"six\tSocks\n", "'six' is not an item id"),
        (b"-6\tSocks\n", "'-6' is not an item id"),
        (b"5\tSocks\n", "item 5 has a title already"),
        (b"6\t\xff\xfe\n", "not UTF-8"),
        (b"6\t" + b"x" * 70_000 + b"\n", "more than 65,536 bytes"),
    ],
)
def test_bad_titles_are_said_with_their_line(tmp_path: Path, line: bytes, words: str) -> None:
    path = write(tmp_path, b"1 5 6\n")
    titles = write(tmp_path, b"5\tShoes\n" + line, "data.titles.tsv")
    with pytest.raises(DataError, match=words) as caught:
        load(path)
    assert (caught.value.path, caught.value.line) == (str(titles), 2)


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "users", "items", "actions"),
    [
        ("Beauty.txt", 22_363, 12_101, 198_502),
        ("Sports_and_Outdoors.txt", 35_598, 18_357, 296_337),
        ("Yelp.txt", 30_431, 20_033, 316_354),
    ],
)
def test_the_papers_files_have_table_1s_counts(name: str, users: int, items: int, actions: int) -> None:
    path = real_data(name)
    dataset = load(path)
    assert (len(dataset.sequences), dataset.item_count, len(dataset.sequences.items)) == (users, items, actions)
    assert dataset.item_ids[1:].astype(int).tolist() == list(range(1, items + 1))  # dense already
    lines = [[int(word) for word in line.split()] for line in path.read_text(encoding="ascii").splitlines()]
    assert dataset.sequences.items.tolist() == [item for line in lines for item in line[1:]]
    assert dataset.user_ids.tolist() == [str(line[0]) for line in lines]
