"""``coserec import``: the guesses, the count, the data set, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.config import recipe_fields
from tests.engine.cli.conftest import Shell


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.csv"
    rows = "".join(f"u{u},i{n},{1 + n % 5},{1_500_000_000 + n}\n" for u in range(6) for n in range(6))
    path.write_text("customer,product,stars,ts\n" + rows)
    return path


def test_import_prints_what_the_other_commands_take(shell: Shell, log: Path) -> None:
    made = shell("import", log, "--workspace", shell.workspace)
    path = made.stdout.splitlines()[-1]
    assert "5-core" in made.stdout
    summary = shell.json("inspect", path)
    assert (summary["users"], summary["items"], summary["actions"]) == (6, 6, 36)
    assert "before" in shell("import", log, "--workspace", shell.workspace).stderr


def test_the_numbers_of_json_and_of_a_dry_run_are_the_same(shell: Shell, log: Path) -> None:
    counted = shell.runs("import", log, "--dry-run", "--minimum-rating", 3, "--core", 2)
    assert not (shell.workspace / "datasets").exists()
    made = shell.runs("import", log, "--minimum-rating", 3, "--core", 2)
    assert made["is_new"]
    assert made["recipe"]["minimum_rating"] == 3
    assert {key: value for key, value in made["report"].items() if key != "titled"} == {
        key: value for key, value in counted.items() if key != "titled"
    }
    assert [stage["actions"] for stage in counted["stages"]] == [36, 18, 18, 18, 18]


def test_look_shows_the_guesses(shell: Shell, log: Path) -> None:
    found = shell.runs("import", log, "--look")
    assert [column["kind"] for column in found["columns"]] == ["text", "text", "integer", "integer"]
    assert (found["recipe"]["user"], found["recipe"]["time_unit"]) == ("customer", "seconds")
    assert "times are seconds" in shell("import", log, "--look").stdout


def test_bad_rows_stop_it_unless_they_are_skipped(shell: Shell, log: Path) -> None:
    log.write_text(log.read_text() + "u1,,3,4\n")
    error = shell.runs("import", log, code=1)["error"]
    assert error["message"] == f"{log}, line 38: there is no item id (column 'product')."
    assert "--on-bad-rows skip" in error["hint"]
    made = shell.runs("import", log, "--on-bad-rows", "skip")
    assert made["report"]["bad_rows"] == [{"line": 38, "reason": "there is no item id (column 'product')"}]
    assert made["recipe"]["on_bad_rows"] == "skip"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--core", "many"], "core: must be a whole number; it is 'many'."),
        (["--format", "xls"], "there is no importer called 'xls'."),
        (["--duplicates", "some"], "duplicates: must be one of"),
    ],
)
def test_wrong_settings_are_wrong_use(arguments: list[str], words: str, shell: Shell, log: Path) -> None:
    assert words in shell.runs("import", log, *arguments, code=2)["error"]["message"]


def test_every_setting_is_an_option_with_its_help(shell: Shell) -> None:
    text = shell("import", "--help").stdout
    for field in recipe_fields():
        assert f"--{field.path} " in text


def test_a_look_and_the_import_say_that_dates_can_be_read_either_way(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "days.csv"
    path.write_text("user,item,date\n" + "".join(f"u{n % 6},i{n // 6},{1 + n // 6:02}/05/2020\n" for n in range(36)))
    for arguments in (["--look"], ["--dry-run"], []):
        told = shell("import", path, *arguments, "--workspace", shell.workspace).stderr
        assert told.count("can be read either way") == 1
        assert "--time-unit day_first" in told
