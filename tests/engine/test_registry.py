"""What a plugin must announce, said in one sentence that names it; and that asking for one kind makes no other."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from engine import registry
from engine.errors import ConfigurationError

FULL: dict[registry.Kind, dict[str, Any]] = {
    "model": {"trains": True, "task": "next_item", "views": True},
    "operator": {"letter": "Z", "rate": "made_rate"},
    "next_item_loss": {},
    "contrastive_loss": {},
    "similarity": {"uses_memory": True, "uses_model": False, "neighbours": len},
    "reader": {},
    "importer": {"recognises": len},
    "study": {"whatever": 3},
}


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test announces is gone after it."""
    for kind in FULL:  # found once a process: what is found within the test must not be gone as well
        registry.entries(kind)
    monkeypatch.setattr(registry, "_entries", dict(registry._entries))


def announce(kind: registry.Kind, name: str = "made", target: str = "engine.made.module:Made", **facts: Any) -> Any:
    return registry.register(kind, name, label="Made", help="Nothing.", target=target, **facts)


@pytest.mark.parametrize("kind", FULL)
def test_what_is_not_announced_has_its_default(kind: registry.Kind) -> None:
    made = announce(kind, **FULL[kind])
    assert FULL[kind].items() <= made.facts.items()
    assert set(made.facts) == set(registry.FACTS.get(kind, FULL[kind]))
    assert announce(kind, **FULL[kind]) == made, "read twice, it is the same"


def test_sentences_name_the_plugin() -> None:
    facts = announce("model", **FULL["model"]).facts
    assert (facts["padded"], facts["no_padding"]) == (False, "Made works on real positions only.")
    assert announce("similarity", **FULL["similarity"]).facts["short"] == "Made"


MUST = [
    (kind, name)
    for kind, facts in registry.FACTS.items()
    for name in (name for name, fact in facts.items() if fact.default is registry._MUST)
]


@pytest.mark.parametrize(("kind", "name"), MUST)
def test_a_missing_fact_is_named_with_its_meaning(kind: registry.Kind, name: str) -> None:
    facts = {key: value for key, value in FULL[kind].items() if key != name}
    with pytest.raises(
        ConfigurationError, match=rf"^The \w.* 'made' \(engine.made.module\) does not announce '{name}': ."
    ):
        announce(kind, **facts)


@pytest.mark.parametrize(
    ("kind", "facts", "words"),
    [
        ("model", {"pading": True}, "announces 'pading', which nothing reads. Known: trains, task, views, "),
        ("model", {"views": "yes"}, "announces views='yes'. It is whether views of sequences can be made"),
        ("model", {"task": "guess"}, "has the task 'guess'. Known: next_item, cloze, own, none."),
        ("contrastive_loss", {"negatives": "k"}, "announces 'negatives', which nothing reads. Known: none."),
        ("operator", {"letter": "d"}, "has the letter 'd'. It must be one capital letter, A to Z."),
        ("operator", {"letter": "DD"}, "has the letter 'DD'."),
        ("operator", {"letter": "S"}, "has the letter S of Substitute. Give it another one."),
        ("similarity", {"neighbours": None}, "announces neighbours=None. It is sequences, item count, k, its options"),
    ],
)
def test_a_wrong_fact_is_refused(kind: registry.Kind, facts: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        announce(kind, **FULL[kind] | facts)
    assert f"(engine.made.module) {words}" in f"{refused.value.message} {refused.value.hint}"


def test_what_uses_no_model_must_say_how_it_is_looked_up() -> None:
    with pytest.raises(ConfigurationError, match="uses no model and does not announce 'neighbours'"):
        announce("similarity", uses_memory=True, uses_model=False)
    assert announce("similarity", uses_memory=False, uses_model=True).facts["neighbours"] is None


def test_a_name_is_given_once() -> None:
    announce("study")
    with pytest.raises(ConfigurationError, match=r"has the name of another one, engine\.made\.module:Made"):
        announce("study", target="engine.other.module:Other")
    announce("reader", target="engine.other.module:Other")
    announce("similarity", **FULL["similarity"])
    with pytest.raises(ConfigurationError, match="has the name of another one"):
        announce("similarity", **FULL["similarity"] | {"neighbours": max})


def test_the_configuration_is_made_without_readers_importers_and_studies() -> None:
    """They may import it."""
    code = (
        "import sys, engine.config\n"
        "homes = ('engine.data.readers', 'engine.data.importers', 'engine.studies')\n"
        "print([name for name in sys.modules if name.startswith(homes)])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
