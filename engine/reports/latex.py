"""A table of results as LaTeX (booktabs): best bold, second underlined, ± over seeds, marks of significance."""

from __future__ import annotations

from collections.abc import Sequence

from engine.records import ResultCell, ResultTable

MARKS = ((0.001, "***"), (0.01, "**"), (0.05, "*"))
"""Highest Holm-adjusted p of each mark."""
PACKAGES = r"\usepackage{booktabs}"

_GREEK = {
    **{"α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta", "η": "eta", "θ": "theta"},
    **{"κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau"},
    **{"φ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega"},
}
_ESCAPES = {
    "\\": r"\textbackslash{}",
    **{letter: "\\" + letter for letter in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    **{letter: f"$\\{name}$" for letter, name in _GREEK.items()},
    "±": r"$\pm$",
    "×": r"$\times$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "−": r"$-$",
    "→": r"$\rightarrow$",
    "Δ": r"$\Delta$",
    "∞": r"$\infty$",
    "₁": r"$_1$",
    "₂": r"$_2$",
    "–": "--",
    "—": "---",
    "…": r"\ldots{}",
    "·": r"$\cdot$",
    "“": "``",
    "”": "''",
    "\n": " ",
}


def escape(text: str) -> str:
    """``text`` as LaTeX prints it, whatever signs it has.

    >>> escape("λ_1 = 50 %")
    '$\\\\lambda$\\\\_1 = 50 \\\\%'
    """
    return "".join(_ESCAPES.get(letter, letter) for letter in text)


def mark(p: float | None) -> str:
    """The mark of an adjusted p: ``***`` up to .001, ``**`` up to .01, ``*`` up to .05."""
    return "" if p is None else next((stars for highest, stars in MARKS if p <= highest), "")


def latex(table: ResultTable, *, caption: str = "", label: str = "tab:results", digits: int = 4) -> str:
    """A ``table`` environment that compiles with booktabs alone; comments carry run ids and hashes."""
    many = len(dict.fromkeys(dataset for dataset, _ in table.columns)) > 1
    lines = [f"% {line}" for line in provenance(table)]
    lines += [f"% needs {PACKAGES}", r"\begin{table}", r"  \centering", f"  \\caption{{{_caption(table, caption)}}}"]
    lines += [f"  \\label{{{label}}}", f"  \\begin{{tabular}}{{l{'r' * len(table.columns)}}}", r"    \toprule"]
    lines += _datasets(table) if many else []
    heads = " & ".join(escape(metric) for _, metric in table.columns)
    lines += [f"    Model & {heads} \\\\", r"    \midrule"]
    was_reference = False
    for name, cells in zip(table.rows, table.cells, strict=True):
        is_reference = all(cell is None or cell.is_reference for cell in cells)
        if is_reference and not was_reference and lines[-1] != r"    \midrule":
            lines.append(r"    \midrule")
        was_reference = is_reference
        lines.append(f"    {_row_name(name)} & {' & '.join(_cell(cell, digits) for cell in cells)} \\\\")
    lines += [r"    \bottomrule", r"  \end{tabular}", r"\end{table}"]
    return "\n".join(lines) + "\n"


def _row_name(name: str) -> str:
    """A row's first cell. What follows a line's end or a rule must not look like its argument: ``[2pt]``, ``*``."""
    text = escape(name)
    return f"{{}}{text}" if text.lstrip()[:1] in ("[", "*") else text


def provenance(table: ResultTable) -> list[str]:
    """Which runs, configurations and data the numbers come from, what to know of them, and printed ones' faults.

    A line each.
    """
    lines = [f"{name}: runs {', '.join(ids)}" for name, ids in zip(table.rows, table.run_ids, strict=True) if ids]
    lines += [f"configuration {config}, data {data}" for config, data in table.hashes]
    for name, cells in zip(table.rows, table.cells, strict=True):
        for (dataset, metric), cell in zip(table.columns, cells, strict=True):
            if cell is not None and cell.fault:
                lines.append(f"{name}, {dataset} {metric}: {cell.fault}")
    lines += [f"note: {note}" for note in table.notes]
    return [" ".join(line.split()) for line in lines]


def _datasets(table: ResultTable) -> list[str]:
    """The line of data sets above the metrics, with its rules."""
    heads, rules, begin = [""], [], 2
    for dataset in dict.fromkeys(name for name, _ in table.columns):
        width = sum(name == dataset for name, _ in table.columns)
        heads.append(f"\\multicolumn{{{width}}}{{c}}{{{escape(dataset)}}}")
        rules.append(f"\\cmidrule(lr){{{begin}-{begin + width - 1}}}")
        begin += width
    return [f"    {' & '.join(heads)} \\\\", f"    {' '.join(rules)}"]


def _caption(table: ResultTable, given: str) -> str:
    cells = [cell for row in table.cells for cell in row if cell is not None]
    if given:
        return escape(given) + _mark_words(table, cells)
    datasets = ", ".join(dict.fromkeys(dataset for dataset, _ in table.columns))
    said = [f"{table.split.capitalize()} results on {datasets}."]
    if any(cell.is_best for cell in cells):
        said.append("The best is bold, the second best underlined.")
    counts = sorted({cell.n for cell in cells if cell.std is not None})
    if counts:
        said.append(f"± is the standard deviation over {_span(counts)} seeds.")
        if any(cell.std is None and cell.has_seeds and not cell.is_reference for cell in cells):
            said.append("What has none is of one seed.")
    return escape(" ".join(said)) + _mark_words(table, cells)


def _mark_words(table: ResultTable, cells: Sequence[ResultCell]) -> str:
    """What the stars and the dagger say, where there are any."""
    text = ""
    if any(mark(cell.p) for cell in cells):
        text += (
            r" $^{*}$/$^{**}$/$^{***}$: differs from " + escape(table.baseline) + r" at $p \leq .05$/$.01$/$.001$"
            f" (Wilcoxon signed-rank over users, Holm-adjusted{_family(table)})."
        )
    if any(cell.fault for cell in cells):
        text += r" $^{\dagger}$: as printed, with a known fault."
    return text


def _family(table: ResultTable) -> str:
    """How many tests Holm's adjustment is over: a reader cannot count those that a table does not mark."""
    if not table.families:
        return ""
    tests = f"{_span(sorted(set(table.families)))} tests"
    return f" over {tests}" if len(table.families) == 1 else f" over the {tests} of each data set"


def _span(counts: Sequence[int]) -> str:
    """``3``, or ``1 to 3``."""
    return f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"


def _cell(cell: ResultCell | None, digits: int) -> str:
    if cell is None:
        return "--"
    number = f"{cell.mean:.{digits}f}"
    if cell.is_best:
        number = f"\\textbf{{{number}}}"
    elif cell.is_second:
        number = f"\\underline{{{number}}}"
    stars = mark(cell.p) or (r"\dagger" if cell.fault else "")
    spread = f" $\\pm$ {cell.std:.{digits}f}" if cell.std is not None else ""
    return number + (f"$^{{{stars}}}$" if stars else "") + spread
