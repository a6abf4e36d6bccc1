"""The whole main job on real footage of one place: three cameras, five people who pass all of them.

The clips are imported as three cameras of a new site. Its tracks get their person from the labelled boxes; then each
crop of each person asks for them among the tracks of the other cameras.

Run with: REID_DESK_CAMPUS_MODELS=before=old.onnx,after=new.onnx \
          python -m pytest tests/benchmarks/test_campus.py -s [--benchmark-json=campus.json]
Each figure is also printed as one line of JSON. Without models only what import finds is measured.
REID_DESK_CAMPUS_DETECTOR (yolox or motion) and REID_DESK_CAMPUS_FPS (frames a second to look at) change the import.
"""

from __future__ import annotations

import csv
import json
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reid_desk.jobs.events import Event
from reid_desk.jobs.import_footage import ImportSettings, import_clips
from reid_desk.jobs.reporters import EventReporter
from reid_desk.search import Embedder, decode_image
from reid_desk.site import Box, Crop, Site
from tests.benchmarks.box_matching import Boxes, matches

SHARED = Path(__file__).parents[2].parent / "shared"
FOLDER = SHARED / "data" / "footage" / "campus"
WEIGHTS = Path(os.environ.get("REID_DESK_YOLOX_WEIGHTS", SHARED / "models" / "yolox_nano.onnx"))
DETECTOR = os.environ.get("REID_DESK_CAMPUS_DETECTOR", "yolox")
FPS = float(os.environ["REID_DESK_CAMPUS_FPS"]) if "REID_DESK_CAMPUS_FPS" in os.environ else None
MODELS = dict(
    pair.split("=", 1) for pair in os.environ.get("REID_DESK_CAMPUS_MODELS", "").split(",") if "=" in pair
)
BEGAN = 1_200_000_000.0  # the three clips are synchronous; their real date is not known

Benchmark = Callable[..., Any]

pytestmark = [
    pytest.mark.skipif(not FOLDER.is_dir(), reason=f"{FOLDER} is not there: real footage for measuring"),
    pytest.mark.timeout(0),  # a benchmark takes as long as it takes
]


class Silent(EventReporter):
    """Nobody watches the import."""

    def deliver(self, event: Event) -> None:
        """Events are not wanted here."""


@dataclass(frozen=True)
class People:
    """Who is on which track, by the labelled boxes.

    ``of_track`` names each labelled track's person (of several the most frequent); ``mixed`` are the tracks that
    wear labels of more than one; ``found`` of ``labelled`` boxes lie on a track.
    """

    of_track: dict[int, int]
    camera_of: dict[int, int]
    mixed: int
    found: int
    labelled: int
    pairs_found: int
    pairs: int
    unlabelled_tracks: int


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    if DETECTOR == "yolox" and not WEIGHTS.is_file():
        pytest.skip(f"{WEIGHTS} is not there: the weights of the detector yolox")
    weights = WEIGHTS if DETECTOR == "yolox" else None
    with Site.create(tmp_path_factory.mktemp("campus") / "site") as made:
        for clip in sorted(FOLDER.glob("*.mp4")):
            settings = ImportSettings(clip.stem, DETECTOR, weights, BEGAN, FPS)
            import_clips(made, [clip], settings, Silent())
        yield made


@pytest.fixture(scope="module")
def people(site: Site) -> People:
    of_track: dict[int, int] = {}
    camera_of: dict[int, int] = {}
    mixed = found = labelled = 0
    pairs: set[tuple[int, int]] = set()
    for camera in site.cameras():
        labels = labels_of(f"{camera.name}.mp4")
        boxes = {track.id: site.track_boxes(track.id) for track in site.tracks(camera=camera.id)}
        worn: dict[int, Counter[int]] = defaultdict(Counter)
        for frame, there in labels.items():
            for number, row in matched(boxes, frame, there):
                worn[number][int(there[row, 4])] += 1
            labelled += len(there)
            pairs |= {(camera.id, int(person)) for person in there[:, 4]}
        found += sum(worn_by.total() for worn_by in worn.values())
        mixed += sum(len(worn_by) > 1 for worn_by in worn.values())
        of_track |= {number: worn_by.most_common(1)[0][0] for number, worn_by in worn.items()}
        camera_of |= dict.fromkeys(worn, camera.id)
    pairs_found = {(camera_of[track], person) for track, person in of_track.items()}
    unlabelled = len(site.tracks()) - len(of_track)
    return People(of_track, camera_of, mixed, found, labelled, len(pairs_found), len(pairs), unlabelled)


def labels_of(clip: str) -> dict[int, Boxes]:
    """Frame from 0 -> (left, top, width, height, identity)."""
    labels: dict[int, list[list[float]]] = defaultdict(list)
    with (FOLDER / "identities.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["video"] == clip:
                values = [float(row[name]) for name in ("left", "top", "width", "height", "identity")]
                labels[int(row["frame"])].append(values)
    return {frame: np.array(rows) for frame, rows in labels.items()}


def matched(boxes: dict[int, list[Box]], frame: int, labels: Boxes) -> list[tuple[int, int]]:
    """(track, row of ``labels``) of the tracks whose box in ``frame`` overlaps a labelled one by a half."""
    there = [(number, row) for number, track in boxes.items() if (row := box_at(track, frame)) is not None]
    rows = np.array([row for _, row in there]).reshape(-1, 4)
    return [(there[ours][0], theirs) for ours, theirs in matches(rows, labels)]


def box_at(boxes: list[Box], frame: int) -> tuple[float, ...] | None:
    """A track's box in a frame, between the frames that were looked at in a straight line."""
    if not boxes[0].frame <= frame <= boxes[-1].frame:
        return None
    seen = [box.frame for box in boxes]
    return tuple(
        float(np.interp(frame, seen, [getattr(box, side) for box in boxes]))
        for side in ("left", "top", "width", "height")
    )


def test_import_finds_the_people(benchmark: Benchmark, site: Site, people: People) -> None:
    benchmark.pedantic(site.count_crops, rounds=1)
    clips = site.clips()
    tell(
        benchmark,
        what="import",
        detector=DETECTOR,
        tracks=sum(clip.tracks for clip in clips),
        crops=sum(clip.crops for clip in clips),
        labelled_boxes=people.labelled,
        found_boxes=people.found,
        recall=people.found / people.labelled,
        person_camera_pairs=people.pairs,
        pairs_found=people.pairs_found,
        labelled_tracks=len(people.of_track),
        mixed_tracks=people.mixed,
        unlabelled_tracks=people.unlabelled_tracks,
    )
    assert people.pairs_found == people.pairs


@pytest.mark.parametrize("label", list(MODELS) or [pytest.param("none", marks=pytest.mark.skip("no models"))])
def test_people_are_found_again_by_the_other_cameras(
    benchmark: Benchmark, site: Site, people: People, label: str
) -> None:
    crops = site.crops()
    images = site.crop_images([crop.id for crop in crops])
    embedder = Embedder(Path(MODELS[label]))
    pictures = [decode_image(images[crop.id]) for crop in crops]
    vectors = benchmark.pedantic(lambda: embedder.embed(pictures), rounds=1)
    strict = ranked(crops, vectors, people, distractors=True)
    known = ranked(crops, vectors, people, distractors=False)
    tell(
        benchmark,
        what="search",
        model=label,
        queries=len(known),
        rank1=float(np.mean([first for first, _ in known])),
        mAP=float(np.mean([precision for _, precision in known])),
        rank1_with_unlabelled_tracks=float(np.mean([first for first, _ in strict])),
        mAP_with_unlabelled_tracks=float(np.mean([precision for _, precision in strict])),
    )
    assert known


def ranked(
    crops: list[Crop], vectors: np.ndarray, people: People, *, distractors: bool
) -> list[tuple[bool, float]]:
    """(the first track is right, average precision) of each crop of a known person.

    ``distractors``: tracks without a label count as wrong ones; some are of the five people all the same.
    """
    tracks = np.array([crop.track_id for crop in crops])
    cameras = np.array([crop.camera_id for crop in crops])
    answers = []
    for row, crop in enumerate(crops):
        person = people.of_track.get(crop.track_id)
        if person is None:
            continue
        scores: dict[int, float] = {}
        for other in np.flatnonzero(cameras != crop.camera_id):
            if distractors or tracks[other] in people.of_track:
                track = int(tracks[other])
                scores[track] = max(scores.get(track, -1.0), float(vectors[other] @ vectors[row]))
        right = [people.of_track.get(track) == person for track in sorted(scores, key=lambda t: -scores[t])]
        if any(right):
            answers.append((right[0], average_precision(right)))
    return answers


def average_precision(right: list[bool]) -> float:
    """Mean, over the right answers of a ranking, of the share of right ones up to each."""
    places = np.flatnonzero(right) + 1
    return float(np.mean(np.arange(1, len(places) + 1) / places))


def tell(benchmark: Any, **figures: Any) -> None:
    rounded = {
        name: round(value, 4) if isinstance(value, float) else value for name, value in figures.items()
    }
    benchmark.extra_info.update(rounded)
    print("\n" + json.dumps(rounded))
