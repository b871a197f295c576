"""The columns of the users and the items table, and the filters often wanted on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.records import ItemTable, TextColumn, UserTable
from workbench.item_models.columnar import ArrayColumn
from workbench.plots.timeline_plot import moment

USER_FILTERS = (
    ("Short: input ≤ K", "short=yes"),
    ("Too short for the split", "length<4"),
    ("With repeats", "repeats>0"),
    ("Repeated test target", "test_repeated=yes"),
    ("Repeated validation target", "valid_repeated=yes"),
    ("Cold test target", "test_cold=yes"),
    ("Cold validation target", "valid_cold=yes"),
)
ITEM_FILTERS = (
    ("Cold: only ever held out", "training_users=0"),
    ("At most 5 actions", "actions<=5"),
    ("Test targets", "test_targets>0"),
)

TIMES = (
    ("first", "First", "Earliest action (UTC); a filter takes dates, first>=2014-01-31"),
    ("last", "Last", "Latest action (UTC); a filter takes dates, last<2014-02"),
)


def yes_or_nothing(value: bool) -> str:
    """Few rows are marked: a column of no would hide them."""
    return "yes" if value else ""


def user_columns(users: UserTable, k: int) -> list[ArrayColumn]:
    """A column a property of the users."""
    heads = (
        ("user", "User", "The id in the file"),
        ("length", "Items", "Length of the whole sequence"),
        ("input", "Input", "Length of the training input, which K compares"),
        ("short", "Short", "Training input of at most K items (Eq. 12)"),
        ("repeats", "Repeats", "Actions on an item that the user had before"),
        ("valid_repeated", "V ↺", "The validation target was had before"),
        ("test_repeated", "T ↺", "The test target was had before"),
        ("valid_cold", "V ∅", "No training part contains the validation target"),
        ("test_cold", "T ∅", "No training part contains the test target"),
        *TIMES,
    )
    return _columns(users.columns(k), heads)


def item_columns(items: ItemTable) -> list[ArrayColumn]:
    """A column a property of the items."""
    heads = (
        ("item", "Item", "The id in the file"),
        ("title", "Title", ""),
        ("users", "Users", "Users with the item anywhere in their sequence"),
        ("actions", "Actions", "All actions on the item, held-out ones too"),
        ("training_users", "Users in training", "Users whose training part has the item; 0: it is only ever held out"),
        ("valid_targets", "Validation targets", "Users whose validation target it is"),
        ("test_targets", "Test targets", "Users whose test target it is"),
        *TIMES,
    )
    return _columns(items.columns(), heads)


def _columns(
    values: Mapping[str, NDArray[Any] | TextColumn], heads: Sequence[tuple[str, str, str]]
) -> list[ArrayColumn]:
    """The columns that there are values for; times and marks are shown in words."""
    words: dict[str, Callable[[Any], str]] = {name: moment for name, _, _ in TIMES}
    words |= {name: yes_or_nothing for name, column in values.items() if getattr(column, "dtype", None) == np.bool_}
    return [
        ArrayColumn(name, title, values[name], tip, words.get(name)) for name, title, tip in heads if name in values
    ]
