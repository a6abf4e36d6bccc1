from __future__ import annotations

import numpy as np
import pytest

from reid_desk.search import refined_query

X, Y, Z = np.eye(3, dtype=np.float32)
NONE = np.empty((0, 3), np.float32)


def test_without_verdicts_the_query_stays() -> None:
    np.testing.assert_array_equal(refined_query(X, NONE, NONE), X)


def test_what_is_the_same_draws_and_what_is_different_pushes() -> None:
    refined = refined_query(X, Y[None], Z[None])
    assert np.linalg.norm(refined) == pytest.approx(1)
    assert refined @ Y == pytest.approx(refined @ X)
    assert refined @ Z < 0
    assert abs(refined @ Z) < refined @ Y  # others say less than the person


def test_many_of_one_kind_weigh_as_much_as_one() -> None:
    once = refined_query(X, Y[None], NONE)
    np.testing.assert_allclose(refined_query(X, np.stack([Y] * 9), NONE), once, atol=1e-6)


def test_a_query_that_nothing_is_left_of_stays() -> None:
    np.testing.assert_array_equal(refined_query(X, -X[None], NONE), X)
