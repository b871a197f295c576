"""Imports as the window uses them: counts, what is kept and found again, jobs that another process watches."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from engine.api import Workspace
from engine.api.imports import Imports
from engine.config import ImportRecipe, parse_recipe
from engine.data.dataset import load
from engine.errors import ConfigurationError, DataError, UsageError
from engine.records import ImportProgress


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Ten users with six actions, one with three; ratings 1…5; user u1 has i0 twice, at one time."""
    rows = [(f"u{u}", f"i{n}", 1 + (u + n) % 5, 1_500_000_000 + n) for u in range(10) for n in range(6)]
    rows += [("short", f"i{n}", 5, 1_500_000_000) for n in range(3)]
    rows += [("u1", "i0", 5, 1_500_000_000)]
    path = tmp_path / "log.csv"
    path.write_text("user,item,rating,time\n" + "".join(",".join(map(str, row)) + "\n" for row in rows))
    return path


@pytest.fixture
def imports(tmp_path: Path) -> Imports:
    return Workspace(tmp_path / "workspace").imports


def sizes(imports: Imports, log: Path, **recipe: object) -> list[int]:
    report = imports.count(str(log), ImportRecipe().replace(recipe))
    return [stage.actions for stage in report.stages]


def test_the_count_tells_what_each_step_leaves(imports: Imports, log: Path) -> None:
    assert sizes(imports, log) == [64, 64, 64, 64, 61]
    assert sizes(imports, log, core=0) == [64, 64, 64, 64, 64]
    assert sizes(imports, log, core=0, minimum_rating=4) == [64, 28, 28, 28, 28]
    assert sizes(imports, log, core=0, duplicates="first", longest=2) == [64, 64, 63, 22, 22]
    assert not imports.directory.exists()


def test_users_too_short_for_the_protocol_are_told(imports: Imports, log: Path) -> None:
    report = imports.count(str(log), ImportRecipe(core=0))
    assert report.too_short == 1
    assert any("fewer than 4 actions" in note for note in report.notes)
    assert report.tied == 3


def test_that_all_users_are_too_short_is_told(imports: Imports, tmp_path: Path) -> None:
    path = tmp_path / "short.csv"
    path.write_text(
        "user,item,time\n" + "".join(f"u{u},i{n},{1_500_000_000 + n}\n" for u in range(5) for n in range(3))
    )
    report = imports.run(str(path), ImportRecipe(core=0)).report
    assert report.notes == ("5 users have fewer than 4 actions: these are all, so nothing can be trained on.",)


@pytest.mark.parametrize(
    ("rows", "option", "told"),
    [
        ([("i1", 5), ("i1", 5), ("i2", 6), ("i2", 6), ("i2", 6)], "consecutive", "3 rows stand twice"),
        ([("i1", 5), ("i2", 5), ("i1", 5)], "first", "1 row stands twice"),
        ([("i1", 5), ("i1", 6), ("i2", 7)], "", ""),  # bought again later
    ],
)
def test_rows_that_stand_twice_are_told_with_what_drops_them(
    rows: list[tuple[str, int]], option: str, told: str, imports: Imports, tmp_path: Path
) -> None:
    path = tmp_path / "twice.csv"
    whole = [("u1", item, time) for item, time in rows] + [("u2", "i1", 5), ("u2", "i2", 6)]
    path.write_text("user,item,time\n" + "".join(f"{user},{item},{1_500_000_000 + n}\n" for user, item, n in whole))

    def notes(**recipe: object) -> list[str]:
        found = imports.count(str(path), ImportRecipe(core=0).replace(recipe))
        return [note for note in found.notes if "twice" in note]

    if not told:
        assert notes() == []
        return
    (note,) = notes()
    assert note.startswith(f"{told}, with the same user, item and time. To drop ")
    assert note.endswith(f": --duplicates {option}.")
    assert notes(duplicates=option) == []
    dropped = imports.count(str(path), ImportRecipe(core=0, duplicates=option))  # type: ignore[arg-type]
    assert dropped.kept.actions == len(whole) - int(told.split()[0])


def test_a_changed_file_is_read_again(imports: Imports, log: Path) -> None:
    before = sizes(imports, log)
    log.write_text(log.read_text() + "new,i0,3,5\n")
    assert sizes(imports, log)[0] == before[0] + 1


def test_what_was_imported_is_found_again(imports: Imports, log: Path, tmp_path: Path) -> None:
    first = imports.run(str(log), ImportRecipe())
    assert first.is_new
    assert not imports.run(str(log), ImportRecipe()).is_new
    # The stored recipe has its guesses resolved; it means the same.
    assert imports.run(str(log), parse_recipe(first.recipe)).path == first.path
    assert imports.run(str(log), ImportRecipe(core=4)).path != first.path
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    (moved / "log.csv").write_bytes(log.read_bytes())
    assert imports.run(str(moved / "log.csv"), ImportRecipe()).path == first.path
    log.write_text(log.read_text() + "new,i0,3,5\n")
    assert imports.run(str(log), ImportRecipe()).path != first.path


def test_a_counted_file_is_imported_without_reading_it_again(imports: Imports, log: Path) -> None:
    imports.count(str(log), ImportRecipe())
    phases: list[str] = []
    imports.run(str(log), ImportRecipe(core=4), on_progress=lambda progress: phases.append(progress.phase))
    assert "Reading" not in phases
    assert phases[-1] == "Writing"


def test_titles_that_came_later_make_it_new(imports: Imports, log: Path) -> None:
    first = imports.run(str(log), ImportRecipe())
    log.with_name("log.titles.tsv").write_text("i0\tFirst\n")
    second = imports.run(str(log), ImportRecipe())
    assert second.is_new
    assert (load(first.path).titles, load(second.path).title(1)) == (None, "First")
    assert first.fingerprint == second.fingerprint


def test_the_stored_form_keeps_everything(imports: Imports, log: Path) -> None:
    log.with_name("log.titles.tsv").write_text("i0\tErste ☕\n")
    result = imports.run(str(log), ImportRecipe(core=0))
    dataset = load(result.path)
    assert (dataset.name, dataset.fingerprint) == ("log", result.fingerprint)
    assert dataset.user_ids.tolist() == [*(f"u{n}" for n in range(10)), "short"]
    assert dataset.item_ids.tolist() == ["", *(f"i{n}" for n in range(6))]
    assert dataset.title(1) == "Erste ☕"
    assert dataset.times is not None
    assert len(dataset.times) == len(dataset.sequences.items)
    assert np.all(np.diff(dataset.times[:6]) == [1, 1, 1, 1, 1])
    kept = imports.report(result.path)
    assert kept is not None
    assert (kept.report, kept.recipe) == (result.report, result.recipe)
    assert imports.report(str(log)) is None


def test_no_pickle_is_read(imports: Imports, log: Path) -> None:
    path = Path(imports.run(str(log), ImportRecipe()).path)
    with path.open("wb") as file:
        np.savez(file, format=np.array([1]), items=np.array([object()], dtype=object))
    with pytest.raises(DataError, match="no whole imported data set"):
        load(path)


@pytest.mark.parametrize("keep", [0, 10, 400])
def test_a_stored_file_that_is_cut_off_says_so(keep: int, imports: Imports, log: Path) -> None:
    path = Path(imports.run(str(log), ImportRecipe()).path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataError, match=r"Import it again\."):
        load(path)


def test_a_stored_file_of_a_newer_version_says_so(imports: Imports, log: Path) -> None:
    path = Path(imports.run(str(log), ImportRecipe()).path)
    with np.load(path) as stored:
        arrays = dict(stored) | {"format": np.array([9])}
    with path.open("wb") as file:
        np.savez(file, **arrays)
    with pytest.raises(DataError, match="newer version"):
        load(path)


def test_a_job_can_be_watched_and_leaves_nothing(imports: Imports, log: Path) -> None:
    seen: list[ImportProgress | None] = []
    job = f"{os.getpid()}-test"
    result = imports.run(str(log), ImportRecipe(), job=job, on_progress=lambda _: seen.append(imports.progress(job)))
    assert {found.phase for found in seen if found} >= {"Reading", "Preprocessing", "Writing"}
    assert imports.progress(job) is None
    assert [path.name for path in imports.directory.iterdir()] == [Path(result.path).parent.name]


def test_what_a_killed_import_left_is_taken_away(imports: Imports, log: Path) -> None:
    left = imports.directory / ".import-12-killed" / "data"
    left.mkdir(parents=True)
    other = imports.directory / f".import-{os.getpid()}-other"
    other.mkdir()
    dead = imports.directory / ".import-999999999-dead"
    dead.mkdir()
    imports.discard("12-killed")
    assert not left.exists()
    imports.run(str(log), ImportRecipe())
    assert (dead.exists(), other.exists()) == (False, True)


def test_an_unknown_file_and_wrong_settings_are_refused(imports: Imports, log: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no file"):
        imports.run(str(tmp_path / "gone.csv"), ImportRecipe())
    with pytest.raises(DataError, match="no such file of titles"):
        imports.run(str(log), ImportRecipe(titles=str(tmp_path / "gone.tsv")))
    with pytest.raises(ConfigurationError, match="minimum-rating: must be at least 0"):
        ImportRecipe().replace({"minimum_rating": "-1"})
    with pytest.raises(ConfigurationError, match="there is no importer called 'xls'"):
        ImportRecipe().replace({"format": "xls"})
    assert imports.look(str(log), ImportRecipe(user="nobody")).problem.startswith("there is no column 'nobody'")


def test_a_recipe_round_trips_through_json() -> None:
    recipe = ImportRecipe(core=7, duplicates="last", on_bad_rows="skip", user="who")
    assert parse_recipe(json.loads(recipe.model_dump_json())) == recipe


def test_times_of_an_import_do_not_change_the_fingerprint(imports: Imports, log: Path) -> None:
    with_times = imports.run(str(log), ImportRecipe(core=0))
    without = imports.run(str(log), ImportRecipe(core=0, time="-"))
    assert load(without.path).times is None
    assert load(with_times.path).fingerprint != load(without.path).fingerprint  # u1's second i0 stands elsewhere
    first = imports.run(str(log), ImportRecipe(core=0, duplicates="first"))
    assert (
        load(first.path).fingerprint
        == imports.run(str(log), ImportRecipe(core=0, duplicates="first", time="-")).fingerprint
    )


def test_equal_times_by_item(imports: Imports, tmp_path: Path) -> None:
    path = tmp_path / "days.csv"
    path.write_text(
        "user,item,date\n" + "".join(f"u{n % 2},{item},2020-01-01\n" for n in range(2) for item in (30, 4, 7))
    )
    dataset = load(imports.run(str(path), ImportRecipe(core=0, ties="item")).path)
    assert [dataset.item_ids[item] for item in dataset.sequences[0]] == ["4", "7", "30"]


def test_another_file_of_the_same_size_and_time_is_another_data_set(
    imports: Imports, log: Path, tmp_path: Path
) -> None:
    import os

    first = imports.run(str(log), ImportRecipe(core=0))
    other = tmp_path / "other.csv"
    text = log.read_text(encoding="utf-8")
    other.write_text(text.replace("u1", "v1").replace("i1", "j1"), encoding="utf-8")
    assert other.stat().st_size == log.stat().st_size
    os.utime(other, ns=(log.stat().st_atime_ns, log.stat().st_mtime_ns))
    found = imports.run(str(other), ImportRecipe(core=0))
    assert found.is_new
    assert found.fingerprint != first.fingerprint
    same = tmp_path / "same.csv"
    same.write_text(text, encoding="utf-8")
    assert not imports.run(str(same), ImportRecipe(core=0)).is_new


@pytest.mark.parametrize(("unit", "told"), [("seconds", False), ("milliseconds", True)])
def test_times_in_a_unit_that_cannot_be_are_told(unit: str, told: bool, imports: Imports, log: Path) -> None:
    notes = imports.count(str(log), ImportRecipe(core=0, time_unit=unit)).notes
    assert any("lie in the year 1970: check their unit" in note for note in notes) is told


def test_all_imports_are_listed_the_last_one_first(imports: Imports, log: Path) -> None:
    assert imports.all() == ()
    first = imports.run(str(log), ImportRecipe())
    again = imports.run(str(log), ImportRecipe(core=0))
    os.utime(Path(first.path).parent, ns=(1, 1))
    assert [found.path for found in imports.all()] == [again.path, first.path]
    assert not any(found.is_new for found in imports.all())
    Path(again.path).unlink()
    (imports.directory / "broken-1").mkdir()
    (imports.directory / f"{'.'}left-2").mkdir()
    assert [found.path for found in imports.all()] == [first.path]
