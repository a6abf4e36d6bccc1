from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageFilter

from reid_desk.footage.crops import AnalysedCrop, CropChooser, Sighting, best, cut_out, visibilities

TEXTURE = np.random.default_rng(0).integers(0, 255, (100, 40, 3), dtype=np.uint8)


def sighting(
    time: float, *, image: np.ndarray = TEXTURE, visibility: float = 1.0, score: float = 1.0
) -> Sighting:
    height, width = image.shape[:2]
    return Sighting(int(time * 10), time, (0.0, 0.0, float(width), float(height), score), visibility, image)


def chosen(limit: int, *sightings: Sighting) -> list[AnalysedCrop]:
    chooser = CropChooser(4 * limit)
    for each in sightings:
        chooser.offer(each)
    return best(chooser.crops(), limit)


def test_keeps_no_more_than_asked_in_order_of_time() -> None:
    crops = chosen(8, *(sighting(n / 10) for n in range(600)))
    assert len(crops) == 8
    assert [crop.time for crop in crops] == sorted(crop.time for crop in crops)


@pytest.mark.parametrize("seconds", [6, 60, 600])
def test_crops_are_spread_over_a_tracks_time(seconds: int) -> None:
    random = np.random.default_rng(2)
    crops = chosen(4, *(sighting(n / 5, score=random.uniform(0.5, 1)) for n in range(seconds * 5)))
    times = [crop.time for crop in crops]
    assert min(np.diff(times)) > seconds / 100
    assert times[-1] - times[0] > 0.2 * seconds


def test_a_short_track_still_gives_its_best_crop() -> None:
    crops = chosen(8, sighting(0.0, visibility=0.3), sighting(0.1), sighting(0.2, visibility=0.5))
    assert [crop.time for crop in crops] == [0.1]


def test_sharp_large_whole_and_sure_beats_the_rest() -> None:
    soft = np.asarray(Image.fromarray(TEXTURE).filter(ImageFilter.GaussianBlur(4)))
    small = np.asarray(Image.fromarray(TEXTURE).resize((16, 40)))
    worse = [
        sighting(0.1, image=soft),
        sighting(0.2, image=small),
        sighting(0.3, visibility=0.4),
        sighting(0.4, score=0.3),
    ]
    (first,) = chosen(1, worse[0], worse[1], sighting(0.25), *worse[2:])
    assert first.time == 0.25
    assert all(chosen(1, other)[0].quality < first.quality for other in worse)
    assert 0 <= first.quality <= 1


def test_jpegs_hold_the_pixels_as_they_are() -> None:
    smooth = np.asarray(Image.fromarray(TEXTURE).filter(ImageFilter.GaussianBlur(3)))
    (crop,) = chosen(1, sighting(0.0, image=smooth))
    with Image.open(io.BytesIO(crop.jpeg)) as image:
        assert image.size == (40, 100)
        assert np.abs(np.asarray(image.convert("RGB")).astype(int) - smooth).mean() < 6


def test_memory_is_bounded_however_long_a_track() -> None:
    chooser = CropChooser(4)
    for n in range(5000):
        chooser.offer(sighting(float(n)))
        assert len(chooser._chosen) <= 5


def test_cuts_out_whole_pixels_inside_the_frame() -> None:
    frame = np.arange(20 * 30 * 3, dtype=np.uint16).reshape(20, 30, 3).astype(np.uint8)
    cut = cut_out(frame, np.array([-3, 2.6, 8.2, 30], np.float32))
    np.testing.assert_array_equal(cut, frame[2:20, 0:6])
    cut[:] = 0
    assert frame[2:20, 0:6].any()  # a copy


def test_whoever_stands_nearer_hides_the_other() -> None:
    boxes = np.array([[10, 10, 20, 50], [10, 40, 20, 50], [70, 20, 20, 50]], np.float32)
    seen = visibilities(boxes, 200, 200)
    assert seen[0] == pytest.approx(1 - 20 / 50)  # the second covers its lowest 20 rows
    assert seen[1] == pytest.approx(1 - 0.5 * 20 / 50)
    assert seen[2] == 1


def test_a_person_cut_by_the_edge_counts_half() -> None:
    boxes = np.array([[0, 50, 20, 50], [100, 150, 20, 50], [50, 50, 20, 50]], np.float32)
    assert visibilities(boxes, 200, 200).tolist() == [0.5, 0.5, 1.0]
    assert visibilities(np.zeros((0, 5), np.float32), 200, 200).shape == (0,)
