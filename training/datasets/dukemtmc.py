"""DukeMTMC-reID: Market-1501's folders with names like ``0001_c2_f0046182.jpg``.

The data set was withdrawn by its authors; the layout is read for those who hold it.
"""

from __future__ import annotations

from pathlib import Path

from training.datasets import market1501
from training.datasets.dataset import Dataset
from training.datasets.names import pattern_parser

LAYOUT = "DukeMTMC-reID"

parse_name = pattern_parser(r"(\d+)_c(\d+)_f\d+")


def read(root: Path) -> Dataset | None:
    """Read ``root`` if it has the folders or the names of DukeMTMC-reID, else return ``None``."""
    return market1501.read_folders(root, LAYOUT, parse_name) or market1501.read_flat(root, LAYOUT, parse_name)
