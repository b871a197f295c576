"""When Python looks for garbage in cycles: not while the window opens, and never over what is held for good.

A full search walks every object that there is and stops all threads meanwhile: 170 to 420 ms as the pages were made,
250 ms with ten thousand runs held. What has been put aside with `keep` is not walked again; what no longer is referred
to is freed as before, cycles among what was put aside alone excepted.
"""

from __future__ import annotations

import gc


def put_off() -> None:
    """No search for now: much is being made, and next to nothing thrown away."""
    gc.disable()


def keep() -> None:
    """What there is now stays: records of runs, pages, modules."""
    gc.freeze()


def go_on() -> None:
    """Search again, but not over what there is by now."""
    gc.freeze()
    gc.enable()
