"""What the pages share: the site and what it holds now, the jobs, the background threads, the undo stack."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QUndoStack

from reid_desk.errors import ReidDeskError
from reid_desk.jobs.events import Event, Hello, Phase, Progress
from reid_desk.jobs.runs import RESUMABLE, can_resume, mark_interrupted
from reid_desk.jobs.spec import JobSpec
from reid_desk.site import Site
from reid_desk.site.records import Camera, Clip, Evaluation, Model, Run, Source
from reid_desk.ui.appearance import Appearance
from reid_desk.ui.background import Background, Latest
from reid_desk.ui.job_queue import Job, JobQueue
from reid_desk.ui.models.thumbnails import Thumbnails
from reid_desk.ui.preferences import Preferences
from training.errors import TrainingError

_REFRESH_MS = 700


@dataclass(frozen=True)
class Summary:
    """What a site holds, apart from its crops: read in one go, shown by every page.

    ``evaluation_set`` is the one of ``evaluation_sets`` that models are measured on, ``resumable`` the newest of
    ``adaptations`` if it was cut off and can go on.
    """

    cameras: tuple[Camera, ...] = ()
    clips: tuple[Clip, ...] = ()
    sources: tuple[Source, ...] = ()
    evaluation_sets: tuple[Source, ...] = ()
    evaluation_set: Source | None = None
    models: tuple[Model, ...] = ()
    current_model: Model | None = None
    evaluations: tuple[Evaluation, ...] = ()
    adaptations: tuple[Run, ...] = ()
    resumable: Run | None = None

    @property
    def crops(self) -> int:
        """How many crops all clips hold."""
        return sum(clip.crops for clip in self.clips)

    @classmethod
    def read(cls, site: Site) -> Summary:
        """Read the summary of ``site``."""
        adaptations = tuple(run for run in site.runs() if run.kind in ("adapt", "demo"))
        return cls(
            cameras=tuple(site.cameras()),
            clips=tuple(site.clips()),
            sources=tuple(site.sources()),
            evaluation_sets=tuple(site.sources(role="evaluation")),
            evaluation_set=site.evaluation_set(),
            models=tuple(site.models()),
            current_model=site.current_model(),
            evaluations=tuple(site.evaluations()),
            adaptations=adaptations,
            resumable=next((run for run in adaptations[:1] if _can_go_on(run)), None),
        )


class Desk(QObject):
    """One site under work.

    Attributes:
        site: the site; reads of more than a few rows go through ``background``.
        summary: what it held when it was read last.
        jobs: the work outside this process.
        background: the threads for short work.
        thumbnails: crops as small pictures.
        appearance, preferences, undo: as they are called.

    Signals:
        refreshed: ``summary`` was read again.
        problem: a message for the operator, a level (``info``, ``warning``, ``bad``), details.
    """

    refreshed = Signal()
    problem = Signal(str, str, str)

    def __init__(self, site: Site, appearance: Appearance, preferences: Preferences, jobs: JobQueue) -> None:
        super().__init__()
        self.site = site
        self.appearance = appearance
        self.preferences = preferences
        self.summary = Summary.read(site)
        self.undo = QUndoStack(self)
        self.background = Background(self)
        self.thumbnails = Thumbnails(site.crop_images, self)
        self.jobs = jobs
        jobs.setParent(self)
        self.jobs.ended.connect(self._job_ended)
        self._reading = Latest(self.background)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_REFRESH_MS)
        self._soon.timeout.connect(self.refresh)

    def refresh(self) -> None:
        """Read the summary again; ``refreshed`` tells when it is there."""
        self._reading.run(lambda: Summary.read(self.site), self._take)

    def settle(self) -> None:
        """Note which runs and clips nobody works on any more, then read the summary again."""

        def failed(error: Exception) -> None:
            self.show_error(error)
            self.refresh()

        self.background.run(lambda: mark_interrupted(self.site), lambda _: self.refresh(), failed)

    def start_job(self, kind: str, title: str, **arguments: Any) -> Job:
        """Queue a job of this site."""
        run_id = arguments.pop("run_id", None)
        job = self.jobs.submit(JobSpec(kind, str(self.site.path), arguments, run_id), title)
        job.told.connect(self._job_told)
        return job

    def use_model(self, model: Model) -> None:
        """Search with ``model``: at once if it has seen every crop, else by a job that shows it the others first.

        An earlier change that is not done yet is called off.
        """
        for job in self.jobs.jobs():
            if changes_model(job):
                self.jobs.cancel(job)

        def done_or_queue(done: bool) -> None:
            if done:
                self.refresh()
            else:
                title = self.tr("Change to {model}").format(model=model.name)
                self.start_job("embed", title, model=model.id, use=True)

        self.ask(lambda: self.site.use_complete_model(model.id), done_or_queue)

    def ask(self, work: Callable[[], Any], on_result: Callable[[Any], None]) -> None:
        """Do short work in the background; what the operator can mend of its errors is shown as a message."""
        self.background.run(work, on_result, self.show_error)

    def change(self, write: Callable[[], Any]) -> None:
        """Write to the site in the background, then read the summary again."""
        self.ask(write, lambda _: self.refresh())

    def show_error(self, error: Exception) -> None:
        """Show what went wrong: in one line if the operator can mend it, else as any uncaught exception."""
        if isinstance(error, ReidDeskError | TrainingError | OSError):
            self.problem.emit(str(error), "warning", "")
        else:
            sys.excepthook(type(error), error, error.__traceback__)

    def close(self) -> None:
        """Let go of the site."""
        self.thumbnails.close()
        self.background.shut_down()
        self.jobs.kill()
        self.site.close()

    def _take(self, summary: Summary) -> None:
        self.summary = summary
        self.refreshed.emit()

    def _job_told(self, event: Event) -> None:
        if isinstance(event, Hello | Phase | Progress) and not self._soon.isActive():
            self._soon.start()

    def _job_ended(self, job: Job) -> None:
        self.settle()
        outcome = job.outcome
        if outcome is not None and outcome.state == "failed":
            text = " ".join(filter(None, (f"{job.title}: {outcome.message}", outcome.hint)))
            self.problem.emit(text, "warning" if outcome.category == "input" else "bad", outcome.details)


def _can_go_on(run: Run) -> bool:
    # A demo goes on with its footage, too: it cannot be started anew on a site that holds clips already.
    return can_resume(run) or (run.kind == "demo" and run.state in RESUMABLE)


def changes_model(job: Job) -> bool:
    """Whether ``job`` ends with searches by another model."""
    return job.spec.kind == "embed" and bool(job.spec.arguments.get("use"))
