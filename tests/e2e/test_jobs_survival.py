"""A worker killed at any moment: the site is sound, nothing is lost, and done again gives the same."""

from __future__ import annotations

import random
import subprocess
import time
from pathlib import Path

import pytest

from reid_desk.jobs.events import Failed, Phase, Progress, parse_event, read_events
from reid_desk.jobs.run import run_job
from reid_desk.jobs.runs import can_resume, mark_interrupted
from reid_desk.jobs.sources import add_source
from reid_desk.jobs.spec import JobSpec, worker_command
from reid_desk.site import Site
from tests.fixtures_model import write_embedder
from tests.jobs.recording import Recording
from tests.jobs.sites import add_clip, contents, write_clip, write_source
from training.datasets import open_dataset

ROOT = Path(__file__).parents[2]
KILLS = 4


def start_worker(spec: JobSpec, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        worker_command(spec.write(folder / "job.json")),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
    )


def kill_after_progress(worker: subprocess.Popen[str], wait: float) -> None:
    assert worker.stdout is not None
    for line in worker.stdout:
        event = parse_event(line)
        assert not isinstance(event, Failed), event
        if isinstance(event, Progress):
            break
    time.sleep(wait)
    worker.kill()
    worker.communicate()


def test_kills_while_footage_is_imported(tmp_path: Path):
    clips = [write_clip(tmp_path / f"{number}.mp4", seconds=8, seed=number) for number in range(2)]
    write_embedder(tmp_path / "model" / "model.onnx")
    for name in ("disturbed", "undisturbed"):
        with Site.create(tmp_path / name) as site:
            site.use_model(site.add_model(tmp_path / "model", name="m").id)

    def spec(name: str) -> JobSpec:
        arguments = {"paths": [str(clip) for clip in clips], "camera": "hall", "started_at": None}
        return JobSpec("import", str(tmp_path / name), arguments)

    dice = random.Random(1)
    for _ in range(KILLS):
        kill_after_progress(start_worker(spec("disturbed"), tmp_path), dice.uniform(0, 0.6))
        with Site.open(tmp_path / "disturbed") as site:
            mark_interrupted(site)
            assert site.problems() == []
            assert {clip.state for clip in site.clips()} <= {"imported", "failed"}
            assert {run.state for run in site.runs()} <= {"interrupted", "finished"}
    for name in ("disturbed", "undisturbed"):
        run_job(spec(name), Recording())
    disturbed, undisturbed = contents(tmp_path / "disturbed"), contents(tmp_path / "undisturbed")
    for sizes in (disturbed, undisturbed):
        sizes["crops"] = sorted(size for _, size in sizes["crops"])  # their numbers may differ
        sizes["vectors"] = list(sizes["vectors"].values())
    assert disturbed == undisturbed


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_kills_while_it_adapts(tmp_path: Path):
    """The real training, killed in each of its phases; then resumed to the end."""
    with Site.create(tmp_path / "site") as site:
        for camera in ("hall", "street"):
            add_clip(site, camera, range(12), crops=6)
        add_source(site, open_dataset(write_source(tmp_path / "shop", people=12, images=4)))
        run_id = None
        for phase in ("style_transfer", "pretraining", "adaptation"):
            spec = JobSpec("adapt", str(site.path), {"preset": "smoke", "resume": run_id is not None}, run_id)
            worker = start_worker(spec, tmp_path)
            assert worker.stdout is not None
            for line in worker.stdout:
                event = parse_event(line)
                assert not isinstance(event, Failed), event
                if isinstance(event, Phase) and event.name == phase:
                    break
            kill_after_progress(worker, 1.0)
            (run,) = mark_interrupted(site)
            run = site.run(run.id)
            assert can_resume(run)
            assert site.current_model() is None
            run_id = run.id
        result = run_job(JobSpec("adapt", str(site.path), {"resume": True}), Recording())
        assert site.current_model().id == result["model"]
        assert site.missing_vectors(result["model"]) == []
        assert [run.state for run in site.runs("adapt")] == ["finished"]
        hellos = [e for e in read_events(run.folder / "events.jsonl") if e.name_on_wire == "hello"]
        assert len(hellos) == 4
