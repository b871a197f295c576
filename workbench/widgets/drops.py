"""What is dropped on the window from another program: files, and nothing else."""

from __future__ import annotations

from PySide6.QtCore import QMimeData


def files_of(data: QMimeData) -> list[str]:
    """Paths of the local files, in the order in which they were dragged; empty for texts and addresses."""
    return [url.toLocalFile() for url in data.urls() if url.isLocalFile()]
