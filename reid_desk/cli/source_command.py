"""``reid-desk source add`` and ``remove``: the labelled data sets that a site learns from, or is measured on."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from reid_desk.cli.answer import Answer, Commands, add_json_option
from reid_desk.errors import SourceError


def add(commands: Commands[Any]) -> None:
    """Add the command to the parser."""
    source = commands.add_parser("source", help="labelled data sets of a site")
    actions = source.add_subparsers(title="actions", metavar="ACTION", required=True)
    parser = actions.add_parser(
        "add",
        help="add a labelled data set",
        description="Layouts that are recognised: Market-1501, MSMT17, DukeMTMC-reID, CUHK03, and "
        "<identity>/<camera>/*.jpg folders. The images stay where they are.",
    )
    parser.add_argument("site", metavar="SITE", type=Path, help="the site's folder; made if it is not there")
    parser.add_argument("path", metavar="PATH", type=Path, help="the data set's folder")
    parser.add_argument("--name", help="what to call it (default: the folder's name)")
    parser.add_argument(
        "--role",
        choices=("source", "evaluation"),
        default="source",
        help="source: to learn from (default); evaluation: people of this site, to measure models on",
    )
    parser.add_argument(
        "--without-cameras", action="store_true", help="take a source whose images name no camera as well"
    )
    parser.add_argument("--replace", action="store_true", help="take the place of one of the same name")
    add_json_option(parser)
    parser.set_defaults(run=run)
    _add_remove(actions)


def _add_remove(actions: Commands[Any]) -> None:
    parser = actions.add_parser(
        "remove",
        help="forget a labelled data set",
        description="The site forgets the data set; its images, and what was measured on it, stay.",
    )
    parser.add_argument("site", metavar="SITE", type=Path, help="the site's folder")
    parser.add_argument("name", metavar="NAME", help="what the data set is called in the site")
    add_json_option(parser)
    parser.set_defaults(run=run_remove)


def run_remove(parsed: argparse.Namespace) -> Answer:
    """Forget a data set."""
    from reid_desk.site import Site  # noqa: PLC0415 - numpy

    with Site.open(parsed.site) as site:
        removed = site.source(parsed.name)
        site.remove_source(parsed.name)
    document = {"name": removed.name, "role": removed.role, "path": removed.path}
    return Answer(
        document, f"Removed {removed.name} ({removed.role}) from the site; its images stay at {removed.path}."
    )


def run(parsed: argparse.Namespace) -> Answer:
    """Recognise the data set, check it, and note it down in the site."""
    from reid_desk.jobs.sources import add_source, check_source  # noqa: PLC0415 - numpy
    from reid_desk.site import Site  # noqa: PLC0415 - as above
    from training.datasets import open_dataset  # noqa: PLC0415 - as above

    # Before the site is made: a wrong path must leave nothing behind.
    dataset = open_dataset(parsed.path)
    if parsed.role == "source" and not dataset.cameras and not parsed.without_cameras:
        raise SourceError(
            f"The images in {parsed.path} name no camera, so nothing can be learnt about how cameras differ. Arrange "
            "them as <identity>/<camera>/*.jpg, or take them as they are with --without-cameras."
        )
    if not parsed.site.exists():
        check_source(dataset, parsed.role)
    with Site.open_or_create(parsed.site) as site:
        added = add_source(site, dataset, name=parsed.name, role=parsed.role, replace=parsed.replace)
    return Answer(added, _told(added))


def _told(added: dict[str, Any]) -> str:
    cameras = f"{added['cameras']:,} cameras" if added["cameras"] else "no camera names"
    text = (
        f"Added {added['name']} ({added['role']}), layout {added['layout']}: {added['identities']:,} people, "
        f"{cameras}, {added['images']:,} images."
    )
    return "\n".join([text, *(f"  note: {problem}" for problem in added["problems"])])
