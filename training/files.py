"""Files that are whole or not there at all, and room on the disk that is found missing before it is written to."""

from __future__ import annotations

import contextlib
import errno
import math
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import numpy as np
from numpy.lib.format import open_memmap

from training.errors import TrainingError


def write_atomically(path: Path, content: bytes) -> None:
    """Replace ``path`` by ``content``, as :func:`replace_atomically` does."""
    replace_atomically(path, lambda file: file.write(content))


def replace_atomically(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Let ``write`` make the new content of ``path``, so that a power cut or a full disk leaves the old one.

    Args:
        path: the file to replace; its folder is made if missing.
        write: given the file to write to.

    Raises:
        TrainingError: the disk is full or the folder cannot be written.
    """
    temporary = path.with_name(path.name + ".partial")
    with _told_of(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("wb") as file:
                _write(write, file)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            # A half-written file would keep a full disk full.
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)


def new_array(path: Path, shape: tuple[int, ...]) -> np.memmap[tuple[int, ...], np.dtype[np.uint8]]:
    """A new uint8 array of ``shape`` in a ``.npy`` file at ``path``, mapped into memory, its place on the disk taken.

    Raises:
        TrainingError: the disk is too full, or the folder cannot be written.
    """
    with _told_of(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        size = math.prod(shape)
        if shutil.disk_usage(path.parent).free < size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        array = open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
        # Writing to a mapped page that finds no place on the disk kills the process without a word.
        if hasattr(os, "posix_fallocate"):
            with path.open("rb+") as file:
                os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return array


class _Watched:
    """A file that remembers what went wrong: torch tells of a failed write in words of its own."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.error: OSError | None = None

    def write(self, content: bytes, /) -> int:
        try:
            return self._file.write(content)
        except OSError as error:
            self.error = error
            raise

    def flush(self) -> None:
        self._file.flush()


def _write(write: Callable[[IO[bytes]], object], file: IO[bytes]) -> None:
    watched = _Watched(file)
    try:
        write(cast(IO[bytes], watched))
    except RuntimeError:
        if watched.error is None:
            raise
        raise watched.error from None


@contextmanager
def _told_of(path: Path) -> Iterator[None]:
    """Turn what the system says into a line for the user."""
    try:
        yield
    except OSError as error:
        raise TrainingError(
            f"{path} could not be written ({error.strerror or error}); what was there before is kept."
            " Free some disk space or mend the folder's permissions, then resume."
        ) from error


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable; Windows cannot open folders and needs no such step."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
