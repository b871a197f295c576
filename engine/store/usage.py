"""What runs use of the machine: written with a run's progress, read for its System tab."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.records import UsageSample
from engine.store.tables import UsageRow


def samples(session: Session, run_id: str, after: tuple[int, int] = (0, 0)) -> tuple[UsageSample, ...]:
    """The run's samples of all attempts beyond (attempt, sequence), oldest first."""
    attempt, sequence = after
    query = select(UsageRow).where(UsageRow.run_id == run_id, UsageRow.attempt >= attempt)
    rows = session.scalars(query.order_by(UsageRow.attempt, UsageRow.sequence))
    return tuple(
        UsageSample(
            row.run_id,
            row.attempt,
            row.sequence,
            row.at,
            row.processor,
            row.memory,
            row.memory_free,
            row.gpu,
            row.gpu_memory,
        )
        for row in rows
        if (row.attempt, row.sequence) > (attempt, sequence)
    )
