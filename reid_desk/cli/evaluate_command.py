"""``reid-desk evaluate SITE``: how well a model finds people, on a labelled set."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from reid_desk.cli.answer import Answer, Commands, add_json_option, percent
from reid_desk.cli.foreground import run_in_foreground
from reid_desk.jobs.spec import JobSpec


def add(commands: Commands[Any]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("evaluate", help="measure a model on a labelled set: mAP and CMC")
    parser.add_argument("site", metavar="SITE", type=Path, help="the site's folder")
    parser.add_argument("--model", metavar="ID", help="the model (default: the one in use)")
    parser.add_argument(
        "--data", metavar="DIR", type=Path, help="a labelled folder (default: the site's evaluation set)"
    )
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(parsed: argparse.Namespace) -> Answer:
    """Evaluate in the foreground."""
    data = str(parsed.data) if parsed.data else None
    result = run_in_foreground(JobSpec("evaluate", str(parsed.site), {"model": parsed.model, "data": data}))
    return Answer(result, _told(result))


def _told(result: dict[str, Any]) -> str:
    ranks = ", ".join(f"rank-{k} {percent(result[f'rank{k}'])}" for k in (1, 5, 10))
    lines = [
        f"Model {result['model']} on {result['data']}: mAP {percent(result['mAP'])}, {ranks}",
        f"({result['queries']:,} queries, {result['gallery']:,} gallery images)",
    ]
    return "\n".join([*lines, result["note"]] if result.get("note") else lines)
