"""Versions that are installed, and a citation that can be pasted."""

from __future__ import annotations

from importlib import metadata

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from workbench.shell import about


def test_versions_and_citation(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = about.AboutDialog(parent)
    assert f"PySide6-Essentials {metadata.version('PySide6-Essentials')}" in dialog.versions.text()
    assert f"torch {metadata.version('torch')}" in dialog.versions.text()
    dialog.copy.click()
    copied = QGuiApplication.clipboard().text()
    assert copied == dialog.text.toPlainText() == about.citation()
    assert f"version = {{{metadata.version('coserec-workbench')}}}" in copied
    for entry in copied.split("@")[1:]:
        assert entry.count("{") == entry.count("}")


def test_what_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(about, "PACKAGE", "no-such-package")
    assert "version = {not installed}" in about.citation()
