"""The switch by which running work is stopped or held, from any thread."""

from __future__ import annotations

import threading

from reid_desk.errors import JobCancelled


class Control:
    """Whether the work should stop or stand still.

    A stop is final: it also ends a pause, and nothing takes it back.
    """

    def __init__(self) -> None:
        self._cancelled = threading.Event()
        self._may_run = threading.Event()
        self._may_run.set()

    @property
    def cancelled(self) -> bool:
        """Whether the work was asked to stop."""
        return self._cancelled.is_set()

    @property
    def paused(self) -> bool:
        """Whether the work was asked to stand still."""
        return not self._may_run.is_set()

    def cancel(self) -> None:
        """Ask the work to stop at its next chance."""
        self._cancelled.set()
        self._may_run.set()

    def pause(self) -> None:
        """Ask the work to stand still at its next chance."""
        if not self.cancelled:
            self._may_run.clear()

    def resume(self) -> None:
        """Let work that stands still go on."""
        self._may_run.set()

    def wait_while_paused(self) -> None:
        """Return as soon as the work may go on, or was asked to stop."""
        self._may_run.wait()

    def check(self) -> None:
        """Raise :class:`~reid_desk.errors.JobCancelled` if the work was asked to stop."""
        if self.cancelled:
            raise JobCancelled("The job was asked to stop.")
