"""What every similarity keeps to, and that a new one with an option of its own is one folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import registry
from engine.registry import Entry
from tests.helpers.plugins import run_with_plugin

ENTRIES = registry.entries("similarity")


@pytest.mark.parametrize("found", ENTRIES, ids=lambda found: found.name)
def test_it_announces_itself(found: Entry) -> None:
    assert found.label
    assert found.help
    assert found.facts["short"]
    assert found.facts["uses_memory"] or found.facts["uses_model"]
    assert found.load()


OPTIONS = """
from engine.registry import Options, register, setting
class SharedOptions(Options):
    shared_least: int = setting(1, ge=1, le=9, help="Fewest common users.", source="test")
def neighbours(sequences, item_count, k, options):
    from engine.similarity.item_cf.counting import item_cf
    found = item_cf(sequences, item_count, k)
    found.ids[found.shared < options.shared_least] = 0
    return found
register("similarity", "shared", label="Shared", help="Items with enough common users.", options=SharedOptions,
         target="engine.similarity.memory:MemorySimilarity", uses_memory=True, uses_model=False, neighbours=neighbours)
"""
USE = """
from engine.api import Workspace
from engine.config import ExperimentConfig, fields_of, why_without_effect
from engine.data.dataset import load
from engine.data.splits import LeaveOneOut
from engine.similarity.source import correlations
begun = ExperimentConfig()
assert "similarity.shared_least" in [field.path for field in fields_of(begun)]
assert why_without_effect(begun, "similarity.shared_least") == "No effect while similarity.name is hybrid."
data, workspace = load("sample"), Workspace()
split = LeaveOneOut(data.sequences)
for least in (1, 2):
    config = begun.replace({"similarity.name": "shared", "similarity.shared_least": least, "similarity.top_k": 50})
    trained = correlations(config, split, data.item_count).at_epoch(0, None).ids
    item = int((trained > 0).sum(1).argmax())
    listed = workspace.neighbours.of("sample", str(data.item_ids[item]), 50, "shared", config).neighbours
    assert [other.item for other in listed] == [str(data.item_ids[i]) for i in trained[item].tolist() if i], least
    assert listed, least
    assert min(other.shared_users for other in listed) >= least, listed
    effect = workspace.augmentations.effect("sample", config, count=200)
    print(least, effect.looked_up, int((trained > 0).sum()))
"""


def test_a_new_similarity_is_one_folder(tmp_path: Path) -> None:
    """Training, look-ups and what is counted of all users go by it, and by its option."""
    done = run_with_plugin(tmp_path, "similarity/shared", {"__init__.py": "", "options.py": OPTIONS}, USE)
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [line[0] for line in lines] == ["1", "2"], done.stderr
    assert int(lines[0][2]) > int(lines[1][2]) > 0
