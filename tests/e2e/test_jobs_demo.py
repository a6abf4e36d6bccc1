"""The demo job from end to end, everything real, on a smaller site than the one it ships."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest

from reid_desk.demo import DemoSettings, generate
from reid_desk.jobs import demo
from reid_desk.jobs.run import run_job
from reid_desk.jobs.spec import JobSpec
from reid_desk.site import Site
from tests.jobs.recording import Recording

SMALL = DemoSettings(people=12, together=3.0, second_pass=0.0, source_people=24, source_images=3, processes=1)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_whole_main_job_on_a_small_demo_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(demo, "generate", functools.partial(generate, settings=SMALL))
    reporter = Recording()
    result = run_job(JobSpec("demo", str(tmp_path / "demo")), reporter)
    with Site.open(tmp_path / "demo") as site:
        assert sorted(camera.name for camera in site.cameras()) == ["hall", "parking", "street"]
        assert all(clip.state == "imported" and clip.crops for clip in site.clips())
        model = site.current_model()
        assert model.id == result["model"]
        assert site.missing_vectors(model.id) == []
        labels = {e.label: e.metrics["mAP"] for e in site.evaluations()}
        assert labels.keys() == {"before", "after", "measured"}
        # The exported model ranks as the network it was made from did.
        assert labels["measured"] == pytest.approx(labels["after"], abs=0.02)
        cameras = {crop.id: crop.camera_id for crop in site.crops()}
        query = result["search"]["query"]
        assert all(cameras[match] != cameras[query] for match in result["search"]["matches"])
        assert result["search"]["scores"] == sorted(result["search"]["scores"], reverse=True)
    assert 0 < result["before"]["mAP"] < result["after"]["mAP"] <= 1
    phases = [phase for phase in reporter.phases if phase in {"render", "import", "label", "adaptation"}]
    assert phases[:4] == ["render", "import", "import", "import"]
    assert phases[4] == "label"
