"""How a job begins, and what is told and kept if it cannot."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

import pytest

from reid_desk.errors import ReidDeskError
from reid_desk.jobs import run_lock
from reid_desk.jobs.run import run_job
from reid_desk.jobs.spec import JobSpec
from reid_desk.site import Site
from tests.jobs.recording import Recording
from tests.jobs.sites import spec


def test_a_run_that_another_process_works_on_is_refused_and_left_alone(searchable_site: Site):
    run = searchable_site.start_run("embed", {})
    searchable_site.update_run(run.id, "running")
    reporter = Recording()
    with run_lock.hold(run.folder), pytest.raises(ReidDeskError, match="at work in another process"):
        run_job(JobSpec("embed", str(searchable_site.path), {}, run.id), reporter)
    assert reporter.kinds == ["hello", "failed"]
    assert (reporter.events[0].run, reporter.events[1].category) == (run.id, "input")
    assert searchable_site.run(run.id).state == "running"


def test_a_run_whose_folder_is_gone_is_refused_in_words(searchable_site: Site):
    run = searchable_site.start_run("embed", {})
    shutil.rmtree(run.folder)
    reporter = Recording()
    with pytest.raises(ReidDeskError, match="cannot be written"):
        run_job(JobSpec("embed", str(searchable_site.path), {}, run.id), reporter)
    assert reporter.kinds == ["hello", "failed"]
    assert reporter.events[1].category == "input"
    kept = searchable_site.run(run.id)
    assert (kept.state, kept.message) == ("failed", reporter.events[1].message)


def test_a_run_whose_log_cannot_be_written_has_failed_and_is_free_again(searchable_site: Site):
    class NoLog(Recording):
        def log_to(self, path: Path) -> None:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))

    reporter = NoLog()
    with pytest.raises(ReidDeskError, match="cannot be written"):
        run_job(spec("embed", searchable_site), reporter)
    assert reporter.kinds == ["hello", "failed"]
    assert reporter.events[1].category == "disk"
    (run,) = searchable_site.runs()
    assert run.state == "failed"
    assert not run_lock.is_held(run.folder)
