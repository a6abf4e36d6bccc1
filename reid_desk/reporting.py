"""How long work tells whoever watches it what it is doing.

The same shape as :class:`training.progress.Reporter`, so that one object watches every kind of job; it is
written twice because neither package may import the other.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class Reporter(Protocol):
    """Receives what a job has to tell. Implementations: JSON lines, a terminal, a test recorder."""

    def phase(self, name: str, text: str) -> None:
        """A new part of the work begins: ``name`` for programs, ``text`` for people."""

    def progress(self, done: int, total: int | None) -> None:
        """``done`` of ``total`` steps of the current phase; ``None`` where the total is not known."""

    def metric(self, **values: float) -> None:
        """Named figures of the current phase, such as losses or counts."""

    def image(self, name: str, path: Path) -> None:
        """A preview was written to ``path``."""

    def message(self, text: str, *, level: str = "info") -> None:
        """One line for the log; ``level`` is ``info`` or ``warning``."""

    def check_cancelled(self) -> None:
        """Raise the implementation's cancellation error if the work was asked to stop."""
