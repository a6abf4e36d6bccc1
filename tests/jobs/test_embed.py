from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reid_desk.errors import JobCancelled, ModelError, SiteError
from reid_desk.jobs import embed
from reid_desk.jobs.run import run_job
from reid_desk.search import Embedder, decode_image
from reid_desk.site import Site
from tests.fixtures_model import write_embedder
from tests.jobs.recording import Recording
from tests.jobs.sites import add_clip, spec


def test_every_crop_gets_its_vector(searchable_site: Site):
    model = searchable_site.current_model()
    result = run_job(spec("embed", searchable_site), Recording())
    assert result == {"model": model.id, "embedded": 36, "in_use": True}
    ids, vectors = searchable_site.vectors(model.id)
    image = decode_image(searchable_site.crop_image(int(ids[5])))
    expected = Embedder(model.path).embed([image])[0]
    assert float(vectors[5].astype(np.float32) @ expected) == pytest.approx(1, abs=1e-3)


def test_a_second_time_there_is_nothing_to_do(searchable_site: Site):
    run_job(spec("embed", searchable_site), Recording())
    assert run_job(spec("embed", searchable_site), Recording())["embedded"] == 0


def test_a_model_is_used_once_every_crop_is_embedded_those_imported_meanwhile_too(
    searchable_site: Site, tmp_path: Path
):
    write_embedder(tmp_path / "second" / "model.onnx", seed=1)
    old = searchable_site.current_model()
    new = searchable_site.add_model(tmp_path / "second", name="Second")
    in_use: list[str] = []

    class ImportsMeanwhile(Recording):
        def progress(self, done: int, total: int | None) -> None:
            in_use.append(searchable_site.current_model().id)
            if len(in_use) == 1:
                add_clip(searchable_site, "garage", range(3))

    result = run_job(spec("embed", searchable_site, model=new.id, use=True), ImportsMeanwhile())
    assert set(in_use) == {old.id}
    assert result == {"model": new.id, "embedded": 45, "in_use": True}
    assert searchable_site.current_model().id == new.id
    assert searchable_site.missing_vectors(new.id) == []


def test_what_was_embedded_before_a_cancel_is_not_done_again(
    searchable_site: Site, monkeypatch: pytest.MonkeyPatch
):
    class CancelsSoon(Recording):
        def progress(self, done: int, total: int | None) -> None:
            super().progress(done, total)
            self.control.cancel()

    monkeypatch.setattr(embed, "BATCH", 10)
    with pytest.raises(JobCancelled):
        run_job(spec("embed", searchable_site), CancelsSoon())
    model = searchable_site.current_model()
    assert len(searchable_site.vectors(model.id)[0]) == 10
    assert run_job(spec("embed", searchable_site), Recording())["embedded"] == 26
    assert searchable_site.missing_vectors(model.id) == []


def test_without_a_model_it_says_what_to_do(full_site: Site):
    with pytest.raises(ModelError, match="Adapt to the site first"):
        run_job(spec("embed", full_site), Recording())


def test_a_model_that_is_not_there_is_named(searchable_site: Site):
    with pytest.raises((ModelError, SiteError), match="nonesuch"):
        run_job(spec("embed", searchable_site, model="nonesuch"), Recording())
