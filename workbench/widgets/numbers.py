"""Numbers as this product writes them: thousands set apart, a space before the per cent sign."""

from __future__ import annotations


def percent(share: float, digits: int = 1) -> str:
    """``0.629`` → ``62.9 %``."""
    return f"{100 * share:.{digits}f} %"


def signed(number: float, digits: int = 2) -> str:
    """``+0.12``, ``−0.43``: with a minus sign, which a hyphen is not."""
    return f"{number:+.{digits}f}".replace("-", "\N{MINUS SIGN}")


def count(number: int, one: str, many: str = "") -> str:
    """``1 item``, ``2,040 items``; ``many`` where an s does not make the plural."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
