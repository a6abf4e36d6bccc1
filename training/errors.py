"""Errors a user of :mod:`training` can mend."""

from __future__ import annotations


class TrainingError(Exception):
    """Bad input or settings; the message says in one line what, why, and what to do."""


class DatasetError(TrainingError):
    """A folder of images cannot be read, or cannot be learnt from or evaluated on."""


class WeightsError(TrainingError):
    """A weights or model file is missing, damaged or of another network."""


class ClusteringError(TrainingError):
    """No usable pseudo-labels could be made from the target images."""


class DivergedError(TrainingError):
    """A network's figures are no numbers any more; nothing it gives can be used."""


class Cancelled(Exception):  # noqa: N818 - an outcome, not a fault
    """The run was asked to stop; its last checkpoint is intact."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether ``error`` says that the machine or its GPU has no memory left, whoever raised it."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and "allocate memory" in str(error)  # torch on a CPU
