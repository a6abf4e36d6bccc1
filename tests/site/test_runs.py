from __future__ import annotations

import os

import pytest

from reid_desk.errors import SiteError
from reid_desk.site import Site


def test_a_run_has_a_folder_and_remembers_what_was_asked(site: Site) -> None:
    run = site.start_run("adapt", {"preset": "compact", "cameras": ["door"]})

    assert run.folder == site.path / "runs" / run.id
    assert run.folder.is_dir()
    assert run.id.endswith("-adapt")
    assert (run.kind, run.state, run.pid) == ("adapt", "starting", os.getpid())
    assert run.spec == {"preset": "compact", "cameras": ["door"]}
    assert (run.report, run.message, run.finished_at) == (None, None, None)
    assert site.run(run.id) == run


def test_what_is_not_told_anew_stays(site: Site) -> None:
    run = site.start_run("embed", {})
    site.update_run(run.id, "running", pid=4711)
    site.update_run(run.id, "cancelling", message="asked to stop")
    done = site.update_run(run.id, "finished", report={"crops": 12})

    assert (done.state, done.pid, done.message, done.report) == (
        "finished",
        4711,
        "asked to stop",
        {"crops": 12},
    )
    assert done.finished_at is not None
    assert done.finished_at >= done.started_at


def test_a_run_that_is_resumed_is_not_finished_any_more(site: Site) -> None:
    run = site.start_run("adapt", {})
    assert site.update_run(run.id, "interrupted").finished_at is not None
    assert site.update_run(run.id, "running").finished_at is None


def test_runs_started_in_the_same_second_are_told_apart(site: Site) -> None:
    runs = [site.start_run("import", {}) for _ in range(3)] + [site.start_run("adapt", {})]

    assert len({run.id for run in runs}) == 4
    assert [run.id for run in site.runs()] == [run.id for run in reversed(runs)]
    assert [run.id for run in site.runs("adapt")] == [runs[-1].id]


def test_unknown_runs_and_states_are_refused(site: Site) -> None:
    with pytest.raises(SiteError, match="no run 'x'"):
        site.run("x")
    with pytest.raises(SiteError, match="no run 'x'"):
        site.update_run("x", "running")
    run = site.start_run("adapt", {})
    with pytest.raises(ValueError, match="'done' is no state"):
        site.update_run(run.id, "done")
