"""Checkpoints on disk: whole or not there at all, and read without running any code in them."""

from __future__ import annotations

import contextlib
import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import torch

from training import processes
from training.errors import TrainingError


def save_checkpoint(path: Path, state: Mapping[str, Any]) -> None:
    """Write ``state`` to ``path`` so that a power cut or a full disk leaves the previous file as it was.

    Of several processes the main one writes.

    Args:
        path: the file to replace; its folder is made if missing.
        state: nested dicts and lists of tensors, numbers, strings and ``None``: what ``weights_only`` reads.

    Raises:
        TrainingError: the disk is full or the folder cannot be written.
    """
    if not processes.is_main():
        return
    temporary = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            torch.save(dict(state), file)
        replace_durably(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise TrainingError(
            f"The checkpoint {path} could not be written ({error.strerror or error}); "
            "the previous one is kept. Free some disk space or mend the folder's permissions, then resume."
        ) from error


def is_there(path: Path | None) -> bool:
    """Whether there is a checkpoint to continue from: what the main process sees counts."""
    return path is not None and processes.from_main(path.exists)


def load_checkpoint(path: Path, *, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Read what :func:`save_checkpoint` wrote, its tensors on ``device``.

    Raises:
        TrainingError: the file is missing, damaged, or holds anything but plain data.
    """
    try:
        return cast(dict[str, Any], torch.load(path, map_location=device, weights_only=True))
    except (FileNotFoundError, PermissionError) as error:
        raise TrainingError(
            f"The checkpoint {path} could not be read ({error.strerror}). Check the path and its permissions."
        ) from error
    except (OSError, RuntimeError, EOFError, KeyError, ValueError, pickle.UnpicklingError) as error:
        raise TrainingError(
            f"The checkpoint {path} is damaged or was not written by this program. "
            "Remove it to start this stage again."
        ) from error


def replace_durably(temporary: Path, path: Path) -> None:
    """Rename ``temporary`` to ``path`` once its content is on the disk, and wait until the rename is there too."""
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    temporary.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable; Windows cannot open folders and needs no such step."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
