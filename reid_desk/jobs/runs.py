"""The runs of a site as jobs see them: which one to go on with, and which were cut off."""

from __future__ import annotations

from reid_desk.errors import ReidDeskError
from reid_desk.jobs import run_lock
from reid_desk.jobs.spec import JobSpec
from reid_desk.site import Clip, Run, Site

AT_WORK = frozenset({"starting", "running", "cancelling"})
RESUMABLE = frozenset({"interrupted", "cancelled", "failed"})
_WITH_CLIPS = frozenset({"import", "demo"})
_BEGUN = "settings.json"
"""What training writes into its folder first."""
CUT_OFF = "Its import was interrupted. Import the clip again."
INTERRUPTED = "The process that worked on it ended without a word. What it had saved is kept."


def begin_run(site: Site, spec: JobSpec) -> Run:
    """The run that ``spec`` asks for: a given one, one to go on with, or a new one.

    Raises:
        ReidDeskError: there is nothing to go on with, or the job differs from what was begun.
    """
    if spec.run_id is not None:
        return _given(site.run(spec.run_id), spec)
    if spec.arguments.get("resume"):
        mark_interrupted(site)
        return _newest_unfinished(site, spec)
    return site.start_run(spec.kind, spec.as_dict())


def arguments_of(run: Run, spec: JobSpec) -> dict[str, object]:
    """What the job is to do: as the run was begun if it is resumed, else as asked now.

    Raises:
        ReidDeskError: a resumed run is asked to do something else than it began with.
    """
    if not spec.arguments.get("resume"):
        return spec.arguments
    begun = {name: value for name, value in run.spec.get("arguments", {}).items() if value is not None}
    for name, value in spec.arguments.items():
        if name != "resume" and value is not None and begun.get(name, value) != value:
            raise ReidDeskError(
                f"Run {run.id} was begun with {name} {begun[name]!r} and cannot go on with {value!r}. "
                f"Leave {name} out, or start a new run."
            )
    return {**spec.arguments, **begun, "resume": True}


def mark_interrupted(site: Site) -> list[Run]:
    """Find the runs whose process is gone, mark them ``interrupted``, and return them.

    Clips that nobody imports any more are marked ``failed``, with what to do about it.
    """
    gone, clips = cut_off_runs(site), cut_off_clips(site)
    for run in gone:
        site.update_run(run.id, "interrupted", message=INTERRUPTED)
    for clip in clips:
        site.fail_clip(clip.id, CUT_OFF)
    return gone


def cut_off_runs(site: Site) -> list[Run]:
    """The runs that are noted as being at work while their process is gone."""
    return [run for run in site.runs() if run.state in AT_WORK and not run_lock.is_held(run.folder)]


def cut_off_clips(site: Site) -> list[Clip]:
    """The clips that are noted as being imported while nobody imports anything."""
    gone = {run.id for run in cut_off_runs(site)}
    at_work = (run for run in site.runs() if run.state in AT_WORK and run.id not in gone)
    if any(run.kind in _WITH_CLIPS for run in at_work):
        return []
    return [clip for clip in site.clips() if clip.state == "importing"]


def can_resume(run: Run) -> bool:
    """Whether a run that did not finish had begun to train, so that there is something to go on with."""
    return run.state in RESUMABLE and (run.folder / _BEGUN).is_file()


def _given(run: Run, spec: JobSpec) -> Run:
    if run.kind != spec.kind or run.state == "finished":
        raise ReidDeskError(
            f"Run {run.id} is {run.kind}, {run.state}: it cannot go on as {spec.kind}. Start a new run."
        )
    return run


def _newest_unfinished(site: Site, spec: JobSpec) -> Run:
    runs = [run for run in site.runs(spec.kind) if can_resume(run)]
    if not runs:
        raise ReidDeskError(
            f"No {spec.kind} run of this site was left unfinished, so there is nothing to resume. "
            "Start one without resuming."
        )
    return max(runs, key=lambda run: run.started_at)
