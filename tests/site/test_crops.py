from __future__ import annotations

import numpy as np
import pytest

from reid_desk.errors import SiteError
from reid_desk.site import Crop, Site
from tests.site.made_up import START, add_clip, track


@pytest.fixture
def crops(site: Site) -> list[Crop]:
    """Crops of three cameras, at times that cross, some the same."""
    moments = np.random.default_rng(3).integers(0, 20, 60)
    for number, camera in enumerate(("door", "hall", "yard")):
        tracks = [track(start=START + float(m), crops=2) for m in moments[number::3]]
        add_clip(site, camera, tracks, sha256=camera)
    return site.crops()


def test_crops_come_in_the_order_of_time_then_id(crops: list[Crop]) -> None:
    assert len(crops) == 120
    assert [(c.time, c.id) for c in crops] == sorted((c.time, c.id) for c in crops)


def test_a_crop_comes_back_as_it_was_stored(site: Site) -> None:
    stored = track(crops=2, picture=b"a picture")
    add_clip(site, tracks=[stored])
    crop = site.crops()[1]
    expected = stored.crops[1]

    assert (crop.frame, crop.time, crop.score, crop.quality) == (
        expected.frame,
        expected.time,
        expected.score,
        expected.quality,
    )
    assert (crop.left, crop.top, crop.width, crop.height) == (11.0, 20.0, 30.0, 80.0)
    assert site.crop(crop.id) == crop
    assert site.crop_image(crop.id) == b"a picture"


def test_pages_put_together_are_the_whole(site: Site, crops: list[Crop]) -> None:
    pages = [site.crops(offset=offset, limit=25) for offset in range(0, 125, 25)]
    assert [crop for page in pages for crop in page] == crops
    assert site.crops(offset=1000, limit=10) == []


@pytest.mark.parametrize(
    "filters",
    [
        {"cameras": ["door"]},
        {"cameras": ["door", "yard"]},
        {"cameras": []},
        {"since": START + 5},
        {"until": START + 5},
        {"since": START + 5, "until": START + 9, "cameras": ["hall", "yard"]},
        {"track_id": 4},
    ],
)
def test_filters_agree_with_filtering_by_hand(site: Site, crops: list[Crop], filters: dict) -> None:
    names = {camera.id: camera.name for camera in site.cameras()}
    expected = [
        crop
        for crop in crops
        if ("cameras" not in filters or names[crop.camera_id] in filters["cameras"])
        and crop.time >= filters.get("since", 0)
        and crop.time < filters.get("until", np.inf)
        and filters.get("track_id", crop.track_id) == crop.track_id
    ]

    assert site.crops(**filters) == expected
    assert site.crops(**filters, offset=2, limit=5) == expected[2:7]
    assert site.count_crops(**filters) == len(expected)


def test_cameras_may_be_given_by_id(site: Site, crops: list[Crop]) -> None:
    assert site.crops(cameras=[site.camera("hall").id]) == site.crops(cameras=["hall"])


def test_a_camera_the_site_has_not_is_an_error_rather_than_no_crops(site: Site, crops: list[Crop]) -> None:
    with pytest.raises(SiteError, match="no camera named 'cellar'"):
        site.crops(cameras=["cellar"])


def test_pictures_and_crops_of_many_ids_leave_out_the_missing(site: Site, crops: list[Crop]) -> None:
    ids = [crop.id for crop in crops] + [99_999]
    assert site.crop_images(ids) == dict.fromkeys(ids[:-1], b"not looked at")
    assert site.crops_by_id(ids) == {crop.id: crop for crop in crops}
    assert site.crop_images(np.array([1, 2])).keys() == {1, 2}


def test_columns_hold_every_crop_in_the_order_of_id(site: Site, crops: list[Crop]) -> None:
    table = site.crop_metadata()
    by_id = sorted(crops, key=lambda crop: crop.id)

    assert len(table) == len(crops)
    assert table.crop_id.tolist() == [crop.id for crop in by_id]
    assert table.track_id.tolist() == [crop.track_id for crop in by_id]
    assert table.camera_id.tolist() == [crop.camera_id for crop in by_id]
    assert table.time.tolist() == [crop.time for crop in by_id]


def test_columns_of_given_crops_come_in_the_given_order(site: Site, crops: list[Crop]) -> None:
    table = site.crop_metadata([7, 3, 7, 110])
    assert table.crop_id.tolist() == [7, 3, 7, 110]
    assert table.time.tolist() == [site.crop(i).time for i in (7, 3, 7, 110)]
    with pytest.raises(SiteError, match="not all of those crops"):
        site.crop_metadata([7, 99_999])


def test_an_empty_site_has_empty_columns(site: Site) -> None:
    assert len(site.crop_metadata()) == 0
    assert len(site.crop_metadata([])) == 0
    assert site.crops() == []
    assert site.count_crops() == 0


def test_a_missing_crop_is_an_error(site: Site) -> None:
    with pytest.raises(SiteError, match="no crop 5"):
        site.crop(5)
