"""A workspace: a folder with the store and the runs, and one thin facade for each capability."""

from __future__ import annotations

from pathlib import Path

from engine import paths
from engine.api.augmentations import Augmentations
from engine.api.bundles import Bundles
from engine.api.comparisons import Comparisons
from engine.api.costs import Costs
from engine.api.datasets import Datasets
from engine.api.evaluations import Evaluations
from engine.api.imports import Imports
from engine.api.leaderboards import Leaderboards
from engine.api.neighbours import Neighbours
from engine.api.queueing import Queue
from engine.api.recommendations import Recommending
from engine.api.results import Results
from engine.api.run_marks import RunMarking
from engine.api.run_protocol import RunProtocols
from engine.api.runs import Runs


class Workspace:
    """Everything the engine offers, on one folder. Cheap to make, safe to pickle: the store opens when it is used."""

    def __init__(self, directory: str | Path | None = None) -> None:
        self.directory = Path(directory).expanduser().absolute() if directory else paths.default_workspace()
        self.is_default = self.directory == paths.default_workspace()
        """Whether it is the folder that is opened where none is named."""
        self.datasets = Datasets()
        self.imports = Imports(self.directory)
        self.evaluations = Evaluations()
        self.costs = Costs()
        self.runs = Runs(self.directory)
        self.neighbours = Neighbours(self.runs)
        self.augmentations = Augmentations(self.runs)
        self.comparisons = Comparisons(self.runs)
        self.leaderboards = Leaderboards(self.runs, self.comparisons)
        self.results = Results(self.runs)
        self.bundles = Bundles(self.runs)
        self.marks = RunMarking(self.runs)
        self.queue = Queue(self.runs)
        self.protocols = RunProtocols(self.runs)
        self.recommendations = Recommending(self.runs)
