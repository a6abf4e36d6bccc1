"""Listing folders of images."""

from __future__ import annotations

import os
from pathlib import Path

from training.errors import DatasetError

_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})


def image_files(folder: Path) -> list[Path]:
    """The images directly in ``folder``, by name; hidden files and other kinds of file are passed over.

    Raises:
        DatasetError: the folder cannot be read.
    """
    return [folder / entry.name for entry in _visible(folder) if _is_image(entry)]


def subfolders(folder: Path) -> list[Path]:
    """The visible folders directly in ``folder``, by name.

    Raises:
        DatasetError: the folder cannot be read.
    """
    return [folder / entry.name for entry in _visible(folder) if entry.is_dir()]


def _is_image(entry: os.DirEntry[str]) -> bool:
    return Path(entry.name).suffix.lower() in _SUFFIXES and entry.is_file()


def _visible(folder: Path) -> list[os.DirEntry[str]]:
    try:
        # Unlike paths, entries know what they are without asking the disk again.
        with os.scandir(folder) as entries:
            return sorted((entry for entry in entries if not entry.name.startswith(".")), key=_name)
    except OSError as error:
        raise DatasetError(
            f"{folder} cannot be read ({error.strerror}): check that it is a folder you may open."
        ) from error


def _name(entry: os.DirEntry[str]) -> str:
    return entry.name
