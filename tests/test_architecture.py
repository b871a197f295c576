"""The house rules that a tool can check: names, sizes, imports, plugins."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from engine import registry

ROOT = Path(__file__).parent.parent
FIXED = {
    *("engine", "workbench", "resources", "tests", "main.py", "pyproject.toml", "README.md"),
    *("Makefile", "LICENSE", "CONTRIBUTING.md", "requirements.lock"),
}


def tracked() -> list[Path]:
    """Files of the project: what git tracks, or all sources where there is no git (an unpacked archive)."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split(
        "\n"
    )
    found = [Path(line) for line in listed if line and (ROOT / line).exists()]
    return found or [
        path.relative_to(ROOT) for name in ("engine", "workbench", "tests") for path in (ROOT / name).rglob("*.py")
    ]


MODULES = [path for path in tracked() if path.suffix == ".py"]


def test_the_top_level_keeps_its_names() -> None:
    names = {path.parts[0] for path in tracked()}
    assert {name for name in names if not name.startswith(".")} <= FIXED


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_no_module_is_over_500_lines(path: Path) -> None:
    assert (ROOT / path).read_text(encoding="utf-8").count("\n") <= 500


@pytest.mark.parametrize("path", [p for p in MODULES if p.parts[0] in ("engine", "workbench")], ids=str)
def test_no_function_needs_scrolling(path: Path) -> None:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = {
        node.name: (node.end_lineno or 0) - node.lineno
        for node in functions
        if (node.end_lineno or 0) - node.lineno > 60
    }
    assert long == {}


OWN_BOXES = {"QComboBox", "QSpinBox", "QDoubleSpinBox", "QSlider"}


@pytest.mark.parametrize("path", [p for p in MODULES if p.parts[0] == "workbench"], ids=str)
def test_no_box_takes_the_wheel_from_the_page_around_it(path: Path) -> None:
    """`workbench.widgets.choice_box` has boxes that leave it; Qt's own would change what one scrolls over."""
    calls = [node.func for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))) if isinstance(node, ast.Call)]
    assert not OWN_BOXES & {call.id for call in calls if isinstance(call, ast.Name)}


@pytest.mark.parametrize(
    "module",
    [
        *("engine.api", "engine.config", "engine.records", "engine.registry", "engine.errors", "engine.store.store"),
        *("engine.cli", "workbench.app", "workbench.main_window"),
    ],
)
def test_importing_it_imports_no_torch(module: str) -> None:
    code = f"import sys, {module}, engine.config; engine.config.presets(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_the_engine_can_be_imported_without_qt() -> None:
    code = "import sys, engine.cli, engine.api; sys.exit('PySide6' in sys.modules or 'pyqtgraph' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


KINDS = ("model", "operator", "next_item_loss", "contrastive_loss", "similarity", "reader")
PLUGINS = [(kind, entry.name) for kind in KINDS for entry in registry.entries(kind)]


@pytest.mark.parametrize(("kind", "name"), PLUGINS)
def test_a_plugin_announces_what_it_can_load(kind: registry.Kind, name: str) -> None:
    found = registry.entry(kind, name)
    assert found.label
    assert found.help.endswith(".")
    assert callable(found.load())
    for field, info in found.options.model_fields.items():
        extra = info.json_schema_extra
        assert info.description, f"{kind} {name}: {field} has no help"
        assert isinstance(extra, dict)
        assert extra["source"], f"{kind} {name}: {field} names no source"


@pytest.mark.parametrize(
    "path", [p for p in tracked() if p.suffix in (".json", ".toml", ".md", ".py", ".txt", ".lock")], ids=str
)
def test_no_file_names_a_place_of_the_machine_it_was_written_on(path: Path) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    assert "/wo" + "rk/" not in text
    assert "/ro" + "ot/" not in text


def test_presets_are_complete_json() -> None:
    for path in (*(ROOT / "resources" / "presets").glob("*.json"), *ROOT.glob("engine/models/*/presets/*.json")):
        tree = json.loads(path.read_text(encoding="utf-8"))
        assert {"title", "description", "source", "fidelity", "values"} <= set(tree), path.name
