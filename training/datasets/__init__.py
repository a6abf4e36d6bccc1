"""Data sets on disk: which layouts are read, and what is learnt from and evaluated on."""

from training.datasets.dataset import UNKNOWN, Dataset, Sample, fingerprint, require_source, require_target
from training.datasets.recognise import open_dataset, open_target
from training.datasets.splits import evaluation_split

__all__ = [
    "UNKNOWN",
    "Dataset",
    "Sample",
    "evaluation_split",
    "fingerprint",
    "open_dataset",
    "open_target",
    "require_source",
    "require_target",
]
