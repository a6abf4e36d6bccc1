"""``reid-desk import SITE --camera NAME PATH...``: footage into a site."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from reid_desk.cli.answer import Answer, Commands, add_json_option, moment
from reid_desk.cli.foreground import run_in_foreground
from reid_desk.jobs.spec import JobSpec


def add(commands: Commands[Any]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "import",
        help="bring clips, or folders of clips, into a site",
        description="Find the people in clips (video files, folders of them, folders of frames) and keep "
        "their tracks and crops. The site is made if it is not there. Footage is referenced, never altered.",
    )
    parser.add_argument("site", metavar="SITE", type=Path, help="the site's folder")
    parser.add_argument(
        "paths", metavar="PATH", nargs="+", type=Path, help="a clip, or a folder of clips or frames"
    )
    parser.add_argument(
        "--camera", metavar="NAME", required=True, help="the camera that recorded the footage"
    )
    parser.add_argument(
        "--detector",
        choices=("motion", "yolox"),
        help="motion: what moves before a fixed camera; yolox: a network that knows people (default: yolox "
        "where its weights are at hand, else motion)",
    )
    parser.add_argument(
        "--detector-weights", metavar="FILE", type=Path, help="the yolox network as an ONNX file"
    )
    parser.add_argument(
        "--started-at",
        metavar="TIME",
        type=moment,
        help="when the clip begins, as 2026-11-22T14:05:00 in local time, or with an offset such as Z "
        "(default: from the clip's metadata, name or file time)",
    )
    parser.add_argument("--fps", type=float, help="frames to analyse of each second (default: 10)")
    parser.add_argument(
        "--frames-fps",
        type=float,
        help="frames a second that a folder of frames was taken with (default: 25)",
    )
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(parsed: argparse.Namespace) -> Answer:
    """Import in the foreground."""
    weights = parsed.detector_weights
    arguments = {
        "paths": [str(path) for path in parsed.paths],
        "camera": parsed.camera,
        "detector": parsed.detector,
        "detector_weights": str(weights) if weights else None,
        "started_at": parsed.started_at,
        "fps": parsed.fps,
        "frames_fps": parsed.frames_fps,
    }
    result = run_in_foreground(JobSpec("import", str(parsed.site), arguments))
    return Answer(result, _told(result))


def _told(result: dict[str, Any]) -> str:
    text = (
        f"{result['imported']} imported, {result['skipped']} there already, "
        f"{len(result['refused'])} refused: {result['tracks']:,} tracks, {result['crops']:,} crops, "
        f"found by the detector {result['detector']}."
    )
    return "\n".join([text, *(f"  refused: {r['path']}: {r['reason']}" for r in result["refused"])])
