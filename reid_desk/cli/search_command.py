"""``reid-desk search SITE IMAGE``: possible matches of the person in an image."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reid_desk.cli.answer import Answer, Commands, add_json_option, local_time, position, table, utc_time
from reid_desk.errors import ReidDeskError

if TYPE_CHECKING:
    from reid_desk.investigation.person_search import PossibleMatch
    from reid_desk.site import Clip, Site


def add(commands: Commands[Any]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("search", help="possible matches of the person in an image, best first")
    parser.add_argument("site", metavar="SITE", type=Path, help="the site's folder")
    parser.add_argument("image", metavar="IMAGE", type=Path, help="an image of one person, cut out")
    parser.add_argument("--top", metavar="N", type=_positive, default=20, help="how many (default: 20)")
    parser.add_argument(
        "--camera", metavar="NAME", action="append", help="only in this camera; may be given again"
    )
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(parsed: argparse.Namespace) -> Answer:
    """Search once."""
    from reid_desk.investigation.person_search import PersonSearch  # noqa: PLC0415 - faiss
    from reid_desk.jobs.embed import chosen_model  # noqa: PLC0415 - numpy
    from reid_desk.site import Site  # noqa: PLC0415 - as above

    with Site.open(parsed.site) as site:
        model = chosen_model(site, None)
        cameras = [site.camera(name).id for name in parsed.camera] if parsed.camera else None
        matches = PersonSearch(site).search(_read(parsed.image), top=parsed.top, cameras=cameras)
        rows = _rows(site, matches)
        unseen = len(site.missing_vectors(model.id))
    if unseen:
        # Nobody may take "no possible match" for an answer about people whom the search has not looked at.
        sys.stderr.write(
            f"reid-desk: {unseen:,} crops were left out: model {model.id} has not seen them yet; run: "
            f"reid-desk use {parsed.site} {model.id}\n"
        )
    document = {"query": str(parsed.image), "model": model.id, "left_out": unseen, "matches": rows}
    return Answer(document, _told(rows))


def _read(path: Path) -> bytes:
    try:
        image = path.read_bytes()
    except OSError as error:
        raise ReidDeskError(
            f"{path}: the image cannot be read ({error.strerror}). Check the path."
        ) from error
    if not image:
        raise ReidDeskError(f"{path}: the image is empty (0 bytes). Give another one.")
    return image


def _rows(site: Site, matches: list[PossibleMatch]) -> list[dict[str, Any]]:
    clips = {clip.id: clip for clip in site.clips()}
    return [_row(match, clips[match.crop.clip_id]) for match in matches]


def _row(match: PossibleMatch, clip: Clip) -> dict[str, Any]:
    crop = match.crop
    return {
        "rank": match.rank,
        "score": round(float(match.score), 6),
        "camera": match.camera,
        "time": utc_time(match.time),
        "local_time": local_time(match.time),
        "clip": clip.path,
        "seconds": round(crop.time - clip.started_at, 3),
        "frame": crop.frame,
        "box": [crop.left, crop.top, crop.width, crop.height],
        "track": match.track_id,
        "crop": crop.id,
    }


def _told(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return "No possible match."
    cells = [
        (
            row["rank"],
            f"{row['score']:.3f}",
            row["camera"],
            row["local_time"],
            Path(row["clip"]).name,
            position(row["seconds"]),
        )
        for row in rows
    ]
    return table(("rank", "score", "camera", "time", "clip", "position"), cells)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no count; give a whole number above 0")
    return int(text)
