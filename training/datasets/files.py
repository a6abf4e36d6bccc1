"""Listing folders of images."""

from __future__ import annotations

from pathlib import Path

from training.errors import DatasetError

_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})


def image_files(folder: Path) -> list[Path]:
    """The images directly in ``folder``, by name; hidden files and other kinds of file are passed over.

    Raises:
        DatasetError: the folder cannot be read.
    """
    return [path for path in _visible(folder) if path.suffix.lower() in _SUFFIXES and not path.is_dir()]


def subfolders(folder: Path) -> list[Path]:
    """The visible folders directly in ``folder``, by name.

    Raises:
        DatasetError: the folder cannot be read.
    """
    # Images are the bulk of what is listed: asking each for its kind would double the time.
    return [path for path in _visible(folder) if path.suffix.lower() not in _SUFFIXES and path.is_dir()]


def _visible(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise DatasetError(
            f"{folder} cannot be read ({error.strerror}): check that it is a folder you may open."
        ) from error
