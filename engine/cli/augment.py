"""`coserec augment`: a user's views, many samples, the effect on all users, pairs under an encoder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from engine import registry
from engine.api import Workspace
from engine.api.stored_weights import meant
from engine.cli.frame import data_argument, emit, json_option, refuse_unused, stored_workspace_option, table, tell
from engine.cli.settings import SettingsCommand, config_options
from engine.config import ExperimentConfig, refuse_others_options
from engine.errors import UsageError
from engine.records import (
    AugmentationEffect,
    AugmentationPreview,
    PairSimilarities,
    TokenKind,
    UsedWeights,
    to_plain,
)

_KIND_SIGNS = {TokenKind.KEPT: "", TokenKind.MASKED: "▢", TokenKind.SUBSTITUTED: "S", TokenKind.INSERTED: "+"}
_PART = 16384


@click.command(cls=SettingsCommand)
@data_argument
@click.option("--user", default="", metavar="ID", help="The user's id in the file.")
@click.option(
    "--operator",
    default="policy",
    show_default=True,
    metavar="NAME",
    help=f"policy (Eq. 12), or one of {', '.join(entry.name for entry in registry.entries('operator'))}.",
)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Seed of the draw.")
@click.option(
    "--views", "--samples", type=click.IntRange(1, 1000), default=2, show_default=True, help="How many views."
)
@click.option(
    "--epoch",
    type=click.IntRange(min=1),
    help="The user's two views as a run of these settings makes them in this epoch, by train.seed.",
)
@click.option("--all-users", is_flag=True, help="What the policy makes of all users, two views each.")
@click.option(
    "--source",
    type=click.Choice(["memory", "model", "hybrid"]),
    default="memory",
    show_default=True,
    help="With --all-users: where correlated items come from. The last two need a run or checkpoint.",
)
@click.option("--run", "run_id", default="", metavar="ID", help="Views of all users under this run's encoder.")
@click.option("--checkpoint", default="", metavar="FILE", help="The same with weights from a file.")
@click.option("--batches", type=click.IntRange(min=1), default=8, show_default=True, help="How many the encoder sees.")
@stored_workspace_option
@json_option
@config_options
def augment(
    data: str,
    user: str,
    operator: str,
    seed: int,
    views: int,
    epoch: int | None,
    all_users: bool,
    source: str,
    run_id: str,
    checkpoint: str,
    batches: int,
    workspace: Workspace,
    as_json: bool,
    config: ExperimentConfig,
    settings: Mapping[str, str],
    base: str,
    begun: ExperimentConfig,
    **_: Any,
) -> None:
    """Augmented views of a user, or of all users.

    Made by the code that trains on them. Without --preset, --config and settings, a run's weights are looked at with
    the configuration that they carry.
    """
    if run_id and checkpoint:
        raise UsageError("--run and --checkpoint name two encoders.", "Give one of them.")
    weights = meant(workspace.runs, run_id, checkpoint)
    if weights is not None and not base and not settings:
        config = workspace.evaluations.stored_config(str(weights.path)) or config
    refuse_others_options(config, begun, settings)
    facade = workspace.augmentations
    form = "--all-users" if all_users else "--run" if weights else "--epoch" if epoch is not None else "--user"
    refuse_unused(_USED_BY, form)
    if all_users:
        _tell_effect(_effect(workspace, data, config, seed, source, checkpoint, run_id), seed, as_json)
    elif weights is not None:
        _tell_pairs(_pairs(workspace, data, config, checkpoint, run_id, seed, batches), seed, as_json)
    elif not user:
        raise UsageError("No user is named.", "Give --user ID, or --all-users, or --run ID.")
    elif epoch is not None:
        _tell_views(facade.in_training(data, user, config, epoch - 1), as_json)
    else:
        _tell_views(facade.preview(data, user, config, operator, seed, views), as_json)


_USED_BY = {
    "user": ("--user", "--epoch"),
    "operator": ("--user",),
    "seed": ("--user", "--all-users", "--run"),
    "views": ("--user",),
    "epoch": ("--epoch",),
    "source": ("--all-users",),
    "batches": ("--run",),
}


def _effect(
    workspace: Workspace, data: str, config: ExperimentConfig, seed: int, source: str, checkpoint: str, run: str
) -> AugmentationEffect:
    users = workspace.augmentations.users_to_count(data)
    whole: AugmentationEffect | None = None
    for first in range(0, users, _PART):
        part = workspace.augmentations.effect(data, config, seed, source, checkpoint, first, _PART, run)
        whole = part if whole is None else whole.plus(part)
        if users > _PART:
            tell(f"{min(first + _PART, users):,} of {users:,} users")
    assert whole is not None, "a data set without users is refused"
    return whole


def _pairs(
    workspace: Workspace, data: str, config: ExperimentConfig, checkpoint: str, run: str, seed: int, batches: int
) -> PairSimilarities:
    whole: PairSimilarities | None = None
    for part in range(batches):
        found = workspace.augmentations.pairs(data, config, checkpoint, seed, part, run)
        if found is None:
            break
        whole = found if whole is None else whole.plus(found)
    if whole is None:
        raise UsageError("One user alone has nobody to be compared with.", "Use a data set of more users.")
    return whole


def _weights_row(used: UsedWeights | None) -> list[tuple[str, object]]:
    return [] if used is None else [("weights", used.words())]


def _tell_effect(found: AugmentationEffect, seed: int, as_json: bool) -> None:
    if as_json:
        emit(to_plain(found) | {"seed": seed, "short_share": found.short_share, "means": found.means()})
        return
    means = found.means()
    rows: list[tuple[str, object]] = [
        *_weights_row(found.weights),
        ("users", int(found.users.sum())),
        ("on the short branch", f"{found.short_share:.1%}"),
        ("mean change of length", f"{means['length_shift']:+.2f}"),
        ("items kept", f"{means['kept']:.1%}"),
        ("overlap of a user's two views (Jaccard)", f"{means['overlap']:.1%}"),
        ("substituted and inserted items", found.looked_up),
        ("of these random stand-ins", f"{means['stand_in_share']:.1%}"),
        ("chosen items left for want of a neighbour", found.unmatched),
        ("their mean correlation", f"{means['score']:.3f}"),
        ("other items than memory-based", "unknown" if found.differing is None else found.differing),
    ]
    table(rows)
    columns = zip(found.letters, found.operators.T.tolist(), found.untouched.T.tolist(), strict=True)
    table(
        [(letter, short, long, sum(same)) for letter, (short, long), same in columns],
        ("operator", "short", "long", "untouched"),
    )


def _tell_pairs(found: PairSimilarities, seed: int, as_json: bool) -> None:
    pairs = [
        {"first": a, "second": b, "users": users, "first_share": share} for a, b, users, share in found.by_operators()
    ]
    if as_json:
        emit(to_plain(found) | {"seed": seed, "summary": found.summary(), "by_operators": pairs})
        return
    told = found.summary()
    table(
        [
            *_weights_row(found.weights),
            ("users", int(told["users"])),
            ("similarity", f"{found.similarity}, {found.representation}"),
            ("mean similarity of a user's two views", f"{told['positive_mean']:.3f}"),
            ("mean similarity to other users' views", f"{told['negative_mean']:.3f}"),
            ("partner is the nearest of all", f"{told['first_share']:.1%} (by chance {told['chance']:.1%})"),
            ("median rank of the partner", f"{told['median_rank']:g} of {found.others + 1}"),
        ]
    )
    table(
        [(pair["first"], pair["second"], pair["users"], f"{pair['first_share']:.1%}") for pair in pairs],
        ("operator", "operator", "users", "ranked first"),
    )


def _tell_views(found: AugmentationPreview, as_json: bool) -> None:
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
