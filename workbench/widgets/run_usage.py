"""The System tab: processor, memory and accelerator of one run over time, as the run itself has recorded them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.records import RunRecord, UsageSample
from workbench.context import Context
from workbench.theme import SMALL, SPACE, WIDE
from workbench.widgets.layout import label
from workbench.widgets.states import StatefulStack

if TYPE_CHECKING:
    from workbench.plots.usage_plot import UsagePlot

MIB = float(1 << 20)


def minutes_of(samples: tuple[UsageSample, ...]) -> np.ndarray:
    """Minutes since the first sample, float [S]."""
    return np.array([(sample.at - samples[0].at).total_seconds() / 60 for sample in samples])


class RunUsage(QWidget):
    """Reads what is new of the shown run with `read`."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._run_id = ""
        self._goes_on = False
        self._samples: tuple[UsageSample, ...] = ()
        self._is_read = False
        self.plots: dict[str, UsagePlot] = {}
        self.note = label("", "muted", wrap=True)
        inner = QWidget()
        self._column = QVBoxLayout(inner)
        self._column.setContentsMargins(SPACE, SPACE, WIDE, WIDE)
        self._column.setSpacing(SMALL)
        self._column.addWidget(self.note)
        self.states = StatefulStack(inner, context.theme)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.states)

    def show_record(self, record: RunRecord) -> None:
        """Show this run's samples, as soon as somebody looks."""
        if record.id != self._run_id:
            self._run_id, self._samples, self._is_read = record.id, (), False
            self.states.show_loading("Reading what the run used …")
        self._goes_on = not record.status.is_end
        if self.isVisible():
            self.read()

    def read(self) -> None:
        """Ask for the samples since the last one; of a run that has ended, once."""
        if not self._run_id or (self._is_read and not self._goes_on):
            return
        wanted = self._run_id
        last = self._samples[-1] if self._samples else None
        after = (last.attempt, last.sequence) if last is not None else (0, 0)

        def show(new: tuple[UsageSample, ...]) -> None:
            known = self._samples[-1] if self._samples else None
            if wanted == self._run_id and known == last:
                self._is_read = True
                self._samples += tuple(new)
                self._show()

        self._context.run_in_thread(
            self._context.workspace.runs.usage,
            wanted,
            after,
            on_result=show,
            on_error=self.states.show_error,
            key="run-usage",
        )

    def _make_plots(self) -> None:
        # pyqtgraph is imported with the tab, not with the page's file.
        from workbench.plots.usage_plot import UsagePlot
        from workbench.widgets.plot_card import PlotCard

        theme = self._context.theme
        for name, title, unit, top in (
            ("load", "Load", "%", 100.0),
            ("memory", "Memory", "MiB", 1.0),
        ):
            self.plots[name] = UsagePlot(theme, f"{title} of the run over time", unit, top)
            self._column.addWidget(PlotCard(theme, title, self.plots[name]), 1)

    def _show(self) -> None:
        if not self._samples:
            why = (
                "The first sample comes two seconds after the start."
                if self._goes_on
                else ("It recorded none: it ended within two seconds, or an older version trained it.")
            )
            self.states.show_empty("No samples of this run", why, "device")
            return
        if not self.plots:
            self._make_plots()
        samples = self._samples
        minutes = minutes_of(samples)
        # A gap where another attempt begins.
        breaks = [n for n in range(1, len(samples)) if samples[n].attempt != samples[n - 1].attempt]

        def values(of: list[float]) -> np.ndarray:
            return np.insert(np.array(of, dtype=float), breaks, np.nan)

        gpu = [np.nan if s.gpu is None else 100 * s.gpu for s in samples]
        held = [np.nan if s.gpu_memory is None else s.gpu_memory / MIB for s in samples]
        load = [("processor, all cores", values([100 * s.processor for s in samples]))]
        memory = [("run", values([s.memory / MIB for s in samples]))]
        if not np.isnan(gpu).all():
            load.append(("accelerator", values(gpu)))
        if not np.isnan(held).all():
            memory.append(("accelerator", values(held)))
        spread = np.insert(minutes, breaks, minutes[breaks])
        self.plots["load"].set_values(spread, load)
        self.plots["memory"].set_values(spread, memory)
        last = samples[-1]
        peak = max(s.memory for s in samples) / MIB
        accelerator = "" if last.gpu_memory is not None else " No accelerator was used."
        word = "sample" if len(samples) == 1 else "samples"
        self.note.setText(
            f"{len(samples)} {word}. Most memory {peak:,.0f} MiB; the machine has {last.memory_free / MIB:,.0f} MiB "
            f"left.{accelerator}"
        )
        self.states.show_content()
