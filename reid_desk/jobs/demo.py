"""Demo: a generated site, and the whole main job on it.

Every step is the one that real footage takes. Only the labels come from elsewhere: the renderer knows who
walks where, so that the gain of adaptation can be measured.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from reid_desk.demo import DemoFootage, generate
from reid_desk.demo.truth import ClipTruth, match_boxes, match_tracks, read_truth
from reid_desk.errors import SiteError
from reid_desk.jobs.adapt import adapt_site
from reid_desk.jobs.evaluate import evaluate
from reid_desk.jobs.import_footage import ImportSettings, import_clips
from reid_desk.jobs.reporters import EventReporter
from reid_desk.jobs.sources import add_source
from reid_desk.jobs.spec import seed_of
from reid_desk.jobs.target import folder_name
from reid_desk.search import FaissIndex, rank_tracks
from reid_desk.site import Crop, Model, Run, Site, Source
from training.datasets import open_dataset

SOURCE = "demo-source"
EVALUATION = "demo-people"
_MADE = "footage.json"
_TOP = 10


def run(site: Site, run: Run, arguments: Mapping[str, Any], reporter: EventReporter) -> dict[str, Any]:
    """Do the job; see :class:`reid_desk.jobs.spec.JobSpec` for its arguments.

    Returns ``{"before": {"mAP", "rank1"}, "after": {"mAP", "rank1"}, "seconds", "site", ...}``: the model
    that saw only the source, against the one adapted to the site's own crops.
    """
    began = time.monotonic()
    seed = seed_of(arguments)
    footage = _footage(site.path / "demo", seed, reporter)
    _import(site, footage, reporter)
    source = _add(site, footage.source, SOURCE, "source")
    people = site.path / "demo" / "people"
    _write_people(site, footage, people, reporter)
    _add(site, people, EVALUATION, "evaluation")
    settings = {"preset": "smoke", **{k: v for k, v in arguments.items() if v is not None}, "seed": seed}
    adapted = adapt_site(site, run, source, settings, reporter)
    model = site.model(adapted["model"])
    report = adapted["report"]
    return {
        "before": _short(report["source_only"]),
        "after": _short(report["adapted"]),
        "measured": _short(evaluate(site, model, EVALUATION, people, reporter)),
        "seconds": round(time.monotonic() - began, 1),
        "site": str(site.path),
        "model": model.id,
        "crops": site.count_crops(),
        "search": _search(site, model, people),
    }


def _footage(folder: Path, seed: int, reporter: EventReporter) -> DemoFootage:
    """Generate the footage, unless it is there from a run that was cut off later.

    Raises:
        SiteError: the site shows the demo of another seed, whose clips and people must not be mixed with these.
    """
    made = folder / _MADE
    if made.is_file():
        there = json.loads(made.read_text(encoding="utf-8"))
        if there["seed"] != seed:
            raise SiteError(
                f"The site {folder.parent} shows the demo of seed {there['seed']}. Make that of seed {seed} in "
                "another folder (--site DIR)."
            )
        if "clips" in there:
            return _footage_from(there)
    folder.mkdir(exist_ok=True)
    # The seed is noted first: a site that was cut off here holds some of its clips already.
    made.write_text(json.dumps({"seed": seed}), encoding="utf-8")
    footage = generate(folder, seed=seed, reporter=reporter)
    made.write_text(json.dumps({"seed": seed, **asdict(footage)}, default=str), encoding="utf-8")
    return footage


def _footage_from(there: Mapping[str, Any]) -> DemoFootage:
    clips = {camera: Path(path) for camera, path in there["clips"].items()}
    return DemoFootage(clips, there["started_at"], Path(there["source"]), Path(there["truth"]))


def _import(site: Site, footage: DemoFootage, reporter: EventReporter) -> None:
    for camera, clip in footage.clips.items():
        # Its cameras are fixed, so the detector that needs no weights does.
        settings = ImportSettings(camera, detector="motion", started_at=footage.started_at[camera])
        import_clips(site, [clip], settings, reporter)


def _add(site: Site, folder: Path, name: str, role: str) -> Source:
    add_source(site, open_dataset(folder), name=name, role=role, replace=True)
    return site.source(name)


def _write_people(site: Site, footage: DemoFootage, folder: Path, reporter: EventReporter) -> None:
    """The site's own crops of people whom the truth knows, as ``<identity>/<camera>/<crop id>.jpg``."""
    reporter.phase("label", "Labelling the demo's people, to measure on")
    shutil.rmtree(folder, ignore_errors=True)
    truths = read_truth(footage.truth)
    for camera in site.cameras():
        for clip in site.clips(camera.id):
            truth = truths.get(Path(clip.path).name)
            for identity, crop in _known_crops(site, clip.id, truth) if truth else ():
                place = folder / f"{identity:04d}" / folder_name(camera)
                place.mkdir(parents=True, exist_ok=True)
                (place / f"{crop.id:08d}.jpg").write_bytes(site.crop_image(crop.id))


def _known_crops(site: Site, clip_id: int, truth: ClipTruth) -> Iterator[tuple[int, Crop]]:
    tracks = site.tracks(clip_id=clip_id)
    boxes = [
        np.array([(b.frame, b.left, b.top, b.width, b.height) for b in site.track_boxes(track.id)])
        for track in tracks
    ]
    for track, identity in zip(tracks, match_tracks(boxes, truth), strict=True):
        crops = site.crops(track_id=track.id)
        places = np.array([(c.frame, c.left, c.top, c.width, c.height) for c in crops]).reshape(-1, 5)
        for crop, seen in zip(crops, match_boxes(places, truth), strict=True):
            if identity is not None and seen == identity:
                yield identity, crop


def _search(site: Site, model: Model, people: Path) -> dict[str, Any]:
    """Search once, as an operator would: a person seen by one camera, in all the others."""
    query, others = _query(people)
    ids, vectors = site.vectors(model.id)
    index = FaissIndex(vectors.shape[1])
    index.add(ids, vectors)
    gallery = site.crop_metadata(ids)
    asked = site.crop(query)
    vector = vectors[np.flatnonzero(ids == query)[0]].astype(np.float32)
    elsewhere = gallery.camera_id != asked.camera_id
    ranked = rank_tracks(index, vector, gallery.track_id, top=_TOP, allowed=elsewhere)
    best = [int(ids[track.rows[0]]) for track in ranked]
    return {
        "query": query,
        "matches": best,
        "scores": [round(track.score, 4) for track in ranked],
        "first_right": next((rank for rank, crop in enumerate(best, 1) if crop in others), None),
    }


def _query(people: Path) -> tuple[int, set[int]]:
    """The first crop of the first person whom two cameras saw, and that person's crops in the others."""
    for person in sorted(people.iterdir()):
        first, *others = (sorted(camera.iterdir()) for camera in sorted(person.iterdir()))
        if others:
            return int(first[0].stem), {int(crop.stem) for crops in others for crop in crops}
    raise SiteError("No person of the demo was seen by two cameras. Try another seed (--seed).")


def _short(metrics: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(metrics[name]) for name in ("mAP", "rank1")}
