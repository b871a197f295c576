"""Comparing stored runs through the door: numbers, refusals that name the field, files."""

from __future__ import annotations

import json
import pickle
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from engine.api import Workspace
from engine.config import preset
from engine.errors import RunError, UsageError
from engine.evaluation.metrics import ndcg, of_each_user
from engine.records import Comparison, RunStatus
from engine.runs.files import RANKS
from tests.helpers.finished_runs import finish, ids, made_ranks

ROOT = Path(__file__).parents[3]
SASREC = {"loss.contrastive_weight": 0.0}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """Two groups of three seeds on the sample, the first one better."""
    made = Workspace(tmp_path_factory.mktemp("workspace"))
    finish(made, 0.8, (1, 2, 3))
    finish(made, 1.0, (1, 2, 3), SASREC)
    yield made
    made.runs.close()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(tmp_path / "own")
    yield made
    made.runs.close()


@pytest.fixture(scope="module")
def groups(workspace: Workspace) -> tuple[tuple[str, ...], ...]:
    return tuple(item.run_ids for item in reversed(workspace.comparisons.choices()))


@pytest.fixture(scope="module")
def found(workspace: Workspace, groups: tuple[tuple[str, ...], ...]) -> Comparison:
    return workspace.comparisons.compare(groups, baseline=1)


def test_seeds_of_one_configuration_are_a_group(workspace: Workspace) -> None:
    records = workspace.runs.all()
    assert [len(group) for group in workspace.comparisons.groups([record.id for record in records])] == [3, 3]
    one, other = workspace.comparisons.choices()
    assert (one.seeds, other.seeds) == ((1, 2, 3), (1, 2, 3))
    assert one.label == "CoSeRec for the sample shop, λ 0"
    assert other.label == "CoSeRec for the sample shop"
    values = [record.metrics["test"]["NDCG@20"] for record in records if record.id in one.run_ids]
    assert (one.metrics["NDCG@20"], one.stds["NDCG@20"]) == pytest.approx((np.mean(values), np.std(values, ddof=1)))


def test_measures_and_tests_are_those_of_the_ranks(found: Comparison) -> None:
    ranks = [[made_ranks(quality, 10 * seed + 1) for seed in (1, 2, 3)] for quality in (0.8, 1.0)]
    for n, own in enumerate(ranks):
        item = found.measure(n, "NDCG@20")
        assert item is not None
        seeds = [ndcg(r, 20) for r in own]
        assert item.seeds == pytest.approx(seeds)
        assert (item.mean, item.std) == pytest.approx((np.mean(seeds), np.std(seeds, ddof=1)))
        assert item.low < item.mean < item.high
    first, second = (np.mean([of_each_user(r, "NDCG@20") for r in own], axis=0) for own in ranks)
    test = next(item for item in found.tests if item.metric == "NDCG@20")
    assert (test.first, test.second) == (1, 0)
    assert test.difference == pytest.approx(float(np.mean(first - second)))
    changed = np.where(np.abs(first - second) < 1e-12, 0, first - second)
    assert test.p == pytest.approx(stats.wilcoxon(changed).pvalue)
    assert test.p <= test.p_holm
    assert test.p_seeds == pytest.approx(
        stats.ttest_ind(*[[ndcg(r, 20) for r in o] for o in ranks], equal_var=False)[1]
    )
    assert found.family == len(found.tests) == 7
    assert test.better + test.worse + test.equal == found.users == 2048


def test_the_shared_protocol_says_how_the_data_were_made(found: Comparison) -> None:
    assert dict(found.protocol)["Preprocessing"] == "none here: the sample is read as it is"


def test_only_what_differs_is_marked(found: Comparison) -> None:
    assert {item.path: item.values for item in found.settings if item.differs} == {
        "loss.contrastive_weight": (0.1, 0.0)
    }
    assert "train.seed" not in {item.path for item in found.settings}
    assert [group.label for group in found.groups] == [
        "λ 0.1",
        "λ 0",
    ]
    assert found.implausible == ()


def test_zero_is_all_users_where_a_label_names_it(own: Workspace) -> None:
    sides = [finish(own, values=values) for values in ({}, {"evaluate.validation_users": 100})]
    found = own.comparisons.compare(ids(*sides))
    assert [group.label for group in found.groups] == ["validate on all users", "validate on 100"]


def test_pairs_and_metrics_can_be_chosen(workspace: Workspace) -> None:
    singles = tuple((record.id,) for record in workspace.runs.all())
    made = workspace.comparisons.compare(singles, metrics=("HR@10", "NDCG@7"), tested=("NDCG@7",), pairs="all")
    assert made.family == 15
    assert {item.metric for item in made.tests} == {"NDCG@7"}
    assert [group.label for group in made.groups] == [
        f"λ {weight} · {run}"
        for weight, (run,) in zip((0, 0, 0, 0.1, 0.1, 0.1), [group.run_ids for group in made.groups], strict=True)
    ]
    assert any("One seed" in note for note in made.notes)


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"evaluate.ties": "optimistic"}, "evaluate.ties"),
        ({"evaluate.seen_items": "keep"}, "evaluate.seen_items"),
        ({"evaluate.noise_rate": 0.2}, "evaluate.noise_rate"),
        ({"fidelity.rank_special_tokens": True}, "fidelity.rank_special_tokens"),
    ],
)
def test_another_protocol_is_refused_by_its_field(own: Workspace, values: dict[str, object], word: str) -> None:
    pair = ids(finish(own), finish(own, values=values))
    with pytest.raises(UsageError, match=word):
        own.comparisons.compare(pair)
    with pytest.raises(UsageError, match=word):
        own.comparisons.table(pair)
    with pytest.raises(UsageError, match=word):
        own.comparisons.scatter([run for group in pair for run in group], "seed", "HR@5")


def test_other_data_are_refused_by_name(own: Workspace, tmp_path: Path) -> None:
    (run,) = finish(own)
    (other,) = finish(own)
    with own.runs.store.database.write() as (session, _):
        from engine.store.tables import RunRow

        row = session.get(RunRow, other.id)
        assert row is not None
        row.fingerprint, row.dataset = "0123", "another"
    with pytest.raises(UsageError, match=r"data: shop \(\w+\) and another \(0123\)"):
        own.comparisons.compare(((run.id,), (other.id,)))
    table = own.comparisons.table(((run.id,), (other.id,)), metrics=("HR@5",), labels=("Ours", "Ours"))
    assert table.columns == (("shop", "HR@5"), ("another", "HR@5"))
    assert table.rows == ("Ours",)
    assert r"\multicolumn{1}{c}{another}" in own.comparisons.latex(table)


def test_what_cannot_be_compared_is_said(own: Workspace, workspace: Workspace, groups: object) -> None:
    compare = own.comparisons.compare
    with pytest.raises(UsageError, match="nothing to compare"):
        compare(())
    run, other = finish(own)[0], finish(own, values=SASREC)[0]
    with pytest.raises(UsageError, match="cannot be averaged"):
        compare(((run.id, other.id),))
    with pytest.raises(UsageError, match="named twice"):
        compare(((run.id,), (run.id,)))
    with pytest.raises(UsageError, match="no metric"):
        compare(((run.id,),), metrics=("recall@5",))
    (queued,) = own.runs.submit(preset("sample").config)
    with pytest.raises(UsageError, match="queued and has no test metrics"):
        compare(((queued.id,),))
    for content in (b"PK not a zip", b"broken", b""):
        (run.directory / RANKS).write_bytes(content)
        with pytest.raises(RunError, match=rf"{RANKS} are damaged\. Restore the file"):
            compare(((run.id,),))


def test_without_ranks_there_are_means_and_a_note(own: Workspace) -> None:
    pair = ids(finish(own, has_ranks=False), finish(own, 1.2, values=SASREC))
    made = own.comparisons.compare(pair)
    assert made.tests == ()
    assert any("kept no ranks" in note for note in made.notes)
    item = made.measure(0, "HR@10")
    assert item is not None
    assert np.isnan(item.low)
    with pytest.raises(UsageError, match=f"run {pair[0][0]} kept no ranks"):
        own.comparisons.slices(pair, "HR@10", "length")


def test_a_stopped_run_is_compared_and_said(own: Workspace) -> None:
    (run,) = finish(own, status=RunStatus.STOPPED)
    found = own.comparisons.compare(((run.id,),))
    assert any("is stopped" in note for note in found.notes)
    assert found.groups[0].unfinished == 1
    (choice,) = own.comparisons.choices([run])
    assert choice.unfinished == {run.id: "stopped"}


@pytest.mark.parametrize("kind", ["length", "popularity"])
def test_slices_sum_to_the_whole(
    workspace: Workspace, groups: tuple[tuple[str, ...], ...], found: Comparison, kind: str
) -> None:
    table = workspace.comparisons.slices(groups, "NDCG@20", kind)
    assert table.users.sum() == 2048
    for n in range(2):
        item = found.measure(n, "NDCG@20")
        assert item is not None
        assert float(table.means[n] @ table.users) / 2048 == pytest.approx(item.mean)
    assert float(table.shares[1].sum()) == pytest.approx(-found.tests[5].difference)
    assert (table.lows <= table.means + 1e-12).all()


def test_curves_by_epoch_and_by_time(workspace: Workspace, groups: tuple[tuple[str, ...], ...]) -> None:
    assert workspace.comparisons.series(groups) == ("valid/NDCG@20", "loss/total")
    one, _ = workspace.comparisons.curves(groups, "valid/NDCG@20")
    assert one.x.tolist() == [1, 2, 3]
    assert one.mean == pytest.approx([0.2, 0.3, 0.4])
    assert one.std == pytest.approx([0.1, 0.1, 0.1])
    assert one.n.tolist() == [3, 3, 3]
    timed, _ = workspace.comparisons.curves(groups, "loss/total", "time")
    assert timed.x.tolist() == [2.5, 5.0, 7.5]
    assert workspace.comparisons.curves(groups, "valid/none") == ()
    with pytest.raises(UsageError, match="no series"):
        workspace.comparisons.curves(groups, "speed")


def test_scatter_of_settings_and_facts(workspace: Workspace, groups: tuple[tuple[str, ...], ...]) -> None:
    runs = [run for group in groups for run in group]
    assert "loss.contrastive_weight" in workspace.comparisons.fields(runs)
    points = workspace.comparisons.scatter(runs, "loss.contrastive_weight", "HR@20")
    assert [point.x for point in points] == [0.1] * 3 + [0.0] * 3
    assert [point.x for point in workspace.comparisons.scatter(runs, "best_epoch", "HR@20")] == [3] * 6
    with pytest.raises(UsageError, match=r"There is no setting 'loss\.contrastive_wait'") as refused:
        workspace.comparisons.scatter(runs, "loss.contrastive_wait", "HR@20")
    assert "loss.contrastive_weight" in refused.value.hint
    with pytest.raises(UsageError, match=r"No run has both 'loss\.bpr_negatives'"):
        workspace.comparisons.scatter(runs, "loss.bpr_negatives", "HR@20")


def test_parallel_axes_are_the_settings_that_differ(workspace: Workspace, groups: tuple[tuple[str, ...], ...]) -> None:
    runs = [run for group in groups for run in group]
    found = workspace.comparisons.parallel(runs, "HR@20")
    assert found.fields == ("loss.contrastive_weight", "train.seed")
    assert [run.values for run in found.runs] == [(0.1, 1), (0.1, 2), (0.1, 3), (0.0, 1), (0.0, 2), (0.0, 3)]
    assert [run.y for run in found.runs] == [workspace.runs.get(run).metrics["test"]["HR@20"] for run in runs]
    assert workspace.comparisons.parallel(runs[:1], "HR@20").fields == ("train.seed",)
    with pytest.raises(UsageError, match="No run has a test speed"):
        workspace.comparisons.parallel(runs, "speed")


def test_the_table_marks_best_second_and_significance(
    workspace: Workspace, groups: tuple[tuple[str, ...], ...], tmp_path: Path
) -> None:
    table = workspace.comparisons.table(groups, metrics=("HR@20", "NDCG@20"), baseline=1, paper=("CoSeRec",))
    assert [cell.is_best for cell in table.cells[0] if cell] == [True, True]
    assert [cell.is_second for cell in table.cells[1] if cell] == [True, True]
    assert table.cells[0][0] is not None
    assert table.cells[0][0].p is not None
    assert table.families == (2,)
    text = workspace.comparisons.latex(table)
    assert text.count(r"\textbf{") == text.count(r"\underline{") == 2
    assert r"$\pm$" in text
    assert r"$\lambda$" in text
    for run in groups[0]:
        assert run in text
    for suffix in ("tex", "csv", "parquet"):
        workspace.comparisons.export_table(table, tmp_path / f"t.{suffix}")
    assert (tmp_path / "t.tex").read_text(encoding="utf-8") == text
    read = (pd.read_csv(tmp_path / "t.csv"), pd.read_parquet(tmp_path / "t.parquet"))
    csv, parquet = (frame.astype({"std": float, "fault": object}) for frame in read)
    pd.testing.assert_frame_equal(csv.fillna({"fault": ""}), parquet.fillna({"fault": ""}), check_dtype=False)
    with pytest.raises(UsageError, match="cannot be a"):
        workspace.comparisons.export_table(table, tmp_path / "t.doc")
    with pytest.raises(RunError, match="cannot be written"):
        workspace.comparisons.export_table(table, tmp_path / "t.tex" / "t.csv")


def test_everything_as_json_and_as_frames(workspace: Workspace, found: Comparison, tmp_path: Path) -> None:
    workspace.comparisons.export(found, tmp_path / "all.json")
    tree = json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))
    assert tree["users"] == 2048
    assert len(tree["tests"]) == 7
    workspace.comparisons.export(found, tmp_path / "tests.parquet", "tests")
    frame = pd.read_parquet(tmp_path / "tests.parquet")
    assert frame["p_holm"].tolist() == [item.p_holm for item in found.tests]
    assert set(frame["first_runs"]) == {" ".join(found.groups[1].run_ids)}
    assert set(frame["second_configuration"]) == {found.groups[0].config_hash}
    assert set(frame["data"]) == {found.groups[0].fingerprint}
    workspace.comparisons.export(replace(found, tests=()), tmp_path / "none.csv", "tests")
    assert "p_holm" in pd.read_csv(tmp_path / "none.csv").columns
    workspace.comparisons.export(found, tmp_path / "measures.csv")
    assert len(pd.read_csv(tmp_path / "measures.csv")) == 14


@pytest.mark.parametrize(
    ("kind", "suffix"),
    [
        ("bars", "pdf"),
        ("bars", "svg"),
        ("length", "pdf"),
        ("popularity", "svg"),
        ("curves", "png"),
        ("scatter", "png"),
        ("parallel", "pdf"),
    ],
)
def test_every_figure_says_where_it_comes_from(
    workspace: Workspace, groups: tuple[tuple[str, ...], ...], tmp_path: Path, kind: str, suffix: str
) -> None:
    path = workspace.comparisons.figure(kind, groups, tmp_path / f"figure.{suffix}", field="loss.contrastive_weight")
    content = path.read_bytes()
    assert content.startswith({"pdf": b"%PDF", "svg": b"<?xml", "png": b"\x89PNG"}[suffix])
    assert groups[0][0].encode() in content
    if suffix == "pdf":
        assert b"/FontFile2" in content  # TrueType, embedded
        # A viewer's tab and a library of papers show it. PDF writes what is not ASCII, such as λ, in UTF-16.
        title = content.partition(b"/Title (")[2].partition(b"/")[0]
        assert "test NDCG@20" in (title[2:].decode("utf-16-be", "ignore") if title[:1] == b"\xfe" else title.decode())
    if kind == "bars":
        again = workspace.comparisons.figure(kind, groups, tmp_path / f"again.{suffix}")
        assert again.read_bytes() == content


def test_the_scatter_tells_groups_apart(
    workspace: Workspace, groups: tuple[tuple[str, ...], ...], tmp_path: Path
) -> None:
    path = workspace.comparisons.figure(
        "scatter", groups, tmp_path / "f.svg", field="best_epoch", labels=("Ours", "SASRec")
    )
    text = path.read_text(encoding="utf-8")
    assert "<!-- Ours -->" in text
    assert "<!-- SASRec -->" in text
    assert "<!-- best epoch -->" in text
    colours = set(re.findall(r"<use [^>]*style=\"fill: (#\w+); stroke: #1b2230", text))
    assert len(colours) == 2


def test_figures_that_cannot_be_made(workspace: Workspace, groups: tuple[tuple[str, ...], ...], tmp_path: Path) -> None:
    figure = workspace.comparisons.figure
    with pytest.raises(UsageError, match="no figure"):
        figure("cake", groups, tmp_path / "f.pdf")
    with pytest.raises(UsageError, match=r"cannot be a \.gif"):
        figure("bars", groups, tmp_path / "f.gif")
    with pytest.raises(UsageError, match="no width"):
        figure("bars", groups, tmp_path / "f.pdf", width="wall")


def test_the_papers_numbers_by_data_set(workspace: Workspace) -> None:
    assert {cell.dataset for cell in workspace.comparisons.paper("Sports_and_Outdoors").cells} == {"Sports"}
    assert workspace.comparisons.paper("shop").cells == ()
    assert len(workspace.comparisons.paper().cells) == 27 + 12 + 4
    assert workspace.comparisons.check({"HR@5": 0.0242, "NDCG@5": 0.0388})[0].steps == (0, 5)


def test_it_travels_and_needs_no_torch(workspace: Workspace, found: Comparison) -> None:
    assert pickle.loads(pickle.dumps(found)).tests == found.tests
    code = (
        "import sys; from engine.api import Workspace; import engine.runs.comparison, engine.reports.figures\n"
        f"w = Workspace({str(workspace.directory)!r}); c = w.comparisons\n"
        "g = [item.run_ids for item in c.choices()]; c.slices(g, 'HR@10', 'length'); c.compare(g)\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_a_metric_that_is_named_twice_counts_once(workspace: Workspace, groups: tuple[tuple[str, ...], ...]) -> None:
    once = workspace.comparisons.compare(groups, metrics=("HR@5",))
    twice = workspace.comparisons.compare(groups, metrics=("HR@5", "HR@5"), tested=("HR@5", "HR@5"))
    assert (twice.metrics, twice.measures, twice.tests, twice.family) == (("HR@5",), once.measures, once.tests, 1)


def test_what_is_not_compared_cannot_be_tested(workspace: Workspace, groups: tuple[tuple[str, ...], ...]) -> None:
    with pytest.raises(UsageError, match="MRR cannot be tested"):
        workspace.comparisons.compare(groups, metrics=("HR@5",), tested=("MRR",))


def test_seeds_from_another_place_of_the_same_file_are_one_group(own: Workspace, tmp_path: Path) -> None:
    (first,) = finish(own, 0.8, (1,))
    copied = tmp_path / "shop.txt"
    copied.write_bytes((ROOT / "resources" / "sample" / "shop.txt").read_bytes())
    (other,) = finish(own, 0.8, (2,), {"data.path": str(copied)})
    assert first.fingerprint == other.fingerprint
    assert own.comparisons.groups([first.id, other.id]) == ((first.id, other.id),)
    (group,) = own.comparisons.compare([[first.id, other.id]]).groups
    assert group.seeds == (1, 2)


@pytest.fixture
def two_shops(own: Workspace, tmp_path: Path) -> tuple[tuple[str, ...], ...]:
    """A preset on the sample and on another file, two seeds each."""
    other = tmp_path / "Beauty.txt"
    text = (ROOT / "resources" / "sample" / "shop.txt").read_text(encoding="utf-8")
    other.write_text(text.replace("\n", " 7\n", 1), encoding="utf-8")
    return ids(finish(own, 0.8, (1, 2)), finish(own, 0.9, (1, 2), {"data.path": str(other)}))


def test_one_model_on_two_data_sets_is_one_row(
    own: Workspace, two_shops: tuple[tuple[str, ...], ...], tmp_path: Path
) -> None:
    table = own.comparisons.table(two_shops, metrics=("HR@20",))
    assert len(table.rows) == 1
    assert [dataset for dataset, _ in table.columns] == ["shop", "Beauty"]
    frame = pd.read_csv(own.comparisons.export_table(table, tmp_path / "t.csv"))
    assert frame["runs"].tolist() == [" ".join(group) for group in two_shops]
    assert frame["fingerprint"].tolist() == [own.runs.get(group[0]).fingerprint for group in two_shops]
    assert frame["config_hash"].nunique() == 1


def test_two_data_sets_of_one_name_are_told_apart(own: Workspace, tmp_path: Path) -> None:
    text = (ROOT / "resources" / "sample" / "shop.txt").read_text(encoding="utf-8")
    runs = []
    for number in (7, 8):
        path = tmp_path / str(number) / "Beauty.txt"
        path.parent.mkdir()
        path.write_text(text.replace("\n", f" {number}\n", 1), encoding="utf-8")
        runs += finish(own, values={"data.path": str(path)})
    table = own.comparisons.table([[run.id] for run in runs], metrics=("HR@20",), paper=("SASRec",))
    names = [f"Beauty ({run.fingerprint[:8]})" for run in runs]
    assert table.columns == tuple((name, "HR@20") for name in names)
    assert [cell.mean for cell in table.cells[1] if cell] == [0.0901, 0.0901]
    latex = own.comparisons.latex(table)
    assert all(f"\\multicolumn{{1}}{{c}}{{{name}}}" in latex for name in names)


def test_what_stands_alone_in_its_column_is_no_best(own: Workspace, two_shops: tuple[tuple[str, ...], ...]) -> None:
    other = ids(finish(own, 1.0, (1, 2), SASREC))
    table = own.comparisons.table([*two_shops, *other], metrics=("HR@20",), labels=("Ours", "Ours", "Theirs"))
    assert [[cell and (cell.is_best, cell.is_second) for cell in row] for row in table.cells] == [
        [(True, False), (False, False)],
        [(False, True), None],
    ]


def test_the_papers_numbers_of_other_users_are_said_to_be(
    own: Workspace, two_shops: tuple[tuple[str, ...], ...]
) -> None:
    said = "Beauty has 2,048 users here and 22,363 in the paper: its numbers are of other data."
    assert said in own.comparisons.table(two_shops, metrics=("HR@20",), paper=("SASRec",)).notes
    assert said not in own.comparisons.table(two_shops, metrics=("HR@20",)).notes
    assert own.comparisons.of_other_data(own.comparisons.compare(two_shops[1:], metrics=("HR@20",))) == (said,)
    assert own.comparisons.of_other_data(own.comparisons.compare(two_shops[:1], metrics=("HR@20",))) == ()


def test_a_row_of_the_paper_without_a_number_is_left_out(own: Workspace) -> None:
    (run,) = finish(own)
    table = own.comparisons.table(((run.id,),), metrics=("HR@20",), paper=("SASRec",))
    assert len(table.rows) == len(table.cells) == len(table.run_ids) == 1


def test_the_papers_faults_go_with_its_numbers(
    own: Workspace, two_shops: tuple[tuple[str, ...], ...], tmp_path: Path
) -> None:
    table = own.comparisons.table(two_shops[1:], metrics=("HR@20", "NDCG@20"), paper=("GRU4Rec", "CL4SRec", "PopRec"))
    counted, faulty, sound = ([cell.fault for cell in row if cell] for row in table.cells[1:])
    assert faulty[0] == ""
    assert "and so allows" in faulty[1]
    assert sound == ["", ""]
    assert all("counts the validation and test items too" in fault for fault in counted)
    text = own.comparisons.latex(table)
    assert r"0.0104$^{\dagger}$" in text
    assert r"0.0478$^{\dagger}$" not in text
    figure = own.comparisons.figure
    with_fault, without = (
        figure("bars", two_shops[1:], tmp_path / f"{model}.svg", metric="NDCG@20", paper=(model,)).read_bytes()
        for model in ("GRU4Rec", "CL4SRec")
    )
    assert "GRU4Rec, paper †".encode() in with_fault
    assert "†".encode() not in without


def test_the_papers_test_results_are_not_set_beside_validation(
    own: Workspace, two_shops: tuple[tuple[str, ...], ...], tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="prints test results"):
        own.comparisons.table(two_shops[1:], split="valid", paper=("SASRec",))
    with pytest.raises(UsageError, match="prints test results"):
        own.comparisons.figure("bars", two_shops[1:], tmp_path / "f.pdf", split="valid", paper=("SASRec",))
