"""What each model sees in each crop: float16 vectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from reid_desk.errors import SiteError
from reid_desk.site import settings
from reid_desk.site.database import Database, id_list
from reid_desk.site.records import Revision


class Vectors:
    """The vectors of a site's crops, a set for each model."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def store_vectors(
        self,
        model_id: str,
        crop_ids: Sequence[int] | npt.NDArray[np.int64],
        vectors: npt.NDArray[np.floating],
    ) -> None:
        """Store vectors ``[N, D]`` as float16, in place of those the crops had by this model.

        Crops that were removed since they were read are left out.

        Raises:
            ValueError: not one vector for each crop, or one that is not finite.
            SiteError: there is no such model.
        """
        packed = np.ascontiguousarray(vectors, dtype="<f2")
        if packed.ndim != 2 or len(packed) != len(crop_ids):
            raise ValueError(
                f"{len(crop_ids)} crops need as many vectors, not an array of shape {packed.shape}"
            )
        if not np.isfinite(packed).all():
            raise ValueError("a vector is not finite")
        with self._database.transaction() as connection:
            if self._database.row("SELECT 1 FROM models WHERE id = ?", (model_id,)) is None:
                raise SiteError(f"The site has no model {model_id}.")
            replaced = self._count_of(model_id, crop_ids)
            rows = (
                (model_id, int(crop), row.tobytes(), int(crop))
                for crop, row in zip(crop_ids, packed, strict=True)
            )
            connection.executemany(
                "INSERT INTO vectors (model_id, crop_id, vector) SELECT ?, ?, ? "
                "WHERE EXISTS (SELECT 1 FROM crops WHERE id = ?) "
                "ON CONFLICT (model_id, crop_id) DO UPDATE SET vector = excluded.vector",
                rows,
            )
            settings.vectors_grew(connection, model_id)
            if replaced:
                settings.gallery_was_rewritten(connection)

    def _count_of(self, model_id: str, crop_ids: Sequence[int] | npt.NDArray[np.int64]) -> int:
        sql = (
            "SELECT count(*) FROM vectors WHERE model_id = ? AND crop_id IN (SELECT value FROM json_each(?))"
        )
        return int(self._database.row(sql, (model_id, id_list(crop_ids)))[0])

    def vectors(
        self, model_id: str, *, after: int = 0, limit: int | None = None
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float16]]:
        """Return crop ids ``[N]``, ascending, and their vectors ``[N, D]`` by a model.

        Args:
            model_id: the model.
            after: only crops of a higher id.
            limit: at most so many; without it, a million vectors take several times their size of memory.
        """
        rows = self._database.rows(
            "SELECT crop_id, vector FROM vectors WHERE model_id = ? AND crop_id > ? ORDER BY crop_id LIMIT ?",
            (model_id, after, -1 if limit is None else limit),
        )
        ids = np.fromiter((row[0] for row in rows), dtype=np.int64, count=len(rows))
        packed = np.frombuffer(b"".join(row[1] for row in rows), dtype="<f2")
        return ids, packed.reshape(len(rows), -1) if rows else packed.reshape(0, 0)

    def vector(self, model_id: str, crop_id: int) -> npt.NDArray[np.float16] | None:
        """Return a crop's vector ``[D]`` by a model, or ``None`` if it has none yet."""
        row = self._database.row(
            "SELECT vector FROM vectors WHERE model_id = ? AND crop_id = ?", (model_id, crop_id)
        )
        return None if row is None else np.frombuffer(row[0], dtype="<f2")

    def count_vectors(self, model_id: str, *, up_to: int | None = None) -> int:
        """Return how many crops have a vector by a model; with ``up_to``, of those with an id up to that."""
        last = np.iinfo(np.int64).max if up_to is None else up_to
        sql = "SELECT count(*) FROM vectors WHERE model_id = ? AND crop_id <= ?"
        return int(self._database.row(sql, (model_id, int(last)))[0])

    def missing_vectors(self, model_id: str) -> list[int]:
        """Return the ids, ascending, of the crops that have no vector by a model yet."""
        rows = self._database.rows(
            "SELECT id FROM crops WHERE id NOT IN (SELECT crop_id FROM vectors WHERE model_id = ?) "
            "ORDER BY id",
            (model_id,),
        )
        return [row[0] for row in rows]

    def revision(self) -> Revision:
        """Return what tells whether the gallery, or the model it is seen by, has changed."""
        return settings.revision(self._database)
