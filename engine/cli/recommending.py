"""Commands about single users: what runs recommend to one, and on whom runs disagree."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import click

from engine.api import Workspace
from engine.api.recommendations import Recommending
from engine.cli.frame import emit, json_option, stored_workspace_option, table
from engine.cli.places import NewFile
from engine.errors import UsageError
from engine.records import FoundUsers, Recommendations, RunRecommendation, to_plain

LETTERS = "ABC"
"""Runs by their order on the command line and on the screen."""
SHOWN = 5
"""Keys of an attention that are printed; JSON has all."""

_split = click.option(
    "--split", type=click.Choice(["test", "valid"]), default="test", show_default=True, help="Whose targets."
)


@click.command()
@click.argument("run_ids", metavar="RUN...", nargs=-1, required=True)
@click.option("--user", "user", metavar="ID", help="An id of the data file.")
@click.option("--all-users", is_flag=True, help="One run's list for every user, into the file of --output.")
@_split
@click.option("--top", type=click.IntRange(1, 1000), default=20, show_default=True, help="Items of each list.")
@click.option("--attention", is_flag=True, help="What each head's last query looks at; with --json all weights (§3.2).")
@click.option(
    "--csv", "--output", "output", type=NewFile(), help="Write the lists here too: .csv; all users' .parquet."
)
@stored_workspace_option
@json_option
def recommend(
    run_ids: tuple[str, ...],
    user: str | None,
    all_users: bool,
    split: Literal["test", "valid"],
    top: int,
    attention: bool,
    output: Path | None,
    workspace: Workspace,
    as_json: bool,
) -> None:
    """What one to three runs recommend to a user: history, target, lists with scores, the target's rank.

    Each run ranks by its best weights and its own rules, as in its evaluation; ranks count from 1. In JSON, a rank of
    null is a target that is never ranked: it stands in the history, which is excluded.

    With --all-users and --output FILE.csv or .parquet, one run's list of every evaluated user, a row an item.
    """
    api = workspace.recommendations
    if all_users and attention:
        raise UsageError("Attention is shown of one user.", "Write --user ID, or leave --attention out.")
    if output is not None and not all_users and output.suffix.lower() != ".csv":
        raise UsageError(f"One user's lists are written as CSV, not to '{output.name}'.", "Name a .csv file.")
    if all_users:
        _write_all(api, run_ids, user, split, top, output, as_json)
        return
    if user is None:
        raise UsageError("Whom are the items for?", "Write --user ID, or --all-users and --output FILE.")
    found = api.of(run_ids, user, split=split, top=top, attention=attention)
    if output is not None:
        api.export(found, output)
    if as_json:
        emit(to_plain(found) | {"output": str(output) if output else None})
        return
    _print(found)
    if output is not None:
        click.echo(f"\nWritten: {output}")


def _write_all(
    api: Recommending,
    run_ids: tuple[str, ...],
    user: str | None,
    split: Literal["test", "valid"],
    top: int,
    output: Path | None,
    as_json: bool,
) -> None:
    if len(run_ids) != 1 or user is not None or output is None:
        raise UsageError(
            "--all-users writes the lists of one run to a file.", "Write RUN --all-users --output FILE.csv or .parquet."
        )
    with click.progressbar(length=1000, label="Writing lists", file=sys.stderr) as bar:
        rows = api.write_all(
            run_ids[0], output, split=split, top=top, told=lambda done, of: bar.update(1000 * done // of - bar.pos)
        )
    if as_json:
        emit({"run": run_ids[0], "split": split, "top": top, "rows": rows, "output": str(output)})
    else:
        click.echo(f"Written: {output}, {rows:,} rows")


@click.command()
@click.argument("run_id", metavar="RUN")
@click.option("--output", type=NewFile(), required=True, help="A .npz, .csv or .parquet file.")
@stored_workspace_option
@json_option
def embeddings(run_id: str, output: Path, workspace: Workspace, as_json: bool) -> None:
    """Write the item embeddings of a run's best weights, with ids and titles.

    The .npz holds the arrays items, titles and vectors [items, width]; the tables have one row an item.
    """
    items, width = workspace.recommendations.write_embeddings(run_id, output)
    if as_json:
        emit({"run": run_id, "items": items, "width": width, "output": str(output)})
    else:
        click.echo(f"Written: {output}, {items:,} items of width {width}")


def rank_text(rank: float) -> str:
    """``12``, ``12.5``, or ``never`` for a target that cannot be listed."""
    return "never" if math.isinf(rank) else f"{rank:,.10g}"


def _print(found: Recommendations) -> None:
    click.echo(f"{found.dataset}, user {found.user}: {len(found.history)} items before the {found.split} target")
    table([(row.place, row.item, row.title, "target" if row.is_target else "") for row in found.history])
    click.echo(f"target: {found.target.item}  {found.target.title}".rstrip())
    for note in found.notes:
        click.echo(note)
    for letter, run in zip(LETTERS, found.runs, strict=False):
        _print_run(letter, run, len(found.runs))


def _print_run(letter: str, run: RunRecommendation, runs: int) -> None:
    epoch = "" if run.epoch is None else f", weights of epoch {run.epoch}"
    click.echo(f"\n{letter} · {run.name} · {run.run}{epoch}")
    click.echo(f"the target's rank: {rank_text(run.rank)} of {run.candidates:,}")

    def marks(is_target: bool, lists: int) -> str:
        words = (["target"] if is_target else []) + ([f"in {lists} lists"] if runs > 1 and lists > 1 else [])
        return ", ".join(words)

    table(
        [(row.place, row.item, f"{row.score:.4f}", marks(row.is_target, row.lists), row.title) for row in run.items],
        ("", "item", "score", "", "title"),
    )
    for note in run.notes:
        click.echo(note)
    if run.attention is not None:
        _print_attention(run)
    elif not run.has_attention:
        click.echo(f"{run.model} has no attention weights.")


def _print_attention(run: RunRecommendation) -> None:
    found = run.attention
    assert found is not None
    click.echo(f"the last query's attention over {len(found.items)} tokens, the largest {SHOWN}:")
    rows: list[list[Any]] = []
    for layer in range(found.layers):
        for head in range(found.heads):
            weights = found.chosen(layer, head)[-1]
            order = (-weights).argsort(kind="stable")[:SHOWN].tolist()
            seen = ", ".join(f"{found.items[key]} {weights[key]:.3f}" for key in order)
            rows.append([f"layer {layer + 1}", f"head {head + 1}", seen])
    table(rows)


@click.command()
@click.argument("run_ids", metavar="RUN...", nargs=-1, required=True)
@click.option("--right", multiple=True, metavar="RUN", help="Has the target among its first k; A, B, C or an id.")
@click.option("--wrong", multiple=True, metavar="RUN", help="Has it not; may be repeated, as --right.")
@click.option("--k", type=click.IntRange(min=1), default=10, show_default=True, help="Right is what HR@k counts.")
@_split
@click.option("--shortest", type=click.IntRange(min=0), default=0, help="Least length of the training input.")
@click.option("--longest", type=click.IntRange(min=0), help="Greatest length of the training input.")
@click.option(
    "--sort",
    type=click.Choice(["difference", "rank", "length", "file"]),
    default="difference",
    show_default=True,
    help="By how many places the first run is better, its rank, the length, or the file's order.",
)
@click.option("--reverse", "is_reversed", is_flag=True, help="The other way round.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="Users listed.")
@stored_workspace_option
@json_option
def users(
    run_ids: tuple[str, ...],
    right: tuple[str, ...],
    wrong: tuple[str, ...],
    k: int,
    split: Literal["test", "valid"],
    shortest: int,
    longest: int | None,
    sort: str,
    is_reversed: bool,
    limit: int,
    workspace: Workspace,
    as_json: bool,
) -> None:
    """Users that one to three runs are right or wrong about, from the stored ranks.

    Runs are called A, B and C by their order: `coserec users RUN RUN --right A --wrong B` lists the users whose target
    the first has among its first k and the second has not. Without --right and --wrong: all users.
    """
    if longest is not None and longest < shortest:
        raise UsageError(f"No length is at least {shortest} and at most {longest}.", "Give --shortest the smaller one.")
    found = workspace.recommendations.users(
        run_ids,
        right=right,
        wrong=wrong,
        k=k,
        split=split,
        shortest=shortest,
        longest=longest,
        order=sort,
        is_reversed=is_reversed,
        limit=limit,
    )
    if as_json:
        emit(to_plain(found))
        return
    _print_users(found)


def outcome_words(right: Sequence[int], runs: int) -> str:
    """``A right, B wrong``: one combination in words."""
    return ", ".join(f"{LETTERS[place]} {'right' if place in right else 'wrong'}" for place in range(runs))


def _print_users(found: FoundUsers) -> None:
    letters = LETTERS[: len(found.runs)]
    for letter, run in zip(letters, found.runs, strict=True):
        click.echo(f"{letter} = {run}")
    click.echo(
        f"{found.split}, right is a rank that HR@{found.k} counts; {found.in_range:,} of {found.evaluated:,} users"
    )
    table([(outcome_words(item.right, len(found.runs)), item.users) for item in found.outcomes])
    click.echo(f"\n{found.count:,} users match; {len(found.ids):,} listed")
    one, other = (letters[place] for place in found.between)
    rows = [
        [user, length, *(rank_text(rank) for rank in ranks), f"{difference:+,.10g}"]
        for user, length, ranks, difference in zip(
            found.ids, found.lengths.tolist(), found.ranks.tolist(), found.differences.tolist(), strict=True
        )
    ]
    table(rows, ["user", "input", *(f"rank {letter}" for letter in letters), f"{other} − {one}"])


COMMANDS = (recommend, embeddings, users)
