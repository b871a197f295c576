"""Commands about results: compare, check, paper."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, TypeGuard

import click

from engine.api import Workspace
from engine.api.comparisons import FIGURES, refuse_beside_validation
from engine.cli.frame import emit, json_option, refuse_unused, span, spread, stored_workspace_option, table
from engine.cli.places import NewFile
from engine.config import STOPPING_METRIC
from engine.errors import UsageError
from engine.records import Comparison, PaperNumbers, ResultTable, SliceTable, to_plain

Groups = tuple[tuple[str, ...], ...]
_FIGURES = (".pdf", ".svg", ".png")
_TABLES = (".tex", ".csv", ".parquet")


@click.command()
@click.argument("run_ids", metavar="RUN...", nargs=-1, required=True)
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    callback=lambda _context, _parameter, names: tuple(name.upper() for name in names),
    help="HR@k, NDCG@k or MRR; may be repeated. Without: all.",
)
@click.option("--split", type=click.Choice(["test", "valid"]), default="test", show_default=True, help="Whose targets.")
@click.option("--baseline", metavar="RUN", help="A run of the group that the others are tested against; the first.")
@click.option(
    "--pairs",
    type=click.Choice(["baseline", "all"]),
    default="baseline",
    show_default=True,
    help="Test each group against the baseline, or each against each.",
)
@click.option("--each", is_flag=True, help="Every run by itself; without it, seeds of one configuration are a group.")
@click.option("--label", "labels", multiple=True, help="A group's name, in their order; may be repeated.")
@click.option("--by", type=click.Choice(["length", "popularity"]), help="Also the first metric by parts of the users.")
@click.option(
    "--paper", "models", multiple=True, metavar="MODEL", help="A column of Table 2 to set beside; repeatable."
)
@click.option(
    "--output",
    type=NewFile(),
    help=".tex, .csv or .parquet for the table, .json for everything, .pdf, .svg or .png for a figure.",
)
@click.option("--figure", type=click.Choice(FIGURES), default="bars", show_default=True, help="What a figure shows.")
@click.option(
    "--width",
    type=click.Choice(["column", "text", "lncs", "slide"]),
    default="column",
    show_default=True,
    help="Of a figure.",
)
@click.option("--along", type=click.Choice(["epoch", "time"]), default="epoch", show_default=True, help="x of curves.")
@click.option("--series", metavar="NAME", help="Of curves: valid/METRIC, loss/NAME. Without: the --metric.")
@click.option("--field", default="train.seed", show_default=True, help="Setting of the scatter.")
@stored_workspace_option
@json_option
def compare(
    run_ids: tuple[str, ...],
    metrics: tuple[str, ...],
    split: Literal["test", "valid"],
    baseline: str | None,
    pairs: Literal["baseline", "all"],
    each: bool,
    labels: tuple[str, ...],
    by: str | None,
    models: tuple[str, ...],
    output: Path | None,
    figure: str,
    width: str,
    along: Literal["epoch", "time"],
    series: str | None,
    field: str,
    workspace: Workspace,
    as_json: bool,
) -> None:
    """Metrics, intervals and paired tests of runs.

    Runs that differ in their seed alone are one group: mean ± standard deviation over seeds. Groups are compared on the
    users they share: Wilcoxon's signed-rank test, Holm-adjusted, with the bootstrap interval of the difference.

    Runs on several data sets can only be set side by side, as a table: with --output FILE.tex, .csv or .parquet.
    """
    _refuse_suffix(output)
    api = workspace.comparisons
    groups: Groups = tuple((run_id,) for run_id in run_ids) if each else api.groups(run_ids)
    first = _baseline(workspace, groups, baseline)
    _refuse_without_effect(groups, labels, output, figure)
    _refuse_paper(workspace, groups, models, split)
    if _is_table(output) and _are_of_several(workspace, groups):
        made = api.table(groups, metrics=metrics, split=split, labels=labels, baseline=first, paper=models)
        _tell_table(made, api.export_table(made, output), as_json)
        return
    found = api.compare(groups, metrics=metrics, split=split, pairs=pairs, baseline=first, labels=labels)
    cut = api.slices(groups, found.metrics[0], by, split, first) if by else None
    if output is not None and output.suffix.lower() in _FIGURES:
        drawn = series or f"valid/{metrics[0] if metrics else STOPPING_METRIC}"
        told = {"metric": found.metrics[0], "split": split, "width": width, "labels": labels, "along": along}
        api.figure(figure, groups, output, field=field, series=drawn, paper=models, **told)  # type: ignore[arg-type]
    elif _is_table(output):
        made = api.table(groups, metrics=metrics, split=split, labels=labels, baseline=first, paper=models)
        api.export_table(made, output)
    elif output is not None:
        api.export(found, output)
    _tell(workspace, found, cut, models, output, as_json)


def _tell(
    workspace: Workspace,
    found: Comparison,
    cut: SliceTable | None,
    models: Sequence[str],
    output: Path | None,
    as_json: bool,
) -> None:
    """The comparison, its slices, the paper's numbers beside it, and where it was written."""
    api = workspace.comparisons
    cells = [cell for cell in api.paper(found.groups[0].dataset).cells if cell.table == 2 and cell.model in models]
    notes = api.of_other_data(found)
    if as_json:
        tree = to_plain(found) | {"slices": to_plain(cut), "output": str(output) if output else None}
        emit(tree | ({"paper": to_plain(cells), "paper_notes": list(notes)} if models else {}))
        return
    _print(found)
    if cut is not None:
        click.echo()
        _print_slices(cut, found, found.baseline)
    if cells:
        click.echo()
        _print_paper(PaperNumbers("", tuple(cells)), notes)
    if output is not None:
        click.echo(f"\nWritten: {output}")


def _refuse_suffix(output: Path | None) -> None:
    """Before anything is computed: what the facade says, it says of one kind of file."""
    if output is not None and output.suffix.lower() not in (*_TABLES, ".json", *_FIGURES):
        raise UsageError(
            f"A comparison cannot be a '{output.suffix or 'nameless'}' file.",
            "Name a .tex, .csv or .parquet file for the table, .json for everything, .pdf, .svg or .png for a figure.",
        )


def _is_table(output: Path | None) -> TypeGuard[Path]:
    return output is not None and output.suffix.lower() in _TABLES


def _refuse_without_effect(groups: Groups, labels: Sequence[str], output: Path | None, figure: str) -> None:
    if len(labels) > len(groups):
        raise UsageError(f"{len(labels)} labels are more than the groups, {len(groups)}.", "Give at most one a group.")
    is_figure = output is not None and output.suffix.lower() in _FIGURES
    form = "--output FILE.pdf"
    refuse_unused(dict.fromkeys(("figure", "width", "along", "series", "field"), (form,)), form if is_figure else "")
    if is_figure:
        curves, scatter = ("--figure curves",), ("--figure scatter",)
        refuse_unused({"along": curves, "series": curves, "field": scatter}, f"--figure {figure}")


def _are_of_several(workspace: Workspace, groups: Groups) -> bool:
    """Whether the groups are of several data sets; then raises ``UsageError`` for what such a table has not."""
    if len({workspace.runs.get(group[0]).fingerprint for group in groups}) < 2:
        return False
    one = ("runs on one data set",)
    refuse_unused({"by": one, "pairs": one}, "runs on several data sets")
    return True


def _tell_table(made: ResultTable, path: Path, as_json: bool) -> None:
    """A table over several data sets, and where it was written."""
    if as_json:
        emit(to_plain(made) | {"output": str(path)})
        return
    rows = [
        [name, *("–" if cell is None else spread(cell.mean, cell.std) + "!" * bool(cell.fault) for cell in cells)]
        for name, cells in zip(made.rows, made.cells, strict=True)
    ]
    table(rows, [made.split, *(f"{dataset} {metric}" for dataset, metric in made.columns)])
    faults = [cell.fault for cells in made.cells for cell in cells if cell is not None and cell.fault]
    for text in dict.fromkeys([*(f"! {fault}" for fault in faults), *made.notes]):
        click.echo(f"\n{text}")
    click.echo(f"\nWritten: {path}")


def _baseline(workspace: Workspace, groups: Groups, baseline: str | None) -> int:
    if not baseline:
        return 0
    wanted = workspace.runs.get(baseline).id
    ids = [{workspace.runs.get(run_id).id for run_id in group} for group in groups]
    place = next((number for number, members in enumerate(ids) if wanted in members), None)
    if place is None:
        raise UsageError(f"Run {wanted} is not compared, so it cannot be the baseline.", "Name it among the runs too.")
    return place


def _refuse_paper(workspace: Workspace, groups: Groups, models: Sequence[str], split: str) -> None:
    """Raises ``UsageError`` for a model and for data without a number in Table 2, and beside validation."""
    refuse_beside_validation(models, split)
    numbers = workspace.comparisons.paper()
    known = dict.fromkeys(cell.model for cell in numbers.cells if cell.table == 2)
    for model in models:
        if model not in known:
            raise UsageError(f"The paper's Table 2 has no '{model}'.", f"It has {', '.join(known)}.")
    names = dict.fromkeys(workspace.runs.get(group[0]).dataset for group in groups)
    if models and not any(workspace.comparisons.paper(name).cells for name in names):
        datasets = dict.fromkeys(cell.dataset for cell in numbers.cells)
        raise UsageError(f"The paper has no numbers for {', '.join(names)}.", f"It has them for {', '.join(datasets)}.")


def _print(found: Comparison) -> None:
    rows: list[list[Any]] = []
    for number, group in enumerate(found.groups):
        cells = [group.label, str(group.n)]
        for metric in found.metrics:
            item = found.measure(number, metric)
            assert item is not None
            cells.append(spread(item.mean, item.std))
        minutes = [f"{value:.1f}" for value in group.minutes if value is not None]
        cells += [span(group.epochs) + "!" * bool(group.out_of_time), span(minutes)]
        rows.append(cells)
    users = f", {found.users:,} users" if found.users else ""  # whose ranks are kept
    table(rows, [f"{found.split}{users}", "n", *found.metrics, "epochs", "minutes"])
    if any(group.out_of_time for group in found.groups):
        click.echo("! ended because their time was spent (train.max_minutes)")
    if found.tests:
        _print_tests(found)
    changed = [item for item in found.settings if item.differs]
    if changed:
        click.echo("\nDiffering settings")
        table([[item.path, *("–" if value is None else str(value) for value in item.values)] for item in changed])
    for number, problem in found.implausible:
        click.secho(f"\n{found.groups[number].label}: {problem.message}", fg="red")
    for note in found.notes:
        click.echo(f"\n{note}")


def _print_tests(found: Comparison) -> None:
    names = [group.label for group in found.groups]
    click.echo(
        f"\nPaired over users; intervals: bootstrap, BCa, {found.level:.0%}; p: Wilcoxon; Holm over {found.family}"
    )
    rows = [
        [
            item.metric,
            f"{names[item.second]} − {names[item.first]}",
            f"{item.difference:+.4f}",
            f"[{item.low:+.4f}, {item.high:+.4f}]",
            "–" if item.relative is None else f"{item.relative:+.1%}",
            f"{item.p:.2g}",
            f"{item.p_holm:.2g}",
            f"{item.effect:+.3f}",
            f"{item.rank_biserial:+.3f}",
            "–" if item.p_seeds is None else f"{item.p_seeds:.2g}",
        ]
        for item in found.tests
    ]
    heads = ["metric", "difference", "", "interval", "relative", "p", "Holm", "d", "rank-biserial", "p over seeds"]
    table(rows, heads)


def _print_slices(cut: SliceTable, found: Comparison, baseline: int) -> None:
    """Means with their intervals, and how much of each group's difference from the baseline a bucket makes."""
    rows: list[list[Any]] = [[label, int(users)] for label, users in zip(cut.labels, cut.users, strict=True)]
    heads = [f"{cut.metric} by {cut.kind}", "users"]
    for number, group in enumerate(found.groups):
        heads += [group.label, "interval"]
        if number != baseline:
            heads.append("of the difference")
        for place, row in enumerate(rows):
            row.append(f"{cut.means[number, place]:.4f}")
            row.append(f"[{cut.lows[number, place]:.4f}, {cut.highs[number, place]:.4f}]")
            if number != baseline:
                row.append(f"{cut.shares[number, place]:+.4f}")
    table(rows, heads)


@click.command()
@click.argument("numbers", metavar="METRIC=VALUE...", nargs=-1, required=True)
@click.option(
    "--digits",
    type=click.IntRange(0, 12),
    default=4,
    show_default=True,
    help="Decimals that the numbers are rounded to.",
)
@json_option
def check(numbers: tuple[str, ...], digits: int, as_json: bool) -> None:
    """Whether printed HR@k and NDCG@k can belong together.

    With one target a user, NDCG can only rise with HR, and by how much is bounded. For instance:
    coserec check HR@5=.0242 NDCG@5=.0388
    """
    metrics: dict[str, float] = {}
    for text in numbers:
        name, _, value = text.partition("=")
        kind, _, k = name.upper().partition("@")
        if name.upper() in metrics:
            raise UsageError(f"{name.upper()} is given twice.", "Give each metric once.")
        try:
            metrics[name.upper()] = float(value)
        except ValueError:
            raise UsageError(f"'{text}' is not METRIC=VALUE.", "Write for instance HR@5=.0242.") from None
        if name.upper() != "MRR" and not (kind in ("HR", "NDCG") and k.isdecimal() and int(k) > 0):
            raise UsageError(f"There is no metric '{name}'.", "Known: HR@k, NDCG@k, MRR.")
    found = Workspace().comparisons.check(metrics, digits=digits)
    if as_json:
        emit({"plausible": not found, "implausible": [to_plain(item) for item in found]})
        return
    for item in found:
        click.echo(item.message)
    if not found:
        click.echo("These numbers can belong together.")


@click.command()
@click.argument("dataset", default="")
@json_option
def paper(dataset: str, as_json: bool) -> None:
    """The paper's Tables 2 to 4, with their known faults.

    DATASET is Beauty, Sports or Yelp; without it, all of them.
    """
    found = Workspace().comparisons.paper(dataset)
    if not found.cells:
        raise UsageError(f"The paper has no data set '{dataset}'.", "It has Beauty, Sports and Yelp.")
    if as_json:
        emit(to_plain(found))
        return
    _print_paper(found)


def _print_paper(found: PaperNumbers, notes: Sequence[str] = ()) -> None:
    metrics = list(dict.fromkeys(name for cell in found.cells for name in cell.metrics))
    rows = [
        [
            f"Table {cell.table}",
            cell.dataset,
            cell.model + ("!" if any(not fault for fault, _ in cell.faults) else ""),
            *(
                f"{cell.metrics[name]:.4f}{'!' if any(fault == name for fault, _ in cell.faults) else ''}"
                if name in cell.metrics
                else "–"
                for name in metrics
            ),
        ]
        for cell in found.cells
    ]
    table(rows, ["paper", "data", "model", *metrics])
    for cell in found.cells:
        for metric, text in cell.faults:
            click.echo(f"! Table {cell.table}, {cell.dataset}, {cell.model}{f' {metric}' if metric else ''}: {text}")
    for note in notes:
        click.echo(f"! {note}")


COMMANDS = (compare, check, paper)
