"""``tracks.csv``: what footage tells of a target."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.training.small import write_crops
from training.clustering import dbscan
from training.datasets import open_target
from training.errors import DatasetError
from training.jaccard import jaccard_distance
from training.pseudo_labels import linked_by_tracks
from training.target import Circumstances

HEADER = "image,track,clip,first,last\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_crops(tmp_path / "target", range(3), cameras=1, views=3)


def test_images_get_their_tracks_and_tracks_that_share_a_frame_are_two_people(folder: Path) -> None:
    rows = [(f"camera0/0_{view}.jpg", 7, 1, 10, 20) for view in range(3)]
    rows += [
        ("camera0/1_0.jpg", 9, 1, 20, 30),
        ("camera0/1_1.jpg", 11, 1, 21, 40),
        ("camera0/2_0.jpg", 4, 2, 0, 99),
    ]
    (folder / "tracks.csv").write_text(HEADER + "".join(f"{','.join(map(str, row))}\n" for row in rows))
    target = open_target(folder)
    assert {sample.path.name: sample.track for sample in target.images} == {
        "0_0.jpg": 7, "0_1.jpg": 7, "0_2.jpg": 7, "1_0.jpg": 9, "1_1.jpg": 11, "1_2.jpg": -1, "2_0.jpg": 4,
        "2_1.jpg": -1, "2_2.jpg": -1,
    }  # fmt: skip
    assert set(target.co_seen) == {(7, 9), (9, 11)}


def test_without_the_file_nothing_is_known(folder: Path) -> None:
    target = open_target(folder)
    assert {sample.track for sample in target.images} == {-1}
    assert target.co_seen == ()


@pytest.mark.parametrize("text", ["image,track\na.jpg,1\n", HEADER + "a.jpg,x,1,2,3\n", HEADER + "a.jpg,1\n"])
def test_a_file_that_is_none_is_refused_in_one_line(folder: Path, text: str) -> None:
    (folder / "tracks.csv").write_text(text)
    with pytest.raises(DatasetError, match=r"tracks\.csv cannot be understood"):
        open_target(folder)


def test_links_join_a_track_and_keep_apart_what_was_seen_together() -> None:
    rng = np.random.default_rng(0)
    near = rng.normal(size=16) + 0.05 * rng.normal(size=(6, 16))  # alike, and in truth two people
    far = rng.normal(size=(2, 16))  # unlike, and in truth one person
    features = np.concatenate([near, far]).astype(np.float32)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    tracks = np.array([0, 0, 0, 1, 1, -1, 2, 2])
    known = Circumstances(np.full(8, -1), tracks, np.array([[0, 1]]))
    linked = linked_by_tracks(jaccard_distance(features, 4, 1), known)
    stored = linked.tocoo()
    pairs = dict(zip(zip(stored.row.tolist(), stored.col.tolist(), strict=True), stored.data, strict=True))
    assert not any((i, j) in pairs for i in range(3) for j in (3, 4))
    assert pairs[0, 2] == pairs[6, 7] == pairs[5, 5] == 0
    assert all(pairs[j, i] == distance for (i, j), distance in pairs.items())
    labels = dbscan(linked, 0.5, 2)
    assert labels[6] == labels[7] != -1
    assert len(set(labels[:3].tolist())) == 1
