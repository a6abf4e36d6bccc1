from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reid_desk.errors import FootageError, JobCancelled, ReidDeskError
from reid_desk.jobs import import_footage
from reid_desk.jobs.events import Progress, read_events
from reid_desk.jobs.run import run_job
from reid_desk.jobs.spec import JobSpec
from reid_desk.site import Site
from tests.jobs.recording import Recording
from tests.jobs.sites import STARTED_AT, contents, spec, write_clip
from tests.site.made_up import begin

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    write_clip(folder / "one.mp4")
    write_clip(folder / "two.mp4", seed=1)
    return folder


def test_people_of_a_clip_become_tracks_and_crops(site: Site, clips: Path):
    reporter = Recording()
    job = spec("import", site, paths=[str(clips / "one.mp4")], camera="hall", started_at=STARTED_AT)
    result = run_job(job, reporter)
    (clip,) = site.clips()
    assert (clip.camera, clip.state, clip.started_at) == ("hall", "imported", STARTED_AT)
    assert result["imported"] == 1
    assert result["crops"] == clip.crops == site.count_crops() > 0
    (told,) = result["clips"]
    assert told["frames"] == 60
    crop = site.crops()[0]
    assert STARTED_AT + 2 <= crop.time <= STARTED_AT + 6
    assert any(isinstance(event, Progress) and event.total == 60 for event in reporter.events)
    run = site.runs("import")[0]
    assert run.report == result
    assert [e.name_on_wire for e in read_events(run.folder / "events.jsonl")] == reporter.kinds


def test_a_folder_of_clips_is_imported_clip_by_clip(site: Site, clips: Path):
    reporter = Recording()
    result = run_job(spec("import", site, paths=[str(clips)], camera="hall"), reporter)
    assert result["imported"] == 2
    assert reporter.phases.count("import") == 2


def test_the_same_bytes_are_imported_once(site: Site, clips: Path, tmp_path: Path):
    run_job(spec("import", site, paths=[str(clips / "one.mp4")], camera="hall"), Recording())
    before = contents(site.path)
    copy = shutil.copy(clips / "one.mp4", tmp_path / "copy.mp4")
    reporter = Recording()
    result = run_job(spec("import", site, paths=[str(copy)], camera="street"), reporter)
    assert (result["imported"], result["skipped"]) == (0, 1)
    assert any("in the site already" in text for text in reporter.messages)
    assert contents(site.path) == before


def test_a_clip_that_fails_does_not_end_the_others(site: Site, clips: Path, tmp_path: Path):
    bad = tmp_path / "bad.mp4"
    bad.write_text("this is no video")
    reporter = Recording()
    result = run_job(spec("import", site, paths=[str(bad), str(clips / "one.mp4")], camera="hall"), reporter)
    assert result["imported"] == 1
    assert [refusal["path"] for refusal in result["refused"]] == [str(bad)]
    assert any("bad.mp4" in text for text in reporter.messages)


def test_a_clip_that_vanishes_before_its_turn_does_not_end_the_others(
    site: Site, clips: Path, tmp_path: Path
):
    class PullsOut(Recording):
        def phase(self, name: str, text: str) -> None:
            super().phase(name, text)
            if "gone.mp4" in text:
                gone.unlink()

    gone = write_clip(tmp_path / "gone.mp4", seed=4)
    reporter = PullsOut()
    result = run_job(spec("import", site, paths=[str(gone), str(clips / "one.mp4")], camera="hall"), reporter)
    assert result["imported"] == 1
    assert [(refusal["path"], refusal["reason"]) for refusal in result["refused"]] == [
        (str(gone), "there is no such file. Check that its drive is connected.")
    ]


def test_a_clip_that_breaks_while_it_is_decoded_is_kept_as_failed(
    site: Site, clips: Path, monkeypatch: pytest.MonkeyPatch
):
    def breaks(info, *_args, **_kwargs):
        raise FootageError(f"{info.path}: not one frame of it can be decoded.")

    monkeypatch.setattr(import_footage, "analyse", breaks)
    with pytest.raises(FootageError, match="not one frame"):
        run_job(spec("import", site, paths=[str(clips / "one.mp4")], camera="hall"), Recording())
    (clip,) = site.clips()
    assert clip.state == "failed"
    assert "not one frame" in clip.message
    assert site.count_crops() == 0


def test_a_failed_clip_can_be_imported_again(site: Site, clips: Path, monkeypatch: pytest.MonkeyPatch):
    test_a_clip_that_breaks_while_it_is_decoded_is_kept_as_failed(site, clips, monkeypatch)
    monkeypatch.undo()
    run_job(spec("import", site, paths=[str(clips / "one.mp4")], camera="hall"), Recording())
    assert [clip.state for clip in site.clips()] == ["imported"]


def test_cancel_leaves_no_part_of_a_clip(site: Site, clips: Path):
    class CancelsSoon(Recording):
        def progress(self, done: int, total: int | None) -> None:
            super().progress(done, total)
            if done > 30:
                self.control.cancel()

    reporter = CancelsSoon()
    with pytest.raises(JobCancelled):
        run_job(spec("import", site, paths=[str(clips)], camera="hall"), reporter)
    assert reporter.kinds[-1] == "cancelled"
    assert site.clips() == []
    assert site.runs()[0].state == "cancelled"


def test_new_crops_are_embedded_if_there_is_a_model(searchable_site: Site, clips: Path):
    model = searchable_site.current_model()
    run_job(spec("import", searchable_site, paths=[str(clips / "one.mp4")], camera="door"), Recording())
    assert searchable_site.missing_vectors(model.id) == []
    assert len(searchable_site.vectors(model.id)[0]) == searchable_site.count_crops()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"camera": " "}, "camera"),
        ({"paths": []}, "nothing to import"),
        ({"fps": -1}, "frames a second"),
        ({"detector": "guess"}, "no detector 'guess'"),
        ({"detector": "motion", "detector_weights": "x.onnx"}, "takes no weights"),
        ({"detector": "yolox", "detector_weights": "nowhere.onnx"}, "nowhere.onnx"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(site: Site, clips: Path, arguments: dict, words: str):
    asked = {"paths": [str(clips / "one.mp4")], "camera": "hall", **arguments}
    with pytest.raises(ReidDeskError, match=words):
        run_job(JobSpec("import", str(site.path), asked), Recording())
    assert site.clips() == []


def test_one_start_is_not_the_start_of_two_clips(site: Site, clips: Path):
    with pytest.raises(ReidDeskError, match="one by one"):
        run_job(spec("import", site, paths=[str(clips)], camera="hall", started_at=STARTED_AT), Recording())


def test_a_new_site_is_made_for_its_first_clip(tmp_path: Path, clips: Path):
    run_job(
        JobSpec("import", str(tmp_path / "new"), {"paths": [str(clips / "one.mp4")], "camera": "a"}),
        Recording(),
    )
    with Site.open(tmp_path / "new") as site:
        assert len(site.clips()) == 1


def test_no_site_is_made_for_footage_that_is_not_there(tmp_path: Path):
    reporter = Recording()
    job = JobSpec("import", str(tmp_path / "new"), {"paths": [str(tmp_path / "gone.mp4")], "camera": "a"})
    with pytest.raises(FootageError, match=r"gone\.mp4"):
        run_job(job, reporter)
    assert not (tmp_path / "new").exists()
    assert reporter.kinds == ["hello", "failed"]


def test_yolox_is_used_where_its_weights_are_at_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(import_footage, "cache_folder", lambda: tmp_path)
    assert import_footage.default_detector(None) == "motion"
    assert import_footage.default_detector(tmp_path / "given.onnx") == "yolox"
    (tmp_path / "yolox_nano.onnx").touch()
    assert import_footage.default_detector(None) == "yolox"


def test_a_clip_that_another_process_imports_is_left_to_it(site: Site, clips: Path):
    digest = hashlib.sha256((clips / "one.mp4").read_bytes()).hexdigest()
    program = (
        "import sys; from pathlib import Path; from reid_desk.jobs import clip_lock\n"
        "with clip_lock.hold(Path(sys.argv[1]), Path(), sys.argv[2]):\n    print(flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", program, str(site.path), digest],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    assert other.stdout is not None
    other.stdout.readline()
    theirs = begin(site, sha256=digest)
    try:
        with pytest.raises(FootageError, match=r"one.mp4: another process is importing this clip"):
            run_job(spec("import", site, paths=[str(clips / "one.mp4")], camera="hall"), Recording())
        result = run_job(spec("import", site, paths=[str(clips)], camera="hall"), Recording())
        assert (result["imported"], len(result["refused"])) == (1, 1)
        assert site.clip(theirs).state == "importing"
    finally:
        other.communicate()
    assert run_job(spec("import", site, paths=[str(clips)], camera="hall"), Recording())["imported"] == 1
