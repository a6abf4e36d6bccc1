"""What is left of a desk that ended without a word, shown at the next start.

Python's fault handler writes into a file of this desk when the process crashes; a file that is not empty at the start
is the report of an earlier crash.
"""

from __future__ import annotations

import faulthandler
import os
from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import QStandardPaths

_LONGEST = 64 * 1024


class CrashReport:
    """The report files of this user, in ``folder``."""

    def __init__(self, folder: Path | None = None) -> None:
        place = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.AppLocalDataLocation)
        self._folder = folder or Path(place)
        self._file = self._folder / f"crash-{os.getpid()}.txt"

    def watch(self) -> None:
        """From now on, write what the process was doing if it crashes."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._out = self._file.open("w", encoding="utf-8")
        faulthandler.enable(self._out)

    def take_earlier(self) -> str:
        """Return the reports of earlier crashes, or nothing; each is returned once."""
        texts = []
        for path in sorted(self._folder.glob("crash-*.txt")):
            if path != self._file and not _alive(int(path.stem.removeprefix("crash-"))):
                # Windows removes no file that another desk still writes: that one is alive, and nothing is told of it.
                with suppress(PermissionError, FileNotFoundError):
                    text = path.read_text(encoding="utf-8", errors="replace")[:_LONGEST]
                    path.unlink()
                    texts.append(text)
        return "\n\n".join(filter(None, texts))

    def end(self) -> None:
        """Note that the desk ended as it should."""
        faulthandler.disable()
        self._out.close()
        self._file.unlink(missing_ok=True)


def _alive(process_id: int) -> bool:
    if os.name == "nt":  # an open file cannot be removed there, which answers the question
        return False
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
