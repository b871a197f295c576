"""What an item is called where there is room for one name."""

from __future__ import annotations


def item_name(item: str, title: str = "") -> str:
    """Its title; of one without, its id, which says ``Item`` only where it would read as a number.

    >>> item_name("12", "Red scarf"), item_name("12"), item_name("B000000015")
    ('Red scarf', 'Item 12', 'B000000015')
    """
    return title or (f"Item {item}" if item.isdecimal() else item)
