"""The commands through the real ``main``; jobs run for real, training is replaced by a small embedder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reid_desk.cli import demo_command, desk_command, main
from reid_desk.jobs.sources import add_source
from reid_desk.jobs.spec import JobSpec
from reid_desk.site import Site
from tests.fixtures_model import write_embedder
from tests.jobs.sites import STARTED_AT, add_clip, jpeg, person_image, write_clip, write_source
from tests.site.made_up import begin
from training.datasets import open_dataset
from training.presets import NAMES

ROOT = Path(__file__).parents[1]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A site of two cameras, 36 crops, a model in use, all crops embedded."""
    with Site.create(tmp_path / "site") as made:
        add_clip(made, "hall", range(6))
        add_clip(made, "street", range(6))
        write_embedder(tmp_path / "model" / "model.onnx")
        made.use_model(made.add_model(tmp_path / "model", name="First").id)
        yield made


@pytest.fixture
def query(tmp_path: Path) -> Path:
    path = tmp_path / "query.jpg"
    path.write_bytes(jpeg(person_image(2, seed=999)))
    return path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]):
    def run_command(*arguments: object, code: int = 0) -> str:
        assert main([str(argument) for argument in arguments]) == code, capsys.readouterr().err
        return capsys.readouterr().out

    return run_command


@pytest.fixture
def run_json(run):
    return lambda *arguments: json.loads(run(*arguments, "--json"))


def test_help_tells_the_presets_apart(capsys: pytest.CaptureFixture[str]):
    for command in ("adapt", "demo"):
        with pytest.raises(SystemExit):
            main([command, "--help"])
        told = " ".join(capsys.readouterr().out.split())
        for name in NAMES:
            assert f"{name}, " in told.partition("settings: ")[2]


def test_help_lists_every_command_for_people():
    done = subprocess.run(
        [sys.executable, "-m", "reid_desk", "--help"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    for command in ("demo", "import", "source", "adapt", "search", "evaluate", "export", "doctor"):
        assert f"\n    {command} " in done.stdout
    assert "worker" not in done.stdout


def test_nothing_heavy_is_loaded_before_it_is_needed():
    program = "import sys, reid_desk.cli as c; c.build_parser(); print(sorted(set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    for module in ("torch", "cv2", "numpy", "PySide6", "faiss", "onnxruntime", "av", "sqlite3", "PIL"):
        assert f"'{module}'" not in done.stdout, module


@pytest.mark.parametrize(
    "command", ["demo", "import", "source", "adapt", "search", "evaluate", "models", "use"]
)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: reid-desk {command}")


def test_arguments_that_do_not_fit_are_one_line_on_stderr(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main(["import", "site"])
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert err.startswith("reid-desk: error: ")
    assert err.count("\n") == 1


def test_a_mistyped_command_is_suggested(capsys: pytest.CaptureFixture[str]):
    assert main(["improt", "site"]) == 2
    assert "Did you mean: reid-desk import?" in capsys.readouterr().err


def test_import_then_search_finds_the_person_again(site: Site, tmp_path: Path, run, run_json, query: Path):
    clip = write_clip(tmp_path / "door.mp4", seed=2)
    told = run_json("import", site.path, clip, "--camera", "door", "--started-at", "2026-03-03T14:00:00Z")
    assert (told["imported"], told["detector"]) == (1, told["detector"])
    found = run_json("search", site.path, query, "--camera", "door", "--top", 3)
    best = found["matches"][0]
    assert best["camera"] == "door"
    assert best["clip"] == str(clip)
    assert best["time"].startswith("2026-03-03T14:00:0")
    assert 2 <= best["seconds"] <= 6


def test_search_ranks_the_right_person_first_in_every_camera(site: Site, run, run_json, query: Path):
    site_path = site.path
    model = site.current_model()
    run("use", site_path, model.id)
    found = run_json("search", site_path, query, "--top", 5)
    assert found["model"] == model.id
    assert [match["rank"] for match in found["matches"]] == [1, 2, 3, 4, 5]
    tracks = {track.id: track for track in site.tracks()}
    first, second = (tracks[match["track"]] for match in found["matches"][:2])
    assert first.first_frame == second.first_frame == 20  # person 2, in both cameras
    assert {match["camera"] for match in found["matches"][:2]} == {"hall", "street"}


def test_crops_that_the_model_has_not_seen_are_not_passed_over_in_silence(
    site: Site, run, run_json, query: Path, capsys
):
    run("use", site.path, site.current_model().id)
    add_clip(site, "yard", range(2))
    assert run_json("search", site.path, query)["left_out"] == 6
    assert main(["search", str(site.path), str(query)]) == 0
    assert f"6 crops were left out: model {site.current_model().id}" in capsys.readouterr().err
    assert main(["doctor", str(site.path)]) == 2
    assert "6 crops cannot be found" in capsys.readouterr().out


def test_search_is_a_table_for_people(site: Site, run, query: Path):
    run("use", site.path, site.current_model().id)
    lines = run("search", site.path, query, "--top", 2).splitlines()
    assert lines[0].split() == ["rank", "score", "camera", "time", "clip", "position"]
    assert len(lines) == 3
    assert lines[1].split()[0] == "1"
    assert lines[1].split()[-1].startswith("0:00:02.")


def test_source_add_tells_what_it_recognised(site: Site, tmp_path: Path, run, run_json):
    folder = write_source(tmp_path / "shop", people=4, cameras=2, images=2)
    added = run_json("source", "add", site.path, folder)
    assert (added["name"], added["identities"], added["cameras"], added["images"]) == ("shop", 4, 2, 16)
    assert site.source("shop").role == "source"
    text = run("source", "add", site.path, folder, "--name", "own people", "--role", "evaluation")
    assert "4 people, 2 cameras, 16 images" in text
    assert [source.name for source in site.sources(role="evaluation")] == ["own people"]


def test_a_folder_of_frames_is_imported_at_the_rate_it_was_taken_with(
    site: Site, tmp_path: Path, run, run_json
):
    (tmp_path / "frames").mkdir()
    for number in range(4):
        (tmp_path / "frames" / f"{number}.jpg").write_bytes(jpeg(person_image(0, number)))
    run(
        "import",
        site.path,
        tmp_path / "frames",
        "--camera",
        "gate",
        "--frames-fps",
        "2",
        "--detector",
        "motion",
    )
    (clip,) = run_json("clip", "list", site.path, "--camera", "gate")["clips"]
    assert (clip["fps"], clip["duration"]) == (2, 2)


def test_clips_are_listed_corrected_and_removed(site: Site, run, run_json):
    hall, street = sorted(site.clips(), key=lambda clip: clip.camera)
    listed = run_json("clip", "list", site.path)["clips"]
    assert {row["id"]: (row["camera"], row["crops"]) for row in listed} == {
        hall.id: ("hall", 18),
        street.id: ("street", 18),
    }
    edit = ("clip", "edit", site.path, hall.id, "--camera", "lobby", "--started-at", "2026-03-03T15:00:00Z")
    (edited,) = run_json(*edit)["clips"]
    assert (edited["camera"], edited["started_at"]) == ("lobby", "2026-03-03T15:00:00+00:00")
    assert "lobby" in run("clip", "list", site.path, "--camera", "lobby")
    removed = run_json("clip", "remove", site.path, hall.id)["removed"]
    assert [row["id"] for row in removed] == [hall.id]
    assert site.count_crops() == 18
    assert {row["camera"] for row in run_json("clip", "list", site.path)["clips"]} == {"street"}


def test_source_remove_forgets_the_set_and_leaves_its_images(site: Site, tmp_path: Path, run, run_json):
    for role in ("source", "evaluation"):
        add_source(site, open_dataset(write_source(tmp_path / role)), role=role)
    assert run("source", "remove", site.path, "source").startswith("Removed source (source)")
    removed = run_json("source", "remove", site.path, "evaluation")
    assert removed == {"name": "evaluation", "role": "evaluation", "path": str(tmp_path / "evaluation")}
    assert site.sources("source") == site.sources("evaluation") == []
    assert len(list((tmp_path / "source").glob("*/*/*.jpg"))) == 16


def test_evaluate_prints_one_document(site: Site, tmp_path: Path, run_json):
    add_source(site, open_dataset(write_source(tmp_path / "people")), role="evaluation")
    result = run_json("evaluate", site.path)
    assert 0 < result["mAP"] <= 1
    assert result["data"] == "people"
    assert site.evaluations()[0].metrics["mAP"] == result["mAP"]


@pytest.mark.parametrize("name", ["site.db", "models/new.onnx", ""])
def test_export_writes_over_nothing_of_a_site(site: Site, name: str, capsys):
    before = (site.path / "site.db").read_bytes()
    assert main(["export", str(site.path), str(site.path / name), "--force"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert (site.path / "site.db").read_bytes() == before


def test_export_writes_the_very_model(site: Site, tmp_path: Path, run_json):
    out = tmp_path / "out.onnx"
    document = run_json("export", site.path, out)
    model = site.current_model()
    assert out.read_bytes() == model.path.read_bytes()
    assert document["sha256"] == model.card["sha256"]
    assert sorted(path.name for path in tmp_path.glob("out*")) == ["out.onnx"]


def test_models_can_be_listed_and_rolled_back_to(site: Site, tmp_path: Path, run, run_json):
    write_embedder(tmp_path / "second" / "model.onnx", seed=1)
    first = site.current_model()
    second = site.add_model(tmp_path / "second", name="Second")
    run("use", site.path, second.id)
    listed = run_json("models", site.path)["models"]
    assert {row["id"]: row["in_use"] for row in listed} == {first.id: False, second.id: True}
    assert site.missing_vectors(second.id) == []


def test_a_write_protected_site_can_be_looked_at_and_searched(
    site: Site, tmp_path: Path, run, run_json, monkeypatch: pytest.MonkeyPatch, capsys
):
    run("use", site.path, site.current_model().id)
    site.close()
    query = tmp_path / "query.jpg"
    query.write_bytes(jpeg(person_image(2)))
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    before = {path: path.read_bytes() for path in site.path.rglob("*") if path.is_file()}
    assert len(run_json("clip", "list", site.path)["clips"]) == 2
    assert len(run_json("search", site.path, query)["matches"]) == 12
    run("models", site.path)
    run("export", site.path, tmp_path / "out.onnx")
    assert main(["adapt", str(site.path)]) == 2
    assert "it is write-protected; allow writing" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in site.path.rglob("*") if path.is_file()} == before


def test_doctor_finds_a_sound_installation_and_what_is_wrong_with_a_site(
    site: Site, capsys: pytest.CaptureFixture[str]
):
    code = main(["doctor", str(site.path), "--json"])
    document = json.loads(capsys.readouterr().out)
    # The clips of this site were never on any disk: that is what is wrong with it.
    assert code == 2
    assert [p for p in document["problems"] if "footage is missing" in p]
    assert document["site"]["crops"] == 36
    assert document["packages"]["torch"]
    assert "CPUExecutionProvider" in document["devices"]["onnxruntime"]


def test_doctor_changes_nothing_and_speaks_in_words(site: Site, capsys: pytest.CaptureFixture[str]):
    run = site.start_run("import", {})
    clip = begin(site, sha256="cut off")
    assert main(["doctor", str(site.path)]) == 2
    told = capsys.readouterr().out
    assert f"interrupted runs: {run.id}" in told
    assert f"PROBLEM: clip {clip} of door: Its import was interrupted. Import the clip again." in told
    assert (site.run(run.id).state, site.clip(clip).state) == ("starting", "importing")
    site.update_run(run.id, "interrupted")
    assert main(["doctor", str(site.path)]) == 2
    told = capsys.readouterr().out
    assert "interrupted runs: none" in told
    assert "None" not in told


def test_the_hidden_worker_command_is_the_worker(site: Site, tmp_path: Path):
    job = tmp_path / "job.json"
    job.write_text(json.dumps({"kind": "embed", "site": str(site.path), "arguments": {}}))
    worker = subprocess.Popen(
        [sys.executable, "-m", "reid_desk", "worker", str(job)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert worker.stdout is not None
    events: list[dict[str, Any]] = [json.loads(line) for line in worker.stdout]
    worker.communicate(timeout=30)
    assert worker.returncode == 0
    assert (events[0]["event"], events[-1]["event"]) == ("hello", "finished")


def test_without_a_display_the_desk_says_so(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert main([str(site.path)]) == 2
    assert "no display" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have one display")
@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({"DISPLAY": "127.0.0.1:77"}, "could not connect to display 127.0.0.1:77"),
        ({"QT_QPA_PLATFORM": "slates"}, 'Could not find the Qt platform plugin "slates"'),
    ],
)
def test_a_display_that_cannot_be_reached_is_told_in_a_line(
    site: Site, environment: dict[str, str], reason: str
):
    kept = {name: value for name, value in os.environ.items() if name != "QT_QPA_PLATFORM"}
    done = subprocess.run(
        [sys.executable, "-m", "reid_desk", str(site.path)],
        env=kept | environment,
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("reid-desk: error: The desk cannot be shown: ")
    assert reason in line


@pytest.fixture
def demo_specs(monkeypatch: pytest.MonkeyPatch, site: Site) -> list[JobSpec]:
    """The demo jobs asked for, none of which is done."""
    specs: list[JobSpec] = []

    def run_in_foreground(spec: JobSpec) -> dict[str, Any]:
        specs.append(spec)
        metrics = {"mAP": 0.5, "rank1": 0.6}
        return {"before": metrics, "after": metrics, "seconds": 1.0, "site": str(site.path)}

    monkeypatch.setattr(demo_command, "run_in_foreground", run_in_foreground)
    return specs


def test_the_demo_prints_its_figures_before_the_desk_opens(
    site: Site,
    demo_specs: list[JobSpec],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    printed: list[str] = []

    def open_desk(path: Path) -> int:
        assert path == site.path
        printed.append(capsys.readouterr().out)
        return 3

    monkeypatch.setattr(desk_command, "has_display", lambda: True)
    monkeypatch.setattr(desk_command, "open_desk", open_desk)
    assert main(["demo"]) == 3
    assert "After adaptation:  mAP 50.0 %" in printed[0]
    assert capsys.readouterr().out == ""


def test_each_seed_of_the_demo_has_a_site_of_its_own(demo_specs: list[JobSpec], run):
    for arguments in ((), ("--seed", "5"), ("--resume",)):
        run("demo", "--headless", *arguments)
    first, second, resumed = demo_specs
    assert [Path(spec.site).name for spec in demo_specs] == ["demo", "demo-5", "demo"]
    assert (first.arguments["seed"], second.arguments["seed"]) == (None, 5)
    # What is not said must not gainsay what the run was begun with.
    assert resumed.arguments == {"preset": None, "seed": None, "resume": True}


def test_times_without_an_offset_are_local(
    site: Site, tmp_path: Path, run_json, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        clip = write_clip(tmp_path / "door.mp4", seed=3)
        run_json("import", site.path, clip, "--camera", "door", "--started-at", "2026-03-03T23:00:00")
        (door,) = site.clips("door")
        assert door.started_at == STARTED_AT
    finally:
        monkeypatch.undo()
        time.tzset()
