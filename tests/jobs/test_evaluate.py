from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reid_desk.errors import ModelError, SourceError
from reid_desk.jobs.run import run_job
from reid_desk.jobs.sources import add_source
from reid_desk.search import Embedder, decode_image
from reid_desk.site import Site
from tests.jobs.recording import Recording
from tests.jobs.sites import spec, write_source
from training.datasets import evaluation_split, open_dataset
from training.errors import DatasetError


def test_figures_agree_with_ranking_by_hand(searchable_site: Site, tmp_path: Path):
    folder = write_source(tmp_path / "people", people=6, images=1)
    result = run_job(spec("evaluate", searchable_site, data=str(folder)), Recording())
    query, gallery, _ = evaluation_split(open_dataset(folder))
    embedder = Embedder(searchable_site.current_model().path)
    similarity = (
        embedder.embed([decode_image(s.path) for s in query])
        @ embedder.embed([decode_image(s.path) for s in gallery]).T
    )
    right = np.array([[q.identity == g.identity for g in gallery] for q in query])
    ranks = [1 + int((row > row[hit][0]).sum()) for row, hit in zip(similarity, right, strict=True)]
    assert result["mAP"] == pytest.approx(np.mean([1 / rank for rank in ranks]))
    assert result["rank1"] == pytest.approx(np.mean([rank == 1 for rank in ranks]))
    assert (result["queries"], result["gallery"]) == (6, 6)


def test_figures_are_kept_in_the_site(searchable_site: Site, tmp_path: Path):
    add_source(searchable_site, open_dataset(write_source(tmp_path / "people")), role="evaluation")
    result = run_job(spec("evaluate", searchable_site), Recording())
    (kept,) = searchable_site.evaluations()
    assert (kept.label, kept.dataset, kept.metrics["mAP"]) == ("measured", "people", result["mAP"])


def test_what_is_missing_is_said(full_site: Site, searchable_site: Site, tmp_path: Path):
    with pytest.raises(SourceError, match="no labelled set to measure on"):
        run_job(spec("evaluate", searchable_site), Recording())
    with pytest.raises(DatasetError, match="nowhere"):
        run_job(spec("evaluate", searchable_site, data=str(tmp_path / "nowhere")), Recording())


def test_without_a_model_it_says_what_to_do(full_site: Site):
    with pytest.raises(ModelError, match="Adapt"):
        run_job(spec("evaluate", full_site), Recording())


def test_a_damaged_image_is_left_out_and_named(searchable_site: Site, tmp_path: Path):
    folder = write_source(tmp_path / "people")
    whole = run_job(spec("evaluate", searchable_site, data=str(folder)), Recording())
    (folder / "000" / "c0" / "0.jpg").write_bytes(b"\xff\xd8 no picture")
    recording = Recording()
    result = run_job(spec("evaluate", searchable_site, data=str(folder)), recording)
    assert result["queries"] + result["gallery"] == whole["queries"] + whole["gallery"] - 1
    (said,) = [text for text in recording.messages if "left out" in text]
    assert "0.jpg" in said


def test_a_set_that_is_mostly_damaged_is_refused(searchable_site: Site, tmp_path: Path):
    folder = write_source(tmp_path / "people")
    for image in sorted(folder.rglob("*.jpg"))[1:]:
        image.write_bytes(b"\xff\xd8 no picture")
    with pytest.raises(SourceError, match=r"cannot be read: .*\.jpg"):
        run_job(spec("evaluate", searchable_site, data=str(folder)), Recording())
