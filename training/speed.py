"""How fast a stage runs, and what it waits for."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

import torch

Item = TypeVar("Item")


class StepMeter:
    """Counts images, time, and time spent waiting for data, over the steps of a stage.

    Reading the clock costs nothing. A GPU, which works through a queue, is waited for once, after the last batch.
    """

    def __init__(self) -> None:
        self.images = 0
        self.seconds = 0.0
        self.waiting = 0.0

    def steps(self, batches: Iterable[Item], *, images: int) -> Iterator[Item]:
        """Pass ``batches`` of ``images`` images each through, taking time around each and between them."""
        iterator = iter(batches)
        while True:
            begun = time.perf_counter()
            try:
                batch = next(iterator)
            except StopIteration:
                if torch.cuda.is_available():
                    torch.cuda.synchronize()
                    self.seconds += time.perf_counter() - begun
                return
            got = time.perf_counter()
            yield batch
            self.images += images
            self.waiting += got - begun
            self.seconds += time.perf_counter() - begun

    def report(self, device: torch.device) -> dict[str, float]:
        """``images_per_second``, ``waiting`` (share of the time, 0..1) and ``peak_memory`` (MiB, of the process on a
        CPU, of torch's tensors on a GPU)."""
        return {
            "images_per_second": self.images / self.seconds if self.seconds else 0.0,
            "waiting": self.waiting / self.seconds if self.seconds else 0.0,
            "peak_memory": peak_memory(device),
        }


def peak_memory(device: torch.device) -> float:
    """The most memory used so far, MiB: of the process on a CPU (0 where that is not known), of tensors on a GPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    if sys.platform == "win32":
        return 0.0
    import resource  # noqa: PLC0415 - not there on Windows

    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kilobytes / (2**20 if sys.platform == "darwin" else 2**10)
