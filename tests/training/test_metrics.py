from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.oracles import naive_cmc_map
from training import metrics
from training.errors import DatasetError, TrainingError
from training.metrics import cmc_map


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def assert_as_naive(query, gallery, *truth, max_rank=50):
    expected = naive_cmc_map(query @ gallery.T, *truth, max_rank=max_rank)
    if expected[0] is None:
        with pytest.raises(DatasetError, match="true match"):
            cmc_map(query, gallery, *truth, max_rank=max_rank)
        return
    result = cmc_map(query, gallery, *truth, max_rank=max_rank)
    assert result.mAP == pytest.approx(expected[0], abs=1e-9)
    np.testing.assert_allclose(result.cmc, expected[1], atol=1e-6)
    assert (result.queries, result.left_out) == expected[2:]
    assert result.gallery == len(gallery)


@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_the_naive_loop_on_random_people(seed):
    rng = np.random.default_rng(seed)
    people = rng.normal(size=(12, 16))
    query_ids, gallery_ids = rng.integers(-1, 12, 40), rng.integers(-1, 12, 300)
    assert_as_naive(
        unit(people[query_ids] + rng.normal(size=(40, 16))),
        unit(people[gallery_ids] + rng.normal(size=(300, 16))),
        query_ids,
        gallery_ids,
        rng.integers(-1, 4, 40),
        rng.integers(-1, 4, 300),
    )


@st.composite
def small_cases(draw):
    """Few people, few cameras and few different vectors: ties and empty rankings come up all the time."""
    queries, gallery = draw(st.integers(1, 6)), draw(st.integers(1, 14))

    def numbers(count, low, high):
        return np.array(draw(st.lists(st.integers(low, high), min_size=count, max_size=count)))

    # Vectors of small whole numbers have exact inner products, so ties are ties for both sides.
    vectors = [numbers(3 * count, -1, 1).reshape(count, 3).astype(np.float32) for count in (queries, gallery)]
    labels = [numbers(count, -1, 3) for count in (queries, gallery)]
    cameras = [numbers(count, -1, 2) for count in (queries, gallery)]
    return (*vectors, *labels, *cameras, draw(st.integers(1, 20)))


@settings(max_examples=300, deadline=None)
@given(small_cases())
def test_agrees_with_the_naive_loop_on_ties_and_odd_cases(case):
    *case, max_rank = case
    assert_as_naive(*case, max_rank=max_rank)


def test_blocks_do_not_change_the_figures(monkeypatch):
    rng = np.random.default_rng(5)
    case = (unit(rng.normal(size=(30, 8))), unit(rng.normal(size=(90, 8))))
    truth = (rng.integers(0, 5, 30), rng.integers(0, 5, 90), rng.integers(0, 3, 30), rng.integers(0, 3, 90))
    whole = cmc_map(*case, *truth)
    monkeypatch.setattr(metrics, "_BLOCK_BYTES", 1)
    by_single_queries = cmc_map(*case, *truth)
    assert by_single_queries.mAP == pytest.approx(whole.mAP, abs=1e-9)
    np.testing.assert_array_equal(by_single_queries.cmc, whole.cmc)


def test_a_perfect_ranking_scores_one():
    vectors = np.eye(4, dtype=np.float32)
    people, zeros, ones = np.arange(4), np.zeros(4, int), np.ones(4, int)
    result = cmc_map(vectors, vectors, people, people, zeros, ones)
    assert (result.mAP, result.rank1, result.rank5, result.rank10) == (1.0, 1.0, 1.0, 1.0)


def test_own_camera_is_left_out_and_an_unknown_camera_is_not():
    vector = np.array([[1.0, 0.0]], np.float32)
    gallery = np.array([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]], np.float32)
    people, gallery_people = np.array([7]), np.array([7, 8, 7])
    same_camera_first = cmc_map(vector, gallery, people, gallery_people, np.array([1]), np.array([1, 2, 2]))
    assert same_camera_first.mAP == pytest.approx(1 / 2)
    unknown = cmc_map(vector, gallery, people, gallery_people, np.array([-1]), np.array([-1, -1, -1]))
    assert unknown.mAP == pytest.approx((1 + 2 / 3) / 2)


def test_queries_without_a_true_match_are_counted():
    vectors = np.eye(3, dtype=np.float32)
    result = cmc_map(vectors, vectors, np.array([0, 1, 5]), np.arange(3), np.zeros(3, int), np.ones(3, int))
    assert (result.queries, result.left_out) == (2, 1)


def test_a_curve_longer_than_the_gallery_stays_at_its_last_value():
    vectors = np.eye(2, dtype=np.float32)
    result = cmc_map(vectors, vectors[::-1], np.arange(2), np.arange(2), np.zeros(2, int), np.ones(2, int))
    assert result.cmc.shape == (50,)
    assert result.cmc.tolist() == [0.0] + [1.0] * 49


def test_diverged_embeddings_are_refused_in_one_line():
    vectors = np.eye(2, dtype=np.float32)
    broken = vectors.copy()
    broken[1, 1] = np.nan
    with pytest.raises(TrainingError, match="diverged"):
        cmc_map(broken, vectors, np.arange(2), np.arange(2), np.zeros(2, int), np.ones(2, int))


def test_shapes_that_do_not_fit_are_refused():
    vectors = np.eye(2, dtype=np.float32)
    with pytest.raises(ValueError, match="one person and one camera"):
        cmc_map(vectors, vectors, np.arange(3), np.arange(2), np.zeros(2, int), np.ones(2, int))


def test_figures_go_into_json():
    vectors = np.eye(2, dtype=np.float32)
    result = cmc_map(vectors, vectors, np.arange(2), np.arange(2), np.zeros(2, int), np.ones(2, int))
    document = json.loads(json.dumps(result.as_dict()))
    assert document["mAP"] == document["rank1"] == 1.0
    assert len(document["cmc"]) == 50


def test_memory_stays_at_one_block(monkeypatch):
    monkeypatch.setattr(metrics, "_BLOCK_BYTES", 2**20)
    rng = np.random.default_rng(0)
    query, gallery = unit(rng.normal(size=(2000, 8))), unit(rng.normal(size=(8000, 8)))
    truth = (rng.integers(0, 99, 2000), rng.integers(0, 99, 8000), np.zeros(2000, int), np.ones(8000, int))
    tracemalloc.start()
    cmc_map(query, gallery, *truth)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * 2**20  # all similarities would be 64 MB


def test_metrics_and_datasets_need_no_torch():
    code = (
        "import sys, training.metrics, training.datasets, training.images; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
