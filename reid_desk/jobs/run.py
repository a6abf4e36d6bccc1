"""Carry out a job in this process: in the worker, or in the foreground of a command line."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack, closing
from importlib import import_module
from pathlib import Path
from typing import Any

from reid_desk.errors import ReidDeskError
from reid_desk.jobs import run_lock
from reid_desk.jobs.events import Cancelled, Event, Finished, Hello, Phase
from reid_desk.jobs.failures import CANCELLATIONS, failure_of
from reid_desk.jobs.reporters import EventReporter
from reid_desk.jobs.runs import arguments_of, begin_run
from reid_desk.jobs.spec import JobSpec
from reid_desk.site import Run, Site

Work = Callable[[Site, Run, dict[str, Any], EventReporter], dict[str, Any]]

_MODULES = {
    "import": "import_footage",
    "embed": "embed",
    "adapt": "adapt",
    "evaluate": "evaluate",
    "demo": "demo",
}

_MAKE_A_SITE = frozenset({"import", "demo"})


def run_job(spec: JobSpec, reporter: EventReporter) -> dict[str, Any]:
    """Do what ``spec`` says and return its result.

    Every event goes to ``reporter`` and into the run's ``events.jsonl``; the run's state in the site is final
    before the last event is told. What the work raises is raised here, after it was told.
    """
    # Waiting threads sleep instead of spinning: a job always has the desk beside it (docs/decisions/0002). Read
    # when the job loads torch.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        site = _open_site(spec)
    except BaseException as error:
        _refuse(spec, error, reporter)
        raise
    with closing(site):
        try:
            run = begin_run(site, spec)
            arguments = arguments_of(run, spec)
        except BaseException as error:
            _refuse(spec, error, reporter)
            raise
        return _carry_out(site, run, JobSpec(spec.kind, spec.site, arguments, run.id), reporter)


def _open_site(spec: JobSpec) -> Site:
    path = Path(spec.site)
    # What is to be resumed lies in a site that is there.
    if spec.kind not in _MAKE_A_SITE or spec.arguments.get("resume"):
        return Site.open(path)
    if spec.kind == "import" and not path.exists():
        # A wrong path of footage must not leave a new, empty site behind.
        from reid_desk.jobs.import_footage import check  # noqa: PLC0415 - cv2

        check(spec.arguments)
    return Site.open_or_create(path)


def _refuse(spec: JobSpec, error: BaseException, reporter: EventReporter) -> None:
    reporter.emit(Hello(os.getpid(), spec.kind, spec.run_id))
    reporter.emit(Cancelled() if isinstance(error, CANCELLATIONS) else failure_of(error))


def _carry_out(site: Site, run: Run, spec: JobSpec, reporter: EventReporter) -> dict[str, Any]:
    with ExitStack() as held:
        try:
            _take_hold(run, reporter, held)
        except run_lock.RunBusyError as error:  # the run is another process's, and so is its state
            _refuse(spec, error, reporter)
            raise
        except BaseException as error:
            try:
                site.update_run(run.id, "failed", message=failure_of(error).message)
            finally:
                _refuse(spec, error, reporter)
            raise
        reporter.emit(Hello(os.getpid(), spec.kind, run.id))
        reporter.emit(Phase("start", "Starting"))
        return _work_through(site, run, spec, reporter)


def _take_hold(run: Run, reporter: EventReporter, held: ExitStack) -> None:
    try:
        held.enter_context(run_lock.hold(run.folder))
        reporter.log_to(run.folder / "events.jsonl")
    except OSError as error:
        raise ReidDeskError(
            f"The run's folder {run.folder} cannot be written ({error.strerror}). Check that it is there, its "
            "permissions, and the space on its disk."
        ) from error
    held.callback(reporter.close_log)


def _work_through(site: Site, run: Run, spec: JobSpec, reporter: EventReporter) -> dict[str, Any]:
    def end(
        state: str, event: Event, *, message: str | None = None, report: dict[str, Any] | None = None
    ) -> None:
        try:
            site.update_run(run.id, state, message=message, report=report)
        finally:
            reporter.emit(event)

    try:
        # A resumed run must not go on telling why it failed the last time.
        site.update_run(run.id, "running", pid=os.getpid(), message="" if run.message else None)
        reporter.check_cancelled()
        result = _work_of(spec.kind)(site, run, spec.arguments, reporter)
    except CANCELLATIONS:
        end("cancelled", Cancelled())
        raise
    except BaseException as error:
        failure = failure_of(error)
        end("failed", failure, message=failure.message)
        raise
    end("finished", Finished(result), report=result)
    return result


def _work_of(kind: str) -> Work:
    # By name and only now: some kinds import torch, which the others need not wait for.
    work: Work = import_module(f"reid_desk.jobs.{_MODULES[kind]}").run
    return work
