"""Images decoded once, kept as one uint8 array that epochs read from."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from training.datasets import Sample
from training.errors import DatasetError
from training.files import new_array, write_atomically
from training.progress import Reporter

Pixels = NDArray[np.uint8]

_FORMAT = 1
_BATCH = 256
_SHOWN_PROBLEMS = 20


@dataclass(frozen=True)
class ImageStore:
    """Decoded images and whom they show, row by row.

    Attributes:
        images: uint8 RGB [N, height, width, 3]; a read-only memory map where a cache file was given.
        samples: the N samples, in the order in which they were asked for, unreadable ones left out.
        problems: one line for each image that was left out (after some, only their number).
    """

    images: Pixels
    samples: tuple[Sample, ...]
    problems: tuple[str, ...]

    @property
    def identities(self) -> NDArray[np.int64]:
        """[N] persons, -1 where not known."""
        return np.array([sample.identity for sample in self.samples], np.int64)

    @property
    def cameras(self) -> NDArray[np.int64]:
        """[N] cameras, -1 where not known."""
        return np.array([sample.camera for sample in self.samples], np.int64)

    @property
    def tracks(self) -> NDArray[np.int64]:
        """[N] tracks, -1 where not known."""
        return np.array([sample.track for sample in self.samples], np.int64)


def decode(
    samples: Sequence[Sample], height: int, width: int, cache: Path | None, reporter: Reporter
) -> ImageStore:
    """Decode ``samples`` to ``height`` x ``width`` pixels, or take them from ``cache`` if it holds just them.

    Args:
        samples: images on disk.
        height: pixels of every decoded image.
        width: pixels of every decoded image.
        cache: a file ``*.npy``, written with a note beside it (``*.json``); made anew when names, sizes or
            times of the images differ. ``None`` keeps the images in memory.
        reporter: hears of progress and of each image that is left out, and may cancel.

    Raises:
        DatasetError: there are no images, or more than half of them are broken or missing.
        TrainingError: the disk has no room for the cache.
    """
    if not samples:
        raise DatasetError("There are no images to decode: check the data set.")
    if cache is None:
        images = np.empty((len(samples), height, width, 3), np.uint8)
        errors = _decode_into(images, samples, reporter)
        kept = _kept(errors)
        _close_gaps(images, kept)
        return _store(images, samples, kept, _problems(samples, errors), reporter)
    key = _key(samples, height, width)
    note = _read_note(cache, key) or _write_cache(cache, key, samples, (height, width), reporter)
    return _store(np.load(cache, mmap_mode="r"), samples, note.kept, note.problems, reporter)


@dataclass(frozen=True)
class _Note:
    """What lies beside a cache file: which samples its rows are."""

    kept: list[int]
    problems: tuple[str, ...]


def _store(
    images: Pixels, samples: Sequence[Sample], kept: list[int], problems: tuple[str, ...], reporter: Reporter
) -> ImageStore:
    for problem in problems:
        reporter.message(problem, level="warning")
    broken = len(samples) - len(kept)
    if 2 * broken > len(samples):
        raise DatasetError(
            f"{broken} of {len(samples)} images cannot be read, {problems[0]}: check the disk and unpack the"
            " data set again."
        )
    return ImageStore(images[: len(kept)], tuple(samples[index] for index in kept), problems)


def _decode_into(images: Pixels, samples: Sequence[Sample], reporter: Reporter) -> list[str | None]:
    """Fill ``images`` row by row; returns for each sample ``None``, or why it cannot be read."""
    errors: list[str | None] = []
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for start in range(0, len(samples), _BATCH):
            rows = range(start, min(start + _BATCH, len(samples)))
            errors += pool.map(lambda row: _decode_one(samples[row].path, images[row]), rows)
            reporter.progress(rows.stop, len(samples))
            reporter.check_cancelled()
    return errors


def _decode_one(path: Path, out: Pixels) -> str | None:
    height, width, _ = out.shape
    try:
        with Image.open(path) as image:
            # JPEG decodes faster at a half, quarter or eighth; at twice the final size no difference is seen.
            image.draft("RGB", (2 * width, 2 * height))
            out[:] = np.asarray(image.convert("RGB").resize((width, height), Image.Resampling.BILINEAR))
    except UnidentifiedImageError:
        return "is no image" if path.stat().st_size else "is empty"
    except OSError as error:
        return f"cannot be read ({error.strerror or error})"
    # Pillow's decoders meet damage with any of these.
    except (ValueError, SyntaxError, EOFError, IndexError, TypeError, Image.DecompressionBombError) as error:
        return f"is damaged ({error})"
    return None


def _kept(errors: list[str | None]) -> list[int]:
    return [row for row, error in enumerate(errors) if error is None]


def _problems(samples: Sequence[Sample], errors: list[str | None]) -> tuple[str, ...]:
    lines = [
        f"{sample.path} {error}, left out"
        for sample, error in zip(samples, errors, strict=True)
        if error is not None
    ]
    more = len(lines) - _SHOWN_PROBLEMS
    return (*lines[:_SHOWN_PROBLEMS], f"{more} more images were left out") if more > 0 else tuple(lines)


def _close_gaps(images: Pixels, kept: list[int]) -> None:
    """Move the ``kept`` rows to the front, in place."""
    for row, source in enumerate(kept):
        if row != source:
            images[row] = images[source]


def _key(samples: Sequence[Sample], height: int, width: int) -> str:
    digest = hashlib.sha256(f"{_FORMAT} {height} {width}".encode())
    for path, state in _states(samples):
        digest.update(f"\n{path}\t{state}".encode())
    return digest.hexdigest()


def _states(samples: Sequence[Sample]) -> Iterator[tuple[Path, str]]:
    for sample in samples:
        try:
            stat = sample.path.stat()
        except OSError:
            yield sample.path, "missing"
        else:
            yield sample.path, f"{stat.st_size} {stat.st_mtime_ns}"


def _note_path(cache: Path) -> Path:
    return cache.with_suffix(".json")


def _read_note(cache: Path, key: str) -> _Note | None:
    """The note of a whole cache file made for ``key``; ``None`` where there is none to rely on."""
    try:
        note = json.loads(_note_path(cache).read_text(encoding="utf-8"))
        np.load(cache, mmap_mode="r")  # fails where a crash of the machine cut the file short
    except (OSError, ValueError, EOFError):
        return None
    if not isinstance(note, dict) or note.get("key") != key:
        return None
    return _Note(note["kept"], tuple(note["problems"]))


def _write_cache(
    cache: Path, key: str, samples: Sequence[Sample], size: tuple[int, int], reporter: Reporter
) -> _Note:
    shape = (len(samples), *size, 3)
    temporary = cache.with_name(f"{cache.name}.{os.getpid()}.part")
    try:
        images = new_array(temporary, shape)
        errors = _decode_into(images, samples, reporter)
        note = _Note(_kept(errors), _problems(samples, errors))
        _close_gaps(images, note.kept)
        images.flush()
        del images
        # The note goes first and comes last: a cache without its own note is never believed.
        _note_path(cache).unlink(missing_ok=True)
        temporary.replace(cache)
    finally:
        temporary.unlink(missing_ok=True)
    text = json.dumps({"key": key, "kept": note.kept, "problems": note.problems})
    write_atomically(_note_path(cache), text.encode())
    return note
