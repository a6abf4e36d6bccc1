"""One desk a site: a lock that the system frees when its process ends, however it ends."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from reid_desk.errors import SiteError
from reid_desk.site.database import storage_errors


class DeskLock:
    """Held by the one desk window that has a site open.

    SQLite's exclusive lock on an empty file of its own does the work: it is the same on every system, and the
    system drops it with the process that holds it, so a desk that was killed leaves no lock behind. The
    process id lies beside it, only to be named in the message.

    Args:
        folder: the site's.

    Raises:
        SiteError: another desk holds it.
    """

    def __init__(self, folder: Path) -> None:
        self._pid_path = folder / "desk.pid"
        with storage_errors(folder):
            self._connection = sqlite3.connect(
                folder / "desk.lock", timeout=0, isolation_level=None, check_same_thread=False
            )
            self._take(folder)
            self._pid_path.write_text(str(os.getpid()), encoding="ascii")

    def _take(self, folder: Path) -> None:
        try:
            self._connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            self._connection.close()
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            raise SiteError(
                f"The site {folder} is open in another desk ({self._holder()}); close that one first."
            ) from error

    def _holder(self) -> str:
        try:
            return f"process {int(self._pid_path.read_text(encoding='ascii'))}"
        except (OSError, ValueError):  # it is just starting
            return "its process is unknown"

    def release(self) -> None:
        """Let another desk open the site."""
        self._pid_path.unlink(missing_ok=True)
        self._connection.close()
