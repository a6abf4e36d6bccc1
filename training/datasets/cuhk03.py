"""CUHK03 as image folders: ``detected`` and ``labeled`` with names like ``1_001_1_01.png``.

A name tells the pair of cameras, the person within that pair, the view (1 or 2) and the image. The two
folders crop the same photographs, once by a detector and once by hand, so only one of them can be used. The
Market-1501-named edition (CUHK03-NP) may lie in these folders too. Source: Li et al. 2014; Zhong et al. 2017
for the new protocol.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from training.datasets import market1501
from training.datasets.dataset import Dataset

LAYOUT = "CUHK03"

_FOLDERS = ("detected", "images_detected", "labeled", "images_labeled")
_NAME = re.compile(r"(\d{1,2})_(\d{3,4})_([12])_(\d+)\.")
_PEOPLE_PER_PAIR = 10_000


def parse_name(name: str) -> tuple[int, int] | None:
    """(identity, camera) of an image name; the camera is the view, as the field counts it."""
    match = _NAME.match(name)
    return (int(match[1]) * _PEOPLE_PER_PAIR + int(match[2]), int(match[3])) if match else None


def read(root: Path) -> Dataset | None:
    """Read ``root`` if it has CUHK03's folders or holds images with its names, else return ``None``."""
    found = [(name, dataset) for name in _FOLDERS if (dataset := _read_edition(root / name)) is not None]
    if not found:
        return market1501.read_flat(root, LAYOUT, parse_name)
    name, dataset = found[0]
    problems = dataset.problems
    if len(found) > 1:
        other = found[1][0]
        problems = (*problems, f"{name} is used; open {root / other} for the other crops of the same images.")
    return replace(dataset, name=root.name, layout=LAYOUT, problems=problems)


def _read_edition(folder: Path) -> Dataset | None:
    if not folder.is_dir():
        return None
    return market1501.read_flat(folder, LAYOUT, parse_name) or market1501.read(folder)
