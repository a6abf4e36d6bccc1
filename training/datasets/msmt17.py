"""MSMT17: lists of files (``list_train.txt`` and others) beside folders of images.

Names tell the camera: ``0000/0000_000_01_0303morning_0008_0.jpg`` was taken by camera 1. The first edition
has the folders ``train`` and ``test``, the second ``mask_train_v2`` and ``mask_test_v2`` with faces masked.
Training images are the lists ``train`` and ``val`` together (32,621), as the field uses them. Source: Wei et
al. 2018.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from training.datasets.dataset import Dataset, Sample
from training.errors import DatasetError

LAYOUT = "MSMT17"

_FOLDERS = (
    ("mask_train_v2", "mask_test_v2"),
    ("train_v2", "test_v2"),
    ("mask_train", "mask_test"),
    ("train", "test"),
)
_CAMERA = re.compile(r"\d+_\d+_(\d+)_")


def read(root: Path) -> Dataset | None:
    """Read ``root`` if it has MSMT17's lists, else return ``None``.

    Raises:
        DatasetError: a list is there and its folder of images is not, or a list cannot be read.
    """
    lists = {part: root / f"list_{part}.txt" for part in ("train", "val", "query", "gallery")}
    if not (lists["train"].is_file() or (lists["query"].is_file() and lists["gallery"].is_file())):
        return None
    train_folder, test_folder = _folders(root)
    problems: list[str] = []

    def samples(part: str, folder: Path) -> tuple[Sample, ...]:
        return _read_list(lists[part], folder, problems) if lists[part].is_file() else ()

    query, gallery = samples("query", test_folder), samples("gallery", test_folder)
    return Dataset(
        name=root.name,
        layout=LAYOUT,
        root=root,
        images=samples("train", train_folder) + samples("val", train_folder),
        query=query if query and gallery else None,
        gallery=gallery if query and gallery else None,
        problems=tuple(problems),
    )


def _folders(root: Path) -> tuple[Path, Path]:
    for train, test in _FOLDERS:
        if (root / train).is_dir() or (root / test).is_dir():
            return root / train, root / test
    expected = ", ".join(train for train, _ in _FOLDERS)
    raise DatasetError(
        f"{root} has MSMT17's lists and none of its image folders ({expected}): unpack the images beside the"
        " lists."
    )


def _read_list(path: Path, folder: Path, problems: list[str]) -> tuple[Sample, ...]:
    if not folder.is_dir():
        raise DatasetError(f"{path.name} names images of {folder}, which is missing: unpack that folder too.")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path} cannot be read as a list of images: {error}. Unpack it again.") from error
    lines = [line for line in lines if line.strip()]
    found = tuple(sample for line in lines if (sample := _parse_line(line, folder)) is not None)
    if len(found) < len(lines):
        problems.append(
            f"{len(lines) - len(found)} lines of {path} were left out: they name no image and person."
        )
    return found


def _parse_line(line: str, folder: Path) -> Sample | None:
    name, _, identity = line.strip().rpartition(" ")
    relative = PurePosixPath(name)
    camera = _CAMERA.match(relative.name)
    if camera is None or not identity.isdecimal() or relative.is_absolute() or ".." in relative.parts:
        return None
    return Sample(folder / relative, int(identity), int(camera[1]))
