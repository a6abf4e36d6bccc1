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


def dense_neighbours(features):
    """All images ranked for each image: itself first, then by similarity, equal ones by index."""
    similarity = features @ features.T
    np.fill_diagonal(similarity, np.inf)
    return np.argsort(-similarity, axis=1, kind="stable")


def dense_jaccard(features, k1, k2):
    """Zhong et al. 2017 as the field runs it: dense matrices, loops over images, an inverted index."""
    return dense_jaccard_of(features @ features.T, dense_neighbours(features), k1, k2)


def dense_jaccard_of(similarity, ranking, k1, k2):
    """The same, from what a search of neighbours has found."""
    count = len(similarity)
    squared_distance = 2 - 2 * similarity
    np.fill_diagonal(squared_distance, 0)
    half = round(k1 / 2)
    vectors = np.zeros((count, count), np.float32)
    for i in range(count):
        mutual = _mutual_neighbours(ranking, i, k1)
        expanded = mutual
        for candidate in mutual:
            theirs = _mutual_neighbours(ranking, candidate, half)
            if len(np.intersect1d(theirs, mutual)) > 2 / 3 * len(theirs):
                expanded = np.append(expanded, theirs)
        expanded = np.unique(expanded)
        weights = np.exp(-squared_distance[i, expanded])
        vectors[i, expanded] = weights / weights.sum()
    if k2 > 1:
        vectors = np.stack([vectors[ranking[i, :k2]].mean(axis=0) for i in range(count)])
    return np.maximum(1 - _jaccard_index(vectors), 0)  # rounding


def _mutual_neighbours(ranking, i, k):
    forward = ranking[i, : k + 1]
    return forward[(ranking[forward, : k + 1] == i).any(axis=1)]


def _jaccard_index(vectors):
    inverted = [np.flatnonzero(vectors[:, column]) for column in range(len(vectors))]
    index = np.zeros_like(vectors)
    for i in range(len(vectors)):
        minima = np.zeros(len(vectors), np.float32)
        for column in np.flatnonzero(vectors[i]):
            others = inverted[column]
            minima[others] += np.minimum(vectors[i, column], vectors[others, column])
        index[i] = minima / (2 - minima)
    return index


def dense(distance):
    """A sparse distance as a full matrix: what is not stored is 1."""
    full = np.ones(distance.shape, np.float32)
    pairs = distance.tocoo()
    full[pairs.row, pairs.col] = pairs.data
    return full


def dense_camera_aware_jaccard(features, cameras, own, others, own_nearest, nearest):
    """Chen et al. 2024 (CA-Jaccard) by loops: own camera and others have lists of neighbours of their own."""
    similarity = features @ features.T
    ranking = dense_neighbours(features)
    count = len(features)
    lists = [
        (
            [j for j in ranking[i] if cameras[j] == cameras[i]],
            [j for j in ranking[i] if cameras[j] != cameras[i]],
        )
        for i in range(count)
    ]

    def mutual(i, mine, theirs):
        near = [set(lists[j][0][:mine]) | set(lists[j][1][:theirs]) for j in range(count)]
        return [j for j in sorted(near[i]) if i in near[j]]

    vectors = np.zeros((count, count), np.float32)
    first = [mutual(i, own + 1, others) for i in range(count)]
    half = [mutual(i, round(own / 2) + 1, max(1, round(others / 2))) for i in range(count)]
    for i in range(count):
        expanded = set(first[i])
        for candidate in first[i]:
            if len(set(half[candidate]) & set(first[i])) > 2 / 3 * len(half[candidate]):
                expanded |= set(half[candidate])
        members = sorted(expanded)
        squared = 2 - 2 * similarity[i, members]
        weights = np.exp(-np.where(np.array(members) == i, 0, squared))
        vectors[i, members] = weights / weights.sum()
    averaged = [lists[i][0][:own_nearest] + lists[i][1][:nearest] for i in range(count)]
    vectors = np.stack([vectors[rows].mean(axis=0) for rows in averaged])
    return np.maximum(1 - _jaccard_index(vectors), 0)
