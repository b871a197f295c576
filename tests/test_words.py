"""What users read names the paper, its sources and the authors' code: numbers of our own notes tell them nothing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from engine import registry
from engine.cli import main
from engine.config import ExperimentConfig, fields_of, presets, recipe_fields
from tests.test_architecture import ROOT, tracked

OURS = re.compile(r"\bFACTS\b|\b[FB]\d{1,2}\b")
"""``FACTS``, or a number of theirs."""
KEYS = {"F1", "F2", "F5", "Read the file again (F5)"}
EXAMPLE = '"asin": "B1"'
KINDS: tuple[registry.Kind, ...] = (
    *("model", "operator", "next_item_loss", "contrastive_loss", "similarity", "reader", "importer", "study"),
)


def is_ours(text: str) -> bool:
    return text not in KEYS and bool(OURS.search(text.replace(EXAMPLE, "")))


def of_settings() -> Iterator[str]:
    for model in registry.entries("model"):
        config = ExperimentConfig().replace({"loss.contrastive_weight": 0.0, "model.name": model.name})
        for info in fields_of(config):
            yield from (info.help, info.source, info.label, info.unit, info.zero, *info.choices.values())
    for info in recipe_fields():
        yield from (info.help, info.source, info.label, *info.choices.values())


def of_plugins() -> Iterator[str]:
    for kind in KINDS:
        for entry in registry.entries(kind):
            yield from (entry.label, entry.help, str(dict(entry.facts)))


def of_presets() -> Iterator[str]:
    for item in presets():
        yield from (item.title, item.description, item.source, item.system)


def of_commands(command: click.Command = main) -> Iterator[str]:
    yield command.help or ""
    for option in command.params:
        yield getattr(option, "help", None) or ""
    for one in command.commands.values() if isinstance(command, click.Group) else ():
        yield from of_commands(one)


@pytest.mark.parametrize("source", [of_settings, of_plugins, of_presets, of_commands])
def test_users_read_no_numbers_of_our_notes(source: object) -> None:
    texts = list(source())  # type: ignore[operator]
    assert len(texts) > 20
    assert [text for text in texts if is_ours(text)] == []


def test_every_setting_and_preset_names_its_source() -> None:
    assert all(info.source for info in fields_of(ExperimentConfig()))
    assert all(item.source for item in presets())


def strings(path: Path) -> Iterator[str]:
    """The text literals of a module; docstrings are for who reads the code."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    bare = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in bare:
            yield node.value


CODE = [path for path in tracked() if path.suffix == ".py" and path.parts[0] in ("engine", "workbench")]


def test_nor_does_the_code_say_them() -> None:
    found = {str(path): [text for text in strings(path) if is_ours(text)] for path in CODE}
    assert {path: texts for path, texts in found.items() if texts} == {}


def test_nor_do_the_readme_and_the_resources() -> None:
    files = [path for path in tracked() if path.name == "README.md" or path.parts[0] == "resources"]
    texts = [path for path in files if path.suffix in (".md", ".json", ".desktop", ".qss", ".svg")]
    assert any(path.parent.name == "presets" for path in texts)
    assert [str(path) for path in texts if "FACTS" in (ROOT / path).read_text(encoding="utf-8")] == []
