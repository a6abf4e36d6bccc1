import numpy as np
import pytest
from numpy.typing import NDArray

from training.colour import linear_colour_map


def _images(mean: tuple[int, int, int], spread: float, seed: int, count: int = 20) -> NDArray[np.uint8]:
    grey = np.random.default_rng(seed).normal(0, spread, (count, 16, 8, 1))
    own = np.random.default_rng(seed + 1).normal(0, spread / 3, (count, 16, 8, 3))
    return np.clip(np.array(mean) + grey + own, 0, 255).astype(np.uint8)


def _pixels(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    return np.asarray(images[:, ::2, ::2].reshape(-1, 3) / 127.5 - 1)


def test_mapped_source_has_the_targets_mean_and_covariance() -> None:
    source, target = _images((90, 100, 130), 20, seed=0), _images((140, 110, 100), 12, seed=5)
    colours = linear_colour_map(source, target)
    mapped = _pixels(source) @ colours.matrix.T + colours.offset
    np.testing.assert_allclose(mapped.mean(0), _pixels(target).mean(0), atol=1e-9)
    np.testing.assert_allclose(np.cov(mapped.T), np.cov(_pixels(target).T), atol=3e-4)
    np.testing.assert_allclose(colours.matrix, colours.matrix.T, atol=1e-9)
    assert np.linalg.eigvalsh(colours.matrix).min() > 0


def test_equal_sets_are_left_alone() -> None:
    images = _images((90, 100, 130), 20, seed=0)
    colours = linear_colour_map(images, images)
    np.testing.assert_allclose(colours.matrix, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(colours.offset, 0, atol=1e-9)


def test_inverse_undoes_the_map() -> None:
    colours = linear_colour_map(_images((90, 100, 130), 20, seed=0), _images((140, 110, 100), 12, seed=5))
    there = np.array([0.2, -0.4, 0.9]) @ colours.matrix.T + colours.offset
    back = there @ colours.inverse().matrix.T + colours.inverse().offset
    np.testing.assert_allclose(back, [0.2, -0.4, 0.9], atol=1e-9)


@pytest.mark.parametrize("level", [0, 128])
def test_uniform_images_give_a_finite_map(level: int) -> None:
    flat = np.full((3, 16, 8, 3), level, np.uint8)
    colours = linear_colour_map(flat, _images((140, 110, 100), 12, seed=5))
    assert np.isfinite(colours.matrix).all()
    assert np.isfinite(colours.inverse().matrix).all()


def test_statistics_do_not_fall_for_the_order_of_cameras() -> None:
    # Cameras alternate; even steps of two would see the dark one only.
    dark, bright = (
        _images((60, 60, 60), 10, seed=0, count=512),
        _images((180, 180, 180), 10, seed=5, count=512),
    )
    alternating = np.stack([dark, bright], axis=1).reshape(-1, 16, 8, 3)
    colours = linear_colour_map(dark, alternating)
    mapped = _pixels(dark) @ colours.matrix.T + colours.offset
    np.testing.assert_allclose(mapped.mean(0), _pixels(alternating).mean(0), atol=0.1)
