"""Cameras and their clips."""

# ruff: noqa: S608 - queries are put together from constants only; values are always bound

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from reid_desk.errors import FootageError, SiteError
from reid_desk.site import settings, tracks
from reid_desk.site.database import Database
from reid_desk.site.names import checked_name
from reid_desk.site.records import Camera, Clip, NewTrack

# UTC seconds: what calendars of every system and time zone can show, with room for the clip's own length.
EARLIEST = datetime(1970, 1, 2, tzinfo=UTC).timestamp()
LATEST = datetime(3000, 1, 1, tzinfo=UTC).timestamp()

_CLIP_COLUMNS = (
    "clips.id, camera_id, cameras.name, path, sha256, size, started_at, started_from, fps, width, height, "
    "duration, frames, state, message, detector, tracks, crops, imported_at"
)
_CLIPS = f"SELECT {_CLIP_COLUMNS} FROM clips JOIN cameras ON cameras.id = camera_id"


class Clips:
    """The cameras of a site and what they recorded.

    Args:
        database: the site's.
        indexes: the folder of its search indexes.
    """

    def __init__(self, database: Database, indexes: Path) -> None:
        self._database = database
        self._indexes = indexes

    def cameras(self) -> list[Camera]:
        """Return all cameras, by name."""
        return [Camera(*row) for row in self._database.rows("SELECT id, name FROM cameras ORDER BY name, id")]

    def camera(self, name: str, create: bool = False) -> Camera:
        """Return the camera of that name; with ``create``, make it if the site has none.

        Raises:
            SiteError: there is none, or a new one cannot be called so.
        """
        name = name.strip()
        if create:
            checked_name(name, "camera")
            with self._database.transaction() as connection:
                connection.execute("INSERT INTO cameras (name) VALUES (?) ON CONFLICT DO NOTHING", (name,))
        row = self._database.row("SELECT id, name FROM cameras WHERE name = ?", (name,))
        if row is None:
            known = ", ".join(camera.name for camera in self.cameras()) or "none yet"
            raise SiteError(f"The site has no camera named {name!r}; its cameras are: {known}.")
        return Camera(*row)

    def camera_ids(self, cameras: Sequence[int | str]) -> list[int]:
        """Return the ids of cameras given by id or by name.

        Raises:
            SiteError: the site has no camera of that name.
        """
        return [self.camera(camera).id if isinstance(camera, str) else int(camera) for camera in cameras]

    def clips(self, camera: int | str | None = None) -> list[Clip]:
        """Return the clips of one camera (id or name) or of all, in the order they started."""
        where = "" if camera is None else " WHERE camera_id = ?"
        parameters = self.camera_ids([] if camera is None else [camera])
        return [
            Clip(*row)
            for row in self._database.rows(f"{_CLIPS}{where} ORDER BY started_at, clips.id", parameters)
        ]

    def clip(self, clip_id: int) -> Clip:
        """Return one clip.

        Raises:
            SiteError: there is no such clip.
        """
        row = self._database.row(f"{_CLIPS} WHERE clips.id = ?", (clip_id,))
        if row is None:
            raise SiteError(f"The site has no clip {clip_id}; it may have been removed.")
        return Clip(*row)

    def clip_by_sha256(self, sha256: str) -> Clip | None:
        """Return the clip of those bytes, in whatever state, or ``None``."""
        row = self._database.row(f"{_CLIPS} WHERE sha256 = ?", (sha256,))
        return None if row is None else Clip(*row)

    def begin_clip(
        self,
        camera_name: str,
        path: Path | str,
        *,
        sha256: str,
        size: int,
        started_at: float,
        started_from: str,
        fps: float,
        width: int,
        height: int,
        detector: str,
    ) -> int:
        """Register a clip that is about to be imported and return its id.

        An earlier attempt at the same bytes that was not finished is wiped first: resuming an import means
        starting the clip again.

        Raises:
            SiteError: the same bytes are imported already.
            FootageError: no clip begins at such a time.
        """
        check_start(started_at)
        with self._database.transaction() as connection:
            earlier = self.clip_by_sha256(sha256)
            if earlier is not None and earlier.state == "imported":
                raise SiteError(
                    f"{Path(path).name} is in the site already, as {Path(earlier.path).name} of camera "
                    f"{earlier.camera}; remove that clip to import it again."
                )
            if earlier is not None:
                connection.execute("DELETE FROM clips WHERE id = ?", (earlier.id,))
            camera = self.camera(camera_name, create=True)
            cursor = connection.execute(
                "INSERT INTO clips (camera_id, path, sha256, size, started_at, started_from, fps, width, "
                "height, state, detector) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'importing', ?)",
                (camera.id, str(path), sha256, size, started_at, started_from, fps, width, height, detector),
            )
            return int(cursor.lastrowid or 0)

    def finish_clip(
        self, clip_id: int, new_tracks: Sequence[NewTrack], *, frames: int, duration: float
    ) -> None:
        """Store all that was found in a clip, and mark it imported: all of it or nothing.

        Args:
            clip_id: from :meth:`begin_clip`.
            new_tracks: its tracks with their boxes and crops.
            frames: number of frames in the clip.
            duration: its length in seconds.

        Raises:
            SiteError: the clip is gone or finished already, or the disk is full.
        """
        with self._database.transaction() as connection:
            clip = self.clip(clip_id)
            if clip.state == "imported":
                raise SiteError(
                    f"{Path(clip.path).name} is imported already; remove the clip to import it again."
                )
            tracks.insert_tracks(connection, clip, new_tracks)
            connection.execute(
                "UPDATE clips SET state = 'imported', message = NULL, frames = ?, duration = ?, tracks = ?, "
                "crops = ?, imported_at = ? WHERE id = ?",
                (
                    frames,
                    duration,
                    len(new_tracks),
                    sum(len(t.crops) for t in new_tracks),
                    time.time(),
                    clip_id,
                ),
            )
            settings.crops_grew(connection)

    def fail_clip(self, clip_id: int, message: str) -> None:
        """Mark a clip as failed, with the reason in one line."""
        with self._database.transaction() as connection:
            self.clip(clip_id)
            connection.execute(
                "UPDATE clips SET state = 'failed', message = ? WHERE id = ?", (message, clip_id)
            )

    def edit_clip(self, clip_id: int, *, camera: str | None = None, started_at: float | None = None) -> Clip:
        """Correct which camera recorded a clip, or when it began; its tracks and crops follow.

        Args:
            clip_id: of a clip whose import has ended.
            camera: name of the camera; made if the site has none of that name. One that is left without clips
                is forgotten.
            started_at: UTC seconds since the epoch of the first frame.

        Raises:
            SiteError: there is no such clip, it is not imported yet, or the camera's name is blank.
            FootageError: no clip begins at such a time.
        """
        if started_at is not None:
            check_start(started_at)
        with self._database.transaction() as connection:
            before = self.clip(clip_id)
            if before.state == "importing":
                raise SiteError(f"{Path(before.path).name} is not imported yet; wait, or import it again.")
            camera_id = before.camera_id if camera is None else self.camera(camera, create=True).id
            start = before.started_at if started_at is None else started_at
            connection.execute(
                "UPDATE clips SET camera_id = ?, started_at = ?, started_from = ? WHERE id = ?",
                (camera_id, start, before.started_from if started_at is None else "given", clip_id),
            )
            tracks.correct_tracks(connection, clip_id, camera_id=camera_id, seconds=start - before.started_at)
            _forget_camera_without_clips(connection, before.camera_id)
            settings.gallery_was_rewritten(connection)
        return self.clip(clip_id)

    def remove_clip(self, clip_id: int) -> None:
        """Remove a clip with its tracks, crops and vectors, and its camera if that has no other clip.

        The footage itself is left alone.

        Raises:
            SiteError: there is no such clip.
        """
        with self._database.transaction() as connection:
            clip = self.clip(clip_id)
            connection.execute("DELETE FROM clips WHERE id = ?", (clip_id,))
            _forget_camera_without_clips(connection, clip.camera_id)
            settings.gallery_was_rewritten(connection)
        # They are only caches, but hold what the crops of the clip looked like to a model.
        for index in self._indexes.glob("*.faiss"):
            index.unlink(missing_ok=True)


def check_start(started_at: float) -> None:
    """See that a clip can have begun then, in UTC seconds since the epoch.

    Raises:
        FootageError: the time could not be shown everywhere.
    """
    if not EARLIEST <= started_at <= LATEST:
        raise FootageError("A clip cannot begin before 1970 or after 2999; give another start.")


def _forget_camera_without_clips(connection: sqlite3.Connection, camera_id: int) -> None:
    connection.execute(
        "DELETE FROM cameras WHERE id = ? AND id NOT IN (SELECT camera_id FROM clips)", (camera_id,)
    )
