"""The site's own crops as the folder of images that training adapts to."""

from __future__ import annotations

import csv
import re
import shutil
from pathlib import Path

import numpy as np

from reid_desk.jobs.reporters import EventReporter
from reid_desk.site import Camera, Site
from training.datasets.tracks import COLUMNS, FILE

_BATCH = 256
FEWEST_IMAGES = 4.0
"""Two cameras with two images each: below that nothing can be clustered."""


def write_target(site: Site, folder: Path, reporter: EventReporter) -> int:
    """Write every crop of the site to ``folder/<camera>/<crop id>.jpg``; return how many lie there.

    ``tracks.csv`` beside them says which crops are of one track and which tracks were seen together.

    The folder appears whole or not at all. One that is there is left as it is, so that a resumed run goes on
    with the very crops that it began with.
    """
    if folder.is_dir():
        return sum(1 for _ in folder.glob("*/*.jpg"))
    reporter.phase("target", "Gathering the site's crops")
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    folders = {camera.id: part / folder_name(camera) for camera in site.cameras()}
    for path in folders.values():
        path.mkdir(parents=True)
    crops = site.crop_metadata()
    camera_of = dict(zip(crops.crop_id.tolist(), crops.camera_id.tolist(), strict=True))
    ids = list(camera_of)
    for start in range(0, len(ids), _BATCH):
        reporter.check_cancelled()
        for crop_id, jpeg in site.crop_images(ids[start : start + _BATCH]).items():
            (folders[camera_of[crop_id]] / f"{crop_id:08d}.jpg").write_bytes(jpeg)
        reporter.progress(min(start + _BATCH, len(ids)), len(ids))
    _write_tracks(site, part, folders)
    part.rename(folder)
    return len(ids)


def _write_tracks(site: Site, part: Path, folders: dict[int, Path]) -> None:
    crops = site.crop_metadata()
    tracks = {track.id: track for track in site.tracks()}
    with (part / FILE).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for crop, camera, number in zip(
            crops.crop_id.tolist(), crops.camera_id.tolist(), crops.track_id.tolist(), strict=True
        ):
            track = tracks[number]
            image = f"{folders[camera].name}/{crop:08d}.jpg"
            writer.writerow([image, track.id, track.clip_id, track.first_frame, track.last_frame])


def images_a_person(site: Site, folder: Path) -> float:
    """How many of the crops in ``folder`` a person is expected to have: one track in every camera's view.

    The method's clustering needs an idea of it; a site knows it from its tracks, a folder of images does not.
    """
    ids = [int(path.stem) for path in folder.glob("*/*.jpg")]
    crops = site.crop_metadata(ids)
    cameras, tracks = len(np.unique(crops.camera_id)), len(np.unique(crops.track_id))
    return max(FEWEST_IMAGES, len(crops.crop_id) / max(1, tracks) * cameras)


def folder_name(camera: Camera) -> str:
    """A folder name for ``camera`` that any file system takes and that no other camera has."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", camera.name).strip("-")[:40]
    return f"{camera.id:03d}-{plain}" if plain else f"{camera.id:03d}"
