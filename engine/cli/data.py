"""Commands that look at data: inspect, neighbours, augment, popularity, evaluate, presets, devices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import click

from engine import config as configuration
from engine import registry
from engine.api import Workspace
from engine.cli.frame import data_argument, emit, json_option, metric_table, table
from engine.cli.inspection import inspect
from engine.cli.settings import SettingsCommand, config_options
from engine.config import ExperimentConfig
from engine.records import TokenKind, to_plain

Split = Literal["valid", "test"]
_split_option = click.option("--split", type=click.Choice(["valid", "test"]), default="test", show_default=True)
_KIND_SIGNS = {TokenKind.KEPT: "", TokenKind.MASKED: "▢", TokenKind.SUBSTITUTED: "S", TokenKind.INSERTED: "+"}


@click.command()
@data_argument
@click.option("--item", required=True, metavar="ID", help="The item's id in the file.")
@click.option("--k", type=int, default=10, show_default=True, help="How many neighbours.")
@click.option("--similarity", default="item_cf", show_default=True, metavar="NAME", help="Item correlation.")
@json_option
def neighbours(data: str, item: str, k: int, similarity: str, as_json: bool) -> None:
    """The items most correlated with an item."""
    found = Workspace().neighbours.of(data, item, k, similarity)
    if as_json:
        emit(to_plain(found))
        return
    click.echo(f"{found.item.item} {found.item.title} · {found.item.users:,} users · {found.similarity}")
    if found.note:
        click.echo(found.note)
    table(
        [(n.item, n.score, n.normalised, n.shared_users, n.users, n.title) for n in found.neighbours],
        ("item", "score", "normalised", "shared users", "users", "title"),
    )


@click.command(cls=SettingsCommand)
@data_argument
@click.option("--user", required=True, metavar="ID", help="The user's id in the file.")
@click.option(
    "--operator",
    default="policy",
    show_default=True,
    metavar="NAME",
    help=f"policy (Eq. 12), or one of {', '.join(entry.name for entry in registry.entries('operator'))}.",
)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Seed of the draw.")
@click.option("--views", type=click.IntRange(1, 1000), default=1, show_default=True, help="How many views.")
@json_option
@config_options
def augment(
    data: str,
    user: str,
    operator: str,
    seed: int,
    views: int,
    as_json: bool,
    config: ExperimentConfig,
    **_: Any,
) -> None:
    """Augmented views of a user's training input.

    Made by the code that trains on them.
    """
    found = Workspace().augmentations.preview(data, user, config, operator, seed, views)
    if as_json:
        each = [
            {
                "operator": view.operator,
                "letter": view.letter,
                "view": [token.item for token in view.tokens],
                "offsets": list(view.offsets),
                "sources": [token.source for token in view.tokens],
                "kinds": [token.kind.name.lower() for token in view.tokens],
                "scores": [token.score for token in view.tokens],
                "dropped": list(view.dropped),
                "reordered": list(view.reordered) if view.reordered else None,
                "note": view.note,
            }
            for view in found.views
        ]
        head = {"user": found.user, "original": [token.item for token in found.original], "branch": found.branch}
        # The first view also stands at the top, so that one view needs no index.
        emit(head | {"short_length": found.short_length, "seed": found.seed} | each[0] | {"views": each})
        return
    click.echo(f"user {found.user} · {len(found.original)} items · {found.branch} (K = {found.short_length})")
    click.echo("original  " + " ".join(token.item for token in found.original))
    for view in found.views:
        tokens = (f"{_KIND_SIGNS[token.kind]}{token.item}@{token.source}" for token in view.tokens)
        click.echo(f"{view.operator:<9} " + " ".join(tokens) + (f"   ({view.note})" if view.note else ""))
    click.echo("item@position in the original; ▢ masked, S substituted, + inserted", err=True)


@click.command()
@data_argument
@click.option("--count-everything", is_flag=True, help="Count the held-out items too, as the paper's table does (F21).")
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
@click.option("--checkpoint", required=True, metavar="FILE", help="best.pt or checkpoint.pt of a run, or F20's names.")
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
    **_: Any,
) -> None:
    """Full-ranking metrics of stored weights.

    Ours, or the authors' (FACTS F20). Without --preset and --config, a checkpoint of ours is evaluated with the
    configuration that it carries.
    """
    evaluations = Workspace().evaluations
    if not base:
        config = (evaluations.stored_config(checkpoint) or ExperimentConfig()).replace(settings)
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
                "title": preset.title,
                "description": preset.description,
                "source": preset.source,
                "config": preset.config.model_dump(mode="json"),
            }
            for preset in found
        ]
        emit({"presets": listed})
    else:
        table([(preset.name, preset.title, preset.description) for preset in found])


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
