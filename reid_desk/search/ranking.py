"""From ranked crops to ranked tracks: a person seen in many crops of one track is one possible match."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reid_desk.search.index import VectorIndex

_CROPS_PER_TRACK = 8  # a first guess at how many crops of a good track rank high
_GROWTH = 4


@dataclass(frozen=True, slots=True, eq=False)
class RankedTrack:
    """A track, as good as its best crop.

    Attributes:
        score: cosine of its best crop, -1..1.
        rows: rows of its allowed crops in the index, best first.
    """

    track_id: int
    score: float
    rows: npt.NDArray[np.int64]


def rank_tracks(
    index: VectorIndex,
    query: npt.NDArray[np.floating],
    tracks: npt.NDArray[np.int64],
    *,
    top: int,
    allowed: npt.NDArray[np.bool_] | None = None,
) -> list[RankedTrack]:
    """Return the tracks whose best crops are nearest to a query, best first.

    Args:
        index: the gallery's vectors.
        query: vector ``[D]`` of length one.
        tracks: the track of each row of the index, ``[N]``.
        top: how many tracks to return; fewer come only if there are no more.
        allowed: which rows count, ``[N]``; all by default.
    """
    wanted = _nearest_tracks(index, query, tracks, top, allowed)
    of_wanted = np.isin(tracks, wanted)
    rows = np.flatnonzero(of_wanted if allowed is None else of_wanted & allowed)
    vectors = index.vectors(rows)
    # Rounded to float16, a vector is not quite of length one, and a query might not find itself first.
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    scores = np.minimum(vectors @ (np.asarray(query, dtype=np.float32) / np.linalg.norm(query)), 1.0)
    order = np.lexsort((rows, -scores))
    rows, scores = rows[order], scores[order]
    _, first = np.unique(tracks[rows], return_index=True)
    return [
        RankedTrack(int(tracks[rows[best]]), float(scores[best]), rows[tracks[rows] == tracks[rows[best]]])
        for best in np.sort(first)
    ]


def _nearest_tracks(
    index: VectorIndex,
    query: npt.NDArray[np.floating],
    tracks: npt.NDArray[np.int64],
    top: int,
    allowed: npt.NDArray[np.bool_] | None,
) -> npt.NDArray[np.int64]:
    """Return ``top`` track ids; ask for more crops until they belong to that many tracks."""
    count = top * _CROPS_PER_TRACK
    while True:
        _, rows = index.search(query, count, allowed=allowed)
        found, first = np.unique(tracks[rows], return_index=True)
        if len(found) >= top or len(rows) < count:
            return found[np.argsort(first)[:top]]
        count *= _GROWTH
