"""What this program is, in which versions it runs, and what to cite."""

from __future__ import annotations

import platform
from importlib import metadata

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QPlainTextEdit, QVBoxLayout, QWidget

from workbench.theme import SPACE, WIDE, set_role
from workbench.widgets.layout import label

PACKAGE = "coserec-workbench"
LIBRARIES = ("torch", "numpy", "scipy", "PySide6-Essentials", "pyqtgraph", "SQLAlchemy")
"""Told without importing one: torch stays out of this process."""
PAPER = """\
@article{liu2021coserec,
  title   = {Contrastive Self-supervised Sequential Recommendation with Robust Augmentation},
  author  = {Liu, Zhiwei and Chen, Yongjun and Li, Jia and Yu, Philip S. and McAuley, Julian and Xiong, Caiming},
  journal = {arXiv preprint arXiv:2108.06479},
  year    = {2021}
}
"""


def version_of(package: str) -> str:
    """The installed version; ``not installed`` where there is none."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def citation() -> str:
    """BibTeX of the paper, and of this program in its version."""
    return f"""{PAPER}
@software{{coserec_workbench,
  title   = {{CoSeRec Workbench}},
  version = {{{version_of(PACKAGE)}}},
  note    = {{Python {platform.python_version()}, PyTorch {version_of("torch")}}}
}}
"""


class AboutDialog(QDialog):
    """Versions, and the citation to be copied. A run's protocol says what its numbers were made by."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("About CoSeRec Workbench")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        found = ", ".join(f"{name} {version_of(name)}" for name in LIBRARIES)
        self.versions = label(f"Python {platform.python_version()}, {found}", "muted", wrap=True, selectable=True)
        self.text = QPlainTextEdit(citation())
        self.text.setReadOnly(True)
        set_role(self.text, "log")
        self.text.setTabChangesFocus(True)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setAccessibleName("What to cite, as BibTeX")
        buttons = QDialogButtonBox()
        buttons.addButton("Close", QDialogButtonBox.ButtonRole.RejectRole)
        self.copy = buttons.addButton("Copy as BibTeX", QDialogButtonBox.ButtonRole.ActionRole)
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(citation()))
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(WIDE, WIDE, WIDE, WIDE)
        layout.setSpacing(SPACE)
        layout.addWidget(label(f"CoSeRec Workbench {version_of(PACKAGE)}", "title"))
        layout.addWidget(self.versions)
        layout.addWidget(
            label("Cite the paper for the method; the protocol of a run says what its numbers are.", wrap=True)
        )
        layout.addWidget(self.text, 1)
        layout.addWidget(buttons)
        self.resize(780, 400)
