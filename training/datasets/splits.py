"""Queries and gallery of a data set, its own or made by rule."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from training.datasets.dataset import UNKNOWN, Dataset, Sample
from training.errors import DatasetError

Split = tuple[tuple[Sample, ...], tuple[Sample, ...], str]


def evaluation_split(dataset: Dataset) -> Split:
    """Queries, gallery and a note on how they were chosen.

    A data set's own split is used where there is one. Otherwise the first image by name of each person, in
    the first camera that saw the person, is the query, and the gallery is every image by the other cameras.
    Without cameras, or with one only, the first image is the query and all others are the gallery.

    Raises:
        DatasetError: fewer than two people, or no person has an image left for the gallery.
    """
    if dataset.query and dataset.gallery:
        return dataset.query, dataset.gallery, f"the query and gallery of {dataset.layout}"
    query, gallery = _split(_without_a_single_camera(dataset))
    if len(query) < 2 or not gallery:
        raise DatasetError(
            f"{dataset.root} cannot be evaluated on: it takes two people or more, with a second image each"
            f" (from another camera where cameras are known), and it has {dataset.identities} people,"
            f" {len(dataset.images)} images, {dataset.cameras} cameras."
        )
    return query, gallery, _note(dataset)


def _without_a_single_camera(dataset: Dataset) -> tuple[Sample, ...]:
    """One camera cannot be searched from another: its name would leave every true match out."""
    if dataset.cameras != 1:
        return dataset.images
    return tuple(replace(sample, camera=UNKNOWN) for sample in dataset.images)


def _split(samples: tuple[Sample, ...]) -> tuple[tuple[Sample, ...], tuple[Sample, ...]]:
    people: defaultdict[int, list[Sample]] = defaultdict(list)
    for sample in samples:
        if sample.identity != UNKNOWN:
            people[sample.identity].append(sample)
    query, gallery = [], []
    for _, images in sorted(people.items()):
        ordered = sorted(images, key=_first_known_camera_then_name)
        first = ordered[0]
        query.append(first)
        gallery += [other for other in ordered[1:] if other.camera == UNKNOWN or other.camera != first.camera]
    return tuple(query), tuple(gallery)


def _first_known_camera_then_name(sample: Sample) -> tuple[bool, int, str, str]:
    return sample.camera == UNKNOWN, sample.camera, sample.path.name, str(sample.path)


def _note(dataset: Dataset) -> str:
    if dataset.cameras > 1:
        return (
            "no split of its own: each person's first image in the first camera is the query, images by the"
            " other cameras are the gallery"
        )
    cameras = "one camera only" if dataset.cameras == 1 else "no cameras known"
    return (
        f"no split of its own and {cameras}: each person's first image is the query, all others are the"
        " gallery, so matches by the same camera count"
    )
