"""Which clips are being imported: each has a byte of one file locked by the process that imports it.

The byte's place is a digest of the clip's SHA-256. The system takes the lock back from a process however it ends, and
nothing is left to tidy up.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from reid_desk.errors import FootageError

FILE_NAME = "import.lock"
_PLACE_BYTES = 7  # a file's offsets have 63 bits


@contextmanager
def hold(site_folder: Path, clip: Path, sha256: str) -> Iterator[None]:
    """Be the one process that imports ``clip``, of that SHA-256, into a site.

    Raises:
        FootageError: another process imports it.
    """
    with (site_folder / FILE_NAME).open("a+b") as file:
        place = hashlib.sha256(sha256.encode()).digest()[:_PLACE_BYTES]
        if not _try_lock(file, int.from_bytes(place)):
            raise FootageError(f"{clip}: another process is importing this clip. Wait for it.")
        yield


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: IO[bytes], place: int) -> bool:
        file.seek(place)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(file: IO[bytes], place: int) -> bool:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        except (BlockingIOError, PermissionError):  # which of them depends on the system
            return False
        return True
