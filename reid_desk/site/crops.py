"""Reading crops: pages of them, their pictures, and all of them as columns."""

# ruff: noqa: S608 - queries are put together from constants only; values are always bound

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from reid_desk.errors import SiteError
from reid_desk.site.database import Database, id_list
from reid_desk.site.records import Crop, CropTable
from reid_desk.site.tracks import PACKED_CROPS

_CROP_COLUMNS = (
    'crops.id, track_id, clip_id, camera_id, frame, time, "left", top, width, height, score, quality'
)


class Crops:
    """The crops of a site.

    Args:
        database: the site's.
        camera_ids: turns cameras given by id or name into ids.
    """

    def __init__(self, database: Database, camera_ids: Callable[[Sequence[int | str]], list[int]]) -> None:
        self._database = database
        self._camera_ids = camera_ids

    def crops(
        self,
        *,
        offset: int = 0,
        limit: int | None = None,
        cameras: Sequence[int | str] | None = None,
        since: float | None = None,
        until: float | None = None,
        track_id: int | None = None,
    ) -> list[Crop]:
        """Return a page of crops in the order of time, then id.

        Args:
            offset: how many to skip.
            limit: how many to return at most.
            cameras: only of these, by id or name.
            since, until: only with ``since <= time < until``.
            track_id: only of this track.

        Raises:
            SiteError: the site has no camera of that name.
        """
        where, parameters = self._where(cameras, since, until, track_id)
        index = _index(cameras, track_id)
        page = f"SELECT id FROM crops INDEXED BY {index}{where} ORDER BY time, id LIMIT ? OFFSET ?"
        rows = self._database.rows(
            f"SELECT {_CROP_COLUMNS} FROM crops WHERE id IN ({page}) ORDER BY time, id",
            [*parameters, -1 if limit is None else limit, offset],
        )
        return [Crop(*row) for row in rows]

    def count_crops(
        self,
        *,
        cameras: Sequence[int | str] | None = None,
        since: float | None = None,
        until: float | None = None,
        track_id: int | None = None,
    ) -> int:
        """Return how many crops :meth:`crops` would return without a page."""
        where, parameters = self._where(cameras, since, until, track_id)
        return int(self._database.row(f"SELECT count(*) FROM crops{where}", parameters)[0])

    def crop(self, crop_id: int) -> Crop:
        """Return one crop.

        Raises:
            SiteError: there is no such crop.
        """
        row = self._database.row(f"SELECT {_CROP_COLUMNS} FROM crops WHERE id = ?", (crop_id,))
        if row is None:
            raise SiteError(f"The site has no crop {crop_id}; its clip may have been removed.")
        return Crop(*row)

    def crops_by_id(self, crop_ids: Sequence[int]) -> dict[int, Crop]:
        """Return those of the crops that the site has, by id."""
        rows = self._database.rows(
            f"SELECT {_CROP_COLUMNS} FROM crops WHERE id IN (SELECT value FROM json_each(?))",
            (id_list(crop_ids),),
        )
        return {row[0]: Crop(*row) for row in rows}

    def crop_image(self, crop_id: int) -> bytes:
        """Return the JPEG bytes of a crop.

        Raises:
            SiteError: there is no such crop.
        """
        row = self._database.row("SELECT jpeg FROM crop_images WHERE crop_id = ?", (crop_id,))
        if row is None:
            raise SiteError(f"The site has no crop {crop_id}; its clip may have been removed.")
        return bytes(row[0])

    def crop_images(self, crop_ids: Sequence[int]) -> dict[int, bytes]:
        """Return the JPEG bytes of those of the crops that the site has, by id."""
        return dict(
            self._database.rows(
                "SELECT crop_id, jpeg FROM crop_images WHERE crop_id IN (SELECT value FROM json_each(?))",
                (id_list(crop_ids),),
            )
        )

    def crop_metadata(self, crop_ids: Sequence[int] | npt.NDArray[np.int64] | None = None) -> CropTable:
        """Return crops as columns: all in the order of id, or the given ones in the given order.

        Raises:
            SiteError: the site has not all of the given crops.
        """
        table = self._all_columns()
        if crop_ids is None:
            return table
        wanted = np.asarray(crop_ids, dtype=np.int64)
        rows = np.searchsorted(table.crop_id, wanted)
        if not np.array_equal(table.crop_id[np.minimum(rows, len(table) - 1)] if len(table) else [], wanted):
            raise SiteError("The site has not all of those crops any more; a clip may have been removed.")
        return CropTable(table.crop_id[rows], table.track_id[rows], table.camera_id[rows], table.time[rows])

    def _all_columns(self) -> CropTable:
        clips = self._database.rows(
            "SELECT camera_id, clip_crops.crops FROM clip_crops JOIN clips ON clips.id = clip_id"
        )
        packed = np.frombuffer(b"".join(clip[1] for clip in clips), dtype=PACKED_CROPS)
        sizes = [len(clip[1]) // PACKED_CROPS.itemsize for clip in clips]
        cameras = np.repeat(np.array([clip[0] for clip in clips], dtype=np.int64), sizes)
        order = np.argsort(packed["crop_id"], kind="stable")
        return CropTable(
            packed["crop_id"][order], packed["track_id"][order], cameras[order], packed["time"][order]
        )

    def _where(
        self,
        cameras: Sequence[int | str] | None,
        since: float | None,
        until: float | None,
        track_id: int | None,
    ) -> tuple[str, list[float | str]]:
        conditions: list[str] = []
        parameters: list[float | str] = []
        if cameras is not None:
            ids = self._camera_ids(cameras)
            conditions.append(f"camera_id IN ({', '.join('?' * len(ids))})")
            parameters += ids
        for condition, value in (("time >= ?", since), ("time < ?", until), ("track_id = ?", track_id)):
            if value is not None:
                conditions.append(condition)
                parameters.append(value)
        return (" WHERE " + " AND ".join(conditions) if conditions else ""), parameters


def _index(cameras: Sequence[int | str] | None, track_id: int | None) -> str:
    """Return the index that gives a page without sorting; SQLite would sort all crops of several cameras."""
    if track_id is not None:
        return "crops_by_track"
    return "crops_by_camera" if cameras is not None and len(cameras) == 1 else "crops_by_time"
