"""Memory, model and hybrid side by side: what training would look up, in the file's own ids (Eq. 9-11)."""

from __future__ import annotations

import csv
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.api import Workspace
from engine.config import ExperimentConfig
from engine.data.dataset import load
from engine.data.splits import LeaveOneOut
from engine.errors import UsageError
from engine.records import NeighbourComparison, UsedWeights
from engine.similarity.source import correlations
from engine.training import checkpoint

neighbours = Workspace().neighbours


def shop(folder: Path, seed: int, users: int = 9, items: int = 9) -> str:
    chance = np.random.default_rng(seed)
    lines = [
        f"{user + 1} {' '.join(str(10 * n) for n in chance.integers(1, items + 1, size=6))}" for user in range(users)
    ]
    path = folder / f"shop{seed}.txt"
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
    return str(path)


def weights(folder: Path, path: str, seed: int, rows: int = 0) -> str:
    table = torch.randn(rows or load(path).rows, 3, generator=torch.Generator().manual_seed(seed))
    file = folder / f"weights{seed}.pt"
    torch.save({"item_embeddings.weight": table}, file)
    return str(file)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(0, 40),
    st.integers(1, 4),
    st.sampled_from(["keep", "random"]),
    st.sampled_from(["items", "all_rows"]),
    st.sampled_from(["inputs", "training"]),
)
def test_the_hybrid_column_is_what_training_looks_up(
    tmp_path: Path, seed: int, k: int, missing: str, candidates: str, counted: str
) -> None:
    path = shop(tmp_path, seed)
    file = weights(tmp_path, path, seed)
    config = ExperimentConfig().replace(
        {
            "similarity.hybrid_after_epoch": 0,
            "similarity.top_k": k,
            "fidelity.missing_neighbour": missing,
            "fidelity.hybrid_candidates": candidates,
            "fidelity.correlation_items": counted,
            "fidelity.hybrid_switch": "at_epoch",
        }
    )
    dataset = load(path)
    item_table = torch.load(file, weights_only=True)["item_embeddings.weight"]
    split = LeaveOneOut(dataset.sequences)
    trained = correlations(config, split, dataset.item_count).at_epoch(0, item_table)
    memory = correlations(config.replace({"similarity.name": "item_cf"}), split, dataset.item_count).at_epoch(0, None)
    sides = {"memory": 0, "model": 0, "none": 0}
    for dense in range(1, dataset.item_count + 1):
        item = str(dataset.item_ids[dense])
        found = neighbours.compare(path, item, k, checkpoint=file, config=config)
        by_name = {column.similarity: column for column in found.columns}
        assert list(by_name) == ["item_cf", "embedding", "hybrid"]
        expected = [name_of(dataset, other) for other in trained.ids[dense].tolist() if other]
        assert [row.item for row in by_name["hybrid"].neighbours] == expected
        scores = [row.normalised for row in by_name["hybrid"].neighbours]
        assert scores == pytest.approx(trained.scores[dense, : len(scores)].tolist())
        assert found.choice is not None
        sides[found.choice.taken] += 1
        best = by_name["embedding"].neighbours[0]
        assert best.normalised == pytest.approx(found.choice.model)
        assert (found.choice.memory is None) == (memory.ids[dense, 0] == 0)
        if found.choice.memory is not None:
            assert found.choice.memory == by_name["item_cf"].neighbours[0].normalised
            assert (found.choice.taken == "memory") == (found.choice.memory >= found.choice.model)
    summary = neighbours.summary(path, checkpoint=file, config=config)
    assert summary.taken == sides
    for top in summary.tops:
        assert top.counts.sum() + top.without == top.normalised_counts.sum() + top.without == dataset.item_count
    assert summary.tops[0].without == int((memory.ids[1:-1, 0] == 0).sum())


def name_of(dataset: Any, other: int) -> str:
    return "[mask]" if other == dataset.mask_id else str(dataset.item_ids[other])


def test_shared_users_are_counted_alike_in_every_column(tmp_path: Path) -> None:
    path = shop(tmp_path, 3)
    file = weights(tmp_path, path, 3)
    names = ("item_cf", "item_cf_plain", "cosine", "embedding", "hybrid")
    found = neighbours.compare(path, "20", 9, names, checkpoint=file)
    assert [column.similarity for column in found.columns] == list(names)
    memory = {row.item: (row.shared_users, row.users) for row in found.columns[0].neighbours}
    for column in found.columns[1:]:
        for row in column.neighbours:
            assert row.shared_users == memory.get(row.item, (0, 0))[0]
            assert row.item not in memory or row.users == memory[row.item][1]
    assert pickle.loads(pickle.dumps(found)) == found


def test_an_export_says_of_which_epoch_the_weights_are(tmp_path: Path) -> None:
    path = shop(tmp_path, 5)
    table = torch.randn(load(path).rows, 3, generator=torch.Generator().manual_seed(5))
    file = tmp_path / "best.pt"
    config = ExperimentConfig().model_dump_json()
    checkpoint.write(file, {"config": config, "fingerprint": "", "epoch": 6, "model": {"item_embedding.weight": table}})
    found = neighbours.compare(path, "20", 3, checkpoint=str(file))
    assert found.weights == UsedWeights(str(file), 7, True)  # as the log counts
    told = [(row["model"], row["model_epoch"], row["model_is_best"], row["model_run_status"]) for row in rows_of(found)]
    assert set(told) == {(str(file), "7", "yes", "")}
    bare = neighbours.compare(path, "20", 3, checkpoint=weights(tmp_path, path, 5))
    assert bare.weights is not None
    assert (bare.weights.epoch, bare.weights.is_best) == (None, None)


def rows_of(found: NeighbourComparison) -> list[dict[str, str]]:
    return list(csv.DictReader(neighbours.csv(found).splitlines()))


def test_an_export_tells_half_trained_weights(tmp_path: Path) -> None:
    """Of a run that is stopped before its first validation, the last checkpoint is all there is."""
    workspace = Workspace(tmp_path / "ws")
    path = shop(tmp_path, 6)
    (record,) = workspace.runs.submit(ExperimentConfig().replace({"data.path": path}))
    table = torch.randn(load(path).rows, 3, generator=torch.Generator().manual_seed(5))
    model = {"item_embedding.weight": table}
    plain = {"config": ExperimentConfig().model_dump_json(), "fingerprint": "", "model": model}
    record.directory.mkdir(parents=True, exist_ok=True)
    file = record.directory / "checkpoint.pt"
    try:
        checkpoint.write(file, {**plain, "best": None, "stopping": {"best_epoch": None}})
        first = workspace.neighbours.compare(path, "20", 3, run=record.id)
        assert first.weights == UsedWeights(record.id, None, False, "queued")
        assert {row["model_is_best"] for row in rows_of(first)} == {"no"}
        (offered,) = workspace.runs.with_weights(path)
        assert (offered.run.id, offered.path, offered.is_best) == (record.id, file, False)
        checkpoint.write(file, {**plain, "best": model, "stopping": {"best_epoch": 1}, "more": 1})
        later = workspace.neighbours.compare(path, "20", 3, run=record.id)
        assert later.weights == UsedWeights(record.id, 2, True, "queued")
        assert workspace.neighbours.summary(path, run=record.id).weights == later.weights
    finally:
        workspace.runs.close()


def test_export_is_whole_and_unrounded(tmp_path: Path) -> None:
    path = shop(tmp_path, 4)
    found = neighbours.compare(path, "20", 3, checkpoint=weights(tmp_path, path, 4))
    file = neighbours.export(found, tmp_path / "out.csv")
    rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    expected = [row.score for column in found.columns for row in column.neighbours]
    assert [float(row["score"]) for row in rows] == expected
    assert {row["hybrid_takes"] for row in rows} == {found.choice.taken if found.choice else ""}
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith(".out")] == []
    with pytest.raises(UsageError, match="cannot be written"):
        neighbours.export(found, tmp_path / "shop4.txt" / "x.csv")


def test_weights_of_other_data_are_refused_in_a_sentence(tmp_path: Path) -> None:
    path = shop(tmp_path, 5)
    with pytest.raises(UsageError, match=r"are of 3 items, and shop5 has"):
        neighbours.compare(path, "20", checkpoint=weights(tmp_path, path, 6, rows=5))
    with pytest.raises(UsageError, match="There is no checkpoint"):
        neighbours.compare(path, "20", checkpoint=str(tmp_path / "gone.pt"))
    torch.save({"other": torch.zeros(2)}, tmp_path / "bare.pt")
    with pytest.raises(UsageError, match="holds no item embeddings"):
        neighbours.compare(path, "20", checkpoint=str(tmp_path / "bare.pt"))
    with pytest.raises(UsageError, match="needs a trained model"):
        neighbours.compare(path, "20", similarities=("hybrid",))
    with pytest.raises(UsageError, match="two models"):
        neighbours.summary(path, run="a", checkpoint="b")


def test_new_weights_under_an_old_name_are_read_again(tmp_path: Path) -> None:
    path = shop(tmp_path, 7)
    file = Path(weights(tmp_path, path, 7))
    before = neighbours.compare(path, "20", 2, ("embedding",), checkpoint=str(file)).columns[0].neighbours
    torch.save(
        {"item_embeddings.weight": torch.eye(load(path).rows)[:, :4].flip(0) + 0.5, "more": torch.zeros(9)}, file
    )
    after = neighbours.compare(path, "20", 2, ("embedding",), checkpoint=str(file)).columns[0].neighbours
    assert [row.score for row in before] != [row.score for row in after]


def test_runs_of_this_data_set_with_weights_are_offered(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "ws")
    path = shop(tmp_path, 8)
    config = ExperimentConfig().replace({"data.path": path})
    with_weights, without = workspace.runs.submit(config, seeds=(1, 2))
    workspace.runs.submit(config.replace({"data.path": shop(tmp_path, 9)}))
    with_weights.directory.mkdir(parents=True, exist_ok=True)
    Path(weights(tmp_path, path, 8)).rename(with_weights.directory / "best.pt")
    try:
        assert [found.run.id for found in workspace.runs.with_weights(path)] == [with_weights.id]
        found = workspace.neighbours.compare(path, "20", run=with_weights.id)
        assert found.source == with_weights.id
        with pytest.raises(UsageError, match="has no weights yet"):
            workspace.neighbours.compare(path, "20", run=without.id)
    finally:
        workspace.runs.close()
