"""CMC and mAP against one query at a time in numpy, and against sorting whole rankings.

``REID_DESK_BENCHMARK_EVALUATION=market1501,msmt17`` sets the sizes (``small`` without it).
"""

from __future__ import annotations

import os

import numpy as np
import pytest

from tests.benchmarks.peak_memory import PeakMemory
from training.metrics import cmc_map

SHAPES = {"small": (400, 2000, 100), "market1501": (3368, 15913, 750), "msmt17": (11659, 82161, 3060)}
NAMES = os.environ.get("REID_DESK_BENCHMARK_EVALUATION", "small").split(",")
WIDTH = 2048
CAMERAS = 6


@pytest.fixture(scope="module", params=NAMES)
def task(request):
    """The name, and what :func:`cmc_map` takes."""
    queries, gallery, persons = SHAPES[request.param]
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(persons, WIDTH)).astype(np.float32)
    query_ids, gallery_ids = rng.integers(0, persons, queries), rng.integers(0, persons, gallery)

    def images(ids):
        rows = centres[ids]
        rows += rng.standard_normal(rows.shape, np.float32) * 4
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return rows

    cameras = rng.integers(0, CAMERAS, queries), rng.integers(0, CAMERAS, gallery)
    return request.param, (images(query_ids), images(gallery_ids), query_ids, gallery_ids, *cameras)


def one_query_at_a_time(query, gallery, *truth):
    return _sorted_rankings((gallery @ row for row in query), *truth)


def whole_rankings(query, gallery, *truth):
    return _sorted_rankings(query @ gallery.T, *truth)


def _sorted_rankings(similarities, *truth):
    query_ids, gallery_ids, query_cameras, gallery_cameras = truth
    precisions, first = [], []
    for index, row in enumerate(similarities):
        order = np.argsort(-row)
        same_person = gallery_ids[order] == query_ids[index]
        ignored = same_person & (gallery_cameras[order] == query_cameras[index])
        hits = same_person[~ignored]
        if hits.any():
            ranks = np.flatnonzero(hits) + 1
            precisions.append(np.mean(np.arange(1, len(ranks) + 1) / ranks))
            first.append(ranks[0])
    return float(np.mean(precisions)), float(np.mean(np.array(first) == 1))


@pytest.mark.timeout(0)
def test_counted_ranks(benchmark, task):
    name, arguments = task
    benchmark.group = f"evaluation, {name}"
    with PeakMemory() as memory:
        benchmark.pedantic(cmc_map, args=arguments, rounds=1)
    inputs = sum(part.nbytes for part in arguments) / 2**20
    benchmark.extra_info.update(peak_mib=round(memory.mib), inputs_mib=round(inputs))
    print(f"\ncounted ranks: {memory.mib:.0f} MiB beside {inputs:.0f} MiB of inputs")


@pytest.mark.timeout(0)
@pytest.mark.parametrize("plain", [one_query_at_a_time, whole_rankings])
def test_plain_numpy_and_the_same_figures(benchmark, task, plain):
    name, arguments = task
    benchmark.group = f"evaluation, {name}"
    if plain is whole_rankings and name == "msmt17":
        pytest.skip("all similarities of MSMT17 would take 4 GB")
    with PeakMemory() as memory:
        expected = benchmark.pedantic(plain, args=arguments, rounds=1)
    benchmark.extra_info.update(peak_mib=round(memory.mib))
    print(f"\n{plain.__name__}: {memory.mib:.0f} MiB beside the inputs")
    found = cmc_map(*arguments)
    assert (found.mAP, found.rank1) == pytest.approx(expected, abs=1e-5)
