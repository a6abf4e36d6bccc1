"""The frames of a clip, each with its exact time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reid_desk.errors import FootageError
from reid_desk.footage.clips import ClipInfo, frame_files, open_container


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a clip: ``index`` from 0, ``time_offset`` seconds since the clip began, ``image`` uint8
    RGB [H, W, 3].
    """

    index: int
    time_offset: float
    image: NDArray[np.uint8]


def frames(
    info: ClipInfo, *, every: int = 1, on_warning: Callable[[str], None] | None = None
) -> Iterator[Frame]:
    """Yield every ``every``-th frame of a clip, in order.

    A damaged or cut-off clip gives what can be decoded; ``on_warning`` is then told in one line what is
    missing.

    Raises:
        FootageError: not a single frame can be decoded, or the clip is gone. ValueError: ``every`` is below
        1.
    """
    if every < 1:
        raise ValueError(f"every must be at least 1, not {every}")
    read = _frames_of_folder if info.kind == "frames" else _frames_of_video
    return read(info, every, on_warning or _ignore)


def _ignore(_warning: str) -> None:
    """Nobody asked for warnings."""


def _frames_of_video(info: ClipInfo, every: int, on_warning: Callable[[str], None]) -> Iterator[Frame]:
    decoded = damaged = 0
    clock = _Clock(info.fps)
    with open_container(info.path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for picture in _pictures(container, stream):
            if picture is None:
                damaged += 1
                continue
            offset = clock.offset(picture)
            if decoded % every == 0:
                yield Frame(decoded, offset, _rgb(picture))
            decoded += 1
    if not decoded:
        raise FootageError(
            f"{info.path}: not one frame of it can be decoded. The file is damaged; copy it again."
        )
    expected = info.frames or 0
    # Containers count a few frames more than decoders give out; only a real gap is worth a word.
    if decoded < expected - max(2, 0.01 * expected):
        on_warning(f"clip ends early: {decoded:,} of about {expected:,} frames could be decoded")
    elif damaged:
        on_warning(f"clip is damaged: {damaged:,} of its packets could not be decoded")


def _pictures(container: Any, stream: Any) -> Iterator[Any | None]:
    """Decoded pictures; ``None`` for each packet that could not be decoded."""
    import av  # noqa: PLC0415 - native library, only where footage is read

    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except (av.FFmpegError, OSError):  # the container breaks off here
            yield None
            yield from _decoded(stream, None)
            return
        yield from _decoded(stream, packet)


def _decoded(stream: Any, packet: Any | None) -> Iterator[Any | None]:
    import av  # noqa: PLC0415 - native library, only where footage is read

    try:
        yield from stream.decode(packet)
    except (av.FFmpegError, OSError):
        yield None


class _Clock:
    """Offsets in seconds since the first frame; never running back where a file's time stamps do."""

    def __init__(self, fps: float) -> None:
        self._step = 1.0 / fps
        self._first: float | None = None
        self._previous = -self._step

    def offset(self, picture: Any) -> float:
        stamp: float | None = picture.time
        if self._first is None:
            self._first = stamp
        offset = self._previous + self._step if stamp is None or self._first is None else stamp - self._first
        self._previous = offset if offset > self._previous else self._previous + self._step
        return self._previous


def _rgb(picture: Any) -> NDArray[np.uint8]:
    image: NDArray[np.uint8] = picture.to_ndarray(format="rgb24")
    quarter_turns = round(picture.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(image, quarter_turns)) if quarter_turns else image


def _frames_of_folder(info: ClipInfo, every: int, on_warning: Callable[[str], None]) -> Iterator[Frame]:
    files = frame_files(info.path)
    unreadable: list[str] = []
    delivered = 0
    for index in range(0, len(files), every):
        image = _read_image(files[index])
        if image is None or image.shape != (info.height, info.width, 3):
            unreadable.append(files[index].name)
            continue
        delivered += 1
        yield Frame(index, index / info.fps, image)
    if not delivered:
        raise FootageError(
            f"{info.path}: not one of its {len(files)} frames can be read. Copy the folder again."
        )
    if unreadable:
        left_out = f"{unreadable[0]}, ..." if len(unreadable) > 1 else unreadable[0]
        on_warning(f"{len(unreadable):,} frames are damaged or of another size and were left out: {left_out}")


def _read_image(path: Path) -> NDArray[np.uint8] | None:
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - only where images are read

    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
