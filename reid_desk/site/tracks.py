"""Tracks, their boxes, their crops: how they are stored, and how tracks are read back."""

# ruff: noqa: S608 - queries are put together from constants only; values are always bound

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

import numpy as np

from reid_desk.errors import SiteError
from reid_desk.site.database import Database
from reid_desk.site.records import Box, Clip, NewCrop, NewTrack, Track

# One blob a track: hundreds of boxes are read together or not at all.
_BOXES = np.dtype(
    [
        ("frame", "<i4"),
        ("time", "<f8"),
        ("left", "<f4"),
        ("top", "<f4"),
        ("width", "<f4"),
        ("height", "<f4"),
        ("score", "<f4"),
    ]
)

# One blob a clip, for ranking; its camera is the clip's.
PACKED_CROPS = np.dtype([("crop_id", "<i8"), ("track_id", "<i8"), ("time", "<f8")])

_TRACK_COLUMNS = "id, clip_id, camera_id, first_frame, last_frame, started_at, ended_at, length"


class Tracks:
    """The tracks of a site.

    Args:
        database: the site's.
        camera_ids: turns cameras given by id or name into ids.
    """

    def __init__(self, database: Database, camera_ids: Callable[[Sequence[int | str]], list[int]]) -> None:
        self._database = database
        self._camera_ids = camera_ids

    def tracks(self, clip_id: int | None = None, camera: int | str | None = None) -> list[Track]:
        """Return tracks in the order they started, of one clip, of one camera (id or name), or all."""
        conditions: list[str] = []
        parameters: list[int] = []
        if clip_id is not None:
            conditions.append("clip_id = ?")
            parameters.append(clip_id)
        if camera is not None:
            conditions.append("camera_id = ?")
            parameters += self._camera_ids([camera])
        where = " WHERE " + " AND ".join(conditions) if conditions else ""
        rows = self._database.rows(
            f"SELECT {_TRACK_COLUMNS} FROM tracks{where} ORDER BY started_at, id", parameters
        )
        return [Track(*row) for row in rows]

    def track(self, track_id: int) -> Track:
        """Return one track.

        Raises:
            SiteError: there is no such track.
        """
        row = self._database.row(f"SELECT {_TRACK_COLUMNS} FROM tracks WHERE id = ?", (track_id,))
        if row is None:
            raise SiteError(f"The site has no track {track_id}; its clip may have been removed.")
        return Track(*row)

    def track_boxes(self, track_id: int) -> list[Box]:
        """Return the boxes of a track in the order of time.

        Raises:
            SiteError: there is no such track.
        """
        row = self._database.row("SELECT boxes FROM track_boxes WHERE track_id = ?", (track_id,))
        if row is None:
            raise SiteError(f"The site has no track {track_id}; its clip may have been removed.")
        return [Box(*values) for values in np.frombuffer(row[0], dtype=_BOXES).tolist()]


def insert_tracks(connection: sqlite3.Connection, clip: Clip, new_tracks: Sequence[NewTrack]) -> None:
    """Store the tracks of a clip with their boxes and crops.

    Raises:
        ValueError: a track has no boxes.
    """
    packed = [entry for track in new_tracks for entry in _insert_track(connection, clip, track)]
    connection.execute(
        "INSERT INTO clip_crops (clip_id, crops) VALUES (?, ?)",
        (clip.id, np.array(packed, dtype=PACKED_CROPS).tobytes()),
    )


def correct_tracks(connection: sqlite3.Connection, clip_id: int, *, camera_id: int, seconds: float) -> None:
    """Let the tracks and crops of a clip be of another camera, and ``seconds`` later than they were."""
    parameters = {"clip": clip_id, "camera": camera_id, "seconds": seconds}
    connection.execute(
        "UPDATE tracks SET camera_id = :camera, started_at = started_at + :seconds, "
        "ended_at = ended_at + :seconds WHERE clip_id = :clip",
        parameters,
    )
    connection.execute(
        "UPDATE crops SET camera_id = :camera, time = time + :seconds WHERE clip_id = :clip", parameters
    )
    boxes = "SELECT track_id, boxes FROM track_boxes JOIN tracks ON tracks.id = track_id WHERE clip_id = ?"
    for track_id, packed in connection.execute(boxes, (clip_id,)).fetchall():
        later = _later(packed, _BOXES, seconds)
        connection.execute("UPDATE track_boxes SET boxes = ? WHERE track_id = ?", (later, track_id))
    row = connection.execute("SELECT crops FROM clip_crops WHERE clip_id = ?", (clip_id,)).fetchone()
    if row is not None:
        later = _later(row[0], PACKED_CROPS, seconds)
        connection.execute("UPDATE clip_crops SET crops = ? WHERE clip_id = ?", (later, clip_id))


def _later(packed: bytes, kind: np.dtype[np.void], seconds: float) -> bytes:
    rows = np.frombuffer(packed, dtype=kind).copy()
    rows["time"] += seconds
    return rows.tobytes()


def _insert_track(
    connection: sqlite3.Connection, clip: Clip, track: NewTrack
) -> list[tuple[int, int, float]]:
    """Store a track and return its crops as they are packed."""
    if not track.boxes:
        raise ValueError("a track has at least one box")
    first, last = track.boxes[0], track.boxes[-1]
    cursor = connection.execute(
        "INSERT INTO tracks (clip_id, camera_id, first_frame, last_frame, started_at, ended_at, length) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (clip.id, clip.camera_id, first.frame, last.frame, first.time, last.time, len(track.boxes)),
    )
    track_id = int(cursor.lastrowid or 0)
    packed = np.array(
        [(b.frame, b.time, b.left, b.top, b.width, b.height, b.score) for b in track.boxes], dtype=_BOXES
    )
    connection.execute(
        "INSERT INTO track_boxes (track_id, boxes) VALUES (?, ?)", (track_id, packed.tobytes())
    )
    return [(_insert_crop(connection, clip, track_id, crop), track_id, crop.time) for crop in track.crops]


def _insert_crop(connection: sqlite3.Connection, clip: Clip, track_id: int, crop: NewCrop) -> int:
    place = (crop.frame, crop.time, crop.left, crop.top, crop.width, crop.height, crop.score, crop.quality)
    cursor = connection.execute(
        'INSERT INTO crops (track_id, clip_id, camera_id, frame, time, "left", top, width, height, score, '
        "quality) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (track_id, clip.id, clip.camera_id, *place),
    )
    crop_id = int(cursor.lastrowid or 0)
    connection.execute("INSERT INTO crop_images (crop_id, jpeg) VALUES (?, ?)", (crop_id, crop.jpeg))
    return crop_id
