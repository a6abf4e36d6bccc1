"""``tracks.csv`` in a target's folder: what footage tells of crops that no label does.

Crops of one track show one person, and two tracks seen in the same frame show two. The file has one row a crop::

    image,track,clip,first,last
    gate/00000017.jpg,12,3,250,331

with the image's path from the folder, the numbers of its track and clip, and the track's first and last frame there.
Images without a row have no track.
"""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

from training.datasets.dataset import Dataset
from training.errors import DatasetError

FILE = "tracks.csv"
COLUMNS = ("image", "track", "clip", "first", "last")


def with_tracks(dataset: Dataset) -> Dataset:
    """``dataset`` with the tracks of its ``tracks.csv``, or as it is where there is none.

    Raises:
        DatasetError: the file is there and cannot be understood.
    """
    file = dataset.root / FILE
    if not file.is_file():
        return dataset
    track_of, seen = _read(file)
    images = tuple(
        replace(sample, track=track_of.get(sample.path.relative_to(dataset.root).as_posix(), sample.track))
        for sample in dataset.images
    )
    return replace(dataset, images=images, co_seen=_together(seen))


def _read(file: Path) -> tuple[dict[str, int], dict[int, tuple[int, int, int]]]:
    """The track of each image, and clip, first and last frame of each track."""
    track_of, seen = {}, {}
    try:
        with file.open(newline="", encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                track = int(row["track"])
                track_of[row["image"]] = track
                seen[track] = (int(row["clip"]), int(row["first"]), int(row["last"]))
    except (OSError, KeyError, TypeError, ValueError, csv.Error) as error:
        raise DatasetError(
            f"{file} cannot be understood ({error!r}): it needs the columns {', '.join(COLUMNS)};"
            " remove it to do without tracks."
        ) from error
    return track_of, seen


def _together(seen: dict[int, tuple[int, int, int]]) -> tuple[tuple[int, int], ...]:
    """Pairs of tracks of one clip that share a frame."""
    pairs = []
    waiting: list[tuple[int, int, int]] = []  # clip, last frame, track: those that may still be in view
    for track, (clip, first, last) in sorted(seen.items(), key=lambda item: item[1]):
        waiting = [each for each in waiting if each[0] == clip and each[1] >= first]
        pairs += [(other, track) for _, _, other in waiting]
        waiting.append((clip, last, track))
    return tuple(pairs)
