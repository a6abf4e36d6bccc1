"""Labelled images in folders: ``<identity>/<camera>/*.jpg``, or ``<identity>/*.jpg`` without cameras.

People and cameras are numbered by the sorted names of their folders.
"""

from __future__ import annotations

from pathlib import Path

from training.datasets.dataset import UNKNOWN, Dataset, Sample
from training.datasets.files import image_files, subfolders

LAYOUT = "<identity>/<camera>"
LAYOUT_WITHOUT_CAMERAS = "<identity>"


def read(root: Path) -> Dataset | None:
    """Read ``root`` if its folders, or theirs, hold images; else return ``None``."""
    people = subfolders(root)
    cameras = {person: subfolders(person) for person in people}
    names = sorted({folder.name for folders in cameras.values() for folder in folders})
    number = {name: index for index, name in enumerate(names)}
    samples: list[Sample] = []
    for identity, person in enumerate(people):
        samples += [Sample(path, identity) for path in image_files(person)]
        for folder in cameras[person]:
            samples += [Sample(path, identity, number[folder.name]) for path in image_files(folder)]
    if not samples:
        return None
    without = sum(sample.camera == UNKNOWN for sample in samples)
    layout = LAYOUT_WITHOUT_CAMERAS if without == len(samples) else LAYOUT
    return Dataset(root.name, layout, root, tuple(samples), problems=_problems(len(samples), without))


def _problems(images: int, without_camera: int) -> tuple[str, ...]:
    if without_camera == 0:
        return ()
    share = "the images have" if without_camera == images else f"{without_camera} of {images} images have"
    return (
        f"{share} no camera: images of one person are told from different views only where the folders are"
        f" {LAYOUT}.",
    )
