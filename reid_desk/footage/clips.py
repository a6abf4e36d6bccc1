"""Which clips lie behind the paths an operator gave, and what each of them is."""

from __future__ import annotations

import hashlib
import math
import os
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from reid_desk.errors import FootageError, printable
from reid_desk.footage.start_time import StartedFrom, guess_start

VIDEO_SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".wmv", ".asf"}
    | {".flv", ".3gp", ".ogv", ".dav", ".264", ".h264", ".265", ".h265", ".hevc", ".mjpg", ".mjpeg"}
)
IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})
# What recorders and file managers leave beside footage: passed over in silence inside a folder.
SIDECAR_SUFFIXES = frozenset(
    {".txt", ".csv", ".json", ".xml", ".srt", ".vtt", ".ini", ".db", ".log", ".md", ".idx", ".md5", ".sha256"}
)
DEFAULT_FRAMES_FPS = 25.0
"""Frames a second of a folder of frames, which does not say so itself: the rate of PAL cameras."""

_BLOCK = 1 << 20  # bytes read at once
_GONE = "there is no such file. Check that its drive is connected."
_FORBIDDEN = "the file may not be read. Check its permissions."

ClipKind = Literal["video", "frames"]


@dataclass(frozen=True)
class ClipSource:
    """One clip found: a video file, or a folder whose images are its frames."""

    path: Path
    kind: ClipKind


@dataclass(frozen=True)
class Refused:
    """A path that cannot be imported, as it can be printed, with the reason and the remedy in one line."""

    path: Path
    reason: str


@dataclass(frozen=True)
class ClipInfo:
    """What is known of a clip before it is decoded.

    ``width`` and ``height`` are pixels as shown (after rotation), ``fps`` frames a second, ``frames`` an
    estimate (``None``: the file does not tell), ``duration`` seconds, ``started_at`` UTC seconds since the
    epoch.
    """

    path: Path
    kind: ClipKind
    width: int
    height: int
    fps: float
    frames: int | None
    duration: float | None
    started_at: float
    started_from: StartedFrom
    size: int


def find_clips(paths: Sequence[Path]) -> tuple[list[ClipSource], list[Refused]]:
    """The clips behind ``paths``: files, folders of clips (any depth) and folders of frames.

    Every path that leads to no clip is named in the second list with its reason. No clip is listed twice.
    Each file is opened to see whether there is video in it; nothing is decoded.
    """
    clips: dict[Path, ClipSource] = {}
    refused: list[Refused] = []
    for path in paths:
        for found in map(_told_by_name, _look_at(Path(path))):
            if isinstance(found, Refused):
                refused.append(found)
            else:
                clips.setdefault(found.path.resolve(), found)
    return list(clips.values()), refused


def probe(source: ClipSource | Path, *, frames_fps: float = DEFAULT_FRAMES_FPS) -> ClipInfo:
    """Size, rate, length and likely start of a clip; ``frames_fps`` is the rate of a folder of frames.

    Raises:
        FootageError: the path is missing, or holds no video that can be opened.
    """
    if isinstance(source, Path):
        source = _only_clip(source)
    with readable(source.path):
        if source.kind == "frames":
            return _probe_frames(source.path, frames_fps)
        return _probe_video(source.path)


def sha256(path: Path, *, check_cancelled: Callable[[], None] = lambda: None) -> str:
    """SHA-256 of a clip in hexadecimal; of a folder of frames, over each frame's name and bytes in order.

    ``check_cancelled`` is called for every MiB, and what it raises passes through.

    Raises:
        FootageError: the clip is gone, or cannot be read to its end.
    """
    digest = hashlib.sha256()
    with readable(path):
        if not path.is_dir():
            _add_bytes(digest, path, check_cancelled)
            return digest.hexdigest()
        for frame in frame_files(path):
            digest.update(os.fsencode(frame.name) + f"\0{frame.stat().st_size}\0".encode())
            _add_bytes(digest, frame, check_cancelled)
    return digest.hexdigest()


def frame_files(folder: Path) -> list[Path]:
    """The numbered images of a folder of frames, in the order of their numbers: 9 before 10.

    Raises:
        FootageError: the folder is gone, or cannot be read.
    """
    with readable(folder):
        children = _visible_children(folder)
    images = (path for path in children if path.suffix.lower() in IMAGE_SUFFIXES)
    return sorted((path for path in images if any(map(str.isdigit, path.stem))), key=_natural_key)


def open_container(path: Path) -> Any:
    """Open a video with PyAV, from this machine's files only: no play list in disguise reaches the network.

    Raises:
        FootageError: not a video, no video stream in it, or not readable.
    """
    import av  # noqa: PLC0415 - native library, only where footage is read

    try:
        container = av.open(
            str(path.resolve()), options={"protocol_whitelist": "file"}, metadata_errors="replace"
        )
    except (av.FFmpegError, OSError, ValueError) as error:
        raise FootageError(f"{path}: {_why_unreadable(path, error)}") from error
    if container.format.name.endswith("_pipe"):  # FFmpeg's readers of single pictures
        container.close()
        raise FootageError(
            f"{path}: this is a picture, whatever its name says. Give a video, or the folder of all frames."
        )
    if not container.streams.video:
        container.close()
        raise FootageError(f"{path}: there is no picture in this file. Give a video.")
    return container


def _told_by_name(found: ClipSource | Refused) -> ClipSource | Refused:
    """Refuse a clip that could not be named again: a site, a log and a window hold text, not bytes."""
    if isinstance(found, Refused):
        return Refused(Path(printable(found.path)), found.reason)
    name = str(found.path.resolve())
    if name != printable(name):
        return Refused(Path(printable(found.path)), "its name or its folder's is no valid UTF-8. Rename it.")
    return found


def _look_at(path: Path) -> Iterator[ClipSource | Refused]:
    if not path.exists():
        yield Refused(path, "there is no such file or folder. Check the path.")
    elif path.is_dir():
        found = list(_look_into(path))
        yield from found or [Refused(path, "no video and no numbered frames in this folder.")]
    elif path.suffix.lower() in VIDEO_SUFFIXES:
        yield _video_or_refusal(path)
    elif path.suffix.lower() in IMAGE_SUFFIXES:
        yield Refused(path, "a single image is no clip. Give the folder that holds all the frames.")
    else:
        yield Refused(
            path, f"files of type {path.suffix or 'unknown'} are no footage this desk knows. Give a video."
        )


def _look_into(folder: Path) -> Iterator[ClipSource | Refused]:
    try:
        children = _visible_children(folder)
    except OSError as error:
        yield Refused(folder, f"the folder cannot be read ({error.strerror}). Check its permissions.")
        return
    videos = [path for path in children if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file()]
    # Recorders put a still beside each video: images make a clip only where there is no video.
    if not videos and len(frame_files(folder)) > 1:
        yield ClipSource(folder, "frames")
    for path in children:
        suffix = path.suffix.lower()
        if path.is_dir():
            yield from _look_into(path)
        elif suffix in VIDEO_SUFFIXES:
            yield _video_or_refusal(path)
        elif suffix not in IMAGE_SUFFIXES | SIDECAR_SUFFIXES:
            yield from _look_at(path)


def _video_or_refusal(path: Path) -> ClipSource | Refused:
    try:
        if path.stat().st_size == 0:
            return Refused(path, "the file is empty (0 bytes). Copy it again from the recorder.")
        open_container(path).close()
    except FootageError as error:
        return Refused(path, str(error).removeprefix(f"{path}: "))
    except OSError as error:
        return Refused(path, f"the file cannot be read ({error.strerror}). Check its permissions.")
    return ClipSource(path, "video")


def _only_clip(path: Path) -> ClipSource:
    clips, refused = find_clips([path])
    if len(clips) == 1:
        return clips[0]
    if clips:
        raise FootageError(f"{path}: {len(clips)} clips lie in this folder. Give one of them.")
    raise FootageError(f"{path}: {refused[0].reason}")


def _probe_video(path: Path) -> ClipInfo:
    with open_container(path) as container:
        stream = container.streams.video[0]
        width, height = _size_as_shown(container, stream)
        if not width or not height:
            raise FootageError(
                f"{path}: the file does not tell the size of its picture. It is damaged or incomplete."
            )
        fps = float(stream.average_rate or stream.guessed_rate or DEFAULT_FRAMES_FPS)
        duration = _duration(container, stream)
        frames = stream.frames or (round(duration * fps) if duration else None)
        metadata = {**container.metadata, **stream.metadata}
    status = path.stat()
    started_at, started_from = guess_start(path, metadata, modified=status.st_mtime, duration=duration or 0.0)
    return ClipInfo(
        path, "video", width, height, fps, frames, duration, started_at, started_from, status.st_size
    )


def _probe_frames(folder: Path, fps: float) -> ClipInfo:
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - only where images are read

    # Frames of such a size are read all the same, or left out with a word about them.
    warnings.simplefilter("ignore", Image.DecompressionBombWarning)
    if not math.isfinite(fps) or fps <= 0:
        raise FootageError(f"{folder}: a rate of {fps} frames a second is impossible. Give one above 0.")
    files = frame_files(folder)
    for file in files:
        try:
            with Image.open(file) as image:
                width, height = image.size
                break
        except (UnidentifiedImageError, OSError, Image.DecompressionBombError):
            continue
    else:
        raise FootageError(f"{folder}: none of its {len(files)} images can be read. Copy the folder again.")
    duration = len(files) / fps
    size = sum(file.stat().st_size for file in files)
    modified = files[-1].stat().st_mtime
    started_at, started_from = guess_start(files[0], {}, modified=modified, duration=duration, folder=folder)
    return ClipInfo(
        folder, "frames", width, height, fps, len(files), duration, started_at, started_from, size
    )


def _size_as_shown(container: Any, stream: Any) -> tuple[int, int]:
    """Width and height after the turn that phones and body cameras note in each picture."""
    import av  # noqa: PLC0415 - native library, only where footage is read

    width, height = stream.codec_context.width, stream.codec_context.height
    try:
        first = next(container.decode(stream), None)
    except (av.FFmpegError, OSError):  # what follows the damage may still be read
        return width, height
    if first is None:
        return width, height
    sideways = round(first.rotation / 90) % 2 == 1
    return (first.height, first.width) if sideways else (first.width, first.height)


def _duration(container: Any, stream: Any) -> float | None:
    if stream.duration:
        return float(stream.duration * stream.time_base)
    return container.duration / 1e6 if container.duration else None  # AV_TIME_BASE: microseconds


def _why_unreadable(path: Path, error: Exception) -> str:
    if isinstance(error, PermissionError):
        return _FORBIDDEN
    if not path.exists():
        return _GONE
    if path.stat().st_size == 0:
        return "the file is empty (0 bytes). Copy it again from the recorder."
    return "this is no video, or its index is missing because the recording was cut off. Copy it again."


def _visible_children(folder: Path) -> list[Path]:
    return sorted((path for path in folder.iterdir() if not path.name.startswith(".")), key=_natural_key)


def _natural_key(path: Path) -> list[tuple[int, str]]:
    return [
        (int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", path.name.lower())
    ]


def _add_bytes(digest: Any, path: Path, check_cancelled: Callable[[], None]) -> None:
    with path.open("rb") as file:
        for block in iter(lambda: file.read(_BLOCK), b""):
            check_cancelled()
            digest.update(block)


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what the system says of a clip that is gone or cannot be read into a ``FootageError`` about ``path``.

    Footage lies on drives that are pulled out and on shares that drop off.
    """
    try:
        yield
    except OSError as error:
        raise FootageError(f"{path}: {_why_not_read(error)}") from error


def _why_not_read(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return _FORBIDDEN
    if isinstance(error, FileNotFoundError):
        return _GONE
    return f"it cannot be read ({error.strerror or error}). Check its drive, or copy it again."
