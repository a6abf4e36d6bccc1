"""Small clips made for tests: figures that walk over a textured ground, in any container."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]
Box = tuple[int, int, int, int]
WIDTH, HEIGHT = 320, 240


def ground(seed: int = 0, width: int = WIDTH, height: int = HEIGHT) -> Picture:
    """A grey, finely textured ground, uint8 RGB."""
    rough = np.random.default_rng(seed).integers(100, 140, (height // 8, width // 8, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(rough).resize((width, height), Image.Resampling.BICUBIC)).copy()


def with_figures(picture: Picture, boxes: Sequence[Box], seed: int = 5) -> Picture:
    """``picture`` with a figure (dark trousers, striped coat, light head) in each of ``boxes``."""
    painted = picture.copy()
    colours = np.random.default_rng(seed).integers(0, 255, (len(boxes), 3))
    for (left, top, width, height), coat in zip(boxes, colours, strict=True):
        figure = np.zeros((height, width, 3), np.uint8)
        figure[:] = (25, 25, 35)
        figure[height // 6 : height // 2] = coat
        figure[height // 6 : height // 2 : 4] = 255 - coat
        figure[: height // 6] = (230, 190, 160)
        low, high = max(0, left), min(picture.shape[1], left + width)
        up, down = max(0, top), min(picture.shape[0], top + height)
        if low < high and up < down:
            painted[up:down, low:high] = figure[up - top : down - top, low - left : high - left]
    return painted


def write_clip(
    path: Path,
    pictures: Sequence[Picture],
    *,
    fps: int = 10,
    times: Sequence[int] | None = None,
    options: dict[str, str] | None = None,
    metadata: dict[str, str] | None = None,
    codec: str = "mpeg4",
) -> Path:
    """Encode pictures; ``times`` are milliseconds, one a picture (default: evenly by ``fps``)."""
    with av.open(str(path), "w", options=options or {}) as container:
        container.metadata.update(metadata or {})
        stream = container.add_stream(codec, rate=fps)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 4_000_000
        stream.codec_context.time_base = Fraction(1, 1000) if times else Fraction(1, fps)
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = times[number] if times else number
            frame.time_base = stream.codec_context.time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def walk(
    frames: int, boxes_at: Callable[[int], Sequence[Box]], seed: int = 0
) -> tuple[list[Picture], list[list[Box]]]:
    """Pictures of figures at ``boxes_at(frame)``, and these boxes."""
    empty = ground(seed)
    boxes = [list(boxes_at(frame)) for frame in range(frames)]
    return [with_figures(empty, there) for there in boxes], boxes


def write_frames(folder: Path, pictures: Sequence[Picture], pattern: str = "frame{:d}.jpg") -> Path:
    """A folder of numbered images."""
    folder.mkdir(parents=True)
    for number, picture in enumerate(pictures):
        Image.fromarray(picture).save(folder / pattern.format(number))
    return folder
