from __future__ import annotations

import io
import threading
import time
from pathlib import Path

import pytest

from reid_desk.errors import JobCancelled
from reid_desk.jobs.control import Control
from reid_desk.jobs.events import (
    Finished,
    Message,
    Metric,
    Paused,
    Phase,
    Progress,
    Resumed,
    parse_event,
    read_events,
)
from reid_desk.jobs.reporters import JsonLines
from reid_desk.jobs.terminal import PlainLines, ProgressBar, terminal_reporter
from tests.jobs.recording import Recording


def events_of(stream: io.StringIO) -> list[object]:
    return [parse_event(line) for line in stream.getvalue().splitlines()]


def test_progress_is_thinned_out_and_its_end_always_told():
    reporter = Recording(interval=60)
    for done in range(1, 1001):
        reporter.progress(done, 1000)
    assert [(event.done, event.total) for event in reporter.events] == [(1, 1000), (1000, 1000)]


def test_figures_between_two_events_are_joined():
    reporter = Recording(interval=60)
    reporter.metric(loss=3.0)
    reporter.metric(loss=2.0, accuracy=0.1)
    reporter.metric(loss=1.0)
    reporter.phase("next", "Next")
    first, joined, phase = reporter.events
    assert isinstance(phase, Phase)
    assert isinstance(first, Metric)
    assert first.values == {"loss": 3.0}
    assert isinstance(joined, Metric)
    assert joined.values == {"loss": 1.0, "accuracy": 0.1}


def test_at_most_ten_figures_a_second():
    reporter = Recording(interval=0.1)
    began = time.monotonic()
    while time.monotonic() < began + 0.35:
        reporter.metric(loss=1.0)
    assert 2 <= len(reporter.events) <= (time.monotonic() - began) / 0.1 + 1


def test_numpy_figures_become_plain_numbers():
    numpy = pytest.importorskip("numpy")
    stream = io.StringIO()
    JsonLines(stream).metric(loss=numpy.float32(0.5))
    (event,) = events_of(stream)
    assert isinstance(event, Metric)
    assert event.values == {"loss": 0.5}


def test_every_event_goes_to_the_log_as_well(tmp_path: Path):
    stream = io.StringIO()
    reporter = JsonLines(stream)
    reporter.log_to(tmp_path / "events.jsonl")
    reporter.phase("a", "A")
    reporter.progress(1, 2)
    reporter.message("hello")
    reporter.image("translation", tmp_path / "x.png")
    reporter.emit(Finished({"n": 1}))
    reporter.close_log()
    assert list(read_events(tmp_path / "events.jsonl")) == events_of(stream)
    assert len(events_of(stream)) == 5


def test_a_second_run_in_the_same_folder_appends_to_its_log(tmp_path: Path):
    for text in ("first", "second"):
        reporter = Recording()
        reporter.log_to(tmp_path / "events.jsonl")
        reporter.message(text)
        reporter.close_log()
    told = [event.text for event in read_events(tmp_path / "events.jsonl") if isinstance(event, Message)]
    assert told == ["first", "second"]


def test_a_log_that_cannot_be_written_does_not_stop_the_work():
    reporter = Recording()
    reporter.log_to(Path("/dev/full"))
    reporter.message("one")
    reporter.message("two")
    assert [event.text for event in reporter.events if isinstance(event, Message)][0::2] == ["one", "two"]
    assert any("log" in text and "cannot be written" in text for text in reporter.messages)


def test_a_reader_that_is_gone_cancels_the_work():
    class Closed(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError

    reporter = JsonLines(Closed())
    reporter.phase("a", "A")
    with pytest.raises(JobCancelled):
        reporter.check_cancelled()


def test_cancel_is_raised_where_the_work_asks():
    control = Control()
    reporter = Recording(control)
    reporter.check_cancelled()
    control.cancel()
    with pytest.raises(JobCancelled):
        reporter.check_cancelled()


def test_pause_holds_the_work_until_it_is_resumed():
    control = Control()
    reporter = Recording(control)
    control.pause()
    thread = threading.Thread(target=reporter.check_cancelled)
    thread.start()
    thread.join(0.2)
    assert thread.is_alive()
    assert reporter.events == [Paused(time=reporter.events[0].time)]
    control.resume()
    thread.join(5)
    assert not thread.is_alive()
    assert isinstance(reporter.events[-1], Resumed)


def test_cancel_ends_a_pause_for_good():
    control = Control()
    control.pause()
    control.cancel()
    control.pause()
    assert not control.paused
    with pytest.raises(JobCancelled):
        Recording(control).check_cancelled()


def test_plain_lines_for_a_log_file():
    stream = io.StringIO()
    reporter = terminal_reporter(stream=stream)
    assert isinstance(reporter, PlainLines)
    reporter.phase("import", "Clip 1 of 2")
    reporter.progress(1, 2)
    reporter.message("odd", level="warning")
    assert stream.getvalue() == "Clip 1 of 2\n  Warning: odd\n"


def test_a_bar_for_a_terminal():
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    reporter = terminal_reporter(stream=stream)
    assert isinstance(reporter, ProgressBar)
    reporter.phase("embed", "Embedding 40 crops")
    reporter.metric(loss=0.25)
    reporter.progress(20, 40)
    reporter.message("half way")
    reporter.close_log()
    shown = stream.getvalue()
    assert "Embedding 40 crops" in shown
    assert "20/40" in shown
    assert "loss=0.25" in shown
    assert "half way\n" in shown


def test_progress_event_has_no_total_where_it_is_not_known():
    reporter = Recording()
    reporter.progress(3, None)
    assert reporter.events == [Progress(3, None, time=reporter.events[0].time)]
