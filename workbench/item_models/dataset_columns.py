"""The columns of the users and the items table, and the filters often wanted on them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.records import ItemTable, UserTable
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


def yes_or_nothing(value: bool) -> str:
    """Few rows are marked: a column of no would hide them."""
    return "yes" if value else ""


def is_short(users: UserTable, k: int) -> NDArray[np.bool_]:
    """Which users Eq. 12 calls short: evaluated, with a training input of at most ``k`` items, [U]."""
    return users.is_evaluated & (users.training_lengths <= k)


def user_columns(users: UserTable, k: int) -> list[ArrayColumn]:
    """A column a property of the users."""
    flags = (
        ("valid_repeated", "V ↺", users.valid_repeated, "The validation target was had before (FACTS F3)"),
        ("test_repeated", "T ↺", users.test_repeated, "The test target was had before (FACTS F3)"),
        ("valid_cold", "V ∅", users.valid_cold, "No training part contains the validation target"),
        ("test_cold", "T ∅", users.test_cold, "No training part contains the test target"),
    )
    return [
        ArrayColumn("user", "User", users.users, "The id in the file"),
        ArrayColumn("length", "Items", users.lengths, "Length of the whole sequence"),
        ArrayColumn("input", "Input", users.training_lengths, "Length of the training input, which K compares (F4)"),
        ArrayColumn("short", "Short", is_short(users, k), "Training input of at most K items (Eq. 12)", yes_or_nothing),
        ArrayColumn("repeats", "Repeats", users.repeats, "Actions on an item that the user had before"),
        *(ArrayColumn(name, title, values, tip, yes_or_nothing) for name, title, values, tip in flags),
        *_times(users.first_times, users.last_times),
    ]


def item_columns(items: ItemTable) -> list[ArrayColumn]:
    """A column a property of the items."""
    titles = [] if items.titles is None else [ArrayColumn("title", "Title", items.titles)]
    return [
        ArrayColumn("item", "Item", items.items, "The id in the file"),
        *titles,
        ArrayColumn("users", "Users", items.users, "Users with the item anywhere in their sequence"),
        ArrayColumn("actions", "Actions", items.actions, "All actions on the item, held-out ones too"),
        ArrayColumn(
            "training_users",
            "Users in training",
            items.training_users,
            "Users whose training part has the item; 0: it is only ever held out",
        ),
        ArrayColumn("valid_targets", "Validation targets", items.valid_targets, "Users whose validation target it is"),
        ArrayColumn("test_targets", "Test targets", items.test_targets, "Users whose test target it is"),
        *_times(items.first_times, items.last_times),
    ]


def _times(first: NDArray[np.int64] | None, last: NDArray[np.int64] | None) -> list[ArrayColumn]:
    if first is None or last is None:
        return []
    return [
        ArrayColumn("first", "First", first, "Earliest action (UTC); a filter takes dates, first>=2014-01-31", moment),
        ArrayColumn("last", "Last", last, "Latest action (UTC); a filter takes dates, last<2014-02", moment),
    ]
