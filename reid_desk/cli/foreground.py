"""A job on the command line: the very job the desk's worker does, with a progress bar and Ctrl-C."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from reid_desk.jobs.control import Control
from reid_desk.jobs.spec import JobSpec


def run_in_foreground(spec: JobSpec) -> dict[str, Any]:
    """Carry out ``spec`` here and return its result; what it raises is raised."""
    from reid_desk.jobs.run import run_job  # noqa: PLC0415 - opens sites
    from reid_desk.jobs.terminal import terminal_reporter  # noqa: PLC0415 - as above

    control = Control()
    with _polite_interrupt(control):
        return run_job(spec, terminal_reporter(control))


@contextmanager
def _polite_interrupt(control: Control) -> Iterator[None]:
    """The first Ctrl-C (or SIGTERM) asks the job to stop, the second ends the process."""

    def ask_to_stop(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        control.cancel()
        sys.stderr.write("\nStopping and saving what is done; press Ctrl-C again to stop at once.\n")

    before = {number: signal.signal(number, ask_to_stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
