"""A run watched from a terminal: phases as lines, progress as a bar; or everything as JSON lines."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TextIO

from tqdm import tqdm

from training.progress import Silent


class TerminalReporter:
    """Writes to stderr: a line a phase, a bar of its progress with the latest figures, messages between."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._bar: tqdm[None] | None = None

    def phase(self, name: str, text: str) -> None:
        """Close the last bar and begin one for this phase."""
        self.close()
        # Away from a terminal a bar is one line now and then, not a flood.
        interval = 0.1 if self._stream.isatty() else 30.0
        self._bar = tqdm(desc=text, file=self._stream, mininterval=interval, dynamic_ncols=True)

    def progress(self, done: int, total: int | None) -> None:
        """Move the bar."""
        if self._bar is not None:
            self._bar.total = total
            self._bar.update(done - self._bar.n)

    def metric(self, **values: float) -> None:
        """Show the figures beside the bar."""
        if self._bar is not None:
            self._bar.set_postfix({key: f"{value:.4g}" for key, value in values.items()}, refresh=False)

    def image(self, name: str, path: Path) -> None:
        """Say where the preview lies."""
        self._write(f"{name}: {path}")

    def message(self, text: str, *, level: str = "info") -> None:
        """Write a line above the bar."""
        self._write(text if level == "info" else f"{level.capitalize()}: {text}")

    def check_cancelled(self) -> None:
        """Ctrl-C arrives as KeyboardInterrupt by itself."""

    def close(self) -> None:
        """End the last bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _write(self, text: str) -> None:
        tqdm.write(text, file=self._stream)


class JsonLinesReporter:
    """Writes one JSON object a line to a stream, for programs that watch a run."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def phase(self, name: str, text: str) -> None:
        """{"event": "phase", "name", "text"}."""
        self._write(event="phase", name=name, text=text)

    def progress(self, done: int, total: int | None) -> None:
        """{"event": "progress", "done", "total"}."""
        self._write(event="progress", done=done, total=total)

    def metric(self, **values: float) -> None:
        """{"event": "metric", "values"}."""
        self._write(event="metric", values=values)

    def image(self, name: str, path: Path) -> None:
        """{"event": "image", "name", "path"}."""
        self._write(event="image", name=name, path=str(path))

    def message(self, text: str, *, level: str = "info") -> None:
        """{"event": "message", "text", "level"}."""
        self._write(event="message", text=text, level=level)

    def check_cancelled(self) -> None:
        """Ctrl-C arrives as KeyboardInterrupt by itself."""

    def close(self) -> None:
        """Nothing is open."""

    def _write(self, **event: object) -> None:
        self._stream.write(json.dumps(event) + "\n")
        self._stream.flush()


class QuietReporter(Silent):
    """Says nothing: one of several processes reports for all."""

    def close(self) -> None:
        """Nothing is open."""


def open_reporter(*, events: bool, quiet: bool) -> TerminalReporter | JsonLinesReporter | QuietReporter:
    """The reporter of a command: for people on stderr, or ``events`` for programs on stdout, or ``quiet``."""
    if quiet:
        return QuietReporter()
    return JsonLinesReporter(sys.stdout) if events else TerminalReporter()
