"""The site's own crops as the folder of images that training adapts to."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from reid_desk.jobs.reporters import EventReporter
from reid_desk.site import Camera, Site

_BATCH = 256


def write_target(site: Site, folder: Path, reporter: EventReporter) -> int:
    """Write every crop of the site to ``folder/<camera>/<crop id>.jpg``; return how many lie there.

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
    part.rename(folder)
    return len(ids)


def folder_name(camera: Camera) -> str:
    """A folder name for ``camera`` that any file system takes and that no other camera has."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", camera.name).strip("-")[:40]
    return f"{camera.id:03d}-{plain}" if plain else f"{camera.id:03d}"
