"""``reid-desk clip list``, ``remove`` and ``edit``: the clips of a site, and what is wrong about them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reid_desk.cli.answer import Answer, Commands, add_json_option, local_time, moment, table, utc_time
from reid_desk.errors import ReidDeskError

if TYPE_CHECKING:
    from reid_desk.site import Clip, Site


def add(commands: Commands[Any]) -> None:
    """Add the command to the parser."""
    clip = commands.add_parser("clip", help="the clips of a site: list, remove, correct them")
    actions = clip.add_subparsers(title="actions", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="list a site's clips with their numbers")
    listing.set_defaults(run=run_list)
    remove = actions.add_parser(
        "remove",
        help="take clips out of a site",
        description="Clips go with their tracks, crops and vectors, and can be imported again. Footage is left alone.",
    )
    remove.set_defaults(run=run_remove)
    edit = actions.add_parser(
        "edit",
        help="correct the camera or the start of clips",
        description="Tracks and crops follow. What else is wrong (the detector, the rate of frames) is "
        "mended by removing the clip and importing it again.",
    )
    edit.set_defaults(run=run_edit)
    for parser in (listing, remove, edit):
        parser.add_argument("site", metavar="SITE", type=Path, help="the site's folder")
        add_json_option(parser)
    for parser in (remove, edit):
        parser.add_argument(
            "clips", metavar="CLIP", type=int, nargs="+", help="a clip's number; see: reid-desk clip list"
        )
    listing.add_argument("--camera", metavar="NAME", help="only of this camera")
    edit.add_argument("--camera", metavar="NAME", help="the camera that recorded them")
    edit.add_argument(
        "--started-at",
        metavar="TIME",
        type=moment,
        help="when the clip begins, as 2026-11-22T14:05:00 in local time, or with an offset such as Z",
    )


def run_list(parsed: argparse.Namespace) -> Answer:
    """List the clips in the order they started."""
    from reid_desk.site import Site  # noqa: PLC0415 - numpy

    with Site.open(parsed.site) as site:
        clips = site.clips(parsed.camera)
    return Answer({"clips": [_row(clip) for clip in clips]}, _told(clips))


def run_remove(parsed: argparse.Namespace) -> Answer:
    """Remove clips, if the site has all of them."""
    from reid_desk.site import Site  # noqa: PLC0415 - numpy

    with Site.open(parsed.site) as site:
        clips = _chosen(site, parsed.clips)
        for clip in clips:
            site.remove_clip(clip.id)
    names = ", ".join(Path(clip.path).name for clip in clips)
    return Answer({"removed": [_row(clip) for clip in clips]}, f"Removed {names}; the footage is left alone.")


def run_edit(parsed: argparse.Namespace) -> Answer:
    """Correct clips, if the site has all of them.

    Raises:
        ReidDeskError: nothing is to be changed, or one start is given for several clips.
    """
    from reid_desk.site import Site  # noqa: PLC0415 - numpy

    if parsed.camera is None and parsed.started_at is None:
        raise ReidDeskError("There is nothing to correct: give --camera NAME or --started-at TIME.")
    if parsed.started_at is not None and len(parsed.clips) > 1:
        raise ReidDeskError("A start is the start of one clip. Correct them one by one.")
    with Site.open(parsed.site) as site:
        clips = [
            site.edit_clip(clip.id, camera=parsed.camera, started_at=parsed.started_at)
            for clip in _chosen(site, parsed.clips)
        ]
    return Answer({"clips": [_row(clip) for clip in clips]}, _told(clips))


def _chosen(site: Site, numbers: Sequence[int]) -> list[Clip]:
    """The clips of these numbers.

    Raises:
        ReidDeskError: the site has not all of them, or one is being imported.
    """
    from reid_desk.jobs import clip_lock  # noqa: PLC0415 - only here

    clips = [site.clip(number) for number in dict.fromkeys(numbers)]
    for clip in clips:
        with clip_lock.hold(site.path, Path(clip.path), clip.sha256):
            pass
    return clips


def _row(clip: Clip) -> dict[str, Any]:
    return {
        "id": clip.id,
        "camera": clip.camera,
        "path": clip.path,
        "state": clip.state,
        "message": clip.message,
        "started_at": utc_time(clip.started_at),
        "local_time": local_time(clip.started_at),
        "started_from": clip.started_from,
        "duration": clip.duration,
        "fps": clip.fps,
        "detector": clip.detector,
        "tracks": clip.tracks,
        "crops": clip.crops,
    }


def _told(clips: Sequence[Clip]) -> str:
    if not clips:
        return "There is no clip."
    cells = [
        (
            clip.id,
            clip.camera,
            local_time(clip.started_at),
            clip.started_from,
            clip.state,
            clip.tracks,
            clip.crops,
            Path(clip.path).name,
        )
        for clip in clips
    ]
    return table(("clip", "camera", "begins", "known from", "state", "tracks", "crops", "file"), cells)
