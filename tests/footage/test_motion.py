from __future__ import annotations

import numpy as np
import pytest

from reid_desk.footage.detectors.groups import joined, taken_apart
from reid_desk.footage.detectors.motion import MotionDetector
from reid_desk.footage.detectors.person_height import HeightModel
from tests.benchmarks.box_matching import matches
from tests.footage.made_clips import Box, ground, walk, with_figures


def taught(slope: float = 0.25, base: float = 10.0) -> HeightModel:
    heights = HeightModel()
    for foot in np.random.default_rng(0).uniform(50, 230, 100):
        heights.learn(float(foot), slope * float(foot) + base)
    return heights


def two_walkers(frame: int) -> list[Box]:
    near, far = 10 + 3 * frame, 290 - 2 * frame
    return [(near, 130, 28, 70), (far, 60, 20, 50)]


def test_finds_people_who_walk_in_front_of_a_fixed_camera() -> None:
    pictures, truth = walk(90, two_walkers)
    detector = MotionDetector()
    for picture in [ground()] * 20:
        detector.detect(picture)
    right = found = people = 0
    for picture, boxes in zip(pictures, truth, strict=True):
        detected = detector.detect(picture)
        right += len(matches(detected, np.array(boxes, float)))
        found, people = found + len(detected), people + len(boxes)
    assert right / people > 0.85
    assert right / found > 0.85


def test_an_empty_scene_has_nobody() -> None:
    detector = MotionDetector()
    noise = np.random.default_rng(3)
    for _ in range(30):
        flickering = np.clip(ground() + noise.normal(0, 2, (240, 320, 3)), 0, 255).astype(np.uint8)
        detected = detector.detect(flickering)
    assert detected.shape == (0, 5)
    assert detected.dtype == np.float32


def test_a_change_of_light_is_nobody_and_people_are_found_again_after_it() -> None:
    detector = MotionDetector()
    for _ in range(20):
        detector.detect(ground())
    brighter = np.clip(ground().astype(int) + 70, 0, 255).astype(np.uint8)
    assert [len(detector.detect(brighter)) for _ in range(30)] == [0] * 30
    assert len(detector.detect(with_figures(brighter, [(100, 80, 30, 80)]))) == 1


def test_who_stands_still_for_a_while_is_still_seen() -> None:
    detector = MotionDetector()
    empty = ground()
    for _ in range(300):
        detector.detect(empty)
    waiting = with_figures(empty, [(100, 80, 30, 80)])
    assert [len(detector.detect(waiting)) for _ in range(100)] == [1] * 100


def test_a_reset_forgets_the_scene() -> None:
    figure = with_figures(ground(), [(100, 80, 30, 80)])
    fresh, used = MotionDetector(), MotionDetector()
    for picture in [ground(7)] * 15:
        used.detect(picture)
    used.reset()
    for picture in [ground()] * 10 + [figure]:
        expected, got = fresh.detect(picture), used.detect(picture)
    np.testing.assert_array_equal(got, expected)
    assert len(got) == 1


def test_large_frames_give_boxes_in_their_own_pixels() -> None:
    detector = MotionDetector()
    empty = ground(width=1600, height=1200)
    for picture in [empty] * 10:
        detector.detect(picture)
    detected = detector.detect(with_figures(empty, [(600, 300, 160, 400)]))
    assert len(matches(detected, np.array([[600, 300, 160, 400.0]]), 0.8)) == 1


def test_height_model_learns_the_line_past_halves_and_groups() -> None:
    heights, random = HeightModel(), np.random.default_rng(1)
    for number, foot in enumerate(random.uniform(100, 500, 400)):
        height = 0.3 * foot + 20
        heights.learn(float(foot), height * (0.5 if number % 5 == 0 else 1.0))
    assert heights.at_foot(200) == pytest.approx(80, rel=0.05)
    assert heights.at_foot(450) == pytest.approx(155, rel=0.05)
    tops = np.array([200 - 80.0, 450 - 155.0])
    np.testing.assert_allclose(heights.at_top(tops), [80, 155], rtol=0.05)


def test_height_model_says_nothing_before_it_has_seen_enough() -> None:
    heights = HeightModel()
    for _ in range(39):
        heights.learn(100, 50)
    assert not heights.known
    heights.learn(100, 50)
    assert heights.known


def test_a_steep_line_trusts_heights_less() -> None:
    assert taught(slope=0.9, base=-20).trust > taught(slope=0.2).trust > 1


def test_people_in_one_row_give_one_height() -> None:
    heights = HeightModel()
    for number in range(60):
        heights.learn(200 + number % 2, 60 + number % 3)
    assert heights.at_foot(50) == heights.at_foot(300) == pytest.approx(61)


def test_a_group_side_by_side_is_taken_apart() -> None:
    heights = taught()
    mask = np.zeros((240, 320), np.uint8)
    height = int(heights.at_foot(200))
    for left in (100, 126, 152):
        mask[200 - height : 200, left : left + 24] = 1
    mask[180:200, 100:176] = 1
    people = taken_apart(mask, (100.0, float(200 - height), 76.0, float(height)), heights)
    found = np.array([box for box, _ in people])
    truth = np.array([[left, 200 - height, 24, height] for left in (100, 126, 152)], float)
    assert len(matches(found, truth)) == 3
    assert len(people) == 3
    assert all(0 < filled <= 1.3 for _, filled in people)


def test_the_pieces_of_one_person_are_joined_and_two_people_are_not() -> None:
    heights = taught()
    height = heights.at_foot(200)
    head, legs = (100.0, 200 - height, 20.0, 0.4 * height), (102.0, 200 - 0.4 * height, 20.0, 0.4 * height)
    other = (180.0, 200 - height, 22.0, height)
    boxes = joined([head, legs, other], heights)
    assert sorted(boxes) == [(100.0, 200 - height, 22.0, height), other]
