from __future__ import annotations

import numpy as np
import pytest

from reid_desk.footage.appearance import changes, colours

RED_ON_BLUE = ((180, 30, 30), (30, 30, 120))
GREEN_ON_BLACK = ((40, 140, 60), (20, 20, 20))


def person(
    coat: tuple[int, int, int], trousers: tuple[int, int, int], seed: int, light: float = 1.0
) -> np.ndarray:
    image = np.zeros((90, 36, 3))
    image[:45], image[45:] = coat, trousers
    image += np.random.default_rng(seed).normal(0, 12, image.shape)
    return np.clip(image * light, 0, 255).astype(np.uint8)


def looks_of(*images: np.ndarray) -> np.ndarray:
    return np.stack([colours(image) for image in images])


def seen(count: int) -> np.ndarray:
    return np.ones(count, np.float32)


def test_histograms_are_shares_whatever_the_size() -> None:
    for height, width in ((90, 36), (3, 2), (1, 1), (400, 160)):
        values = colours(np.full((height, width, 3), 90, np.uint8))
        assert values.shape == (64,)
        assert values.sum() == pytest.approx(6.0)


def test_one_person_stays_one() -> None:
    looks = looks_of(*(person(*RED_ON_BLUE, seed=n, light=0.9 + 0.01 * (n % 20)) for n in range(60)))
    assert changes(looks, seen(60)) == []


def test_another_person_is_noticed_where_they_begin() -> None:
    first = [person(*RED_ON_BLUE, seed=n) for n in range(25)]
    second = [person(*GREEN_ON_BLACK, seed=n) for n in range(25)]
    assert changes(looks_of(*first, *second), seen(50)) == [25]
    assert changes(looks_of(*first, *second, *first), seen(75)) == [25, 50]


def test_a_moment_behind_another_is_no_change() -> None:
    images = [person(*RED_ON_BLUE, seed=n) for n in range(40)]
    visibility = seen(40)
    for n in range(15, 22):
        images[n] = person(*GREEN_ON_BLACK, seed=n)
        visibility[n] = 0.3
    assert changes(looks_of(*images), visibility) == []


def test_two_people_are_told_apart_across_a_moment_in_hiding() -> None:
    images = [person(*(RED_ON_BLUE if n < 20 else GREEN_ON_BLACK), seed=n) for n in range(40)]
    visibility = seen(40)
    visibility[17:23] = 0.3
    assert changes(looks_of(*images), visibility) == [23]


@pytest.mark.parametrize("count", [1, 5, 7])
def test_a_few_sightings_are_not_taken_apart(count: int) -> None:
    images = [person(*(RED_ON_BLUE if n % 2 else GREEN_ON_BLACK), seed=n) for n in range(count)]
    assert changes(looks_of(*images), seen(count)) == []
