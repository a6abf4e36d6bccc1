"""Opening a folder of images without being told its layout."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from training.datasets import cuhk03, dukemtmc, folders, market1501, msmt17
from training.datasets.dataset import UNKNOWN, Dataset, Sample
from training.datasets.files import image_files, subfolders
from training.datasets.tracks import with_tracks
from training.errors import DatasetError

# MSMT17's lists are unmistakable; Duke's names come before Market's, which would take them too.
_NAMED_LAYOUTS = (msmt17.read, dukemtmc.read, market1501.read, cuhk03.read)


def open_dataset(path: Path) -> Dataset:
    """Open a labelled data set: Market-1501, MSMT17, DukeMTMC-reID, CUHK03 or ``<identity>/<camera>/*.jpg``.

    A folder that holds nothing but the data set's own folder is opened as that.

    Raises:
        DatasetError: the path is missing or no folder, holds no images, or holds images without identities.
    """
    _require_folder(path)
    dataset = _named(path) or _unpacked_inside(path) or folders.read(path)
    if dataset is None:
        raise _not_labelled(path)
    return dataset


def open_target(path: Path) -> Dataset:
    """Open unlabelled images: ``<camera>/*.jpg``, a flat folder, or a labelled layout, labels ignored.

    All samples have identity -1. Cameras are those of the names or folders; a flat folder of other names has
    none. A ``tracks.csv`` in the folder is read, see :mod:`training.datasets.tracks`.

    Raises:
        DatasetError: the path is missing or no folder, there are no images to learn from, or the tracks cannot be
            understood.
    """
    _require_folder(path)
    dataset = _named(path) or _unpacked_inside(path) or _camera_folders(path) or _flat(path)
    if dataset is None:
        raise DatasetError(f"{path} holds no images: a target is a folder of crops, or of <camera>/*.jpg.")
    if not dataset.images:
        raise DatasetError(
            f"{path} has queries and a gallery and no training images: add {market1501.TRAIN}, or give a flat"
            " folder of crops."
        )
    unlabelled = tuple(replace(sample, identity=UNKNOWN) for sample in dataset.images)
    return with_tracks(replace(dataset, images=unlabelled, query=None, gallery=None))


def _require_folder(path: Path) -> None:
    if not path.exists():
        raise DatasetError(f"{path} does not exist: check the path of the data set.")
    if not path.is_dir():
        raise DatasetError(
            f"{path} is a file: give the folder that holds the images (unpack an archive first)."
        )


def _named(path: Path) -> Dataset | None:
    return next((dataset for read in _NAMED_LAYOUTS if (dataset := read(path)) is not None), None)


def _unpacked_inside(path: Path) -> Dataset | None:
    """The one named data set a folder below, as archives unpack; a flat one may be one person's."""
    inside = subfolders(path)
    if len(inside) != 1 or image_files(inside[0]):
        return None
    return _named(inside[0])


def _camera_folders(path: Path) -> Dataset | None:
    cameras = subfolders(path)
    samples = tuple(
        Sample(image, camera=number) for number, camera in enumerate(cameras) for image in image_files(camera)
    )
    if samples:
        return Dataset(path.name, "<camera>", path, samples)
    labelled = folders.read(path)
    if labelled is None:
        return None
    note = f"two levels of folders were read as {folders.LAYOUT}; the identities are not used."
    return replace(labelled, problems=(*labelled.problems, note))


def _flat(path: Path) -> Dataset | None:
    samples = tuple(Sample(image) for image in image_files(path))
    if not samples:
        return None
    return Dataset(path.name, "flat", path, samples, problems=("the images have no camera.",))


def _not_labelled(path: Path) -> DatasetError:
    loose = len(image_files(path))
    if loose == 0:
        return DatasetError(f"{path} holds no images: check that the data set is unpacked there.")
    return DatasetError(
        f"{path} holds {loose} images and their names tell no person: a labelled data set has names like"
        " 0002_c1s1_000451_03.jpg (Market-1501) or folders <identity>/<camera>/*.jpg."
    )
