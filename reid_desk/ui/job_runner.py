"""Runs one job in a child process and tells the window what it says, without ever waiting for it.

Cancelling is polite first (a command on the worker's stdin: it saves a checkpoint and stops), then
``terminate``, then ``kill`` of everything the worker started.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from PySide6.QtCore import QObject, QProcess, QTimer, Signal

from reid_desk.jobs.events import (
    LAST,
    Cancelled,
    Category,
    Command,
    Event,
    Failed,
    Finished,
    format_command,
    parse_event,
)
from reid_desk.jobs.spec import JobSpec, worker_command

POLITE_MS = 15_000
TERMINATE_MS = 5_000
_LONGEST_LINE = 4 * 1024 * 1024
_STDERR_TAIL = 16 * 1024


@dataclass(frozen=True)
class JobOutcome:
    """How a job ended.

    Attributes:
        state: what became of it.
        result: what it found or made, if it finished.
        message: what happened and why, if it failed.
        hint: what to do next, if it failed and there is something.
        category: whose fault a failure was.
        details: what an engineer wants to see: traceback, last lines of stderr.
    """

    state: Literal["finished", "failed", "cancelled"]
    result: dict[str, Any] = field(default_factory=dict)
    message: str = ""
    hint: str = ""
    category: Category = "crash"
    details: str = ""


class LineParser:
    """Cuts a stream of bytes into lines and lines into events; what is no event is counted and dropped."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self.skipped = 0

    def feed(self, data: bytes) -> list[Event]:
        """Return the events that ``data`` completes."""
        self._rest += data
        *lines, rest = bytes(self._rest).split(b"\n")
        if len(rest) > _LONGEST_LINE:
            self.skipped += 1
            rest = b""
        self._rest = bytearray(rest)
        return self._events(lines)

    def finish(self) -> list[Event]:
        """Return the event of a last line without its line end, if there is one."""
        lines, self._rest = [bytes(self._rest)], bytearray()
        return self._events(lines)

    def _events(self, lines: Sequence[bytes]) -> list[Event]:
        events = []
        for line in lines:
            if not line.strip():
                continue
            event = parse_event(line)
            if event is None:
                self.skipped += 1
            else:
                events.append(event)
        return events


class JobRunner(QObject):
    """One run of one job.

    Signals:
        told: an :class:`~reid_desk.jobs.events.Event` that it told.
        finished: the :class:`JobOutcome`; emitted exactly once, last.
    """

    told = Signal(object)
    finished = Signal(object)

    def __init__(
        self,
        spec: JobSpec,
        *,
        command: Callable[[Path], list[str]] = worker_command,
        polite_ms: int = POLITE_MS,
        terminate_ms: int = TERMINATE_MS,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.spec = spec
        self.cancelling = False
        self._command = command
        self._terminate_ms = terminate_ms
        self._parser = LineParser()
        self._stderr = bytearray()
        self._last: Event | None = None
        self._ended = False
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._process = QProcess(self)
        self._process.setProcessChannelMode(QProcess.ProcessChannelMode.SeparateChannels)
        self._process.readyReadStandardOutput.connect(self._read_events)
        self._process.readyReadStandardError.connect(self._read_stderr)
        self._process.errorOccurred.connect(self._failed_to_start)
        self._process.finished.connect(self._finish)
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(polite_ms)
        self._patience.timeout.connect(self._terminate)

    def start(self) -> None:
        """Start the worker; what becomes of it is told by the signals."""
        try:
            self._folder = tempfile.TemporaryDirectory(prefix="reid-desk-job-")
            job_file = self.spec.write(Path(self._folder.name) / "job.json")
        except OSError as error:
            outcome = self._not_written(error)
            QTimer.singleShot(0, self, lambda: self._end(outcome))  # once the caller can hear it
            return
        program, *arguments = self._command(job_file)
        if sys.platform != "win32":
            # A session of its own, so that a kill reaches whatever the worker started.
            own_session = QProcess.UnixProcessParameters()
            own_session.flags = QProcess.UnixProcessFlag.CreateNewSession
            self._process.setUnixProcessParameters(own_session)
        self._process.start(program, arguments)

    @property
    def running(self) -> bool:
        """Whether the process has not ended yet."""
        return self._process.state() != QProcess.ProcessState.NotRunning

    def send(self, command: Command) -> None:
        """Write ``command`` to the worker."""
        if self.running:
            self._process.write(format_command(command).encode())

    def cancel(self) -> None:
        """Ask the worker to stop; make it stop if it does not."""
        if self.cancelling or not self.running:
            return
        self.cancelling = True
        self.send("cancel")
        self._patience.start()

    def kill(self) -> None:
        """Stop the worker and whatever it started, at once."""
        process_id = self._process.processId()
        if sys.platform != "win32" and process_id:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process_id, signal.SIGKILL)
        self._process.kill()

    def _terminate(self) -> None:
        self._process.terminate()
        self._patience.timeout.disconnect(self._terminate)
        self._patience.timeout.connect(self.kill)
        self._patience.start(self._terminate_ms)

    def _read_events(self) -> None:
        self._tell(self._parser.feed(bytes(self._process.readAllStandardOutput().data())))

    def _tell(self, events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, LAST):
                self._last = event
            self.told.emit(event)

    def _read_stderr(self) -> None:
        self._stderr += bytes(self._process.readAllStandardError().data())
        del self._stderr[:-_STDERR_TAIL]

    def _not_written(self, error: OSError) -> JobOutcome:
        return JobOutcome(
            "failed",
            message=self.tr("The job could not be written down ({reason}).").format(
                reason=error.strerror or error
            ),
            hint=self.tr("Free some space on the disk of {folder}, then start the job again.").format(
                folder=tempfile.gettempdir()
            ),
            category="disk",
        )

    def _failed_to_start(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._end(
                JobOutcome(
                    "failed",
                    message=self.tr("The job could not be started: {reason}.").format(
                        reason=self._process.errorString()
                    ),
                    hint=self.tr("Check that the installation of ReID Desk is complete."),
                )
            )

    def _finish(self, exit_code: int, status: QProcess.ExitStatus) -> None:
        self._patience.stop()
        self._read_events()
        self._read_stderr()
        self._tell(self._parser.finish())
        self._end(self._outcome(exit_code, crashed=status == QProcess.ExitStatus.CrashExit))

    def _outcome(self, exit_code: int, *, crashed: bool) -> JobOutcome:
        tail = self._stderr.decode(errors="replace").strip()
        match self._last:
            case Finished(result=result):
                return JobOutcome("finished", result=result)
            case Cancelled():
                return JobOutcome("cancelled")
            case Failed() as failed:
                details = "\n\n".join(filter(None, (failed.details, tail)))
                return JobOutcome("failed", {}, failed.message, failed.hint, failed.category, details)
        if self.cancelling:
            return JobOutcome("cancelled", details=tail)
        how = self.tr("was ended by the system") if crashed else self.tr("ended with code %d") % exit_code
        return JobOutcome(
            "failed",
            message=self.tr("The job {how} before it was done.").format(how=how),
            hint=self.tr("The machine may be short of memory. Close other programs and start the job again."),
            category="memory" if crashed else "crash",
            details=tail,
        )

    def _end(self, outcome: JobOutcome) -> None:
        if self._ended:
            return
        self._ended = True
        self._patience.stop()
        if self._folder is not None:
            self._folder.cleanup()
        self.finished.emit(outcome)
