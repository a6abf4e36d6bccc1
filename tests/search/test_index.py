from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reid_desk.search import FaissIndex, index


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "BLOCK_VECTORS", 64)


def unit_vectors(count: int, size: int = 24, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((count, size))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)


def filled(count: int) -> tuple[FaissIndex, np.ndarray]:
    vectors = unit_vectors(count)
    made = FaissIndex(24)
    made.add(np.arange(count) * 3 + 1, vectors)
    return made, vectors


def naive(vectors: np.ndarray, query: np.ndarray, allowed: np.ndarray, count: int) -> np.ndarray:
    scores = vectors.astype(np.float64) @ query.astype(np.float64)
    rows = np.flatnonzero(allowed)
    return rows[np.argsort(-scores[rows], kind="stable")][:count]


@pytest.mark.parametrize("count", [1, 63, 64, 65, 500])
def test_the_nearest_are_found_whatever_the_number_of_blocks(count: int) -> None:
    made, vectors = filled(count)
    query = unit_vectors(1, seed=9)[0]

    scores, rows = made.search(query, 10)

    expected = naive(vectors, query, np.ones(count, dtype=bool), 10)
    assert rows.tolist() == expected.tolist()
    np.testing.assert_allclose(
        scores, vectors[expected].astype(np.float32) @ query.astype(np.float32), atol=1e-6
    )
    assert made.ids[rows].tolist() == (expected * 3 + 1).tolist()


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99, 1.0])
def test_only_allowed_rows_are_found(share: float) -> None:
    made, vectors = filled(300)
    allowed = np.random.default_rng(4).random(300) < share
    query = unit_vectors(1, seed=9)[0]

    _, rows = made.search(query, 20, allowed=allowed)

    assert rows.tolist() == naive(vectors, query, allowed, 20).tolist()


def test_asking_for_more_than_there_are_returns_all(small_blocks: None) -> None:
    made, _ = filled(100)
    scores, rows = made.search(unit_vectors(1)[0], 1000)
    assert sorted(rows.tolist()) == list(range(100))
    assert (np.diff(scores) <= 0).all()


def test_an_empty_index_finds_nothing() -> None:
    scores, rows = FaissIndex(24).search(unit_vectors(1)[0], 5)
    assert (len(scores), len(rows)) == (0, 0)


def test_adding_bit_by_bit_is_the_same_as_at_once() -> None:
    whole, vectors = filled(333)
    parts = FaissIndex(24)
    for start, stop in ((0, 1), (1, 64), (64, 70), (70, 333)):
        parts.add(whole.ids[start:stop], vectors[start:stop])
    query = unit_vectors(1, seed=5)[0]

    assert len(parts) == 333
    assert parts.search(query, 50)[1].tolist() == whole.search(query, 50)[1].tolist()
    np.testing.assert_array_equal(
        parts.vectors(np.array([300, 2, 64])), vectors[[300, 2, 64]].astype(np.float32)
    )


def test_vectors_of_another_size_are_refused() -> None:
    made, _ = filled(3)
    with pytest.raises(ValueError, match="24 dimensions"):
        made.add(np.arange(2), unit_vectors(2, size=8))
    with pytest.raises(ValueError, match="3 ids"):
        made.add(np.arange(3), unit_vectors(2))


def test_a_saved_index_finds_the_same(tmp_path: Path) -> None:
    made, _ = filled(200)
    path = tmp_path / "index" / "m1.faiss"
    made.save(path, {"model": "m1"})

    loaded = FaissIndex.load(path)

    assert loaded is not None
    again, stamp = loaded
    assert stamp == {"model": "m1"}
    assert again.ids.tolist() == made.ids.tolist()
    query = unit_vectors(1, seed=5)[0]
    assert again.search(query, 20)[1].tolist() == made.search(query, 20)[1].tolist()
    assert [entry.name for entry in path.parent.iterdir()] == ["m1.faiss"]


def test_a_missing_or_damaged_file_is_no_index(tmp_path: Path) -> None:
    made, _ = filled(100)
    path = tmp_path / "m1.faiss"
    assert FaissIndex.load(path) is None
    made.save(path, {})
    whole = path.read_bytes()
    for damaged in (
        b"",
        b"rubbish",
        whole[:10],
        whole[:40],
        whole[:-1],
        whole + b"\0",
        whole.replace(b'"count"', b"?"),
    ):
        path.write_bytes(damaged)
        assert FaissIndex.load(path) is None


def test_an_index_that_cannot_be_saved_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, vectors = filled(100)
    path = tmp_path / "m1.faiss"
    made.save(path, {"model": "m1"})
    before = path.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", full)
    made.add(np.array([999]), vectors[:1])
    with pytest.raises(OSError, match="disk full"):
        made.save(path, {"model": "m1"})

    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
