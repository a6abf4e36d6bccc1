"""Films one camera of the demo site: every frame drawn, encoded, and its people written down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from reid_desk.demo.compose import Composition, Seen, compose
from reid_desk.demo.look import Sensor
from reid_desk.demo.people import Person
from reid_desk.demo.scenes import paint_scene
from reid_desk.demo.settings import CameraSettings, DemoSettings
from reid_desk.demo.view import View
from reid_desk.demo.walks import duration, plan_walks

Image = NDArray[np.uint8]
OnFrame = Callable[[], None]


@dataclass(frozen=True)
class Filmed:
    """One frame as the camera gives it, and who is in it."""

    index: int
    picture: Image
    seen: tuple[Seen, ...]


def frame_count(people: tuple[Person, ...], camera: CameraSettings, settings: DemoSettings, seed: int) -> int:
    """How many frames :func:`film` will give."""
    walks = plan_walks(people, camera, settings, _random(camera, seed, "walks"))
    return round(duration(walks) * settings.fps)


def film(
    people: tuple[Person, ...], camera: CameraSettings, settings: DemoSettings, seed: int
) -> Iterator[Filmed]:
    """All frames of ``camera``'s clip, in order."""
    view = View.of(camera)
    scene = paint_scene(camera, _random(camera, seed, "scene"))
    sensor = Sensor(camera.look, camera.width, camera.height, _random(camera, seed, "sensor"))
    empty = sensor.grade(scene.picture)
    walks = plan_walks(people, camera, settings, _random(camera, seed, "walks"))
    for index in range(round(duration(walks) * settings.fps)):
        stands = [(walk.person, walk.at(index / settings.fps)) for walk in walks]
        present = [(person, stand) for person, stand in stands if stand is not None]
        composition = compose(scene, view, present)
        yield Filmed(index, sensor.add_noise(_graded(sensor, empty, composition)), composition.seen)


def film_to(
    path: Path,
    people: tuple[Person, ...],
    camera: CameraSettings,
    settings: DemoSettings,
    *,
    seed: int,
    on_frame: OnFrame,
) -> list[tuple[int, Seen]]:
    """Write ``camera``'s clip to ``path`` (mp4) and return (frame, person seen) for everybody in it."""
    seen: list[tuple[int, Seen]] = []
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = _add_stream(container, camera, settings.fps)
        for filmed in film(people, camera, settings, seed):
            on_frame()
            frame = av.VideoFrame.from_ndarray(filmed.picture, format="rgb24")
            frame.pts = filmed.index
            container.mux(stream.encode(frame))
            seen += [(filmed.index, person) for person in filmed.seen]
        container.mux(stream.encode(None))
    return seen


def _graded(sensor: Sensor, empty: Image, composition: Composition) -> Image:
    """Grades only what people changed; the rest is the empty scene, graded once."""
    picture = empty.copy()
    height, width = empty.shape[:2]
    reach = sensor.reach
    for rows, columns in composition.changed:
        y0, y1 = max(rows.start - reach, 0), min(rows.stop + reach, height)
        x0, x1 = max(columns.start - reach, 0), min(columns.stop + reach, width)
        v0, v1 = max(y0 - reach, 0), min(y1 + reach, height)
        u0, u1 = max(x0 - reach, 0), min(x1 + reach, width)
        graded = sensor.grade(np.ascontiguousarray(composition.picture[v0:v1, u0:u1]))
        picture[y0:y1, x0:x1] = graded[y0 - v0 : y1 - v0, x0 - u0 : x1 - u0]
    return picture


def _add_stream(container: av.container.OutputContainer, camera: CameraSettings, fps: int) -> VideoStream:
    """H.264 where FFmpeg can write it, else MPEG-4; one thread, so that no byte depends on the machine."""
    name = "libx264" if "libx264" in av.codecs_available else "mpeg4"
    stream = cast(VideoStream, container.add_stream(name, rate=fps))
    stream.width, stream.height, stream.pix_fmt = camera.width, camera.height, "yuv420p"
    stream.codec_context.thread_count = 1
    if name == "libx264":
        # Without mbtree, whose result differs from one run to the next.
        stream.options = {"crf": str(camera.look.crf), "preset": "veryfast", "x264-params": "mbtree=0"}
    else:
        stream.options = {"qscale": str(max(2, camera.look.crf // 4))}
    return stream


def _random(camera: CameraSettings, seed: int, purpose: str) -> np.random.Generator:
    return np.random.default_rng([seed, *camera.name.encode(), *purpose.encode()])
