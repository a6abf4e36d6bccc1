"""Retrieval figures as Market-1501 defines them: CMC at rank k and mean average precision (mAP).

No ranking is ever sorted as a whole. For each true match it is enough to know how many gallery images are
nearer to the query, so memory stays at one block of similarities whatever the size of the gallery.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.errors import DatasetError, TrainingError

_BLOCK_BYTES = 32 * 2**20
_UNKNOWN = -1

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class RetrievalMetrics:
    """How well queries find the same person in a gallery; all shares are between 0 and 1.

    Attributes:
        mAP: mean over the queries of the area under the full precision-recall curve.
        cmc: float32 [max_rank]; entry k - 1 is the share of queries with a true match among the first k.
        queries: number of queries that were judged.
        left_out: number of queries without a true match, which are not judged.
        gallery: number of gallery images.
    """

    mAP: float  # noqa: N815 - the field's name
    cmc: Floats
    queries: int
    left_out: int
    gallery: int

    @property
    def rank1(self) -> float:
        """Share of queries whose nearest gallery image is a true match."""
        return self.rank(1)

    @property
    def rank5(self) -> float:
        """Share of queries with a true match among the nearest 5."""
        return self.rank(5)

    @property
    def rank10(self) -> float:
        """Share of queries with a true match among the nearest 10."""
        return self.rank(10)

    def rank(self, k: int) -> float:
        """Share of queries with a true match among the nearest ``k`` (at most ``max_rank``)."""
        return float(self.cmc[min(k, len(self.cmc)) - 1])

    def as_dict(self) -> dict[str, Any]:
        """The figures as plain numbers and lists, ready for JSON."""
        return {
            "mAP": self.mAP,
            "rank1": self.rank1,
            "rank5": self.rank5,
            "rank10": self.rank10,
            "cmc": [round(float(share), 6) for share in self.cmc],
            "queries": self.queries,
            "left_out": self.left_out,
            "gallery": self.gallery,
        }


def cmc_map(  # noqa: PLR0917 - queries and gallery, each as vectors, persons and cameras
    query: Floats,
    gallery: Floats,
    query_ids: Integers,
    gallery_ids: Integers,
    query_cameras: Integers,
    gallery_cameras: Integers,
    *,
    max_rank: int = 50,
) -> RetrievalMetrics:
    """Rank the gallery for each query by inner product and score the rankings by Market-1501's rules.

    Gallery images of the query's own person *and* camera are left out of its ranking; queries without a true
    match are left out and counted. Gallery images of equal similarity rank in the order in which they are
    given.

    Args:
        query: [Q, D], rows of unit length.
        gallery: [G, D], rows of unit length.
        query_ids: [Q] persons; -1 is nobody known and matches nothing.
        gallery_ids: [G] persons; -1 (a distractor) is ranked and matches nothing.
        query_cameras: [Q] cameras; -1 is unknown, and excludes nothing.
        gallery_cameras: [G] cameras.
        max_rank: length of the CMC curve.

    Raises:
        ValueError: the shapes do not fit together.
        TrainingError: an embedding is not finite.
        DatasetError: no query has a true match.

    Source: Zheng et al. 2015, "Scalable Person Re-identification: A Benchmark".
    """
    query, gallery = np.asarray(query, np.float32), np.asarray(gallery, np.float32)
    truth = _Truth(*(np.asarray(part) for part in (query_ids, gallery_ids, query_cameras, gallery_cameras)))
    _check(query, gallery, truth, max_rank)
    precisions: list[float] = []
    first_hits = np.zeros(max_rank, np.int64)
    for index, similarities in _rows(query, gallery):
        matches = truth.matches(index)
        if len(matches) == 0:
            continue
        similarities[truth.ignored(index)] = -np.inf
        ranks = _ranks(similarities, matches)
        precisions.append(float(np.mean(np.arange(1, len(ranks) + 1) / ranks)))
        if ranks[0] <= max_rank:
            first_hits[ranks[0] - 1] += 1
    if not precisions:
        raise DatasetError(
            f"None of the {len(query)} queries has a true match in the gallery of {len(gallery)} images:"
            " each person needs a second image, from another camera where cameras are known."
        )
    cmc = (np.cumsum(first_hits) / len(precisions)).astype(np.float32)
    left_out = len(query) - len(precisions)
    return RetrievalMetrics(float(np.mean(precisions)), cmc, len(precisions), left_out, len(gallery))


class _Truth:
    """Which gallery images are true matches of a query, and which its ranking must ignore."""

    def __init__(
        self, query_ids: Integers, gallery_ids: Integers, query_cameras: Integers, gallery_cameras: Integers
    ) -> None:
        self.query_ids, self.gallery_ids = query_ids, gallery_ids
        self.query_cameras, self.gallery_cameras = query_cameras, gallery_cameras
        self._by_person = np.argsort(gallery_ids, kind="stable")
        ordered = gallery_ids[self._by_person]
        self._first = np.searchsorted(ordered, query_ids, side="left")
        self._last = np.searchsorted(ordered, query_ids, side="right")

    def matches(self, query: int) -> Integers:
        """Gallery positions, ascending, of the query's person seen by other cameras."""
        person, same_camera = self._person(query)
        return person[~same_camera]

    def ignored(self, query: int) -> Integers:
        """Gallery positions of the query's person seen by the query's own camera."""
        person, same_camera = self._person(query)
        return person[same_camera]

    def _person(self, query: int) -> tuple[Integers, NDArray[np.bool_]]:
        if self.query_ids[query] == _UNKNOWN:
            nobody = np.empty(0, np.int64)
            return nobody, nobody.astype(bool)
        person = self._by_person[self._first[query] : self._last[query]]
        camera = self.query_cameras[query]
        return person, (self.gallery_cameras[person] == camera) & (camera != _UNKNOWN)


def _rows(query: Floats, gallery: Floats) -> Iterator[tuple[int, Floats]]:
    """Each query's similarities to the whole gallery, computed block by block."""
    step = max(1, _BLOCK_BYTES // (4 * max(1, len(gallery))))
    for start in range(0, len(query), step):
        block = query[start : start + step] @ gallery.T
        for offset, similarities in enumerate(block):
            yield start + offset, similarities


def _ranks(similarities: Floats, matches: Integers) -> Integers:
    """Ranks from 1, ascending, of the ``matches`` (positions) among all ``similarities``.

    Comparing is so much faster than sorting that some dozens of matches are ranked before one sort is done.
    """
    ranks = [
        1
        + np.count_nonzero(similarities[:match] >= similarities[match])
        + np.count_nonzero(similarities[match + 1 :] > similarities[match])
        for match in matches.tolist()
    ]
    return np.sort(np.array(ranks, np.int64))


def _check(query: Floats, gallery: Floats, truth: _Truth, max_rank: int) -> None:
    fits = (
        query.ndim == gallery.ndim == 2
        and query.shape[1] == gallery.shape[1]
        and truth.query_ids.shape == truth.query_cameras.shape == (len(query),)
        and truth.gallery_ids.shape == truth.gallery_cameras.shape == (len(gallery),)
    )
    if not fits or max_rank < 1:
        raise ValueError(
            f"Query {query.shape} and gallery {gallery.shape} need rows of one length, one person and one"
            f" camera each, and max_rank {max_rank} must be 1 or more."
        )
    # A sum is finite exactly when no row holds a NaN or an infinity (unit rows cannot overflow it).
    if not (np.isfinite(query.sum(dtype=np.float64)) and np.isfinite(gallery.sum(dtype=np.float64))):
        raise TrainingError(
            "The embeddings hold values that are not numbers: the model has diverged; train again with a"
            " smaller learning rate or take an earlier model."
        )
