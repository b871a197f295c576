"""Numbers as people read them."""

from __future__ import annotations

from datetime import UTC, datetime


def memory_text(size: int | None) -> str:
    """Bytes in GiB or MiB.

    >>> memory_text(5 << 30), memory_text(300 << 20), memory_text(None)
    ('5.0 GiB', '300 MiB', 'unknown')
    """
    if size is None:
        return "unknown"
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.0f} MiB"


def share_text(share: float) -> str:
    """A share of one in whole percent; never 100 before it is done.

    >>> share_text(0.424), share_text(0.9999), share_text(1.0)
    ('42 %', '99 %', '100 %')
    """
    return f"{int(share * 100)} %"


def metric_text(value: float | None) -> str:
    """HR and NDCG with four digits and no leading zero, as the tables of the field print them.

    >>> metric_text(0.03391), metric_text(1.0), metric_text(None)
    ('.0339', '1.0000', '')
    """
    if value is None:
        return ""
    text = f"{value:.4f}"
    return text[1:] if text.startswith("0.") else text


def when_text(moment: datetime | None) -> str:
    """A stored (UTC) time in the user's own zone, without the date where it is today's."""
    if moment is None:
        return ""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    local = aware.astimezone()
    today = datetime.now().astimezone().date()
    return local.strftime("%H:%M") if local.date() == today else local.strftime("%Y-%m-%d %H:%M")
