"""``reid-desk adapt SITE``: make a model for this site and put it to use."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from reid_desk.cli.answer import Answer, Commands, add_json_option, percent
from reid_desk.cli.foreground import run_in_foreground
from reid_desk.jobs.spec import JobSpec
from training.presets import NAMES

PRESETS = (
    "paper, the networks and the length of training of the method's paper, hours on a GPU; compact, smaller images and "
    "a mobile network, about an hour without a GPU; smoke, minutes, to see that everything works"
)


def add(commands: Commands[Any]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "adapt",
        help="adapt to the site: train a model on its own crops",
        description="Learn from a labelled source and the site's own unlabelled crops; then search with the "
        "new model. The old one answers until the new one is ready, and stays for roll-back (reid-desk use).",
    )
    parser.add_argument("site", metavar="SITE", type=Path, help="the site's folder")
    parser.add_argument("--source", metavar="NAME", help="the labelled source (default: the site's only one)")
    parser.add_argument(
        "--preset",
        choices=NAMES,
        help=f"settings: {PRESETS} (default: paper with a CUDA device, else compact)",
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on with the newest run that was not finished"
    )
    parser.add_argument("--seed", type=int, help="of everything random (default: 0)")
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(parsed: argparse.Namespace) -> Answer:
    """Adapt in the foreground."""
    arguments = {
        "source": parsed.source,
        "preset": parsed.preset,
        "resume": parsed.resume,
        "seed": parsed.seed,
    }
    result = run_in_foreground(JobSpec("adapt", str(parsed.site), arguments))
    return Answer(result, _told(result))


def _told(result: dict[str, Any]) -> str:
    text = f"Model {result['model']} is in use; {result['crops']:,} crops are embedded with it."
    before, after = result["report"].get("source_only"), result["report"].get("adapted")
    if not before or not after:
        return f"{text}\nAdd a labelled set (reid-desk source add --role evaluation) to see what it gained."
    return (
        f"{text}\nBefore: mAP {percent(before['mAP'])}, rank-1 {percent(before['rank1'])}. "
        f"After: mAP {percent(after['mAP'])}, rank-1 {percent(after['rank1'])}."
    )
