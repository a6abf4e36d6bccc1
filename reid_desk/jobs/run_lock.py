"""Which runs have a living worker: each holds a lock in its run's folder as long as it lives.

A process number tells less: it may belong to someone else by now, or to another machine. The system takes the
lock back from a worker however it ends.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from reid_desk.errors import ReidDeskError

FILE_NAME = "worker.lock"


class RunBusyError(ReidDeskError):
    """Another process works on the run."""


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Be the one worker of the run in ``folder``.

    Raises:
        RunBusyError: if another process works on that run.
        OSError: if the folder is gone or cannot be written.
    """
    with (folder / FILE_NAME).open("a+b") as file:
        if not _try_lock(file):
            raise RunBusyError(
                f"Run {folder.name} is at work in another process. Wait for it, or cancel it there."
            )
        yield


def is_held(folder: Path) -> bool:
    """Whether a process works on the run in ``folder``."""
    path = folder / FILE_NAME
    if not path.exists():
        return False
    # Who may not write in the folder can still ask.
    with path.open("r+b" if os.access(path, os.W_OK) else "rb") as file:
        return not _try_lock(file)


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: IO[bytes]) -> bool:
        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
