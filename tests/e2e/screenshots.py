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

from tests.e2e.virtual_display import virtual_display

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
    from PySide6.QtWidgets import QApplication

    from reid_desk.ui.app import App
    from reid_desk.ui.appearance import Scheme

    app = QApplication([])
    desk_app = App(app)
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
            window.close()
        _picture_the_start(app, desk_app, out)
    finally:
        shutil.rmtree(folder)
    return 0


def _sites(folder: Path, site: Path | None) -> dict[str, Path]:
    if site is not None:
        return {"site": site}
    from reid_desk.site import Site
    from tests.ui.filled_site import fill

    Site.create(folder / "empty", name="New site").close()
    fill(folder / "filled")
    return {"filled": folder / "filled", "empty": folder / "empty"}


def _picture_the_search(app: object, window: object, path: Path) -> None:
    window.show_page("search")
    page = window.search
    _settle(app)
    page.gallery.setCurrentIndex(page.crops.index(0))
    page.search_selected()
    window.actions_["search.details"].setChecked(True)
    _settle(app, 3.0)
    window.grab().save(str(path))
    window.actions_["search.details"].setChecked(False)
    page.back()


def _picture_the_sources(app: object, window: object, path: Path) -> None:
    window.show_page("footage")
    window.footage.tabs.setCurrentIndex(1)
    _settle(app)
    window.grab().save(str(path))
    window.footage.tabs.setCurrentIndex(0)


def _picture_the_start(app: object, desk_app: object, out: Path) -> None:
    from reid_desk.ui.appearance import Scheme

    for scheme in (Scheme.LIGHT, Scheme.DARK):
        desk_app.appearance.choose(scheme)
        desk_app.choose_site()
        _settle(app)
        desk_app.start_dialog.grab().save(str(out / f"start-{scheme.value}.png"))
        desk_app.start_dialog.close()


def _settle(app: object, seconds: float = 0.6) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        app.processEvents()
        time.sleep(0.01)


if __name__ == "__main__":
    sys.exit(main())
