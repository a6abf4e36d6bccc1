"""Import: clips -> people found in them -> tracks and crops in the site.

Each clip is one transaction, and a clip that fails does not end the others. A clip whose bytes the site has
already is skipped, so that an import which was cut off is simply done again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reid_desk.errors import FootageError, ReidDeskError
from reid_desk.footage.analyse import ClipAnalysis, analyse
from reid_desk.footage.clips import (
    DEFAULT_FRAMES_FPS,
    ClipInfo,
    ClipSource,
    Refused,
    find_clips,
    probe,
    sha256,
)
from reid_desk.footage.detectors import NAMES, Detector, open_detector
from reid_desk.footage.detectors.weights import TABLE, cache_folder
from reid_desk.jobs import clip_lock
from reid_desk.jobs.embed import embed_missing
from reid_desk.jobs.reporters import EventReporter
from reid_desk.site import Box, Clip, NewCrop, NewTrack, Run, Site, check_start, checked_name


@dataclass(frozen=True)
class ImportSettings:
    """How clips are imported.

    Attributes:
        camera: the name of the camera that recorded them; made if the site has none of that name.
        detector: ``motion`` or ``yolox``.
        weights: the detector's network, if it is not in the cache folder.
        started_at: UTC seconds since the epoch of the first frame; ``None`` takes it from the clip.
        fps: frames a second to analyse; ``None`` for the detector's usual rate.
        frames_fps: frames a second of folders of frames, which do not say so themselves.
    """

    camera: str
    detector: str = "motion"
    weights: Path | None = None
    started_at: float | None = None
    fps: float | None = None
    frames_fps: float = DEFAULT_FRAMES_FPS


def run(site: Site, _run: Run, arguments: Mapping[str, Any], reporter: EventReporter) -> dict[str, Any]:
    """Do the job; see :class:`reid_desk.jobs.spec.JobSpec` for its arguments.

    Returns ``{"imported", "skipped", "refused", "tracks", "crops", "detector", "clips": [...]}``.

    Raises:
        ReidDeskError: the arguments make no sense, or not one clip could be imported.
    """
    settings = settings_from(arguments)
    reporter.message(f"People are found by the detector {settings.detector}.")
    result = import_clips(site, [Path(path) for path in arguments["paths"]], settings, reporter)
    embed_with_current(site, reporter)
    return result


def check(arguments: Mapping[str, Any]) -> None:
    """Look at the arguments and the footage without a site.

    Raises:
        ReidDeskError: an import with these arguments could not succeed.
    """
    settings_from(arguments)
    sources, refused = find_clips([Path(path) for path in arguments["paths"]])
    if not sources:
        raise FootageError(_nothing_imported(refused))


def settings_from(arguments: Mapping[str, Any]) -> ImportSettings:
    """Check the arguments of an import.

    Raises:
        ReidDeskError: one is missing or impossible.
    """
    camera = str(arguments.get("camera") or "").strip()
    if not camera:
        raise ReidDeskError("Footage needs a camera: say which one recorded it (--camera NAME).")
    checked_name(camera, "camera")
    if not arguments.get("paths"):
        raise ReidDeskError("There is nothing to import: give clips, or folders of clips.")
    weights = Path(arguments["detector_weights"]) if arguments.get("detector_weights") else None
    fps = arguments.get("fps")
    if fps is not None and not 0 < fps <= 1000:
        raise ReidDeskError(f"{fps} frames a second cannot be analysed. Give a number above 0, such as 5.")
    frames_fps = arguments.get("frames_fps")
    if frames_fps is not None and not 0 < frames_fps <= 1000:
        raise ReidDeskError(
            f"No camera takes {frames_fps} frames a second. Give a number above 0, such as 25."
        )
    if arguments.get("started_at") is not None:
        check_start(arguments["started_at"])
    detector = arguments.get("detector") or default_detector(weights)
    return ImportSettings(
        camera,
        _known(detector, weights),
        weights,
        arguments.get("started_at"),
        fps,
        frames_fps or DEFAULT_FRAMES_FPS,
    )


def default_detector(weights: Path | None) -> str:
    """``yolox`` where its weights are at hand, else ``motion``, which needs none."""
    at_hand = weights is not None or (cache_folder() / TABLE["yolox_nano"].file_name).is_file()
    return "yolox" if at_hand else "motion"


def import_clips(
    site: Site, paths: Sequence[Path], settings: ImportSettings, reporter: EventReporter
) -> dict[str, Any]:
    """Import every clip behind ``paths``; see :func:`run` for the result.

    Raises:
        ReidDeskError: not one clip could be imported.
    """
    reporter.phase("look", "Looking at the footage")
    sources, refused = find_clips(paths)
    if not sources:
        raise FootageError(_nothing_imported(refused))
    for refusal in refused:
        reporter.message(f"{refusal.path}: {refusal.reason}", level="warning")
    if settings.started_at is not None and len(sources) > 1:
        raise ReidDeskError(
            f"A given start is the start of one clip, and here are {len(sources)}. Import them one by one."
        )
    detector = open_detector(settings.detector, settings.weights)
    done = []
    for number, source in enumerate(sources, 1):
        reporter.check_cancelled()
        reporter.phase("import", f"Clip {number} of {len(sources)}: {source.path.name}")
        try:
            done.append(_import_clip(site, source, detector, settings, reporter))
        except FootageError as error:
            refused.append(Refused(source.path, str(error).removeprefix(f"{source.path}: ")))
            reporter.message(str(error), level="warning")
    if not done:
        raise FootageError(_nothing_imported(refused))
    return _summary(done, refused, settings)


def embed_with_current(site: Site, reporter: EventReporter) -> None:
    """Make new crops searchable at once, if the site has a model already."""
    model = site.current_model()
    if model is not None:
        embed_missing(site, model, reporter)


def _import_clip(
    site: Site, source: ClipSource, detector: Detector, settings: ImportSettings, reporter: EventReporter
) -> dict[str, Any]:
    digest = sha256(source.path, check_cancelled=reporter.check_cancelled)
    with clip_lock.hold(site.path, source.path, digest):
        return _import_new(site, source, digest, detector, settings, reporter)


def _import_new(  # noqa: PLR0917
    site: Site,
    source: ClipSource,
    digest: str,
    detector: Detector,
    settings: ImportSettings,
    reporter: EventReporter,
) -> dict[str, Any]:
    began = time.monotonic()
    known = site.clip_by_sha256(digest)
    if known is not None and known.state == "imported":
        reporter.message(f"{source.path.name} is in the site already, as clip {known.id} of {known.camera}.")
        return {"path": str(source.path), "clip": known.id, "camera": known.camera, "state": "skipped"}
    info = probe(source, frames_fps=settings.frames_fps)
    clip_id = _begin(site, info, digest, settings)
    try:
        analysis = _analyse(info, detector, settings, reporter)
        site.finish_clip(clip_id, new_tracks(analysis), frames=analysis.frames, duration=analysis.duration)
    except FootageError as error:
        site.fail_clip(clip_id, str(error))
        raise
    except BaseException:
        site.remove_clip(clip_id)
        raise
    for warning in analysis.warnings:
        reporter.message(f"{source.path.name}: {warning}", level="warning")
    clip = site.clip(clip_id)
    reporter.message(f"{source.path.name}: {clip.tracks:,} tracks, {clip.crops:,} crops.")
    return _told(clip, time.monotonic() - began)


def _begin(site: Site, info: ClipInfo, digest: str, settings: ImportSettings) -> int:
    given = settings.started_at
    return site.begin_clip(
        settings.camera,
        info.path.resolve(),
        sha256=digest,
        size=info.size,
        started_at=info.started_at if given is None else given,
        started_from=info.started_from if given is None else "given",
        fps=info.fps,
        width=info.width,
        height=info.height,
        detector=settings.detector,
    )


def _analyse(
    info: ClipInfo, detector: Detector, settings: ImportSettings, reporter: EventReporter
) -> ClipAnalysis:
    def on_progress(done: int, total: int | None) -> None:
        reporter.check_cancelled()
        reporter.progress(done, total)

    started_at = info.started_at if settings.started_at is None else settings.started_at
    return analyse(info, detector, started_at=started_at, analysed_fps=settings.fps, on_progress=on_progress)


def new_tracks(analysis: ClipAnalysis) -> list[NewTrack]:
    """What was found in a clip, as the site stores it."""
    return [
        NewTrack(
            [Box(*row) for row in track.boxes.tolist()],
            [
                NewCrop(
                    frame=crop.frame,
                    time=crop.time,
                    left=crop.left,
                    top=crop.top,
                    width=crop.width,
                    height=crop.height,
                    score=crop.score,
                    quality=crop.quality,
                    jpeg=crop.jpeg,
                )
                for crop in track.crops
            ],
        )
        for track in analysis.tracks
    ]


def _told(clip: Clip, seconds: float) -> dict[str, Any]:
    return {
        "path": clip.path,
        "clip": clip.id,
        "camera": clip.camera,
        "state": "imported",
        "tracks": clip.tracks,
        "crops": clip.crops,
        "frames": clip.frames,
        "duration": clip.duration,
        "seconds": round(seconds, 3),
    }


def _nothing_imported(refused: Sequence[Refused]) -> str:
    first = f"{refused[0].path}: {refused[0].reason}"
    if len(refused) == 1:
        return first
    return f"None of {len(refused)} paths could be imported; the first, {first}"


def _summary(
    done: Sequence[dict[str, Any]], refused: Sequence[Refused], settings: ImportSettings
) -> dict[str, Any]:
    imported = [clip for clip in done if clip["state"] == "imported"]
    return {
        "imported": len(imported),
        "skipped": len(done) - len(imported),
        "refused": [{"path": str(refusal.path), "reason": refusal.reason} for refusal in refused],
        "tracks": sum(clip["tracks"] for clip in imported),
        "crops": sum(clip["crops"] for clip in imported),
        "detector": settings.detector,
        "clips": list(done),
    }


def _known(detector: str, weights: Path | None) -> str:
    if detector not in NAMES:
        raise ReidDeskError(f"There is no detector {detector!r}; there are {' and '.join(NAMES)}.")
    if weights is not None and detector != "yolox":
        raise ReidDeskError(f"The detector {detector} takes no weights. Leave them out, or choose yolox.")
    return detector
