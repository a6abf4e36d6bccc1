"""Random views of a whole batch at once, on the device where the batch lies.

Random choices are drawn on the generator's device and sent without waiting for it; nothing is read back.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

_ERASED_AREA = (0.02, 0.4)  # shares of the image, Zhong et al. 2020
_ERASED_ASPECT = (0.3, 1 / 0.3)  # height over width, Zhong et al. 2020
_ATTEMPTS = 10  # a rectangle that fits is all but sure after ten draws


def augment(
    images: Tensor,
    generator: torch.Generator,
    *,
    flip_probability: float = 0.5,
    padding: int = 10,
    erasing_probability: float = 0.5,
) -> Tensor:
    """One random view of each image: flipped, shifted, erased in part, normalised.

    Args:
        images: uint8 [B, H, W, 3].
        generator: makes the choices; its device may differ from the images'.
        flip_probability: share of images that are mirrored.
        padding: largest shift in pixels, up, down, left and right.
        erasing_probability: share of images that lose a rectangle; 0 in supervised pre-training.

    Returns:
        float32 [B, 3, H, W] in channels-last memory format.
    """
    shifted = pad_crop(flip(images, generator, flip_probability), generator, padding)
    return erase(normalise(shifted), generator, erasing_probability)


def normalise(images: Tensor) -> Tensor:
    """Turn uint8 [B, H, W, 3] into float32 [B, 3, H, W], channels-last, by ImageNet's mean and deviation."""
    mean = images.new_tensor([255 * value for value in IMAGENET_MEAN], dtype=torch.float32)
    scale = images.new_tensor([1 / (255 * value) for value in IMAGENET_STD], dtype=torch.float32)
    # A permuted [B, H, W, 3] block is channels-last already.
    return ((images.float() - mean) * scale).permute(0, 3, 1, 2)


def flip(images: Tensor, generator: torch.Generator, probability: float = 0.5) -> Tensor:
    """Mirror some of uint8 [B, H, W, 3] left to right."""
    chosen = _uniform(images, generator, len(images)) < probability
    return torch.where(chosen[:, None, None, None], images.flip(2), images)


def pad_crop(images: Tensor, generator: torch.Generator, padding: int = 10) -> Tensor:
    """Shift each of uint8 [B, H, W, 3] by up to ``padding`` pixels; black comes in at the edges."""
    if padding == 0:
        return images
    batch, height, width, _ = images.shape
    padded = F.pad(images, (0, 0, padding, padding, padding, padding))
    offsets = (_uniform(images, generator, 2, batch) * (2 * padding + 1)).long()
    rows = offsets[0, :, None] + torch.arange(height, device=images.device)
    columns = offsets[1, :, None] + torch.arange(width, device=images.device)
    every = torch.arange(batch, device=images.device)[:, None, None]
    return padded[every, rows[:, :, None], columns[:, None, :]]


def erase(images: Tensor, generator: torch.Generator, probability: float = 0.5) -> Tensor:
    """Fill a random rectangle in some of normalised float [B, 3, H, W] with ImageNet's mean, which is 0 here.

    Source: Zhong et al. 2020, "Random Erasing Data Augmentation".
    """
    batch, _, height, width = images.shape
    chosen = _uniform(images, generator, batch) < probability
    heights, widths, fits = _first_fitting_rectangle(images, generator)
    place = _uniform(images, generator, 2, batch)
    top = (place[0] * (height - heights + 1)).floor()
    left = (place[1] * (width - widths + 1)).floor()
    in_rows = _within(torch.arange(height, device=images.device), top, heights)
    in_columns = _within(torch.arange(width, device=images.device), left, widths)
    erased = in_rows[:, None, :, None] & in_columns[:, None, None, :] & (chosen & fits)[:, None, None, None]
    # masked_fill of its own would give up the channels-last order; a clone keeps it.
    return images.clone().masked_fill_(erased, 0.0)


def _first_fitting_rectangle(images: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Heights, widths [B] in whole pixels, and whether a draw fitted into the image at all."""
    batch, _, height, width = images.shape
    draws = _uniform(images, generator, 2, batch, _ATTEMPTS)
    smallest, largest = _ERASED_AREA
    area = (smallest + draws[0] * (largest - smallest)) * height * width
    low, high = (math.log(aspect) for aspect in _ERASED_ASPECT)
    aspect = torch.exp(low + draws[1] * (high - low))
    heights, widths = (area * aspect).sqrt().round(), (area / aspect).sqrt().round()
    fitting = (heights < height) & (widths < width)
    first = fitting.int().argmax(dim=1, keepdim=True)
    return heights.gather(1, first)[:, 0], widths.gather(1, first)[:, 0], fitting.any(dim=1)


def _within(positions: Tensor, start: Tensor, length: Tensor) -> Tensor:
    return (positions >= start[:, None]) & (positions < (start + length)[:, None])


def _uniform(like: Tensor, generator: torch.Generator, *shape: int) -> Tensor:
    drawn = torch.rand(*shape, generator=generator, device=generator.device)
    return drawn.to(like.device, non_blocking=True)
