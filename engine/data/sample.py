"""Makes the bundled sample shop: ``python -m engine.data.sample DEST`` writes ``shop.txt`` and ``shop.titles.tsv``.

A small world in which both kinds of signal that CoSeRec lives on are present, in the proportions of the paper's Table 1
(5-core, long-tailed lengths and popularity):

* communities: an item belongs to a department, and most of a customer's choices stay within one;
* order: a department's products have a natural next one, mostly bought in the same colour (trail running shoes, then
  running socks), so that the last item or two say a good deal about the next, and the order of a sequence matters;
* noise: about a third of the choices follow popularity alone.

Everything is integer arithmetic on PCG64's raw stream, so that the files come out byte for byte the same on every
platform and with every version of numpy.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import numpy as np

SEED = 20211
CUSTOMERS = 2_100
SHORTEST, LONGEST = 5, 60
CORE = 5

COLOURS = {"black": 9, "blue": 7, "red": 6, "green": 5, "grey": 4, "yellow": 3}
"""Variants of every product, most popular first, with their weights."""

DEPARTMENTS = {
    "running": "Trail running shoes|Running socks|Running shorts|Running shirt|Running cap|Hydration belt"
    "|Reflective vest|Head torch|Running gloves|Recovery slides",
    "cycling": "Bicycle helmet|Cycling jersey|Cycling shorts|Cycling gloves|Bottle cage|Saddle bag|Handlebar tape"
    "|Mini pump|Rear light|Cycling rain cape",
    "climbing": "Climbing shoes|Chalk bag|Climbing harness|Belay device|Quickdraw set|Climbing rope|Rope bag"
    "|Climbing helmet|Finger trainer|Crash pad",
    "camping": "Two-person tent|Sleeping bag|Sleeping mat|Camping pillow|Camping stove|Enamel mug|Folding chair"
    "|Camping lantern|Dry bag|Hammock",
    "swimming": "Swimming goggles|Swimming cap|Swimsuit|Kickboard|Pull buoy|Swim fins|Microfibre towel|Mesh gear bag"
    "|Nose clip|Poolside sandals",
    "yoga": "Yoga mat|Yoga strap|Yoga block|Mat bag|Yoga leggings|Bolster|Meditation cushion|Yoga blanket|Foam roller"
    "|Tea flask",
    "skiing": "Ski jacket|Ski trousers|Base layer|Ski socks|Ski gloves|Neck warmer|Ski goggles|Ski helmet|Boot bag"
    "|Hand warmers",
    "gardening": "Watering can|Hand trowel|Garden gloves|Seed tray|Plant pot|Plant labels|Pruning shears|Kneeling pad"
    "|Garden hose|Plant stand",
    "baking": "Mixing bowl|Whisk|Silicone spatula|Measuring cups|Baking tray|Cake tin|Oven glove|Rolling pin|Piping bag"
    "|Cake stand",
    "coffee": "Coffee grinder|Coffee dripper|Gooseneck kettle|Coffee server|Espresso cup|Milk jug|Travel mug"
    "|Coffee canister|Knock box|Biscuit tin",
    "drawing": "Sketchbook|Brush pen|Watercolour set|Brush roll|Table easel|Mixing palette|Pencil case|Portfolio folder"
    "|Painter's apron|Ink bottle",
    "desk": "Desk lamp|Notebook|Fountain pen|Pen tray|Desk mat|Laptop sleeve|Cable organiser|Monitor stand|Letter tray"
    "|Headphone stand",
    "dogs": "Dog collar|Dog lead|Dog harness|Food bowl|Chew toy|Dog bed|Dog coat|Grooming brush|Travel crate"
    "|Treat pouch",
}
"""Products of each department in the order in which they are bought; the last is followed by the first."""

# What the next choice follows, in shares of 100: the last item, the one before it, the department, the whole shop.
AFTER_LAST, AFTER_PREVIOUS, FROM_DEPARTMENT = 56, 8, 18

PRODUCTS = 10
VARIANTS = len(COLOURS)
PER_DEPARTMENT = PRODUCTS * VARIANTS
ITEMS = len(DEPARTMENTS) * PER_DEPARTMENT


class _Dice:
    """Integers from PCG64's raw stream, which numpy promises never to change."""

    def __init__(self, seed: int) -> None:
        self._bits = np.random.PCG64(seed)

    def below(self, bound: int) -> int:
        return int(self._bits.random_raw()) % bound

    def weighted(self, weights: list[int]) -> int:
        """An index, drawn in proportion to integer weights."""
        left = self.below(sum(weights))
        for index, weight in enumerate(weights):
            left -= weight
            if left < 0:
                return index
        raise AssertionError("the weights do not add up")


def _item(department: int, product: int, variant: int) -> int:
    """Departments, and products within one, go round."""
    return (department % len(DEPARTMENTS) * PRODUCTS + product % PRODUCTS) * VARIANTS + variant


def _parts(item: int) -> tuple[int, int, int]:
    """Department, product, variant."""
    department, rest = divmod(item, PER_DEPARTMENT)
    return department, *divmod(rest, VARIANTS)


def _title(item: int) -> str:
    department, product, variant = _parts(item)
    return f"{list(DEPARTMENTS.values())[department].split('|')[product]}, {list(COLOURS)[variant]}"


def _popularity() -> list[int]:
    """A weight per item: department × product × colour, each falling, which makes the long tail."""
    weights = []
    for item in range(ITEMS):
        department, product, variant = _parts(item)
        place = (department * 3 + product * 7) % PRODUCTS  # not always a department's first product is its most popular
        weights.append(600 // (department + 3) * (60 // (place + 1)) * list(COLOURS.values())[variant])
    return weights


def _successors(item: int) -> tuple[list[int], list[int]]:
    """What follows an item, and with which weights.

    Most of all the next product in the same colour. Two of four lead into other departments, so that a customer
    wanders: what was bought long ago says little, the last item much. Colours drift towards the popular ones.
    """
    department, product, variant = _parts(item)
    found = [
        _item(department, product + 1, variant),
        _item(department, product + 3, max(variant - 1, 0)),
        _item(department + 1 + product % 3, product * 3 + 1, max(variant - 1, 0)),
        _item(department + 5 + product % 4, product * 7 + 3, variant // 2),
    ]
    return found, [8, 3, 5, 3]


def _lengths(dice: _Dice, count: int) -> list[int]:
    """Sequence lengths, falling like 1 / (length − 3)² from 5 on: most are short, the mean is near 9."""
    weights = [10**9 // (length - 3) ** 2 for length in range(SHORTEST, LONGEST + 1)]
    return [SHORTEST + dice.weighted(weights) for _ in range(count)]


def _customer(dice: _Dice, length: int, popularity: list[int]) -> list[int]:
    """One customer's items, oldest first, none twice."""
    chosen = [dice.weighted(popularity)]
    while len(chosen) < length:
        kind = dice.below(100)
        if kind < AFTER_LAST + AFTER_PREVIOUS:
            before = chosen[-1] if kind < AFTER_LAST or len(chosen) == 1 else chosen[-2]
            items, weights = _successors(before)
            item = items[dice.weighted(weights)]
        elif kind < AFTER_LAST + AFTER_PREVIOUS + FROM_DEPARTMENT:
            first = chosen[-1] // PER_DEPARTMENT * PER_DEPARTMENT
            item = first + dice.weighted(popularity[first : first + PER_DEPARTMENT])
        else:
            item = dice.weighted(popularity)
        if item not in chosen:
            chosen.append(item)
    return chosen


def _core(sequences: list[list[int]]) -> list[list[int]]:
    """The 5-core (§5.1.1): drop rare items and short customers until there are none."""
    while True:
        counts = Counter(item for sequence in sequences for item in sequence)
        kept = [[item for item in sequence if counts[item] >= CORE] for sequence in sequences]
        kept = [sequence for sequence in kept if len(sequence) >= CORE]
        if kept == sequences:
            return kept
        sequences = kept


def generate() -> tuple[list[list[int]], list[str]]:
    """Sequences of item ids 1…n, and the titles of these items."""
    dice = _Dice(SEED)
    popularity = _popularity()
    sequences = _core([_customer(dice, length, popularity) for length in _lengths(dice, CUSTOMERS)])
    left = sorted({item for sequence in sequences for item in sequence})
    ids = {item: index for index, item in enumerate(left, start=1)}
    return [[ids[item] for item in sequence] for sequence in sequences], [_title(item) for item in left]


def write(destination: Path) -> None:
    """Write ``shop.txt`` and ``shop.titles.tsv`` into a folder, each under a temporary name first."""
    sequences, titles = generate()
    lines = [" ".join(map(str, [user, *sequence])) for user, sequence in enumerate(sequences, start=1)]
    rows = [f"{item}\t{title}" for item, title in enumerate(titles, start=1)]
    destination.mkdir(parents=True, exist_ok=True)
    for name, content in (("shop.txt", lines), ("shop.titles.tsv", rows)):
        temporary = destination / f"{name}.part"
        temporary.write_bytes(("\n".join(content) + "\n").encode())
        temporary.replace(destination / name)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the bundled sample shop.")
    parser.add_argument("destination", type=Path, help="folder to write shop.txt and shop.titles.tsv into")
    write(parser.parse_args().destination)
