"""From what work reports to the events that a desk, a terminal and a log receive."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Generic, TextIO, TypeVar

from reid_desk.jobs.control import Control
from reid_desk.jobs.events import (
    Event,
    Image,
    Message,
    Metric,
    Paused,
    Phase,
    Progress,
    Resumed,
    format_event,
)

INTERVAL = 0.1
"""Seconds between two events of progress, and between two of figures: enough for a window that draws each."""


class EventReporter(ABC):
    """A reporter whose every call becomes an event, thinned out, delivered and logged.

    Satisfies :class:`reid_desk.reporting.Reporter` and :class:`training.progress.Reporter`. Safe to use from
    several threads. A pause holds the work inside :meth:`check_cancelled`.

    Attributes:
        control: stops or holds the work.
    """

    def __init__(self, control: Control | None = None, *, interval: float = INTERVAL) -> None:
        self.control = control or Control()
        self._progress = _Latest[Progress](interval)
        self._metric = _Latest[Metric](interval)
        self._log: TextIO | None = None
        self._lock = threading.RLock()

    @abstractmethod
    def deliver(self, event: Event) -> None:
        """Bring an event to whoever watches. Called by one thread at a time."""

    def log_to(self, path: Path) -> None:
        """Append every event from now on to ``path`` as well, until :meth:`close_log`."""
        self.close_log()
        self._log = path.open("a", encoding="utf-8", buffering=1)

    def close_log(self) -> None:
        """Stop appending events to a file."""
        with self._lock:
            if self._log is not None:
                self._log.close()
                self._log = None

    def emit(self, event: Event) -> None:
        """Deliver and log ``event`` now, and before it what was held back."""
        with self._lock:
            for held in (self._metric.take(), self._progress.take()):
                if held is not None:
                    self._send(held)
            self._send(event)

    def phase(self, name: str, text: str) -> None:
        """A new part of the work begins: ``name`` for programs, ``text`` for people."""
        self.emit(Phase(name, text))

    def progress(self, done: int, total: int | None) -> None:
        """``done`` of ``total`` steps of the current phase; the last step is always told."""
        with self._lock:
            due = self._progress.offer(Progress(done, total), at_once=done == total)
            if due is not None:
                self._send(due)

    def metric(self, **values: float) -> None:
        """Named figures of the current phase; between two events, the latest of each name is kept."""
        plain: dict[str, float | None] = {name: float(value) for name, value in values.items()}
        with self._lock:
            held = self._metric.held
            due = self._metric.offer(Metric({**held.values, **plain} if held else plain))
            if due is not None:
                self._send(due)

    def image(self, name: str, path: Path) -> None:
        """A preview was written to ``path``."""
        self.emit(Image(name, str(path)))

    def message(self, text: str, *, level: str = "info") -> None:
        """One line for the log; ``level`` is ``info`` or ``warning``."""
        self.emit(Message(text, level))

    def check_cancelled(self) -> None:
        """Stand still while paused; raise :class:`~reid_desk.errors.JobCancelled` if asked to stop."""
        self.control.check()
        if self.control.paused:
            self.emit(Paused())
            self.control.wait_while_paused()
            self.control.check()
            self.emit(Resumed())

    def _send(self, event: Event) -> None:
        self.deliver(event)
        if self._log is None:
            return
        try:
            self._log.write(format_event(event) + "\n")
        except OSError as error:
            # A full disk must end the work where it saves something, in words, not here.
            self._log = None
            self.deliver(Message(f"The log of this run cannot be written any more: {error}.", "warning"))


class JsonLines(EventReporter):
    """Writes each event as a line to ``stream``; a reader that is gone cancels the work."""

    def __init__(self, stream: TextIO, control: Control | None = None, *, interval: float = INTERVAL) -> None:
        super().__init__(control, interval=interval)
        self._stream: TextIO | None = stream

    def deliver(self, event: Event) -> None:
        """Write the event and flush."""
        if self._stream is None:
            return
        try:
            self._stream.write(format_event(event) + "\n")
            self._stream.flush()
        except (OSError, ValueError):  # ValueError: the stream is closed
            self._stream = None
            self.control.cancel()


_E = TypeVar("_E", bound=Event)


class _Latest(Generic[_E]):
    """Lets one event through every ``interval`` seconds and holds the latest of those between."""

    def __init__(self, interval: float) -> None:
        self.held: _E | None = None
        self._interval = interval
        self._sent_at = float("-inf")

    def offer(self, event: _E, *, at_once: bool = False) -> _E | None:
        """The event to send now, or ``None`` if it is held back."""
        now = time.monotonic()
        if not at_once and now - self._sent_at < self._interval:
            self.held = event
            return None
        self._sent_at = now
        self.held = None
        return event

    def take(self) -> _E | None:
        """The event held back, if any; it is no longer held then."""
        held, self.held = self.held, None
        return held
