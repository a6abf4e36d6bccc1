from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from reid_desk.errors import ReidDeskError
from reid_desk.jobs.events import (
    Cancelled,
    Failed,
    Finished,
    Hello,
    Image,
    Message,
    Metric,
    Paused,
    Phase,
    Progress,
    Resumed,
    format_command,
    format_event,
    parse_command,
    parse_event,
    read_events,
)
from reid_desk.jobs.spec import JobSpec, worker_command

EVENTS = [
    Hello(12, "adapt", "20261122-141709-adapt"),
    Phase("prepare", "Looking at the source"),
    Progress(3, None),
    Progress(3, 40),
    Metric({"loss": 0.5}),
    Image("translation", "/a b/ü.png"),
    Message("two\nlines", "warning"),
    Paused(),
    Resumed(),
    Finished({"model": "m", "mAP": 0.5}),
    Failed("No source.", "Add one.", "input", ""),
    Cancelled(),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name_on_wire)
def test_event_survives_its_line(event):
    line = format_event(event)
    assert "\n" not in line
    assert parse_event(line) == event
    assert parse_event(line.encode()) == event


def test_line_has_the_agreed_names():
    assert json.loads(format_event(Progress(1, 2, time=5.0))) == {
        "event": "progress",
        "time": 5.0,
        "done": 1,
        "total": 2,
    }


@pytest.mark.parametrize(
    "line",
    [
        "",
        "Downloading weights...",
        "[1, 2]",
        "null",
        '{"event": "later"}',
        '{"event": ["x"]}',
        "{",
        b"\xff\xfe",
    ],
)
def test_anything_else_is_no_event(line):
    assert parse_event(line) is None


def test_event_with_a_missing_field_is_no_event():
    assert parse_event('{"event": "phase", "name": "x"}') is None


def test_unknown_fields_of_a_newer_worker_are_left_out():
    assert parse_event('{"event":"progress","time":1,"done":1,"total":2,"eta":3}') == Progress(1, 2, time=1)


def test_figures_that_are_not_finite_stay_valid_json():
    line = format_event(Metric({"loss": float("nan"), "accuracy": 0.5}, time=1))
    assert json.loads(line)["values"] == {"loss": None, "accuracy": 0.5}


def test_a_log_cut_off_by_a_crash_is_read_up_to_there(tmp_path: Path):
    log = tmp_path / "events.jsonl"
    log.write_text(format_event(Phase("a", "A", time=1)) + "\n" + format_event(Progress(1, 2))[:20])
    assert list(read_events(log)) == [Phase("a", "A", time=1)]
    assert list(read_events(tmp_path / "none")) == []


@pytest.mark.parametrize("command", ["cancel", "pause", "resume"])
def test_command_survives_its_line(command):
    assert parse_command(format_command(command)) == command


@pytest.mark.parametrize("line", ["cancel", "{}", '{"command": "explode"}', '{"command": {}}', "\x00", "[]"])
def test_garbage_is_no_command(line):
    assert parse_command(line) is None


def test_job_survives_its_file(tmp_path: Path):
    spec = JobSpec("adapt", str(tmp_path), {"source": "cuhk03", "resume": True}, "run-1")
    assert JobSpec.read(spec.write(tmp_path / "job.json")) == spec


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"kind": "adapt"}', '{"kind": "bake", "site": "s"}'])
def test_broken_job_file_is_an_error_in_words(tmp_path: Path, text):
    path = tmp_path / "job.json"
    path.write_text(text)
    with pytest.raises(ReidDeskError):
        JobSpec.read(path)


def test_worker_is_this_python_or_the_frozen_executable(monkeypatch: pytest.MonkeyPatch):
    assert worker_command(Path("j.json")) == [sys.executable, "-m", "reid_desk.jobs.worker", "j.json"]
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert worker_command(Path("j.json")) == [sys.executable, "worker", "j.json"]
