"""Makes a demo site: three clips of rendered people, the truth about them, and a labelled source."""

from __future__ import annotations

import multiprocessing
import queue
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np

from reid_desk.demo.film import film_to, frame_count
from reid_desk.demo.people import AUTUMN, Person, draw_people
from reid_desk.demo.settings import CameraSettings, DemoSettings
from reid_desk.demo.source_set import write_source
from reid_desk.demo.truth import write_truth
from reid_desk.reporting import Reporter

REPORT_EVERY = 20
POLL_SECONDS = 0.25
SOURCE_IMAGE_COST = 0.6
"""What a source image costs to make, in frames of a clip."""


@dataclass(frozen=True)
class DemoFootage:
    """What :func:`generate` made.

    Attributes:
        clips: The clip (mp4) of each camera, by the camera's name.
        started_at: When each clip starts, seconds since the epoch (UTC).
        source: Folder of the labelled source, ``<identity>/<camera>/*.jpg``.
        truth: CSV for :func:`reid_desk.demo.truth.read_truth`.
    """

    clips: dict[str, Path]
    started_at: dict[str, float]
    source: Path
    truth: Path


@dataclass(frozen=True)
class _Task:
    """A camera's clip, or the source where ``camera`` is ``None``."""

    camera: CameraSettings | None
    people: tuple[Person, ...]
    out: Path
    settings: DemoSettings
    seed: int
    steps: int


class _OwnerGone(Exception):  # noqa: N818 - an outcome, not a fault
    """The process that asked for the work has ended."""


def generate(
    out: Path, *, seed: int = 0, settings: DemoSettings | None = None, reporter: Reporter
) -> DemoFootage:
    """Render a demo site into the folder ``out``; the same ``seed`` and ``settings`` give the same site.

    Raises:
        Whatever ``reporter.check_cancelled`` raises, soon after it was asked to; the rendering stops then.
    """
    settings = settings or DemoSettings()
    footage = _plan(out, settings)
    footage.source.mkdir(parents=True, exist_ok=True)
    people = draw_people(
        settings.people, AUTUMN, np.random.default_rng([seed, 1]), lookalikes=settings.lookalikes
    )
    tasks = _tasks(out, people, settings, seed)
    reporter.phase("render", "Drawing the demo's footage")
    seen = _carry_out(tasks, settings.processes, reporter)
    rows = [
        (footage.clips[camera.name].name, frame, person.identity, person.box, person.visible)
        for camera in settings.cameras
        for frame, person in seen[camera.name]
    ]
    write_truth(footage.truth, rows)
    return footage


def _plan(out: Path, settings: DemoSettings) -> DemoFootage:
    return DemoFootage(
        clips={camera.name: out / f"{camera.name}.mp4" for camera in settings.cameras},
        started_at={camera.name: settings.started_at + camera.delay for camera in settings.cameras},
        source=out / "source",
        truth=out / "truth.csv",
    )


def _tasks(out: Path, people: tuple[Person, ...], settings: DemoSettings, seed: int) -> list[_Task]:
    tasks = [
        _Task(camera, people, out, settings, seed, frame_count(people, camera, settings, seed))
        for camera in settings.cameras
    ]
    images = settings.source_people * settings.source_images * len(settings.source_cameras)
    return [*tasks, _Task(None, (), out, settings, seed, images)]


def _carry_out(tasks: list[_Task], processes: int, reporter: Reporter) -> dict[str, Any]:
    total, done = sum(task.steps for task in tasks), 0

    def advance(steps: int) -> None:
        nonlocal done
        done += steps
        reporter.progress(done, total)
        reporter.check_cancelled()

    if processes > 1:
        return _in_processes(tasks, processes, advance)
    results: dict[str, Any] = {}
    for task in tasks:
        results.update(_perform(task, advance))
    return results


def _perform(task: _Task, advance: Callable[[int], None]) -> dict[str, Any]:
    """Carry out ``task``; the people seen, by the camera's name."""
    pending = 0

    def step() -> None:
        nonlocal pending
        pending += 1
        if pending == REPORT_EVERY:
            pending = 0
            advance(REPORT_EVERY)

    if task.camera is None:
        write_source(task.out / "source", task.settings, task.seed, step)
        result: dict[str, Any] = {}
    else:
        path = task.out / f"{task.camera.name}.mp4"
        seen = film_to(path, task.people, task.camera, task.settings, seed=task.seed, on_frame=step)
        result = {task.camera.name: seen}
    if pending:
        advance(pending)
    return result


def _in_processes(tasks: list[_Task], processes: int, advance: Callable[[int], None]) -> dict[str, Any]:
    """Spread ``tasks`` over child processes. Spawned, never forked: the owner may hold threads and a GPU."""
    context = multiprocessing.get_context("spawn")
    messages = context.Queue()
    workers: list[BaseProcess] = [
        context.Process(target=_work, args=(share, messages), daemon=True)
        for share in _shares(tasks, processes)
    ]
    results: dict[str, Any] = {}
    try:
        for worker in workers:
            worker.start()
        finished = 0
        while finished < len(workers):
            kind, value = _next_message(messages, workers)
            finished += kind == "finished"
            if kind == "result":
                results.update(value)
            if kind == "failed":
                raise RuntimeError(f"a demo renderer failed:\n{value}")
            advance(value if kind == "advance" else 0)
    finally:
        for worker in workers:
            worker.terminate()
            worker.join()
    return results


def _next_message(messages: Any, workers: list[BaseProcess]) -> tuple[str, Any]:
    """The next message, or an idle one after a while, so that the owner can look for a cancel."""
    try:
        message: tuple[str, Any] = messages.get(timeout=POLL_SECONDS)
    except queue.Empty:
        broken = [worker.exitcode for worker in workers if worker.exitcode]
        if broken:
            raise RuntimeError(f"a demo renderer died with exit code {broken[0]}") from None
        return "idle", None
    return message


def _shares(tasks: list[_Task], count: int) -> list[list[_Task]]:
    """Tasks spread so that all shares cost about the same, the largest first."""
    shares: list[list[_Task]] = [[] for _ in range(min(count, len(tasks)))]
    costs = [0.0] * len(shares)
    for task in sorted(tasks, key=_cost, reverse=True):
        lightest = costs.index(min(costs))
        shares[lightest].append(task)
        costs[lightest] += _cost(task)
    return shares


def _cost(task: _Task) -> float:
    if task.camera is None:
        return task.steps * SOURCE_IMAGE_COST
    return task.steps * (0.4 + task.camera.width * task.camera.height / 500_000)


def _work(tasks: list[_Task], messages: Any) -> None:
    """A child process: carry out ``tasks`` and tell the owner."""
    owner = multiprocessing.parent_process()

    def advance(steps: int) -> None:
        if owner is not None and not owner.is_alive():
            raise _OwnerGone
        messages.put(("advance", steps))

    try:
        for task in tasks:
            messages.put(("result", _perform(task, advance)))
    except _OwnerGone:
        messages.cancel_join_thread()
        return
    except Exception:  # noqa: BLE001 - told to the owner, which raises it
        messages.put(("failed", traceback.format_exc()))
        return
    messages.put(("finished", None))
