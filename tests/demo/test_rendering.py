from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from reid_desk.demo.backdrop import Scene
from reid_desk.demo.body import Stand
from reid_desk.demo.compose import compose
from reid_desk.demo.figure import draw_person
from reid_desk.demo.gait import walking_pose
from reid_desk.demo.look import Sensor
from reid_desk.demo.people import AUTUMN, SUMMER, Fabric, Person, draw_people
from reid_desk.demo.scenes import PAINTERS, paint_scene
from reid_desk.demo.settings import HALL, PARKING, SOURCE_CAMERAS, STREET, CameraLook, CameraSettings
from reid_desk.demo.view import View

CAMERAS = (HALL, STREET, PARKING, *SOURCE_CAMERAS)


@pytest.fixture
def person() -> Person:
    drawn = draw_people(1, AUTUMN, np.random.default_rng(0))[0]
    red, green = (0.8, 0.1, 0.1), (0.1, 0.6, 0.15)
    return replace(
        drawn,
        top="shirt",
        top_fabric=Fabric(red, red),
        bottom="trousers",
        bottom_fabric=Fabric(green, green),
        bag="none",
        scarf=None,
    )


@pytest.fixture(scope="module")
def scenes() -> dict[str, Scene]:
    return {camera.name: paint_scene(camera, np.random.default_rng(0)) for camera in CAMERAS}


@pytest.mark.parametrize("camera", CAMERAS, ids=lambda camera: camera.name)
def test_a_box_fits_what_a_person_changes_in_the_picture(
    scenes: dict[str, Scene], camera: CameraSettings, person: Person
) -> None:
    scene = replace(scenes[camera.name], shadow=0.0)
    stand = Stand(0.4, (camera.near + camera.far) / 2, 0.3, 1.0)
    composition = compose(scene, View.of(camera), [(person, stand)])
    changed = np.abs(composition.picture - scene.picture).max(axis=2) > 0.1
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    left, top, width, height = composition.seen[0].box
    measured = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    assert measured == pytest.approx((left, top, left + width, top + height), abs=2)
    assert composition.seen[0].visible == pytest.approx(1.0)


def test_a_near_person_hides_a_far_one(scenes: dict[str, Scene], person: Person) -> None:
    scene = scenes[HALL.name]
    other = replace(person, identity=1)
    near, far = Stand(0.0, 5.5, 0.0, 0.0), Stand(0.0, 8.0, 0.0, 0.0)
    seen = compose(scene, View.of(HALL), [(person, near), (other, far)]).seen
    visible = {entry.identity: entry.visible for entry in seen}
    assert visible[0] == pytest.approx(1.0)
    assert visible[1] < 0.6


def test_furniture_in_front_hides_whoever_walks_behind_it(scenes: dict[str, Scene], person: Person) -> None:
    scene = scenes[PARKING.name]
    behind = Stand(2.75, 4.8, 0.0, 0.0)
    composition = compose(scene, View.of(PARKING), [(person, behind)])
    mask = scene.occluders[0].mask > 0.99
    assert composition.seen[0].visible < 0.8
    assert np.array_equal(composition.picture[mask], scene.picture[mask])


def test_a_person_partly_outside_the_frame_is_partly_visible(
    scenes: dict[str, Scene], person: Person
) -> None:
    scene = scenes[HALL.name]
    view = View.of(HALL)
    edge = Stand(view.half_width(6.0), 6.0, 0.0, 0.0)
    seen = compose(scene, view, [(person, edge)]).seen[0]
    assert seen.box[0] + seen.box[2] == HALL.width
    assert 0.1 < seen.visible < 0.8


def test_people_farther_away_are_smaller(scenes: dict[str, Scene], person: Person) -> None:
    scene, view = scenes[STREET.name], View.of(STREET)
    heights = [
        compose(scene, view, [(person, Stand(0.0, depth, 0.0, 0.0))]).seen[0].box[3] for depth in (7, 9, 11)
    ]
    assert heights == sorted(heights, reverse=True)
    assert heights[0] / heights[2] == pytest.approx(11 / 7, rel=0.15)


@pytest.mark.parametrize("heading", [-math.pi / 2, 0.0, math.pi / 2, math.pi])
def test_a_person_wears_the_same_clothes_from_every_side_and_in_every_camera(
    scenes: dict[str, Scene], person: Person, heading: float
) -> None:
    for camera in (HALL, STREET, PARKING):
        stand = Stand(0.0, (camera.near + camera.far) / 2, heading, 0.5)
        sprite = draw_person(person, stand, View.of(camera), scenes[camera.name].light)
        rows = np.flatnonzero((sprite.alpha > 0.5).any(axis=1))
        top, height = rows[0], rows[-1] - rows[0]
        chest = _colours(sprite.colour, sprite.alpha, top + 0.25 * height, top + 0.35 * height)
        legs = _colours(sprite.colour, sprite.alpha, top + 0.62 * height, top + 0.8 * height)
        assert chest[0] > 3 * chest[1], camera.name
        assert legs[1] > 3 * legs[0], camera.name


def _colours(colour: np.ndarray, alpha: np.ndarray, top: float, bottom: float) -> np.ndarray:
    rows = slice(int(top), int(bottom))
    return np.median(colour[rows][alpha[rows] > 0.99], axis=0)


def test_a_face_is_seen_from_the_front_and_hair_from_behind(scenes: dict[str, Scene], person: Person) -> None:
    fair = replace(person, hair="short", hair_colour=(0.05, 0.05, 0.05), skin=(0.96, 0.81, 0.7), hat="none")
    view, light = View.of(HALL), scenes[HALL.name].light
    brightness = []
    for heading in (-math.pi / 2, math.pi / 2):
        sprite = draw_person(fair, Stand(0.0, 6.0, heading, 0.0), view, light)
        rows = np.flatnonzero((sprite.alpha > 0.5).any(axis=1))
        top, height = rows[0], rows[-1] - rows[0]
        brightness.append(
            _colours(sprite.colour, sprite.alpha, top + 0.05 * height, top + 0.1 * height).mean()
        )
    assert brightness[0] > 2 * brightness[1]


def test_a_foot_is_always_on_the_ground(person: Person) -> None:
    for phase in np.linspace(0, 2 * math.pi, 25):
        pose = walking_pose(person, float(phase))
        lowest = min(min(leg.end[2] - 0.036, leg.tip[2] - 0.012) for leg in pose.legs)
        assert lowest == pytest.approx(0.0, abs=1e-9)


def test_the_looks_of_the_cameras_differ(person: Person) -> None:
    grey = np.full((8, 8, 3), 0.5, np.float32)
    casts = {}
    for camera in (HALL, STREET, PARKING):
        sensor = Sensor(camera.look, 16, 16, np.random.default_rng(0))
        casts[camera.name] = sensor.grade(grey)[4, 4].astype(float)
    assert casts["hall"][0] > 1.15 * casts["hall"][2]
    assert casts["street"][2] > 1.15 * casts["street"][0]
    assert casts["parking"].std() < casts["hall"].std()


def test_noise_has_the_strength_that_its_setting_says() -> None:
    sensor = Sensor(CameraLook(noise=4.0), 128, 128, np.random.default_rng(0))
    flat = np.full((128, 128, 3), 128, np.uint8)
    noisy = sensor.add_noise(flat).astype(float) - 128
    assert noisy.mean(axis=2).std() == pytest.approx(4.0, rel=0.1)
    assert not np.array_equal(noisy, sensor.add_noise(flat).astype(float) - 128)


def test_every_scene_has_a_painter_and_every_painter_a_camera() -> None:
    assert {camera.scene for camera in CAMERAS} == set(PAINTERS)


def test_people_are_distinct_but_for_lookalikes() -> None:
    people = draw_people(40, AUTUMN, np.random.default_rng(1), lookalikes=0.3)
    kinds = [(p.top, p.top_fabric.pattern, p.bottom, p.hair, p.bag, p.top_fabric.base) for p in people]
    assert len(set(kinds)) == 40
    doubles = [p for p in people[34:] if any(_alike(p, other) for other in people[:34])]
    assert len(doubles) == 6


def _alike(one: Person, other: Person) -> bool:
    near = np.abs(np.subtract(one.top_fabric.base, other.top_fabric.base)).max() < 0.25
    return bool(near) and (one.top, one.top_fabric.second) == (other.top, other.top_fabric.second)


def test_source_and_site_dress_differently() -> None:
    rng = np.random.default_rng(0)
    summer, autumn = draw_people(60, SUMMER, rng), draw_people(60, AUTUMN, rng)
    assert sum(p.long_sleeves for p in summer) < 20
    assert sum(p.long_sleeves for p in autumn) > 40
