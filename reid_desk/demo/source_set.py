"""Makes the demo's labelled source: other people, in other clothes, before other cameras."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from reid_desk.demo.backdrop import Scene
from reid_desk.demo.body import Stand
from reid_desk.demo.compose import compose
from reid_desk.demo.look import Sensor
from reid_desk.demo.people import SUMMER, Person, draw_people
from reid_desk.demo.scenes import paint_scene
from reid_desk.demo.settings import CameraSettings, DemoSettings
from reid_desk.demo.view import View

Image = NDArray[np.uint8]
MARGIN = 0.05
JITTER = 0.03


def write_source(folder: Path, settings: DemoSettings, seed: int, on_image: Callable[[], None]) -> None:
    """Write ``<identity>/<camera>/<number>.jpg`` for every person of the source."""
    rng = np.random.default_rng([seed, 2])
    people = draw_people(settings.source_people, SUMMER, rng, lookalikes=0.15)
    for camera in settings.source_cameras:
        random = np.random.default_rng([seed, *camera.name.encode()])
        scene = paint_scene(camera, random)
        sensor = Sensor(camera.look, camera.width, camera.height, random)
        for person in people:
            place = folder / f"{person.identity:04d}" / camera.name
            place.mkdir(parents=True, exist_ok=True)
            for number in range(settings.source_images):
                crop = _photograph(person, camera, scene, sensor, random)
                _write_jpeg(place / f"{number:02d}.jpg", crop, camera.look.jpeg_quality)
                on_image()


def _photograph(
    person: Person, camera: CameraSettings, scene: Scene, sensor: Sensor, rng: np.random.Generator
) -> Image:
    """One crop of ``person``, walking anywhere in front of ``camera`` in any direction."""
    view = View.of(camera)
    depth = rng.uniform(camera.near, camera.far)
    reach = view.half_width(depth) - 0.8
    stand = Stand(
        rng.uniform(-reach, reach), depth, rng.uniform(-math.pi, math.pi), rng.uniform(0, 2 * math.pi)
    )
    composition = compose(scene, view, [(person, stand)])
    left, top, width, height = composition.seen[0].box
    shift = rng.normal(0, JITTER, 4) * height
    x0, x1 = left - MARGIN * height + shift[0], left + width + MARGIN * height + shift[1]
    y0, y1 = top - MARGIN * height + shift[2], top + height + MARGIN * height + shift[3]
    rows = slice(max(round(y0), 0), min(round(y1), camera.height))
    columns = slice(max(round(x0), 0), min(round(x1), camera.width))
    return sensor.add_noise(sensor.grade(np.ascontiguousarray(composition.picture[rows, columns])))


def _write_jpeg(path: Path, image: Image, quality: int) -> None:
    done, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done, "JPEG is always built into OpenCV"
    path.write_bytes(data.tobytes())
