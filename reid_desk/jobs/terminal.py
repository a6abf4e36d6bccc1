"""A job in the foreground: a progress bar for a person, plain lines for a log file."""

from __future__ import annotations

import sys
import time
from typing import Any, TextIO

from reid_desk.jobs.control import Control
from reid_desk.jobs.events import Event, Message, Metric, Paused, Phase, Progress, Resumed
from reid_desk.jobs.reporters import EventReporter

PLAIN_INTERVAL = 10.0
"""Seconds between two lines of progress where no one can watch a bar grow."""


def terminal_reporter(control: Control | None = None, stream: TextIO | None = None) -> EventReporter:
    """A reporter for stderr (or ``stream``): a bar if it is a terminal, else plain lines."""
    stream = stream or sys.stderr
    return ProgressBar(stream, control) if stream.isatty() else PlainLines(stream, control)


class PlainLines(EventReporter):
    """Phases and messages as lines; progress now and then."""

    def __init__(self, stream: TextIO, control: Control | None = None) -> None:
        super().__init__(control)
        self._stream = stream
        self._told_at = time.monotonic()

    def deliver(self, event: Event) -> None:
        """Write what a person who reads the log later wants to know."""
        if isinstance(event, Phase):
            self._told_at = time.monotonic()
            self._line(event.text)
        elif isinstance(event, Progress) and time.monotonic() - self._told_at >= PLAIN_INTERVAL:
            self._told_at = time.monotonic()
            self._line(f"  {event.done:,}" + (f" of {event.total:,}" if event.total is not None else ""))
        elif isinstance(event, Message | Paused | Resumed):
            self._line(f"  {spoken(event)}")

    def _line(self, text: str) -> None:
        self._stream.write(text + "\n")
        self._stream.flush()


class ProgressBar(EventReporter):
    """A bar for each phase, with its latest figures beside it; messages above it."""

    def __init__(self, stream: TextIO, control: Control | None = None) -> None:
        super().__init__(control)
        self._stream = stream
        self._bar: Any = None

    def deliver(self, event: Event) -> None:
        """Move the bar, or write above it."""
        if isinstance(event, Phase):
            self._start_bar(event.text)
        elif isinstance(event, Progress) and self._bar is not None:
            self._bar.total = event.total
            self._bar.n = event.done
            self._bar.refresh()
        elif isinstance(event, Metric) and self._bar is not None:
            figures = {name: value for name, value in event.values.items() if value is not None}
            self._bar.set_postfix(figures, refresh=False)
        elif isinstance(event, Message | Paused | Resumed):
            self._write(spoken(event))

    def close_log(self) -> None:
        """The run is over: close the last bar with the log."""
        super().close_log()
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _start_bar(self, text: str) -> None:
        from tqdm import tqdm  # noqa: PLC0415 - only where a bar is shown

        if self._bar is not None:
            self._bar.close()
        self._bar = tqdm(desc=text, file=self._stream, dynamic_ncols=True, miniters=1)

    def _write(self, text: str) -> None:
        if self._bar is None:
            self._stream.write(text + "\n")
        else:
            self._bar.write(text, file=self._stream)


def spoken(event: Message | Paused | Resumed) -> str:
    """The event as a line for people."""
    if isinstance(event, Paused):
        return "Paused."
    if isinstance(event, Resumed):
        return "Resumed."
    return event.text if event.level == "info" else f"{event.level.capitalize()}: {event.text}"
