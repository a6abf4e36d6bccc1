from __future__ import annotations

import numpy as np
import pytest

from reid_desk.search import FaissIndex, rank_tracks


def gallery(count: int, tracks: int, seed: int = 0) -> tuple[FaissIndex, np.ndarray, np.ndarray]:
    chance = np.random.default_rng(seed)
    vectors = chance.standard_normal((count, 16))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)
    index = FaissIndex(16)
    index.add(np.arange(count), vectors)
    stored = vectors.astype(np.float32)
    stored /= np.linalg.norm(stored, axis=1, keepdims=True)
    return index, stored, chance.integers(0, tracks, count) * 7 + 3


def naive(
    vectors: np.ndarray, tracks: np.ndarray, query: np.ndarray, top: int, allowed: np.ndarray
) -> list[tuple[int, list[int]]]:
    scores = vectors @ query
    crops_of: dict[int, list[int]] = {}
    for row in sorted(range(len(vectors)), key=lambda row: (-scores[row], row)):
        if allowed[row]:
            crops_of.setdefault(int(tracks[row]), []).append(row)
    return list(crops_of.items())[:top]


@pytest.mark.parametrize("tracks", [1, 5, 40, 2000])
@pytest.mark.parametrize("top", [1, 10, 50])
@pytest.mark.parametrize("share", [1.0, 0.3])
def test_ranking_agrees_with_a_plain_loop(tracks: int, top: int, share: float) -> None:
    index, vectors, of_row = gallery(1500, tracks)
    allowed = np.random.default_rng(1).random(1500) < share
    query = vectors[7]

    ranked = rank_tracks(index, query, of_row, top=top, allowed=None if share == 1.0 else allowed)

    expected = naive(vectors, of_row, query, top, allowed | (share == 1.0))
    assert [(track.track_id, track.rows.tolist()) for track in ranked] == expected
    np.testing.assert_allclose(
        [t.score for t in ranked], [vectors[rows[0]] @ query for _, rows in expected], atol=1e-6
    )


def test_a_track_with_very_many_good_crops_does_not_push_the_others_out() -> None:
    chance = np.random.default_rng(0)
    vectors = chance.standard_normal((5000, 16)) * 0.3
    vectors[:, 0] += 1
    vectors[:4900] = vectors[0] + 0.01 * vectors[:4900]  # nearly all crops are of one lingering person
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    tracks = np.where(np.arange(5000) < 4900, 1, np.arange(5000))
    index = FaissIndex(16)
    index.add(np.arange(5000), vectors)

    ranked = rank_tracks(index, vectors[0], tracks, top=50)

    assert len(ranked) == 50
    assert (ranked[0].track_id, len(ranked[0].rows)) == (1, 4900)


def test_nothing_allowed_is_nothing_found() -> None:
    index, vectors, tracks = gallery(100, 5)
    assert rank_tracks(index, vectors[0], tracks, top=5, allowed=np.zeros(100, dtype=bool)) == []


def test_scores_never_exceed_one() -> None:
    index, vectors, tracks = gallery(200, 200)
    best = [rank_tracks(index, vector, tracks, top=1)[0].score for vector in vectors]
    assert max(best) <= 1.0
    assert min(best) > 0.99999
