"""Leaderboards as files: a line a row for whatever reads CSV or Parquet, and a table for a paper."""

from __future__ import annotations

from typing import Any

import pandas as pd

from engine.config import minutes_text
from engine.records import Leaderboard, LeaderboardRow, ResultTable
from engine.reports.latex import latex as result_latex


def frame(found: Leaderboard) -> pd.DataFrame:
    """A line a row, those without a measurement too; metrics as ``NDCG@20`` and ``NDCG@20 std``."""
    request = found.plan.request
    lines: list[dict[str, Any]] = []
    for row in found.rows:
        line: dict[str, Any] = {
            "place": row.place,
            "model": row.title,
            "system": row.system,
            "preset": row.preset,
            "state": row.state,
            "told": row.told,
            "dataset": found.plan.dataset,
            "data": found.plan.fingerprint,
            "budget_minutes": request.minutes,
            "n": row.n,
            "seeds": " ".join(map(str, row.seeds)),
            "epochs": " ".join(map(str, row.epochs)),
            "best_epochs": " ".join("-" if best is None else str(best) for best in row.best_epochs),
            "minutes": " ".join("-" if minutes is None else f"{minutes:.3f}" for minutes in row.minutes),
            "out_of_time": row.out_of_time,
            f"difference from the best, {found.metric}": row.difference,
            "p, Holm": row.p,
        }
        for name in found.comparison.metrics if found.comparison else ():
            line[name] = (row.metrics or {}).get(name)
            line[f"{name} std"] = (row.stds or {}).get(name)
        lines.append(line | {"runs": " ".join(row.run_ids)})
    found_lines = pd.DataFrame(lines)
    # Whole numbers stay whole where a row has none: as floats, places were written 1.0, 2.0.
    return found_lines.astype({"place": "Int64"})


def latex(found: Leaderboard, table: ResultTable) -> str:
    """The measured rows as a table for a paper; time, epochs and what could not run stand above it as comments."""
    request = found.plan.request
    stopped = sum(row.out_of_time for row in found.rows)
    seeds = max((row.n for row in found.rows), default=0)
    its = "it" if request.minutes == 1 else "them"
    caption = (
        f"{table.split.capitalize()} results on {found.plan.dataset}. Each run had {minutes_text(request.minutes)} of "
        f"training and validation; {stopped} of {sum(row.n for row in found.rows)} used {its} up. "
        "The best is bold, the second best underlined."
    )
    caption += " ± is the standard deviation over seeds." if seeds > 1 else ""
    lines = [f"% {' '.join(f'{row.title}: {_row_text(row)}'.split())}" for row in found.rows]
    lines += [f"% {' '.join(note.split())}" for note in found.notes if note not in table.notes]
    return "\n".join(lines) + "\n" + result_latex(table, caption=caption, label="tab:leaderboard")


def _row_text(row: LeaderboardRow) -> str:
    if not row.n:
        return " ".join(row.state_in_words.split())
    epochs = ", ".join(map(str, row.epochs))
    minutes = ", ".join("?" if value is None else f"{value:.1f}" for value in row.minutes)
    cut = f"; {row.out_of_time} of {row.n} ended by their time" if row.out_of_time else ""
    return f"seeds {', '.join(map(str, row.seeds))}; epochs {epochs}; minutes {minutes}{cut}" + f"; {row.told}" * bool(
        row.told
    )
