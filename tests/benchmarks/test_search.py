"""Searching 200,000 crops of 512 dimensions, and embedding.

Run with: python -m pytest tests/benchmarks/test_search.py --benchmark-json=search.json
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest

from reid_desk.investigation import PersonSearch
from reid_desk.search import Embedder, FaissIndex, rank_tracks
from reid_desk.site import Site
from tests.fixtures_model import write_embedder
from tests.site.made_up import START, add_clip, track

CROPS = 200_000
SIZE = 512
CROPS_PER_TRACK = 5
CAMERAS = 10
TOP = 50

Benchmark = Callable[..., Any]


def unit_vectors(count: int, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((count, SIZE), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    return unit_vectors(CROPS)


@pytest.fixture(scope="module")
def index(vectors: np.ndarray) -> FaissIndex:
    made = FaissIndex(SIZE)
    made.add(np.arange(CROPS), vectors)
    return made


@pytest.fixture(scope="module")
def site(vectors: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder: Path = tmp_path_factory.mktemp("search")
    with Site.create(folder / "site") as made:
        per_clip = CROPS // CAMERAS // CROPS_PER_TRACK
        for number in range(CAMERAS):
            tracks = [track(start=START + walk, crops=CROPS_PER_TRACK) for walk in range(per_clip)]
            add_clip(made, f"camera {number}", tracks, sha256=str(number))
        write_embedder(folder / "made" / "model.onnx", size=SIZE)
        model = made.add_model(folder / "made", name="made")
        ids = np.arange(1, CROPS + 1)
        for start in range(0, CROPS, 20_000):
            made.store_vectors(model.id, ids[start : start + 20_000], vectors[start : start + 20_000])
        made.use_model(model.id)
        yield made


@pytest.mark.parametrize("share", [1.0, 0.5, 0.1])
def test_ranking_tracks(index: FaissIndex, benchmark: Benchmark, share: float) -> None:
    tracks = np.arange(CROPS) // CROPS_PER_TRACK
    allowed = None if share == 1.0 else np.random.default_rng(1).random(CROPS) < share
    query = unit_vectors(1, seed=5)[0]
    assert len(benchmark(rank_tracks, index, query, tracks, top=TOP, allowed=allowed)) == TOP


def test_plain_faiss_float32_for_comparison(vectors: np.ndarray, benchmark: Benchmark) -> None:
    plain = faiss.IndexFlatIP(SIZE)
    plain.add(vectors)
    query = unit_vectors(1, seed=5)
    assert benchmark(plain.search, query, TOP * 8)[1].shape == (1, TOP * 8)


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"cameras": ["camera 1", "camera 4"]},
        {"exclude_cameras": ["camera 0"], "exclude_track": 1},
        {"since": START + 1000, "until": START + 1100},
    ],
    ids=["everything", "two cameras", "other cameras", "a short time"],
)
def test_a_query(site: Site, benchmark: Benchmark, filters: dict[str, Any]) -> None:
    search = PersonSearch(site)
    search.refresh()
    assert len(benchmark(search.search, 77, top=TOP, **filters)) == TOP


def test_the_first_query_of_a_day_from_the_cached_index(site: Site, benchmark: Benchmark) -> None:
    PersonSearch(site).refresh()
    assert site.index_path("m1").exists()
    assert len(benchmark(lambda: PersonSearch(site).search(77, top=TOP))) == TOP


def test_the_first_query_without_a_cached_index(site: Site, benchmark: Benchmark) -> None:
    site.index_path("m1").unlink(missing_ok=True)
    assert len(benchmark(lambda: PersonSearch(site, cache_from=CROPS + 1).search(77, top=TOP))) == TOP


def test_embedding_a_thousand_crops(site: Site, benchmark: Benchmark) -> None:
    """Of a network that costs next to nothing: what is measured is resizing and batching."""
    model = site.current_model()
    assert model is not None
    embedder = Embedder(model.path, "cpu")
    crops = list(np.random.default_rng(0).integers(0, 256, (1000, 160, 70, 3), dtype=np.uint8))
    assert benchmark(embedder.embed, crops).shape == (1000, SIZE)
