"""The runner against workers that behave, and workers that do not."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
import time
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from reid_desk.jobs.events import Event, Finished, Hello, Message, Metric, Phase, Progress, format_event
from reid_desk.jobs.spec import JobSpec
from reid_desk.ui.job_queue import JobQueue
from reid_desk.ui.job_runner import JobOutcome, JobRunner, LineParser
from tests.ui.conftest import fake_command


class Watched:
    """A runner with all that it told."""

    def __init__(self, behaviour: str, *, polite_ms: int = 15_000, terminate_ms: int = 5_000) -> None:
        self.spec = JobSpec("import", "/nowhere", {"behaviour": behaviour})
        self.runner = JobRunner(
            self.spec, command=fake_command, polite_ms=polite_ms, terminate_ms=terminate_ms
        )
        self.events: list[Event] = []
        self.outcomes: list[JobOutcome] = []
        self.runner.told.connect(self.events.append)
        self.runner.finished.connect(self.outcomes.append)

    def run(self, qtbot: QtBot) -> JobOutcome:
        self.runner.start()
        return self.wait(qtbot)

    def wait(self, qtbot: QtBot) -> JobOutcome:
        qtbot.waitUntil(lambda: bool(self.outcomes), timeout=30_000)
        qtbot.wait(20)
        assert len(self.outcomes) == 1
        assert not self.runner.running
        return self.outcomes[0]


def test_a_normal_job_tells_its_events_in_order_and_its_result_last(qtbot: QtBot) -> None:
    watched = Watched("normal")
    outcome = watched.run(qtbot)
    assert outcome == JobOutcome("finished", {"kind": "import", "refused": []})
    assert [type(event) for event in watched.events] == [Hello, Phase, *[Progress] * 5, Finished]


def test_a_polite_cancel_lets_the_worker_save_and_stop(qtbot: QtBot) -> None:
    watched = Watched("slow")
    watched.runner.start()
    qtbot.waitUntil(lambda: any(isinstance(event, Progress) for event in watched.events), timeout=30_000)
    watched.runner.cancel()
    assert watched.runner.cancelling
    assert watched.wait(qtbot).state == "cancelled"
    assert any(isinstance(event, Message) for event in watched.events)


def test_a_silent_worker_is_terminated_after_the_time_for_politeness(qtbot: QtBot) -> None:
    watched = Watched("silent", polite_ms=100)
    watched.runner.start()
    qtbot.waitUntil(lambda: bool(watched.events), timeout=30_000)
    watched.runner.cancel()
    assert watched.wait(qtbot).state == "cancelled"


@pytest.mark.skipif(sys.platform == "win32", reason="process groups are POSIX's")
def test_a_stubborn_worker_is_killed_with_what_it_started(qtbot: QtBot) -> None:
    watched = Watched("stubborn", polite_ms=50, terminate_ms=50)
    watched.runner.start()
    qtbot.waitUntil(lambda: any(isinstance(event, Message) for event in watched.events), timeout=30_000)
    child = next(int(event.text) for event in watched.events if isinstance(event, Message))
    watched.runner.cancel()
    assert watched.wait(qtbot).state == "cancelled"
    qtbot.waitUntil(lambda: not _alive(child), timeout=5_000)


def test_a_crash_becomes_a_failure_with_the_tail_of_stderr(qtbot: QtBot) -> None:
    outcome = Watched("crashing").run(qtbot)
    assert (outcome.state, outcome.category) == ("failed", "crash")
    assert "code 3" in outcome.message
    assert "something broke" in outcome.details


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_a_worker_ended_by_the_system_is_told_as_such(qtbot: QtBot) -> None:
    outcome = Watched("killed").run(qtbot)
    assert (outcome.state, outcome.category) == ("failed", "memory")
    assert "ended by the system" in outcome.message


def test_a_told_failure_keeps_its_words(qtbot: QtBot) -> None:
    outcome = Watched("failing").run(qtbot)
    assert (outcome.state, outcome.message, outcome.hint) == ("failed", "The disk is full.", "Free 2 GB.")
    assert outcome.category == "disk"


def test_garbage_is_skipped_and_split_lines_are_put_together(qtbot: QtBot) -> None:
    watched = Watched("garbage")
    outcome = watched.run(qtbot)
    assert outcome.result == {"end": "without a line end"}
    assert [event.text for event in watched.events if isinstance(event, Message)] == ["whole"]


def test_ten_thousand_events_do_not_stall_the_window(qtbot: QtBot) -> None:
    watched = Watched("flooding")
    gaps: list[float] = []
    last = [time.perf_counter()]

    def tick() -> None:
        now = time.perf_counter()
        gaps.append(now - last[0])
        last[0] = now

    timer = QTimer()
    timer.setInterval(5)
    timer.timeout.connect(tick)
    timer.start()
    assert watched.run(qtbot).state == "finished"
    timer.stop()
    assert sum(isinstance(event, Metric) for event in watched.events) == 10_000
    # All at once they would block for as long as the whole flood lasts: the reading is cut into pieces.
    assert len(gaps) > 3


def test_a_program_that_is_not_there_is_a_failure(qtbot: QtBot) -> None:
    runner = JobRunner(JobSpec("import", "/nowhere"), command=lambda _file: ["/no/such/program"])
    with qtbot.waitSignal(runner.finished) as finished:
        runner.start()
    assert finished.args[0].state == "failed"
    assert "could not be started" in finished.args[0].message


@pytest.mark.parametrize("place", [(JobSpec, "write"), (tempfile, "TemporaryDirectory")])
def test_a_job_that_cannot_be_written_down_is_a_failure_and_the_next_one_runs(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, place: tuple[object, str]
) -> None:
    def full(*_args: object, **_options: object) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device")

    queue = JobQueue(command=fake_command)
    with monkeypatch.context() as patched:
        patched.setattr(*place, full)
        first = queue.submit(JobSpec("import", "/nowhere"), "First")
        outcomes: list[JobOutcome] = []
        first.ended.connect(outcomes.append)
        qtbot.waitUntil(lambda: bool(outcomes), timeout=5_000)
    assert (outcomes[0].state, outcomes[0].category) == ("failed", "disk")
    assert "No space left on device" in outcomes[0].message
    assert queue.jobs() == []
    second = queue.submit(JobSpec("import", "/nowhere"), "Second")
    qtbot.waitUntil(lambda: second.state == "finished", timeout=30_000)


def test_the_parser_gives_every_event_wherever_the_stream_is_cut() -> None:
    events = [Phase("a", "één"), Progress(1, 2), Message("x" * 300)]
    stream = "".join(format_event(event) + "\n" for event in events).encode()
    for size in (1, 2, 7, 64, len(stream)):
        parser = LineParser()
        told = [
            event
            for start in range(0, len(stream), size)
            for event in parser.feed(stream[start : start + size])
        ]
        assert told == events
        assert parser.skipped == 0


def test_the_parser_drops_a_line_that_never_ends() -> None:
    parser = LineParser()
    for _ in range(5):
        assert parser.feed(b"x" * 1024 * 1024) == []
    assert parser.feed(b"\n" + format_event(Progress(1, 2)).encode() + b"\n") != []
    assert parser.skipped >= 1


def _alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process_id}/stat")
    return not status.exists() or status.read_text().rsplit(")", 1)[1].split()[0] != "Z"
