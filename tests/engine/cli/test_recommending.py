"""coserec recommend and users: the facade's numbers, words for people, and what is wrong use."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.api import Workspace
from engine.config import preset
from engine.records import to_plain
from engine.runs.export import without_nan
from tests.engine.cli.conftest import Shell

QUICK = {"train.epochs": 1, "train.device": "cpu", "model.hidden_size": 8, "model.max_length": 8}


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A trained SASRec and PopRec on one shop."""
    folder = tmp_path_factory.mktemp("recommending")
    shell = Shell(folder / "workspace")
    lines = [f"{user} " + " ".join(str(1 + (user * 3 + step) % 17) for step in range(7)) for user in range(1, 41)]
    (folder / "shop.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "shop.titles.tsv").write_text("4\tKaffeemühle ☕\n", encoding="utf-8")
    workspace = Workspace(shell.workspace)
    ids = []
    for name in ("sasrec", "popularity"):
        quick = QUICK if name == "sasrec" else {"evaluate.ties": "mean"}
        config = preset(name).config.replace({"data.path": str(folder / "shop.txt"), **quick})
        (record,) = workspace.runs.submit(config, preset=name)
        assert workspace.runs.execute(record.id) == 0
        ids.append(record.id)
    yield shell, workspace, ids
    workspace.runs.close()


def test_recommend_has_the_facades_numbers(stored: Any, tmp_path: Path) -> None:
    shell, workspace, ids = stored
    path = tmp_path / "lists.csv"
    tree = shell.runs("recommend", *ids, "--user", 3, "--top", 5, "--attention", "--csv", path)
    found = workspace.recommendations.of(ids, "3", top=5, attention=True)
    assert tree == without_nan(to_plain(found)) | {"output": str(path)}
    assert path.read_text(encoding="utf-8") == workspace.recommendations.csv(found)


def test_recommend_in_words(stored: Any) -> None:
    shell, workspace, ids = stored
    out = shell("recommend", *ids, "--user", 3, "--attention", "--workspace", shell.workspace).stdout
    found = workspace.recommendations.of(ids, "3")
    assert f"the target's rank: {found.runs[0].rank:g} of {found.runs[0].candidates}" in out
    assert "weights of epoch 1" in out
    assert "PopRec has no attention weights." in out
    assert "layer 2  head 1" in out
    assert out.count("in 2 lists") == 2 * sum(item.lists == 2 for item in found.runs[0].items)


def test_users_have_the_facades_numbers(stored: Any) -> None:
    shell, workspace, ids = stored
    options = ("--right", "A", "--wrong", ids[1], "--k", 5, "--shortest", 2, "--longest", 9, "--limit", 4)
    tree = shell.runs("users", *ids, *options)
    found = workspace.recommendations.users(ids, right=["A"], wrong=["B"], k=5, shortest=2, longest=9, limit=4)
    assert tree == without_nan(to_plain(found))
    out = shell("users", *ids, *options, "--workspace", shell.workspace).stdout
    assert re.search(rf"A right, B wrong +{found.count}\n", out)
    assert f"{found.count} users match; {len(found.ids)} listed" in out


def test_wrong_use(stored: Any) -> None:
    shell, _, ids = stored
    assert "no user 'x'" in shell.runs("recommend", ids[0], "--user", "x", code=2)["error"]["message"]
    assert "named twice" in shell.runs("users", ids[0], ids[0], code=2)["error"]["message"]
    said = shell.runs("users", *ids, "--shortest", 5, "--longest", 2, code=2)["error"]
    assert said["message"] == "No length is at least 5 and at most 2."
    assert "right and wrong" in shell.runs("users", *ids, "--right", "A", "--wrong", "A", code=2)["error"]["message"]
    assert "Whom are the items for?" in shell.runs("recommend", ids[0], code=2)["error"]["message"]
    for words in ([*ids, "--all-users", "--output", "x.csv"], [ids[0], "--all-users"]):
        assert "lists of one run to a file" in shell.runs("recommend", *words, code=2)["error"]["message"]
    said = shell.runs("recommend", ids[0], "--all-users", "--output", "x.txt", code=2)["error"]
    assert said["hint"] == "End it in .csv, .parquet."
    words = ("recommend", ids[0], "--user", 3, "--output", "x.parquet")
    assert "written as CSV, not to 'x.parquet'" in shell.runs(*words, code=2)["error"]["message"]
    words = ("recommend", ids[0], "--all-users", "--attention", "--output", "x.csv")
    assert "Attention is shown of one user" in shell.runs(*words, code=2)["error"]["message"]


def test_lists_of_all_users_and_embeddings_are_written(stored: Any, tmp_path: Path) -> None:
    shell, _, ids = stored
    path, table = tmp_path / "lists.csv", tmp_path / "items.npz"
    told = shell.runs("recommend", ids[0], "--all-users", "--top", 3, "--output", path)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert told == {"run": ids[0], "split": "test", "top": 3, "rows": len(lines) - 1, "output": str(path)}
    assert lines[0] == "user,place,item,score,is_target"
    told = shell.runs("embeddings", ids[0], "--output", table)
    arrays = np.load(table)
    assert arrays["vectors"].shape == (told["items"], told["width"]) == (len(arrays["items"]), told["width"])
    out = shell("embeddings", ids[0], "--output", table, "--workspace", shell.workspace).stdout
    assert out == f"Written: {table}, {told['items']} items of width {told['width']}\n"
