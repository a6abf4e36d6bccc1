from __future__ import annotations

from pathlib import Path

import pytest

from reid_desk.jobs import target
from reid_desk.jobs.target import images_a_person, write_target
from reid_desk.site import Site
from tests.jobs.recording import Recording
from tests.jobs.sites import add_clip
from training.datasets import open_target


class Disturbs(Recording):
    """Does something to the site, as another process would, after the first crops were written."""

    def __init__(self, disturb) -> None:
        super().__init__()
        self._disturb = disturb
        self.disturbed = False

    def progress(self, done: int, total: int | None) -> None:
        super().progress(done, total)
        if not self.disturbed:
            self.disturbed = True
            self._disturb()


def test_what_is_removed_or_added_while_crops_are_gathered_changes_nothing(
    full_site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(target, "_BATCH", 5)
    first = full_site.clips("hall")[0].id
    images = full_site.crop_images([crop.id for crop in full_site.crops()])

    def disturb() -> None:
        with Site.open(full_site.path) as other:
            other.remove_clip(first)
            add_clip(other, "garage", range(2))

    reporter = Disturbs(disturb)
    assert write_target(full_site, tmp_path / "target", reporter) == 36
    assert reporter.disturbed
    written = open_target(tmp_path / "target")
    assert {int(image.path.stem): image.path.read_bytes() for image in written.images} == images
    assert len({image.track for image in written.images}) == 12
    assert [camera.name for camera in full_site.cameras()] == ["garage", "street"]


def test_images_a_person_are_those_of_the_folder_though_a_clip_was_removed(full_site: Site, tmp_path: Path):
    write_target(full_site, tmp_path / "target", Recording())
    assert images_a_person(tmp_path / "target") == pytest.approx(3 * 2)
    full_site.remove_clip(full_site.clips("hall")[0].id)
    assert images_a_person(tmp_path / "target") == pytest.approx(3 * 2)


def test_a_few_images_are_expected_of_a_person_though_the_tracks_are_short(site: Site, tmp_path: Path):
    add_clip(site, "hall", range(9), crops=1)
    write_target(site, tmp_path / "target", Recording())
    assert images_a_person(tmp_path / "target") == target.FEWEST_IMAGES
