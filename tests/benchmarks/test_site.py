"""A big site: how long the window waits for it.

Run with: python -m pytest tests/benchmarks/test_site.py --benchmark-json=site.json
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reid_desk.site import Site
from tests.site.made_up import START, add_clip, track

CAMERAS = 10
CROPS_PER_TRACK = 5
CROPS_PER_CLIP = 20_000
PAGE = 200

Benchmark = Callable[..., Any]


@pytest.fixture(scope="module", params=[100_000, 1_000_000])
def big_site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An hour of ten cameras after another, with pictures of a kilobyte."""
    chance = np.random.default_rng(0)
    path: Path = tmp_path_factory.mktemp("big") / "site"
    with Site.create(path) as site:
        for number in range(request.param // CROPS_PER_CLIP):
            starts = (
                START
                + 3600 * (number // CAMERAS)
                + chance.uniform(0, 3600, CROPS_PER_CLIP // CROPS_PER_TRACK)
            )
            tracks = [
                track(start=start, crops=CROPS_PER_TRACK, picture=b"x" * 1000) for start in starts.tolist()
            ]
            add_clip(site, f"camera {number % CAMERAS}", tracks, sha256=str(number))
        assert site.count_crops() == request.param
        yield site


def test_opening(big_site: Site, benchmark: Benchmark) -> None:
    def open_and_look() -> int:
        with Site.open(big_site.path) as opened:
            return len(opened.clips()) + len(opened.crops(limit=PAGE))

    assert benchmark(open_and_look) > PAGE


@pytest.mark.parametrize(
    "cameras", [None, ["camera 1"], ["camera 1", "camera 2", "camera 4"]], ids=["all", "1", "3"]
)
@pytest.mark.parametrize("where", ["first", "last"])
def test_a_page_of_the_gallery(
    big_site: Site, benchmark: Benchmark, cameras: list[str] | None, where: str
) -> None:
    offset = 0 if where == "first" else big_site.count_crops(cameras=cameras) - PAGE
    page = benchmark(big_site.crops, offset=offset, limit=PAGE, cameras=cameras)
    assert len(page) == PAGE


def test_the_pictures_of_a_page(big_site: Site, benchmark: Benchmark) -> None:
    ids = [crop.id for crop in big_site.crops(offset=50_000, limit=PAGE)]
    assert len(benchmark(big_site.crop_images, ids)) == PAGE


def test_counting(big_site: Site, benchmark: Benchmark) -> None:
    assert benchmark(big_site.count_crops, cameras=["camera 1", "camera 2"]) >= CROPS_PER_CLIP


def test_columns_of_all_crops(big_site: Site, benchmark: Benchmark) -> None:
    assert len(benchmark(big_site.crop_metadata)) == big_site.count_crops()


def test_storing_a_clip(big_site: Site, benchmark: Benchmark) -> None:
    tracks = [track(crops=CROPS_PER_TRACK, picture=b"x" * 1000)] * 1000

    def store(number: list[int] = [0]) -> int:  # noqa: B006 - a counter
        number[0] += 1
        return add_clip(big_site, "another camera", tracks, sha256=f"another {number[0]}")

    last = benchmark.pedantic(store, rounds=3)  # type: ignore[attr-defined]
    assert big_site.clip(last).crops == 1000 * CROPS_PER_TRACK
