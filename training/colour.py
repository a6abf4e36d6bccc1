"""The linear colour map between two sets of images: where a short style transfer starts from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_SAMPLE = 512  # images of a set that its statistics are taken from
_FLOOR = 1e-4  # variance added to each channel; keeps the map of grey images finite


@dataclass(frozen=True)
class ColourMap:
    """x -> matrix x + offset on RGB values in [-1, 1].

    Attributes:
        matrix: float64 [3, 3], symmetric and positive definite.
        offset: float64 [3].
    """

    matrix: NDArray[np.float64]
    offset: NDArray[np.float64]

    def inverse(self) -> ColourMap:
        """The map that undoes this one."""
        matrix = np.asarray(np.linalg.inv(self.matrix), np.float64)
        return ColourMap(matrix, -matrix @ self.offset)


def linear_colour_map(source: NDArray[np.uint8], target: NDArray[np.uint8]) -> ColourMap:
    """The map that gives ``source`` the mean colour and the colour covariance of ``target``.

    Of all such maps the one that moves colours least (Monge-Kantorovitch; Pitie and Kokaram 2007):
    A^-1/2 (A^1/2 B A^1/2)^1/2 A^-1/2 for covariances A and B.

    Args:
        source: uint8 RGB [N, H, W, 3]; statistics are taken from at most 512 images.
        target: uint8 RGB [M, H, W, 3]; likewise.
    """
    source_mean, source_covariance = _statistics(source)
    target_mean, target_covariance = _statistics(target)
    root = _power(source_covariance, 0.5)
    inverse_root = _power(source_covariance, -0.5)
    matrix = inverse_root @ _power(root @ target_covariance @ root, 0.5) @ inverse_root
    return ColourMap(matrix, target_mean - matrix @ source_mean)


def _statistics(images: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    # At random: sets are sorted by person and camera, and even steps could meet one camera only.
    chosen = np.sort(np.random.default_rng(0).permutation(len(images))[:_SAMPLE])
    # Every other pixel of every other row says the same at a quarter of the memory.
    pixels = images[chosen][:, ::2, ::2].reshape(-1, 3) / 127.5 - 1
    return pixels.mean(axis=0), np.cov(pixels, rowvar=False) + _FLOOR * np.eye(3)


def _power(matrix: NDArray[np.float64], exponent: float) -> NDArray[np.float64]:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * values**exponent) @ vectors.T)
