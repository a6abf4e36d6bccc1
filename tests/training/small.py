"""Small images of people to train on: coloured figures that differ by person, tinted by camera."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from training.presets import SMOKE
from training.settings import Settings


def person(
    identity: int, camera: int, view: int, *, tint: tuple[float, float, float] = (1, 1, 1)
) -> Image.Image:
    """A figure with the clothes of ``identity``, as ``camera`` sees it."""
    clothes = np.random.default_rng([7, identity]).integers(30, 226, (3, 3))
    noise = np.random.default_rng([identity, camera, view])
    image = np.full((64, 32, 3), 90 + 40 * camera, np.float64)
    left = 8 + int(noise.integers(-3, 4))
    for row, colour in zip((slice(4, 14), slice(14, 38), slice(38, 60)), clothes, strict=True):
        image[row, left : left + 16] = colour
    image = image * np.array(tint) + noise.normal(0, 12, image.shape)
    return Image.fromarray(image.clip(0, 255).astype(np.uint8))


def write_people(
    folder: Path,
    identities: range,
    *,
    cameras: int = 2,
    views: int = 3,
    tint: tuple[float, float, float] = (1, 1, 1),
) -> Path:
    """A labelled set ``folder/<identity>/<camera>/*.jpg``."""
    for identity in identities:
        for camera in range(cameras):
            place = folder / f"{identity:04d}" / f"camera{camera}"
            place.mkdir(parents=True)
            for view in range(views):
                person(identity, camera, view, tint=tint).save(place / f"{view}.jpg", quality=95)
    return folder


def write_crops(folder: Path, identities: range, *, cameras: int = 2, views: int = 3) -> Path:
    """Unlabelled crops ``folder/<camera>/*.jpg``, tinted unlike the source."""
    for camera in range(cameras):
        place = folder / f"camera{camera}"
        place.mkdir(parents=True)
        for identity in identities:
            for view in range(views):
                person(identity, camera, view, tint=(1.2, 0.9, 0.7)).save(
                    place / f"{identity}_{view}.jpg", quality=95
                )
    return folder


def write_sets(folder: Path) -> Path:
    """``source`` and ``target`` in ``folder``, enough for a run of seconds."""
    write_people(folder / "source", range(6))
    write_crops(folder / "target", range(10, 16))
    return folder


def tiny_settings(**changes: object) -> Settings:
    """The smoke preset cut down to seconds; the same code runs."""
    tiny = replace(
        SMOKE,
        precision="float32",
        network=replace(SMOKE.network, height=64, width=64),
        style_transfer=replace(
            SMOKE.style_transfer, blocks=1, filters=4, discriminator_filters=8, siamese_filters=8, epochs=2,
            iterations_per_epoch=3, batch_size=2, height=64, width=64,
        ),
        pretraining=replace(SMOKE.pretraining, epochs=2, iterations_per_epoch=5, identities=4, instances=4),
        teacher_student=replace(
            SMOKE.teacher_student, epochs=2, iterations_per_epoch=3, identities=4, instances=4, expected_images=6.0
        ),
    )  # fmt: skip
    return replace(tiny, **changes)


# The same on the command line: a run of seconds that passes through every stage.
_TINY = {
    "preset": "smoke",
    "network.height": "64",
    "network.width": "64",
    "style-transfer.height": "64",
    "style-transfer.width": "64",
    "style-transfer.blocks": "1",
    "style-transfer.filters": "4",
    "style-transfer.discriminator-filters": "8",
    "style-transfer.siamese-filters": "8",
    "style-transfer.iterations-per-epoch": "4",
    "style-transfer.batch-size": "2",
    "pretraining.epochs": "3",
    "pretraining.iterations-per-epoch": "4",
    "pretraining.identities": "4",
    "teacher-student.epochs": "3",
    "teacher-student.iterations-per-epoch": "4",
    "teacher-student.identities": "4",
    "teacher-student.clustering": "kmeans",
    "teacher-student.kmeans-clusters": "5",
    "precision": "float32",
}
TINY_OPTIONS = [part for name, value in _TINY.items() for part in (f"--{name}", value)]
