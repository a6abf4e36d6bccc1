"""The site's own crops as the folder of images that training adapts to."""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from reid_desk.jobs.reporters import EventReporter
from reid_desk.site import Camera, CropTable, Site
from training.datasets.tracks import COLUMNS, FILE

_BATCH = 256
FEWEST_IMAGES = 4.0
"""Two cameras with two images each: below that nothing can be clustered."""


def write_target(site: Site, folder: Path, reporter: EventReporter) -> int:
    """Write every crop of the site to ``folder/<camera>/<crop id>.jpg``; return how many lie there.

    ``tracks.csv`` beside them says which crops are of one track and which tracks were seen together.

    The folder appears whole or not at all, and shows the site as it is now, whatever others add or remove
    meanwhile. One that is there is left as it is, so that a resumed run goes on with the very crops that it
    began with.
    """
    if folder.is_dir():
        return sum(1 for _ in folder.glob("*/*.jpg"))
    reporter.phase("target", "Gathering the site's crops")
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    with site.snapshot():
        places = {camera.id: part / folder_name(camera) for camera in site.cameras()}
        for place in places.values():
            place.mkdir(parents=True)
        crops = site.crop_metadata()
        files = {
            crop: places[camera] / f"{crop:08d}.jpg"
            for crop, camera in zip(crops.crop_id.tolist(), crops.camera_id.tolist(), strict=True)
        }
        _write_crops(site, files, reporter)
        _write_tracks(site, part, crops, files)
    part.rename(folder)
    return len(files)


def _write_crops(site: Site, files: Mapping[int, Path], reporter: EventReporter) -> None:
    ids = list(files)
    for start in range(0, len(ids), _BATCH):
        reporter.check_cancelled()
        for crop_id, jpeg in site.crop_images(ids[start : start + _BATCH]).items():
            files[crop_id].write_bytes(jpeg)
        reporter.progress(min(start + _BATCH, len(ids)), len(ids))


def _write_tracks(site: Site, part: Path, crops: CropTable, files: Mapping[int, Path]) -> None:
    tracks = {track.id: track for track in site.tracks()}
    with (part / FILE).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for crop, number in zip(crops.crop_id.tolist(), crops.track_id.tolist(), strict=True):
            track = tracks[number]
            image = files[crop].relative_to(part).as_posix()
            writer.writerow([image, track.id, track.clip_id, track.first_frame, track.last_frame])


def images_a_person(folder: Path) -> float:
    """How many of the crops in ``folder`` a person is expected to have: one track in every camera's view.

    The method's clustering needs an idea of it; a site knows it from its tracks, a folder of images does not.
    Counted in the ``tracks.csv`` of :func:`write_target`: the site may have changed since.
    """
    with (folder / FILE).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    cameras = {row["image"].partition("/")[0] for row in rows}
    tracks = {row["track"] for row in rows}
    return max(FEWEST_IMAGES, len(rows) / max(1, len(tracks)) * len(cameras))


def folder_name(camera: Camera) -> str:
    """A folder name for ``camera`` that any file system takes and that no other camera has."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", camera.name).strip("-")[:40]
    return f"{camera.id:03d}-{plain}" if plain else f"{camera.id:03d}"
