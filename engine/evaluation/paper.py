"""The paper's own results, Tables 2 to 4, typed in from its text, each with what is wrong with it (FACTS F21–F26).

The faults of F22 are not typed in: they are found by the same check that every other result goes through.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from engine import paths
from engine.evaluation.plausibility import PRINTED, implausible
from engine.records import PaperCell, PaperNumbers

SOURCE = "CoSeRec, 2021"
RESULTS = (2, 3, 4)
"""The tables with results; Table 1 is about data."""
DATASETS = ("Beauty", "Sports", "Yelp")


@cache
def table(number: int) -> Mapping[str, Any]:
    """Table 1, 2, 3 or 4 as it is printed: ``title``, ``section``, ``rows``, ``faults``."""
    tree: Mapping[str, Any] = json.loads(paths.resource("paper", f"table{number}.json").read_text(encoding="utf-8"))
    return tree


def name_of(dataset: str) -> str:
    """The paper's data set that is meant by a file of this name, ``Sports_and_Outdoors``; empty: none of them.

    >>> name_of("Sports_and_Outdoors"), name_of("shop")
    ('Sports', '')
    """
    return next((name for name in DATASETS if dataset.lower().startswith(name.lower())), "")


def users_of(dataset: str) -> int:
    """Users that Table 1 prints for a data set of that name; 0 where the paper has none.

    >>> users_of("Beauty"), users_of("shop")
    (22363, 0)
    """
    name = name_of(dataset)
    return int(table(1)["rows"][name][0].replace(",", "")) if name else 0


@cache
def paper_numbers(dataset: str = "") -> PaperNumbers:
    """Every result that the paper prints for ``dataset`` (Beauty, Sports, Yelp; empty: all), with its faults."""
    cells = []
    for number in RESULTS:
        tree = table(number)
        for name, models in tree["rows"].items():
            if dataset in ("", name):
                cells += [_cell(number, tree["faults"], name, model, values) for model, values in models.items()]
    return PaperNumbers(SOURCE, tuple(cells), users_of(dataset) if dataset else 0)


def _cell(
    number: int, faults: list[Mapping[str, Any]], dataset: str, model: str, metrics: Mapping[str, float]
) -> PaperCell:
    found: list[tuple[str, str]] = []
    for fault in faults:
        if fault.get("dataset", dataset) == dataset and fault.get("model", model) == model:
            names = fault.get("metrics") or [""]
            found += [(name, fault["text"]) for name in names]
    for problem in implausible(metrics, rounding=PRINTED):
        found += [(name, problem.message) for name in problem.metrics if name.startswith("NDCG")]
    return PaperCell(number, dataset, model, metrics, tuple(found))
