"""The one door to the engine for the workbench and the command line. Importing it imports no torch."""

from engine.api.workspace import Workspace

__all__ = ["Workspace"]
