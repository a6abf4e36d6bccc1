"""Takes pictures of the real window: ``python -m tests.e2e.screenshots --out DIR [--site SITE]``.

The window runs on a virtual X display of its own (Xvfb) unless ``--here`` is given. Without ``--site`` it shows a
site filled with drawn people, and an empty one.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PySide6.QtWidgets import QApplication

from reid_desk.footage.clips import ClipSource, Refused
from reid_desk.site import Site
from reid_desk.ui.app import App
from reid_desk.ui.appearance import Scheme
from reid_desk.ui.pages.import_sheet import ImportSheet
from reid_desk.ui.pages.source_sheet import SourceSheet
from reid_desk.ui.window import Window
from tests.e2e.virtual_display import virtual_display
from tests.e2e.window_scenario import fake_command
from tests.ui.filled_site import fill, write_events
from training.datasets import open_dataset

PAGES = ("footage", "adapt", "search", "dashboard")
SIZES = {"": (1280, 800), "-small": (1100, 720), "-large": (1600, 1000)}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--site", type=Path)
    parser.add_argument("--sizes", nargs="*", choices=["small", "large"], default=[])
    parser.add_argument("--here", action="store_true", help="use the display that is there")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    if given.here:
        return _take_pictures(given.out, given.site, ["", *(f"-{size}" for size in given.sizes)])
    command = [sys.executable, "-m", "tests.e2e.screenshots", *sys.argv[1:], "--here"]
    with virtual_display() as environment, tempfile.TemporaryDirectory() as home:
        environment |= {"XDG_CONFIG_HOME": home}
        return subprocess.run(command, env=environment, check=False).returncode


def _take_pictures(out: Path, site: Path | None, sizes: list[str]) -> int:

    app = QApplication([])
    desk_app = App(app, worker=fake_command)
    folder = Path(tempfile.mkdtemp())
    try:
        for name, path in _sites(folder, site).items():
            window = desk_app.open_site(path)
            for scheme in (Scheme.LIGHT, Scheme.DARK):
                desk_app.appearance.choose(scheme)
                for suffix in sizes:
                    window.resize(*SIZES[suffix])
                    for page in PAGES:
                        window.show_page(page)
                        _settle(app)
                        window.grab().save(str(out / f"{name}-{page}-{scheme.value}{suffix}.png"))
                    if name != "empty":
                        _picture_the_search(app, window, out / f"{name}-matches-{scheme.value}{suffix}.png")
                        _picture_the_sources(app, window, out / f"{name}-sources-{scheme.value}{suffix}.png")
                if name == "filled":
                    _picture_the_sheets(app, window, out, scheme.value)
                    _picture_a_run(app, window, out, scheme.value, folder)
            window.close()
        _picture_the_start(app, desk_app, out)
    finally:
        shutil.rmtree(folder)
    return 0


def _sites(folder: Path, site: Path | None) -> dict[str, Path]:
    if site is not None:
        return {"site": site}

    Site.create(folder / "empty", name="New site").close()
    fill(folder / "filled")
    return {"filled": folder / "filled", "empty": folder / "empty"}


def _picture_the_search(app: QApplication, window: Window, path: Path) -> None:
    window.show_page("search")
    page = window.search
    _settle(app)
    page.gallery.setCurrentIndex(page.crops.index(0))
    page.search_selected()
    window.actions_["search.details"].setChecked(True)
    _settle(app, 3.0)
    window.grab().save(str(path))
    window.actions_["search.details"].setChecked(False)
    for name in ("search.same", "search.different", "search.same"):
        window.actions_[name].trigger()
        _settle(app, 1.0)
    window.grab().save(str(path.with_name(path.name.replace("matches", "verdicts"))))
    for _ in range(3):
        window.actions_["search.undo"].trigger()
        _settle(app)
    page.back()


def _picture_the_sources(app: QApplication, window: Window, path: Path) -> None:
    window.show_page("footage")
    window.footage.tabs.setCurrentIndex(1)
    _settle(app)
    window.grab().save(str(path))
    window.footage.tabs.setCurrentIndex(0)


def _picture_the_sheets(app: QApplication, window: Window, out: Path, scheme: str) -> None:
    clips = [ClipSource(Path(f"/footage/cam{k}_2026112{k}_0800.mp4"), "video") for k in range(1, 6)]
    refused = [
        Refused(
            Path("/footage/notes.txt"), "files of type .txt are no footage this desk knows. Give a video."
        )
    ]
    known = [camera.name for camera in window.desk.summary.cameras]
    dataset = open_dataset(Path(window.desk.summary.sources[0].path))
    sheets = {
        "import": ImportSheet(clips, refused, known, window),
        "source": SourceSheet(dataset, frozenset({dataset.name}), window.desk.background, window),
    }
    for name, sheet in sheets.items():
        sheet.show()
        _settle(app)
        sheet.grab().save(str(out / f"sheet-{name}-{scheme}.png"))
        sheet.close()


def _picture_a_run(app: QApplication, window: Window, out: Path, scheme: str, work: Path) -> None:
    write_events(work, until="adaptation")
    window.show_page("adapt")
    job = window.desk.start_job(
        "adapt", "Adapt to site", behaviour="replay", events=str(work / "events.jsonl")
    )
    window.adapt.follow(job)
    window.resize(1280, 1000)
    _settle(app, 4.0)
    window.grab().save(str(out / f"run-{scheme}.png"))
    window.actions_["job.cancel"].trigger()
    window.tell("Adapt to site: The disk is full. Free 2 GB, then resume.", "bad", "Traceback …")
    _settle(app, 1.0)


def _picture_the_start(app: QApplication, desk_app: App, out: Path) -> None:

    for scheme in (Scheme.LIGHT, Scheme.DARK):
        desk_app.appearance.choose(scheme)
        desk_app.choose_site()
        _settle(app)
        desk_app.start_dialog.grab().save(str(out / f"start-{scheme.value}.png"))
        desk_app.start_dialog.close()


def _settle(app: QApplication, seconds: float = 0.6) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        app.processEvents()
        time.sleep(0.01)


if __name__ == "__main__":
    sys.exit(main())
