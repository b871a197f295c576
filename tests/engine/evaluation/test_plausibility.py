"""FACTS F22: the paper's six impossible steps and Table 4 are found, and no real ranking is ever accused."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.evaluation.metrics import metrics_of
from engine.evaluation.paper import DATASETS, paper_numbers, table
from engine.evaluation.plausibility import PRINTED, implausible

STEPS = {
    ("Beauty", "GRU4Rec", 10, 20),
    ("Sports", "GRU4Rec", 5, 10),
    ("Yelp", "GRU4Rec", 10, 20),
    ("Beauty", "Caser", 5, 10),
    ("Sports", "Caser", 5, 10),
    ("Sports", "Caser", 10, 20),
}


def test_the_papers_impossible_steps() -> None:
    found = {
        (cell.table, cell.dataset, cell.model, *item.steps)
        for cell in paper_numbers().cells
        for item in implausible(cell.metrics, rounding=PRINTED)
    }
    assert found == {(2, *step) for step in STEPS} | {(4, "Sports", "Two-stage", 0, 5)}


@given(st.lists(st.integers(0, 40), min_size=1, max_size=30))
def test_no_ranking_is_implausible(ranks: list[int]) -> None:
    metrics = metrics_of(np.array(ranks, dtype=float), (1, 5, 10, 20))
    assert implausible(metrics) == ()
    assert implausible({name: round(value, 4) for name, value in metrics.items()}, rounding=PRINTED) == ()


@given(st.lists(st.integers(0, 80), min_size=1, max_size=30))
def test_shared_ranks_are_half_numbers(halves: list[int]) -> None:
    metrics = metrics_of(np.array(halves) / 2, (5, 10, 20))
    assert implausible(metrics, half_ranks=True) == ()


@given(
    st.lists(st.integers(0, 80), min_size=1, max_size=30),
    st.sets(st.sampled_from([1, 2, 3, 5, 10, 20])),
    st.sets(st.sampled_from([1, 2, 4, 5, 8, 10, 20])),
    st.booleans(),
)
def test_no_choice_of_cut_offs_accuses_a_ranking(halves: list[int], hr: set[int], gain: set[int], half: bool) -> None:
    ranks = np.array(halves) / 2 if half else np.array(halves, dtype=float)
    metrics = metrics_of(ranks, sorted(hr | gain))
    kept = {f"HR@{k}" for k in hr} | {f"NDCG@{k}" for k in gain} | {"MRR"}
    told = {name: value for name, value in metrics.items() if name in kept}
    assert implausible(told, half_ranks=half) == ()
    printed = {name: round(value, 4) for name, value in told.items()}
    assert implausible(printed, rounding=PRINTED, half_ranks=half) == ()


def test_unlike_cut_offs_bound_each_other() -> None:
    """NDCG@5 <= HR@5 <= HR@10 = .03; and NDCG@10 >= NDCG@5 >= HR@5 / log2(6) = .1 / 2.585."""
    (above,) = implausible({"HR@10": 0.03, "NDCG@5": 0.04})
    assert above.message == "NDCG@5 is 0.0400, but HR@10 is 0.0300 and so allows at most 0.0300."
    (below,) = implausible({"HR@5": 0.1, "NDCG@10": 0.03})
    assert "allows at least 0.0387" in below.message
    assert implausible({"HR@10": 0.03, "NDCG@5": 0.03}) == ()


def test_mrr_is_bounded_by_the_hits() -> None:
    """HR@5 = .1: at most .1 * 1 + .9 / 6 = .25, at least .1 / 5 = .02."""
    assert implausible({"HR@5": 0.1, "MRR": 0.25}) == implausible({"HR@5": 0.1, "MRR": 0.02}) == ()
    assert "MRR is 0.2600, but HR@5 allows at most 0.2500." in implausible({"HR@5": 0.1, "MRR": 0.26})[0].message
    assert "at least 0.0200" in implausible({"HR@5": 0.1, "MRR": 0.019})[0].message
    assert "but HR@5, HR@10 allow at most" in implausible({"HR@10": 0.1, "HR@5": 0.1, "MRR": 0.9})[0].message


def test_percentages_are_told_once() -> None:
    found = implausible({"HR@5": 24.2, "NDCG@5": 3.8})
    assert [item.metrics for item in found] == [("HR@5",), ("NDCG@5",)]


def test_each_kind_of_nonsense_is_named() -> None:
    assert "falls from" in implausible({"HR@5": 0.2, "HR@10": 0.1})[0].message
    assert "not between 0 and 1" in implausible({"MRR": 1.5})[0].message
    assert "allows at most" in implausible({"HR@5": 0.1, "NDCG@5": 0.2})[0].message
    assert "allows at least" in implausible({"HR@5": 0.5, "NDCG@5": 0.1})[0].message
    assert implausible({"HR@5": float("nan"), "NDCG@5": 0.1, "loss": 7.0}) != ()
    assert implausible({"loss": 7.0}) == ()


def test_the_tables_are_whole_and_their_faults_point_into_them() -> None:
    for number in (2, 3, 4):
        tree = table(number)
        for fault in tree["faults"]:
            datasets = [fault["dataset"]] if "dataset" in fault else list(tree["rows"])
            for dataset in datasets:
                row = tree["rows"][dataset][fault["model"]]
                assert set(fault.get("metrics", [])) <= set(row)
    rows = table(2)["rows"]
    assert [len(rows[name]) for name in DATASETS] == [9, 9, 9]
    assert all(len(metrics) == 6 for models in rows.values() for metrics in models.values())


def test_the_printed_improvements_follow_from_the_cells_but_for_f26() -> None:
    """A check of the typing: each percentage is that of two cells, up to the digits that the table prints."""
    tree = table(2)
    wrong = set()
    for dataset, metrics in tree["improvements_percent"]["rows"].items():
        for metric, printed in metrics.items():
            row = {model: values[metric] for model, values in tree["rows"][dataset].items()}
            best = max(value for model, value in row.items() if model != "CoSeRec")
            for against, text in zip((row["SASRec"], best), printed, strict=True):
                if abs(100 * (row["CoSeRec"] / against - 1) - float(text)) > 0.06:
                    wrong.add((dataset, metric))
    assert wrong == {("Sports", "HR@20"), ("Sports", "NDCG@20")}


def test_facts_are_marked() -> None:
    said = {text for cell in paper_numbers().cells for _, text in cell.faults}
    by_fact = {fault["fact"]: fault["text"] for number in (2, 3) for fault in table(number)["faults"]}
    assert {fact for fact, text in by_fact.items() if text in said} == {"F21", "F24", "F25", "F26"}
    assert [text for text in said if "and so allows" in text], "F22 is found, not typed in"
    assert {fault["fact"] for fault in table(1)["faults"]} == {"F23"}
