"""Commands that look at data: inspect, neighbours, augment, popularity, evaluate, presets, devices."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import click

from engine import config as configuration
from engine import registry
from engine.api import Workspace
from engine.cli.augment import augment
from engine.cli.frame import (
    data_argument,
    emit,
    json_option,
    metric_table,
    refuse_unused,
    stored_workspace_option,
    table,
)
from engine.cli.inspection import inspect
from engine.cli.places import NewFile
from engine.cli.settings import SettingsCommand, config_options
from engine.config import ExperimentConfig, refuse_others_options, refuse_without_effect
from engine.errors import UsageError
from engine.records import NeighbourSummary, to_plain

Split = Literal["valid", "test"]
_split_option = click.option("--split", type=click.Choice(["valid", "test"]), default="test", show_default=True)


@click.command(cls=SettingsCommand)
@data_argument
@click.option("--item", default="", metavar="ID", help="The item's id in the file.")
@click.option(
    "--summary", is_flag=True, help="Every item's best score instead: how many have none, and whom they take."
)
@click.option("--k", type=int, default=10, show_default=True, help="How many neighbours.")
@click.option(
    "--similarity",
    "similarities",
    multiple=True,
    metavar="NAME",
    help=f"{', '.join(entry.name for entry in registry.entries('similarity'))}; may be repeated.  "
    "[default: item_cf, and embedding and hybrid where there is a model]",
)
@click.option("--run", default="", metavar="ID", help="A stored run whose item embeddings are the model's side.")
@click.option("--checkpoint", default="", metavar="FILE", help="The same from a file of weights.")
@click.option("--csv", "csv_file", type=NewFile(), help="Write the neighbours to this file too.")
@json_option
@config_options
@stored_workspace_option
def neighbours(
    data: str,
    item: str,
    summary: bool,
    k: int,
    similarities: tuple[str, ...],
    run: str,
    checkpoint: str,
    csv_file: Path | None,
    as_json: bool,
    config: ExperimentConfig,
    settings: Mapping[str, str],
    base: str,
    begun: ExperimentConfig,
    workspace: Workspace,
    **_: Any,
) -> None:
    """The items most correlated with an item.

    Memory-based (Eq. 9), by a model's embeddings (Eq. 10) and the hybrid's choice (Eq. 11), side by side. Without
    --preset, --config and settings, a run's weights are looked at with the configuration that they carry.
    """
    if bool(item) == summary:
        raise UsageError("Which item is meant?", "Give --item ID, or --summary for all of them.")
    refuse_unused({"csv_file": ("--item",), "k": ("--item",)}, "--summary" if summary else "--item")
    # --similarity chooses here, similarity.name does not.
    refuse_others_options(config, begun, settings, sections=("loss",))
    asked = config if base or settings else None
    found_in = workspace.neighbours
    if summary:
        whole = found_in.summary(data, similarities, run=run, checkpoint=checkpoint, config=asked)
        emit(to_plain(whole)) if as_json else _tell_summary(whole)
        return
    found = found_in.compare(data, item, k, similarities, run=run, checkpoint=checkpoint, config=asked)
    if csv_file:
        found_in.export(found, csv_file)
    if as_json:
        first = found.columns[0]
        # The first similarity also stands at the top, so that a single one needs no index.
        top = {"similarity": first.similarity, "neighbours": to_plain(first.neighbours), "note": first.note}
        emit(to_plain(found) | top)
        return
    click.echo(f"{found.item.item} {found.item.title} · {found.item.users:,} users")
    if found.choice:
        click.echo(f"the hybrid takes {found.choice.taken}: {found.choice.reason}")
    if found.weights:
        click.echo(f"weights: {found.weights.words()}")
    for column in found.columns:
        click.echo(f"\n{column.similarity} · {column.label}")
        if column.note:
            click.echo(column.note)
        table(
            [(n.item, n.score, n.normalised, n.shared_users, n.users, n.title) for n in column.neighbours],
            ("item", "score", "normalised", "shared users", "users", "title"),
        )


def _tell_summary(found: NeighbourSummary) -> None:
    table(
        [
            (top.similarity, top.items, top.without, f"{top.without_share:.2%}", top.median, top.normalised_median)
            for top in found.tops
        ],
        ("similarity", "items", "without", "share", "median best", "normalised"),
    )
    if found.weights is not None:
        click.echo(f"weights: {found.weights.words()}")
    if found.taken is not None:
        shares = (f"{side} {items:,} ({items / max(found.items, 1):.1%})" for side, items in found.taken.items())
        click.echo("the hybrid takes: " + ", ".join(shares))


@click.command()
@data_argument
@click.option("--count-everything", is_flag=True, help="Count the held-out items too, as the paper's table does.")
@click.option("--ties", type=click.Choice(["optimistic", "pessimistic", "mean", "id"]), default="id", show_default=True)
@_split_option
@json_option
def popularity(data: str, count_everything: bool, ties: str, split: Split, as_json: bool) -> None:
    """PopRec's full-ranking metrics."""
    found = Workspace().evaluations.popularity(data, count_everything=count_everything, split=split, ties=ties)
    if as_json:
        emit({"metrics": found})
    else:
        metric_table({split: found})


@click.command(cls=SettingsCommand)
@data_argument
@click.option(
    "--checkpoint",
    required=True,
    metavar="FILE",
    help="best.pt or checkpoint.pt of a run, or one with the names of the authors' weights.",
)
@_split_option
@json_option
@config_options
def evaluate(
    data: str,
    checkpoint: str,
    split: Split,
    as_json: bool,
    config: ExperimentConfig,
    settings: Mapping[str, str],
    base: str,
    begun: ExperimentConfig,
    **_: Any,
) -> None:
    """Full-ranking metrics of stored weights.

    Ours, or the authors'. Without --preset and --config, a checkpoint of ours is evaluated with the
    configuration that it carries.
    """
    evaluations = Workspace().evaluations
    if not base:
        begun = evaluations.stored_config(checkpoint) or begun
        config = begun.replace(settings)
    refuse_without_effect((config,), begun, settings)
    found = evaluations.checkpoint(data, checkpoint, config, split)
    if as_json:
        emit({"metrics": found})
    else:
        metric_table({split: found})


@click.command()
@json_option
def presets(as_json: bool) -> None:
    """The configurations to begin from."""
    found = configuration.presets()
    if as_json:
        listed = [
            {
                "name": preset.name,
                "aliases": list(preset.aliases),
                "title": preset.title,
                "description": preset.description,
                "source": preset.source,
                "config": preset.config.model_dump(mode="json"),
            }
            for preset in found
        ]
        emit({"presets": listed})
    else:
        table([(", ".join((preset.name, *preset.aliases)), preset.title, preset.description) for preset in found])


@click.command()
@json_option
def devices(as_json: bool) -> None:
    """What a run can compute on."""
    found = Workspace().runs.devices()
    if as_json:
        emit({"devices": [to_plain(device) for device in found]})
        return
    rows = [(d.name, d.label, _gibibytes(d.free_memory), _gibibytes(d.total_memory), d.note) for d in found]
    table(rows, ("device", "", "free", "total", ""))


def _gibibytes(size: int | None) -> str:
    return "–" if size is None else f"{size / 2**30:.1f} GiB"


COMMANDS = (inspect, neighbours, augment, popularity, evaluate, presets, devices)
