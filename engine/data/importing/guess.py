"""Guesses from the first rows of a file: what separates values, whether there is a header, what the columns hold."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

SEPARATORS = {"comma": ",", "tab": "\t", "semicolon": ";", "pipe": "|", "space": " ", "double_colon": "::"}
SHOWN = 200
"""Rows that guesses are made from."""

# Names in the order of preference, written without anything but letters and digits.
KNOWN = {
    "user": (
        *("user", "userid", "uid", "reviewerid", "reviewer", "customerid", "customer", "memberid", "visitorid"),
        *("sessionid", "session", "authorid", "username"),
    ),
    "item": (
        *("item", "itemid", "iid", "parentasin", "asin", "productid", "product", "movieid", "movie", "businessid"),
        *("bookid", "songid", "trackid", "artistid", "articleid", "newsid", "gameid", "appid", "poiid", "venueid"),
        *("sku", "isbn"),
    ),
    "rating": ("rating", "overall", "stars", "score", "ratings", "ratingscore", "reviewscore", "preference"),
    "time": (
        *("timestamp", "unixreviewtime", "time", "datetime", "date", "ts", "unixtime", "createdat", "eventtime"),
        *("reviewtime", "timestamps", "timestampms", "ratedat", "datestring"),
    ),
    "title": ("title", "movietitle", "itemname", "name", "productname", "producttitle", "itemtitle", "booktitle"),
}

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z")
_INTEGER = re.compile(r"[+-]?\d+\Z")
_MONTH = "(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
_DATE = re.compile(
    r"(\d{4}[-/.]?\d{1,2}[-/.]?\d{1,2}([T ].*)?|\d{1,2}[-/. ]\d{1,2}[-/.,]? ?\d{4}([T ,].*)?"
    rf"|(\w{{3,9}},? )?(\d{{1,2}} )?{_MONTH}\.? \d{{1,2}}(,? ?\d{{4}})?.*|\d{{1,2}} {_MONTH} \d{{4}}.*)\Z"
)
_YEAR_FIRST = re.compile(r"\d{4}[-/.]?(\d{1,2})[-/.]?(\d{1,2})")
_ASIN = re.compile(r"(B[0-9A-Z]{9}|\d{9}[0-9X])\Z")
_REVIEWER = re.compile(r"A[0-9A-Z]{9,27}\Z")


@dataclass(frozen=True)
class Roles:
    """Names of the columns that have a role; ``""`` where none has it."""

    user: str = ""
    item: str = ""
    rating: str = ""
    time: str = ""
    title: str = ""


def plain_name(name: str) -> str:
    """A column's name without case, signs and RecBole's type.

    >>> plain_name("user_id:token"), plain_name("reviewerID"), plain_name(" Timestamp (ms)")
    ('userid', 'reviewerid', 'timestampms')
    """
    return re.sub(r"[^a-z0-9]", "", name.split(":")[0].lower())


def separator_of(lines: Sequence[str]) -> str:
    """The separator that splits lines into one number of values, the most; a comma where none does.

    A header that ends in a title's name is believed: titles in the last column need no quotes, so that most lines may
    split into more values than there are columns.

    >>> separator_of(["item;title", "1;Tent; green", "2;Tent; red; large"])
    ';'
    """
    for separator in ("\t", "::", ",", ";", "|"):
        names = [plain_name(name) for name in _names(lines, separator)]
        if len(names) > 1 and names[-1] in KNOWN["title"] and any(_is_known(name) for name in names[:-1]):
            return separator
    best, score = ",", (0.0, 0)
    for separator in ("\t", "::", ",", ";", "|", " "):
        rows = split(lines[:SHOWN], separator)
        counts = Counter(len(row) for row in rows)
        width, share = counts.most_common(1)[0] if counts else (1, 0)
        found = (share / max(len(rows), 1), width)
        # A space is in every title: it is believed only where nothing else splits.
        if width > 1 and found[0] > 0.5 and found > score and (separator != " " or score == (0.0, 0)):
            best, score = separator, found
    return best


def _names(lines: Sequence[str], separator: str) -> list[str]:
    return next(iter(split(lines[:1], separator)), [])


def _is_known(name: str) -> bool:
    return any(name in names for names in KNOWN.values())


def split(lines: Sequence[str], separator: str, *, quoted: bool = True) -> list[list[str]]:
    """The values of each row; a row may be several lines where quotes hold them together."""
    if len(separator) > 1 or not quoted:
        return [line.split(separator) for line in lines]
    return [row for row in csv.reader((f"{line}\n" for line in lines), delimiter=separator) if row]


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns: a known name, or no number above numbers, no date above dates."""
    if not rows:
        return False
    first = [cell.strip() for cell in rows[0]]
    if any(_NUMBER.match(cell) or _DATE.match(cell) for cell in first):
        return False
    if any(_is_known(plain_name(cell)) for cell in first):
        return True
    below = [row for row in rows[1:] if len(row) == len(first)]
    kinds = (_NUMBER, _DATE)
    return any(
        below and all(kind.match(row[place].strip()) for row in below) for place in range(len(first)) for kind in kinds
    )


def kind_of(values: Sequence[str]) -> str:
    """``integer``, ``number``, ``date``, ``text`` or ``empty``: what nine tenths of the values are.

    >>> kind_of(["1", "22"]), kind_of(["4.5"]), kind_of(["2014-05-03", "2014-05-04 10:00"]), kind_of(["B00X", ""])
    ('integer', 'number', 'date', 'text')
    >>> kind_of(["Sep 4, 2014", "12 March 2014"]), kind_of(["Thing 9", "Tent 12"])
    ('date', 'text')
    """
    given = [value.strip() for value in values if value.strip()]
    for kind, pattern in (("integer", _INTEGER), ("number", _NUMBER), ("date", _DATE)):
        if given and sum(bool(pattern.match(value)) for value in given) >= 0.9 * len(given):
            return kind
    return "text" if given else "empty"


def roles_beside(given: Mapping[str, str], guessed: Roles, names: Collection[str]) -> Roles:
    """``guessed`` where somebody has ``given`` some columns their roles (empty ones are not given): the other roles
    stay, but for one whose column is given to another role.

    Users and items then change places. What else has lost its column takes a free one of ``names`` that is called so,
    or none: a column of times that nobody needs is no item's id.

    >>> guessed = Roles(user="customer", item="product", time="when")
    >>> roles_beside({"user": "product"}, guessed, ("customer", "product", "when"))
    Roles(user='product', item='customer', rating='', time='when', title='')
    >>> roles_beside({"time": "product"}, guessed, ("customer", "product", "when", "sku"))
    Roles(user='customer', item='sku', rating='', time='product', title='')
    """
    given = {role: name for role, name in given.items() if name}
    lost = {role for role, name in vars(guessed).items() if name in given.values()}
    roles = {role: "" if role in lost else name for role, name in vars(guessed).items()} | given
    for role, other in (("user", "item"), ("item", "user")):
        former = getattr(guessed, other)
        if not roles[role] and given.get(other) == getattr(guessed, role) and former not in roles.values():
            roles[role] = former
    by_name = roles_by_name([*names], Roles(**roles))
    return replace(Roles(**roles), **{role: getattr(by_name, role) for role in lost})


def roles_of(names: Sequence[str], rows: Sequence[Sequence[str]], known: Roles | None = None) -> Roles:
    """Which column has which role: ``known``, then by name, then by content."""
    found = roles_by_name(names, known or Roles())
    used = {name for name in vars(found).values() if name}
    columns = {name: [row[place] for row in rows if place < len(row)] for place, name in enumerate(names)}
    for role in ("rating", "time"):
        # A column of which nothing is filled in tells nothing: as a rating or time it would cost every row.
        if (name := getattr(found, role)) and name in columns and not any(value.strip() for value in columns[name]):
            found = replace(found, **{role: ""})
    return _by_content({name: values for name, values in columns.items() if name not in used}, found)


def roles_by_name(names: Sequence[str], found: Roles | None = None, taken: Collection[str] = ()) -> Roles:
    """Which column has which role, as far as their names tell."""
    found = found or Roles()
    used = {name for name in vars(found).values() if name} | set(taken)
    for role, wanted in KNOWN.items():
        free = [name for name in names if name not in used and plain_name(name) in wanted]
        if free and not getattr(found, role):
            best = min(free, key=lambda name: wanted.index(plain_name(name)))
            found = replace(found, **{role: best})
            used.add(best)
    return found


def _by_content(columns: dict[str, list[str]], found: Roles) -> Roles:
    """``found`` with roles for the columns that have none yet."""
    names = [*columns]
    missing = (not found.user) + (not found.item)
    if len(names) > missing and _counts_rows(columns[names[0]]):
        del columns[names[0]]
    for role, fits in (("time", _looks_like_times), ("rating", _looks_like_ratings)):
        # A column with an unknown name is no rating because it holds small numbers (age, quantity).
        if not getattr(found, role) and (role == "time" or all(name.startswith("column ") for name in names)):
            # Ids stand first in every layout: times and ratings are looked for from the end. A log, though, begins with
            # its date, and a date with signs in it is nobody's id.
            spare = max(len(columns) - missing, 0)
            free = [*reversed(columns)]
            name = next((name for name in free[:spare] if fits(columns[name])), "")
            if role == "time" and spare and not name:
                name = next((name for name in free if kind_of(columns[name]) == "date" and fits(columns[name])), "")
            found = replace(found, **{role: name})
            columns.pop(name, None)
    for role, pattern in (("item", _ASIN), ("user", _REVIEWER)):
        match = next((name for name, values in columns.items() if _most(values, pattern)), "")
        if match and not getattr(found, role):
            found = replace(found, **{role: match})
            columns.pop(match)
    for name in [name for name, values in columns.items() if first_undated(values) is not None]:
        if len(columns) > (not found.user) + (not found.item):
            del columns[name]  # dates, though not all of them are: nobody's id
    for role in ("user", "item"):
        if not getattr(found, role) and columns:
            name = next(iter(columns))
            found = replace(found, **{role: name})
            columns.pop(name)
    return found


def _counts_rows(values: Sequence[str]) -> bool:
    """Whether a column only numbers the rows, as an index that was written with a table."""
    if len(values) < 5 or not all(_INTEGER.match(value.strip()) for value in values):
        return False
    numbers = [int(value) for value in values]
    return numbers[0] in (0, 1) and all(after == before + 1 for before, after in pairwise(numbers))


def _most(values: Sequence[str], pattern: re.Pattern[str]) -> bool:
    given = [value for value in values if value]
    return bool(given) and sum(bool(pattern.match(value)) for value in given) >= 0.9 * len(given)


def _looks_like_times(values: Sequence[str]) -> bool:
    if kind_of(values) == "date":
        # Eight digits are a date as well as an id.
        return not _most(values, _INTEGER)
    numbers = _numbers(values)
    return bool(numbers) and len(numbers) >= 0.9 * len(values) and min(numbers) > 1e8 and max(numbers) < 5e18


def first_undated(values: Sequence[str]) -> int | None:
    """Place of the first value that is no date in a column that seems to be of dates, though too few are for
    `kind_of`: two at least, and a third of what is filled in. None for other columns.

    >>> first_undated(["2014-05-03", "", "soon", "2014-05-04"]), first_undated(["2014-05-03", "1", "2", "3", "4"])
    (2, None)
    """
    given = [place for place, value in enumerate(values) if value.strip()]
    others = [place for place in given if not _is_written_date(values[place].strip())]
    dates = len(given) - len(others)
    return others[0] if others and dates >= max(2, len(given) / 3) else None


def _is_written_date(value: str) -> bool:
    """A date with signs in it: eight digits are an id as well, 1299.99 is a price, 1002-3456 has no such month.

    >>> [_is_written_date(text) for text in ("2014-05-03", "1299.99", "1002-3456", "3 May 2014")]
    [True, False, False, True]
    """
    parts = _YEAR_FIRST.match(value)
    is_possible = parts is None or (int(parts[1]) <= 12 and int(parts[2]) <= 31)
    return bool(_DATE.match(value)) and not _NUMBER.match(value) and is_possible


def _looks_like_ratings(values: Sequence[str]) -> bool:
    numbers = _numbers(values)
    if not numbers or len(numbers) < 0.9 * len(values):
        return False
    halves = all((number * 4).is_integer() for number in numbers)
    return halves and min(numbers) >= -10 and max(numbers) <= 10 and (len(set(numbers)) <= 21)


def _numbers(values: Sequence[str]) -> list[float]:
    return [float(value) for value in values if _NUMBER.match(value.strip())]


def time_unit(values: Sequence[str]) -> str:
    """The unit of times by their size, or the kind of dates.

    >>> time_unit(["978300760"]), time_unit(["1588687728923"]), time_unit(["2014-05-03"]), time_unit(["31/12/2019"])
    ('seconds', 'milliseconds', 'date', 'day_first')
    """
    given = [value.strip() for value in values if value.strip()]
    numbers = sorted(abs(number) for number in _numbers(given))
    if given and len(numbers) >= 0.9 * len(given) and kind_of(given) != "date":
        middle = numbers[len(numbers) // 2]
        units = ((1e11, "seconds"), (1e14, "milliseconds"), (1e17, "microseconds"))
        return next((unit for limit, unit in units if middle < limit), "nanoseconds")
    # What is no date may be most of a column that somebody has chosen: its rows are told as bad, one by one.
    written = [value for value in given if _is_written_date(value)]
    parts = [match for value in written if (match := re.match(r"(\d{1,2})[-/.](\d{1,2})[-/.]\d{4}", value))]
    if parts and len(parts) >= 0.9 * len(written) and len(written) > len(numbers):
        return "day_first" if any(int(part[1]) > 12 for part in parts) else "month_first"
    dates = sum(bool(_DATE.match(value)) for value in given)
    return "date" if dates > len(given) / 2 or len(written) > len(numbers) else "seconds"
