from __future__ import annotations

import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from reid_desk.errors import ModelError, ReidDeskError, SiteError
from reid_desk.investigation import PersonSearch, person_search
from reid_desk.search import Embedder, decode_image
from reid_desk.site import Model, Site, Verdict
from tests.fixtures_model import write_embedder
from tests.site.made_up import START, add_clip, jpeg, track

PEOPLE = {"red": (200, 30, 30), "green": (30, 180, 40), "blue": (30, 40, 200), "yellow": (220, 210, 30)}
ROOT = Path(__file__).parents[2]


def add_people(site: Site, camera: str, start: float, names: list[str] | None = None) -> None:
    """A clip in which people pass one after the other, ten seconds apart, three crops each."""
    tracks = [
        track(
            start=start + 10 * number,
            crops=3,
            picture=jpeg(PEOPLE[name], seed=zlib.crc32(f"{camera} {name}".encode())),
        )
        for number, name in enumerate(names or PEOPLE)
    ]
    add_clip(site, camera, tracks, sha256=f"{camera} {start}", start=start)


def add_model(site: Site, folder: Path, seed: int = 0) -> Model:
    write_embedder(folder / str(seed) / "model.onnx", seed=seed)
    return site.add_model(folder / str(seed), name=f"model {seed}")


def embed(site: Site, model: Model) -> None:
    ids = site.missing_vectors(model.id)
    images = site.crop_images(ids)
    site.store_vectors(
        model.id, ids, Embedder(model.path, "cpu").embed([decode_image(images[i]) for i in ids])
    )


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Four people, each seen by the door's and later by the hall's camera; embedded."""
    with Site.create(tmp_path / "site") as made:
        add_people(made, "door", START)
        add_people(made, "hall", START + 100)
        model = add_model(made, tmp_path)
        embed(made, model)
        made.use_model(model.id)
        yield made


def crop_of(site: Site, camera: str, number: int) -> int:
    """Id of the first crop of the person who came ``number``-th."""
    return site.crops(cameras=[camera])[3 * number].id


def test_a_person_is_found_in_the_other_camera_first(site: Site) -> None:
    search = PersonSearch(site)
    for number in range(4):
        query = site.crop(crop_of(site, "door", number))
        best = search.search(query.id, exclude_track=query.track_id)[0]
        assert (best.rank, best.camera) == (1, "hall")
        assert best.time == pytest.approx(START + 100 + 10 * number, abs=1)
        assert best.score > 0.99


def test_matches_are_whole_tracks_best_first(site: Site) -> None:
    query = crop_of(site, "door", 0)
    matches = PersonSearch(site).search(query)

    assert [match.rank for match in matches] == list(range(1, 9))
    scores = [match.score for match in matches]
    assert scores == sorted(scores, reverse=True)
    assert len({match.track_id for match in matches}) == 8
    own = matches[0]
    assert own.track_id == site.crop(query).track_id
    assert own.score == pytest.approx(1.0, abs=1e-3)
    for match in matches:
        crops = {match.crop.id, *match.crops}
        assert crops == {crop.id for crop in site.crops(track_id=match.track_id)}
        assert match.crop == site.crop(match.crop.id)
        assert match.time == match.crop.time


def test_a_crop_and_its_picture_ask_the_same_question(site: Site) -> None:
    search = PersonSearch(site)
    query = crop_of(site, "door", 2)
    by_crop = search.search(query)
    by_bytes = search.search(site.crop_image(query))
    by_pixels = search.search(decode_image(site.crop_image(query)))

    for other in (by_bytes, by_pixels):
        assert [match.track_id for match in other] == [match.track_id for match in by_crop]
        assert [m.score for m in other] == pytest.approx([m.score for m in by_crop], abs=2e-3)


def test_a_crop_without_a_vector_yet_is_embedded_to_ask(site: Site) -> None:
    search = PersonSearch(site)
    search.refresh()
    add_people(site, "yard", START + 200, ["blue"])
    query = crop_of(site, "yard", 0)

    matches = search.search(query, top=2)

    assert {match.time // 10 for match in matches} == {(START + 20) // 10, (START + 120) // 10}


@pytest.mark.parametrize(
    ("filters", "cameras", "times"),
    [
        ({"cameras": ["hall"]}, {"hall"}, (100, 140)),
        ({"cameras": ["hall", "door"]}, {"hall", "door"}, (0, 140)),
        ({"exclude_cameras": ["hall"]}, {"door"}, (0, 40)),
        ({"exclude_cameras": []}, {"hall", "door"}, (0, 140)),
        ({"since": START + 105}, {"hall"}, (105, 140)),
        ({"until": START + 15}, {"door"}, (0, 15)),
        ({"since": START + 15, "until": START + 115}, {"hall", "door"}, (15, 115)),
        ({"cameras": ["door"], "since": START + 100}, set(), (0, 0)),
        ({"cameras": []}, set(), (0, 0)),
    ],
)
def test_filters_leave_only_what_they_say_and_all_of_it(
    site: Site, filters: dict, cameras: set[str], times: tuple[float, float]
) -> None:
    matches = PersonSearch(site).search(crop_of(site, "door", 1), **filters)

    assert {match.camera for match in matches} == cameras
    assert all(START + times[0] <= match.time < START + times[1] for match in matches)
    expected = site.crops(cameras=list(cameras), since=START + times[0], until=START + times[1])
    assert {m.track_id for m in matches} == {crop.track_id for crop in expected}
    assert {i for m in matches for i in (m.crop.id, *m.crops)} == {crop.id for crop in expected}


def test_top_and_minimum_score_cut_the_list(site: Site) -> None:
    search = PersonSearch(site)
    query = crop_of(site, "door", 0)
    everything = search.search(query)

    assert search.search(query, top=3) == everything[:3]
    assert search.search(query, minimum_score=everything[4].score) == everything[:5]
    assert search.search(query, minimum_score=1.1) == []


def test_an_unknown_camera_is_an_error(site: Site) -> None:
    with pytest.raises(SiteError, match="no camera named 'cellar'"):
        PersonSearch(site).search(crop_of(site, "door", 0), cameras=["cellar"])


def test_an_unknown_crop_and_a_broken_image_are_errors(site: Site) -> None:
    search = PersonSearch(site)
    with pytest.raises(SiteError, match="no crop 999"):
        search.search(999)
    with pytest.raises(ReidDeskError, match="no picture"):
        search.search(b"rubbish")


def test_crops_embedded_later_are_found(site: Site) -> None:
    search = PersonSearch(site)
    assert len(search.search(crop_of(site, "door", 0))) == 8
    add_people(site, "yard", START + 200, ["red"])
    model = site.current_model()
    assert model is not None
    with Site.open(site.path) as job:
        embed(job, model)

    matches = search.search(crop_of(site, "door", 0))
    assert len(matches) == 9
    assert "yard" in {match.camera for match in matches[:3]}


def test_a_gallery_is_read_in_parts(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    query = crop_of(site, "door", 0)
    expected = PersonSearch(site).search(query)
    for part in (5, 12, 24, 25):
        monkeypatch.setattr(person_search, "READ_AT_ONCE", part)
        assert PersonSearch(site).search(query) == expected


def test_what_was_in_memory_is_not_trusted_after_a_failure(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = PersonSearch(site)
    query = crop_of(site, "door", 0)
    search.search(query)
    add_people(site, "yard", START + 200, ["red"])
    model = site.current_model()
    assert model is not None
    embed(site, model)
    with monkeypatch.context() as patch:
        patch.setattr(site, "crop_metadata", lambda _ids: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            search.search(query)
    assert len(search.search(query)) == 9


def test_removed_clips_are_not_found_any_more(site: Site) -> None:
    search = PersonSearch(site)
    search.refresh()
    with Site.open(site.path) as job:
        job.remove_clip(job.clips("hall")[0].id)
    assert {match.camera for match in search.search(crop_of(site, "door", 0))} == {"door"}


def test_corrected_clips_are_found_under_their_new_camera_and_time(site: Site) -> None:
    search = PersonSearch(site)
    query = crop_of(site, "door", 0)
    before = {match.crop.id: match.time for match in search.search(query) if match.camera == "hall"}
    with Site.open(site.path) as job:
        clip = job.clips("hall")[0]
        job.edit_clip(clip.id, camera="gate", started_at=clip.started_at - 60)
    after = {match.crop.id: match.time for match in search.search(query, cameras=["gate"])}
    assert after == pytest.approx({crop: time - 60 for crop, time in before.items()})
    assert not search.search(query, cameras=["gate"], since=min(before.values()))


def test_vectors_that_fill_a_gap_are_found(site: Site, tmp_path: Path) -> None:
    model = add_model(site, tmp_path, seed=1)
    vectors = Embedder(model.path, "cpu").embed([decode_image(site.crop_image(i)) for i in range(1, 25)])
    site.store_vectors(model.id, range(13, 25), vectors[12:])
    site.use_model(model.id)
    search = PersonSearch(site)
    assert len(search.search(13)) == 4
    site.store_vectors(model.id, range(1, 13), vectors[:12])
    assert len(search.search(13)) == 8


def test_replaced_vectors_are_what_is_searched(site: Site) -> None:
    search = PersonSearch(site)
    query, other = crop_of(site, "door", 0), crop_of(site, "hall", 3)

    def score_of_other() -> float:
        track_id = site.crop(other).track_id
        return next(match.score for match in search.search(query) if match.track_id == track_id)

    assert score_of_other() < 0.99
    model = site.current_model()
    assert model is not None
    vector = site.vector(model.id, query)
    assert vector is not None
    site.store_vectors(model.id, [other], vector[None])
    assert score_of_other() == pytest.approx(1.0, abs=1e-6)


def test_a_search_sees_through_the_current_model_only(site: Site, tmp_path: Path) -> None:
    search = PersonSearch(site)
    query = crop_of(site, "door", 0)
    first = search.search(query)
    second_model = add_model(site, tmp_path, seed=1)
    embed(site, second_model)
    assert search.search(query) == first

    site.use_model(second_model.id)
    second = search.search(query)
    assert [m.score for m in second] != [m.score for m in first]
    assert [m.score for m in search.search(site.crop_image(query))] == pytest.approx(
        [m.score for m in second], abs=2e-3
    )

    site.use_model("m1")
    assert search.search(query) == first


def test_before_there_is_anything_to_search_one_is_told_what_to_do(tmp_path: Path) -> None:
    with Site.create(tmp_path / "site") as site:
        search = PersonSearch(site)
        with pytest.raises(ReidDeskError, match="no model yet, so nothing can be searched; adapt"):
            search.search(b"anything")
        model = add_model(site, tmp_path)
        site.use_model(model.id)
        with pytest.raises(ReidDeskError, match="No crop has been embedded with the model 'model 0' yet"):
            search.search(b"anything")
        model.path.write_bytes(b"rubbish")
        add_people(site, "door", START, ["red"])
        site.store_vectors(model.id, [1, 2, 3], np.eye(32)[:3])
        with pytest.raises(ModelError, match="damaged"):
            search.search(site.crop_image(1))


def test_the_index_on_disk_answers_like_the_one_from_the_database(site: Site) -> None:
    query = crop_of(site, "door", 0)
    expected = PersonSearch(site).search(query)
    assert not site.index_path("m1").exists()

    assert PersonSearch(site, cache_from=1).search(query) == expected
    assert site.index_path("m1").exists()
    assert PersonSearch(site, cache_from=1).search(query) == expected


def test_a_stale_or_damaged_index_on_disk_is_not_believed(site: Site) -> None:
    PersonSearch(site, cache_from=1).refresh()
    add_people(site, "yard", START + 200, ["red"])
    model = site.current_model()
    assert model is not None
    embed(site, model)
    query = crop_of(site, "door", 0)
    assert len(PersonSearch(site, cache_from=1).search(query)) == 9

    site.remove_clip(site.clips("hall")[0].id)
    assert {match.camera for match in PersonSearch(site, cache_from=1).search(query)} == {"door", "yard"}

    site.index_path("m1").write_bytes(b"rubbish")
    assert {match.camera for match in PersonSearch(site, cache_from=1).search(query)} == {"door", "yard"}


def test_a_search_goes_on_where_the_index_cannot_be_kept(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.index_path("m1").parent.write_bytes(b"a file where the folder should be")
    assert len(PersonSearch(site, cache_from=1).search(crop_of(site, "door", 0))) == 8
    assert "Cannot keep the search index" in caplog.text


def test_searching_needs_neither_torch_nor_opencv(site: Site) -> None:
    program = """
import sys
import zlib
from reid_desk.investigation import PersonSearch, person_search
from reid_desk.site import Site
with Site.open(sys.argv[1]) as site:
    print(len(PersonSearch(site).search(site.crop_image(1))))
print([name for name in ("torch", "cv2") if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(site.path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "8\n[]\n"
    assert done.stderr == ""


def judged(site: Site, name: str, *, camera: str, same: bool) -> Verdict:
    """A verdict on the track of the person called ``name`` before ``camera``."""
    cameras = {each.id: each.name for each in site.cameras()}
    start = {"door": START, "hall": START + 100}[camera] + 10 * list(PEOPLE).index(name)
    crop = next(
        crop for crop in site.crops() if cameras[crop.camera_id] == camera and start <= crop.time < start + 10
    )
    return Verdict(crop.track_id, crop.id, same, 0.0)


def test_what_is_judged_the_same_comes_first_and_what_is_different_last(site: Site) -> None:
    search, query = PersonSearch(site), site.crops()[0].id
    plain = [match.track_id for match in search.search(query)]
    last, first = (judged(site, "blue", camera=camera, same=True) for camera in ("hall", "door"))
    worst = Verdict(plain[0], 1, False, 0.0)
    found = [match.track_id for match in search.search(query, verdicts=[last, first, worst])]
    assert set(found) == set(plain)
    assert set(found[:2]) == {last.track_id, first.track_id}
    assert found[-1] == plain[0]


def test_the_rest_is_ranked_by_the_query_made_better(site: Site) -> None:
    search, query = PersonSearch(site), site.crops()[0].id
    other = judged(site, "blue", camera="hall", same=True)
    twin = judged(site, "blue", camera="door", same=True).track_id

    def rank(verdicts: list[Verdict]) -> int:
        found = search.search(query, verdicts=verdicts)
        return [match.track_id for match in found].index(twin)

    assert rank([other]) < rank([])


def test_what_is_judged_can_be_hidden(site: Site) -> None:
    search, query = PersonSearch(site), site.crops()[0].id
    plain = [match.track_id for match in search.search(query)]
    verdicts = [Verdict(plain[0], 1, True, 0.0), Verdict(plain[3], 1, False, 0.0)]
    found = search.search(query, verdicts=verdicts, hide_judged=True, top=3)
    assert len(found) == 3
    assert not {plain[0], plain[3]} & {match.track_id for match in found}
