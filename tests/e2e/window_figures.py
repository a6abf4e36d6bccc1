"""Measures the window: ``python -m tests.e2e.window_figures [--crops N]`` prints the figures as JSON.

Times are wall clock on a virtual display; ``own`` times are what the window's thread computed itself, which does not
depend on what else the machine does.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from reid_desk.site import Box, NewCrop, NewTrack, Site
from tests.e2e.virtual_display import virtual_display
from tests.ui.filled_site import STARTED_AT, draw_person, fill, jpeg_of, write_events

_TRACKS, _CROPS = 500, 20
_PICTURES = 200


def fill_large(path: Path, crops: int) -> None:
    """Make a site of so many crops, of 200 different pictures."""
    pictures = [jpeg_of(draw_person(k, k % 3, k, height=128)) for k in range(_PICTURES)]
    with Site.create(path, name="Harbour") as site:
        for number in range(max(crops // (_TRACKS * _CROPS), 1)):
            clip = site.begin_clip(
                f"Camera {number % 5}",
                path / f"{number}.mp4",
                sha256=f"{number:064}",
                size=1,
                started_at=STARTED_AT + 3_600 * number,
                started_from="file name",
                fps=25.0,
                width=1920,
                height=1080,
                detector="motion",
            )
            tracks = [_track(STARTED_AT + 3_600 * number + 7 * k, pictures, k) for k in range(_TRACKS)]
            site.finish_clip(clip, tracks, frames=90_000, duration=3_600.0)


def _track(began: float, pictures: list[bytes], number: int) -> NewTrack:
    times = [(k, began + k / 25) for k in range(_CROPS)]
    boxes = [Box(frame, when, 100.0, 100.0, 60.0, 120.0, 0.9) for frame, when in times]
    crops = [
        NewCrop(
            b.frame,
            b.time,
            b.left,
            b.top,
            b.width,
            b.height,
            0.9,
            0.8,
            pictures[(number + b.frame) % _PICTURES],
        )
        for b in boxes
    ]
    return NewTrack(boxes, crops)


def measure(name: str, site: Path, environment: dict[str, str], work: Path) -> dict[str, object]:
    """Run one scenario and return what it saw."""
    result = work / f"{name}.json"
    command = [sys.executable, "-m", "tests.e2e.window_scenario", str(site), str(result), name]
    subprocess.run(command, env=environment | {"STARTED": str(time.time())}, check=True)
    return json.loads(result.read_text(encoding="utf-8"))


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--crops", type=int, default=100_000)
    given = parser.parse_args()
    with virtual_display() as environment, tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        environment |= {"XDG_CONFIG_HOME": folder, "EVENTS": str(work / "events.jsonl")}
        fill(work / "small")
        fill_large(work / "large", given.crops)
        write_events(work, until="adaptation")
        figures = {
            name: measure(name, work / site, environment, work)
            for name, site in (("search", "small"), ("gallery", "large"), ("job", "small"))
        }
    print(json.dumps(figures, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
