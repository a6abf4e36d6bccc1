"""The demo job's footage; tests/e2e runs the whole job."""

from __future__ import annotations

from pathlib import Path

import pytest

from reid_desk.demo import DemoFootage
from reid_desk.errors import JobCancelled, SiteError
from reid_desk.jobs import demo
from reid_desk.jobs.run import run_job
from reid_desk.site import Site
from tests.jobs.recording import Recording
from tests.jobs.sites import spec


class FakeRenderer:
    """Writes one clip that tells its seed; is cancelled before it is done when told so."""

    def __init__(self) -> None:
        self.seeds: list[int] = []
        self.cancelled = False

    def generate(self, folder: Path, *, seed: int, reporter: Recording) -> DemoFootage:
        self.seeds.append(seed)
        clip = folder / "hall.mp4"
        clip.write_text(str(seed))
        if self.cancelled:
            raise JobCancelled("asked")
        return DemoFootage({"hall": clip}, {"hall": 0.0}, folder / "source", folder / "truth.csv")


@pytest.fixture
def renderer(monkeypatch: pytest.MonkeyPatch) -> FakeRenderer:
    fake = FakeRenderer()

    def stop(*_arguments: object) -> None:  # the rest of the job is no matter of these tests
        raise SiteError("rendered")

    monkeypatch.setattr(demo, "generate", fake.generate)
    monkeypatch.setattr(demo, "_import", stop)
    return fake


@pytest.mark.parametrize("cancelled", [False, True])
def test_a_site_shows_the_demo_of_one_seed(site: Site, renderer: FakeRenderer, cancelled: bool):
    renderer.cancelled = cancelled
    with pytest.raises(JobCancelled if cancelled else SiteError):
        run_job(spec("demo", site, seed=1), Recording())
    reporter = Recording()
    with pytest.raises(SiteError, match=r"shows the demo of seed 1.*\(--site DIR\)"):
        run_job(spec("demo", site, seed=2), reporter)
    assert reporter.events[-1].category == "input"
    assert renderer.seeds == [1]
    assert (site.path / "demo" / "hall.mp4").read_text() == "1"


def test_footage_that_is_whole_is_rendered_once_and_that_was_cut_off_again(
    site: Site, renderer: FakeRenderer
):
    renderer.cancelled = True
    with pytest.raises(JobCancelled):
        run_job(spec("demo", site, seed=1), Recording())
    renderer.cancelled = False
    for _ in range(2):
        with pytest.raises(SiteError, match="rendered"):
            run_job(spec("demo", site, seed=1), Recording())
    assert renderer.seeds == [1, 1]
