"""Starts Qt, or says in a line why there can be no window."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

NO_WINDOW = 2


def start_qt() -> QApplication:
    """The application, on the display that the environment names.

    Where there is no such display, or a library of it is missing, Qt would abort the process with a page of its own
    words and a core dump. It ends here instead, with exit code 2 and one line on stderr.
    """
    said: list[str] = []

    def hear(kind: QtMsgType, _context: QMessageLogContext, text: str) -> None:
        if kind == QtMsgType.QtFatalMsg:
            _give_up((said or [text])[0])
        said.append(text)

    before = qInstallMessageHandler(hear)
    try:
        app = QApplication(sys.argv[:1])
    finally:
        qInstallMessageHandler(before)
    for text in said:
        sys.stderr.write(f"{text}\n")
    return app


def _give_up(reason: str) -> NoReturn:
    sys.stderr.write(
        f"reid-desk: error: The desk cannot be shown: {reason.splitlines()[0]}. Check DISPLAY and that a display is "
        "there, or use the commands (reid-desk --help).\n"
    )
    sys.stderr.flush()
    os._exit(NO_WINDOW)
