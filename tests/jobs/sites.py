"""Small sites and clips for tests of jobs and commands."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from reid_desk.jobs.spec import JobSpec
from reid_desk.site import Box, NewCrop, NewTrack, Site

STARTED_AT = 1_772_546_400.0
_TOP = ((200, 40, 40), (40, 160, 60), (40, 60, 200), (210, 190, 40), (150, 60, 170), (60, 190, 200))


def person_image(person: int, seed: int = 0, *, height: int = 96, width: int = 48) -> np.ndarray:
    """A crop of a made-up person: a colour above, another below, some noise; uint8 RGB [H, W, 3]."""
    rng = np.random.default_rng([person, seed])
    image = np.empty((height, width, 3))
    image[: height // 2] = _TOP[person % len(_TOP)]
    image[height // 2 :] = _TOP[(person // len(_TOP) + 2 * person + 1) % len(_TOP)]
    return np.clip(image + rng.normal(0, 12, image.shape), 0, 255).astype(np.uint8)


def jpeg(image: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def add_clip(site: Site, camera: str, people: range, *, crops: int = 3) -> int:
    """A clip of one track for each person, with ``crops`` crops each."""
    clip = site.begin_clip(
        camera,
        f"/footage/{camera}.mp4",
        sha256=f"{camera:0<64}",
        size=1,
        started_at=STARTED_AT,
        started_from="given",
        fps=10.0,
        width=640,
        height=480,
        detector="motion",
    )
    tracks = []
    for person in people:
        frames = [10 * person + step for step in range(crops)]
        boxes = [Box(frame, STARTED_AT + frame / 10, 20.0, 30.0, 48.0, 96.0, 0.9) for frame in frames]
        images = [
            NewCrop(
                frame=box.frame,
                time=box.time,
                left=box.left,
                top=box.top,
                width=box.width,
                height=box.height,
                score=box.score,
                quality=0.8,
                jpeg=jpeg(person_image(person, seed=hash_of(camera) + number)),
            )
            for number, box in enumerate(boxes)
        ]
        tracks.append(NewTrack(boxes, images))
    site.finish_clip(clip, tracks, frames=10 * len(people) + crops, duration=10.0)
    return clip


def hash_of(text: str) -> int:
    return sum(text.encode())


def write_source(folder: Path, *, people: int = 4, cameras: int = 2, images: int = 2) -> Path:
    """A labelled set laid out as ``<identity>/<camera>/*.jpg``."""
    for person in range(people):
        for camera in range(cameras):
            place = folder / f"{person:03d}" / f"c{camera}"
            place.mkdir(parents=True)
            for number in range(images):
                image = person_image(person + 20, seed=10 * camera + number)
                (place / f"{number}.jpg").write_bytes(jpeg(image))
    return folder


def write_clip(path: Path, *, seconds: float = 6.0, fps: int = 10, seed: int = 0) -> Path:
    """A video of one made-up person who walks through an empty place, after two empty seconds."""
    import av

    width, height = 320, 240
    person = person_image(seed, height=96, width=40)
    rng = np.random.default_rng(seed)
    noise = [rng.normal(0, 2, (height, width, 3)) for _ in range(8)]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=fps)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = width, height, "yuv420p", 2_000_000
        frames = int(seconds * fps)
        for number in range(frames):
            picture = 110.0 + noise[number % len(noise)]
            walked = (number - 2 * fps) / (frames - 2 * fps)
            if walked >= 0:
                left = int(walked * (width - 40))
                picture[100:196, left : left + 40] = person
            image = np.clip(picture, 0, 255).astype(np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def contents(site_path: Path) -> dict[str, object]:
    """What a site holds, to see that nothing was lost, added or half-written."""
    with Site.open(site_path) as site:
        current = site.current_model()
        return {
            "problems": site.problems(),
            "clips": [(clip.sha256, clip.state, clip.tracks, clip.crops) for clip in site.clips()],
            "tracks": len(site.tracks()),
            "crops": [(crop.id, len(site.crop_image(crop.id))) for crop in site.crops()],
            "models": [model.id for model in site.models()],
            "current": current.id if current else None,
            "sources": [
                source.name for role in ("source", "evaluation") for source in site.sources(role=role)
            ],
            "evaluations": len(site.evaluations()),
            "vectors": {model.id: len(site.vectors(model.id)[0]) for model in site.models()},
        }


def spec(kind: str, site: Site, **arguments: object) -> JobSpec:
    return JobSpec(kind, str(site.path), arguments)
