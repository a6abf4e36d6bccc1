"""Slow and plain versions of what the package does fast; each follows its definition, loop by loop."""

from __future__ import annotations

import numpy as np


def naive_cmc_map(similarity, *truth, max_rank):
    """Market-1501's rules, one query at a time; returns (mAP, cmc, judged queries, queries left out)."""
    query_ids, gallery_ids, query_cameras, gallery_cameras = truth
    precisions, curves, left_out = [], [], 0
    for q in range(len(query_ids)):
        ranking = sorted(range(len(gallery_ids)), key=lambda g: -similarity[q, g])
        hits = []
        for g in ranking:
            same_person = query_ids[q] == gallery_ids[g] and query_ids[q] != -1
            if same_person and query_cameras[q] == gallery_cameras[g] and query_cameras[q] != -1:
                continue
            hits.append(same_person)
        if not any(hits):
            left_out += 1
            continue
        found, precision = 0, []
        for rank, hit in enumerate(hits, start=1):
            if hit:
                found += 1
                precision.append(found / rank)
        precisions.append(sum(precision) / len(precision))
        first = hits.index(True)
        curves.append([1.0 if k >= first else 0.0 for k in range(max_rank)])
    mean_curve = np.mean(curves, axis=0) if curves else None
    return (float(np.mean(precisions)) if precisions else None), mean_curve, len(precisions), left_out
