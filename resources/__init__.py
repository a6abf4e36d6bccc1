"""Files the desk carries: icons, help pages, translations."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path


def read_text(name: str) -> str:
    """Return the text of the resource ``name``, such as ``icons/search.svg``.

    Raises ``FileNotFoundError`` if there is none.
    """
    return files(__name__).joinpath(name).read_text(encoding="utf-8")


def path(name: str) -> Path:
    """Return where the resource ``name`` lies on disk (installers unpack all resources)."""
    with as_file(files(__name__).joinpath(name)) as found:
        return found
