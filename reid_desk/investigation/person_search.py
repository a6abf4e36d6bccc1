"""Who else looks like this: a query against all crops of a site."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from reid_desk.errors import ReidDeskError
from reid_desk.search import Embedder, FaissIndex, RankedTrack, decode_image, rank_tracks, refined_query
from reid_desk.site import Crop, CropTable, Model, Revision, Site, Verdict

CACHE_FROM = 20_000  # crops; fewer are read from the database in no time
SMALLEST_WIDTH, SMALLEST_HEIGHT = 8, 16  # pixels of an image brought to search for: less tells nobody apart
READ_AT_ONCE = 65_536  # vectors; all of a million at once would not fit beside their index

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PossibleMatch:
    """A track that a query might show, as good as its best crop.

    Attributes:
        rank: 1 for the best.
        score: cosine of the best crop, -1..1.
        crop: the best crop.
        camera: name of its camera.
        time: of the best crop, UTC seconds.
        crops: ids of the track's other crops that the filters let through, best first.
    """

    rank: int
    score: float
    crop: Crop
    track_id: int
    camera: str
    time: float
    crops: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Gallery:
    """What is searched, at one moment: row ``i`` of the index is row ``i`` of the table."""

    revision: Revision
    model: Model
    index: FaissIndex
    table: CropTable


class PersonSearch:
    """Searches a site; keeps what it needs in memory and follows the site's changes.

    Safe for use from several threads; they are answered one after the other.

    Args:
        site: the site.
        device: to embed images on: ``auto``, ``cpu`` or ``cuda``.
        cache_from: number of crops from which the index is kept on disk too.
    """

    def __init__(self, site: Site, *, device: str = "auto", cache_from: int = CACHE_FROM) -> None:
        self._site = site
        self._device = device
        self._cache_from = cache_from
        self._lock = threading.Lock()
        self._gallery: _Gallery | None = None
        self._embedder: tuple[str, Embedder] | None = None

    def search(
        self,
        query: int | bytes | npt.NDArray[np.uint8],
        *,
        top: int = 50,
        cameras: Sequence[int | str] | None = None,
        exclude_cameras: Sequence[int | str] | None = None,
        since: float | None = None,
        until: float | None = None,
        minimum_score: float | None = None,
        exclude_track: int | None = None,
        verdicts: Sequence[Verdict] = (),
        hide_judged: bool = False,
    ) -> list[PossibleMatch]:
        """Return the possible matches of a query, best first, one a track.

        Args:
            query: id of a crop, an image file's bytes, or an image, uint8 RGB ``[H, W, 3]``.
            top: how many to return at most.
            cameras: only crops of these cameras, by id or name.
            exclude_cameras: no crops of these.
            since, until: only crops with ``since <= time < until``.
            minimum_score: only matches at least this good.
            exclude_track: leave out this track; the query's own is a match like any other unless named here.
            verdicts: what was said of earlier answers: the rest is ranked by the query made better by them, what
                shows the same person comes first, what shows another last.
            hide_judged: leave out what there is a verdict on.

        Raises:
            ReidDeskError: the site has no model or no embedded crops yet, has no such crop or camera, or the
                image cannot be read or is too small.
        """
        with self._lock:
            gallery = self._refreshed()
            vector = self._query_vector(query, gallery.model)
            vector = self._refined(vector, verdicts, gallery.model)
            judged = {verdict.track_id: verdict.same for verdict in verdicts}
            left_out = set(judged) if hide_judged else set()
            if exclude_track is not None:
                left_out.add(exclude_track)
            allowed = self._allowed(gallery.table, cameras, exclude_cameras, since, until, left_out)
            ranked = rank_tracks(
                gallery.index, vector, gallery.table.track_id, top=top + len(judged), allowed=allowed
            )
        good = [
            track
            for track in ranked
            if minimum_score is None or track.score >= minimum_score or judged.get(track.track_id)
        ]
        good.sort(key=lambda track: {True: 0, None: 1, False: 2}[judged.get(track.track_id)])
        return self._matches(gallery.table, good[:top])

    def refresh(self) -> None:
        """Read what searches need now, so that the next one answers at once.

        Raises:
            ReidDeskError: the site has no model or no embedded crops yet.
        """
        with self._lock:
            self._refreshed()

    def _refreshed(self) -> _Gallery:
        revision = self._site.revision()
        # More crops make no difference before they have vectors.
        if self._gallery is None or replace(self._gallery.revision, crops=revision.crops) != revision:
            # Its index is about to grow: should that fail, it no longer fits its table.
            held, self._gallery = self._gallery, None
            with self._site.snapshot():
                self._gallery = self._read_gallery(held)
        return self._gallery

    def _read_gallery(self, held: _Gallery | None) -> _Gallery:
        revision, model = self._site.revision(), self._site.current_model()
        if model is None:
            raise ReidDeskError(
                "The site has no model yet, so nothing can be searched; adapt it to the site first."
            )
        index = self._still_valid(held, revision, model) or self._cached(revision, model)
        known = 0 if index is None else len(index)
        index = self._completed(index, model)
        self._cache(index, known, revision, model)
        return _Gallery(revision, model, index, self._site.crop_metadata(index.ids))

    def _completed(self, index: FaissIndex | None, model: Model) -> FaissIndex:
        """Return the index with the vectors of later crops added, or a whole new one."""
        while True:
            last = 0 if index is None else int(index.ids[-1])
            ids, vectors = self._site.vectors(model.id, after=last, limit=READ_AT_ONCE)
            if index is None and not len(ids):
                raise ReidDeskError(
                    f"No crop has been embedded with the model {model.name!r} yet; import footage, or wait."
                )
            if index is None:
                index = FaissIndex(vectors.shape[1])
            if len(ids):
                index.add(ids, vectors)
            if len(ids) < READ_AT_ONCE:
                return index

    def _still_valid(self, held: _Gallery | None, revision: Revision, model: Model) -> FaissIndex | None:
        """Return the index in memory if it only lacks crops that came later."""
        if held is None or held.model.id != model.id or held.revision.rewritten != revision.rewritten:
            return None
        return held.index if self._is_head(held.index, model) else None

    def _cached(self, revision: Revision, model: Model) -> FaissIndex | None:
        """Return the index on disk if it only lacks crops that came later."""
        loaded = FaissIndex.load(self._site.index_path(model.id))
        if loaded is None or loaded[1] != _stamp(revision, model):
            return None
        return loaded[0] if self._is_head(loaded[0], model) else None

    def _is_head(self, index: FaissIndex, model: Model) -> bool:
        return len(index) > 0 and self._site.count_vectors(model.id, up_to=int(index.ids[-1])) == len(index)

    def _cache(self, index: FaissIndex, known: int, revision: Revision, model: Model) -> None:
        if len(index) < self._cache_from or len(index) - known < 0.1 * len(index):
            return
        path = self._site.index_path(model.id)
        try:
            index.save(path, _stamp(revision, model))
        except OSError as error:  # searching goes on without a cache
            _log.warning("Cannot keep the search index in %s: %s", path, error)

    def _query_vector(
        self, query: int | bytes | npt.NDArray[np.uint8], model: Model
    ) -> npt.NDArray[np.floating]:
        if isinstance(query, int | np.integer):
            stored = self._site.vector(model.id, int(query))
            if stored is not None:
                return stored.astype(np.float32)
            image = decode_image(self._site.crop_image(int(query)))
        else:
            image = _large_enough(decode_image(query) if isinstance(query, bytes) else query)
        if self._embedder is None or self._embedder[0] != model.id:
            self._embedder = model.id, Embedder(model.path, self._device)
        vector: npt.NDArray[np.float32] = self._embedder[1].embed([image])[0]
        return vector

    def _refined(
        self, vector: npt.NDArray[np.floating], verdicts: Sequence[Verdict], model: Model
    ) -> npt.NDArray[np.floating]:
        if not verdicts:
            return vector
        size = len(vector)
        of_same, of_others = (
            np.array(
                [
                    stored / np.linalg.norm(stored)
                    for verdict in verdicts
                    if verdict.same == same
                    and (stored := self._site.vector(model.id, verdict.crop_id)) is not None
                ],
                np.float32,
            ).reshape(-1, size)
            for same in (True, False)
        )
        return refined_query(vector, of_same, of_others)

    def _allowed(  # noqa: PLR0917
        self,
        table: CropTable,
        cameras: Sequence[int | str] | None,
        exclude_cameras: Sequence[int | str] | None,
        since: float | None,
        until: float | None,
        left_out: Set[int],
    ) -> npt.NDArray[np.bool_] | None:
        conditions: list[npt.NDArray[np.bool_]] = []
        if cameras is not None:
            conditions.append(np.isin(table.camera_id, self._site.camera_ids(cameras)))
        if exclude_cameras:
            conditions.append(~np.isin(table.camera_id, self._site.camera_ids(exclude_cameras)))
        if since is not None:
            conditions.append(table.time >= since)
        if until is not None:
            conditions.append(table.time < until)
        if left_out:
            conditions.append(~np.isin(table.track_id, list(left_out)))
        return np.logical_and.reduce(conditions) if conditions else None

    def _matches(self, table: CropTable, ranked: Sequence[RankedTrack]) -> list[PossibleMatch]:
        best = {track.track_id: [int(i) for i in table.crop_id[track.rows]] for track in ranked}
        crops = self._site.crops_by_id([ids[0] for ids in best.values()])
        names = {camera.id: camera.name for camera in self._site.cameras()}
        # A clip may have been removed since the crops were ranked.
        still_there = [track for track in ranked if best[track.track_id][0] in crops]
        matches = []
        for rank, track in enumerate(still_there, start=1):
            first, *others = best[track.track_id]
            crop = crops[first]
            camera = names[crop.camera_id]
            matches.append(
                PossibleMatch(rank, track.score, crop, track.track_id, camera, crop.time, tuple(others))
            )
        return matches


def _large_enough(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    height, width = image.shape[:2]
    if width < SMALLEST_WIDTH or height < SMALLEST_HEIGHT:
        raise ReidDeskError(
            f"The image is too small to show a person ({width} x {height} pixels). Give one of at least "
            f"{SMALLEST_WIDTH} x {SMALLEST_HEIGHT}."
        )
    return image


def _stamp(revision: Revision, model: Model) -> dict[str, str | int]:
    return {"model": model.id, "sha256": str(model.card["sha256"]), "rewritten": revision.rewritten}
