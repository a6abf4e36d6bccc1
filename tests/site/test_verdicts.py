from __future__ import annotations

import pytest

from reid_desk.errors import SiteError
from reid_desk.site import Crop, Site, Subject
from tests.site.made_up import add_clip, track


@pytest.fixture
def crops(site: Site) -> list[Crop]:
    """The first crop of each of four tracks, in two clips."""
    for number, camera in enumerate(("door", "hall")):
        add_clip(site, camera, [track(crops=2), track(crops=2)], sha256=str(number))
    by_track = {crop.track_id: crop for crop in reversed(site.crops())}
    return [by_track[number] for number in sorted(by_track)]


def said(site: Site, subject: Subject) -> dict[int, bool]:
    return {verdict.track_id: verdict.same for verdict in site.verdicts(subject)}


def test_a_verdict_is_on_a_track_and_the_latest_counts(site: Site, crops: list[Crop]) -> None:
    subject = Subject(track_id=crops[0].track_id)
    assert site.judge(subject, crops[1], same=True) is None
    before = site.judge(subject, crops[1], same=False)
    assert before is not None
    assert before.same
    site.judge(subject, crops[2], same=True)
    assert said(site, subject) == {crops[1].track_id: False, crops[2].track_id: True}
    assert site.verdicts(subject)[0].crop_id == crops[1].id


def test_a_verdict_taken_back_is_gone(site: Site, crops: list[Crop]) -> None:
    subject = Subject(track_id=crops[0].track_id)
    site.judge(subject, crops[1], same=True)
    before = site.judge(subject, crops[1], same=None)
    assert before is not None
    assert before.same
    assert site.count_verdicts() == 0


def test_each_subject_has_verdicts_of_its_own(site: Site, crops: list[Crop]) -> None:
    subjects = [Subject(track_id=crops[0].track_id), Subject(image="a" * 64), Subject(image="b" * 64)]
    site.judge(subjects[0], crops[3], same=True)
    site.judge(subjects[1], crops[3], same=False)
    assert [said(site, subject) for subject in subjects] == [
        {crops[3].track_id: True},
        {crops[3].track_id: False},
        {},
    ]


def test_verdicts_go_with_the_clip_of_either_side(site: Site, crops: list[Crop]) -> None:
    of_door, of_hall = Subject(track_id=crops[0].track_id), Subject(track_id=crops[2].track_id)
    site.judge(of_door, crops[2], same=True)
    site.judge(of_hall, crops[3], same=True)
    site.judge(of_hall, crops[0], same=False)
    site.remove_clip(crops[0].clip_id)
    assert said(site, of_hall) == {crops[3].track_id: True}
    assert site.count_verdicts() == 1


def test_a_match_that_is_gone_cannot_be_judged(site: Site, crops: list[Crop]) -> None:
    site.remove_clip(crops[2].clip_id)
    with pytest.raises(SiteError, match="removed meanwhile"):
        site.judge(Subject(track_id=crops[0].track_id), crops[2], same=True)
    with pytest.raises(SiteError, match="removed meanwhile"):
        site.judge(Subject(track_id=crops[2].track_id), crops[0], same=True)


@pytest.mark.parametrize("subject", [Subject(), Subject(track_id=1, image="a")])
def test_a_subject_is_a_track_or_a_picture(site: Site, subject: Subject) -> None:
    with pytest.raises(ValueError, match="a track or a picture"):
        site.verdicts(subject)
