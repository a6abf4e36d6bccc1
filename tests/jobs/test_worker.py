from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reid_desk.jobs.events import (
    Cancelled,
    Event,
    Failed,
    Finished,
    Hello,
    Message,
    Phase,
    Progress,
    format_command,
    parse_event,
    read_events,
)
from reid_desk.jobs.runs import mark_interrupted
from reid_desk.jobs.spec import JobSpec, worker_command
from reid_desk.site import Site

FAKE = Path(__file__).with_name("fake_worker.py")
ROOT = Path(__file__).parents[2]


class Worker:
    """A worker process and what it has told so far."""

    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        self.events: list[Event] = []

    def read_until(self, kind: type[Event]) -> Event:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            event = parse_event(line)
            assert event is not None, f"not an event on stdout: {line!r}"
            self.events.append(event)
            if isinstance(event, kind):
                return event
        raise AssertionError(f"no {kind.__name__} came: {self.events} {self.stderr()}")

    def send(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def stderr(self) -> str:
        assert self.process.stderr is not None
        return self.process.stderr.read()

    def wait(self) -> int:
        return self.process.wait(timeout=30)


@pytest.fixture
def start(site: Site, tmp_path: Path) -> Iterator[Callable[..., Worker]]:
    workers: list[Worker] = []

    def start_worker(work: str = "steps", **arguments: object) -> Worker:
        job = JobSpec("embed", str(site.path), arguments).write(tmp_path / "job.json")
        workers.append(Worker([sys.executable, "-m", "tests.jobs.fake_worker", work, str(job)]))
        return workers[-1]

    yield start_worker
    for worker in workers:
        worker.process.kill()
        worker.process.wait()
        for pipe in (worker.process.stdin, worker.process.stdout, worker.process.stderr):
            assert pipe is not None
            pipe.close()


def test_events_come_in_order_and_are_logged(site: Site, start):
    worker = start("steps", steps=20)
    finished = worker.read_until(Finished)
    assert worker.wait() == 0
    hello, begun, counting, *_ = worker.events
    assert isinstance(hello, Hello)
    assert (hello.pid, hello.kind) == (worker.process.pid, "embed")
    assert isinstance(begun, Phase)
    assert counting == Phase("count", "Counting", time=counting.time)
    assert finished.result == {"steps": 20}
    assert worker.events[-2] == Progress(20, 20, time=worker.events[-2].time)
    run = site.run(hello.run)
    assert (run.state, run.report, run.pid) == ("finished", {"steps": 20}, worker.process.pid)
    assert list(read_events(run.folder / "events.jsonl")) == worker.events


def test_cancel_ends_the_work_and_what_was_done_is_kept(site: Site, start):
    worker = start()
    worker.read_until(Progress)
    worker.send(format_command("cancel"))
    worker.read_until(Cancelled)
    assert worker.wait() == 0
    run = site.run(worker.events[0].run)
    assert run.state == "cancelled"
    assert int((run.folder / "count.txt").read_text()) >= 1


def test_a_desk_that_is_gone_ends_its_worker(site: Site, start):
    worker = start()
    worker.read_until(Progress)
    worker.process.stdin.close()
    worker.read_until(Cancelled)
    assert worker.wait() == 0
    assert site.runs()[0].state == "cancelled"


def test_pause_stops_the_work_and_resume_goes_on(site: Site, start):
    worker = start()
    worker.read_until(Progress)
    worker.send(format_command("pause"))
    while worker.events[-1].name_on_wire != "paused":
        worker.read_until(Event)
    count = site.runs()[0].folder / "count.txt"
    before = count.read_text()
    time.sleep(0.3)
    assert count.read_text() == before
    worker.send(format_command("resume"))
    while worker.events[-1].name_on_wire != "resumed":
        worker.read_until(Event)
    worker.read_until(Progress)
    assert int(count.read_text()) > int(before)


def test_garbage_on_stdin_is_ignored(start):
    worker = start("steps", steps=60)
    worker.send('\n\x00\x01{{{\n[1, 2]\n{"command": "explode"}\n{"command": 7}\ncancel\n')
    assert worker.read_until(Finished).result == {"steps": 60}


def test_terminate_is_a_polite_cancel(site: Site, start):
    worker = start()
    worker.read_until(Progress)
    worker.process.send_signal(signal.SIGTERM)
    worker.read_until(Cancelled)
    assert worker.wait() == 0
    assert site.runs()[0].state == "cancelled"


def test_only_events_reach_stdout(start):
    worker = start("chatter")
    worker.read_until(Finished)
    assert worker.wait() == 0
    told = worker.stderr()
    for text in ("a library prints", "native code prints", "a child process prints"):
        assert text in told


def test_a_crash_is_told_with_its_traceback(site: Site, start):
    worker = start("crash")
    failed = worker.read_until(Failed)
    assert worker.wait() == 1
    assert failed.category == "crash"
    assert "Traceback" in failed.details
    assert site.runs()[0].state == "failed"
    assert "division by zero" in site.runs()[0].message


def test_running_out_of_memory_is_told_as_that(start):
    worker = start("memory")
    assert worker.read_until(Failed).category == "memory"
    assert worker.wait() == 1


@pytest.mark.parametrize("how", ["kill", "die"])
def test_a_worker_that_vanished_is_found_and_marked(site: Site, start, how: str):
    worker = start("steps" if how == "kill" else "die")
    worker.read_until(Progress if how == "kill" else Phase)
    if how == "kill":
        assert mark_interrupted(site) == []
        worker.process.kill()
    worker.wait()
    (run,) = mark_interrupted(site)
    assert run.id == worker.events[0].run
    assert site.run(run.id).state == "interrupted"
    assert mark_interrupted(site) == []
    assert site.problems() == []


def test_no_site_is_bad_input_in_one_line(tmp_path: Path, start):
    job = JobSpec("embed", str(tmp_path / "nowhere")).write(tmp_path / "other.json")
    worker = Worker([*worker_command(job)])
    failed = worker.read_until(Failed)
    assert worker.wait() == 2
    assert isinstance(worker.events[0], Hello)
    assert failed.category == "input"
    assert "nowhere" in failed.message
    assert not (tmp_path / "nowhere").exists()
    worker.process.stdin.close()
    worker.process.stdout.close()
    worker.process.stderr.close()


@pytest.mark.parametrize("text", ["", "{}", "not json"])
def test_a_broken_job_file_is_bad_input(tmp_path: Path, text: str):
    (tmp_path / "job.json").write_text(text)
    done = subprocess.run(
        worker_command(tmp_path / "job.json"), capture_output=True, text=True, cwd=ROOT, check=False, input=""
    )
    events = [parse_event(line) for line in done.stdout.splitlines()]
    assert done.returncode == 2
    assert [type(event) for event in events] == [Hello, Failed]
    assert "Traceback" not in done.stderr


def test_a_message_says_that_a_cancel_was_heard(start):
    worker = start()
    worker.read_until(Progress)
    worker.send(format_command("cancel"))
    worker.read_until(Cancelled)
    assert any(isinstance(event, Message) and "Cancelling" in event.text for event in worker.events)
