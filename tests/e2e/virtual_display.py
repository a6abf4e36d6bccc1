"""An X server that draws into memory, for tests of the real window."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def virtual_display(width: int = 1920, height: int = 1200) -> Iterator[dict[str, str]]:
    """Run Xvfb on a free display; give the environment that leads to it."""
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp"],
        pass_fds=(write,),
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    try:
        with os.fdopen(read) as told:
            display = told.readline().strip()
        yield os.environ | {"DISPLAY": f":{display}", "QT_QPA_PLATFORM": "xcb", "XDG_SESSION_TYPE": "x11"}
    finally:
        server.terminate()
        server.wait()
