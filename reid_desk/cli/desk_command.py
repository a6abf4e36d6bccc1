"""``reid-desk [SITE]``: open the desk."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from reid_desk.errors import ReidDeskError, SiteError


def run(arguments: Sequence[str], commands: Sequence[str]) -> int:
    """Open the desk on the site given, if any; return when its window is closed.

    Raises:
        ReidDeskError: there is no such site, or no display.
    """
    if not arguments:
        return open_desk(None)
    site = Path(arguments[0])
    if len(arguments) > 1 or not site.exists():
        raise SiteError(_no_site(arguments, commands))
    return open_desk(site)


def open_desk(site: Path | None) -> int:
    """Show the window; return its exit code."""
    if not has_display():
        raise ReidDeskError(
            "There is no display to open the desk on. Use the commands (reid-desk --help), or set DISPLAY."
        )
    if site is not None:
        _check_site(site)
    from reid_desk.ui.app import main  # noqa: PLC0415 - Qt

    return main(site)


def has_display() -> bool:
    """Whether a window can be shown; a set ``QT_QPA_PLATFORM`` is taken at its word."""
    if not sys.platform.startswith("linux"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def _check_site(path: Path) -> None:
    from reid_desk.site import Site  # noqa: PLC0415 - numpy

    Site.open(path, exclusive=True).close()


def _no_site(arguments: Sequence[str], commands: Sequence[str]) -> str:
    word = arguments[0]
    meant = difflib.get_close_matches(word, commands, n=1)
    if meant:
        return f"{word} is neither a site nor a command. Did you mean: reid-desk {meant[0]}?"
    if len(arguments) > 1:
        return f"{word} is no command, and the desk opens one site. See: reid-desk --help"
    return (
        f"There is no site at {word}. Check the path, or make one: reid-desk import {word} --camera NAME PATH"
    )
