"""Made-up footage for a site: people as colours, tracks as straight walks."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from reid_desk.site import Box, NewCrop, NewTrack, Site

START = 1_700_000_000.0
FPS = 10.0


def jpeg(colour: tuple[int, int, int], *, seed: int = 0) -> bytes:
    """A crop of somebody with a top of that colour and trousers of the opposite one."""
    noise = np.random.default_rng(seed).normal(0, 8, (60, 30, 3))
    pixels = np.clip(np.array(colour) + noise, 0, 255)
    pixels[30:] = 255 - pixels[30:]
    stream = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(stream, "JPEG", quality=90)
    return stream.getvalue()


def track(
    *,
    start: float = START,
    length: int = 5,
    crops: int = 2,
    picture: bytes = b"not looked at",
    first_frame: int = 0,
) -> NewTrack:
    """A walk to the right of ``length`` frames with a crop of each of the first few."""
    boxes = [Box(first_frame + i, start + i / FPS, 10.0 + i, 20.0, 30.0, 80.0, 0.75) for i in range(length)]
    chosen = [
        NewCrop(b.frame, b.time, b.left, b.top, b.width, b.height, b.score, 0.5, picture)
        for b in boxes[:crops]
    ]
    return NewTrack(boxes, chosen)


def begin(site: Site, camera: str = "door", *, sha256: str = "aa", start: float = START) -> int:
    """Begin to import a clip."""
    return site.begin_clip(
        camera,
        Path("footage") / f"{sha256}.mp4",
        sha256=sha256,
        size=1234,
        started_at=start,
        started_from="given",
        fps=FPS,
        width=640,
        height=480,
        detector="motion",
    )


def add_clip(
    site: Site,
    camera: str = "door",
    tracks: Sequence[NewTrack] | None = None,
    *,
    sha256: str = "aa",
    start: float = START,
) -> int:
    """Import a clip, by default of two tracks, and return its id."""
    clip_id = begin(site, camera, sha256=sha256, start=start)
    if tracks is None:
        tracks = [track(start=start), track(start=start + 1)]
    site.finish_clip(clip_id, tracks, frames=50, duration=5.0)
    return clip_id
