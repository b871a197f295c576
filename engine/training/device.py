"""Devices a run can use, and what to say when one runs out of memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import psutil
import torch

from engine.config import ExperimentConfig
from engine.errors import ConfigurationError, OutOfMemoryError
from engine.machine import processor, short_processor
from engine.records import DeviceInfo


def resolve(name: Literal["auto", "cpu", "cuda", "mps"]) -> torch.device:
    """The device of that name; ``auto`` takes CUDA, then MPS, then the CPU.

    Raises ``ConfigurationError`` when this machine does not have it.
    """
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        name = next(kind for kind in ("cuda", "mps", "cpu") if available[kind])  # type: ignore[assignment]
    if not available[name]:
        known = ", ".join(kind for kind, there in available.items() if there)
        raise ConfigurationError(
            f"this machine, or this build of PyTorch, has no {name} device.",
            f"Choose one of: auto, {known}.",
            field="train.device",
        )
    return torch.device(name)


def devices() -> tuple[DeviceInfo, ...]:
    """Every device a run can use, the CPU first, with total and free memory in bytes."""
    memory = psutil.virtual_memory()
    threads = torch.get_num_threads()
    label = f"{short_processor(processor())}, {threads} thread{'' if threads == 1 else 's'}"
    found = [DeviceInfo("cpu", label, int(memory.total), int(memory.available))]
    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        found.append(DeviceInfo("cuda", torch.cuda.get_device_name(), int(total), int(free)))
    if torch.backends.mps.is_available():
        found.append(DeviceInfo("mps", "Apple GPU", None, None, "shares the computer's memory"))
    return tuple(found)


def describe(device: torch.device) -> str:
    """The device in words for a record: ``cuda (NVIDIA …)``."""
    return f"cuda ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else device.type


@contextmanager
def memory_guard(config: ExperimentConfig, device: torch.device) -> Iterator[None]:
    """Turn the device's out-of-memory into `OutOfMemoryError`, whose hint names batch size and length."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise _out_of_memory(config, device) from error
    except RuntimeError as error:
        # The CPU's and MPS's allocators have no error of their own.
        if "not enough memory" in str(error) or "out of memory" in str(error):
            raise _out_of_memory(config, device) from error
        raise


def _out_of_memory(config: ExperimentConfig, device: torch.device) -> OutOfMemoryError:
    length = getattr(config.model, "max_length", None)
    model = f" and model.max_length = {length}" if length else ""
    return OutOfMemoryError(
        f"The memory of {describe(device)} ran out with train.batch_size = {config.train.batch_size}{model}.",
        "Lower them, or evaluate.batch_size if it happened while validating, or choose another device.",
    )
