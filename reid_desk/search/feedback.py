"""A query made better by what was said of its possible matches."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.floating]

SAME_WEIGHT = 1.0
DIFFERENT_WEIGHT = 0.25


def refined_query(query: Vectors, same: Vectors, different: Vectors) -> npt.NDArray[np.float32]:
    """Move a query towards what shows the same person, and a little away from what shows others.

    ``q' = q + a mean(same) - b mean(different)``, of length one. Source: Rocchio 1971, "Relevance feedback in
    information retrieval", with vectors of length one.

    Args:
        query: ``[D]`` of length one.
        same: ``[P, D]`` of length one each; may be empty.
        different: ``[M, D]`` likewise.
    """
    refined = np.asarray(query, np.float32).copy()
    if len(same):
        refined += SAME_WEIGHT * same.mean(axis=0, dtype=np.float32)
    if len(different):
        refined -= DIFFERENT_WEIGHT * different.mean(axis=0, dtype=np.float32)
    length = float(np.linalg.norm(refined))
    # What is judged different all around the query leaves nothing to go by: the query stays.
    return refined / length if length > 1e-6 else np.asarray(query, np.float32)
