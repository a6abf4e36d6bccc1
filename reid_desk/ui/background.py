"""Short work off the event loop: a search, a page of thumbnails, a count.

Whatever happens, either the result or the error comes back on the thread of the window. Work that became
stale meanwhile (the same caller asked for something newer) is dropped: each caller holds a :class:`Latest`,
whose generation is its token.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QRunnable, QThreadPool, Signal, Slot

SHUTDOWN_MS = 2_000


class _Relay(QObject):
    done = Signal(object, object, object)  # the task, its result, its error


class _Task(QRunnable):
    def __init__(
        self,
        work: Callable[[], Any],
        on_result: Callable[[Any], None],
        on_error: Callable[[Exception], None] | None,
        relay: _Relay,
    ) -> None:
        super().__init__()
        self.setAutoDelete(False)  # Python owns it: Background keeps it until its answer is delivered
        self._work = work
        self.on_result = on_result
        self.on_error = on_error
        self._relay = relay

    def run(self) -> None:
        try:
            result, error = self._work(), None
        except Exception as caught:  # noqa: BLE001 - handed to the caller, or to the excepthook
            result, error = None, caught
        self._relay.done.emit(self, result, error)


# Threads that were still at work when their desk was closed. Qt would wait for them while it holds Python's lock,
# which they need: they are let be until the process ends.
_unfinished: list[tuple[QThreadPool, set[_Task]]] = []


def unfinished() -> bool:
    """Whether a thread of a closed desk is still at work; then the process must not take Python down orderly."""
    return any(not pool.waitForDone(0) for pool, _ in _unfinished)


class Background(QObject):
    """A pool of threads that answers on the thread that asked."""

    def __init__(self, parent: QObject | None = None, *, threads: int = 2) -> None:
        super().__init__(parent)
        self._pool = QThreadPool()
        self._pool.setMaxThreadCount(threads)
        self._open = True
        self._tasks: set[_Task] = set()
        self._relay = _Relay()
        self._relay.done.connect(self._deliver)

    def run(
        self,
        work: Callable[[], Any],
        on_result: Callable[[Any], None],
        on_error: Callable[[Exception], None] | None = None,
        *,
        priority: int = 0,
    ) -> None:
        """Do ``work`` on another thread, then call ``on_result`` or ``on_error`` on this one.

        Without ``on_error`` an exception is shown like any uncaught one.
        """
        if not self._open:
            return
        task = _Task(work, on_result, on_error, self._relay)
        self._tasks.add(task)
        self._pool.start(task, priority)

    def shut_down(self) -> None:
        """Forget all answers and wait a moment for the threads to end."""
        self._open = False
        self._pool.clear()
        if not self._pool.waitForDone(SHUTDOWN_MS):
            _unfinished.append((self._pool, set(self._tasks)))
        self._tasks.clear()

    @Slot(object, object, object)
    def _deliver(self, task: _Task, result: object, error: Exception | None) -> None:
        if not self._open or task not in self._tasks:
            return
        self._tasks.discard(task)
        if error is None:
            task.on_result(result)
        elif task.on_error is not None:
            task.on_error(error)
        else:
            sys.excepthook(type(error), error, error.__traceback__)


class Latest:
    """Keeps only the answer to the newest question."""

    def __init__(self, background: Background) -> None:
        self._background = background
        self._generation = 0

    def run(
        self,
        work: Callable[[], Any],
        on_result: Callable[[Any], None],
        on_error: Callable[[Exception], None] | None = None,
    ) -> None:
        """Do ``work`` in the background; its answer is dropped if a newer question was asked meanwhile."""
        self._generation += 1
        generation = self._generation

        def unless_stale(deliver: Callable[[Any], None]) -> Callable[[Any], None]:
            return lambda answer: deliver(answer) if generation == self._generation else None

        self._background.run(work, unless_stale(on_result), unless_stale(on_error) if on_error else None)

    def drop(self) -> None:
        """Let no answer come any more."""
        self._generation += 1
