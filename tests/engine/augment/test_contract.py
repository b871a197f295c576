"""What every registered operator keeps to. A new one is a folder: it is tested here, and works in the policy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from engine import registry
from engine.augment.base import Operator
from engine.augment.plan import KIND
from engine.augment.preview import preview
from engine.config import ExperimentConfig, FidelityOptions
from engine.records import TokenKind
from engine.registry import Entry, options_of
from tests.engine.augment.helpers import offsets_of, seeded, table
from tests.helpers.plugins import run_python, run_with_plugin

ENTRIES = registry.entries("operator")
FIDELITIES = [FidelityOptions(), FidelityOptions(counts="floor", start_positions="never_last")]


@pytest.mark.parametrize("found", ENTRIES, ids=lambda found: found.name)
def test_it_announces_itself(found: Entry) -> None:
    assert len(str(found.facts["letter"])) == 1
    assert found.facts["rate"] in found.options.model_fields
    assert found.label
    assert found.help
    assert [other.facts["letter"] for other in ENTRIES].count(found.facts["letter"]) == 1
    made = found.load()(options_of(found, ExperimentConfig().augment), FidelityOptions())
    assert isinstance(made, Operator)
    assert made.label == found.label
    assert made.rate == getattr(ExperimentConfig().augment, str(found.facts["rate"]))


@pytest.mark.parametrize("fidelity", FIDELITIES, ids=["paper", "published"])
@pytest.mark.parametrize("rate", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("found", ENTRIES, ids=lambda found: found.name)
def test_its_plans_are_well_formed(found: Entry, rate: float, fidelity: FidelityOptions) -> None:
    offsets = offsets_of([1, 2, 50, 300, 3])
    before = offsets.clone()
    made = found.load()(options_of(found, ExperimentConfig().augment), fidelity, rate=rate)
    plan = made.plan(offsets, seeded(1))
    assert made.rate == rate
    assert torch.equal(offsets, before)
    assert plan.offsets.dtype == plan.sources.dtype == torch.int64
    assert plan.kinds.dtype == KIND
    assert plan.offsets[0] == 0
    assert (plan.lengths >= 1).all()
    assert plan.sources.numel() == plan.kinds.numel() == int(plan.offsets[-1])
    assert set(plan.kinds.tolist()) <= set(TokenKind)
    owners = torch.repeat_interleave(torch.arange(5), plan.lengths)
    assert (plan.sources >= offsets[:-1][owners]).all(), "a view is made of its own sequence"
    assert (plan.sources < offsets[1:][owners]).all()
    assert plan.reordered is None or plan.reordered.shape == (5, 2)
    assert isinstance(made.note(3), str)


@pytest.mark.parametrize("found", ENTRIES, ids=lambda found: found.name)
def test_it_can_be_previewed(found: Entry) -> None:
    shown = preview(ExperimentConfig(), np.arange(1, 9), 20, table(20), found.name)
    assert [view.operator for view in shown.views] == [found, found]


PLUGIN_OPTIONS = """
from engine.registry import Options, register, setting
class BackwardsOptions(Options):
    backwards_rate: float = setting(1.0, ge=0, le=1, help="Share turned round.", source="test")
register("operator", "backwards", label="Backwards", help="Turns the sequence round.", options=BackwardsOptions,
         target="engine.augment.backwards.operator:Backwards", letter="B", rate="backwards_rate")
"""
PLUGIN = """
import torch
from engine.augment.base import Operator
from engine.augment.plan import Plan, unchanged
class Backwards(Operator):
    label = "Backwards"
    rate_field = "backwards_rate"
    def plan(self, offsets, generator):
        whole = unchanged(offsets)
        ends = torch.repeat_interleave(offsets[:-1] + offsets[1:] - 1, offsets.diff())
        return Plan(offsets, ends - whole.sources, whole.kinds)
"""
USE = """
import sys
import numpy as np, torch
from types import SimpleNamespace
from engine.augment.preview import preview
from engine.config import ExperimentConfig, fields_of
config = ExperimentConfig().replace({"augment.short_operators": "B", "augment.backwards_rate": "0.5"})
assert "augment.backwards_rate" in [field.path for field in fields_of(config)]
none = SimpleNamespace(ids=torch.zeros(12, 1, dtype=torch.int64), scores=torch.zeros(12, 1), pool=torch.arange(0))
for operator in ("policy", "backwards"):
    shown = preview(config, np.array([5, 6, 7]), 10, none, operator)
    assert [view.items.tolist() for view in shown.views] == [[7, 6, 5]] * 2, shown
print("seen", shown.views[0].operator.label)
"""


TWICE_OPTIONS = PLUGIN_OPTIONS.replace("Backwards", "Twice").replace("backwards", "twice").replace('"B"', '"T"')
TWICE = (
    PLUGIN.partition("        ends =")[0].replace("Backwards", "Twice").replace("backwards", "twice")
    + """\
        return Plan(2 * offsets, whole.sources.repeat_interleave(2), whole.kinds.repeat_interleave(2))
"""
)
COUNT = """
from engine.api import Workspace
from engine.config import ExperimentConfig
config = ExperimentConfig().replace({"augment.short_operators": "T", "augment.long_operators": "T"})
found = Workspace().augmentations.effect("sample", config, count=300)
short, long = found.kept
assert found.users.tolist() == [short.sum() / 2, long.sum() / 2]
print(short[:-1].sum(), short[-1] > 0, found.means()["kept"] <= 1)
"""


def test_what_an_operator_repeats_is_kept_once(tmp_path: Path) -> None:
    files = {"__init__.py": "", "options.py": TWICE_OPTIONS, "operator.py": TWICE}
    done = run_with_plugin(tmp_path, "augment/twice", files, COUNT)
    assert done.stdout.split() == ["0", "True", "True"], done.stderr


def test_a_new_operator_is_one_folder(tmp_path: Path) -> None:
    """Two files beside the others, and configuration, policy, batch and preview know it."""
    files = {"__init__.py": "", "options.py": PLUGIN_OPTIONS, "operator.py": PLUGIN}
    done = run_with_plugin(tmp_path, "augment/backwards", files, USE)
    assert done.stdout.strip() == "seen Backwards", done.stderr


def test_announcements_import_no_torch() -> None:
    code = "import sys; from engine.registry import entries; print(len(entries('operator')), 'torch' in sys.modules)"
    assert run_python(code).stdout.split() == [str(len(ENTRIES)), "False"]
