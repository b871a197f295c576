"""For the whole suite: Qt draws off-screen unless a display is asked for by name."""

from __future__ import annotations

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
