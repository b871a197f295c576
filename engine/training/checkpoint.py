"""Checkpoints: tensors and plain values only, written under a temporary name and renamed.

``checkpoint.pt`` is a run between two steps (in version 1, between two epochs), ``best.pt`` the best epoch's weights.
Both load with ``weights_only=True``: nothing in them can run.
"""

from __future__ import annotations

import io
import os
import pickle
import tempfile
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from engine.errors import RunError, UsageError
from engine.paths import BEST_WEIGHTS, CHECKPOINT

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

BEST = BEST_WEIGHTS
_FORMAT = "coserec-workbench"
_VERSION = 2
_ONLY_PLAIN = "Name a best.pt, or a state_dict that torch.save has written."


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Write ``content`` so that ``path`` always holds a whole file: the old one or the new one.

    Raises ``RunError`` when the disk refuses it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with _File(io.FileIO(handle, "wb")) as stream:
                _save({"format": _FORMAT, "version": _VERSION, **content}, stream)
                stream.flush()
                os.fsync(stream.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise RunError(f"The checkpoint {path} cannot be written: {error.strerror or error}.", "Make room.") from error


class _File(io.BufferedWriter):
    """A file that remembers why it did not take something."""

    refusal: OSError | None = None

    def write(self, data: Buffer) -> int:
        try:
            return super().write(data)
        except OSError as error:
            self.refusal = error
            raise


def _save(content: Mapping[str, Any], stream: _File) -> None:
    """`torch.save`. Of a file that it cannot write it says only that its archive is not as long as it should be, in a
    ``RuntimeError`` as for a fault of the program: raises the file's own ``OSError``."""
    try:
        torch.save(content, stream)
    except RuntimeError:
        if stream.refusal is not None:
            raise stream.refusal from None
        raise


def read(path: Path) -> dict[str, Any]:
    """What `write` wrote, on the CPU. Raises ``UsageError`` when there is no such file or it is not a checkpoint."""
    content = _load(path)
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise UsageError(f"{path} is not a checkpoint of this program.", "Name a best.pt or checkpoint.pt.")
    if content["version"] > _VERSION:
        raise UsageError(f"{path} was written by a newer version of this program.", "Update the program.")
    return content


@dataclass(frozen=True, eq=False)
class Weights:
    """Model weights by name, and what their file says of them.

    ``is_published``: they carry the authors' names (FACTS F20). Of a file of ours, ``config`` is the run's
    configuration as JSON, ``fingerprint`` that of its data, ``epoch`` the zero-based epoch after which the weights
    were these and ``is_best`` whether it is the best validated one; empty and None for bare weights. A checkpoint from
    before the first validation has the weights of its last step, which are of no whole epoch.
    """

    values: dict[str, Tensor]
    is_published: bool
    config: str = ""
    fingerprint: str = ""
    epoch: int | None = None
    is_best: bool | None = None

    @property
    def epoch_from_1(self) -> int | None:
        """The epoch as windows, tables and JSON count it."""
        return None if self.epoch is None else self.epoch + 1


def read_weights(path: Path) -> Weights:
    """Model weights from a file: ours (``best.pt``, ``checkpoint.pt``) or a bare dictionary of tensors (FACTS F20).

    Of a ``checkpoint.pt``, the best epoch's weights. Raises ``UsageError`` when the file holds neither.
    """
    content = _load(path)
    if isinstance(content, dict) and content.get("format") == _FORMAT:
        values = content.get("best") or content.get("model")
        if isinstance(values, dict):
            told = str(content.get("config", "")), str(content.get("fingerprint", ""))
            # A best.pt has no "best" inside it: it is.
            return Weights(values, False, *told, _epoch_of(content), bool(content.get("best")) or "epoch" in content)
    for wrapper in ("state_dict", "model_state_dict", "model"):
        if isinstance(content, dict) and isinstance(content.get(wrapper), dict):
            content = content[wrapper]
    if isinstance(content, dict) and content and all(isinstance(value, Tensor) for value in content.values()):
        return Weights({str(name).removeprefix("module."): value for name, value in content.items()}, True)
    raise UsageError(f"{path} holds no model weights.", "Name a best.pt, or a file of weights by name.")


def _epoch_of(content: Mapping[str, Any]) -> int | None:
    """Zero-based epoch of the weights that `read_weights` takes: told in ``best.pt``, else that of the best epoch."""
    stopping = content.get("stopping")
    found = content.get("epoch", stopping.get("best_epoch") if isinstance(stopping, Mapping) else None)
    return found if isinstance(found, int) else None


def _load(path: Path) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # about pickles of other programs, which are refused below
            return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise UsageError(f"There is no checkpoint {path}.", "Check the path.") from None
    except IsADirectoryError:
        raise UsageError(f"{path} is a folder.", f"Name the file inside it: {BEST} or {CHECKPOINT}.") from None
    except pickle.UnpicklingError:
        # torch's own words advise to read the file without this protection.
        raise UsageError(
            f"{path} is no file of weights, or holds more than tensors and plain values.", _ONLY_PLAIN
        ) from None
    except (RuntimeError, EOFError, zipfile.BadZipFile, ValueError, OSError, KeyError) as error:
        reason = str(error).strip().splitlines()[0][:200].rstrip(".") if str(error).strip() else type(error).__name__
        raise UsageError(f"{path} cannot be read as weights: {reason}.", _ONLY_PLAIN) from error
