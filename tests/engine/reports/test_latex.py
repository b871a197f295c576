"""The LaTeX of a table: its structure, its escapes, and that it compiles where a LaTeX is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from engine.config import presets
from engine.records import ResultCell, ResultTable
from engine.reports.latex import escape, latex, mark
from engine.runs.groups import known_settings

NASTY = "50 % & more_β #1 {x} ~ ^ \\ $ < > |"


def table(rows: tuple[str, ...] = (NASTY, "B"), datasets: tuple[str, ...] = ("Shop & Co", "Yelp")) -> ResultTable:
    columns = tuple((dataset, metric) for dataset in datasets for metric in ("HR@5", "NDCG@5"))
    best = ResultCell(0.05371, 0.0012, 3, 0.0004, is_best=True)
    second = ResultCell(0.0402, None, 1, 0.2, is_second=True)
    paper = ResultCell(0.0537, None, 0, is_reference=True)
    cells = tuple((best if n == 0 else second, *[None] * (len(columns) - 1)) for n in range(len(rows)))
    return ResultTable(
        rows=(*rows, "CoSeRec (paper)"),
        columns=columns,
        cells=(*cells, (paper, *[None] * (len(columns) - 1))),
        split="test",
        baseline="B",
        run_ids=(("abc", "def"), ("ghi",), ()),
        hashes=(("c0ffee", "f00d"),),
        notes=("One seed on a side.",),
        families=(14,) * len(datasets),
    )


def test_cells() -> None:
    text = latex(table())
    assert r"\textbf{0.0537}$^{***}$ $\pm$ 0.0012" in text
    assert r"\underline{0.0402} &" in text
    assert "% B: runs ghi" in text
    assert "% configuration c0ffee, data f00d" in text
    assert text.index(r"\midrule", text.index(r"\midrule") + 1) < text.index("CoSeRec (paper)")


def test_every_row_has_every_column_and_braces_close() -> None:
    text = latex(table())
    body = [line for line in text.splitlines() if line.endswith(r"\\") and "multicolumn" not in line]
    assert {len(re.findall(r"(?<!\\)&", line)) for line in body} == {4}
    plain = re.sub(r"\\[{}]", "", re.sub(r"%.*", "", text.replace(r"\%", "")))
    assert plain.count("{") == plain.count("}")
    assert text.count(r"\begin{") == text.count(r"\end{") == 2


def test_marks_are_by_level() -> None:
    assert [mark(p) for p in (None, 0.2, 0.05, 0.01, 0.001)] == ["", "", "*", "**", "***"]


def test_escapes_leave_no_bare_sign() -> None:
    assert escape("a_b%") == r"a\_b\%"
    assert escape("\\") == r"\textbackslash{}"
    assert escape("β = .4") == r"$\beta$ = .4"


def test_a_name_is_no_argument_and_a_comment_is_one_line() -> None:
    text = latex(table(rows=("[2pt] model", "* line\none")))
    assert "\n    {}[2pt] model &" in text
    assert "\n    {}* line one &" in text
    assert "% * line one: runs ghi" in text


def test_marks_are_told_whatever_the_caption() -> None:
    faulty = ResultCell(0.0388, None, 0, is_reference=True, fault="At 5, NDCG is\n.0388 (FACTS F22)")
    made = replace(table(datasets=("Sports",)), cells=(*table(datasets=("Sports",)).cells[:2], (faulty, None)))
    for caption in ("", "Ours & theirs."):
        text = latex(made, caption=caption)
        assert r"0.0388$^{\dagger}$" in text
        assert r"$^{\dagger}$: as printed, with a known fault" in text
        assert "% CoSeRec (paper), Sports HR@5: At 5, NDCG is .0388 (FACTS F22)" in text
        assert "differs from B at" in text
    assert "dagger" not in latex(table())


def test_the_caption_says_what_the_numbers_do() -> None:
    """± is over the seeds of what has it; Holm's family cannot be counted in the table; a note is not lost."""
    text = latex(table(datasets=("Sports",)))
    assert r"$\pm$ is the standard deviation over 3 seeds. What has none is of one seed." in text
    assert "Holm-adjusted over 14 tests)" in text
    assert "Holm-adjusted over the 14 tests of each data set)" in latex(table())
    assert "Holm-adjusted)" in latex(replace(table(), families=()))
    assert "% note: One seed on a side.\n" in text
    all_seeds = [[replace(cell, n=3, std=0.1) if cell else None for cell in row] for row in table().cells[:2]]
    assert "is of one seed" not in latex(replace(table(), cells=(*map(tuple, all_seeds), table().cells[2])))


def test_every_sign_of_a_setting_and_a_preset_is_known() -> None:
    """A group is named by its preset and its settings' symbols: LaTeX refuses a letter that it does not know."""
    words = [word for info in known_settings().values() for word in (info.symbol or "", info.label)]
    words += [preset.title for preset in presets()]
    unknown = {letter for word in words for letter in re.sub(r"[\x00-\xff]", "", word) if escape(letter) == letter}
    assert unknown == set()


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX is installed")
@pytest.mark.parametrize("datasets", [("Shop & Co",), ("Shop & Co", "Yelp")])
@pytest.mark.parametrize("name", [NASTY, "[2pt]", "*"])
def test_it_compiles(tmp_path: Path, datasets: tuple[str, ...], name: str) -> None:
    document = "\n".join(
        (
            r"\documentclass{article}\usepackage{booktabs}",
            r"\begin{document}",
            latex(table(rows=("A", name), datasets=datasets)),
            r"\end{document}",
        )
    )
    (tmp_path / "t.tex").write_text(document, encoding="utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "t.pdf").stat().st_size > 5000
