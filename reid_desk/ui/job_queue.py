"""The jobs of this desk: one works, the others wait."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, Signal

from reid_desk.jobs.events import Event, Hello, Message, Paused, Phase, Progress, Resumed
from reid_desk.jobs.spec import JobSpec, worker_command
from reid_desk.ui.job_runner import JobOutcome, JobRunner

JobState = Literal[
    "queued", "starting", "running", "pausing", "paused", "cancelling", "finished", "failed", "cancelled"
]
ENDED: frozenset[str] = frozenset({"finished", "failed", "cancelled"})
HELD: frozenset[str] = frozenset({"pausing", "paused", "cancelling"})
"""States that say more than the phase that the job is in."""
WorkerCommand = Callable[[Path], list[str]]
"""Turns a job file into the command that carries it out."""
_LOG_LENGTH = 500
_FAIR_SAMPLE_S = 2.0


class Job(QObject):
    """One job as the window sees it.

    Attributes:
        spec: what it is to do.
        title: what it is called in the window.
        state: where it stands.
        phase: the phase it told last, in words.
        done, total: steps of that phase; ``total`` is ``None`` where it is not known.
        run_id: the run it works on, once it has told.
        outcome: how it ended, once it has.
        log: its last messages.

    Signals:
        changed: any of the attributes did.
        told: an event of the worker.
        ended: it finished, failed or was cancelled.
    """

    changed = Signal()
    told = Signal(object)
    ended = Signal(object)

    def __init__(self, spec: JobSpec, title: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.spec = spec
        self.title = title
        self.state: JobState = "queued"
        self.phase = ""
        self.done = 0
        self.total: int | None = None
        self.run_id = spec.run_id
        self.outcome: JobOutcome | None = None
        self.log: deque[Message] = deque(maxlen=_LOG_LENGTH)
        self._phase_began = time.monotonic()
        self._paused_at: float | None = None

    @property
    def time_left(self) -> float | None:
        """Seconds until the current phase ends at the present pace; ``None`` while that cannot be told."""
        spent = time.monotonic() - self._phase_began
        if not self.total or not self.done or spent < _FAIR_SAMPLE_S:
            return None
        return spent / self.done * max(self.total - self.done, 0)

    def take(self, event: Event) -> None:
        """Take in what the worker told."""
        match event:
            case Hello(run=run):
                self.run_id = run or self.run_id
                self.set_state("running")
            case Phase(text=text):
                self.phase, self.done, self.total = text, 0, None
                self._phase_began = time.monotonic()
            case Progress(done=done, total=total):
                self.done, self.total = done, total
            case Message():
                self.log.append(event)
            case Paused():
                self._paused_at = time.monotonic()
                self.set_state("paused")
            case Resumed():
                # A pause is no part of the pace.
                if self._paused_at is not None:
                    self._phase_began += time.monotonic() - self._paused_at
                    self._paused_at = None
                self.set_state("running")
        self.told.emit(event)
        self.changed.emit()

    def set_state(self, state: JobState) -> None:
        """Move on to ``state``; a job that is being cancelled stays so until it ends."""
        if self.state == "cancelling" and state not in ENDED:
            return
        self.state = state
        self.changed.emit()


class JobQueue(QObject):
    """Runs jobs one after the other.

    Signals:
        changed: a job was added, moved on or ended.
        ended: the :class:`Job` that did.
    """

    changed = Signal()
    ended = Signal(object)

    def __init__(self, *, command: WorkerCommand = worker_command) -> None:
        super().__init__()
        self._command = command
        self._waiting: deque[Job] = deque()
        self._runner: JobRunner | None = None
        self.current: Job | None = None

    def submit(self, spec: JobSpec, title: str) -> Job:
        """Queue ``spec``; it starts at once if nothing else works."""
        job = Job(spec, title, self)
        job.changed.connect(self.changed)
        self._waiting.append(job)
        self._start_next()
        self.changed.emit()
        return job

    def jobs(self) -> list[Job]:
        """Return the job that works, then those that wait."""
        return [*([self.current] if self.current else []), *self._waiting]

    def cancel(self, job: Job) -> None:
        """Stop ``job``, or take it out of the queue if it has not started."""
        if job is self.current and self._runner is not None:
            job.set_state("cancelling")
            self._runner.cancel()
        elif job in self._waiting:
            self._waiting.remove(job)
            self._end(job, JobOutcome("cancelled"))

    def pause(self, job: Job) -> None:
        """Let ``job`` stand still as soon as it can; it keeps its memory."""
        if job is self.current and self._runner is not None and job.state == "running":
            job.set_state("pausing")
            self._runner.send("pause")

    def go_on(self, job: Job) -> None:
        """Let a paused ``job`` work again."""
        if job is self.current and self._runner is not None and job.state in ("pausing", "paused"):
            if job.state == "pausing":
                job.set_state("running")
            self._runner.send("resume")

    def cancel_all(self) -> None:
        """Stop everything."""
        for job in reversed(self.jobs()):
            self.cancel(job)

    def kill(self) -> None:
        """End the working job at once, with whatever it started; only for when the window itself goes."""
        if self._runner is not None:
            self._runner.kill()

    def _start_next(self) -> None:
        if self.current is not None or not self._waiting:
            return
        job = self._waiting.popleft()
        runner = JobRunner(job.spec, command=self._command, parent=self)
        self.current, self._runner = job, runner
        runner.told.connect(job.take)
        runner.finished.connect(self._finished)
        job.set_state("starting")
        runner.start()

    def _finished(self, outcome: JobOutcome) -> None:
        job, runner = self.current, self._runner
        self.current = self._runner = None
        if runner is not None:
            runner.deleteLater()
        if job is not None:
            self._end(job, outcome)
        self._start_next()

    def _end(self, job: Job, outcome: JobOutcome) -> None:
        job.outcome = outcome
        job.set_state(outcome.state)
        job.ended.emit(outcome)
        self.ended.emit(job)
        self.changed.emit()
