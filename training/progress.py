"""How a run tells whoever watches it what it is doing."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class Reporter(Protocol):
    """Receives what a run has to tell. Implementations: JSON lines, a terminal, a test recorder."""

    def phase(self, name: str, text: str) -> None:
        """A new part of the work begins: ``name`` for programs, ``text`` for people."""

    def progress(self, done: int, total: int | None) -> None:
        """``done`` of ``total`` steps of the current phase; ``None`` where the total is not known."""

    def metric(self, **values: float) -> None:
        """Named figures of the current phase, such as losses or cluster counts."""

    def image(self, name: str, path: Path) -> None:
        """A preview was written to ``path``."""

    def message(self, text: str, *, level: str = "info") -> None:
        """One line for the log; ``level`` is ``info`` or ``warning``."""

    def check_cancelled(self) -> None:
        """Raise :class:`training.errors.Cancelled` (or a caller's own error) if the run should stop."""


class Silent:
    """A reporter for nobody."""

    def phase(self, name: str, text: str) -> None:
        """Ignore."""

    def progress(self, done: int, total: int | None) -> None:
        """Ignore."""

    def metric(self, **values: float) -> None:
        """Ignore."""

    def image(self, name: str, path: Path) -> None:
        """Ignore."""

    def message(self, text: str, *, level: str = "info") -> None:
        """Ignore."""

    def check_cancelled(self) -> None:
        """Never cancels."""
