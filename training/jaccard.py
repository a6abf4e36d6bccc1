"""k-reciprocal Jaccard distance between all images, as sparse rows; there is never an N x N matrix.

Two images are near if they share their mutual neighbours: each image becomes a sparse vector over its
k-reciprocal neighbours, and the distance is one minus the weighted Jaccard index of two such vectors. Images
that share no neighbour are at distance 1 and are not stored. Source: Zhong et al. 2017, "Re-ranking Person
Re-identification with k-reciprocal Encoding".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]
Check = Callable[[], None]  # raises what ends the work: asked once a block
Sparse = Any  # scipy.sparse.csr_array; scipy comes without types

_BLOCK_BYTES = 64 * 2**20
_TERMS_PER_BLOCK = 500_000
_ROWS_PER_BLOCK = 8192


def _go_on() -> None:
    """Nobody ends the work."""


@dataclass(frozen=True)
class Neighbours:
    """The nearest images of each image by cosine similarity, nearest first; each image is its own first
    neighbour.

    Attributes:
        indices: int64 [N, k]; the lower index comes first where similarities are equal.
        similarities: float32 [N, k].
    """

    indices: Integers
    similarities: Floats


def nearest_neighbours(
    features: Floats, k: int, *, device: str = "cpu", check_cancelled: Check = _go_on
) -> Neighbours:
    """The ``k`` nearest rows of each row (fewer if there are not as many), exactly, block by block.

    Args:
        features: [N, D], rows of unit length.
        k: how many, with the image itself.
        device: where the similarities are computed.
        check_cancelled: called once a block; what it raises passes through.
    """
    found = _search(
        features, features, k, device=device, check_cancelled=check_cancelled, among_themselves=True
    )
    order = np.lexsort((found.indices, -found.similarities))
    similarities = np.take_along_axis(found.similarities, order, 1)
    similarities[:, 0] = 1.0
    return Neighbours(np.take_along_axis(found.indices, order, 1), similarities)


def _search(
    queries: Floats,
    gallery: Floats,
    k: int,
    *,
    device: str,
    check_cancelled: Check,
    among_themselves: bool = False,
) -> Neighbours:
    """The ``k`` rows of ``gallery`` that are nearest to each query, ties to the lower index, in no order.

    ``among_themselves``: queries are the gallery, and each is its own first neighbour with similarity infinity.
    """
    k = min(k, len(gallery))
    whole = torch.from_numpy(np.ascontiguousarray(gallery, np.float32)).to(device)
    step = max(1, _BLOCK_BYTES // (4 * max(1, len(whole))))
    indices, values = [], []
    for start in range(0, len(queries), step):
        check_cancelled()
        block = np.ascontiguousarray(queries[start : start + step], np.float32)
        similarities = torch.from_numpy(block).to(device) @ whole.T
        if among_themselves:  # first, whatever its duplicates and rounding say
            rows = torch.arange(len(block), device=device)
            similarities[rows, rows + start] = torch.inf
        nearest, places = _top(similarities, k)
        indices.append(places.cpu().numpy())
        values.append(nearest.cpu().numpy())
    return Neighbours(np.concatenate(indices), np.concatenate(values))


def _top(similarities: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    values, indices = torch.topk(similarities, min(k + 1, similarities.shape[1]))
    cut_through_a_tie = values[:, k - 1] == values[:, min(k, values.shape[1] - 1)]
    if k < similarities.shape[1] and bool(cut_through_a_tie.any()):
        tied = similarities[cut_through_a_tie].sort(dim=1, descending=True, stable=True)
        indices[cut_through_a_tie, :k] = tied.indices[:, :k]
    return values[:, :k], indices[:, :k]


def neighbours_by_camera(
    features: Floats,
    cameras: Integers,
    own: int,
    others: int,
    *,
    device: str = "cpu",
    check_cancelled: Check = _go_on,
) -> tuple[Neighbours, Neighbours]:
    """The nearest images of each image by its own camera, and by all other cameras.

    Where there are too few the lists end in -1 with similarity 0.

    Args:
        features: [N, D], rows of unit length.
        cameras: [N]; images of unknown camera (-1) are taken as those of one.
        own: how many by the same camera, with the image itself, which is the first.
        others: how many by other cameras, nearest first.
        device: where the similarities are computed.
        check_cancelled: called once a block; what it raises passes through.
    """
    mine, theirs = _nobody(len(features), own), _nobody(len(features), others)
    for camera in np.unique(cameras):
        here, elsewhere = np.flatnonzero(cameras == camera), np.flatnonzero(cameras != camera)
        found = nearest_neighbours(features[here], own, device=device, check_cancelled=check_cancelled)
        mine.indices[here, : found.indices.shape[1]] = here[found.indices]
        mine.similarities[here, : found.indices.shape[1]] = found.similarities
        if not len(elsewhere):
            continue
        found = _search(
            features[here], features[elsewhere], others, device=device, check_cancelled=check_cancelled
        )
        order = np.lexsort((found.indices, -found.similarities))
        columns = slice(0, found.indices.shape[1])
        theirs.indices[here, columns] = elsewhere[np.take_along_axis(found.indices, order, 1)]
        theirs.similarities[here, columns] = np.take_along_axis(found.similarities, order, 1)
    return mine, theirs


def _nobody(count: int, k: int) -> Neighbours:
    return Neighbours(np.full((count, k), -1, np.int64), np.zeros((count, k), np.float32))


@dataclass(frozen=True)
class _Ranking:
    """A list of neighbours of each image, and how far down it each step of the distance looks."""

    neighbours: Neighbours
    mutual: int  # columns that k-reciprocal sets are made of
    half: int  # columns for the sets that expand them
    nearest: int  # columns that query expansion averages over


def jaccard_distance(
    features: Floats,
    k1: int = 30,
    k2: int = 6,
    *,
    max_distance: float = 1.0,
    neighbours: Neighbours | None = None,
    device: str = "cpu",
    check_cancelled: Check = _go_on,
) -> Sparse:
    """The Jaccard distance of all pairs that share a neighbour.

    Args:
        features: [N, D], rows of unit length.
        k1: neighbours that k-reciprocal sets are made of.
        k2: neighbours whose vectors are averaged (local query expansion); 1 leaves them as they are.
        max_distance: pairs farther apart are not stored. All but a few per cent of the pairs that share a
            neighbour at all lie beyond .95.
        neighbours: the ``k1 + 1`` nearest of each image where they are known already.
        device: where neighbours are searched.
        check_cancelled: called once a block; what it raises passes through.

    Returns:
        A symmetric float32 ``scipy.sparse.csr_array`` [N, N] with a stored diagonal of 0. **Pairs that are
        not stored are at distance 1**, and stored zeros are real zeros: duplicates.
    """
    if neighbours is None:
        neighbours = nearest_neighbours(features, k1 + 1, device=device, check_cancelled=check_cancelled)
    rankings = [_Ranking(neighbours, k1 + 1, round(k1 / 2) + 1, k2)]
    return _distance(features, rankings, max_distance, check_cancelled)


def camera_aware_jaccard_distance(
    features: Floats,
    cameras: Integers,
    k1: int = 30,
    k2: int = 6,
    *,
    max_distance: float = 1.0,
    device: str = "cpu",
    check_cancelled: Check = _go_on,
) -> Sparse:
    """The Jaccard distance whose neighbours come from each image's own camera and from the others, apart.

    Among all images the nearest are those of the same camera, so that a person's images by two cameras share few
    neighbours. Here each camera has its part in the ``k1`` and ``k2`` neighbours: with C cameras the own one about
    ``k1 / C``. With a single camera this is :func:`jaccard_distance`. Arguments and result are as there, with
    ``cameras`` [N], unknown ones (-1) taken as one.

    Source: Chen et al. 2024, "CA-Jaccard: Camera-aware Jaccard Distance for Person Re-identification".
    """
    count = len(np.unique(cameras))
    if count < 2:
        return jaccard_distance(
            features, k1, k2, max_distance=max_distance, device=device, check_cancelled=check_cancelled
        )
    own = max(2, round(k1 / count))
    others = max(2, k1 - own)
    own_nearest = max(2, round(k2 / count)) if k2 > 1 else 1
    nearest = max(1, k2 - own_nearest) if k2 > 1 else 0
    mine, theirs = neighbours_by_camera(
        features, cameras, own + 1, others, device=device, check_cancelled=check_cancelled
    )
    rankings = [
        _Ranking(mine, own + 1, round(own / 2) + 1, own_nearest),
        _Ranking(theirs, others, max(1, round(others / 2)), nearest),
    ]
    return _distance(features, rankings, max_distance, check_cancelled)


def _distance(
    features: Floats, rankings: list[_Ranking], max_distance: float, check_cancelled: Check
) -> Sparse:
    vectors = _expand_query(_encode(features, rankings), rankings)
    # Similarities are never 0 where they are stored, so sparse sums cannot lose one.
    blocks = []
    for block in _similar_pairs(vectors, max_distance):
        check_cancelled()
        blocks.append(block)
    upper = sparse.vstack(blocks, format="csr")
    distance = (upper + upper.T + sparse.eye_array(len(features), dtype=np.float32)).tocsr()
    distance.data = np.maximum(1 - distance.data, 0)
    distance.sort_indices()
    return distance


def _encode(features: Floats, rankings: list[_Ranking]) -> Sparse:
    """Each image as a vector over its expanded k-reciprocal neighbours, weights exp(-squared distance), sum
    1."""
    expanded = _expanded_neighbours(rankings)
    known = sum(_graph(each.neighbours.indices, _weight(each.neighbours.similarities)) for each in rankings)
    weights = expanded.multiply(known).tocsr()
    missing = (expanded - expanded.multiply(known > 0)).tocoo()
    missing.eliminate_zeros()
    missing.data = _weight(_similarities(features, missing.row, missing.col))
    weights = (weights + missing).tocsr()
    weights.data /= np.repeat(weights.sum(axis=1), np.diff(weights.indptr))
    return weights


def _weight(similarities: Floats) -> Floats:
    return np.exp(2 * similarities - 2).astype(np.float32)


def _similarities(features: Floats, rows: Integers, columns: Integers) -> Floats:
    step = max(1, _BLOCK_BYTES // (8 * features.shape[1]))
    result = np.empty(len(rows), np.float32)
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        result[part] = np.einsum("pd,pd->p", features[rows[part]], features[columns[part]])
    return result


def _expanded_neighbours(rankings: list[_Ranking]) -> Sparse:
    """[N, N] of ones: mutual neighbours, and those of theirs that two thirds agree with (eq 4 of the
    source)."""
    mutual = _mutual([each.neighbours.indices[:, : each.mutual] for each in rankings])
    half = _mutual([each.neighbours.indices[:, : each.half] for each in rankings])
    sizes = np.diff(half.indptr)
    blocks = []
    for start in range(0, mutual.shape[0], _ROWS_PER_BLOCK):
        own = mutual[start : start + _ROWS_PER_BLOCK]
        agreeing = (own @ half.T).multiply(own).tocsr()
        agreeing.data = (3 * agreeing.data > 2 * sizes[agreeing.indices]).astype(np.float32)
        agreeing.eliminate_zeros()
        blocks.append((own + agreeing @ half).tocsr())
    expanded = sparse.vstack(blocks, format="csr")
    expanded.data[:] = 1
    return expanded


def _mutual(lists: list[Integers]) -> Sparse:
    """[N, N] of ones where two images are among each other's nearest, in any of ``lists``, which share no image."""
    graphs = [_graph(indices, np.ones(indices.shape, np.float32)) for indices in lists]
    return sum(graph.multiply(graph.T.tocsr()) for graph in graphs).tocsr()


def _graph(indices: Integers, weights: Floats) -> Sparse:
    """[N, N] with ``weights`` [N, k] at ``indices`` [N, k]; -1 is no image."""
    count = len(indices)
    there = indices >= 0
    starts = np.concatenate([[0], np.cumsum(there.sum(axis=1))])
    # A selection is a copy: sorting happens in place, and the ranking must keep its order.
    graph = sparse.csr_array((weights[there], indices[there], starts), shape=(count, count))
    graph.sort_indices()
    return graph


def _expand_query(vectors: Sparse, rankings: list[_Ranking]) -> Sparse:
    """The mean of each image's vector and its nearest neighbours' (eq 11 of the source)."""
    nearest = np.concatenate([each.neighbours.indices[:, : each.nearest] for each in rankings], axis=1)
    if nearest.shape[1] == 1:
        return vectors
    share = (1 / (nearest >= 0).sum(axis=1, keepdims=True)).astype(np.float32)
    return (_graph(nearest, np.broadcast_to(share, nearest.shape)) @ vectors).tocsr()


def _similar_pairs(vectors: Sparse, max_distance: float) -> Iterator[Sparse]:
    """Blocks of rows of the strict upper triangle of 1 - distance.

    The sum of minima needs no more than an inverted index: an entry meets the entries of later rows in its
    own column. All those meetings of a block are laid out flat; a product with a matrix of ones adds up
    those of one pair.
    """
    index = _InvertedIndex(vectors)
    for start, stop in index.row_blocks():
        shared = index.shared_weight(start, stop)
        # Vectors sum to 1, so the sum of maxima is 2 less the sum of minima.
        shared.data = shared.data / (2 - shared.data)
        shared.data[1 - shared.data > max_distance] = 0
        shared.eliminate_zeros()
        yield shared


class _InvertedIndex:
    """For each entry of a sparse matrix, where the entries of later rows in the same column lie."""

    def __init__(self, vectors: Sparse) -> None:
        vectors.sort_indices()
        self._vectors = vectors
        numbered = (np.arange(vectors.nnz), vectors.indices, vectors.indptr)
        by_column = sparse.csr_array(numbered, shape=vectors.shape).tocsc()
        self._weights = vectors.data[by_column.data]
        self._rows = by_column.indices
        place = np.empty(vectors.nnz, np.int64)
        place[by_column.data] = np.arange(vectors.nnz)
        self._first = place + 1
        self._count = by_column.indptr[1:].astype(np.int64)[vectors.indices] - self._first
        self._terms = np.concatenate([[0], np.cumsum(self._count)])[vectors.indptr]

    def row_blocks(self) -> Iterator[tuple[int, int]]:
        """Ranges of rows, each with about as many terms to add up."""
        targets = np.arange(0, self._terms[-1] + _TERMS_PER_BLOCK, _TERMS_PER_BLOCK)
        bounds = np.unique(np.append(np.searchsorted(self._terms, targets), 0))
        bounds = np.unique(np.minimum(np.append(bounds, self._vectors.shape[0]), self._vectors.shape[0]))
        return zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)

    def shared_weight(self, start: int, stop: int) -> Sparse:
        """[stop - start, N]: sums of minima of rows ``start`` to ``stop`` with all later rows."""
        part = slice(self._vectors.indptr[start], self._vectors.indptr[stop])
        count = self._count[part]
        total = int(count.sum())
        met = np.repeat(self._first[part] - (np.cumsum(count) - count), count) + np.arange(total)
        minima = np.minimum(np.repeat(self._vectors.data[part], count), self._weights[met])
        terms = np.arange(total + 1, dtype=np.int32)
        of_row = (self._terms[start : stop + 1] - self._terms[start]).astype(np.int32)
        ones = np.ones(total, np.float32)
        adding = sparse.csr_array((ones, terms[:-1], of_row), shape=(stop - start, total))
        return adding @ sparse.csr_array(
            (minima, self._rows[met], terms), shape=(total, self._vectors.shape[1])
        )
