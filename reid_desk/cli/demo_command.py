"""``reid-desk demo``: a generated site, the whole main job on it, and the desk to look at it."""

from __future__ import annotations

import argparse
import functools
import sys
from pathlib import Path
from typing import Any

from reid_desk.cli.adapt_command import PRESETS
from reid_desk.cli.answer import Answer, Commands, add_json_option, percent
from reid_desk.cli.foreground import run_in_foreground
from reid_desk.jobs.spec import JobSpec
from training.presets import NAMES


def add(commands: Commands[Any]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "demo",
        help="make the demo site and run the whole main job on it",
        description="Render a small site with several cameras, import its footage, adapt to it with a "
        "labelled source, measure what that gained, search once; then show it in the desk. Takes minutes.",
    )
    parser.add_argument(
        "--site", metavar="DIR", type=Path, help="where to make it (default: among your data)"
    )
    parser.add_argument("--headless", action="store_true", help="do not open the desk afterwards")
    parser.add_argument("--preset", choices=NAMES, help=f"settings: {PRESETS} (default: smoke)")
    parser.add_argument("--seed", type=int, help="of everything random (default: 0)")
    parser.add_argument(
        "--resume", action="store_true", help="go on with the newest demo that was not finished"
    )
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(parsed: argparse.Namespace) -> Answer:
    """Run the demo in the foreground; open the desk if there is a display."""
    from reid_desk.cli.desk_command import has_display, open_desk  # noqa: PLC0415 - only here

    site = parsed.site or default_site(parsed.seed or 0)
    show = not (parsed.headless or parsed.json)
    if show and not has_display():
        sys.stderr.write("There is no display: the demo runs without the desk.\n")
        show = False
    arguments = {"preset": parsed.preset, "seed": parsed.seed, "resume": parsed.resume}
    result = run_in_foreground(JobSpec("demo", str(site), arguments))
    afterwards = functools.partial(open_desk, Path(result["site"])) if show else None
    return Answer(result, _told(result), afterwards=afterwards)


def default_site(seed: int) -> Path:
    """A folder for the demo of ``seed`` among the user's data; each seed has a site of its own."""
    import platformdirs  # noqa: PLC0415 - only without --site

    return Path(platformdirs.user_data_dir("reid-desk")) / (f"demo-{seed}" if seed else "demo")


def _told(result: dict[str, Any]) -> str:
    before, after = result["before"], result["after"]
    return (
        f"Before adaptation: mAP {percent(before['mAP'])}, rank-1 {percent(before['rank1'])}.\n"
        f"After adaptation:  mAP {percent(after['mAP'])}, rank-1 {percent(after['rank1'])}.\n"
        f"{result['seconds']:.0f} seconds in all. The site: {result['site']}"
    )
