"""Seeds as people write them: ``1-5``, ``1,2,7``, ``1-3, 10``."""

from __future__ import annotations

from engine.errors import ConfigurationError

MOST = 1000
LIMIT = 2**31
FIELD = "train.seed"


def parse_seeds(text: str) -> tuple[int, ...]:
    """The seeds in the order written. Raises ``ConfigurationError`` that says which part is wrong.

    >>> parse_seeds("1-3, 7")
    (1, 2, 3, 7)
    """
    seeds: list[int] = []
    for part in (part.strip() for part in text.split(",")):
        first, dash, last = part.partition("-")
        if not first.strip().isdecimal() or (dash and not last.strip().isdecimal()):
            raise ConfigurationError(
                f"'{part}' is no seed." if part else "a seed is missing.", "Write 1-5 or 1, 2, 7.", field=FIELD
            )
        start, end = int(first), int(last or first)
        if end < start:
            raise ConfigurationError(f"'{part}' runs backwards.", f"Write {end}-{start}.", field=FIELD)
        if end >= LIMIT:
            raise ConfigurationError(f"'{part}' is too large.", f"Seeds are below {LIMIT:,}.", field=FIELD)
        if end - start + 1 + len(seeds) > MOST:
            raise ConfigurationError(f"these are more than {MOST:,} seeds.", "Queue them in parts.", field=FIELD)
        seeds.extend(range(start, end + 1))
    twice = sorted({seed for seed in seeds if seeds.count(seed) > 1}) if len(set(seeds)) < len(seeds) else []
    if twice:
        raise ConfigurationError(f"seed {twice[0]} stands twice.", "Each seed is one run.", field=FIELD)
    return tuple(seeds)


def parse_or_none(text: str) -> tuple[int, ...]:
    """The seeds, none where something is wrong with them."""
    try:
        return parse_seeds(text)
    except ConfigurationError:
        return ()


def seeds_text(seeds: tuple[int, ...]) -> str:
    """The shortest way to write seeds, for the command line.

    >>> seeds_text((1, 2, 3, 7))
    '1-3,7'
    """
    parts: list[list[int]] = []
    for seed in seeds:
        if parts and seed == parts[-1][-1] + 1:
            parts[-1].append(seed)
        else:
            parts.append([seed])
    return ",".join(str(part[0]) if len(part) == 1 else f"{part[0]}-{part[-1]}" for part in parts)
