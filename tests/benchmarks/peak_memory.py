"""How much memory a piece of work takes at its height."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

_STATM = Path("/proc/self/statm")


class PeakMemory:
    """Context manager; ``mib`` is the largest growth of the process inside it, sampled every 5 ms."""

    def __enter__(self):
        if not _STATM.exists():
            pytest.skip("memory is read from /proc, which this system has not")
        self._start = self._highest = self._resident()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        self.mib = (self._highest - self._start) / 2**20

    def _sample(self):
        while not self._stop.wait(0.005):
            self._highest = max(self._highest, self._resident())

    def _resident(self):
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
