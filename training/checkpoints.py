"""Checkpoints on disk: whole or not there at all, and read without running any code in them."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import torch

from training import processes
from training.errors import TrainingError
from training.files import replace_atomically


def save_checkpoint(path: Path, state: Mapping[str, Any]) -> None:
    """Write ``state`` to ``path`` so that a power cut or a full disk leaves the previous file as it was.

    Of several processes the main one writes.

    Args:
        path: the file to replace; its folder is made if missing.
        state: nested dicts and lists of tensors, numbers, strings and ``None``: what ``weights_only`` reads.

    Raises:
        TrainingError: the disk is full or the folder cannot be written.
    """
    if processes.is_main():
        replace_atomically(path, lambda file: torch.save(dict(state), file))


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
