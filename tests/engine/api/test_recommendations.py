"""What a run recommends is what its evaluation ranked: for every user, every model and every rule."""

from __future__ import annotations

import csv
import io
import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine import registry
from engine.api import Workspace
from engine.config import ExperimentConfig
from engine.data.dataset import load
from engine.data.splits import leave_one_out
from engine.errors import UsageError
from engine.models.transformer.module import Transformer
from engine.records import RunRecord, RunStatus
from engine.runs.ranks import stored_ranks
from engine.training import setup
from engine.training.checkpoint import read_weights
from engine.training.recommending import UserRanking, best
from engine.training.stored import read_model
from tests.engine.models.scored import scores_of
from tests.engine.modules.naive import embed, live_views, norm
from tests.helpers.finished_runs import finish

MODELS = [entry.name for entry in registry.entries("model")]
USERS = 45
RULES = [("exclude", "mean"), ("zero", "optimistic"), ("keep", "pessimistic"), ("exclude", "id")]


def shop(folder: Path) -> Path:
    """Users walk round circles of items, and every fifth comes back to where it began; two are too short."""
    generator = np.random.default_rng(3)
    lines = []
    for user in range(1, USERS + 1):
        circle, start, length = generator.integers(0, 5), generator.integers(0, 12), generator.integers(4, 14)
        items = [int(circle * 12 + (start + step) % 12 + 1) for step in range(length)]
        if user % 5 == 0:
            items[-1] = items[0]
        lines.append(f"{user} {' '.join(map(str, items))}")
    path = folder / "circles.txt"
    path.write_text("\n".join([*lines, "900 1 2", "901 3"]) + "\n", encoding="utf-8")
    (folder / "circles.titles.tsv").write_text("4\tKaffeemühle ☕\n", encoding="utf-8")
    return path


def config_of(name: str, path: Path, **values: Any) -> ExperimentConfig:
    """A quick run; users are evaluated 16 at a time, so that most are not in the first batch."""
    fields = registry.entry("model", name).options.model_fields
    tiny = {"hidden_size": 8, "layers": 2, "heads": 2, "max_length": 8, "window": 4 if name == "caser" else 0}
    seen, ties = RULES[MODELS.index(name) % len(RULES)]
    common = {
        "data.path": str(path),
        "model.name": name,
        "loss.contrastive_weight": 0.0,
        "train.epochs": 2,
        "train.device": "cpu",
        "train.learning_rate": 0.01,
        "evaluate.batch_size": 16,
        "evaluate.seen_items": seen,
        "evaluate.ties": ties,
    }
    chosen = {f"model.{key}": value for key, value in tiny.items() if key in fields}
    return ExperimentConfig().replace({"model.name": name}).replace(common | chosen | values)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A workspace with a finished run of every model, and one on noisy test inputs."""
    folder = tmp_path_factory.mktemp("recommending")
    path, workspace = shop(folder), Workspace(folder / "workspace")
    runs: dict[str, RunRecord] = {}
    wanted = {name: config_of(name, path) for name in MODELS}
    wanted["noisy"] = config_of("transformer", path, **{"evaluate.noise_rate": 0.4})
    for name, config in wanted.items():
        (record,) = workspace.runs.submit(config, name=name)
        assert workspace.runs.execute(record.id) == 0
        runs[name] = workspace.runs.get(record.id)
    yield workspace, runs, path
    workspace.runs.close()


@pytest.mark.parametrize("split", ["test", "valid"])
@pytest.mark.parametrize("name", [*MODELS, "noisy"])
def test_every_users_rank_is_the_stored_one_and_where_the_list_has_the_target(
    world: Any, name: str, split: Any
) -> None:
    workspace, runs, path = world
    stored = stored_ranks(runs[name], split)
    dataset = load(path)
    assert stored is not None
    assert len(stored.users) == USERS
    never = 0
    step = 1 if split == "test" else 4
    for row, rank in list(zip(stored.users.tolist(), stored.ranks.tolist(), strict=True))[::step]:
        found = workspace.recommendations.of([runs[name].id], row=row, split=split, top=60)
        (run,) = found.runs
        assert run.rank == run.stored_rank == rank + 1
        items = dataset.sequences[row].tolist()
        before = items[:-1] if split == "test" else items[:-2]
        assert [item.item for item in found.history] == [str(dataset.item_ids[i]) for i in before]
        assert found.target.item == str(dataset.item_ids[items[len(before)]])
        listed = [item.place for item in run.items if item.is_target]
        if math.isinf(rank):
            never += 1
            assert listed == []
            assert run.target_score is None
        else:
            assert listed == [math.floor(rank) + 1]
        scores = [item.score for item in run.items]
        assert scores == sorted(scores, reverse=True)
        if run.seen_items == "exclude":
            assert not {item.item for item in run.items} & {item.item for item in found.history}
    is_excluding = runs[name].config["evaluate"]["seen_items"] == "exclude"
    assert (never > 0) == (is_excluding and split == "test")


@pytest.mark.parametrize("name", MODELS)
def test_scores_are_the_models_own(world: Any, name: str) -> None:
    workspace, runs, path = world
    dataset = load(path)
    split = leave_one_out(dataset)
    config = config_of(name, path)
    if setup.trains(config):
        model = read_model(config, dataset, split, runs[name].directory / "best.pt").model
    else:
        model = setup.model(config, dataset, split, torch.Generator())
    place = 30
    recent = split.test_inputs[place][-getattr(model, "max_length", 1) :]
    known = (torch.tensor([place]),) if registry.entry("model", name).facts.get("knows_users") else ()
    expected = scores_of(model, torch.from_numpy(recent.astype(np.int64)), torch.tensor([0, len(recent)]), *known)[0]
    (run,) = workspace.recommendations.of([runs[name].id], row=int(split.users[place]), top=5).runs
    for item in run.items:
        dense = dataset.item_id(item.item)
        if dense not in split.test_inputs[place]:
            assert item.score == pytest.approx(float(expected[dense]), abs=1e-5)
    best = runs[name].best_epoch
    assert run.epoch == (None if best is None else best + 1)


def naive_softmaxes(model: Transformer, ids: list[int]) -> list[list[torch.Tensor]]:
    """Of one sequence, layer by layer and head by head, from the weights under their published names."""
    longest, n = model.max_length, len(ids)
    x = embed(model, ids, list(range(longest - n, longest)))
    names = live_views(model)
    made = []
    for layer, block in enumerate(model.encoder.blocks):
        stem = f"item_encoder.layer.{layer}"

        def linear(name: str, value: torch.Tensor, stem: str = stem) -> torch.Tensor:
            return value @ names[f"{stem}.{name}.weight"].t() + names[f"{stem}.{name}.bias"]

        query, key, value = (linear(f"attention.{part}", x) for part in ("query", "key", "value"))
        width = x.shape[1] // block.attention.heads
        heads, contexts = [], []
        for head in range(block.attention.heads):
            own = slice(head * width, (head + 1) * width)
            weights = torch.zeros(n, n)
            for q in range(n):
                exponentials = [math.exp(float(query[q, own] @ key[k, own]) / math.sqrt(width)) for k in range(q + 1)]
                for k, found in enumerate(exponentials):
                    weights[q, k] = found / sum(exponentials)
            heads.append(weights)
            contexts.append(weights @ value[:, own])
        made.append(heads)
        parts = [
            names[f"{stem}.{part}.LayerNorm.{kind}"]
            for part in ("attention", "intermediate")
            for kind in ("weight", "bias")
        ]
        x = norm(x + linear("attention.dense", torch.cat(contexts, 1)), *parts[:2])
        inner = torch.nn.functional.gelu(linear("intermediate.dense_1", x))
        x = norm(x + linear("intermediate.dense_2", inner), *parts[2:])
    return made


@pytest.mark.parametrize("row", [0, 4, 23, 44])
def test_attention_is_the_softmax_of_the_weights(world: Any, row: int) -> None:
    workspace, runs, path = world
    dataset = load(path)
    config = config_of("transformer", path)
    model = read_model(config, dataset, leave_one_out(dataset), runs["transformer"].directory / "best.pt").model
    found = workspace.recommendations.of([runs["transformer"].id], row=row, attention=True)
    shown = found.runs[0].attention
    assert shown is not None
    items = dataset.sequences[row].tolist()[:-1]
    n = min(len(items), 8)
    assert shown.weights.shape == (2, 2, n, n)
    assert shown.places == tuple(range(len(items) - n + 1, len(items) + 1))
    assert shown.items == tuple(item.item for item in found.history[-n:])
    assert shown.is_causal
    assert not np.triu(shown.weights, 1).any()
    assert shown.weights.sum(-1) == pytest.approx(np.ones((2, 2, n)), abs=1e-5)
    with torch.no_grad():
        expected = naive_softmaxes(model, items[-n:])
    for layer in range(2):
        for head in range(2):
            assert shown.weights[layer, head] == pytest.approx(expected[layer][head].numpy(), abs=1e-5)
    mean = sum(expected[layer][head].numpy() for layer in range(2) for head in range(2)) / 4
    assert shown.chosen() == pytest.approx(mean, abs=1e-5)


def test_a_bidirectional_model_is_asked_by_a_mask_at_the_end(world: Any) -> None:
    workspace, runs, path = world
    row = next(row for row in range(USERS) if len(load(path).sequences[row]) > 10)
    (run,) = workspace.recommendations.of([runs["bert4rec"].id], row=row, attention=True).runs
    assert run.attention is not None
    assert run.attention.items[-1] == "[mask]"
    assert run.attention.places[-1] == 0
    assert len(run.attention.items) == 8
    assert run.inputs == 7
    assert not run.attention.is_causal
    assert np.triu(run.attention.weights, 1).any()
    assert run.attention.weights.sum(-1) == pytest.approx(np.ones((2, 2, 8)), abs=1e-5)


@pytest.mark.parametrize("name", ["popularity", "bpr_mf", "gru4rec", "caser"])
def test_models_without_attention_say_so(world: Any, name: str) -> None:
    workspace, runs, _ = world
    (run,) = workspace.recommendations.of([runs[name].id], "3", attention=True).runs
    assert not run.has_attention
    assert run.attention is None


def test_noise_is_in_what_the_model_sees_and_not_in_the_history(world: Any) -> None:
    workspace, runs, path = world
    dataset = load(path)
    some = False
    for row in range(20):
        found = workspace.recommendations.of([runs["noisy"].id], row=row, attention=True)
        shown = found.runs[0].attention
        assert shown is not None
        own = {str(dataset.item_ids[item]) for item in dataset.sequences[row].tolist()}
        for item, place in zip(shown.items, shown.places, strict=True):
            assert (place == 0) == (item not in own)
            some |= place == 0
            if place:
                assert found.history[place - 1].item == item
        assert any("noise" in note for note in found.runs[0].notes)
    assert some


def test_several_runs_stand_side_by_side(world: Any) -> None:
    workspace, runs, _ = world
    ids = [runs[name].id for name in ("transformer", "gru4rec", "popularity")]
    found = workspace.recommendations.of(ids, "7", top=10)
    assert [run.run for run in found.runs] == ids
    lists = [[item.item for item in run.items] for run in found.runs]
    for run in found.runs:
        for item in run.items:
            assert item.lists == sum(item.item in each for each in lists)
    assert "were not evaluated alike" in found.notes[0]
    assert pickle.loads(pickle.dumps(found)).runs[0].items == found.runs[0].items
    rows = list(csv.reader(io.StringIO(workspace.recommendations.csv(found))))
    listed = [row for row in rows[1:] if row[3] == ids[1] and row[11] != "0"]
    assert [row[7] for row in listed] == lists[1]
    assert [float(row[9]) for row in listed] == [item.score for item in found.runs[1].items]
    assert sum(row[10] == "1" for row in rows[1:]) == 3


def test_the_weights_stay_in_memory_for_the_next_user(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace, runs, _ = world
    ids = [runs[name].id for name in ("transformer", "gru4rec", "caser")]
    workspace.recommendations.of(ids, "1")
    monkeypatch.setattr("engine.training.stored.read_weights", lambda _path: pytest.fail("the weights are read again"))
    assert workspace.recommendations.of(ids, "2").user == "2"


def test_a_checkpoint_alone_gives_its_best_weights_and_their_epoch(world: Any) -> None:
    workspace, runs, _ = world
    record = runs["gru4rec"]
    expected = workspace.recommendations.of([record.id], "5").runs[0]
    best_file, aside = record.directory / "best.pt", record.directory / "aside"
    best_file.rename(aside)
    try:
        found = workspace.recommendations.of([record.id], "5").runs[0]
    finally:
        aside.rename(best_file)
    assert found.items == expected.items
    assert found.epoch == expected.epoch == record.best_epoch + 1


def test_a_list_that_departs_from_the_stored_rank_says_so(world: Any) -> None:
    workspace, runs, _ = world
    record = runs["caser"]
    path = record.directory / "ranks.npz"
    before = path.read_bytes()
    with np.load(path) as stored:
        arrays = dict(stored)
    try:
        np.savez_compressed(path, **arrays | {"test": arrays["test"] + 2})
        (run,) = workspace.recommendations.of([record.id], "5").runs
    finally:
        path.write_bytes(before)
    assert run.stored_rank == run.rank + 2
    assert f"The run stored rank {run.stored_rank:g}, as cpu computed it; here it is {run.rank:g}." in run.notes


def test_beside_goes_round_the_evaluated_users(world: Any) -> None:
    workspace, runs, _ = world
    beside = workspace.recommendations.beside
    assert beside(runs["caser"].id, "1") == "2"
    assert beside(runs["caser"].id, str(USERS)) == "1"  # 900 and 901 are too short
    assert beside(runs["caser"].id, "1", -1) == str(USERS)
    assert beside(runs["caser"].id, "") == "1"


def test_what_cannot_be_shown_is_said(world: Any, tmp_path: Path) -> None:
    workspace, runs, path = world
    api, known = workspace.recommendations, runs["transformer"].id
    for arguments, words in (
        (([known], "900"), "User '900' has 2 items: too few for the split"),
        (([known], "nobody"), "There is no user 'nobody'"),
        (([known, known], "1"), "named twice"),
        (([], "1"), "0 runs cannot be set side by side"),
        (([runs[name].id for name in MODELS[:4]], "1"), "4 runs cannot"),
        ((["nowhere"], "1"), "no run"),
    ):
        with pytest.raises(UsageError, match=words):
            api.of(*arguments)
    with pytest.raises(UsageError, match="0 items cannot be shown"):
        api.of([known], "1", top=0)
    with pytest.raises(UsageError, match="no row 99999"):
        api.of([known], row=99999)
    (queued,) = workspace.runs.submit(config_of("gru4rec", path))
    with pytest.raises(UsageError, match="is queued and has no weights yet"):
        api.of([queued.id], "1")
    other = Workspace(tmp_path / "other")
    (made,) = finish(other, status=RunStatus.FAILED)
    with pytest.raises(UsageError, match="has failed, and its folder holds no weights"):
        other.recommendations.of([made.id], "1")
    (tmp_path / "wall").write_text("a file where a folder would have to be", encoding="utf-8")
    with pytest.raises(UsageError, match=r"b\.csv cannot be written"):
        api.export(api.of([known], "1"), tmp_path / "wall" / "b.csv")
    other.runs.close()


def test_data_that_have_changed_are_refused(world: Any, tmp_path: Path) -> None:
    _, _, path = world
    copy = tmp_path / "copy.txt"
    copy.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    workspace = Workspace(tmp_path / "workspace")
    first, second = (workspace.runs.submit(config_of("popularity", data))[0] for data in (copy, "sample"))  # type: ignore[arg-type]
    for record in (first, second):
        assert workspace.runs.execute(record.id) == 0
    with pytest.raises(UsageError, match=f"{first.id} and {second.id} are of different data: copy"):
        workspace.recommendations.of([first.id, second.id], "1")
    copy.write_text("1 1 2 3 4 5\n2 2 3 4 5 1\n", encoding="utf-8")
    with pytest.raises(UsageError, match="has changed since run"):
        workspace.recommendations.of([first.id], "1")
    copy.unlink()
    with pytest.raises(UsageError, match="data set cannot be read: There is no file"):
        workspace.recommendations.of([first.id], "1")
    workspace.runs.close()


@given(
    scores=st.lists(st.sampled_from([-math.inf, 0.0, 1.0, 2.0, math.nan]), min_size=2, max_size=12),
    top=st.integers(1, 12),
    data=st.data(),
)
def test_best_is_sorted_with_the_target_where_its_rank_says(scores: list[float], top: int, data: st.DataObject) -> None:
    ranked = [n for n, score in enumerate(scores) if score > -math.inf]
    if not ranked:
        return
    target = data.draw(st.sampled_from(ranked))
    above = sum(score > scores[target] or math.isnan(score) for score in scores)
    tied = sum(score == scores[target] for score in scores) - 1
    rank = above + data.draw(st.sampled_from([0, tied / 2, tied]))
    found = best(UserRanking(np.array(scores, dtype=np.float32), rank, np.empty(0, dtype=np.int64)), target, top)
    everything = [n for n, score in enumerate(scores) if score != -math.inf]
    others = sorted(
        (n for n in everything if n != target), key=lambda n: (-(math.inf if math.isnan(scores[n]) else scores[n]), n)
    )
    others.insert(math.floor(rank), target)
    assert found.tolist() == others[:top]


def table_of(path: Path) -> list[tuple[str, int, str, float, bool]]:
    frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, dtype={"user": str, "item": str})
    assert list(frame) == ["user", "place", "item", "score", "is_target"]
    return [
        (row.user, int(row.place), row.item, float(np.float32(row.score)), bool(row.is_target))
        for row in frame.itertuples()
    ]


@pytest.mark.parametrize("split", ["test", "valid"])
@pytest.mark.parametrize("name", MODELS)
def test_all_lists_are_those_of_each_user(world: Any, name: str, split: str, tmp_path: Path) -> None:
    workspace, runs, path = world
    api, run = workspace.recommendations, runs[name].id
    heard: list[tuple[int, int]] = []
    places = [tmp_path / "lists.csv", tmp_path / "lists.parquet"]
    counts = [api.write_all(run, place, split=split, top=7, told=lambda *said: heard.append(said)) for place in places]
    expected = []
    for row in leave_one_out(load(path)).users.tolist():
        found = api.of([run], row=row, split=split, top=7)
        expected += [
            (found.user, item.place, item.item, float(np.float32(item.score)), item.is_target)
            for item in found.runs[0].items
        ]
    assert table_of(places[0]) == table_of(places[1]) == expected
    assert counts == [len(expected)] * 2
    assert heard == [(USERS, USERS)] * 2


@pytest.mark.parametrize("name", ["transformer", "bpr_mf"])
def test_embeddings_are_the_weights_of_the_items(world: Any, name: str, tmp_path: Path) -> None:
    workspace, runs, path = world
    dataset = load(path)
    weights = read_weights(runs[name].directory / "best.pt").values["item_embedding.weight"].numpy()[1:-1]
    for place in (tmp_path / "items.npz", tmp_path / "items.csv", tmp_path / "items.parquet"):
        assert workspace.recommendations.write_embeddings(runs[name].id, place) == weights.shape
    arrays = np.load(tmp_path / "items.npz")
    assert arrays["items"].tolist() == [str(item) for item in dataset.item_ids[1:]]
    assert arrays["titles"][arrays["items"] == "4"].tolist() == ["Kaffeemühle ☕"]
    assert np.array_equal(arrays["vectors"], weights)
    frame = pd.read_csv(tmp_path / "items.csv", dtype={"item": str}, keep_default_na=False)
    assert frame["item"].tolist() == arrays["items"].tolist()
    assert frame["title"].tolist() == arrays["titles"].tolist()
    assert np.array_equal(frame.iloc[:, 2:].to_numpy(np.float32), weights)
    assert np.array_equal(np.stack(pd.read_parquet(tmp_path / "items.parquet")["vector"]), weights)


def test_what_has_no_embeddings_says_so(world: Any, tmp_path: Path) -> None:
    workspace, runs, _ = world
    with pytest.raises(UsageError, match="has no item embeddings: nothing is trained"):
        workspace.recommendations.write_embeddings(runs["popularity"].id, tmp_path / "x.npz")
    with pytest.raises(UsageError, match=r"'x.txt' is no kind of file") as refused:
        workspace.recommendations.write_embeddings(runs["transformer"].id, tmp_path / "x.txt")
    assert refused.value.hint == "End it in .npz, .csv, .parquet."
    with pytest.raises(UsageError, match="1001 items cannot be listed"):
        workspace.recommendations.write_all(runs["transformer"].id, tmp_path / "x.csv", top=1001)
    assert list(tmp_path.iterdir()) == []
