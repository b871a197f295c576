"""The processor's name: read where the system writes it, its kind where it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import machine


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("processor\t: 0\nmodel\t: 207\nmodel name\t: Made Chip 3\nmodel name\t: Made Chip 3\n", "Made Chip 3"),
        ("processor\t: 0\nBogoMIPS\t: 50\n", "aarch64"),
        (None, "aarch64"),
    ],
)
def test_the_name_stands_in_the_systems_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str | None, name: str
) -> None:
    place = tmp_path / "cpuinfo"
    if written is not None:
        place.write_text(written, encoding="utf-8")
    monkeypatch.setattr(machine, "_CPUINFO", place)
    monkeypatch.setattr(machine.sys, "platform", "linux")
    monkeypatch.setattr(machine.platform, "machine", lambda: "aarch64")
    assert machine.processor.__wrapped__() == name
