"""A job in a process of its own: ``python -m reid_desk.jobs.worker job.json``.

Events go out on stdout, one JSON object a line, commands come in on stdin; see
:mod:`reid_desk.jobs.events`. Whatever else is printed, by Python or by a native library, goes to stderr. When
stdin closes, the desk is gone and the worker cancels itself.

Exit code: 0 finished or cancelled, 2 bad input, 1 anything else.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import BinaryIO, TextIO

from reid_desk.errors import ReidDeskError
from reid_desk.jobs.control import Control
from reid_desk.jobs.events import Failed, Hello, parse_command
from reid_desk.jobs.failures import CANCELLATIONS, failure_of
from reid_desk.jobs.reporters import JsonLines
from reid_desk.jobs.run import run_job
from reid_desk.jobs.spec import JobSpec


def main(arguments: list[str] | None = None) -> int:
    """Carry out one job file; return the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    protocol = take_stdout()
    control = Control()
    reporter = JsonLines(protocol, control)
    _stop_on_signals(control)
    listener = threading.Thread(
        target=listen,
        args=(os.fdopen(0, "rb", closefd=False), control, reporter),
        name="commands",
        daemon=True,
    )
    listener.start()
    try:
        spec = JobSpec.read(Path(arguments[0])) if len(arguments) == 1 else _usage()
    except ReidDeskError as error:
        reporter.emit(Hello(os.getpid(), "unknown"))
        reporter.emit(failure_of(error))
        return 2
    return _work(spec, reporter)


def take_stdout() -> TextIO:
    """Reserve stdout for the protocol: return a stream to it, and send all other output to stderr.

    Done to the file descriptors, so that native libraries and child processes are redirected too.
    """
    sys.stdout.flush()
    protocol = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return os.fdopen(protocol, "w", encoding="utf-8", newline="\n")


def listen(commands: BinaryIO, control: Control, reporter: JsonLines) -> None:
    """Obey each line of ``commands``; cancel when there are no more. Lines that say nothing are skipped."""
    for line in iter(commands.readline, b""):
        command = parse_command(line)
        if command == "cancel":
            control.cancel()
            reporter.message("Cancelling: saving what is done so far.")
        elif command == "pause":
            control.pause()
        elif command == "resume":
            control.resume()
    control.cancel()


def _work(spec: JobSpec, reporter: JsonLines) -> int:
    try:
        run_job(spec, reporter)
    except CANCELLATIONS:
        return 0
    except BaseException as error:  # noqa: BLE001 - it was told as an event; only the exit code is left
        failure: Failed = failure_of(error)
        sys.stderr.write(failure.details)
        return 2 if failure.category == "input" else 1
    return 0


def _usage() -> JobSpec:
    raise ReidDeskError("The worker takes one job file: python -m reid_desk.jobs.worker job.json")


def _stop_on_signals(control: Control) -> None:
    def stop(number: int, _frame: FrameType | None) -> None:
        if control.cancelled:
            os._exit(128 + number)
        control.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)


if __name__ == "__main__":
    sys.exit(main())
