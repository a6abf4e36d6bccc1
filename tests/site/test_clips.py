from __future__ import annotations

from pathlib import Path

import pytest

from reid_desk.errors import FootageError, SiteError
from reid_desk.site import Box, Site
from tests.site.made_up import START, add_clip, begin, track


def test_cameras_are_made_on_request_and_found_by_name(site: Site) -> None:
    made = site.camera("hall", create=True)

    assert site.camera("hall") == site.camera(" hall ", create=True) == made
    assert site.cameras() == [made]
    with pytest.raises(SiteError, match="no camera named 'door'; its cameras are: hall"):
        site.camera("door")
    with pytest.raises(SiteError, match="needs a name"):
        site.camera("  ", create=True)


def test_an_imported_clip_tells_what_was_found(site: Site) -> None:
    clip_id = add_clip(site, "door", [track(crops=2), track(start=START + 1, crops=3)], sha256="ab")

    (clip,) = site.clips()
    assert (clip.id, clip.camera, clip.state) == (clip_id, "door", "imported")
    assert (clip.tracks, clip.crops, clip.frames, clip.duration) == (2, 5, 50, 5.0)
    assert clip.path == str(Path("footage") / "ab.mp4")
    assert clip.imported_at is not None
    assert site.clip_by_sha256("ab") == clip
    assert site.clip_by_sha256("cd") is None


def test_clips_are_listed_by_camera_in_the_order_they_started(site: Site) -> None:
    late = add_clip(site, "door", sha256="1", start=START + 100)
    early = add_clip(site, "door", sha256="2", start=START)
    other = add_clip(site, "hall", sha256="3", start=START + 50)

    assert [clip.id for clip in site.clips()] == [early, other, late]
    assert [clip.id for clip in site.clips("door")] == [early, late]
    assert [clip.id for clip in site.clips(site.camera("hall").id)] == [other]


def test_tracks_and_their_boxes_come_back_as_they_were_stored(site: Site) -> None:
    stored = track(length=7, crops=1, first_frame=3)
    clip_id = add_clip(site, "door", [stored])

    (found,) = site.tracks(clip_id=clip_id)
    assert (found.first_frame, found.last_frame, found.length) == (3, 9, 7)
    assert (found.started_at, found.ended_at) == (START, START + 0.6)
    assert site.track_boxes(found.id) == stored.boxes
    assert site.track(found.id) == found


def test_tracks_are_filtered_by_clip_and_camera(site: Site) -> None:
    door = add_clip(site, "door", sha256="1")
    hall = add_clip(site, "hall", sha256="2")

    assert {t.clip_id for t in site.tracks()} == {door, hall}
    assert {t.clip_id for t in site.tracks(camera="hall")} == {hall}
    assert site.tracks(clip_id=door, camera="hall") == []


def test_the_same_bytes_are_not_imported_twice(site: Site) -> None:
    add_clip(site, "door", sha256="1")
    with pytest.raises(SiteError, match=r"1\.mp4 is in the site already, as 1\.mp4 of camera door"):
        begin(site, "hall", sha256="1")
    assert [camera.name for camera in site.cameras()] == ["door"]


@pytest.mark.parametrize("failed", [True, False])
def test_an_unfinished_attempt_gives_way_to_the_next_one(site: Site, failed: bool) -> None:
    first = begin(site, "door", sha256="1")
    if failed:
        site.fail_clip(first, "The file is cut off.")
        assert site.clip(first).message == "The file is cut off."

    second = begin(site, "hall", sha256="1")

    assert second != first
    assert [(clip.id, clip.camera, clip.state) for clip in site.clips()] == [(second, "hall", "importing")]


def test_a_clip_is_finished_once(site: Site) -> None:
    clip_id = add_clip(site)
    with pytest.raises(SiteError, match="imported already"):
        site.finish_clip(clip_id, [track()], frames=1, duration=1.0)
    assert site.count_crops() == 4


def test_a_clip_that_gave_way_cannot_be_finished(site: Site) -> None:
    first = begin(site)
    begin(site)
    with pytest.raises(SiteError, match=f"no clip {first}"):
        site.finish_clip(first, [track()], frames=1, duration=1.0)
    assert site.count_crops() == 0


def test_removing_a_clip_takes_all_that_came_from_it_and_nothing_else(site: Site) -> None:
    kept = add_clip(site, "door", sha256="1")
    removed = add_clip(site, "hall", sha256="2")
    crop = site.crops(cameras=["hall"])[0]

    site.remove_clip(removed)

    assert [clip.id for clip in site.clips()] == [kept]
    assert {t.clip_id for t in site.tracks()} == {kept}
    assert {c.clip_id for c in site.crops()} == {kept}
    with pytest.raises(SiteError, match="no crop"):
        site.crop_image(crop.id)
    with pytest.raises(SiteError, match="no track"):
        site.track_boxes(crop.track_id)
    assert site.problems() == []


def test_the_numbers_of_removed_things_are_never_given_again(site: Site) -> None:
    first = add_clip(site)
    crops, tracks = {c.id for c in site.crops()}, {t.id for t in site.tracks()}
    site.remove_clip(first)

    assert add_clip(site) != first
    assert crops.isdisjoint(c.id for c in site.crops())
    assert tracks.isdisjoint(t.id for t in site.tracks())


def test_a_track_without_boxes_stores_nothing_of_its_clip(site: Site) -> None:
    clip_id = begin(site)
    with pytest.raises(ValueError, match="at least one box"):
        site.finish_clip(clip_id, [track(), track(length=0)], frames=1, duration=1.0)
    assert site.tracks() == []
    assert site.clip(clip_id).state == "importing"


def test_a_clip_without_people_is_imported_all_the_same(site: Site) -> None:
    clip_id = add_clip(site, tracks=[])
    assert site.clip(clip_id).state == "imported"
    assert site.tracks() == []


def test_boxes_keep_fractions_and_far_frames(site: Site) -> None:
    box = Box(2_000_000, START + 1e5 + 1 / 3, 0.5, -3.25, 30.125, 80.0625, 0.5)
    (stored,) = [track()]
    add_clip(site, tracks=[type(stored)([box], stored.crops)])
    assert site.track_boxes(1) == [box]


def test_a_corrected_clip_takes_its_tracks_and_crops_along(site: Site) -> None:
    other = add_clip(site, "door", sha256="1")
    clip_id = add_clip(site, "door", sha256="2")
    before = site.tracks(clip_id=clip_id)
    boxes = [site.track_boxes(track.id) for track in before]
    crops = {crop.id: crop for crop in site.crops() if crop.clip_id == clip_id}
    revision = site.revision()

    edited = site.edit_clip(clip_id, camera=" hall ", started_at=START + 3600)

    hall = site.camera("hall").id
    assert (edited.camera, edited.started_at, edited.started_from) == ("hall", START + 3600, "given")
    for old, new, was in zip(before, site.tracks(clip_id=clip_id), boxes, strict=True):
        assert (new.camera_id, new.started_at) == (hall, pytest.approx(old.started_at + 3600))
        assert new.ended_at == pytest.approx(old.ended_at + 3600)
        times = [box.time for box in site.track_boxes(new.id)]
        assert times == pytest.approx([box.time + 3600 for box in was])
    table = site.crop_metadata(list(crops))
    assert table.camera_id.tolist() == [hall] * len(crops)
    assert table.time.tolist() == pytest.approx([crop.time + 3600 for crop in crops.values()])
    for crop in site.crops(cameras=["hall"]):
        assert crop.time == pytest.approx(crops[crop.id].time + 3600)
    assert site.revision().rewritten > revision.rewritten
    assert site.clip(other).started_at == START
    assert {crop.clip_id for crop in site.crops(cameras=["door"])} == {other}
    assert site.problems() == []


def test_a_camera_without_clips_is_forgotten(site: Site) -> None:
    clip_id = add_clip(site, "dor", sha256="1")
    site.edit_clip(clip_id, camera="door")
    assert [camera.name for camera in site.cameras()] == ["door"]
    site.remove_clip(clip_id)
    assert site.cameras() == []


def test_a_clip_that_is_not_imported_yet_is_not_corrected(site: Site) -> None:
    with pytest.raises(SiteError, match="is not imported yet"):
        site.edit_clip(begin(site), camera="hall")


@pytest.mark.parametrize("start", [-62135596800.0, 253370764800.0, float("nan"), float("inf")])
def test_a_start_that_no_calendar_shows_is_refused(site: Site, start: float) -> None:
    clip_id = add_clip(site)
    with pytest.raises(FootageError, match="cannot begin before 1970 or after 2999"):
        site.edit_clip(clip_id, started_at=start)
    with pytest.raises(FootageError, match="cannot begin"):
        begin(site, sha256="2", start=start)
    assert [clip.started_at for clip in site.clips()] == [START]


def test_no_index_on_disk_outlives_a_removed_clip(site: Site) -> None:
    clip_id = add_clip(site)
    site.index_path("m1").parent.mkdir()
    site.index_path("m1").write_bytes(b"vectors of its crops")
    site.remove_clip(clip_id)
    assert not site.index_path("m1").exists()
